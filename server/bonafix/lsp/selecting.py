"""A wish and the last run of the whole suite in, the tests to run out; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bonafix.lsp.board import Window
from bonafix.lsp.findings import Seen, path_of
from bonafix.text import view

Selection = tuple[str, ...] | None  # node ids or files; `None` is the suite
Lines = Mapping[str, frozenset[int]]  # path -> lines (1-based) that a test ran

_TEST = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(test\w*)", re.MULTILINE)
_WORD = re.compile(r"[\w:+\-.\[\]\\/]+")  # what pytest's `-k` takes for one name


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the last run of the whole suite said: which tests there are, what they ran.

    Empty before the first.
    """

    collected: tuple[str, ...] = ()
    lines: Mapping[str, Lines] = field(default_factory=dict)
    seen: Seen = field(default_factory=lambda: Seen({}))
    seconds: float = 0.0

    def below(self, wish: str) -> tuple[str, ...]:
        """The ids that a file, a class, a function or an id means."""
        parts = (f"{wish}::", f"{wish}[")
        return tuple(i for i in self.collected if i == wish or i.startswith(parts))

    def running(self, path: str) -> tuple[str, ...]:
        """The tests that ran any line of a file."""
        return tuple(i for i in self.collected if path in self.lines.get(i, ()))


@dataclass(frozen=True, slots=True)
class Pick:
    """What pytest is asked to run: these ids, else what `-k` matches, else all."""

    ids: tuple[str, ...] | None = None
    expression: str = ""


def of_file(known: Known, path: str) -> Selection:
    """What a file means: itself if it holds tests, else the tests that run it.

    The suite where no test is known to.
    """
    name = PurePosixPath(path).name
    looks = name.startswith("test_") or name.endswith("_test.py")
    if looks or known.below(path):
        return (path,)
    return known.running(path) or None


def resolve(select: Selection, known: Known, text: Callable[[str], str | None]) -> Pick:
    """The ids that a selection means; `text` gives a file as it is now.

    Ids are what the runner takes. A file whose tests are not all known is found by
    its name, and a mixture with such a file by running the suite.
    """
    if select is None:
        return Pick()
    ids: list[str] = []
    for wish in select:
        found = known.below(wish)
        if "::" not in wish and (not found or _grown(found, text(wish))):
            return by_name(select)
        ids += found or (wish,)
    return Pick(tuple(dict.fromkeys(ids)))


def by_name(select: Sequence[str]) -> Pick:
    """What matches the name of the only file in `select`; the suite otherwise."""
    names = {PurePosixPath(path_of(wish)).name for wish in select}
    name = names.pop() if len(names) == 1 else ""
    return Pick(expression=name) if _WORD.fullmatch(name) else Pick()


def _grown(ids: Sequence[str], text: str | None) -> bool:
    """Whether a file defines a test that is not among its known ids."""
    known = {part.partition("[")[0] for i in ids for part in i.split("::")[1:]}
    return bool(set(_TEST.findall(text or "")) - known)


def affected(known: Known, now: Mapping[str, str]) -> tuple[str, ...]:
    """The tests that ran a line which has changed since, in the order of running.

    `now` are the texts of the files that may have changed. Where no test ran the
    changed lines of a file (they are run when it is imported), all that ran any.
    """
    found: set[str] = set()
    for path, text in now.items():
        before, after = known.seen.text(path), view(text)
        if before is not None and before != after:
            found.update(_hit(known, path, Window.between(before, after)))
    return tuple(test for test in known.collected if test in found)


def _hit(known: Known, path: str, window: Window) -> tuple[str, ...]:
    first, last = window.top + 1, window.end
    # Lines put in between two belong to whoever ran one of these.
    touched = frozenset(range(first, last + 1) if last >= first else (first - 1, first))
    running = known.running(path)
    exact = tuple(i for i in running if known.lines[i][path] & touched)
    return exact or running


def covered(
    select: Sequence[str] | None, collected: Sequence[str]
) -> Callable[[str], bool]:
    """Whether a run of `select` speaks for a test, be it that it vanished."""
    if select is None:
        return lambda _test: True
    ran, chosen = frozenset(collected), frozenset(select)

    def speaks(test: str) -> bool:
        parts = test.split("::")
        above = {"::".join(parts[:n]) for n in range(1, len(parts) + 1)}
        plain = test.partition("[")[0]
        return test in ran or plain in chosen or bool(above & chosen)

    return speaks

"""What a reader of the project is shown, most telling first, each as a text; pure.

Nothing here knows who wrote a patch, what it was called, or what any stage said of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bonafix import syntax
from bonafix.calls import FunctionRef
from bonafix.diffs import difference
from bonafix.domain import Change, Layout, Patch, Place, TestResult
from bonafix.judge.altering.flips import test_function
from bonafix.judge.calls.changed import Changed, changed
from bonafix.layout import is_test_path
from bonafix.surroundings import about, documents, excerpt, read
from bonafix.withholding import withholding

WHOLE = 14_000  # characters of a file that is shown as it is
_DOCUMENTATION = 8_000
_INTRODUCTION = 1_500
_LONGREPR = 2_000


@dataclass(frozen=True)
class Material:
    """A patch's surroundings: `sources` are the project's files before it."""

    patch: Patch
    targets: Sequence[TestResult]
    sources: Mapping[str, bytes]

    @cached_property
    def changed(self) -> Changed:
        """Which functions the patch changes, and who calls them."""
        tests = {p for p in self.sources if is_test_path(p)} | set(self.test_files)
        layout = Layout(package_roots=("",), tests=frozenset(tests))
        return changed(self.patch, layout, self.sources)

    @property
    def test_files(self) -> tuple[str, ...]:
        """The files of the targets, each once."""
        files = (target.id.split("::")[0] for target in self.targets)
        return tuple(dict.fromkeys(p for p in files if p.endswith(".py")))

    @property
    def names(self) -> frozenset[str]:
        """What the changed functions and their callers are called by."""
        parts = (ref.qualname.split(".") for ref in self.changed.watched)
        return frozenset(name for names in parts for name in names if len(name) > 1)

    def text(self, path: str) -> str:
        """A file before the patch; empty where it is no text."""
        return read(self.sources.get(path))

    def originals(self) -> Iterator[tuple[str, str]]:
        """Path and text of each changed file, whole or the changed functions of it."""
        for change in self.patch.changes:
            text = read(change.before)
            if len(text) <= WHOLE:
                yield change.path, text
            else:
                refs = [r for r in self.changed.watched if r.path == change.path]
                yield change.path, excerpt(text, [ref.qualname for ref in refs])

    def callers(self) -> Iterator[tuple[str, str]]:
        """Functions of other files that call what is changed."""
        touched = set(self.patch.paths)
        by_path: dict[str, list[FunctionRef]] = {}
        for ref in self.changed.callers:
            if ref.path not in touched:
                by_path.setdefault(ref.path, []).append(ref)
        for path, refs in by_path.items():
            text = self.text(path)
            yield path, excerpt(text, [ref.qualname for ref in refs])

    def tests(self) -> Iterator[tuple[str, str]]:
        """The files of the failing tests, whole or the failing functions of them."""
        for path in self.test_files:
            text = self.text(path)
            mine = [t for t in self.targets if t.id.split("::")[0] == path]
            module = syntax.parse(text)
            found = [test_function(module, target) for target in mine]
            names = [one.qualified for one in found if one]
            yield path, text if len(text) <= WHOLE else excerpt(text, names)

    def failures(self, may_send: Callable[[str], bool]) -> str:
        """What the failing tests say before the patch, of files that may be sent."""
        parts = []
        held = withholding(self.sources, may_send)
        for target in map(held.result, self.targets[:6]):
            said = target.longrepr or f"{target.exception}: {target.message}"
            parts.append(f"{target.id}\n{said[:_LONGREPR]}")
        return "\n\n".join(parts)

    def documentation(self) -> Iterator[tuple[str, str]]:
        """Of the project's documents what mentions the changed functions."""
        left = _DOCUMENTATION
        for path in documents(tuple(self.sources)):
            text = about(self.text(path), self.names)[:left]
            if not text and path.lower().startswith("readme"):
                text = self.text(path)[:_INTRODUCTION]
            if text.strip():
                left -= len(text)
                yield path, text
            if left <= 0:
                return


def numbered(patch: Patch) -> str:
    """The patch as a diff whose lines carry their numbers in the patched files."""
    return "\n".join(part for change in patch.changes for part in _change(change))


def _change(change: Change) -> Iterator[str]:
    gone = " (deleted)" if change.after is None else ""
    yield f"=== {change.path}{gone}"
    shift, hunks = 0, difference(change.before or b"", change.after or b"")
    if not hunks:
        yield "(nothing changes)"
    for hunk in hunks:
        line = hunk.index + shift + 1
        for mark, raw in hunk.lines:
            text = raw.decode("utf-8", "replace").rstrip("\r\n")
            number = "" if mark == b"-" else str(line)
            yield f"{number:>5} {mark.decode()} {text}"
            line += mark != b"-"
        shift += len(hunk.after) - len(hunk.before)
        yield ""


def first_change(patch: Patch) -> Place:
    """The first line that the patch changes, as the patched file numbers it."""
    change = patch.changes[0]
    hunks = difference(change.before or b"", change.after or b"")
    line = hunks[0].index + 1 if hunks else 1
    for mark, _ in hunks[0].lines if hunks else ():
        if mark != b" ":
            break
        line += 1
    return Place(change.path, line)

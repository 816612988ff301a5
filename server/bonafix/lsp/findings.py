"""One run of the suite in, what to show about each failing test out; pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bonafix.domain import (
    CollectionError,
    Frame,
    Outcome,
    Place,
    Suspect,
    TestResult,
)
from bonafix.lsp.comparing import difference
from bonafix.text import TextError, decode
from bonafix.withholding import Withholding

if TYPE_CHECKING:  # the project is heavy, and not needed to say hello
    from bonafix.project import Observation

_WIDTH = 200  # characters of one line of a message
_SUSPECTS = 5
_PARAMETERS = re.compile(r"\[(.*)\]$", re.DOTALL)


@dataclass(slots=True)
class Spot:
    """A line of a file (0-based), that follows the text as it is edited."""

    path: str
    origin: int  # in the text that ran
    line: int  # in the text as it is now

    @classmethod
    def at(cls, place: Place) -> Spot:
        """Nothing has moved yet."""
        line = max(0, place.line - 1)
        return cls(place.path, line, line)


@dataclass(frozen=True, slots=True)
class Related:
    """A further place that explains a failure."""

    spot: Spot
    message: str


@dataclass(slots=True)
class Seen:
    """The files that one run saw, and which of them have changed since."""

    contents: Mapping[str, bytes]
    changed: set[str] = field(default_factory=set)
    texts: dict[str, str | None] = field(default_factory=dict)

    def text(self, path: str) -> str | None:
        """A file's view as it ran, decoded when it is first asked for."""
        if path not in self.texts:
            data = self.contents.get(path)
            self.texts[path] = None if data is None else _view(data)
        return self.texts[path]


def _view(data: bytes) -> str | None:
    try:
        return decode(data).view
    except TextError:
        return None  # no editor shows it as text, so no line in it can move


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One failing test, or one file that could not be collected."""

    test: str  # a node id
    spot: Spot
    message: str
    related: tuple[Related, ...] = ()
    depends: frozenset[str] | None = None  # files it ran; `None`: unknown, so all
    fixable: bool = True
    cause: tuple[str, ...] = ()  # all that fail for the same one, where several do
    seen: Seen
    definition: Spot | None = None  # of the test function
    result: TestResult | None = None  # `None` where no test ran
    suspects: tuple[Suspect, ...] = ()  # best first

    @property
    def stale(self) -> bool:
        """Whether text that it depends on has changed since it ran."""
        changed = self.seen.changed
        return bool(changed if self.depends is None else changed & self.depends)

    @property
    def siblings(self) -> tuple[str, ...]:
        """The other tests that fail for the same cause."""
        return tuple(test for test in self.cause if test != self.test)

    def runs(self, path: str) -> bool:
        """Whether a change of this file may change how the test ends."""
        return self.depends is None or path in self.depends

    @property
    def spots(self) -> tuple[Spot, ...]:
        """Every place that has to follow the text."""
        own = (self.spot,) if self.definition is None else (self.spot, self.definition)
        return (*own, *(related.spot for related in self.related))


def findings(
    observation: Observation, redact: Callable[[str], str] = str
) -> tuple[Finding, ...]:
    """What an observation has to say, in the order of running.

    `redact` takes secrets out before anything is cut: half of one would stay.
    """
    run, seen = observation.run, seen_by(observation)
    causes = _causes(observation)
    at = functools.cache(Spot.at)  # many failures lead to one line, which moves once
    held = Withholding(redact=redact)
    red = (held.result(run.results[i]) for i in run.red if i in run.results)
    failing = (
        _failing(
            result,
            observation,
            seen,
            redact,
            cause=causes.get(result.id, ()),
            at=at,
        )
        for result in red
    )
    broken = (_uncollected(error, seen, redact) for error in run.collection_errors)
    return (*broken, *failing)


def seen_by(observation: Observation) -> Seen:
    """The files as they were when it ran."""
    return Seen({**observation.snapshot.sources, **observation.shown})


def _failing(
    result: TestResult,
    observation: Observation,
    seen: Seen,
    redact: Callable[[str], str],
    *,
    cause: tuple[str, ...],
    at: Callable[[Place], Spot],
) -> Finding:
    place = shown_at(result)
    suspects = observation.suspects.get(result.id, ())
    lines = observation.run.lines.get(result.id)
    own = {frame.path for frame in result.frames if frame.own}
    return Finding(
        test=result.id,
        spot=at(place),
        message=message(result, redact),
        related=_related(result, place, suspects[:1], at),
        depends=frozenset({*lines, *own, place.path}) if lines else None,
        cause=cause,
        seen=seen,
        definition=at(result.definition) if result.definition else None,
        result=result,
        suspects=suspects[:_SUSPECTS],
    )


def _causes(observation: Observation) -> dict[str, tuple[str, ...]]:
    """Every test that does not fail alone -> those it fails with, itself among them."""
    groups = (tuple(r.id for r in group) for group in observation.groups)
    return {test: ids for ids in groups if len(ids) > 1 for test in ids}


def _uncollected(
    error: CollectionError, seen: Seen, redact: Callable[[str], str]
) -> Finding:
    place = error.place or Place(path_of(error.id), 1)
    return Finding(
        test=error.id,
        spot=Spot.at(place),
        message=f"cannot be collected: {_first_line(_reason(redact(error.message)))}",
        fixable=False,  # no test ran, so none can be a target
        seen=seen,
    )


def _reason(told: str) -> str:
    """The exception of what pytest says of a file: the end of what it marks as that."""
    said = [line for line in told.splitlines() if line.strip()]
    marked = [line[1:] for line in said if line.startswith("E ")]
    return (marked or said or [""])[-1].strip()


def path_of(node_id: str) -> str:
    """The file that a node id names."""
    return node_id.split("::", 1)[0]


def short_name(node_id: str) -> str:
    """The node id without its file."""
    return node_id.split("::", 1)[-1]


def shown_at(result: TestResult) -> Place:
    """The assertion in the test file, else the test's definition, else line 1."""
    return result.place or result.definition or Place(path_of(result.id), 1)


def message(result: TestResult, redact: Callable[[str], str] = str) -> str:
    """What happened, both sides of the comparison, and with which parameters.

    A node id is a name and stays as it is: `redact` is for what is quoted of it.
    """
    lines = [_what(result)]
    if result.expected is not None and result.actual is not None:
        lines.append(f"expected: {_first_line(result.expected)}")
        lines.append(f"actual:   {_first_line(result.actual)}")
        lines += difference(result.expected, result.actual)
    parameters = _PARAMETERS.search(result.id)
    if parameters:
        lines.append(f"parameters: {_first_line(redact(parameters[1]))}")
    return "\n".join(lines)


def _what(result: TestResult) -> str:
    where = "" if result.phase == "call" else f"in {result.phase}: "
    if result.outcome is Outcome.HUNG:
        return f"{where}hung: it was stopped after {result.seconds:.0f} s"
    if result.outcome is Outcome.CRASHED:
        return f"{where}crashed the interpreter"
    parts = [result.exception.rpartition(".")[2], _first_line(result.message)]
    text = ": ".join(part for part in parts if part) or f"test {result.outcome}"
    return where + text


def _related(
    result: TestResult,
    place: Place,
    suspects: tuple[Suspect, ...],
    at: Callable[[Place], Spot],
) -> tuple[Related, ...]:
    own = [f for f in result.frames if f.own and Place(f.path, f.line) != place]
    shown = [_step(frame, at, last=frame is own[-1]) for frame in own]
    for suspect in suspects:
        why = f": {suspect.why}" if suspect.why else ""
        text = f"most suspicious line ({suspect.score:.2f}){why}"
        shown.append(Related(at(Place(suspect.path, suspect.line)), text))
    return tuple(shown)


def _step(frame: Frame, at: Callable[[Place], Spot], *, last: bool) -> Related:
    verb = "raised in" if last else "called in"
    code = f": {frame.code}" if frame.code else ""
    text = _first_line(f"{verb} {frame.function}{code}")
    return Related(at(Place(frame.path, frame.line)), text)


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    first = lines[0] if lines else ""
    cut = first if len(first) <= _WIDTH else first[: _WIDTH - 1] + "…"
    return cut + (" …" if len(lines) > 1 and not cut.endswith("…") else "")

"""What a failure says about the fault: symptoms, and the templates that fit them."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bonafix.domain import Frame, Outcome, Place, Task, TestResult
from bonafix.propose.search.boosts import BOOSTS, SEPARATORS

_CRASH = 2.5  # how much likelier the line that raised is than an equally covered one
_STACK = 1.3
_REFUSED = 1.0  # a line that raises on purpose
_QUOTED = re.compile(r"'([A-Za-z_]\w*)'")
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Hints:
    """Factors by template name or tag, factors by line, and names that were blamed."""

    boosts: Mapping[str, float]
    lines: Mapping[Place, float]
    names: frozenset[str] = frozenset()
    refusals: bool = False  # an exception that a test waits for does not come


def read(task: Task) -> Hints:
    """What all the targets together say; a symptom that more of them show weighs more.

    Each factor is the mean over the targets, so one odd target does not rule.
    """
    boosts: dict[str, float] = {}
    for target in task.targets:
        found = set(symptoms(target))
        for template in {t for s in found for t in BOOSTS.get(s, {})}:
            factors = [BOOSTS[s].get(template, 1.0) for s in found if s in BOOSTS]
            boosts[template] = boosts.get(template, 0.0) + math.prod(factors) - 1.0
    count = max(1, len(task.targets))
    return Hints(
        boosts={template: 1.0 + total / count for template, total in boosts.items()},
        lines=_lines(task.targets),
        names=frozenset(name for t in task.targets for name in _blamed(t)),
        refusals=any("did-not-raise" in symptoms(t) for t in task.targets),
    )


def symptoms(result: TestResult) -> Iterator[str]:
    """The keys of `BOOSTS` that a failing result shows."""
    if result.outcome is Outcome.HUNG:
        yield "hung"
    kind = result.exception.rpartition(".")[2]
    yield "UnicodeError" if kind.startswith("Unicode") else kind
    if "coroutine" in result.message or "never awaited" in result.message:
        yield "got-coroutine"
    if "DID NOT RAISE" in result.message or "not raised" in result.message:
        yield "did-not-raise"
    if kind in {"AttributeError", "TypeError"} and "NoneType" in result.message:
        yield "got-none"
    sides = value_of(result.expected), value_of(result.actual)
    if sides[0] is not UNKNOWN and sides[1] is not UNKNOWN:
        yield from differences(*sides)


def differences(expected: object, actual: object) -> Iterator[str]:
    """How a wrong value differs from the right one."""
    if actual is None and expected is not None:
        yield "got-none"
    elif isinstance(expected, bool) or isinstance(actual, bool):
        yield "inverted"
    elif isinstance(expected, int | float) and isinstance(actual, int | float):
        yield from _numeric(expected, actual)
    elif isinstance(expected, str) and isinstance(actual, str):
        yield from _textual(expected, actual)
    elif isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        yield from _sequential(expected, actual)
        if _inherits(expected, actual) or _repeats_rows(expected, actual):
            yield "shared"
    elif isinstance(expected, dict) and isinstance(actual, dict):
        kept = all(k in actual and actual[k] == v for k, v in expected.items())
        if kept and len(actual) > len(expected):
            yield "shared"
    elif isinstance(expected, set) and isinstance(actual, set) and actual > expected:
        yield "shared"


def _inherits(expected: Sequence[object], actual: Sequence[object]) -> bool:
    """Whether what is expected comes after items that were there before.

    So it is when a default, or an attribute of the class, outlives a call.
    """
    before = len(actual) - len(expected)
    return before > 0 and list(actual[before:]) == list(expected)


def _repeats_rows(expected: Sequence[object], actual: Sequence[object]) -> bool:
    """Whether all rows are one and the same though they should differ."""
    rows = [row for row in actual if isinstance(row, list)]
    same = len(rows) == len(actual) > 1 and all(row == rows[0] for row in rows)
    return same and any(row != expected[0] for row in expected)


def _numeric(expected: float, actual: float) -> Iterator[str]:
    if math.isclose(abs(expected - actual), 1.0, rel_tol=_CLOSE):
        yield "off-by-one"
    if expected == -actual:
        yield "sign"
    elif expected and actual and _is_round(expected / actual):
        yield "ratio"
    if abs(expected - actual) < 1 and isinstance(expected, int):
        yield "rounded"


def _is_round(ratio: float) -> bool:
    return any(math.isclose(r, round(r), rel_tol=1e-6) for r in (ratio, 1 / ratio))


def _textual(expected: str, actual: str) -> Iterator[str]:
    if (gap := _gap(expected, actual)) in SEPARATORS:
        yield f"gap {gap}"
    if expected.lower() == actual.lower():
        yield "case"
    elif "".join(expected.split()) == "".join(actual.split()):
        yield "spacing"
    else:
        yield from _sequential(tuple(expected), tuple(actual))


def _gap(expected: str, actual: str) -> str:
    """The piece that is missing, if it is only one."""
    start = 0
    while start < len(actual) and expected[start : start + 1] == actual[start]:
        start += 1
    missing = len(expected) - len(actual)
    rest = expected[start + missing :]
    return expected[start : start + missing] if rest == actual[start:] else ""


def _sequential(expected: Sequence[object], actual: Sequence[object]) -> Iterator[str]:
    as_text = [sorted(map(repr, side)) for side in (expected, actual)]
    if as_text[0] == as_text[1]:
        yield "reordered"
    if len(actual) != len(expected):
        yield "shorter" if len(actual) < len(expected) else "longer"
        if set(as_text[0]) == set(as_text[1]):
            yield "repeated"
    elif all(isinstance(item, int) for item in (*expected, *actual)):
        gaps = {abs(a - b) for a, b in zip(expected, actual, strict=True)}  # type: ignore[operator]  # all of them are numbers
        if gaps <= {0, 1}:
            yield "off-by-one"
    if any(isinstance(item, list | tuple) for item in actual) and not any(
        isinstance(item, list | tuple) for item in expected
    ):
        yield "nested"


UNKNOWN = object()


def value_of(text: str | None) -> object:
    """The value of a repr, `UNKNOWN` where it is none of a plain literal."""
    try:
        return ast.literal_eval(text) if text is not None else UNKNOWN
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return UNKNOWN


def _lines(targets: Sequence[TestResult]) -> dict[Place, float]:
    """A factor for each line of a traceback; the innermost one raised."""
    found: dict[Place, float] = {}
    for target in targets:
        own = [frame for frame in target.frames if frame.own]
        for frame in own:
            place = Place(frame.path, frame.line)
            raised = frame == own[-1] and not target.exception.endswith(
                "AssertionError"
            )
            factor = _STACK if not raised else _REFUSED if _refuses(frame) else _CRASH
            found[place] = max(found.get(place, 1.0), factor)
    return found


def _refuses(frame: Frame) -> bool:
    """Whether the line is a check that fired, which says more of what it was given."""
    return frame.code.startswith("raise")


def _blamed(target: TestResult) -> list[str]:
    """The names that an error message puts in quotation marks."""
    plain = {"NameError", "AttributeError", "UnboundLocalError", "TypeError"}
    kind = target.exception.rpartition(".")[2]
    return _QUOTED.findall(target.message) if kind in plain else []

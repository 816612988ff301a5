"""How much nearer to passing a failing test is than it was; pure.

Nearer is: another exception later in the test, a wrong value instead of a crash, or a
value closer to the wanted one. It ranks what is tried next, and proves nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from bonafix.domain import Outcome, TestResult
from bonafix.propose.search.hints import UNKNOWN, value_of

_LATER = 0.6  # the test came further
_ANSWERS = 0.3  # it gets a wrong value where it got a crash
_CLOSER = 0.5  # at most, for a value that is nearer
_LONG = 2000  # items of a sequence that are compared
_DONE = frozenset({Outcome.PASSED, Outcome.XPASSED})


def progress(before: TestResult, after: TestResult) -> float:
    """0 (no nearer) to 1 (passes) for one test over the old and the patched code."""
    if after.outcome in _DONE:
        return 1.0
    if not after.outcome.red or after.outcome in {Outcome.HUNG, Outcome.CRASHED}:
        return 0.0
    if after.phase != before.phase:
        return _LATER if before.phase == "setup" else 0.0
    if (came := _further(before, after)) is not None:
        return came
    if _crashed(before) and not _crashed(after):
        return _ANSWERS
    if _crashed(after):
        return 0.0
    gone = distance(before), distance(after)
    if None in gone or not gone[0] or gone[1] is None or gone[1] >= gone[0]:
        return 0.0
    return _CLOSER * (1 - gone[1] / gone[0])


def _further(before: TestResult, after: TestResult) -> float | None:
    """By the line of the test that failed; `None` where it is the same or unknown."""
    old, new = before.place, after.place
    if old is None or new is None or old.path != new.path or old.line == new.line:
        return None
    return _LATER if new.line > old.line else 0.0


def _crashed(result: TestResult) -> bool:
    return not result.exception.endswith("AssertionError")


def distance(result: TestResult) -> float | None:
    """Between the wanted and the actual value, 0..1; `None` where one is not known."""
    expected, actual = value_of(result.expected), value_of(result.actual)
    if UNKNOWN in (expected, actual):
        return None
    return apart(expected, actual)


def apart(a: object, b: object) -> float:
    """How different two values are: 0 equal, 1 nothing in common."""
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return float(a is not b)
    if isinstance(a, int | float) and isinstance(b, int | float):
        gap = float(abs(a - b))
        return gap / (1 + gap)
    if isinstance(a, str) and isinstance(b, str):
        return _sequences(a, b)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        same = [key for key in a if key in b and b[key] == a[key]]
        return 1 - len(same) / max(1, len({*a, *b}))
    if isinstance(a, set | frozenset) and isinstance(b, set | frozenset):
        return 1 - len(a & b) / max(1, len(a | b))
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) == len(b):
            return sum(map(apart, a, b)) / max(1, len(a))
        return max(_sequences([repr(x) for x in a], [repr(x) for x in b]), 1e-6)
    return 1.0


def _sequences(a: Sequence[str], b: Sequence[str]) -> float:
    if max(len(a), len(b)) > _LONG:
        return float(a != b)
    return 1 - difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()

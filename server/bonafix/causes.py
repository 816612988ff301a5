"""Failures of one run in, whether they have one cause out; pure.

One cause: the same exception, from the same line of the product (who hung, in the same
function); or, where the test itself raised it, mostly the same most suspicious lines.
The first is as good as certain, the second a likelihood.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bonafix.domain import Frame, Outcome, SuiteRun, TestResult
from bonafix.layout import is_test_path

Line = tuple[str, int]

_ALIKE = 0.5  # share of the most suspicious lines that two failures must have in common


@dataclass(frozen=True, slots=True)
class Sign:
    """What is compared of two failures."""

    exception: str
    # The product's line that it came from, 0 for any of a function; `None`: the test's.
    crash: Line | None
    lines: frozenset[Line]  # the most suspicious ones, where there is no such line

    def same(self, other: Sign) -> bool:
        """Whether both seem to have one cause."""
        if self.exception != other.exception or self.crash != other.crash:
            return False
        if self.crash:
            return True
        union = self.lines | other.lines
        return bool(union) and len(self.lines & other.lines) >= _ALIKE * len(union)


def sign(run: SuiteRun, result: TestResult) -> Sign:
    """What is compared of a failure in `run`, which has recorded lines."""
    frame = crash_frame(result)
    exception, line = result.exception or result.outcome, frame.line if frame else 0
    if frame and result.outcome is Outcome.HUNG:
        # Where in a loop it was when its time was up is chance.
        exception, line = f"{exception} in {frame.function}", 0
    return Sign(
        exception=exception,
        crash=(frame.path, line) if frame else None,
        lines=frozenset() if frame else most_suspicious(run, result),
    )


def crash_frame(result: TestResult, tests: Collection[str] = ()) -> Frame | None:
    """The innermost frame of the product that the exception passed, if any.

    `tests` are the files of tests; without them, those of the failing test.
    """
    places = (result.definition, result.place)
    files = tests or frozenset(place.path for place in places if place)
    found = [f for f in result.frames if f.own and is_product(f.path, files)]
    return found[-1] if found else None


def is_product(path: str, tests: Collection[str]) -> bool:
    """Whether it is none of `tests`, and not named like a test or a conftest."""
    return not (
        path in tests or is_test_path(path) or path.rpartition("/")[2] == "conftest.py"
    )


def scores(run: SuiteRun, targets: Sequence[TestResult]) -> dict[Line, float]:
    """Ochiai of each product line that a target executes."""
    failing = [t.id for t in targets if run.lines.get(t.id)]
    aimed = {target.id for target in targets}
    tests = _test_files(run)
    hit = _counted(run, failing, tests)
    passing = [i for i, r in run.results.items() if r.outcome is Outcome.PASSED]
    passed = _counted(run, (i for i in passing if i not in aimed), tests)
    total = len(failing)
    return {
        line: count / math.sqrt(total * (count + passed[line]))
        for line, count in hit.items()
    }


def most_suspicious(run: SuiteRun, result: TestResult) -> frozenset[Line]:
    """The product's lines with the best score for one failure."""
    ranked = scores(run, [result])
    best = max(ranked.values(), default=0.0)
    return frozenset(line for line, score in ranked.items() if score >= best > 0)


def _counted(run: SuiteRun, ids: Iterable[str], tests: frozenset[str]) -> Counter[Line]:
    counter: Counter[Line] = Counter()
    for node_id in ids:
        for path, numbers in run.lines.get(node_id, {}).items():
            if is_product(path, tests):
                counter.update((path, number) for number in numbers)
    return counter


def _test_files(run: SuiteRun) -> frozenset[str]:
    return frozenset(
        result.definition.path
        for result in run.results.values()
        if result.definition and result.style != "doctest"
    )

"""Red tests that a patch leaves red though they seem to have its targets' cause; pure.

Whoever wrote it: a patch that fixes one test and not the other with the same crash
has not fixed what they have in common.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bonafix.causes import crash_frame, sign
from bonafix.domain import Baseline, Patch, SuiteRun, TestResult
from bonafix.text import TextError, decode, lines, minimal_edits

Lines = dict[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Twin:
    """A test that stays red. `certain`: same exception from the same product line."""

    id: str
    certain: bool


def twins(
    targets: Sequence[TestResult],
    baseline: Baseline,
    after: SuiteRun,
    patch: Patch,
    known: Collection[str] = (),
) -> tuple[Twin, ...]:
    """The red tests besides the targets, and `known`, that fail on as before."""
    left = {target.id for target in targets} | set(known)
    signs = [sign(baseline.run, target) for target in targets]
    touched = changed_lines(patch)
    found = []
    for result in baseline.failures:
        seen = after.results.get(result.id)
        if result.id in left or seen is None or not seen.outcome.red:
            continue
        own = sign(baseline.run, result)
        if not _goes_on(result, seen) or not any(own.same(one) for one in signs):
            continue
        if own.crash or _runs(baseline.run, result.id, touched):
            found.append(Twin(result.id, certain=own.crash is not None))
    return tuple(found)


def related(result: TestResult, target: TestResult, run: SuiteRun) -> bool:
    """Whether it is as good as certain that two failures of `run` have one cause."""
    one, two = sign(run, result), sign(run, target)
    if one.crash or two.crash:
        return one.same(two)
    return _siblings(result, target) and one.exception == two.exception


def changed_lines(patch: Patch) -> Lines:
    """Per file the lines, as they were, that a patch touches or stands between."""
    found: Lines = {}
    for change in patch.changes:
        if change.before is None or change.after is None:
            continue
        try:
            before, new = decode(change.before).text, decode(change.after).text
        except TextError:
            continue
        touched: set[int] = set()
        for start, end, _ in minimal_edits(before, new):
            first = max(1, len(lines(before[:start] + "x")))
            touched |= set(range(first - 1, first + len(lines(before[start:end])) + 1))
        found[change.path] = frozenset(touched)
    return found


def _goes_on(before: TestResult, after: TestResult) -> bool:
    """Whether a test fails as it did; lines of the product may have moved."""
    if (before.exception, before.outcome) != (after.exception, after.outcome):
        return False
    one, two = crash_frame(before), crash_frame(after)
    if one is None or two is None:
        return one is two and before.place == after.place
    return (one.path, one.function) == (two.path, two.function)


def _runs(run: SuiteRun, node_id: str, touched: Lines) -> bool:
    table = run.lines.get(node_id, {})
    return any(table.get(path, frozenset()) & span for path, span in touched.items())


def _siblings(one: TestResult, two: TestResult) -> bool:
    """Whether they are rows of one test that fail at the same assertion."""
    same = one.definition == two.definition and one.place == two.place
    return same and one.definition is not None and one.place is not None

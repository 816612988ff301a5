"""What one screening run may take, and which other tests are worth a look."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bonafix.domain import Candidate, Outcome, SuiteRun, Task, TestResult, worse
from bonafix.text import decode, lines, minimal_edits

_LEAST = 2.0  # seconds that a test may always take
# The same where a target ran away, whose duration tells nothing: where all others are
# quick, and where not; quick is what takes this part of it.
_HUNG, _QUICK = (1.0, 3.0), 1000.0  # seconds; times
_AWAY = 100.0  # times as long as any green test: then it is no work that it does
# What the first look at a candidate may take: it is to say which ones run away.
_HASTE, _OFTEN = 0.3, 300.0  # seconds at least; times as long as the slowest test
_SLACK = 10.0  # times the baseline's duration
_START = 5.0  # seconds for an interpreter and pytest on a busy machine
_MANY = 8  # targets from which on the first failure ends a run
_CHEAP = 0.5  # seconds for which a few targets are all run: what passes in part is seen
_NEIGHBOURS = 40
_ENDED = frozenset({Outcome.FAILED, Outcome.ERROR})
_NEIGHBOUR_SECONDS = 2.0  # of baseline time, for all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a screening run."""

    targets: tuple[str, ...]
    stop_at_first: bool
    per_test: float
    hasty: float  # the same, at first
    seconds: float  # wall, one run of the targets
    neighbour_seconds: float
    each: float  # any test of the suite
    baseline: SuiteRun

    def before(self, node_id: str) -> Outcome:
        """What a test did over the untouched code."""
        return self.baseline.outcome(node_id)

    def neighbours(self, candidate: Candidate) -> tuple[str, ...]:
        """Passing tests that run the lines which a candidate changes, cheap ones first.

        A candidate that breaks one of them need not go through the whole gate.
        """
        return self.running(_changed_lines(candidate))

    def others(self, candidate: Candidate) -> tuple[str, ...]:
        """Other failing tests that run the lines which a candidate changes."""
        run, changed = self.baseline, _changed_lines(candidate)
        return tuple(
            test
            for test in run.red
            if test not in self.targets and run.outcome(test) in _ENDED
            if any(
                run.lines.get(test, {}).get(path, frozenset()) & on
                for path, on in changed.items()
            )
        )[:_NEIGHBOURS]

    def running(self, changed: Mapping[str, frozenset[int]]) -> tuple[str, ...]:
        """Passing tests that run some of these lines, cheap ones first."""
        run, budget = self.baseline, _NEIGHBOUR_SECONDS
        covering = [
            (run.results[test].seconds, test)
            for test, files in run.lines.items()
            if test in run.results and run.outcome(test) is Outcome.PASSED
            if any(files.get(path, frozenset()) & on for path, on in changed.items())
        ]
        chosen: list[str] = []
        for seconds, test in sorted(covering)[:_NEIGHBOURS]:
            budget -= seconds
            if budget >= 0:
                chosen.append(test)
        return tuple(chosen)

    def harms(self, run: SuiteRun, selected: tuple[str, ...]) -> bool:
        """Whether one of the selected tests got worse; a lost run counts as harm."""
        if not run.finished or run.timed_out:
            return True
        return any(
            worse(self.before(i), run.outcome(i)) for i in selected if i in run.results
        )


def limits_of(task: Task) -> Limits:
    """The limits that follow from how long things took in the baseline."""
    run = task.baseline
    targets = tuple(target.id for target in task.targets)
    usual = _usual(run)
    ended = [t for t in task.targets if _tells(t, usual)]
    hung = len(ended) < len(targets)
    # what a target that never ended would take is told by others, if at all
    like = [*run.results.values()] if hung else ended
    slowest = max((one.seconds for one in like if _tells(one, usual)), default=0.0)
    together = sum(target.seconds for target in ended)
    start = _START + 3 * max(0.0, run.seconds - _tests_seconds(run))
    least = min(max(_HUNG[0], _QUICK * slowest), _HUNG[1]) if hung else _LEAST
    per_test = max(least, _SLACK * slowest)
    slow = _slowest(run, usual)
    few = 1 < len(targets) <= _MANY and together <= _CHEAP and not hung
    return Limits(
        targets=targets,
        stop_at_first=not few,
        per_test=per_test,
        hasty=min(per_test, max(_HASTE, _OFTEN * slow)),
        seconds=start + per_test * (len(targets) if few else 1) + _SLACK * together,
        each=max(per_test, _SLACK * slow),
        neighbour_seconds=start + per_test + _SLACK * _NEIGHBOUR_SECONDS,
        baseline=run,
    )


def _usual(run: SuiteRun) -> float:
    """Seconds from which on a red test has run away; infinite where none is green."""
    green = [r.seconds for r in run.results.values() if r.outcome is Outcome.PASSED]
    return max(_LEAST, _AWAY * max(green)) if green else math.inf


def _tells(result: TestResult, usual: float) -> bool:
    """Whether its duration is its own, and no time-out's or endless loop's."""
    away = result.outcome.red and result.seconds > usual
    return result.outcome is not Outcome.HUNG and not away


def _slowest(run: SuiteRun, usual: float) -> float:
    known = (r.seconds for r in run.results.values() if _tells(r, usual))
    return max(known, default=0.0)


def _tests_seconds(run: SuiteRun) -> float:
    return sum(result.seconds for result in run.results.values())


def _changed_lines(candidate: Candidate) -> dict[str, frozenset[int]]:
    """Per file the (old) lines that a patch touches."""
    found: dict[str, frozenset[int]] = {}
    for change in candidate.patch.changes:
        if change.before is None or change.after is None:
            continue
        before, after = decode(change.before).text, decode(change.after).text
        touched: set[int] = set()
        for start, end, _ in minimal_edits(before, after):
            first = max(1, len(lines(before[:start] + "x")))
            touched |= set(range(first - 1, first + len(lines(before[start:end])) + 1))
        found[change.path] = frozenset(touched)
    return found

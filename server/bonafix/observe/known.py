"""What is known of a suite in, what is news of it out; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bonafix.domain import Outcome, SuiteRun, worse

_UNSETTLED = frozenset({Outcome.HUNG, Outcome.CRASHED})
_EVERY = ("failed", "skipped", "xfailed")
# The words of pytest that say nothing worse of a test which did that before.
_WORDS: Mapping[Outcome, tuple[str, ...]] = {
    Outcome.PASSED: (),
    Outcome.XPASSED: (),
    Outcome.XFAILED: ("xfailed",),
    Outcome.SKIPPED: ("skipped", "xfailed"),
    Outcome.MISSING: ("skipped", "xfailed"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """A cold run of a suite, and the ids of which it says nothing for sure."""

    run: SuiteRun
    unsteady: frozenset[str] = frozenset()
    _tests: frozenset[str] = field(init=False, repr=False)  # with such rows

    def __post_init__(self) -> None:
        rows = (i.partition("[") for i in self.unsteady)
        tests = frozenset(test for test, row, _ in rows if row)
        object.__setattr__(self, "_tests", tests)

    @property
    def unsettled(self) -> str:
        """An id that did not come to its end, if there is one."""
        every = (i for i in self.run.collected if self.run.outcome(i) in _UNSETTLED)
        return next(every, "")

    def steady(self, node_id: str) -> bool:
        """Whether it is known what that one does, and that it is there at all.

        Where one row of a test is unsteady all are: their names may be what changes.
        """
        test, row, _ = node_id.partition("[")
        return node_id not in self.unsteady and not (row and test in self._tests)

    @property
    def tolerated(self) -> dict[str, tuple[str, ...]]:
        """By id what it may do; who is not in it has to pass."""
        run = self.run
        found = {i: _WORDS.get(run.outcome(i), ("failed",)) for i in run.collected}
        shaky = (i for i in run.collected if not self.steady(i))
        found |= dict.fromkeys((*self.unsteady, *shaky), _EVERY)
        return {i: words for i, words in found.items() if words}

    def worse(self, run: SuiteRun) -> tuple[str, ...]:
        """What got worse in a run, which may be of a part, in the suite's order."""
        return tuple(
            i
            for i in self.run.collected
            if i in run.results and self.steady(i)
            if worse(self.run.outcome(i), run.outcome(i))
        )

    def news(self, run: SuiteRun) -> tuple[str, ...]:
        """The same of a run of all, which may have been stopped at the first.

        Where nothing got worse, and it came to its end, what it has not seen.
        """
        found = self.worse(run)
        if found or not run.finished or run.timed_out:
            return found
        known = (i for i in self.run.collected if self.steady(i))
        return tuple(i for i in known if worse(self.run.outcome(i), run.outcome(i)))

    def differing(self, run: SuiteRun) -> dict[str, Outcome]:
        """The steady ids that do something else there, better or worse."""
        ids = dict.fromkeys((*self.run.collected, *run.collected))
        return {
            i: run.outcome(i)
            for i in ids
            if self.steady(i) and self.run.outcome(i) is not run.outcome(i)
        }


def contradicts(seen: Outcome, told: Outcome) -> bool:
    """Whether a quick run's outcome is not that of a fresh process.

    Who was red there and ran out of time here had less of it: no contradiction.
    """
    return seen is not told and not (seen is Outcome.HUNG and told.red)

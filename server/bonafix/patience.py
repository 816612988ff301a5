"""How long a search goes on, and how much of the gate's time its finds are worth."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonafix.domain import (
    Baseline,
    Candidate,
    Judgement,
    Listener,
    Outcome,
    Runner,
    SuiteRun,
    silent,
)

# Seconds that a search goes on after its first survivor, what the gate takes left out;
# and where all that have survived only fit the tests, or explain but some of them.
GRACE, GUESSING = 10.0, 30.0
LIKE = 2  # survivors that leave the same tests red: a third one needs no judge
PER_TEST = 10.0  # seconds of a test, at least
SLOWER = 10  # times the slowest one of the baseline


@dataclass(slots=True)
class Grace:
    """How long a search goes on, for seconds of its own."""

    clock: asyncio.Timeout
    used: float = 0.0
    since: float | None = None  # on the loop's clock; `None`: nothing has survived

    def hold(self) -> None:
        """Let nothing run out now."""
        if self.since is not None:
            self.used += asyncio.get_running_loop().time() - self.since
        self.clock.reschedule(None)

    def go_on(self, survivors: Sequence[Judgement], *, weak: bool) -> None:
        """From here on it is the search's time again, if anything has survived.

        `weak`: none of them but may well be bettered.
        """
        if survivors:
            self.since = asyncio.get_running_loop().time()
            left = (GUESSING if weak else GRACE) - self.used
            self.clock.reschedule(self.since + max(0.0, left))


async def falls_short(
    candidate: Candidate, survivors: Sequence[Judgement], run: Runner
) -> bool:
    """Whether it leaves all red that some survivors have left red.

    Of a target that was kept back, who proposes does not know: dozens may pass those
    that are shown, and no other. One run of what they leave tells. Of a survivor with
    no other doubt, one is enough: whatever leaves the same can be no better.
    """
    lefts = [(left, one) for one in survivors if (left := _left(one))]
    if len(lefts) < LIKE and not any(_best(one) for _, one in lefts):
        return False
    tests = sorted(frozenset[str]().union(*(left for left, _ in lefts)))
    seen = await run(candidate.patch.files, select=tests)
    red = {test for test in tests if seen.outcome(test) is not Outcome.PASSED}
    like = [one for left, one in lefts if left <= red]
    return len(like) >= LIKE or any(map(_best, like))


def _left(judgement: Judgement) -> frozenset[str]:
    """The targets that it leaves red, and what else fails near them and still does."""
    red = (t.id for t in judgement.targets if t.after is not Outcome.PASSED)
    return frozenset(red) | near(judgement)


def _best(judgement: Judgement) -> bool:
    """Whether nothing but what it leaves near them is said against it."""
    return bool(near(judgement)) and len(judgement.missing) == 1


def near(judgement: Judgement) -> frozenset[str]:
    """What stays red under it, and one fault with the targets' might explain."""
    told = (record.facts.get("near") for record in judgement.evidence)
    return frozenset(i for ids in told if isinstance(ids, list) for i in map(str, ids))


def bounded(run: Runner, baseline: Baseline) -> Runner:
    """A runner in which no test takes much longer than any did that came to its end.

    For what an engine made without reading: one candidate in some makes a test hang,
    and each would cost the whole time-out in each of the gate's runs. One that a person
    or a model wrote has all of it.
    """
    ended = (r for r in baseline.run.results.values() if r.outcome is not Outcome.HUNG)
    longest = max((result.seconds for result in ended), default=0.0)
    limit = max(PER_TEST, SLOWER * longest)

    async def brief(
        files: Mapping[str, bytes | None],
        /,
        *,
        select: Sequence[str] | None = None,
        expression: str = "",
        record_lines: bool = False,
        stop_at_first: bool = False,
        seconds: float | None = None,
        per_test: float | None = None,
        listen: Listener = silent,
    ) -> SuiteRun:
        return await run(
            files,
            select=select,
            expression=expression,
            record_lines=record_lines,
            stop_at_first=stop_at_first,
            seconds=seconds,
            per_test=min(per_test or limit, limit),
            listen=listen,
        )

    return brief

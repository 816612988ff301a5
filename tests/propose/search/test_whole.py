"""Who makes any test of the suite worse is not handed on, if that is quick to tell."""

from __future__ import annotations

import asyncio
import dataclasses
from math import inf

from bonafix.domain import Candidate, Patch
from bonafix.propose.search.limits import limits_of
from bonafix.propose.search.whole import Wider
from tests.propose.search.shop import Runner
from tests.propose.search.test_engine import collect, price_task

NOBODY = Candidate(patch=Patch(()), author="search")


class Suite:
    """Says of each candidate what was given; remembers how it was asked."""

    def __init__(self, *lost, seconds=0.0):
        self.lost, self.slow, self.asked = lost, seconds, []

    async def __call__(self, files, /, *, before, seconds=None, per_test=None):
        assert seconds is None
        assert per_test >= 2.0
        self.asked.append((files, before))
        await asyncio.sleep(self.slow)
        return self.lost


def wider(suite, remaining=inf, **baseline):
    limits = limits_of(price_task())
    limits = dataclasses.replace(
        limits, baseline=dataclasses.replace(limits.baseline, **baseline)
    )
    return Wider(whole=suite, limits=limits, remaining=lambda: remaining)


async def test_only_the_first_is_handed_on_unasked():
    """Who is right at once pays for nobody; whoever comes later is looked at."""
    given = price_task(seconds=15.0)
    suite = Suite("test_far.py::test_far")
    found, events = await collect(given, Runner(given.snapshot.sources), whole=suite)
    lost = [e for e in events if "makes test_far.py::test_far worse" in e.text]
    assert lost
    assert len(lost) == len(suite.asked)
    assert events[-1].facts["passed"] == len(found) > 0
    assert all(before is given.baseline for _, before in suite.asked)
    told = [files for files, _ in suite.asked]
    assert not any(candidate.patch.files in told for candidate in found)


async def test_what_cannot_be_told_is_no_loss():
    """No answer, no loss, no time: the gate is to say it."""
    for suite, remaining, seconds in (
        (None, inf, 0.0),
        (Suite(), inf, 0.0),
        (Suite("x", seconds=30.0), 1.2, 0.0),
        (Suite("x"), 10.0, 3.5),  # to collect, to try and to ask takes three runs
    ):
        asked = wider(suite, remaining, seconds=seconds)
        assert [await asked.lost(NOBODY) for _ in "123"] == [""] * 3
    asked = wider(Suite("x"))
    assert [await asked.lost(NOBODY) for _ in "123"] == ["", "x", "x"]

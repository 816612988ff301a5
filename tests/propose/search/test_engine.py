"""Screening runs the targets, in few processes, in time, and leaves none behind."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses

from bonafix.domain import Outcome
from bonafix.propose.search.engine import propose
from bonafix.propose.search.limits import limits_of
from tests.propose.search.shop import PRODUCT, TESTS, Runner, task

PRICE = """\
def price(amount, limit):
    if amount > limit:
        return amount * 90
    return amount * 100
"""
PRICE_TESTS = """\
from shop import price


def test_at_limit():
    assert price(10, 10) == 900


def test_above():
    assert price(11, 10) == 990


def test_below():
    assert price(9, 10) == 900
"""
COUNT = """\
def count(n):
    found = 0
    while n > 0:
        n -= 1
        found += 2
    return found
"""
COUNT_TESTS = """\
from shop import count


def test_two():
    assert count(2) == 2
    assert count(5) == 5


def test_zero():
    assert count(0) == 0
"""


def nothing():
    return None


async def collect(given, runner, **options):
    events = []
    found = []
    stream = propose(given, runner, nothing, events.append, **options)
    async with contextlib.aclosing(stream):
        found = [candidate async for candidate in stream]
    return found, events


def price_task(**options):
    return task(
        PRICE,
        PRICE_TESTS,
        red=["test_at_limit"],
        green=["test_above", "test_below"],
        lines=[2, 3, 4],
        **options,
    )


async def test_finds_the_boundary():
    """A wrong boundary is found first, and the events count what was screened."""
    given = price_task(seconds=12.0)
    runner = Runner(given.snapshot.sources)
    found, events = await collect(given, runner)
    first = found[0].patch.changes[0]
    assert first.path == PRODUCT
    assert first.after == PRICE.replace(">", ">=").encode()
    assert [event.kind for event in events] == ["candidate"] * len(events)
    assert [event.done for event in events] == list(range(1, len(events) + 1))
    assert events[-1].facts["passed"] == len(found)
    assert runner.most <= 2
    assert not runner.live


async def test_targets_alone_are_run_first():
    """The first run of a candidate selects the targets; one that passes, neighbours."""
    given = price_task(seconds=12.0)
    runner = Runner(given.snapshot.sources)
    found, _ = await collect(given, runner)
    assert runner.runs[0] == (f"{TESTS}::test_at_limit",)
    asked = (f"{TESTS}::test_at_limit", f"{TESTS}::test_above", f"{TESTS}::test_below")
    assert runner.runs.count(asked) <= 1  # what the spots are asked, once
    wider = [ids for ids in runner.runs if len(ids) > 1 and ids != asked]
    assert set(wider) == {(f"{TESTS}::test_above", f"{TESTS}::test_below")}
    texts = [c.patch.changes[0].after.decode() for c in found]
    assert not any("amount * 90\n    return amount * 90" in text for text in texts)


async def test_order_of_rank_despite_hung_ones():
    """A candidate that loops for ever is given up; the others come in order."""
    given = task(
        COUNT,
        COUNT_TESTS,
        red=["test_two"],
        green=["test_zero"],
        lines=[4, 5],
        seconds=60.0,
    )
    runner = Runner(given.snapshot.sources)
    stream = propose(given, runner, nothing, lambda _: None)
    async with contextlib.aclosing(stream):
        first = await anext(stream)
    assert b"found += 1" in first.patch.changes[0].after
    assert runner.hung > 0
    assert not runner.live


async def test_who_takes_long_is_tried_once_more_when_nothing_else_is_left():
    """What runs away at first sight may be right, and its test a slow one."""
    slow = COUNT_TESTS.replace("== 5", "== 5\n    import time; time.sleep(1.6)")
    given = task(
        COUNT, slow, red=["test_two"], green=["test_zero"], lines=[5], seconds=60.0
    )
    runner = Runner(given.snapshot.sources)
    stream = propose(given, runner, nothing, lambda _: None)
    async with contextlib.aclosing(stream):
        first = await anext(stream)
    assert b"found += 1" in first.patch.changes[0].after
    alone = [
        limit
        for ids, limit in zip(runner.runs, runner.limits, strict=True)
        if ids == (f"{TESTS}::test_two",)
    ]
    hasty, whole = limits_of(given).hasty, limits_of(given).per_test
    assert hasty < whole
    first_looks = alone.index(whole)
    assert first_looks > 1
    assert alone == [hasty] * first_looks + [whole] * (len(alone) - first_looks)


async def test_closing_leaves_nothing_running():
    """Closing the iterator in the middle ends its processes."""
    given = price_task(seconds=30.0)
    runner = Runner(given.snapshot.sources)
    stream = propose(given, runner, nothing, lambda _: None)
    await anext(stream)
    await stream.aclose()
    assert runner.runs
    assert not runner.live


async def test_cancelling_leaves_nothing_running():
    """Cancelling the consumer ends the processes before the cancel returns."""
    slow = PRICE_TESTS.replace("assert", "import time; time.sleep(60); assert")
    given = task(PRICE, slow, red=["test_at_limit"], lines=[2, 3, 4], seconds=60.0)
    runner = Runner(given.snapshot.sources)
    given = dataclasses.replace(
        given, targets=(dataclasses.replace(given.targets[0], seconds=60.0),)
    )
    job = asyncio.create_task(collect(given, runner))
    async with asyncio.timeout(10):
        await runner.started.wait()
    job.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await job
    assert not runner.live


async def test_the_budget_is_kept():
    """When the time is up, no more is started and nothing is left."""
    impossible = PRICE_TESTS.replace("900", "'never'")
    given = task(PRICE, impossible, red=["test_at_limit"], lines=[2, 3, 4], seconds=4.0)
    runner = Runner(given.snapshot.sources)
    began = asyncio.get_running_loop().time()
    found, events = await collect(given, runner)
    assert found == []
    assert events
    assert asyncio.get_running_loop().time() - began < 8.0
    assert not runner.live


async def test_time_of_the_gate_is_not_ours():
    """A consumer that takes its time does not use up the budget."""
    given = price_task(seconds=6.0)
    runner = Runner(given.snapshot.sources)
    stream = propose(given, runner, nothing, lambda _: None)
    async with contextlib.aclosing(stream):
        await anext(stream)
        await asyncio.sleep(6.1)
        before = len(runner.runs)
        with contextlib.suppress(StopAsyncIteration):
            await anext(stream)
    assert len(runner.runs) > before


async def test_partial_fixes_come_last():
    """Where no candidate fixes all targets, those that fix some are offered."""
    both = PRICE_TESTS + "\n\ndef test_never():\n    assert price(1, 2) == 'never'\n"
    given = task(
        PRICE,
        both,
        red=["test_at_limit", "test_never"],
        lines=[2, 3, 4],
        seconds=12.0,
    )
    found, events = await collect(given, Runner(given.snapshot.sources))
    assert events[-1].facts["passed"] == 0
    assert 0 < len(found) <= 3
    assert all("1 of 2 targets" in candidate.note for candidate in found)


async def test_nothing_suspicious_nothing_run():
    """Without a place to look at, the iterator just ends."""
    given = task(PRICE, PRICE_TESTS, red=["test_at_limit"], lines=[])
    runner = Runner(given.snapshot.sources)
    assert await collect(given, runner) == ([], [])
    assert runner.runs == []


def test_limits_follow_the_baseline():
    """A test may take ten times its time, and two seconds in any case."""
    given = price_task()
    assert limits_of(given).per_test == 2.0
    slow = dataclasses.replace(given.targets[0], seconds=1.5)
    limits = limits_of(dataclasses.replace(given, targets=(slow,)))
    assert limits.per_test == 15.0
    assert limits.seconds > 15.0


def test_a_time_out_is_no_duration():
    """Where a target hung, what other tests take decides how long candidates may."""
    given = price_task()
    hung = dataclasses.replace(given.targets[0], seconds=60.0, outcome=Outcome.HUNG)
    given = dataclasses.replace(given, targets=(hung,))
    assert limits_of(given).per_test == 1.0  # all others are quick
    assert limits_of(given).seconds < 20.0
    other = dataclasses.replace(hung, id="other", seconds=0.05, outcome=Outcome.PASSED)
    results = {**given.baseline.results, "other": other, hung.id: hung}
    run = dataclasses.replace(given.baseline, results=results)
    assert limits_of(dataclasses.replace(given, baseline=run)).per_test == 3.0
    other = dataclasses.replace(hung, id="other", seconds=0.9, outcome=Outcome.PASSED)
    results = {**given.baseline.results, "other": other, hung.id: hung}
    run = dataclasses.replace(given.baseline, results=results)
    assert limits_of(dataclasses.replace(given, baseline=run)).per_test == 9.0


def test_who_ran_away_tells_no_duration():
    """A red test a thousand times as slow as any green one was in a loop."""
    given = price_task()
    red = dataclasses.replace(given.targets[0], seconds=20.0)
    given = dataclasses.replace(given, targets=(red,))

    def limit(seconds):
        green = dataclasses.replace(
            red, id="other", seconds=seconds, outcome=Outcome.PASSED
        )
        run = dataclasses.replace(
            given.baseline, results={green.id: green, red.id: red}
        )
        return limits_of(dataclasses.replace(given, baseline=run)).per_test

    assert limit(0.01) == 3.0
    assert limit(0.5) == 200.0

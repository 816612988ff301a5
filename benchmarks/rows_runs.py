"""Rows about candidates: rejected on their target, run through a suite, in a batch."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from itertools import islice
from math import inf

from figures import Figure, Goal
from places import Files, Meter, Place, on_target, peer

from bonafix.domain import Event, Outcome, silent
from bonafix.observe.known import Known
from bonafix.observe.run import Wish
from bonafix.observe.seats import Tally
from bonafix.observe.shards import Parts, available, differing, plan
from bonafix.observe.swap import Residents
from bonafix.observe.warm import Tier, warm

SECONDS = 60.0  # for a target
DISTINCT = 10  # mutants of a batch whose peers are measured
TENTH = 10  # one of so many candidates of a batch passes its target


async def swap(here: Place, count: int) -> list[Figure]:
    """Mutants rejected on one target: the peer, then a fork of what has collected."""
    figure = {
        "row": "swap",
        "subject": here.name,
        "python": here.python,
        "what": "reject on one target, swap tier, CPU",
        "goal": Goal(value=15),
    }
    target = here.library.id
    wish = Wish(
        select=[target],
        expression="",
        record_lines=False,
        stop_at_first=True,
        per_test=here.bench.config.test_timeout,
        deadline=inf,
    )
    tally, ratios, costs, passed = Tally(), [], [], 0
    residents = Residents(here.bench, 1, {target: Outcome.PASSED}, tally)
    try:
        await residents.run({}, wish, SECONDS, silent)
        for _, files in islice(await on_target(here), 3 * count):
            theirs, code = await asyncio.to_thread(peer, here, files, ["-x", target])
            if code == 0:
                passed += 1
                continue
            meter = Meter()
            done = await residents.run(files, wish, SECONDS, silent)
            if done is not None:  # the fork's CPU is in its answer alone
                costs.append((meter.spent() + done.cpu_seconds) * 1e3)
                ratios.append(theirs * 1e3 / costs[-1])
                assert done.outcome(target) is not Outcome.PASSED
            if len(ratios) + tally.falls.total() >= count:
                break
    finally:
        await residents.close()
    falls = "; ".join(f"{n} fell: {why}" for why, n in tally.falls.items())
    cost = f"{statistics.median(costs):.0f} ms each" if costs else ""
    note = "; ".join(
        filter(None, (cost, passed and f"{passed} left out that pass", falls))
    )
    return [Figure(**figure, values=tuple(ratios), note=note)]


async def warmed(here: Place, count: int) -> list[Figure]:
    """The same in a fork of what has imported, and not collected."""
    target = here.library.id
    ratios, costs, told = [], [], []
    async with _kept(here, "warm", told) as run:
        for _, files in islice(await on_target(here), count):
            theirs, _ = await asyncio.to_thread(peer, here, files, ["-x", target])
            meter = Meter()
            done = await run(files, select=[target], stop_at_first=True)
            costs.append((meter.spent() + done.cpu_seconds) * 1e3)
            ratios.append(theirs * 1e3 / costs[-1])
    figure = Figure(
        row="warm",
        subject=here.name,
        python=here.python,
        what="reject on one target, warm tier, CPU",
        goal=Goal(value=2.2),
        values=tuple(ratios) if _only(told, "warm") else (),
        note=f"{statistics.median(costs):.0f} ms each; {told[-1].text}",
    )
    return [figure]


async def suite(here: Place, count: int) -> list[Figure]:
    """The whole suite of a candidate that passes, in one process and in all."""
    known, cores = await learned(here), available()
    return [
        await _suite(here, count, known, cells=1),
        await _suite(here, count, known, cells=cores),
    ]


async def learned(here: Place) -> Known:
    """What two cold runs of the suite say; every project has that at its start."""
    first = await here.cold({})
    return Known(first, frozenset(differing(first, await here.cold({}))))


async def _suite(here: Place, count: int, known: Known, cells: int) -> Figure:
    """CPU where it has one process, else wall."""
    what, least = "full suite, swap tier, CPU", 1.8
    if cells > 1:
        what, least = "full suite, all cores, wall", 3.0
    told: list[Event] = []
    ratios, costs = [], []
    parts = plan(known.run, cores=cells, forked=True)
    async with _kept(here, "swap", told, known=known, parts=parts) as run:
        await run({})  # it collects, and is compared with what is known
        for _, files in islice(harmless(here), count):
            meter, begun = Meter(), time.monotonic()
            done = await run(files)
            cost = meter.spent() + done.cpu_seconds, time.monotonic() - begun
            begun = time.monotonic()
            theirs, _ = await asyncio.to_thread(peer, here, files, [])
            peers = theirs, time.monotonic() - begun
            wall = cells > 1
            ratios.append(peers[wall] / cost[wall])
            costs.append(f"{peers[wall]:.1f} over {cost[wall]:.1f}")
    slow = {"suite by warm", "cold"} & set(told[-1].facts["tiers"])
    note = f"{len(parts) or 1} processes; s: {', '.join(costs)}"
    return Figure(
        row="suite",
        subject=here.name,
        python=here.python,
        what=what,
        goal=Goal(value=least),
        values=() if slow else tuple(ratios),
        note=told[-1].text if slow else note,
    )


async def batch(here: Place, count: int) -> list[Figure]:
    """Candidates of which a tenth pass the target, whole; the peers' suites sampled."""
    target, wanted = here.library.id, count - max(1, count // TENTH)
    distinct, theirs = [], []
    for _, files in await on_target(here):
        cost, code = await asyncio.to_thread(peer, here, files, ["-x", target])
        if code:
            distinct.append(files)
            theirs.append(cost)
        if len(distinct) >= min(wanted, DISTINCT):
            break
    # A target has fewer lines than a batch has candidates; no answer is remembered.
    rejected = [distinct[n % len(distinct)] for n in range(wanted)]
    passing = [files for _, files in islice(harmless(here), max(1, count // TENTH))]
    suites = [(await asyncio.to_thread(peer, here, f, []))[0] for f in passing[:2]]
    known = await learned(here)
    meter = Meter()
    told: list[Event] = []
    async with _kept(here, "swap", told, known=known) as run:
        for files in rejected + passing:
            done = await run(files, select=[target], stop_at_first=True)
            if done.outcome(target) is Outcome.PASSED:
                assert not await run.worsened(files)
    ours = meter.spent()  # all that was forked has ended and been waited for
    total = len(rejected) + len(passing)
    one, whole = statistics.mean(theirs), statistics.mean(suites)
    figure = {"row": "batch", "subject": here.name, "python": here.python}
    note = (
        f"{total} candidates ({len(distinct)} mutants by turns), {len(passing)} pass; "
        f"ours {ours:.1f} s, a target {one:.2f} s and a suite {whole:.1f} s cold; "
        f"{told[-1].text}"
    )
    return [
        Figure(
            **figure,
            what="batch, over a peer that runs target and suite for each, CPU",
            goal=Goal(value=10),
            values=(total * (one + whole) / ours,),
            note=note,
        ),
        Figure(
            **figure,
            what="batch, over a peer that stops early, CPU",
            goal=Goal(value=2),
            values=((total * one + len(passing) * whole) / ours,),
        ),
    ]


def harmless(here: Place) -> Iterator[tuple[str, Files]]:
    """Candidates that change nothing that runs."""
    path = here.library.product
    source = here.bench.snapshot.sources[path]
    for n in range(1000):
        yield f"{path}: {n}", {path: source + b"\n# %d\n" % n}


@asynccontextmanager
async def _kept(
    here: Place,
    tier: Tier,
    told: list[Event],
    known: Known | None = None,
    parts: Parts = (),
) -> Iterator:
    """A runner that has been started; what its tiers did is told on the way out."""
    where = here.bench.snapshot, here.bench.interpreter, here.bench.config
    target = here.library.id
    async with warm(
        *where,
        cells=1,
        expected={target: Outcome.PASSED},
        listen=told.append,
        fastest=tier,
        suite=known,
        parts=parts,
    ) as run:
        await run({}, select=[target])
        yield run


def _only(told: list[Event], tier: str) -> bool:
    return set(told[-1].facts["tiers"]) == {tier}

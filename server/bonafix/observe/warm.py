"""A runner that does not start afresh each time: for screening, never for a verdict.

Where only bodies of functions change, a run is a fork of a process that has collected
the tests (`swap.py`). Else pytest and what it imports from outside the project are
loaded once, in up to a few confined processes; each run is a fork of one of them,
where the project is imported and collected anew, and what a test writes into the tree
or its home stays for the next. What neither can do is run in a process of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from bonafix.config import Config
from bonafix.domain import Event, Listener, Outcome, Runner, Snapshot, SuiteRun, silent
from bonafix.observe.fold import Attempt
from bonafix.observe.interpreter import Interpreter
from bonafix.observe.run import (
    Bench,
    Files,
    Teller,
    Wish,
    attempts,
    folded,
    make_runner,
    order,
)
from bonafix.observe.seats import FAITH, BarredError, Seat, Tally, begun
from bonafix.observe.swap import Residents
from bonafix.observe.zygote import LostError, Module, Zygote

_SILENT = frozenset({Outcome.HUNG, Outcome.CRASHED})  # they tell of no modules
_SAMPLE = 20  # ids whose outcomes are compared
_TRIES = 3  # at what to load: each time up to the module that did harm
_NOBODY: Mapping[str, Outcome] = {}

_NONE: Files = {}
_ADDED = "it adds or removes a file"

Tier = Literal["swap", "warm", "cold"]
Tiers = tuple["Residents | _Pool", ...]


@dataclass(frozen=True, slots=True)
class Screen:
    """A runner, and one for runs that have some files in common."""

    _bench: Bench
    _cold: Runner
    _tiers: Tiers
    _tally: Tally
    _ground: Files = field(default_factory=dict)

    def over(self, ground: Files) -> Screen:
        """The same with `ground` laid under whatever is run."""
        return replace(self, _ground={**self._ground, **ground})

    async def __call__(
        self,
        files: Files,
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
        """Run it in the fastest way that can."""
        config = self._bench.config
        if select and not expression and not record_lines:
            wish = Wish(
                select=select,
                expression="",
                record_lines=False,
                stop_at_first=stop_at_first,
                per_test=per_test or config.test_timeout,
                deadline=0.0,  # it begins when a process is ready
            )
            limit = seconds or config.suite_timeout
            found = await self._kept(files, wish, limit, listen)
            if found is not None:
                return found
        self._tally.runs["cold"] += 1
        return await self._cold(
            {**self._ground, **files},
            select=select,
            expression=expression,
            record_lines=record_lines,
            stop_at_first=stop_at_first,
            seconds=seconds,
            per_test=per_test,
            listen=listen,
        )

    async def _kept(
        self, files: Files, wish: Wish, limit: float, listen: Listener
    ) -> SuiteRun | None:
        ground = self._ground
        own = {p: c for p, c in files.items() if p not in ground or ground[p] != c}
        if self._tiers and any(self._moves(path, own[path]) for path in own):
            # What is preloaded may hide a new file, or keep one that is gone.
            self._tally.falls[_ADDED] += 1
            return None
        for tier in self._tiers:
            found = await tier.run(own, wish, limit, listen, ground)
            if found is not None:
                self._tally.runs[tier.name] += 1
                return found
        return None

    def _moves(self, path: str, content: bytes | None) -> bool:
        there = self._ground.get(path, b"") is not None
        known = path in self._bench.snapshot.files or path in self._ground
        return content is None or not (known and there)


@asynccontextmanager
async def warm(
    snapshot: Snapshot,
    interpreter: Interpreter,
    config: Config,
    *,
    cells: int = 2,
    expected: Mapping[str, Outcome] = _NOBODY,
    listen: Listener = silent,
    fastest: Tier = "swap",
    tally: Tally | None = None,
) -> AsyncIterator[Screen]:
    """Yield a runner over at most `cells` processes of a kind, gone on the way out.

    `expected` is what some ids do over the untouched tree: where a fork says otherwise
    or nothing is known, nothing is swapped; where a warm run says otherwise, where a
    process is lost twice, and for what a warm process cannot do (whole suites, `-k`,
    recording), runs are cold. `listen` is told why, once, and of all runs at the end;
    `tally` counts them as they come.
    """
    cold = make_runner(snapshot, interpreter, config)
    known = dict(itertools.islice(expected.items(), _SAMPLE))
    bench = Bench(snapshot, interpreter, config)
    tally = tally if tally is not None else Tally()
    residents = Residents(bench, cells, known, tally)
    pool = _Pool(bench, cells, known, listen)
    tiers: Tiers = {"swap": (residents, pool), "warm": (pool,), "cold": ()}[fastest]

    try:
        yield Screen(bench, cold, tiers, tally)
    finally:
        await residents.close()
        await pool.close()
        if tally.runs:
            listen(tally.event())


class _Pool:
    """The processes, what they load, and why there are none."""

    name = "warm"

    def __init__(
        self,
        bench: Bench,
        cells: int,
        expected: Mapping[str, Outcome],
        listen: Listener,
    ) -> None:
        self._bench = bench
        self._expected = expected
        self._listen = listen
        self._seats = [Seat() for _ in range(cells)]
        self._free: asyncio.LifoQueue[Seat] = asyncio.LifoQueue()
        for seat in self._seats:
            self._free.put_nowait(seat)
        self._learning = asyncio.Lock()
        self._modules: tuple[Module, ...] | None = None
        self._lost = 0
        self._cold = False

    async def run(
        self,
        files: Files,
        wish: Wish,
        seconds: float,
        listen: Listener,
        ground: Files = _NONE,
    ) -> SuiteRun | None:
        """Run it within `seconds` once a process is ready; `None` where none can be."""
        try:
            async with self._seat(wish) as host:
                wish = replace(wish, deadline=time.monotonic() + seconds)
                return await self._suite(host, {**ground, **files}, wish, listen)
        except LostError as error:
            self._lost += 1
            if self._lost >= FAITH:
                self._give_up(f"{self._lost} warm processes were lost: {error}")
        except BarredError as error:
            self._give_up(str(error))
        return None

    async def close(self) -> None:
        """End them all."""
        for seat in self._seats:
            await seat.close()

    def _give_up(self, reason: str) -> None:
        if reason and not self._cold:
            text = f"screening starts a new process for each candidate: {reason}"
            self._listen(Event(kind="note", text=text, facts={"cold": reason}))
        self._cold = True

    @asynccontextmanager
    async def _seat(self, wish: Wish) -> AsyncIterator[Zygote]:
        seat = await self._free.get()
        try:
            yield seat.zygote or await self._fill(seat, wish)
        except BaseException:  # cancelled too: what it was doing must not go on
            await seat.close()
            raise
        finally:
            self._free.put_nowait(seat)

    async def _fill(self, seat: Seat, wish: Wish) -> Zygote:
        """A process that has loaded what the first run of all was seen to load."""
        if self._cold:
            raise BarredError
        host = await seat.open(self._bench, wish)
        async with self._learning:
            first = self._modules is None
            if self._modules is None:
                self._modules = await self._learn(host, wish)
        for _ in range(_TRIES):
            wanted = self._modules  # another seat may cut it short meanwhile
            culprit = await host.load(wanted)
            if not culprit:
                break
            names = [name for name, _ in wanted]
            kept = wanted[: names.index(culprit)]
            self._modules = min(self._modules, kept, key=len)
            await seat.close()
            host = await seat.open(self._bench, wish)
        if first and self._expected:
            await self._vet(host, wish)
        return host

    async def _learn(self, host: Zygote, wish: Wish) -> tuple[Module, ...]:
        """Run the targets over the untouched tree; the modules that this took."""
        told = tuple(i for i, seen in self._expected.items() if seen not in _SILENT)
        wish = replace(begun(wish), select=told or wish.select)
        wanted = order(self._bench, wish, host.cell)
        _, modules = await host.run({}, wanted, Teller(silent).hear, tell=True)
        return modules

    async def _vet(self, host: Zygote, wish: Wish) -> None:
        """Compare a warm run of the untouched tree with what cold ones did."""
        told = {i: o for i, o in self._expected.items() if o is not Outcome.HUNG}
        wish = replace(begun(wish), select=tuple(told), stop_at_first=False)
        seen = await self._suite(host, {}, wish, silent)
        for node_id, outcome in told.items():
            if seen.outcome(node_id) is not outcome:
                raise BarredError(
                    f"{node_id} is {seen.outcome(node_id)} in a warm process and "
                    f"{outcome} in a fresh one"
                )

    async def _suite(
        self, host: Zygote, files: Files, wish: Wish, listen: Listener
    ) -> SuiteRun:
        teller = Teller(listen)

        async def once(wish: Wish) -> Attempt:
            wanted = order(self._bench, wish, host.cell)
            attempt, _ = await host.run(files, wanted, teller.hear)
            return attempt

        return folded(self._bench, wish, await attempts(once, wish))

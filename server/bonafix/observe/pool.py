"""Warm processes: pytest, and what it imports from outside the project, are loaded.

Each run is a fork of one of them, where the project is imported and collected anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from bonafix.domain import Event, Listener, Outcome, SuiteRun, silent
from bonafix.observe.fold import Attempt
from bonafix.observe.known import contradicts
from bonafix.observe.leavings import marks, tidied
from bonafix.observe.run import Bench, Files, Teller, Wish, attempts, folded, order
from bonafix.observe.seats import FAITH, BarredError, Seat, begun
from bonafix.observe.zygote import LostError, Module, Zygote

_SILENT = frozenset({Outcome.HUNG, Outcome.CRASHED})  # they tell of no modules
_TRIES = 3  # at what to load: each time up to the module that did harm

_NONE: Files = {}


class Pool:
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
            async with self._seat(wish) as seat:
                wish = replace(wish, deadline=time.monotonic() + seconds)
                run = await self._suite(seat, {**ground, **files}, wish, listen)
                await self._look_after(seat, run)
                return run
        except LostError as error:
            self._lose(f"{self._lost + 1} warm processes were lost: {error}")
        except BarredError as error:
            self._give_up(str(error))
        return None

    async def close(self) -> None:
        """End them all."""
        for seat in self._seats:
            await seat.close()

    async def _look_after(self, seat: Seat, run: SuiteRun) -> None:
        """Start afresh where a run has left something that the next would find."""
        assert seat.zygote is not None
        left = await tidied(seat.zygote, seat.marks)
        if left:
            await seat.close()
            if run.finished:  # who was stopped could not tidy up
                self._lose(f"tests leave {min(left)} behind")

    def _lose(self, reason: str) -> None:
        self._lost += 1
        if self._lost >= FAITH:
            self._give_up(reason)

    def _give_up(self, reason: str) -> None:
        if reason and not self._cold:
            text = f"screening starts a new process for each candidate: {reason}"
            self._listen(Event(kind="note", text=text, facts={"cold": reason}))
        self._cold = True

    @asynccontextmanager
    async def _seat(self, wish: Wish) -> AsyncIterator[Seat]:
        seat = await self._free.get()
        try:
            if seat.zygote is None:
                await self._fill(seat, wish)
            yield seat
        except BaseException:  # cancelled too: what it was doing must not go on
            await seat.close()
            raise
        finally:
            self._free.put_nowait(seat)

    async def _fill(self, seat: Seat, wish: Wish) -> None:
        """A process that has loaded what the first run of all was seen to load."""
        if self._cold:
            raise BarredError
        host = await seat.open(self._bench, wish)
        async with self._learning:
            first = self._modules is None
            if self._modules is None:
                before = await asyncio.to_thread(marks, host.cell)
                self._modules = await self._learn(host, wish)
                if await tidied(host, before):
                    await seat.close()
                    host = await seat.open(self._bench, wish)
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
        seat.marks = await asyncio.to_thread(marks, host.cell)
        if first and self._expected:
            await self._vet(seat, wish)

    async def _learn(self, host: Zygote, wish: Wish) -> tuple[Module, ...]:
        """Run the targets over the untouched tree; the modules that this took."""
        told = tuple(i for i, seen in self._expected.items() if seen not in _SILENT)
        wish = replace(begun(wish), select=told or wish.select)
        wanted = order(self._bench, wish, host.cell)
        _, modules = await host.run({}, wanted, Teller(silent).hear, tell=True)
        return modules

    async def _vet(self, seat: Seat, wish: Wish) -> None:
        """Compare a warm run of the untouched tree with what cold ones did."""
        told = {i: o for i, o in self._expected.items() if o is not Outcome.HUNG}
        wish = replace(begun(wish), select=tuple(told), stop_at_first=False)
        seen = await self._suite(seat, {}, wish, silent)
        for node_id, outcome in told.items():
            if contradicts(seen.outcome(node_id), outcome):
                raise BarredError(
                    f"{node_id} is {seen.outcome(node_id)} in a warm process and "
                    f"{outcome} in a fresh one"
                )
        assert seat.zygote is not None
        left = await tidied(seat.zygote, seat.marks)
        if left:
            raise BarredError(f"its tests leave {min(left)} behind")

    async def _suite(
        self, seat: Seat, files: Files, wish: Wish, listen: Listener
    ) -> SuiteRun:
        host, teller = seat.zygote, Teller(listen)
        assert host is not None

        async def once(wish: Wish) -> Attempt:
            wanted = order(self._bench, wish, host.cell)
            attempt, _ = await host.run(
                files, wanted, teller.hear, tolerated=wish.tolerated
            )
            return attempt

        return folded(self._bench, wish, await attempts(once, wish))

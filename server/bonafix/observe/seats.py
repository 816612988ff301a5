"""Room for processes that are kept, and who ran what.

And whose turn it is: all that screens asks here before it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from bonafix.domain import Event
from bonafix.observe.hosting import zygote
from bonafix.observe.leavings import Marks
from bonafix.observe.run import Bench, Files, Wish, confined, order
from bonafix.observe.shards import available
from bonafix.observe.zygote import Zygote

FAITH = 2  # processes that may be lost before no more are started
_LIFE = 3600.0  # seconds; it is closed long before
_FIRST = 10.0  # seconds for a test over the untouched tree; twice that for all
_REASONS = 4  # that are told

_NONE: Files = {}


class BarredError(Exception):
    """No such process is to be started; says why."""


@dataclass(slots=True)
class Turns:
    """Leave to run for as many as there are cores; those of one job in their order.

    Jobs take turns: one with hundreds of candidates lets another's single one through.
    Nobody who has a turn may wait for another.
    """

    free: int
    waiting: dict[Hashable, deque[asyncio.Future[None]]] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def one(self, job: Hashable) -> AsyncIterator[None]:
        """Run in here; waits until it is the turn of `job`."""
        await self._take(job)
        try:
            yield
        finally:
            self._give()

    async def _take(self, job: Hashable) -> None:
        if self.free:
            self.free -= 1
            return
        future = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(job, deque()).append(future)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():  # it was our turn already
                self._give()
            raise

    def _give(self) -> None:
        while self.waiting:
            job = next(iter(self.waiting))
            queue = self.waiting.pop(job)
            future = queue.popleft()
            if queue:
                self.waiting[job] = queue  # behind the others
            if not future.done():  # else it was cancelled
                future.set_result(None)
                return
        self.free += 1


_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def turns() -> Turns:
    """Those of all jobs of this process."""
    loop = asyncio.get_running_loop()
    return _TURNS.setdefault(loop, Turns(available()))


@dataclass(slots=True)
class Seat:
    """Room for one process."""

    stack: contextlib.AsyncExitStack | None = None
    zygote: Zygote | None = None
    marks: Marks = frozenset()  # what was there before the first run

    async def open(self, bench: Bench, wish: Wish, ground: Files = _NONE) -> Zygote:
        """Start a process here, over a tree with `ground`.

        Raises:
            BarredError: what a run leaves behind could not be ended.
            LostError: it cannot be made ready.
        """
        self.stack = contextlib.AsyncExitStack()
        place = await self.stack.enter_async_context(confined(bench, ground))
        if not place.ground.caps.pids:
            raise BarredError("what a test leaves running could not be ended here")
        made = zygote(place, order(bench, wish, place), seconds=_LIFE)
        self.zygote = await self.stack.enter_async_context(made)
        return self.zygote

    async def close(self) -> None:
        """End it, if there is one."""
        stack, self.stack, self.zygote = self.stack, None, None
        if stack is not None:
            await stack.aclose()


def begun(wish: Wish) -> Wish:
    """The wish as it is for a first run, over the untouched tree."""
    limit = min(wish.per_test, _FIRST)
    return replace(wish, per_test=limit, deadline=time.monotonic() + 2 * _FIRST)


@dataclass(slots=True)
class Tally:
    """Which tier has run what, and why no faster one did."""

    runs: Counter[str] = field(default_factory=Counter)
    falls: Counter[str] = field(default_factory=Counter)

    def event(self) -> Event:
        """What there is to tell of it."""
        runs = ", ".join(f"{self.runs[tier]} {tier}" for tier in self.runs)
        why = [f"{count}x {reason}" for reason, count in self.falls.most_common()]
        because = f" ({'; '.join(why[:_REASONS])})" if why else ""
        facts = {"tiers": dict(self.runs), "falls": dict(self.falls)}
        text = f"screening runs: {runs}{because}"
        return Event(kind="note", text=text, facts=facts)

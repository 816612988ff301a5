"""Room for processes that are kept, what they leave behind, and who ran what.

And whose turn it is: all that screens asks here before it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from weakref import WeakKeyDictionary

from bonafix.domain import Event
from bonafix.observe.run import Bench, Files, Wish, confined, order
from bonafix.observe.shards import available
from bonafix.observe.zygote import Zygote, zygote
from bonafix.sandbox.cell import Cell

FAITH = 2  # processes that may be lost before no more are started
_LIFE = 3600.0  # seconds; it is closed long before
_FIRST = 10.0  # seconds for a test over the untouched tree; twice that for all
# What every session of pytest writes, and no test is the worse for.
_USUAL = frozenset({"__pycache__", ".pytest_cache"})
_REASONS = 4  # that are told

_NONE: Files = {}

Mark = tuple[str, int, int]  # path, size, time of the last change in nanoseconds


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


def marks(cell: Cell) -> frozenset[Mark]:
    """What is in the cell now and was not in the snapshot.

    Whoever forks twice in one cell compares: what one run has left there, another
    would find.
    """
    ground = cell.ground
    found: set[Mark] = set()
    for name, seen in _walk(ground.upper or ground.tree):
        if not _equal(ground.lower / name, seen):
            found.add((name, seen.st_size, seen.st_mtime_ns))
    for folder in (ground.home, ground.tmp, ground.var_tmp):
        for name, seen in _walk(folder):
            path = f"{folder.name}/{name}"
            found.add((path, seen.st_size, seen.st_mtime_ns))
    return frozenset(found)


def _walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Files and empty folders; folders that hold something speak through it."""
    stack = [str(folder)]
    while stack:
        here = stack.pop()
        with contextlib.suppress(OSError), os.scandir(here) as entries:
            for entry in entries:
                if entry.name in _USUAL:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                name = os.path.relpath(entry.path, folder)
                yield name, entry.stat(follow_symlinks=False)


def _equal(before: Path, seen: os.stat_result) -> bool:
    try:
        known = before.lstat()
    except OSError:
        return False
    if stat.S_ISDIR(known.st_mode) and stat.S_ISDIR(seen.st_mode):
        return True  # its own times change with what is in it
    return (known.st_size, known.st_mtime_ns) == (seen.st_size, seen.st_mtime_ns)

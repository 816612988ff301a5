"""Whole suites in warm processes, where what a candidate changes cannot be swapped.

As dear as a cold run but for the imports; what it saves is what comes after the first
test that got worse, so it is not begun for a single candidate.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bonafix.domain import Listener, SuiteRun, silent
from bonafix.observe.run import Files, Wish
from bonafix.observe.seats import BarredError, Tally, turns
from bonafix.observe.suites import Ask, Ground, compare

_OFTEN = 2  # asked for so many times, over one ground, it is tried

Run = Callable[[Files, Wish, float, Listener], Awaitable[SuiteRun | None]]


class Anew:
    """Which grounds were tried, and why they are barred."""

    name = "warm"

    def __init__(self, run: Run, tally: Tally) -> None:
        self._run = run
        self._tally = tally
        self._asked: Counter[Ground] = Counter()
        self._known: dict[Ground, str] = {}  # tried; why it is barred, or nothing
        self._trying = asyncio.Lock()
        self._job = object()

    async def run(self, ask: Ask) -> SuiteRun | None:
        """What the suite does under `ask.files`; `None` where that cannot be said."""
        ground = frozenset(ask.ground.items())
        self._asked[ground] += 1
        if self._asked[ground] < _OFTEN:
            return None
        async with self._trying:
            if ground not in self._known:
                self._known[ground] = await self._harm(ask)
        if self._known[ground]:
            self._tally.falls[f"whole suite, warm: {self._known[ground]}"] += 1
            return None
        return await self._once(ask)

    async def _harm(self, ask: Ask) -> str:
        """How a warm run of the untouched suite differs from what is known."""
        run = await self._once(replace(ask, files={}, early=False, listen=silent))
        if run is None:
            return "no warm process can be had"
        try:
            compare(run, ask.known, "a warm process")
        except BarredError as error:
            return str(error)
        return ""

    async def _once(self, ask: Ask) -> SuiteRun | None:
        files = {**ask.ground, **ask.files}
        async with turns().one(self._job):
            return await self._run(files, ask.wish, ask.seconds, ask.listen)

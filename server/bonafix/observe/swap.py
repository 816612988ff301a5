"""The fastest runner: tests are collected once, each run is a fork of that session.

In the fork the functions that a candidate changes are exchanged. What is the same for
all candidates, such as masked tests, is the ground: tests are collected over it. It
screens, and never gives a verdict; whatever could make a fork differ from a fresh
process is looked for, named, and left to others.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bonafix.domain import Listener, Outcome, SuiteRun, silent
from bonafix.observe.fold import Attempt
from bonafix.observe.known import contradicts
from bonafix.observe.leavings import marks, tidied
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
from bonafix.observe.seats import (
    FAITH,
    BarredError,
    Seat,
    Tally,
    begun,
)
from bonafix.observe.zygote import LostError, UnfitError, Zygote

_COLLECTING = 60.0  # seconds
_OFTEN = 3  # runs of other test files before these are collected too
_NONE: Files = {}
_ANY = Wish(
    select=(),
    expression="",
    record_lines=False,
    stop_at_first=False,
    per_test=0.0,
    deadline=0.0,
)
_STALE = 8  # runs without use before a process is given to others

Ground = frozenset[tuple[str, bytes | None]]
Key = tuple[frozenset[str], Ground]
"""The files of the selected tests, and the ground."""


@dataclass(slots=True)
class _Place(Seat):
    key: Key = (frozenset(), frozenset())
    last: int = 0  # number of the run that used it last
    opening: asyncio.Task[Zygote] | None = None  # of one that is for any ground

    def idle(self) -> bool:
        """Whether nothing has been collected here."""
        return self.zygote is None or self.opening is not None

    async def opened(
        self, bench: Bench, wish: Wish, ground: Files
    ) -> tuple[Zygote, Files]:
        """A process, and what is still to be laid for it to have `ground`."""
        opening, self.opening = self.opening, None
        if opening is not None:
            return await opening, ground
        await self.close()
        return await self.open(bench, wish, ground), _NONE

    async def end(self) -> None:
        """End it, be it still about to start."""
        opening, self.opening = self.opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
        await self.close()


class Residents:
    """The processes that have collected, and why there are none."""

    name = "swap"

    def __init__(
        self,
        bench: Bench,
        cells: int,
        expected: Mapping[str, Outcome],
        tally: Tally,
    ) -> None:
        self._bench = bench
        self._cold = make_runner(bench.snapshot, bench.interpreter, bench.config)
        self._expected = expected
        self._tally = tally
        self._free = [_Place() for _ in range(cells)]
        self._places = tuple(self._free)
        self._room = asyncio.Semaphore(cells)
        self._vetting = asyncio.Lock()
        self._heard: dict[Ground, Mapping[str, Outcome]] = {}
        self._vetted: set[Key] = set()
        self._barred: dict[Key, str] = {}
        self._asked: Counter[Key] = Counter()
        self._trouble = 0
        self._never = ""  # why none of them is used any more
        self._runs = 0

    async def run(
        self,
        files: Files,
        wish: Wish,
        seconds: float,
        listen: Listener,
        ground: Files = _NONE,
    ) -> SuiteRun | None:
        """Run it within `seconds` once a process is ready; `None` where none can be.

        `files` come on top of `ground`.
        """
        key = _key(wish, ground)
        try:
            async with self._place(key, wish) as place:
                wish = replace(wish, deadline=time.monotonic() + seconds)
                assert place.zygote is not None
                run = await self._suite(place.zygote, files, wish, listen)
                await self._look_after(place)
                return run
        except UnfitError as error:
            self._tally.falls[str(error)] += 1
        except BarredError as error:
            self._barred[key] = str(error)
            self._tally.falls[str(error)] += 1
        except LostError as error:
            self._tally.falls[f"a process was lost: {error}"] += 1
            self._count(str(error))
        return None

    def learn(self, ground: Files, told: Mapping[str, Outcome]) -> None:
        """Take in what a fresh process has said of some ids over that ground."""
        self._heard[frozenset(ground.items())] = told

    def stands(self, wish: Wish, ground: Files) -> bool:
        """Whether those tests have been collected over that ground."""
        return _key(wish, ground) in self._vetted

    def start(self) -> None:
        """Begin to start processes: what they are to collect may come later."""
        limit = self._bench.config.test_timeout
        for place in self._places:
            if place.zygote is None and place.opening is None:
                opening = place.open(self._bench, replace(_ANY, per_test=limit))
                place.opening = asyncio.create_task(opening)

    async def close(self) -> None:
        """End them all."""
        for place in self._places:
            await place.end()

    def _count(self, reason: str) -> None:
        self._trouble += 1
        if self._trouble >= FAITH:
            self._never = reason

    @asynccontextmanager
    async def _place(self, key: Key, wish: Wish) -> AsyncIterator[_Place]:
        self._asked[key] += 1
        async with self._room:
            self._runs += 1  # of all: else a place that nobody uses never gets stale
            place = self._choose(key)
            self._free.remove(place)
            place.last = self._runs
            try:
                if place.idle() or place.key != key:
                    await self._fill(place, key, wish)
                yield place
            except UnfitError:
                raise  # the process is as good as before
            except BaseException:  # cancelled too: what it did must not go on
                await place.end()
                raise
            finally:
                self._free.append(place)

    def _choose(self, key: Key) -> _Place:
        """A free place with these tests, or one where they may be collected."""
        if self._never:
            raise UnfitError(self._never)
        if key in self._barred:
            raise UnfitError(self._barred[key])
        for place in self._free:
            if place.zygote is not None and place.key == key:
                return place
        known = any(ground == key[1] for _, ground in self._vetted)
        if known and key not in self._vetted and self._asked[key] < _OFTEN:
            raise UnfitError("other tests than those collected are asked for")
        for place in sorted(self._free, key=lambda place: place.last):
            if place.idle() or self._runs - place.last >= _STALE:
                return place
        raise UnfitError("other tests than those collected are asked for")

    async def _fill(self, place: _Place, key: Key, wish: Wish) -> None:
        """Collect there, and see that the untouched tree does what it is known to."""
        place.key = key
        host, files = await place.opened(self._bench, wish, dict(key[1]))
        wanted = order(self._bench, replace(wish, stop_at_first=False), host.cell)
        limit = min(_COLLECTING, self._bench.config.suite_timeout)
        try:
            await host.collect(wanted, limit, files)
        except UnfitError as error:
            raise BarredError(str(error)) from error
        place.marks = await asyncio.to_thread(marks, host.cell)
        async with self._vetting:
            if key in self._barred:
                raise BarredError(self._barred[key])
            if key not in self._vetted:
                await self._vet(place, host, wish)
                self._vetted.add(key)

    async def _told(self, key: Key, wish: Wish) -> dict[str, Outcome]:
        """What fresh processes say of these tests over the ground."""
        tests, ground = key
        known: dict[str, Outcome] = {
            node_id: outcome
            for node_id, outcome in self._expected.items()
            if outcome is not Outcome.HUNG and node_id.split("::", 1)[0] in tests
        }
        if not ground or not known:
            return known
        heard = self._heard.get(ground, {})
        if known.keys() <= heard.keys():
            return {node_id: heard[node_id] for node_id in known}
        fresh = await self._cold(
            dict(ground), select=tuple(known), per_test=wish.per_test
        )
        return {node_id: fresh.outcome(node_id) for node_id in known}

    async def _vet(self, place: _Place, host: Zygote, wish: Wish) -> None:
        """Compare a run of the untouched tree with what cold ones did."""
        told = await self._told(place.key, begun(wish))
        wish = replace(begun(wish), select=tuple(told), stop_at_first=False)
        seen = await self._suite(host, {}, wish, silent)
        for node_id, outcome in told.items():
            if contradicts(seen.outcome(node_id), outcome):
                raise BarredError(
                    f"{node_id} is {seen.outcome(node_id)} in a fork and "
                    f"{outcome} in a fresh process"
                )
        left = await tidied(host, place.marks)
        if left:
            raise BarredError(f"its tests leave {min(left)} behind")

    async def _look_after(self, place: _Place) -> None:
        """Start afresh where a run has left something that the next would find."""
        assert place.zygote is not None
        left = await tidied(place.zygote, place.marks)
        if left:
            self._count(f"tests leave {min(left)} behind")
            await place.close()

    async def _suite(
        self, host: Zygote, files: Files, wish: Wish, listen: Listener
    ) -> SuiteRun:
        teller = Teller(listen)

        async def once(wish: Wish) -> Attempt:
            return await host.swap(
                files, order(self._bench, wish, host.cell), teller.hear
            )

        return folded(self._bench, wish, await attempts(once, wish))


def _key(wish: Wish, ground: Files) -> Key:
    tests = frozenset(node_id.split("::", 1)[0] for node_id in wish.select or ())
    return tests, frozenset(ground.items())

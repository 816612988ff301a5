"""Whole suites in forks: processes that have collected it all, each a part of it.

They say early that a candidate makes a test worse, and nothing else: whoever gets
through is still to be judged by fresh processes. Before anything is believed, the
untouched tree is run here once and must do, id by id, what it does in a fresh process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bonafix.domain import Listener, SuiteRun, silent
from bonafix.observe.fold import Attempt
from bonafix.observe.known import Known
from bonafix.observe.leavings import marks, tidied
from bonafix.observe.run import (
    Bench,
    Files,
    Teller,
    Wish,
    attempts,
    folded,
    order,
)
from bonafix.observe.seats import FAITH, BarredError, Seat, Tally, turns
from bonafix.observe.shards import Parts, merged
from bonafix.observe.zygote import LostError, UnfitError
from bonafix.together import at_once

_COLLECTING = 60.0  # seconds, at least; and so many times what the whole suite takes
_SLACK = 3
_GROUNDS = 1000  # that are remembered as barred

Ground = frozenset[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A whole suite, or some of it, that somebody wants run."""

    files: Files  # on top of the ground
    ground: Files
    known: Known  # of the suite over the ground
    per_test: float  # seconds
    seconds: float  # from when it runs
    select: Sequence[str] | None = None  # ids; `None`: all
    stop_at_first: bool = False
    early: bool = False  # up to the first that got worse
    listen: Listener = silent

    @property
    def wish(self) -> Wish:
        """Of one part that is ready now."""
        return Wish(
            select=self.select,
            expression="",
            record_lines=False,
            stop_at_first=self.stop_at_first,
            per_test=self.per_test,
            deadline=time.monotonic() + self.seconds,
            tolerated=self.known.tolerated if self.early else None,
        )


@dataclass(eq=False, slots=True)
class _Part(Seat):
    names: tuple[str, ...] | None = None  # files of tests; `None`: all there are
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    going: _Round | None = None  # whose turn it is here

    def has(self, node_id: str) -> bool:
        return self.names is None or node_id.split("::", 1)[0] in self.names


@dataclass(slots=True)
class _Hall:
    """The processes over one ground, which were seen to do what fresh ones do."""

    ground: Ground
    known: Known
    parts: list[_Part]
    left: bool = False  # for another ground


@dataclass(eq=False, slots=True)
class _Round:
    """One candidate on its way through the parts."""

    ask: Ask
    over: bool = False  # no part need go on


class Suites:
    """The kept processes, over one ground at a time, and why there are none."""

    name = "swap"

    def __init__(self, bench: Bench, parts: Parts, tally: Tally) -> None:
        self._bench = bench
        self._parts = parts
        self._tally = tally
        self._hall: _Hall | None = None
        self._building = asyncio.Lock()
        self._barred: dict[Ground, str] = {}
        self._trouble = 0
        self._never = ""
        self._job = object()

    async def run(self, ask: Ask) -> SuiteRun | None:
        """What the suite does under `ask.files`; `None` where no fork can say."""
        try:
            hall = await self._ready(ask)
            return await self._everywhere(hall, ask)
        except (UnfitError, BarredError) as error:
            self._fell(str(error))
        except LostError as error:
            self._fell(f"a process was lost: {error}")
            self._count(str(error))
        return None

    async def some(
        self, files: Files, wish: Wish, seconds: float, listen: Listener, ground: Files
    ) -> SuiteRun | None:
        """Run chosen tests where the whole suite is collected already, else `None`."""
        hall, select = self._hall, wish.select or ()
        if hall is None or hall.ground != frozenset(ground.items()):
            return None
        if not all(any(part.has(i) for part in hall.parts) for i in select):
            return None
        ask = Ask(
            files=files,
            ground=ground,
            known=hall.known,
            per_test=wish.per_test,
            seconds=seconds,
            select=select,
            stop_at_first=wish.stop_at_first,
            listen=listen,
        )
        return await self.run(ask)

    async def close(self) -> None:
        """End them all."""
        hall, self._hall = self._hall, None
        if hall is not None:
            hall.left = True
            for part in hall.parts:
                await part.close()

    def _fell(self, reason: str) -> None:
        self._tally.falls[f"whole suite: {reason}"] += 1

    def _count(self, reason: str) -> None:
        self._trouble += 1
        if self._trouble >= FAITH:
            self._never = reason

    # ----------------------------------------------------------------- making ready

    async def _ready(self, ask: Ask) -> _Hall:
        """The processes over that ground.

        Raises:
            BarredError: there are none to be.
        """
        ground = frozenset(ask.ground.items())
        async with self._building:
            reason = self._never or self._barred.get(ground, "")
            if reason:
                raise BarredError(reason)
            if self._hall is not None and self._hall.ground == ground:
                return self._hall
            await self._leave()
            try:
                self._hall = await self._made(ground, ask)
            except BarredError as error:
                if len(self._barred) < _GROUNDS:
                    self._barred[ground] = str(error)
                raise
            return self._hall

    async def _leave(self) -> None:
        """Give up what stands over another ground, when nobody uses it any more."""
        hall, self._hall = self._hall, None
        if hall is not None:
            hall.left = True
            for part in hall.parts:
                async with part.lock:
                    await part.close()

    async def _made(self, ground: Ground, ask: Ask) -> _Hall:
        """In parts; where these do otherwise than the whole, in one process."""
        if ask.known.unsettled:
            raise BarredError(f"{ask.known.unsettled} did not come to its end")
        if self._parts:
            try:
                return await self._vetted(ground, ask, self._parts)
            except BarredError as error:
                self._fell(f"not in parts: {error}")
                self._parts = ()
        return await self._vetted(ground, ask, (None,))

    async def _vetted(
        self, ground: Ground, ask: Ask, parts: Sequence[tuple[str, ...] | None]
    ) -> _Hall:
        """Processes whose run of the untouched tree says what is known of it."""
        hall = _Hall(ground, ask.known, [_Part(names=names) for names in parts])
        whole = replace(ask, files={}, select=None, early=False, listen=silent)
        try:
            compare(await self._everywhere(hall, whole), whole.known, "a fork")
            _clean(hall)
        except BaseException as error:
            for part in hall.parts:
                await part.close()
            if isinstance(error, UnfitError | LostError):
                raise BarredError(str(error)) from error
            raise
        return hall

    # ---------------------------------------------------------------------- running

    async def _everywhere(self, hall: _Hall, ask: Ask) -> SuiteRun:
        """Run it in all parts that have some of it, as one run."""
        going = _Round(ask)
        parts = [p for p in hall.parts if ask.select is None or _wanted(p, ask)]
        found = await at_once(*(self._part(p, hall, going) for p in parts))
        runs = [one for one in found if isinstance(one, SuiteRun)]
        for one in found:
            if isinstance(one, Exception):
                raise one
        known = ask.known.run.collected
        return runs[0] if len(runs) == 1 else merged(runs, known)

    async def _part(
        self, part: _Part, hall: _Hall, going: _Round
    ) -> SuiteRun | UnfitError | LostError | BarredError:
        """What one part says; where that settles it, the others are stopped."""
        ask = going.ask
        async with part.lock, turns().one(self._job):
            if going.over or hall.left:
                return SuiteRun(results={}, collected=(), finished=False)
            part.going = going
            try:
                run = await self._fork(part, going)
            except (UnfitError, LostError, BarredError) as error:
                _stop(hall, going)
                if not isinstance(error, UnfitError):
                    await part.close()
                return error
            except BaseException:  # cancelled: what it was doing must not go on
                await part.close()
                raise
            finally:
                part.going = None
        if ask.early and ask.known.worse(run):
            _stop(hall, going)
        return run

    async def _fork(self, part: _Part, going: _Round) -> SuiteRun:
        ask = going.ask
        if part.zygote is None:
            await self._collect(part, ask)
        host, teller, wish = part.zygote, Teller(ask.listen), ask.wish
        assert host is not None
        host.unhurried = ask.select is None
        if ask.select is not None:
            wish = replace(wish, select=[i for i in ask.select if part.has(i)])

        async def once(wish: Wish) -> Attempt:
            wanted = order(self._bench, wish, host.cell)
            return await host.swap(
                ask.files, wanted, teller.hear, tolerated=wish.tolerated
            )

        if going.over:
            return SuiteRun(results={}, collected=(), finished=False)
        run = folded(self._bench, wish, await attempts(once, wish))
        left = await tidied(host, part.marks)
        if left:  # the next would find it
            await part.close()
            if run.finished:  # who was stopped could not tidy up
                self._count(f"tests leave {min(left)} behind")
        return run

    async def _collect(self, part: _Part, ask: Ask) -> None:
        wish = replace(ask.wish, select=part.names, tolerated=None)
        host = await part.open(self._bench, wish, ask.ground)
        wanted = order(self._bench, wish, host.cell)
        limit = max(_COLLECTING, _SLACK * ask.known.run.seconds)
        await host.collect(wanted, min(limit, self._bench.config.suite_timeout))
        part.marks = await asyncio.to_thread(marks, host.cell)


def compare(run: SuiteRun, known: Known, where: str) -> None:
    """Refuse a way of running the untouched suite that says something else.

    Raises:
        BarredError: it does; says of which test.
    """
    for error in run.collection_errors:
        raise BarredError(f"{error.id} cannot be collected in {where}")
    for node_id, outcome in known.differing(run).items():
        raise BarredError(
            f"{node_id} is {outcome} in {where} and "
            f"{known.run.outcome(node_id)} in a fresh process"
        )
    if not run.finished:
        raise BarredError(f"the untouched suite does not come to its end in {where}")


def _clean(hall: _Hall) -> None:
    if any(part.zygote is None for part in hall.parts):
        raise BarredError("its tests leave something behind")


def _wanted(part: _Part, ask: Ask) -> bool:
    return any(part.has(i) for i in ask.select or ())


def _stop(hall: _Hall, going: _Round) -> None:
    """End what the other parts do for this candidate."""
    going.over = True
    for part in hall.parts:
        if part.going is going and part.zygote is not None:
            part.zygote.halt()

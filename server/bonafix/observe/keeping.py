"""A process that is kept between an editor's saves: vetted, asked, ended.

There are two kinds. One has collected the whole suite, and its forks exchange the
functions that have changed; the other has imported what the suite needs from outside
the project, and its forks collect afresh. Either is vetted against the run of the
whole suite before it is asked anything, and says only what comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bonafix.domain import Outcome, SuiteRun, TestResult
from bonafix.observe.events import Log
from bonafix.observe.fold import Attempt
from bonafix.observe.leavings import marks, tidied
from bonafix.observe.run import Bench, Files, Wish, attempts, folded, order
from bonafix.observe.seats import BarredError, Seat
from bonafix.observe.zygote import LostError, Module, Zygote

COLLECTING = 60.0  # seconds at least; else as many whole runs
_RUNS = 3
_SAMPLE = 20  # tests that are run to vet a process
_QUICK = 1.0  # seconds that each of them may have taken
_CHANCES = 2  # for a test to do what it did: some are flaky
_BETWEEN = 0.15  # seconds at least between two looks at what is known so far
_SHARE = 10  # times as long as such a look took, there is none
# What a later run finds there makes it quicker, and says nothing else: a whole run
# follows that finds none.
_CACHES = frozenset({".hypothesis", ".mypy_cache", ".ruff_cache"})
_UNSAID = frozenset({Outcome.HUNG, Outcome.CRASHED, Outcome.MISSING})


Show = Callable[[SuiteRun], None]


@dataclass(slots=True, kw_only=True)
class Copy:
    """A copy of the tree with what the whole suite does there; gone when unused."""

    bench: Bench
    run: SuiteRun
    stack: contextlib.AsyncExitStack
    users: int = 0

    async def release(self) -> None:
        """Forget it, unless it is used still."""
        self.users -= 1
        if self.users <= 0:
            await self.stack.aclose()

    def spare(self) -> float:
        """Seconds that collecting the suite may take."""
        return max(COLLECTING, _RUNS * self.run.seconds)

    def wish(self, select: Sequence[str] | None, seconds: float) -> Wish:
        """These tests, all of them within so many seconds."""
        return Wish(
            select=select,
            expression="",
            record_lines=False,
            stop_at_first=False,
            per_test=min(self.bench.config.test_timeout, seconds),
            deadline=time.monotonic() + seconds,
        )


@dataclass(slots=True)
class _News:
    """Shows what a run has found so far: the first failure, all of it, and between."""

    bench: Bench
    wish: Wish
    show: Show | None
    due: float = 0.0  # on the monotonic clock
    red: int = 0

    def hear(self, log: Log, event: str) -> None:
        """Take one event of the run."""
        if self.show is None or event not in {"done", "finish"}:
            return
        now = time.monotonic()
        if event == "done":
            last = next(reversed(log.done))
            self.red += any(r.outcome == "failed" for r in log.reports.get(last, ()))
            if not self.red or now < self.due:
                return
        run = folded(self.bench, self.wish, [Attempt(log=log)])
        # not from here: whoever listens to the process is not to fail with the shown
        asyncio.get_running_loop().call_soon(self._show, run)
        self.due = now + max(_BETWEEN, _SHARE * (time.monotonic() - now))

    def _show(self, run: SuiteRun) -> None:
        if self.show is not None:
            self.show(run)


@dataclass(slots=True, kw_only=True)
class Kept:
    """One such process; `swaps` says which kind."""

    copy: Copy
    swaps: bool
    seat: Seat = field(default_factory=Seat)
    modules: tuple[Module, ...] = ()  # from outside the project, that it has imported
    outside: Mapping[str, str] = field(default_factory=dict)  # as they were then

    async def run(
        self,
        files: Files,
        select: Sequence[str],
        seconds: float,
        show: Show | None = None,
    ) -> SuiteRun:
        """Run tests over the copy with `files`; after a cancel it is as good as new.

        `show` is told what is known by then, now and again.

        Raises:
            UnfitError: this kind of process cannot do that; says why.
            LostError: the process is lost.
        """
        host = self._host()
        wish = self.copy.wish(select, seconds)
        news = _News(self.copy.bench, wish, show)
        work = asyncio.ensure_future(self._run(host, files, wish, news))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            news.show = None
            host.halt()
            await _ended(work)
            raise

    async def look_after(self) -> str:
        """What the tests have left behind since it was made, where they have."""
        if self.seat.zygote is None:
            return ""
        names = sorted(map(str, await tidied(self._host(), self.seat.marks)))
        return next((n for n in names if _CACHES.isdisjoint(n.split("/"))), "")

    def moved(self) -> bool:
        """Whether something that it has imported is no longer what it was."""
        return self.outside != _outside(self.copy.bench, self.modules)

    async def close(self) -> None:
        """End it."""
        await self.seat.close()
        await self.copy.release()

    def _host(self) -> Zygote:
        if self.seat.zygote is None:
            raise LostError("it was ended")
        return self.seat.zygote

    async def _run(
        self, host: Zygote, files: Files, wish: Wish, news: _News
    ) -> SuiteRun:
        bench = self.copy.bench

        async def once(wish: Wish) -> Attempt:
            wanted = order(bench, wish, host.cell)
            if self.swaps:
                return await host.swap(files, wanted, news.hear)
            return (await host.run(files, wanted, news.hear))[0]

        return folded(bench, wish, await attempts(once, wish))

    async def settle(self) -> None:
        """Note what it was made of, and vet it: after this it may be asked.

        Raises:
            BarredError: it does not do what fresh processes do.
            LostError: the process is lost.
        """
        self.outside = _outside(self.copy.bench, self.modules)
        self.seat.marks = await asyncio.to_thread(marks, self._host().cell)
        await self._vet()

    async def _vet(self) -> None:
        """See that the untouched copy does here what it is known to do.

        Raises:
            BarredError: it does not.
            LostError: the process is lost.
        """
        expected = {r.id: r.outcome for r in sample(self.copy.run)}
        for _ in range(_CHANCES if expected else 0):
            found = await self.run({}, tuple(expected), COLLECTING)
            told = {i: found.outcome(i) for i in expected}
            expected = {i: o for i, o in expected.items() if told[i] is not o}
            if not expected:
                break
        for node_id, outcome in expected.items():
            raise BarredError(
                f"{node_id} is {told[node_id]} in a fork and {outcome} in a fresh "
                "process"
            )
        left = await self.look_after()
        if left:
            raise BarredError(f"its tests leave {left} behind")


def sample(run: SuiteRun) -> list[TestResult]:
    """Quick tests that came to their end: the first of each file, then the second."""
    count: dict[str, int] = {}
    ranked: list[tuple[int, TestResult]] = []
    for result in run.results.values():
        if result.outcome not in _UNSAID and result.seconds <= _QUICK:
            file = result.id.partition("::")[0]
            count[file] = count.get(file, -1) + 1
            ranked.append((count[file], result))
    ranked.sort(key=lambda pair: pair[0])
    return [result for _, result in islice(ranked, _SAMPLE)]


def _outside(bench: Bench, modules: Sequence[Module]) -> Mapping[str, str]:
    """What such a process has imported, and where more could be: a mark of each."""
    python = bench.interpreter
    places = [str(python.path), str(Path(python.prefix, "pyvenv.cfg"))]
    folders = (*python.import_path, *python.editable)
    places += [folder for folder in folders if not _own(folder, bench)]
    places += [path for _, path in modules]
    return {place: _mark(place) for place in places}


def _own(folder: str, bench: Bench) -> bool:
    """Whether it is the project's: what is in there is compared anyway."""
    root, place = bench.snapshot.root, Path(folder)
    installed = Path(bench.interpreter.prefix)
    within = installed != root and place.is_relative_to(installed)
    return place.is_relative_to(root) and not within


def _mark(path: str) -> str:
    try:
        seen = os.stat(path)  # noqa: PTH116 - of hundreds, before each answer
    except (OSError, ValueError):
        return ""
    return f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ino}"


async def _ended(work: asyncio.Future[SuiteRun]) -> None:
    """Wait for what is being stopped, however often we are cancelled meanwhile."""
    while not work.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({work})
    if not work.cancelled():
        work.exception()  # or it would be reported as never seen

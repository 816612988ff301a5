"""The editor's loop: after a save, the affected tests run in a process that is kept.

What it says comes first and is never the last word: a whole run in fresh processes
follows. Where that one contradicts it, nothing is answered quickly any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bonafix.config import Config
from bonafix.domain import Listener, Snapshot, SuiteRun
from bonafix.observe.keeping import Copy, Kept
from bonafix.observe.memory import short
from bonafix.observe.seats import Tally, turns
from bonafix.observe.steering import batches, joined, seconds, steers, updated, visible
from bonafix.observe.stock import ALL, Stock, tell
from bonafix.observe.zygote import LostError, UnfitError
from bonafix.sandbox.tree import changed_since

IDLE = 15 * 60.0  # seconds without a save, after which nothing is kept any more
_LOOK = 20.0  # seconds between two looks at how much memory is left
_CALM = 2.0  # seconds without a save, after which processes are made anew
_LEAST, _MOST = 3.0, 5.0  # seconds that each part of an answer may take
_SLOWER = 3  # times as long as its tests took the last time

Buffers = Mapping[str, bytes]
Files = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What a kept process said of some tests, and over which tree."""

    snapshot: Snapshot  # of an earlier moment, but with the sources of this one
    run: SuiteRun


class _NoneError(Exception):
    """There is no quick answer; says why."""


@dataclass(slots=True, eq=False)
class Loop:
    """One root's quick answers: who gives them, how many were given, and why not."""

    idle: float = IDLE
    stock: Stock = field(default_factory=Stock)
    tally: Tally = field(default_factory=Tally)
    _offer: Copy | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _said: Glance | None = None
    _used: float = 0.0  # when, on the monotonic clock

    # ---------------------------------------------------------------- after a save

    async def glance(
        self,
        config: Config,
        tests: Sequence[str],
        buffers: Buffers,
        listen: Listener,
        show: Callable[[Glance], None],
    ) -> Glance | None:
        """Run `tests`, ids or whole files, over the tree as it is with `buffers`.

        `show` gets what is known on the way. `None` where no kept process is sure to
        do what a fresh one does; `listen` is told why. A cancel costs no process.
        """

        def shown(glance: Glance) -> None:
            if glance.run.results:
                self._said = glance
                show(glance)

        self._used = time.monotonic()
        self._said = None
        async with self.stock.using:
            try:
                found = await self._glance(config, tests, buffers, listen, shown)
            except _NoneError as error:
                self.tally.falls[str(error)] += 1
                tell(listen, f"no quick answer: {error}", none=str(error))
                return None
        self._said = found
        return found

    async def _glance(
        self,
        config: Config,
        tests: Sequence[str],
        buffers: Buffers,
        listen: Listener,
        show: Callable[[Glance], None],
    ) -> Glance:
        stock = self.stock
        if ALL in stock.barred:
            raise _NoneError(stock.barred[ALL])
        changes: dict[int, Files] = {}  # by the copy that they are changes of
        reasons: list[str] = []
        for kind, kept in stock.fastest_first():
            try:
                files = await self._changes(kept, config, buffers, changes)
                glance = await self._ask(kept, files, tests, show)
            except UnfitError as error:
                stock.stale.add(kind)
                reasons.append(str(error))
            except LostError as error:
                reasons.append(f"a process was lost: {error}")
                await stock.lose(kind, reasons[-1], listen)
            except _NoneError:
                await stock.look_after(kept, listen)
                raise
            else:
                self.tally.runs[kind] += 1
                self.tally.falls.update(reasons)
                await stock.look_after(kept, listen)
                return glance
        self.tally.falls.update(reasons[:-1])
        because = [*reasons[-1:], *stock.barred.values(), "no process is ready"]
        raise _NoneError(because[0])

    async def _changes(
        self, kept: Kept, config: Config, buffers: Buffers, known: dict[int, Files]
    ) -> Files:
        """What has changed since its copy was made.

        Raises:
            UnfitError: that is more than such a process can be told.
            _NoneError: none of them is of use any more.
        """
        bench = kept.copy.bench
        if visible(config) != visible(bench.config):
            raise await self._useless("the settings have changed")
        if kept.moved():
            raise await self._useless("what is installed has changed")
        if id(kept.copy) not in known:
            known[id(kept.copy)] = await changed_since(
                bench.snapshot, buffers=buffers, carry=config.carry
            )
        files = known[id(kept.copy)]
        steering = sorted(path for path in files if steers(path))
        if steering:
            raise await self._useless(f"{steering[0]} has changed")
        if any(c is None or p not in bench.snapshot.files for p, c in files.items()):
            # What is imported may hide a new file, or keep one that is gone.
            raise UnfitError("a file was added or removed")
        return files

    async def _useless(self, reason: str) -> _NoneError:
        await self.stock.let_go()
        return _NoneError(reason)

    async def _ask(
        self,
        kept: Kept,
        files: Files,
        tests: Sequence[str],
        show: Callable[[Glance], None],
    ) -> Glance:
        snapshot = updated(kept.copy.bench.snapshot, files)
        known = kept.copy.run.lines

        def glance(run: SuiteRun) -> Glance:
            # Which files a test depends on is taken to be what it was.
            lines = {i: known[i] for i in run.results if i in known}
            return Glance(snapshot=snapshot, run=replace(run, lines=lines))

        found: SuiteRun | None = None
        parts = batches(kept.copy.run, tests)
        # To collect all that may be affected is nearly as long as the run that follows.
        for part in parts if kept.swaps else parts[:1]:
            taken = _SLOWER * seconds(kept.copy.run, part)
            limit = min(max(_LEAST, taken), _MOST)

            def told(run: SuiteRun, before: SuiteRun | None = found) -> None:
                show(glance(joined(before, run)))

            run = await kept.run(files, part, limit, told)
            _require_sound(run)
            found = joined(found, run)
        if found is None:
            raise _NoneError("no test is known to be affected")
        return glance(found)

    # ------------------------------------------------------------- after a full run

    async def offer(self, copy: Copy, listen: Listener) -> None:
        """Take over what a run of the whole suite has left; what it said counts."""
        self.confirm(copy.bench.snapshot, copy.run, listen)
        before, self._offer = self._offer, copy
        copy.users += 1
        if before is not None:
            await before.release()
        self._news.set()

    def confirm(self, snapshot: Snapshot, run: SuiteRun, listen: Listener) -> None:
        """Compare what was said quickly with what fresh processes say of that tree."""
        said = self._said
        if said is None or said.snapshot.sources != snapshot.sources:
            return
        for node_id in run.results:
            quick, slow = said.run.outcome(node_id), run.outcome(node_id)
            if node_id in said.run.results and quick is not slow:
                reason = f"{node_id} {quick} in a kept process, {slow} in a fresh one"
                self.stock.bar(ALL, reason, listen)

    async def keep(self, listen: Listener) -> None:
        """Make and hold processes until nothing was saved for long, or cancelled."""
        self._used = time.monotonic()
        try:
            while await self._wanted(listen):
                copy, self._offer = self._offer, None
                if copy is not None:
                    try:
                        async with turns().one(self):
                            await self.stock.renew(copy, listen)
                    finally:
                        await copy.release()
        finally:
            await self.close()

    async def close(self) -> None:
        """Hold nothing any more."""
        copy, self._offer = self._offer, None
        if copy is not None:
            await copy.release()
        await self.stock.end_all()

    async def _wanted(self, listen: Listener) -> bool:
        """Wait for news; false where the memory is to be given back."""
        while not self._news.is_set():
            busy = self.stock.using.locked()
            if not busy and time.monotonic() - self._used >= self.idle:
                return False
            if not busy and self.stock.kept and short():
                tell(listen, "the kept processes are ended: memory is short")
                return False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_LOOK, self.idle)):
                    await self._news.wait()
        await self._calm()
        self._news.clear()
        return True

    async def _calm(self) -> None:
        """Let who saves again soon be answered by what there is."""
        # the clock is waited for: no event tells that nothing happens
        while self.stock.kept and (left := self._used + _CALM - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)


def _require_sound(run: SuiteRun) -> None:
    """Refuse what does not say what tests do."""
    if run.collection_errors:
        raise _NoneError("tests cannot be collected")
    if run.timed_out and not run.results:
        raise _NoneError("the tests take too long")
    if not run.results or not (run.finished or run.timed_out):
        raise _NoneError("pytest did not get to its end")

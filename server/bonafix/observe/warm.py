"""A runner that does not start afresh each time: for screening, never for a verdict.

Where only bodies of functions change, a run is a fork of a process that has collected
the tests (`swap.py`). Else pytest and what it imports from outside the project are
loaded once, in up to a few confined processes; each run is a fork of one of them,
where the project is imported and collected anew. What a test has written is taken away
before the next (`leavings.py`). What neither can do is run in a process of its own.
Whole suites have processes of their own (`suites.py`).
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from bonafix.config import Config
from bonafix.domain import (
    Listener,
    Outcome,
    Runner,
    Snapshot,
    SuiteRun,
    silent,
    worse,
)
from bonafix.observe.anew import Anew
from bonafix.observe.interpreter import Interpreter
from bonafix.observe.known import Known
from bonafix.observe.pool import Pool
from bonafix.observe.run import Bench, Files, Wish, make_runner
from bonafix.observe.seats import Tally, turns
from bonafix.observe.shards import Parts, plan
from bonafix.observe.suites import Ask, Suites
from bonafix.observe.swap import Residents

_SAMPLE = 20  # ids whose outcomes are compared
_NOBODY: Mapping[str, Outcome] = {}
_UNKNOWN = "nothing is known of the whole suite"
_ADDED = "it adds or removes a file"

Tier = Literal["swap", "warm", "cold"]


@dataclass(frozen=True, slots=True)
class _Ways:
    """How runs can be had: `tiers` of chosen tests, the others of whole suites."""

    tiers: tuple[Residents | Pool, ...]
    suites: tuple[Suites | Anew, ...]
    known: Known | None  # of the whole suite

    async def collected(
        self, files: Files, wish: Wish, seconds: float, listen: Listener, ground: Files
    ) -> SuiteRun | None:
        """Run chosen tests where all are collected, unless these alone are, too."""
        if any(isinstance(t, Residents) and t.stands(wish, ground) for t in self.tiers):
            return None
        for suites in self.suites:
            if isinstance(suites, Suites):
                return await suites.some(files, wish, seconds, listen, ground)
        return None


@dataclass(frozen=True, slots=True)
class Screen:
    """A runner, and one for runs that have some files in common."""

    _bench: Bench
    _cold: Runner
    _ways: _Ways
    _tally: Tally
    _job: object = field(default_factory=object)
    _ground: Files = field(default_factory=dict)

    def start(self) -> None:
        """Begin to start what runs will need, whatever they lay."""
        for tier in self._ways.tiers:
            if isinstance(tier, Residents):
                tier.start()

    def over(self, ground: Files, told: Mapping[str, Outcome] = _NOBODY) -> Screen:
        """The same with `ground` laid under whatever is run.

        `told` is what a fresh process has said of some ids over it, if any has.
        """
        laid = {**self._ground, **ground}
        for tier in self._ways.tiers:
            if isinstance(tier, Residents):
                tier.learn(laid, told)
        return replace(self, _ground=laid)

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
        limit, found = seconds or config.suite_timeout, None
        wish = Wish(
            select=select,
            expression=expression,
            record_lines=record_lines,
            stop_at_first=stop_at_first,
            per_test=per_test or config.test_timeout,
            deadline=0.0,  # it begins when a process is ready
        )
        if select and not (expression or record_lines):
            found = await self._some(files, wish, limit, listen)
        elif select is None and not (expression or record_lines or stop_at_first):
            found = await self.suite(
                files, early=False, seconds=limit, per_test=wish.per_test, listen=listen
            )
        if found is not None:
            return found
        async with turns().one(self._job):
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

    async def suite(
        self,
        files: Files,
        /,
        *,
        before: SuiteRun | None = None,
        early: bool = True,
        seconds: float | None = None,
        per_test: float | None = None,
        listen: Listener = silent,
    ) -> SuiteRun | None:
        """The whole suite in forks; `None` where no fork can be trusted with it.

        `before`: what it does over the ground, where that is not what `warm` was given.
        `early`: only up to the first test that got worse.
        """
        known, own = self._known(before), self._own(files)
        if known is None or not self._ways.suites or self._refused(own):
            return None
        config = self._bench.config
        ask = Ask(
            files=own,
            ground=self._ground,
            known=known,
            per_test=min(per_test or config.test_timeout, config.test_timeout),
            seconds=seconds or config.suite_timeout,
            early=early,
            listen=listen,
        )
        for way in self._ways.suites:
            found = await way.run(ask)
            if found is not None:
                self._tally.runs[f"suite by {way.name}"] += 1
                return found
        return None

    async def worsened(
        self,
        files: Files,
        /,
        *,
        before: SuiteRun | None = None,
        seconds: float | None = None,
        per_test: float | None = None,
    ) -> tuple[str, ...] | None:
        """The ids that got worse up to where the suite was stopped, none if none did.

        `None` where that cannot be told for sure: no fork may run it, or the first of
        them is not worse again on its own, or is so without the candidate, too.
        """
        known = self._known(before)
        run = await self.suite(files, before=before, seconds=seconds, per_test=per_test)
        if run is None or known is None:
            return None
        found = known.news(run)
        for one in found[:1]:
            for laid, wanted in ((files, True), ({}, False)):
                again = await self(laid, select=(one,), per_test=per_test)
                if worse(known.run.outcome(one), again.outcome(one)) is not wanted:
                    return None
        if not found and not (run.finished and not run.timed_out):
            return None
        return found

    def _known(self, before: SuiteRun | None) -> Known | None:
        known = self._ways.known
        if before is not None:
            known = Known(before, known.unsteady if known else frozenset())
        if known is None:
            self._tally.falls[_UNKNOWN] += 1
        return known

    async def _some(
        self, files: Files, wish: Wish, seconds: float, listen: Listener
    ) -> SuiteRun | None:
        """Run chosen tests in a kept process."""
        own, ground = self._own(files), self._ground
        if not self._ways.tiers or self._refused(own):
            return None
        found = await self._ways.collected(own, wish, seconds, listen, ground)
        if found is not None:
            self._tally.runs["swap"] += 1
            return found
        for tier in self._ways.tiers:
            async with turns().one(self._job):
                found = await tier.run(own, wish, seconds, listen, ground)
            if found is not None:
                self._tally.runs[tier.name] += 1
                return found
        return None

    def _own(self, files: Files) -> Files:
        """What is not in the ground already."""
        ground = self._ground
        return {p: c for p, c in files.items() if p not in ground or ground[p] != c}

    def _refused(self, own: Files) -> bool:
        """Whether only a fresh process will do."""
        if not any(self._moves(path, own[path]) for path in own):
            return False
        # What is preloaded may hide a new file, or keep one that is gone.
        self._tally.falls[_ADDED] += 1
        return True

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
    suite: Known | None = None,
    parts: Parts | None = None,
) -> AsyncIterator[Screen]:
    """Yield a runner over at most `cells` processes of a kind, gone on the way out.

    `expected` is what some ids do over the untouched tree: where a fork says otherwise
    or nothing is known, nothing is swapped; where a warm run says otherwise, where a
    process is lost twice, and for what no warm process can do (`-k`, recording), runs
    are cold. `listen` is told why, once, and of all runs at the end; `tally` counts
    them as they come. Whole suites are cold, too, unless `suite` says what they do;
    `parts` are the files of tests for each process, by default for `cells` of them.
    """
    cold = make_runner(snapshot, interpreter, config)
    known = dict(itertools.islice(expected.items(), _SAMPLE))
    bench = Bench(snapshot, interpreter, config)
    tally = tally if tally is not None else Tally()
    residents = Residents(bench, cells, known, tally)
    pool = Pool(bench, cells, known, listen)
    if parts is None:
        parts = plan(suite.run, cores=cells, forked=True) if suite else ()
    swapped, anew = Suites(bench, parts, tally), Anew(pool.run, tally)
    ways = {
        "swap": _Ways((residents, pool), (swapped, anew), suite),
        "warm": _Ways((pool,), (anew,), suite),
        "cold": _Ways((), (), suite),
    }
    try:
        yield Screen(bench, cold, ways[fastest], tally)
    finally:
        await swapped.close()
        await residents.close()
        await pool.close()
        if tally.runs:
            listen(tally.event())

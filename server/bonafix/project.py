"""The composition root: the one object that the front ends hold.

It makes the copy, finds the interpreter, builds the test runner, and hands them
as values to whoever needs them. Nothing in here writes into the project's tree.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import json
import os
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import cast

from bonafix import __version__, diffs
from bonafix.bench import Bench, Buffers, layered, opened
from bonafix.config import Config
from bonafix.deliver import receipts
from bonafix.deliver.secrecy import secrets_of
from bonafix.domain import (
    Author,
    Baseline,
    Candidate,
    Cost,
    Event,
    Feedback,
    Judgement,
    Listener,
    Patch,
    Proposer,
    Repair,
    Runner,
    Snapshot,
    SuiteRun,
    Suspect,
    Task,
    TestResult,
    Verdict,
    silent,
)
from bonafix.errors import UsageError
from bonafix.judge.gate import Case, judge
from bonafix.judge.suite import outcomes_after
from bonafix.judge.verdict import verdict
from bonafix.observe.baseline import baseline as take_baseline
from bonafix.observe.failures import groups as grouped
from bonafix.observe.localise import suspects
from bonafix.observe.run import require_usable
from bonafix.observe.warm import warm
from bonafix.repair import Engine, repair

NOTHING = Patch(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One run of the suite with what follows from it."""

    snapshot: Snapshot  # its `lower` is gone by now
    run: SuiteRun
    groups: tuple[tuple[TestResult, ...], ...]  # red results with one cause each
    suspects: Mapping[str, tuple[Suspect, ...]]  # failing id -> best first
    shown: Mapping[str, bytes]  # path -> contents as they were when it ran


@dataclass(frozen=True, slots=True)
class Project:
    """A root with its settings.

    Every coroutine may be cancelled; a cancel leaves no process behind.
    """

    root: Path
    config: Config

    async def observe(
        self,
        *,
        buffers: Buffers | None = None,
        select: Sequence[str] | None = None,
        expression: str = "",
        listen: Listener = silent,
    ) -> Observation:
        """Run the suite once in a copy and read what failed.

        Raises:
            UntrustedError: the suite cannot be run or trusted; says why.
        """
        async with opened(self.root, self.config, buffers) as bench:
            run = await bench.tools.run(
                {},
                select=select,
                expression=expression,
                record_lines=True,
                listen=listen,
            )
            require_usable(run)
            _require_known(select or (), run)
            found = tuple(run.results[node_id] for node_id in run.red)
            sources = bench.snapshot.sources
            ranked = {}
            for one in found:
                ranked[one.id] = suspects(run, [one], sources=sources)
                await asyncio.sleep(0)  # a server answers between two failures
            return Observation(
                snapshot=bench.snapshot,
                run=run,
                groups=grouped(run, found),
                suspects=ranked,
                shown=sources,
            )

    async def fix(
        self,
        *,
        tests: Sequence[str] = (),
        expression: str = "",
        buffers: Buffers | None = None,
        applying: bool = False,
        listen: Listener = silent,
    ) -> AsyncGenerator[Repair]:
        """Repair the named failures, else all; one `Repair` per cause.

        Each is judged on top of those before it that would be delivered. Where
        several were, the last `Repair` is their sum, judged as a whole on the
        untouched tree. `applying` says that only what `config.accept` lets through
        will be delivered; otherwise plausible patches are shown, so they count.

        Raises:
            UsageError: a named test does not exist.
            UntrustedError: the suite cannot be run or trusted.
        """
        async with opened(self.root, self.config, buffers) as bench:
            base = await self._baseline(bench, tests, listen)
            wanted = await self._wanted(bench, base, tests, expression)
            for flaky in (r for r in wanted if r.id in base.flaky):
                yield _unsteady(flaky, base)
            stable = [r for r in wanted if r.id not in base.flaky]
            kept: list[Repair] = []
            each = self._each(
                bench, base, stable, kept=kept, applying=applying, listen=listen
            )
            async with contextlib.aclosing(each):
                async for done in each:
                    yield done
            if len(kept) > 1:
                yield await self._whole(bench, base, kept, listen)

    async def check(
        self,
        patch: bytes,
        *,
        tests: Sequence[str] = (),
        listen: Listener = silent,
    ) -> tuple[Judgement, Baseline, str]:
        """Judge anyone's unified diff against the working tree; with its receipt.

        Raises:
            UsageError: the diff is empty or does not parse or apply.
            UntrustedError: the suite cannot be run or trusted.
        """
        async with opened(self.root, self.config) as bench:
            parsed = diffs.parse(patch, bench.read)
            base = await self._baseline(bench, tests, listen)
            targets = tuple(base.run.results[test] for test in tests)
            candidate = Candidate(patch=parsed, author="outside")
            case = Case(baseline=base, targets=targets, sources=bench.snapshot.sources)
            judgement = await judge(candidate, case, bench.tools, listen)
            return judgement, base, self._receipt(judgement, bench, base)

    async def prompt(self, *, tests: Sequence[str] = (), expression: str = "") -> str:
        """What Claude would be sent for the first failure; nothing is sent."""
        from bonafix.propose import claude  # noqa: PLC0415 - only for this

        async with opened(self.root, self.config) as bench:
            base = await self._baseline(bench, tests, silent)
            wanted = await self._wanted(bench, base, tests, expression)
            if not wanted:
                raise UsageError("no test fails, so nothing would be sent")
            task = self._task(bench, base, grouped(base.run, wanted)[0])
            request = claude.show_prompt(task, self.config, os.environ)
            return json.dumps(request, indent=2, ensure_ascii=False)

    def derive(self, path: Path) -> Judgement:
        """Fold a receipt's records into their verdict again; nothing is run."""
        receipt = receipts.load(path)
        records = receipts.evidence_of(receipt)
        ruled, missing = verdict(records)
        candidate = Candidate(patch=NOTHING, author="outside", title=receipt.title)
        return Judgement(
            candidate=candidate,
            verdict=ruled,
            evidence=records,
            targets=receipt.targets,
            missing=missing,
        )

    # ------------------------------------------------------------------ its parts

    async def _baseline(
        self, bench: Bench, tests: Sequence[str], listen: Listener
    ) -> Baseline:
        listen(Event(kind="stage", text="baseline"))
        base = await take_baseline(
            bench.snapshot,
            bench.tools.run,
            self.config,
            bench.interpreter,
            targets=tests,
            listen=listen,
        )
        _require_known(tests, base.run)
        listen(Event(kind="stage", text="baseline", facts={"baseline": base}))
        return base

    async def _wanted(
        self, bench: Bench, base: Baseline, tests: Sequence[str], expression: str
    ) -> tuple[TestResult, ...]:
        red = set(base.run.red) | {i for i in base.flaky if _ever_red(base, i)}
        if tests:
            red &= set(tests)
        if expression:
            chosen = await bench.tools.run({}, expression=expression)
            red &= set(chosen.collected)
        return tuple(base.run.results[i] for i in base.run.collected if i in red)

    async def _each(
        self,
        bench: Bench,
        base: Baseline,
        wanted: Sequence[TestResult],
        *,
        kept: list[Repair],
        applying: bool,
        listen: Listener,
    ) -> AsyncGenerator[Repair]:
        now, stack = base, bench
        place = bench.snapshot, bench.interpreter, self.config
        before = {one.id: one.outcome for one in wanted}
        async with warm(*place, expected=before, listen=listen) as screen:
            for group in grouped(base.run, wanted):
                left = tuple(one for one in group if now.run.outcome(one.id).red)
                if not left:
                    continue
                listen(Event(kind="stage", text="repair", facts={"targets": left}))
                engines = self._engines(reduce(layered, stack.under, screen))
                done = await self._repair(stack, now, left, engines, listen)
                yield done
                if done.best and self._delivers(done, applying=applying):
                    kept.append(done)
                    stack = stack.on_top_of(done.best.candidate.patch)
                    run = await stack.tools.run({}, record_lines=True)
                    now = replace(now, run=run)

    async def _repair(
        self,
        bench: Bench,
        base: Baseline,
        targets: tuple[TestResult, ...],
        engines: Sequence[Engine],
        listen: Listener,
    ) -> Repair:
        task = self._task(bench, base, targets)
        case = Case(baseline=base, targets=targets, sources=bench.snapshot.sources)
        seconds = self.config.timeout
        done = await repair(
            task, case, engines, bench.tools, seconds=seconds, listen=listen
        )
        for other in (*done.alternatives, *done.refused):
            self._receipt(other, bench, base)
        kept = self._receipt(done.best, bench, base, done.cost) if done.best else ""
        return replace(done, receipt=kept)

    def _task(
        self, bench: Bench, base: Baseline, targets: tuple[TestResult, ...]
    ) -> Task:
        return Task(
            snapshot=bench.snapshot,
            layout=base.layout,
            targets=targets,
            suspects=suspects(base.run, targets, sources=bench.snapshot.sources),
            baseline=base.run,
            seconds=self.config.timeout,
        )

    async def _whole(
        self,
        bench: Bench,
        base: Baseline,
        kept: Sequence[Repair],
        listen: Listener,
    ) -> Repair:
        """The sum of the kept repairs, judged once against the untouched tree."""
        total = NOTHING
        for done in kept:
            assert done.best is not None
            total = diffs.compose(total, done.best.candidate.patch)
        targets = tuple(target for done in kept for target in done.targets)
        listen(Event(kind="stage", text="whole"))
        candidate = Candidate(patch=total, author=_author(kept), title="all together")
        case = Case(baseline=base, targets=targets, sources=bench.snapshot.sources)
        judgement = await judge(candidate, case, bench.tools, listen)
        return Repair(
            targets=targets,
            verdict=judgement.verdict,
            engine=candidate.author,
            best=judgement,
            tried=1,
            reason=judgement.reason,
            receipt=self._receipt(judgement, bench, base),
            whole=True,
        )

    def _receipt(
        self,
        judgement: Judgement,
        bench: Bench,
        base: Baseline,
        cost: Cost | None = None,
    ) -> str:
        """Keep what was judged; the path of its file."""
        receipt = receipts.make(
            judgement,
            base,
            bench.snapshot,
            created=datetime.now(UTC),
            after=outcomes_after(judgement.evidence),
            cost=cost,
            versions={"bonafix": __version__},
        )
        return str(receipts.save(receipt, secrets=secrets_of(os.environ)))

    def _engines(self, screen: Runner) -> tuple[Engine, ...]:
        """Who proposes, in their order; parsers and SDKs are loaded only here.

        `screen` runs tests quickly, for what needs no verdict.
        """
        from bonafix.propose import claude  # noqa: PLC0415
        from bonafix.propose.search import engine  # noqa: PLC0415

        wanted = self.config.engine
        search = _with(screen, engine.propose)
        model = ("claude", claude.proposer(self.config))
        if wanted == "claude":
            return (model,)
        able = claude.find_credentials(os.environ) is not None
        if wanted == "auto" and able:  # a free first try, then the model
            brief = _within(self.config.search_seconds, search)
            return (("search", brief), model)
        return (("search", _within(self.config.timeout / 5, search)),)

    def _delivers(self, done: Repair, *, applying: bool) -> bool:
        if done.verdict is Verdict.VERIFIED:
            return True
        allowed = self.config.accept == "plausible" or not applying
        return done.verdict is Verdict.PLAUSIBLE and allowed


def _within(seconds: float, propose: Proposer) -> Proposer:
    """`propose` with at most `seconds` of wall time."""

    def bounded(
        task: Task,
        run: Runner,
        feedback: Callable[[], Feedback | None],
        listen: Listener,
    ) -> AsyncIterator[Candidate]:
        brief = replace(task, seconds=min(seconds, task.seconds))
        return propose(brief, run, feedback, listen)

    return bounded


def _with(run: Runner, propose: Proposer) -> Proposer:
    """`propose` with another runner than the gate's."""

    def other(
        task: Task,
        _gates: Runner,
        feedback: Callable[[], Feedback | None],
        listen: Listener,
    ) -> AsyncIterator[Candidate]:
        return propose(task, run, feedback, listen)

    return cast("Proposer", other)


def _require_known(tests: Sequence[str], run: SuiteRun) -> None:
    for test in tests:
        if test not in run.collected:
            near = difflib.get_close_matches(test, run.collected, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"no test has the id {test}{hint}")


def _ever_red(base: Baseline, node_id: str) -> bool:
    return any(outcome.red for outcome in base.repeats.get(node_id, ()))


def _unsteady(result: TestResult, base: Baseline) -> Repair:
    seen = ", ".join(base.repeats.get(result.id, (result.outcome,)))
    return Repair(
        targets=(result,),
        verdict=Verdict.FLAKY,
        engine="",
        reason=f"the test itself is flaky: {seen} on the same code",
    )


def _author(kept: Sequence[Repair]) -> Author:
    authors = {done.best.candidate.author for done in kept if done.best}
    return authors.pop() if len(authors) == 1 else "outside"

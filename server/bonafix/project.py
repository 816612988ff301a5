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
    Callable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from pathlib import Path

from bonafix import diffs, readers
from bonafix.bench import Bench, Buffers, opened
from bonafix.config import Config
from bonafix.deliver import receipts
from bonafix.domain import (
    Baseline,
    Candidate,
    Cost,
    Event,
    Judgement,
    Listener,
    Outcome,
    Patch,
    Repair,
    Snapshot,
    SuiteRun,
    Suspect,
    TestResult,
    Verdict,
    add_costs,
    silent,
)
from bonafix.errors import UsageError
from bonafix.judge.case import Case
from bonafix.judge.gate import judge
from bonafix.judge.verdict import verdict
from bonafix.observe.failures import groups as grouped
from bonafix.observe.keeping import Copy
from bonafix.observe.localise import suspects
from bonafix.observe.loop import Glance, Loop
from bonafix.observe.reuse import baseline as take_baseline
from bonafix.observe.run import Bench as Plain
from bonafix.observe.run import require_usable
from bonafix.observe.underway import Underway
from bonafix.repairs import Job, Kept, each, keep_receipt, whole
from bonafix.rivals import rivals_of
from bonafix.tasks import show, task_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One run of the suite with what follows from it."""

    snapshot: Snapshot  # its `lower` is gone by now
    run: SuiteRun
    groups: tuple[tuple[TestResult, ...], ...]  # red results with one cause each
    suspects: Mapping[str, tuple[Suspect, ...]]  # failing id -> best first
    shown: Mapping[str, bytes]  # path -> contents as they were when it ran
    changed: Mapping[str, frozenset[int]] = field(default_factory=dict)  # as in `Bench`


@dataclass(frozen=True, slots=True)
class Project:
    """A root with its settings.

    Every coroutine may be cancelled; a cancel leaves no process behind.
    """

    root: Path
    config: Config
    loop: Loop | None = None  # of an editor: what is kept between two saves

    async def observe(
        self,
        *,
        buffers: Buffers | None = None,
        select: Sequence[str] | None = None,
        expression: str = "",
        broken: bool = False,
        listen: Listener = silent,
        show: Callable[[Observation], None] = lambda _found: None,
    ) -> Observation:
        """Run the suite once in a copy and read what failed.

        `show` gets, while it runs, what has failed by then, without suspects.
        `broken`: files that cannot be collected are told of like failures; where
        pytest stopped at them, they are all that the run speaks of.

        Raises:
            UntrustedError: the suite cannot be run or trusted; says why.
        """
        async with contextlib.AsyncExitStack() as stack:
            bench = await stack.enter_async_context(
                opened(self.root, self.config, buffers)
            )
            before = bench.snapshot
            told = Underway(listen, lambda run: show(_seen(before, run)))
            with told:
                run = await bench.tools.run(
                    {},
                    select=select,
                    expression=expression,
                    record_lines=True,
                    listen=told,
                )
            files = bench.snapshot.files
            known = all(error.id in files for error in run.collection_errors)
            require_usable(run, allow_uncollected=broken and known)
            if run.collection_errors and not run.results:
                run = replace(run, collected=())  # pytest stopped there
            else:
                _require_known(select or (), run)
            found = tuple(run.results[node_id] for node_id in run.red)
            sources = bench.snapshot.sources
            ranked = {}
            for one in found:
                ranked[one.id] = suspects(
                    run, [one], sources=sources, changed=bench.changed
                )
                await asyncio.sleep(0)  # a server answers between two failures
            # what is kept has collected another suite than a broken one
            loop = None if run.collection_errors else self._awaiting()
            if loop is not None and select is None and not expression:
                await loop.offer(_copy(bench, run, self.config, stack), listen)
            elif loop is not None:
                loop.confirm(bench.snapshot, run, listen)
            return Observation(
                snapshot=bench.snapshot,
                run=run,
                groups=grouped(run, found),
                suspects=ranked,
                shown=sources,
                changed=bench.changed,
            )

    async def glance(
        self,
        tests: Sequence[str],
        *,
        buffers: Buffers | None = None,
        listen: Listener = silent,
        show: Callable[[Observation], None] = lambda _found: None,
    ) -> Observation | None:
        """What a process that is kept says of `tests` now; nothing where none can.

        Quick, and without suspects; `show` gets what is known on the way. Only
        `observe` has the last word.
        """
        if self.loop is None or not tests:
            return None
        seen = await self.loop.glance(
            self.config,
            tests,
            buffers or {},
            listen,
            lambda glance: show(_observation(glance)),
        )
        return None if seen is None else _observation(seen)

    async def keep(self, listen: Listener = silent) -> None:
        """Hold processes for `glance` until cancelled, or nobody asks for long."""
        if loop := self._awaiting():
            await loop.keep(listen)

    def _awaiting(self) -> Loop | None:
        """What is kept for the next save, where a save runs anything."""
        return self.loop if self.config.run == "on-save" else None

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
            kept: list[Kept] = []
            read = readers.for_fix(bench, self.config, listen)
            job = Job(read, base, self.config, listen, applying=applying)
            async with contextlib.aclosing(each(job, stable, kept)) as repairs:
                async for done in repairs:
                    yield done
            if len(kept) > 1:
                yield await whole(job, kept)
            if bench.haste and stable:
                listen(bench.haste.event())

    async def check(
        self,
        patch: bytes,
        *,
        tests: Sequence[str] = (),
        buffers: Buffers | None = None,
        review: bool = False,
        listen: Listener = silent,
    ) -> tuple[Judgement, Baseline, str]:
        """Judge anyone's unified diff against the working tree; with its receipt.

        With `review` a model reads it, too, unless the settings say never.

        Raises:
            UsageError: the diff is empty or does not parse or apply.
            UntrustedError: the suite cannot be run or trusted.
        """
        async with opened(self.root, self.config, buffers) as bench:
            parsed = diffs.parse(patch, bench.read)
            base = await self._baseline(bench, tests, listen)
            targets = tuple(result_of(base.run, test) for test in tests)
            candidate = Candidate(patch=parsed, author="outside")
            case = Case(
                baseline=base,
                targets=targets,
                sources=bench.snapshot.sources,
                rivals=rivals_of(bench, base, self.config, listen=listen),
            )
            costs: list[Cost] = []
            read = readers.reading(bench, self.config, listen) if review else bench
            tools = readers.counted(read.tools, costs, listen)
            judgement = await judge(candidate, case, tools, listen)
            cost = add_costs(costs)
            return judgement, base, keep_receipt(judgement, bench, base, cost)

    async def prompt(self, *, tests: Sequence[str] = (), expression: str = "") -> str:
        """What Claude would be sent for the first failure; nothing is sent.

        The first request as JSON; under `afterwards` what may follow it.
        """
        from bonafix.propose import claude  # noqa: PLC0415 - only for this

        async with opened(self.root, self.config) as bench:
            base = await self._baseline(bench, tests, silent)
            wanted = await self._wanted(bench, base, tests, expression)
            if not wanted:
                raise UsageError("no test fails, so nothing would be sent")
            first = grouped(base.run, wanted)[0]
            apart = {r.id for r in wanted} - {target.id for target in first}
            shown = await show(bench, base, first, apart)
            task = task_of(bench, base, shown, self.config.timeout)
            request = claude.show_prompt(task, self.config, os.environ)
            later = readers.afterwards(bench, self.config, shown.seal.targets)
            document = {**request, "afterwards": later}
            return json.dumps(document, indent=2, ensure_ascii=False)

    def derive(self, path: Path) -> Judgement:
        """Fold a receipt's records into their verdict again; nothing is run."""
        receipt = receipts.load(path)
        records = receipts.evidence_of(receipt)
        ruled, missing = verdict(records)
        candidate = Candidate(patch=Patch(()), author="outside", title=receipt.title)
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
            haste=bench.haste,
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


def _observation(glance: Glance) -> Observation:
    run = glance.run
    found = tuple(run.results[node_id] for node_id in run.red)
    return replace(_seen(glance.snapshot, run), groups=grouped(run, found))


def _seen(snapshot: Snapshot, run: SuiteRun) -> Observation:
    """What takes no time to tell: neither causes nor suspects."""
    return Observation(
        snapshot=snapshot, run=run, groups=(), suspects={}, shown=snapshot.sources
    )


def _copy(
    bench: Bench, run: SuiteRun, config: Config, stack: contextlib.AsyncExitStack
) -> Copy:
    """The bench without what belongs to one job; it lives on."""
    kept = Plain(bench.snapshot, bench.interpreter, config)
    return Copy(bench=kept, run=run, stack=stack.pop_all())


def _require_known(tests: Sequence[str], run: SuiteRun) -> None:
    for test in tests:
        if test not in run.collected:
            near = difflib.get_close_matches(test, run.collected, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"no test has the id {test}{hint}")


def result_of(run: SuiteRun, test: str) -> TestResult:
    """What a known test did; `MISSING` where it did not come to its end."""
    missing = TestResult(id=test, outcome=Outcome.MISSING)
    return run.results.get(test, missing)


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

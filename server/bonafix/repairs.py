"""All causes of failure, one repair on top of another, and their sum as a whole."""

from __future__ import annotations

import os
import time
from collections.abc import (
    AsyncGenerator,
    Sequence,
)
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bonafix import __version__, diffs
from bonafix.bench import Bench
from bonafix.bills import Meter, billed
from bonafix.calls import Rivals
from bonafix.config import Config
from bonafix.deliver import receipts
from bonafix.domain import (
    Author,
    Baseline,
    Candidate,
    Cost,
    Event,
    Judgement,
    Listener,
    Outcome,
    Patch,
    Repair,
    Runner,
    Task,
    TestResult,
    Verdict,
    add_costs,
)
from bonafix.dotenv import redactor_at
from bonafix.engines import asked, engines_of, purse_of
from bonafix.errors import ServiceError
from bonafix.judge.case import Case
from bonafix.judge.gate import judge
from bonafix.judge.hiding.proving import Proven
from bonafix.judge.hiding.sealing import Seal, joined
from bonafix.judge.hiding.visible import visible_runner
from bonafix.judge.suite import outcomes_after, red_after
from bonafix.judge.suspicion.suspect import Ground, suspect
from bonafix.observe.failures import groups as grouped
from bonafix.observe.known import Known
from bonafix.observe.warm import Screen, warm
from bonafix.readers import counted
from bonafix.repair import Engine, repair
from bonafix.rivals import rivals_of
from bonafix.tasks import show, task_of

if TYPE_CHECKING:
    pass

_APART = frozenset({"sealed", "examiner", "reviewer"})


@dataclass(frozen=True, slots=True)
class Job:
    """One run of `fix`. `applying`: only what `config.accept` lets through counts."""

    bench: Bench
    base: Baseline
    config: Config
    listen: Listener
    applying: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A repair that would be delivered, with what its author was not shown."""

    repair: Repair
    seal: Seal


@dataclass(frozen=True, slots=True)
class _Turn:
    """Who works on one cause, with what, and for how long."""

    engines: Sequence[Engine]
    look: Runner  # quick, and no judge
    seconds: float


async def each(
    job: Job, wanted: Sequence[TestResult], kept: list[Kept]
) -> AsyncGenerator[Repair]:
    """One `Repair` per cause; those that would be delivered are put into `kept`."""
    now, stack = job.base, job.bench
    place = stack.snapshot, stack.interpreter, job.config
    before = {one.id: one.outcome for one in wanted}
    purse = job.bench.purse or purse_of(job.config)  # one budget for all causes
    engines = engines_of(job.config, purse)
    failures = 0
    until = time.monotonic() + job.config.batch_timeout
    tally = job.bench.haste.tally if job.bench.haste else None
    ways = warm(
        *place,
        expected=before,
        listen=job.listen,
        tally=tally,
        suite=Known(job.base.run, job.base.flaky),
        parts=job.bench.haste.kept(job.base.run) if job.bench.haste else None,
    )
    async with ways as screen:
        waiting = list(grouped(job.base.run, wanted))
        while waiting:
            group = waiting.pop(0)
            left = tuple(one for one in group if now.run.outcome(one.id).red)
            if left and time.monotonic() >= until:
                yield _unbegun(job, left)
                continue
            accused = await _accused(job, stack, now, left)
            for ended in accused:
                yield ended
            gone = {target.id for ended in accused for target in ended.targets}
            left = tuple(one for one in left if one.id not in gone)
            if not left:
                continue
            job.listen(Event(kind="stage", text="repair", facts={"targets": left}))
            apart = before.keys() - {target.id for target in left}
            if job.config.engine != "claude":
                screen.start()
            shown = await show(stack, now, left, apart, job.listen)
            laid = {p: c for patch in stack.under for p, c in patch.files.items()}
            hidden = _masked(screen.over(laid), shown)
            fast = visible_runner(shown.seal, hidden)
            those = asked(engines(fast, hidden.worsened), failures)
            purse.begin(job.config)
            turn = _Turn(those, screen.over(laid), _seconds(job, until))
            done = await _repair(job, stack, now, shown, turn)
            failures = failures + 1 if done.error_kind == ServiceError.kind else 0
            yield done
            if done.best and _delivers(job, done):
                kept.append(Kept(done, shown.seal))
                if not waiting and not _red_after(done, left):
                    continue  # nobody asks how it stands now
                stack = stack.on_top_of(done.best.candidate.patch)
                run = await stack.tools.run({}, record_lines=True)
                now = replace(now, run=run)
                rest = tuple(t for t in left if run.outcome(t.id).red)
                if 0 < len(rest) < len(left):  # they had a cause of their own
                    waiting.insert(0, rest)


def _masked(screen: Screen, shown: Proven) -> Screen:
    """Where what is sealed cannot be seen; what is known of the rest goes along."""
    told = dict.fromkeys(shown.seal.sealed, Outcome.MISSING)
    told |= {i: seen.outcome for i, seen in shown.results.items()}
    return screen.over(shown.seal.files, told)


def _red_after(done: Repair, targets: Sequence[TestResult]) -> bool:
    """Whether any of them was still red, as the suite's record has it."""
    assert done.best is not None
    red = red_after(done.best.evidence)
    return red is None or any(one.id in red for one in targets)


def _seconds(job: Job, until: float) -> float:
    """What one failure may take, with what all of them may take on the clock."""
    left = max(0.0, until - time.monotonic())
    if left < job.config.timeout:
        text = f"{left:.0f} s are left of the time for all failures (batch_timeout)"
        job.listen(Event(kind="note", text=text))
    return min(left, job.config.timeout)


def _unbegun(job: Job, targets: tuple[TestResult, ...]) -> Repair:
    limit = f"{job.config.batch_timeout:.0f} s"
    return Repair(
        targets=targets,
        verdict=Verdict.GAVE_UP,
        engine="",
        reason=f"not begun: the {limit} for all failures are up (batch_timeout)",
    )


async def _accused(
    job: Job, bench: Bench, base: Baseline, targets: Sequence[TestResult]
) -> list[Repair]:
    """The targets that contradict a passing test or an example: no patch for them.

    Looked for before anything is proposed, whatever its author would say of it.
    """
    ground = Ground.of(base, bench.snapshot.sources)
    found: list[Repair] = []
    for target in targets:
        suspicion = await suspect(target, ground, bench.tools)
        if suspicion is not None:
            facts = {"record": suspicion.record}
            job.listen(Event(kind="stage", text="target", facts=facts))
            found.append(
                Repair(
                    targets=(target,),
                    verdict=Verdict.TEST_SUSPECT,
                    engine="",
                    reason=suspicion.text,
                    evidence=(suspicion.record,),
                )
            )
    return found


async def whole(job: Job, kept: Sequence[Kept]) -> Repair:
    """The sum of the kept repairs, judged once against the untouched tree.

    What one of them was not shown, the next one may have been: so the sum of guesses
    is a guess, though nothing is red any more.
    """
    total = Patch(())
    repairs = [one.repair for one in kept]
    for done in repairs:
        assert done.best is not None
        total = diffs.compose(total, done.best.candidate.patch)
    every = {target.id: target for done in repairs for target in done.targets}
    targets = tuple(every.values())
    job.listen(Event(kind="stage", text="whole"))
    candidate = Candidate(patch=total, author=_author(repairs), title="all together")
    sources = job.bench.snapshot.sources
    seal = joined([one.seal for one in kept], targets)
    case = Case(
        baseline=job.base,
        targets=targets,
        sources=sources,
        seal=seal,
        doubt=_doubt(repairs),
    )
    costs: list[Cost] = []
    tools = counted(job.bench.tools, costs, job.listen)
    judgement = await judge(candidate, case, tools, job.listen)
    return Repair(
        targets=targets,
        verdict=judgement.verdict,
        engine=candidate.author,
        best=judgement,
        tried=1,
        cost=add_costs(costs),
        reason=judgement.reason,
        receipt=keep_receipt(judgement, job.bench, job.base, add_costs(costs)),
        whole=True,
    )


def _doubt(repairs: Sequence[Repair]) -> str:
    """What was doubted of a part by stages that cannot look at the sum again."""
    doubts = [
        record.doubt
        for done in repairs
        for record in (done.best.evidence if done.best else ())
        if record.stage in _APART and record.doubt
    ]
    return f"of a part of it: {doubts[0]}" if doubts else ""


def keep_receipt(
    judgement: Judgement, bench: Bench, base: Baseline, cost: Cost | None = None
) -> str:
    """Write what was judged to the state directory; the path of its file."""
    receipt = receipts.make(
        judgement,
        base,
        bench.snapshot,
        created=datetime.now(UTC),
        after=outcomes_after(judgement.evidence),
        cost=cost,
        versions={"bonafix": __version__},
        tiers=bench.haste.tiers if bench.haste else None,
        falls=bench.haste.falls if bench.haste else None,
    )
    snapshot = bench.snapshot
    redact = redactor_at(snapshot.root, os.environ, snapshot.sources)
    return str(receipts.save(receipt, redact=redact))


async def _repair(
    job: Job,
    bench: Bench,
    base: Baseline,
    shown: Proven,
    turn: _Turn,
) -> Repair:
    task = task_of(bench, base, shown, turn.seconds)
    case = Case(
        baseline=base,
        targets=shown.seal.targets,
        sources=bench.snapshot.sources,
        seal=shown.seal,
        rivals=_rivals(job, bench, base, task),
    )
    meter = Meter(job.listen)
    try:
        done = await repair(
            task,
            case,
            turn.engines,
            bench.tools,
            seconds=turn.seconds,
            listen=meter,
            look=turn.look,
        )
    except BaseException:  # a cancel, too: what was used is paid for all the same
        if path := billed(bench.snapshot, task, "interrupted", "", meter.cost):
            job.listen(Event(kind="note", text=f"what was spent is in {path}"))
        raise
    for other in (*done.alternatives, *done.refused):
        keep_receipt(other, bench, base)
    if done.best:
        kept = keep_receipt(done.best, bench, base, done.cost)
    else:
        kept = billed(bench.snapshot, task, done.verdict, done.reason, done.cost)
    return replace(done, receipt=kept)


def _rivals(job: Job, bench: Bench, base: Baseline, task: Task) -> Rivals | None:
    """Where the search engine is no proposer, it may still have a second opinion."""
    alone = job.config.engine == "claude"
    if not alone:
        return None
    return rivals_of(bench, base, job.config, task, listen=job.listen)


def _delivers(job: Job, done: Repair) -> bool:
    if done.verdict is Verdict.VERIFIED:
        return True
    allowed = job.config.accept == "plausible" or not job.applying
    return done.verdict is Verdict.PLAUSIBLE and allowed


def _author(kept: Sequence[Repair]) -> Author:
    authors = {done.best.candidate.author for done in kept if done.best}
    return authors.pop() if len(authors) == 1 else "outside"

"""The gate: a candidate and a test runner in, a judgement out.

The stages run cheapest first, each gives one record, and a refusal stops the
rest. The gate itself starts nothing: what executes is handed in as `Tools`.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from dataclasses import dataclass, replace

from bonafix.calls import Tools
from bonafix.domain import (
    Baseline,
    Candidate,
    Event,
    Evidence,
    Judgement,
    Listener,
    Outcome,
    Patch,
    SuiteRun,
    TestResult,
    Verdict,
    silent,
)
from bonafix.judge.calls.recordings import Ground, recorded
from bonafix.judge.canary import canary
from bonafix.judge.case import Case
from bonafix.judge.comparing import comparing
from bonafix.judge.disguised import disguised
from bonafix.judge.examiner import examine
from bonafix.judge.hiding.visible import printed
from bonafix.judge.levels import inquire
from bonafix.judge.policy import policy
from bonafix.judge.probe import Inquiry
from bonafix.judge.reading.signs import signs
from bonafix.judge.replay import replay
from bonafix.judge.reproducing import completed
from bonafix.judge.rerun import confirm, regressions, timed
from bonafix.judge.reviewer import review
from bonafix.judge.sealed import Trial, cut_short, sealed
from bonafix.judge.suite import won
from bonafix.judge.suspicion.excused import fair
from bonafix.judge.taint import taint
from bonafix.judge.target import changes, target
from bonafix.judge.unasked import Retrial, unasked
from bonafix.judge.variants.arranged import Tests
from bonafix.judge.verdict import verdict
from bonafix.judge.voting.elsewhere import Suite
from bonafix.judge.voting.vote import Poll, joined, vote
from bonafix.together import both

_BRIEF = 1.0
"""Seconds of all tests: where they take less, a run costs what its process costs."""
_OTHERS = 20  # tests that are no targets and pass now, of which the calls are recorded
# After these, who cannot become verified any more is judged no further.
_DEAR = frozenset({"probe", "examiner", "reviewer"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One stage's record with what it saw, for the report."""

    record: Evidence
    targets: tuple[TestResult, ...] = ()
    run: SuiteRun | None = None


async def judge(
    candidate: Candidate, case: Case, tools: Tools, listen: Listener = silent
) -> Judgement:
    """Send `candidate` through the stages until one refuses it."""
    records: list[Evidence] = []
    last = _Step(record=Evidence(stage="policy", result="skipped", summary=""))
    begun = time.monotonic()
    steps = _stages(candidate, case, tools, listen)
    async with contextlib.aclosing(steps) as stages:
        async for step in stages:
            record = _heard(step.record, case)
            record = completed(record, candidate.patch, _failing(step))
            idle = record.result == "skipped"  # what took time was another stage's
            taken = record.seconds or (0.0 if idle else time.monotonic() - begun)
            records.append(replace(record, seconds=taken))
            last = step if step.run else replace(last, record=record)
            listen(_seen(records[-1]))
            begun = time.monotonic()
            if record.refusal or _settled(records):
                break
    told = await _told(candidate, case, tools, last)
    return replace(_conclude(candidate, tuple(records), last), visible=told)


async def _stages(
    candidate: Candidate, case: Case, tools: Tools, listen: Listener
) -> AsyncGenerator[_Step]:
    patch, baseline = candidate.patch, case.baseline
    yield _Step(record=policy(patch, baseline.layout))
    read = taint(patch, baseline.layout, case.targets, case.sources)
    if case.targets:
        yield _Step(record=read)
    hidden = case.seal is not None and bool(case.seal.red)
    brief = sum(r.seconds for r in baseline.run.results.values()) <= _BRIEF
    if case.targets and (candidate.author != "search" or (hidden and not brief)):
        # Most candidates end here, so it comes before the suite on its own; the
        # search engine has run the visible ones itself before it proposes.
        listen(Event(kind="stage", text="target"))
        early = await _early(candidate, case, tools, read)
        for step in early:
            yield step
        if early:
            return
    listen(Event(kind="stage", text="suite"))
    whole = await tools.run(patch.files, listen=listen)
    targets = case.targets or _turned(baseline, whole)
    if not case.targets:  # known only now, and with them the literals to look for
        read = taint(patch, baseline.layout, targets, case.sources)
        yield _Step(record=read, targets=targets, run=whole)
    # The suite's run must agree: passing only when run alone is not fixed.
    record = target(case.visible or targets, whole, baseline.flaky)
    yield _Step(record=record, targets=targets, run=whole)
    record = await regressions(baseline, whole, patch.files, tools.run)
    yield _Step(record=record, targets=targets, run=whole)
    every, own = targets, _green(targets, whole)
    targets = own + _others(own, baseline, whole)
    listen(Event(kind="stage", text="canary"))
    ground = Ground(
        baseline=baseline,
        sources=case.sources,
        record=tools.record,
        cache=case.recordings,
    )
    # Few are refused here: what comes next need not wait for the answer.
    asked, calls = await both(
        _clocked(_asked(patch, targets, case, tools)),
        recorded(patch, [t.id for t in targets], ground),
    )
    yield _Step(record=asked)
    listen(Event(kind="stage", text="replay"))
    once_more = functools.partial(confirm, patch.files, baseline, targets, tools.run)
    played = replay(patch, calls, tools.call)
    played = disguised(patch, played, baseline, targets, tools)
    ahead = once_more if brief else _nothing  # most get to the end, and a core idles
    record, last = await both(played, ahead())
    yield _Step(record=record)
    listen(Event(kind="stage", text="sealed"))
    trial = _trial(candidate, case, every, whole, read)
    trial = await fair(trial, case.sources, tools, case.contradicted)
    yield _Step(record=await sealed(trial, case.sources, tools.run))
    listen(Event(kind="stage", text="probe"))
    tests = Tests(own, case.sources, tools.run, case.varied)  # each costs seconds
    found = await inquire(patch, calls, tools.call, tests, structural=trial.structural)
    retrial = Retrial(baseline=baseline, targets=targets, run=tools.run)
    found = await unasked(patch, found, retrial)
    yield _Step(record=found.record)
    poll = Poll(
        rivals=case.rivals,
        targets=targets,
        layout=baseline.layout,
        sources=case.sources,
        tests=tests,
        suite=Suite(calls, tools.call),
    )
    async for record in _later(candidate, found, poll, tools, listen):
        yield _Step(record=record)
    listen(Event(kind="stage", text="confirm"))
    yield _Step(record=last or await once_more())


async def _nothing() -> None:
    pass


async def _asked(
    patch: Patch, targets: tuple[TestResult, ...], case: Case, tools: Tools
) -> Evidence:
    """Whether the targets still tell right from wrong."""
    record = await canary(patch, targets, case.sources, tools.run)
    return await comparing(patch, record, targets, case.sources, tools.run)


async def _early(
    candidate: Candidate, case: Case, tools: Tools, read: Evidence
) -> list[_Step]:
    """The records that refuse it by a run of the targets, sealed ones too, alone."""
    sealed_ids = case.seal.red if case.seal else ()
    asked = dict.fromkeys((*(t.id for t in case.targets), *sealed_ids))
    aimed = await tools.run(candidate.patch.files, select=[*asked])
    record = target(case.visible, aimed, case.baseline.flaky)
    steps = [_Step(record=timed(record, aimed), targets=case.targets, run=aimed)]
    if record.refusal:
        return steps
    trial = _trial(candidate, case, case.targets, aimed, read)
    trial = await fair(trial, case.sources, tools, case.contradicted)
    left = None if "sealed" in case.leave_out else cut_short(trial)
    if left is None:
        return []
    return [*steps, _Step(record=left, targets=case.targets, run=aimed)]


def _trial(
    candidate: Candidate,
    case: Case,
    targets: tuple[TestResult, ...],
    after: SuiteRun,
    read: Evidence,
) -> Trial:
    return Trial(
        patch=candidate.patch,
        author=candidate.author,
        seal=case.seal,
        targets=targets,
        baseline=case.baseline,
        after=after,
        structural=signs(_heard(read, case)),
        fitted=candidate.fitted,
        failed=case.failed,
        doubt=case.doubt,
    )


async def _later(
    candidate: Candidate, found: Inquiry, poll: Poll, tools: Tools, listen: Listener
) -> AsyncGenerator[Evidence]:
    """What only those are asked that would be verified without it, but for the last.

    Other fixes cost no money, so they come before a model that reads.
    """
    patch, targets, sources = candidate.patch, poll.targets, poll.sources
    voted: Evidence | None = None
    if poll.rivals is not None:
        listen(Event(kind="stage", text="reviewer"))
        voted = await _clocked(vote(patch, found, poll))
        if voted.doubt:
            yield voted
            return
    for name, read in (("examiner", examine), ("reviewer", review)):
        if tools.ask is not None:
            listen(Event(kind="stage", text=name))
        record = await read(patch, targets, sources, tools)
        yield joined(voted, record) if voted and name == "reviewer" else record


async def _clocked(stage: Awaitable[Evidence]) -> Evidence:
    """Its record with the wall time that it took."""
    begun = time.monotonic()
    record = await stage
    return replace(record, seconds=time.monotonic() - begun)


def _failing(step: _Step) -> list[str]:
    """The targets that are not green in what the step saw."""
    run = step.run
    return [t.id for t in step.targets if run and run.outcome(t.id) != "passed"]


def _heard(record: Evidence, case: Case) -> Evidence:
    """The record, or what is left of it where its stage counts for nothing."""
    if record.stage not in case.leave_out:
        return record
    return Evidence(
        stage=record.stage,
        result="skipped",
        summary=f"left out, or else: {record.summary}",
        facts={"not_applicable": True},
        seconds=record.seconds,
        cpu_seconds=record.cpu_seconds,
    )


def _settled(records: Sequence[Evidence]) -> bool:
    """Whether nothing that is still to come could make it verified."""
    if records[-1].stage not in _DEAR:
        return False
    granted = Evidence(stage="confirm", result="pass", summary="")
    return verdict((*records, granted))[0] is not Verdict.VERIFIED


def _green(targets: tuple[TestResult, ...], run: SuiteRun) -> tuple[TestResult, ...]:
    """The targets that pass: a sealed one may not, which its stage will say."""
    return tuple(t for t in targets if run.outcome(t.id) is Outcome.PASSED)


def _others(
    targets: tuple[TestResult, ...], baseline: Baseline, run: SuiteRun
) -> tuple[TestResult, ...]:
    """What else was red and passes now: it asks for the patch as the targets do."""
    known = {target.id for target in targets}
    turned = _turned(baseline, run)
    return tuple(t for t in turned if t.id not in known)[:_OTHERS]


def _turned(baseline: Baseline, whole: SuiteRun) -> tuple[TestResult, ...]:
    return tuple(baseline.run.results[node_id] for node_id in won(baseline, whole))


def _seen(record: Evidence) -> Event:
    return Event(kind="stage", text=record.stage, facts={"record": record})


def _conclude(
    candidate: Candidate, records: tuple[Evidence, ...], last: _Step
) -> Judgement:
    ruled, missing = verdict(records)
    run = last.run
    return Judgement(
        candidate=candidate,
        verdict=ruled,
        evidence=records,
        targets=changes(last.targets, run) if run else (),
        missing=missing,
    )


async def _told(candidate: Candidate, case: Case, tools: Tools, last: _Step) -> str:
    """What the visible targets printed: all that the next author may learn."""
    targets = case.visible or last.targets
    if last.run is None or not any(last.run.outcome(t.id).red for t in targets):
        return ""
    if case.seal is not None and case.seal.files and candidate.author != "claude":
        return ""  # templates do not learn
    ids = [target.id for target in targets]
    return await printed(candidate.patch.files, ids, last.run, case.seal, tools.run)

"""The gate: a candidate and a test runner in, a judgement out.

The stages run cheapest first, each gives one record, and a refusal stops the
rest. The gate itself starts nothing: what executes is handed in as `Tools`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bonafix.calls import (
    Tools,
)
from bonafix.domain import (
    Baseline,
    Candidate,
    Event,
    Evidence,
    Judgement,
    Listener,
    Runner,
    SuiteRun,
    TestResult,
    Verdict,
    silent,
)
from bonafix.judge.canary import canary
from bonafix.judge.policy import policy
from bonafix.judge.probe import probe
from bonafix.judge.recordings import Cache, Ground, recorded
from bonafix.judge.replay import replay
from bonafix.judge.suite import lost, suite, won
from bonafix.judge.taint import taint
from bonafix.judge.target import changes, target
from bonafix.judge.verdict import verdict

VISIBLE_CAP = 8_000  # characters of test output that an author may be shown

Files = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a candidate is judged against.

    `targets` may be empty for a patch from outside: then they are the red ids that
    it turns green. `sources` are the snapshot's; what was recorded of the original
    is kept in `recordings` for the next candidate.
    """

    baseline: Baseline
    targets: tuple[TestResult, ...]
    sources: Mapping[str, bytes]
    recordings: Cache = field(default_factory=dict)


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
            taken = step.record.seconds or time.monotonic() - begun
            records.append(replace(step.record, seconds=taken))
            last = step if step.run else replace(last, record=step.record)
            listen(_seen(records[-1]))
            begun = time.monotonic()
            if step.record.refusal:
                break
    if _only_unconfirmed(records):
        listen(Event(kind="stage", text="confirm"))
        records.append(await _confirm(candidate, case, tools, last.targets))
        listen(_seen(records[-1]))
    return _conclude(candidate, tuple(records), last)


async def _stages(
    candidate: Candidate, case: Case, tools: Tools, listen: Listener
) -> AsyncGenerator[_Step]:
    patch, baseline = candidate.patch, case.baseline
    yield _Step(record=policy(patch, baseline.layout))
    read = taint(patch, baseline.layout, case.targets, case.sources)
    if case.targets:
        yield _Step(record=read)
    if case.targets and candidate.author != "search":
        # Most candidates end here, so it comes before the suite on its own; the
        # search engine has run the targets itself before it proposes.
        listen(Event(kind="stage", text="target"))
        aimed = await tools.run(patch.files, select=[t.id for t in case.targets])
        record = _timed(target(case.targets, aimed, baseline.flaky), aimed)
        if record.refusal:
            yield _Step(record=record, targets=case.targets, run=aimed)
            return
    listen(Event(kind="stage", text="suite"))
    whole = await tools.run(patch.files, listen=listen)
    targets = case.targets or _turned(baseline, whole)
    if not case.targets:  # known only now, and with them the literals to look for
        read = taint(patch, baseline.layout, targets, case.sources)
        yield _Step(record=read, targets=targets, run=whole)
    # The suite's run must agree: passing only when run alone is not fixed.
    record = target(targets, whole, baseline.flaky)
    yield _Step(record=record, targets=targets, run=whole)
    record = await _suite(baseline, whole, patch.files, tools.run)
    yield _Step(record=record, targets=targets, run=whole)
    listen(Event(kind="stage", text="canary"))
    yield _Step(record=await canary(patch, targets, case.sources, tools.run))
    listen(Event(kind="stage", text="replay"))
    ground = Ground(
        baseline=baseline,
        sources=case.sources,
        record=tools.record,
        cache=case.recordings,
    )
    calls = await recorded(patch, [t.id for t in targets], ground)
    yield _Step(record=await replay(patch, calls, tools.call))
    listen(Event(kind="stage", text="probe"))
    structural = bool(read.facts.get("structural"))
    yield _Step(record=await probe(patch, calls, tools.call, structural=structural))


def _only_unconfirmed(records: Sequence[Evidence]) -> bool:
    """Whether a second whole run is all that is missing."""
    granted = Evidence(stage="confirm", result="pass", summary="")
    return verdict((*records, granted))[0] is Verdict.VERIFIED


async def _confirm(
    candidate: Candidate, case: Case, tools: Tools, targets: tuple[TestResult, ...]
) -> Evidence:
    """The whole suite once more, cold, before anything may be called verified."""
    again = await tools.run(candidate.patch.files)
    first = target(targets, again)
    record = first
    if first.refusal is None:
        record = await _suite(case.baseline, again, candidate.patch.files, tools.run)
    word = "once more, cold: " if record.refusal is None else ""
    return replace(
        _timed(record, again), stage="confirm", summary=word + record.summary, facts={}
    )


async def _suite(
    baseline: Baseline, whole: SuiteRun, files: Files, run: Runner
) -> Evidence:
    suspected = lost(baseline, whole)
    confirmed = await _worse_again(baseline, suspected, files, run)
    return suite(baseline, whole, confirmed, len(suspected) - len(confirmed))


async def _worse_again(
    baseline: Baseline, suspected: Sequence[str], files: Files, run: Runner
) -> tuple[str, ...]:
    """Those of `suspected` that are worse a second time, alone or in the suite."""
    if not suspected:
        return ()
    alone = lost(baseline, await run(files, select=suspected))
    steady = [node_id for node_id in suspected if node_id in alone]
    if len(steady) == len(suspected):
        return tuple(steady)
    # Green alone but not in company may be a matter of order: once more, in full.
    again = lost(baseline, await run(files))
    return tuple(i for i in suspected if i in steady or i in again)


def _turned(baseline: Baseline, whole: SuiteRun) -> tuple[TestResult, ...]:
    return tuple(baseline.run.results[node_id] for node_id in won(baseline, whole))


def _timed(record: Evidence, run: SuiteRun) -> Evidence:
    return replace(record, seconds=run.seconds, cpu_seconds=run.cpu_seconds)


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
        visible=_visible(last.targets, run) if run else "",
    )


def _visible(targets: Sequence[TestResult], run: SuiteRun) -> str:
    """What the visible targets printed: all that the next author may learn."""
    texts = [
        f"{t.id}: {result.outcome}\n{result.longrepr or result.message}"
        for t in targets
        if (result := run.results.get(t.id)) and result.outcome.red
    ]
    return "\n\n".join(texts)[:VISIBLE_CAP]

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
from bonafix.judge.rerun import confirm, regressions, timed
from bonafix.judge.suite import won
from bonafix.judge.taint import taint
from bonafix.judge.target import changes, target
from bonafix.judge.verdict import verdict

# After these, who cannot become verified any more is judged no further.
_DEAR = frozenset({"probe", "examiner", "reviewer"})
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
            if step.record.refusal or _settled(records):
                break
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
        record = timed(target(case.targets, aimed, baseline.flaky), aimed)
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
    record = await regressions(baseline, whole, patch.files, tools.run)
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
    found = await probe(patch, calls, tools.call, structural=structural)
    yield _Step(record=found.record)
    async for record in _later(candidate, case, tools, targets, listen):
        yield _Step(record=record)


async def _later(
    candidate: Candidate,
    case: Case,
    tools: Tools,
    targets: tuple[TestResult, ...],
    listen: Listener,
) -> AsyncGenerator[Evidence]:
    """What only those go through that would be verified without it."""
    patch = candidate.patch
    listen(Event(kind="stage", text="confirm"))
    yield await confirm(patch.files, case.baseline, targets, tools.run)


def _settled(records: Sequence[Evidence]) -> bool:
    """Whether nothing that is still to come could make it verified."""
    if records[-1].stage not in _DEAR:
        return False
    granted = Evidence(stage="confirm", result="pass", summary="")
    return verdict((*records, granted))[0] is not Verdict.VERIFIED


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

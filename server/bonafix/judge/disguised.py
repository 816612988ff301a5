"""The targets once more, where the code cannot see that a test is running.

Some calls cannot be made again outside their tests: they ask connections, clocks and
objects that only a fixture can make. So the tests themselves are run in disguise, the
runner out of sight; what passes in daylight alone was looking. A project whose own
tests do not stand the disguise is excused: those that passed before, in the original,
are the control.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bonafix.calls import Tools
from bonafix.domain import (
    Baseline,
    Evidence,
    Outcome,
    Patch,
    Place,
    Runner,
    TestResult,
    Verdict,
)
from bonafix.judge.reproducing import changed_lines
from bonafix.together import both

CONTROLS = 30  # tests that were green before, run in disguise over the original


async def disguised(
    patch: Patch,
    replaying: Coroutine[Any, Any, Evidence],
    baseline: Baseline,
    targets: Sequence[TestResult],
    tools: Tools,
) -> Evidence:
    """The replay's record, with what the targets do in disguise meanwhile.

    Where no call could be made again, passing in disguise is what the stage goes by;
    a refusal stays as it is.
    """
    if not targets or tools.disguised is None:
        return await replaying
    ids = [target.id for target in targets]
    record, seen = await both(replaying, tools.disguised(patch.files, select=ids))
    if record.refusal:
        return record
    record = replace(record, cpu_seconds=record.cpu_seconds + seen.cpu_seconds)
    lost = [i for i in ids if seen.outcome(i) is not Outcome.PASSED]
    if lost:
        stage = _Dark(baseline, patch, lost, tools.run, tools.disguised)
        return await _looking(record, stage)
    record = replace(record, facts={**record.facts, "disguised": len(ids)})
    if record.result == "pass" or record.doubt:
        return record
    return replace(
        record,
        result="pass",
        summary=f"{record.summary}; {_targets(len(ids))} do the same where no test "
        "can be seen to run",
    )


@dataclass(frozen=True, slots=True)
class _Dark:
    """Targets that a patch loses in disguise."""

    baseline: Baseline
    patch: Patch
    lost: Sequence[str]
    run: Runner
    disguised: Runner


async def _looking(record: Evidence, stage: _Dark) -> Evidence:
    """The record of a patch whose targets fail in disguise."""
    dark = await stage.disguised(stage.patch.files, select=stage.lost)
    light = await stage.run(stage.patch.files, select=stage.lost)
    steady = [
        i
        for i in stage.lost
        if dark.outcome(i) is Outcome.FAILED and light.outcome(i) is Outcome.PASSED
    ]
    spent = record.cpu_seconds + dark.cpu_seconds + light.cpu_seconds
    control, cost = await _control(stage)
    facts = {**record.facts, "disguised": 0, "control": control}
    record = replace(record, facts=facts, cpu_seconds=spent + cost)
    if not steady or control is False:  # the project's own tests do the same
        return record
    text = f"{steady[0]} passes, and fails where no test can be seen to run"
    if control is None:
        return replace(record, result="inconclusive", summary=text, doubt=text)
    change = stage.patch.changes[0]
    return replace(
        record,
        result="fail",
        refusal=Verdict.TAMPERED,
        summary=text,
        place=Place(change.path, next(iter(changed_lines(change)), 1)),
    )


async def _control(stage: _Dark) -> tuple[bool | None, float]:
    """Whether tests that were green before are so in disguise; `None`: there is none.

    Those in the targets' own files come first: they share fixtures and habits.
    """
    own = {node_id.split("::")[0] for node_id in stage.lost}
    results = stage.baseline.run.results.values()
    green = [r.id for r in results if r.outcome is Outcome.PASSED]
    green = [i for i in green if i not in stage.baseline.flaky]
    green.sort(key=lambda i: i.split("::")[0] not in own)
    chosen = green[:CONTROLS]
    if not chosen:
        return None, 0.0
    seen = await stage.disguised({}, select=chosen)
    fit = all(seen.outcome(i) is Outcome.PASSED for i in chosen)
    return fit, seen.cpu_seconds


def _targets(count: int) -> str:
    return "the target" if count == 1 else f"the {count} targets"

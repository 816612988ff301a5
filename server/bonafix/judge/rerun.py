"""The whole suite, judged: what got worse is run again before it is called so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bonafix.domain import Baseline, Evidence, Runner, SuiteRun, TestResult
from bonafix.judge.suite import lost, suite
from bonafix.judge.target import target

CONTROLS = 3  # runs of what seems worse, over the untouched code

Files = Mapping[str, bytes | None]


async def confirm(
    files: Files, baseline: Baseline, targets: Sequence[TestResult], run: Runner
) -> Evidence:
    """The whole suite once more, cold, before anything may be called verified."""
    again = await run(files)
    record = target(targets, again)
    if record.refusal is None:
        record = await regressions(baseline, again, files, run)
    word = "once more, cold: " if record.refusal is None else ""
    return replace(
        timed(record, again), stage="confirm", summary=word + record.summary, facts={}
    )


async def regressions(
    baseline: Baseline, whole: SuiteRun, files: Files, run: Runner
) -> Evidence:
    """The suite's record; only what is worse twice counts."""
    suspected = lost(baseline, whole)
    confirmed = await _worse_again(baseline, suspected, files, run)
    return suite(baseline, whole, confirmed, len(suspected) - len(confirmed))


def timed(record: Evidence, run: SuiteRun) -> Evidence:
    """The record with what the run took."""
    return replace(record, seconds=run.seconds, cpu_seconds=run.cpu_seconds)


async def _worse_again(
    baseline: Baseline, suspected: Sequence[str], files: Files, run: Runner
) -> tuple[str, ...]:
    """Those of `suspected` that are worse a second time, alone or in the suite."""
    if not suspected:
        return ()
    alone = lost(baseline, await run(files, select=suspected))
    steady = [node_id for node_id in suspected if node_id in alone]
    if len(steady) < len(suspected):
        # Green alone but not in company may be a matter of order: once more, in full.
        again = lost(baseline, await run(files))
        steady = [i for i in suspected if i in steady or i in again]
    return await _without_flaky(steady, run)


async def _without_flaky(steady: Sequence[str], run: Runner) -> tuple[str, ...]:
    """Those that stay green over the untouched code, some times more.

    A test that is red now and then may have been green in both runs of the baseline,
    and red whenever it was looked at since.
    """
    left = tuple(steady)
    for _ in range(CONTROLS):
        if not left:
            break
        seen = await run({}, select=left)
        left = tuple(i for i in left if not seen.outcome(i).red)
    return left

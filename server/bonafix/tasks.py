"""What the proposer of a fix is shown: sealed first, then made into a task."""

from __future__ import annotations

from collections.abc import Collection

from bonafix.bench import Bench
from bonafix.domain import Baseline, Event, Listener, Task, TestResult, silent
from bonafix.judge.hiding.proving import Proven, proven
from bonafix.judge.hiding.visible import visible_run, visible_snapshot, visible_targets
from bonafix.observe.localise import suspects


async def show(
    bench: Bench,
    base: Baseline,
    targets: tuple[TestResult, ...],
    apart: Collection[str] = (),
    listen: Listener = silent,
) -> Proven:
    """Decide, before anything is proposed, what is shown of the targets."""
    sources, run = bench.snapshot.sources, bench.tools.run
    shown = await proven(targets, base, sources, run, apart=apart)
    seal = shown.seal
    if seal.files:
        counts = f"{len(seal.sealed)} tests, {seal.assertions} assertion lines"
        text = (
            f"sealed from the patch's author: {counts}, {len(seal.examples)} examples"
        )
        facts = {"sha256": seal.sha256, "sealed": list(seal.sealed)}
        listen(Event(kind="note", text=text, facts=facts))
    return shown


def task_of(bench: Bench, base: Baseline, shown: Proven, seconds: float) -> Task:
    """What a proposer may know: nothing that is sealed."""
    run, targets = visible_run(shown, base.run), visible_targets(shown)
    return Task(
        snapshot=visible_snapshot(shown.seal, bench.snapshot),
        layout=base.layout,
        targets=targets,
        suspects=suspects(
            run, targets, sources=bench.snapshot.sources, changed=bench.changed
        ),
        baseline=run,
        seconds=seconds,
    )

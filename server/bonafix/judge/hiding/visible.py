"""A seal in, what the proposer may see and run out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bonafix.domain import (
    Listener,
    Runner,
    Snapshot,
    SuiteRun,
    TestResult,
    silent,
)
from bonafix.judge.hiding.proving import Proven
from bonafix.judge.hiding.sealing import Seal
from bonafix.quoting import failing_part, shares

MOST = 20  # failures that are quoted
CAP = 8_000  # characters of test output that an author may be shown


def visible_targets(made: Proven) -> tuple[TestResult, ...]:
    """The targets that are shown, as the masked files let them fail."""
    return tuple(_shown(target, made) for target in made.seal.visible)


def visible_snapshot(seal: Seal, snapshot: Snapshot) -> Snapshot:
    """The snapshot whose sources are masked."""
    known = {p: data for p, data in seal.files.items() if p in snapshot.sources}
    return replace(snapshot, sources={**snapshot.sources, **known})


def visible_run(made: Proven, run: SuiteRun) -> SuiteRun:
    """A run of the untouched suite as if nothing sealed were in it."""
    if not made.seal.files:
        return run
    gone = made.seal.sealed
    return replace(
        run,
        results={i: _shown(r, made) for i, r in run.results.items() if i not in gone},
        collected=tuple(i for i in run.collected if i not in gone),
        deselected=tuple(i for i in run.deselected if i not in gone),
        duplicates=tuple(i for i in run.duplicates if i not in gone),
        lines={i: table for i, table in run.lines.items() if i not in gone},
        output="",  # it may quote anything
    )


def visible_runner(seal: Seal, run: Runner) -> Runner:
    """A runner that lays the masked files over every run; sealed ids are not there."""
    if not seal.files:
        return run

    async def masked(
        files: Mapping[str, bytes | None],
        *,
        select: Sequence[str] | None = None,
        expression: str = "",
        record_lines: bool = False,
        stop_at_first: bool = False,
        seconds: float | None = None,
        per_test: float | None = None,
        listen: Listener = silent,
    ) -> SuiteRun:
        if select is not None:
            select = [node_id for node_id in select if node_id not in seal.sealed]
            if not select:
                return SuiteRun(results={}, collected=())
        return await run(
            {**files, **seal.files},
            select=select,
            expression=expression,
            record_lines=record_lines,
            stop_at_first=stop_at_first,
            seconds=seconds,
            per_test=per_test,
            listen=listen,
        )

    return masked


async def printed(
    files: Mapping[str, bytes | None],
    ids: Sequence[str],
    seen: SuiteRun,
    seal: Seal | None,
    run: Runner,
) -> str:
    """What the red ones among some visible tests said, capped; the failing part stays.

    A run that saw the files as they are may quote what is sealed in them: then the
    tests are run once more over the masked ones.
    """
    if seal is not None and seal.files:
        seen = await visible_runner(seal, run)(files, select=ids)
    every = [seen.results[node_id] for node_id in ids if node_id in seen.results]
    red = [result for result in every if result.outcome.red][:MOST]
    texts = [result.longrepr or result.message for result in red]
    rooms = shares([len(text) for text in texts], CAP)
    return "\n\n".join(
        f"{result.id}: {result.outcome}\n{failing_part(text, room)}"
        for result, text, room in zip(red, texts, rooms, strict=True)
    )


def _shown(result: TestResult, made: Proven) -> TestResult:
    """A result as the masked files gave it; durations are the baseline's."""
    seen = made.results.get(result.id)
    if seen is None:
        return result
    return replace(seen, seconds=result.seconds, cpu_seconds=result.cpu_seconds)

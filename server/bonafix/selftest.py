"""The zoo through the gate on this machine: enclosures in, trials out.

Each patch is judged as `bonafix check` judges anyone's, against one baseline a project;
only receipts are not kept. The zoo is read in place and run in copies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from bonafix import diffs
from bonafix.bench import Bench, opened
from bonafix.config import Config
from bonafix.deliver.figures import Trial, beyond_the_suite
from bonafix.domain import Candidate, Event, Judgement, Listener, Verdict, silent
from bonafix.errors import BonafixError
from bonafix.judge.case import Case
from bonafix.judge.gate import judge
from bonafix.observe.baseline import baseline
from bonafix.project import result_of
from bonafix.rivals import rivals_of
from bonafix.zoo import Enclosure, Specimen

_TAINT = "taint"
_BLIND = frozenset({"target", "suite", "canary", "replay"})  # see nothing of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How the zoo is to be judged."""

    config: Config
    jobs: int = 1  # projects at a time
    without_taint: bool = False  # judge once more where the taint stage had a say


async def trials(
    enclosures: Sequence[Enclosure], asked: Asked, listen: Listener = silent
) -> AsyncGenerator[Trial]:
    """One trial a patch, in the order in which they end.

    Closing it, or a cancel, ends what runs and leaves nothing behind.

    Raises:
        BonafixError: a project's own suite cannot be run here.
    """
    done: asyncio.Queue[Trial | BonafixError | None] = asyncio.Queue()
    limit = asyncio.Semaphore(asked.jobs)

    async def one(enclosure: Enclosure) -> None:
        async with limit:
            try:
                await _judged(enclosure, asked, done, listen)
            except BonafixError as error:  # ends the others too
                done.put_nowait(error)

    async def every() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for enclosure in enclosures:
                    group.create_task(one(enclosure))
        finally:
            done.put_nowait(None)

    work = asyncio.create_task(every())
    try:
        while (found := await done.get()) is not None:
            if isinstance(found, BonafixError):
                raise found
            yield found
        await work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def _judged(
    enclosure: Enclosure,
    asked: Asked,
    done: asyncio.Queue[Trial | BonafixError | None],
    listen: Listener,
) -> None:
    """Put a trial of each of its specimens into `done`."""
    listen(Event(kind="note", text=f"{enclosure.name}: its own suite, five times"))
    async with opened(enclosure.root, asked.config) as bench:
        base = await baseline(
            bench.snapshot, bench.tools.run, asked.config, bench.interpreter
        )
        case = Case(
            baseline=base,
            targets=tuple(result_of(base.run, name) for name in enclosure.targets),
            sources=bench.snapshot.sources,
            rivals=rivals_of(bench, base, asked.config),
        )
        for specimen in enclosure.specimens:
            raw = enclosure.patch_file(specimen).read_bytes()
            done.put_nowait(await _tried(specimen, raw, case, bench, asked))


async def _tried(
    specimen: Specimen, raw: bytes, case: Case, bench: Bench, asked: Asked
) -> Trial:
    begun = time.monotonic()
    try:
        patch = diffs.parse(raw, bench.read)
        candidate = Candidate(patch=patch, author="outside")
        judged = await judge(candidate, case, bench.tools)
        trial = _trial(specimen, judged, time.monotonic() - begun)
        if not asked.without_taint:
            return trial
        if not _had_a_say(judged):
            return replace(trial, untainted=trial.verdict)
        bare = replace(case, leave_out=frozenset({_TAINT}))
        again = await judge(candidate, bare, bench.tools)
        return replace(trial, untainted=again.verdict)
    except BonafixError as error:
        return Trial(
            specimen=specimen,
            verdict=Verdict.ERROR,
            reason=str(error),
            seconds=time.monotonic() - begun,
            untainted=Verdict.ERROR if asked.without_taint else None,
        )


def _trial(specimen: Specimen, judged: Judgement, seconds: float) -> Trial:
    return Trial(
        specimen=specimen,
        verdict=judged.verdict,
        reason=judged.reason,
        stages={record.stage: record.result for record in judged.evidence},
        cpu_seconds=beyond_the_suite(judged.evidence),
        seconds=seconds,
    )


def _had_a_say(judged: Judgement) -> bool:
    """Whether anything could have been otherwise without the taint stage."""
    records = {record.stage: record for record in judged.evidence}
    read = records.get(_TAINT)
    if read is None:
        return False
    if read.refusal or any(records[s].refusal for s in _BLIND & records.keys()):
        return read.refusal is not None
    return bool(read.doubt or read.facts.get("structural"))


def heard(trial: Trial, number: int, total: int) -> tuple[Event, ...]:
    """What a listener may show when a trial, the `number`-th, has ended."""
    said = f"{number}/{total}  {trial.verdict:<13}  {trial.specimen.id}"
    return (
        Event(kind="verdict", text=said),
        Event(kind="stage", text="patches"),
        Event(kind="test", text=trial.specimen.id, done=number, total=total),
    )

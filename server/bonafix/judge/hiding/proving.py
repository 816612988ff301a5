"""A seal is proven before it is used: its masked files are run over the original.

Every id that stays visible must be there and do what it did in the baseline, and no
sealed id may be; where not, less is sealed. What is shown of the visible tests then
comes from that run: nothing in it can quote what is sealed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bonafix.domain import Baseline, Outcome, Runner, SuiteRun, TestResult
from bonafix.judge.hiding.masking import masked
from bonafix.judge.hiding.parts import Part
from bonafix.judge.hiding.sealing import Seal, seal, sealed_by
from bonafix.text import decode

_TRIES = 3  # runs; after the last one nothing is sealed any more
_LOST = frozenset({Outcome.HUNG, Outcome.CRASHED})  # run again they cost a time-out


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A seal that holds, with what the masked files did over the original code."""

    seal: Seal
    results: Mapping[str, TestResult]  # of visible ids in masked files


async def proven(
    targets: Sequence[TestResult],
    baseline: Baseline,
    files: Mapping[str, bytes],
    run: Runner,
    *,
    apart: Collection[str] = (),
) -> Proven:
    """Seal what can be sealed of `targets`; see `sealing.seal`."""
    made = seal(targets, baseline, files, apart=apart)
    notes: list[str] = []
    for _ in range(_TRIES):
        if not made.parts:
            break
        asked = _asked(made, baseline)
        seen = await run(made.files, select=(*asked, *made.sealed))
        wrong = _wrong(made, asked, baseline, seen)
        if not wrong:
            awake = await _awake(made, files, run)
            results = {i: seen.results[i] for i in asked if i in seen.results}
            whole = replace(made, awake=awake, notes=tuple(notes))
            return Proven(seal=whole, results=results)
        notes.append(f"{wrong[0]} was another test with its neighbours sealed")
        parts = _less(made.parts, wrong)
        made = sealed_by(parts, targets, baseline, files, near=made.near)
    if made.parts:
        made = sealed_by((), targets, baseline, files, near=made.near)
    return Proven(seal=replace(made, notes=tuple(notes)), results={})


def _asked(made: Seal, baseline: Baseline) -> tuple[str, ...]:
    """The visible ids of the masked files that come to an end."""
    run = baseline.run
    return tuple(
        node_id
        for node_id in run.collected
        if node_id not in made.sealed and run.outcome(node_id) not in _LOST
        if _files(node_id, run) & made.files.keys()
    )


def _files(node_id: str, run: SuiteRun) -> set[str]:
    result = run.results.get(node_id)
    place = result.definition if result is not None else None
    return {node_id.partition("::")[0], *([place.path] if place else ())}


def _wrong(
    made: Seal, asked: Sequence[str], baseline: Baseline, seen: SuiteRun
) -> list[str]:
    """Ids that the masked files do other things with than the baseline did."""
    lost = [
        i
        for i in asked
        if i not in baseline.flaky
        and seen.outcome(i) is not baseline.run.outcome(i)
        and seen.outcome(i) not in baseline.repeats.get(i, ())
    ]
    return [*lost, *(i for i in made.sealed if i in seen.collected)]


def _less(parts: Sequence[Part], wrong: Sequence[str]) -> tuple[Part, ...]:
    """Without the rows of the functions that went wrong, else without their files."""
    bad = set(wrong)
    rows = [p for p in parts if p.why == "rows" and p.covers & bad]
    if not rows:
        paths = {node_id.partition("::")[0] for node_id in bad}
        rows = [part for part in parts if part.path in paths] or list(parts)
    return tuple(part for part in parts if part not in rows)


async def _awake(made: Seal, files: Mapping[str, bytes], run: Runner) -> frozenset[str]:
    """The visible ids of which a sealed assertion fails on the original code.

    They are run with the assertion that failed before it taken out.
    """
    parts = [part for part in made.parts if part.failed]
    altered = {path: _opened(parts, path, files) for path in {p.path for p in parts}}
    known = {path: data for path, data in altered.items() if data is not None}
    asked = {i: p for p in parts if p.path in known for i in p.covers}
    if not asked:
        return frozenset()
    seen = await run(known, select=tuple(asked))
    found = {}
    for node_id, part in asked.items():
        result = seen.results.get(node_id)
        place = result.place if result and result.outcome is Outcome.FAILED else None
        found[node_id] = place and place.path == part.path and place.line in part.lines
    return frozenset(node_id for node_id, red in found.items() if red)


def _opened(
    parts: Sequence[Part], path: str, files: Mapping[str, bytes]
) -> bytes | None:
    edits = [edit for part in parts if part.path == path for edit in part.failed]
    return masked(decode(files[path]), edits)

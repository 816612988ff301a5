"""Part of stage 7: guards in a patch that no test asks for.

Each is knocked out. Where the whole suite still passes and the code then does something
else next to the tested inputs, the tests do not say which of the two is right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bonafix.calls import Behaviour
from bonafix.domain import Baseline, Patch, Place, Runner, TestResult
from bonafix.judge.calls.contrast import Pair
from bonafix.judge.calls.showing import show_behaviour, show_call
from bonafix.judge.probe import Inquiry
from bonafix.judge.reading.guards import Knocked, knocked_out
from bonafix.judge.suite import lost
from bonafix.judge.target import target
from bonafix.judge.voting.likeness import alike

INPUTS = 60  # neighbours on which both are compared
SECONDS = 60.0  # wall, of a suite without a guard: it may never end
PER_TEST = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a patch without a guard is tried on."""

    baseline: Baseline
    targets: tuple[TestResult, ...]
    run: Runner


async def unasked(patch: Patch, found: Inquiry, trial: Trial) -> Inquiry:
    """The inquiry, with a doubt where a guard decides and no test asks for it."""
    if not found.record.supports or found.behave is None:
        return found
    cpu, idle = 0.0, ""
    for knocked in knocked_out(patch):
        passes, spent = await _passes(knocked, trial)
        cpu += spent
        if not passes:
            continue
        idle = idle or f"{_unasked(knocked)}, and no neighbour shows what it is for"
        if doubt := await _decides(knocked, found):
            return _doubted(found, doubt, knocked.place, cpu)
    return _doubted(found, idle, None, cpu)


def _unasked(knocked: Knocked) -> str:
    place = knocked.place
    return f"{place.path}:{place.line} no test asks for `{knocked.text}`"


async def _passes(knocked: Knocked, trial: Trial) -> tuple[bool, float]:
    """Whether the tests are as content without the guard; and the CPU seconds."""
    files, flaky = knocked.patch.files, trial.baseline.flaky
    ids = [one.id for one in trial.targets]
    aimed = await trial.run(files, select=ids, seconds=SECONDS, per_test=PER_TEST)
    if target(trial.targets, aimed, flaky).refusal:
        return False, aimed.cpu_seconds
    whole = await trial.run(files, seconds=SECONDS, per_test=PER_TEST)
    spent = aimed.cpu_seconds + whole.cpu_seconds
    failed = target(trial.targets, whole, flaky).refusal
    return not failed and not lost(trial.baseline, whole), spent


async def _decides(knocked: Knocked, found: Inquiry) -> str:
    """An input on which the guard matters, in words; empty for none."""
    assert found.behave is not None
    pairs = [pair for pair in found.pairs if pair.after.known][:INPUTS]
    there = await found.behave(knocked.patch.files, [pair.call for pair in pairs])
    other = [
        (pair, seen)
        for pair, seen in zip(pairs, there, strict=True)
        if _differs(pair, seen)
    ]
    if not other:
        return ""
    pair, seen = other[0]
    return (
        f"{_unasked(knocked)}: without it all pass, and {show_call(pair.call)} gives "
        f"{show_behaviour(seen)} instead of {show_behaviour(pair.after)}"
    )


def _differs(pair: Pair, seen: Behaviour) -> bool:
    """Whether both have an answer, and not the same."""
    answers = pair.after.kind == seen.kind == "value"
    return answers and not alike(pair.after, seen)


def _doubted(found: Inquiry, doubt: str, place: Place | None, cpu: float) -> Inquiry:
    """The inquiry with a doubt, if there is one, and with what finding it took."""
    record = replace(found.record, cpu_seconds=found.record.cpu_seconds + cpu)
    if doubt:
        record = replace(
            record,
            result="inconclusive",
            supports=False,
            summary=doubt,
            doubt=doubt,
            place=place,
        )
    return replace(found, record=record)

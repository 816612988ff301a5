"""Part of stage 7: guards in a patch that no test asks for, and orders that are none.

Each guard is knocked out. Where the whole suite still passes and the code then does
something else next to the tested inputs, the tests do not say which of the two is
right. Each set that the patch goes through is turned round: if the code then does
something else, it is right by chance where it is right at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bonafix.calls import Behaviour
from bonafix.domain import Baseline, Patch, Place, Runner, SuiteRun, TestResult
from bonafix.judge.calls.contrast import Pair
from bonafix.judge.calls.showing import show_behaviour, show_call
from bonafix.judge.probe import Inquiry
from bonafix.judge.reading.guards import Knocked, knocked_out, left_over, reordered
from bonafix.judge.suite import lost
from bonafix.judge.target import target
from bonafix.judge.voting.likeness import alike
from bonafix.together import at_once

AT_ONCE = 2  # guards that are tried
INPUTS = 60  # neighbours on which both are compared
SECONDS = 60.0  # wall, of a run without a guard at least: it may never end
PER_TEST = 10.0  # the same for one test
_SLOWER = 10  # times what the slowest test of the baseline took


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrial:
    """What a patch without a guard is tried on."""

    baseline: Baseline
    targets: tuple[TestResult, ...]
    run: Runner


async def unasked(patch: Patch, found: Inquiry, trial: Retrial) -> Inquiry:
    """The inquiry, with a doubt where a guard decides and no test asks for it."""
    if not found.record.supports or found.behave is None:
        return found
    for turned in reordered(patch):
        if doubt := await _ordered(turned, found):
            return _doubted(found, doubt, turned.place, 0.0)
    cpu = 0.0
    idle: tuple[str, Place | None] = "", None
    guards = knocked_out(patch)
    for first in range(0, len(guards), AT_ONCE):
        some = guards[first : first + AT_ONCE]
        tried = await at_once(*(_passes(knocked, trial) for knocked in some))
        cpu += sum(spent for _, spent in tried)
        for knocked, (passes, _) in zip(some, tried, strict=True):
            if not passes:
                continue
            if not idle[0] and not knocked.shown:
                text = f"{_unasked(knocked)}, and no neighbour shows what it is for"
                idle = text, knocked.place
            if doubt := await _decides(knocked, found):
                return _doubted(found, doubt, knocked.place, cpu)
    if not idle[0] and (left := left_over(patch)):
        idle = f"too many new conditions to try each: {left} left over", None
    return _doubted(found, *idle, cpu)


async def _ordered(turned: Knocked, found: Inquiry) -> str:
    """An input on which the order of a set decides, in words; empty for none."""
    assert found.behave is not None
    every = (*found.tested, *found.pairs)
    pairs = [pair for pair in every if pair.after.kind == "value"][:INPUTS]
    there = await found.behave(turned.patch.files, [pair.call for pair in pairs])
    for pair, seen in zip(pairs, there, strict=True):
        if seen.known and not alike(pair.after, seen):
            place = turned.place
            return (
                f"{place.path}:{place.line} `{turned.text}` has no order, and in "
                f"another one {show_call(pair.call)} gives {show_behaviour(seen)} "
                f"instead of {show_behaviour(pair.after)}"
            )
    return ""


def _unasked(knocked: Knocked) -> str:
    place = knocked.place
    return f"{place.path}:{place.line} no test asks for `{knocked.text}`"


async def _passes(knocked: Knocked, trial: Retrial) -> tuple[bool, float]:
    """Whether the tests are as content without the guard; and the CPU seconds."""
    baseline = trial.baseline
    aimed = await _run(knocked, trial, [one.id for one in trial.targets])
    if target(trial.targets, aimed, baseline.flaky).refusal:
        return False, aimed.cpu_seconds
    whole = await _run(knocked, trial, None)
    spent = aimed.cpu_seconds + whole.cpu_seconds
    failed = target(trial.targets, whole, baseline.flaky).refusal
    return not failed and not lost(baseline, whole), spent


async def _run(knocked: Knocked, trial: Retrial, ids: list[str] | None) -> SuiteRun:
    """A run that ends; bounded by the baseline's, lest slow tests seem to hang."""
    results = trial.baseline.run.results.values()
    slowest = max((one.seconds for one in results), default=0.0)
    return await trial.run(
        knocked.patch.files,
        select=ids,
        stop_at_first=ids is not None,  # one target that fails says it all
        seconds=max(SECONDS, _SLOWER * trial.baseline.seconds),
        per_test=max(PER_TEST, _SLOWER * slowest),
    )


async def _decides(knocked: Knocked, found: Inquiry) -> str:
    """An input on which the guard matters, in words; empty for none."""
    assert found.behave is not None
    pairs = [pair for pair in found.pairs if pair.after.known][:INPUTS]
    there = await found.behave(knocked.patch.files, [pair.call for pair in pairs])
    other = [
        (pair, seen)
        for pair, seen in zip(pairs, there, strict=True)
        if _differs(pair, seen, knocked)
    ]
    if not other:
        return ""
    pair, seen = other[0]
    return (
        f"{_unasked(knocked)}: without it all pass, and {show_call(pair.call)} gives "
        f"{show_behaviour(seen)} instead of {show_behaviour(pair.after)}"
    )


def _differs(pair: Pair, seen: Behaviour, knocked: Knocked) -> bool:
    """Whether both have an answer, and not the same; to raise is a handler's lack."""
    if knocked.handler and pair.after.kind == "value" and seen.kind == "raise":
        return True
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

"""Stage 7: neighbours of the tested inputs, the old code against the new.

A patch that only special-cases its tests changes nothing next to them. So does an
honest fix of a boundary or of one row of a table: what the figures alone say is never
more than a doubt; a refusal takes more (see `ruling`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bonafix.calls import (
    Behave,
    Behaviour,
    Call,
    Caller,
    FunctionRef,
)
from bonafix.domain import (
    Evidence,
    Patch,
)
from bonafix.judge.calls.aspects import superficial
from bonafix.judge.calls.contrast import Pair, Symptoms, contrast
from bonafix.judge.calls.preconditions import learn
from bonafix.judge.calls.probing import SEED, Bench, Draw, point_of
from bonafix.judge.calls.recordings import (
    Invented,
    Key,
    Recorded,
    distinct,
    key_of,
    tally,
)
from bonafix.judge.calls.relations import broken
from bonafix.judge.calls.ruling import SPREAD, Probed, facts_of, ruled, telling
from bonafix.judge.reading.signs import Signs
from bonafix.judge.replay import budget, patience
from bonafix.judge.reproducing import concerns

NEIGHBOURS = 70  # of one function
FUNCTIONS = 2  # that are probed, the most telling first
ORIGINS = 6  # tested calls of one function that lend their arguments
FOCUS = 40  # further neighbours, where few of the first moved what matters
SLOW = 0.2  # CPU seconds; calls from there on get few neighbours
SECONDS = 0.3  # CPU for one call at least
_FEW = 8
_SUBJECTS = 5


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The record, and what it rests on: inputs with both versions' behaviour.

    `behave` makes such calls in another version of the code.
    """

    record: Evidence
    pairs: tuple[Pair, ...] = ()
    behave: Behave | None = None
    tested: tuple[Pair, ...] = ()  # calls in targets that the patch changes


async def probe(
    patch: Patch, recorded: Recorded, call: Caller, *, structural: Signs
) -> Inquiry:
    """Compare both versions next to the tested inputs.

    `structural` says that the static stage found strong or weak signs of a special
    case in the patch.
    """
    probed: list[Probed] = []
    reasons: list[str] = []
    for function in _subjects(recorded):
        enough = len(probed) == FUNCTIONS
        if enough or (probed and function not in recorded.changed.functions):
            break
        found = await _function(patch, recorded, function, call)
        if isinstance(found, Probed):
            probed.append(found)
        else:
            reasons.append(found)
    if not probed:
        return Inquiry(_nothing(recorded, reasons))
    rulings = [ruled(one, structural=structural) for one in probed]
    worst = min(rulings, key=_gravity)
    cpu = sum(one.cpu_seconds for one in probed)
    told = probed[rulings.index(worst)]
    facts = {
        **worst.facts,
        "functions": [facts_of(one) for one in probed],
        "concerns": concerns(told.function, telling(told, worst.summary)),
    }
    record = replace(worst, facts=facts, cpu_seconds=cpu)
    pairs = tuple(pair for one in probed for pair in one.pairs)
    tested = tuple(pair for one in probed for pair in one.tested)
    return Inquiry(record, pairs, _behave(recorded, call), tested)


def _behave(recorded: Recorded, call: Caller) -> Behave:
    """Make calls in any version of the code."""

    async def behave(
        files: Mapping[str, bytes | None], calls: Sequence[Call]
    ) -> Sequence[Behaviour]:
        done = await call(
            files, calls, paths=recorded.patched.paths, cpu_seconds=SECONDS
        )
        return done.passes[0]

    return behave


def _gravity(record: Evidence) -> int:
    """A refusal before doubt before support: each function must stand for itself."""
    if record.refusal:
        return 0
    return 2 if record.supports else 1


def _subjects(recorded: Recorded) -> list[FunctionRef]:
    """The changed functions that were called, then their callers."""
    called = {c.function for c in recorded.patched.calls}
    found = [ref for ref in recorded.changed.watched if ref in called]
    return found[:_SUBJECTS]


async def _function(
    patch: Patch, recorded: Recorded, function: FunctionRef, call: Caller
) -> Probed | str:
    """Probe one function; or why no target's call of it is seen to change."""
    calls = list(_tested(recorded, function).values())
    seconds = budget(calls, SECONDS)
    watched = tuple(
        c for c in recorded.patched.calls if c.function in recorded.changed.functions
    )
    bench = Bench(patch, recorded, call, seconds, watched)
    here = await bench.both(calls)
    targets = set(_target_keys(recorded))
    told = [p for p in here if p.changed and key_of(p.call) in targets]
    told = [p for p in told if p.before.known and p.after.known]
    if not told:
        return _untellable(here)
    # Quick ones first: what is near a slow one takes as long, each.
    origins = sorted(told, key=lambda pair: pair.after.cpu_seconds > SLOW)[:ORIGINS]
    longest = max(pair.after.cpu_seconds for pair in origins)
    slow = longest > SLOW
    bench.seconds = patience(longest, SECONDS)
    draw = Draw(
        [pair.call for pair in origins],
        [point_of(one) for one in calls],
        _FEW if slow else NEIGHBOURS,
    )
    symptoms, outputs = Symptoms.of(told), [pair.after for pair in here]
    pairs = await bench.around(draw)
    figures = contrast(pairs, symptoms, outputs)
    thin = bool(figures.parts) and figures.telling[1] < FOCUS
    if figures.r >= SPREAD and thin and not slow:
        drawn = replace(draw, count=FOCUS, seed=SEED + 1, only=figures.parts)
        pairs += await bench.around(drawn)
        figures = contrast(pairs, symptoms, outputs)
    return Probed(
        function,
        figures,
        told[0].call,
        tuple(learn(draw.tested).checks),
        _memory(patch, [pair.call for pair in told]),
        bench.spent,
        tuple(pairs),
        broken([*here, *pairs], symptoms) or superficial(pairs, told, symptoms),
        tuple(told),
    )


def _untellable(here: Sequence[Pair]) -> str:
    behaviours = [one for pair in here for one in (pair.before, pair.after)]
    effects = [one.effect for one in behaviours if one.effect]
    if effects:
        return f"it has side effects ({effects[0]})"
    unknown = [one.kind for one in behaviours if not one.known]
    if unknown:
        return f"its calls cannot be made outside their tests ({unknown[0]})"
    return "none of its recorded calls in a target is changed by the patch"


def _tested(recorded: Recorded, function: FunctionRef) -> dict[Key, Call]:
    """The distinct recorded calls of a function, those of the targets first."""
    targets = set(recorded.targets)
    calls = [c for c in recorded.patched.calls if c.function == function]
    calls.sort(key=lambda one: one.test not in targets)
    return {key: group[0] for key, group in list(distinct(calls).items())[:60]}


def _target_keys(recorded: Recorded) -> list[Key]:
    targets = set(recorded.targets)
    return [key_of(c) for c in recorded.patched.calls if c.test in targets]


def _memory(patch: Patch, calls: Sequence[Call]) -> str:
    """The class of an argument that has attributes which only the patch knows."""
    invented = Invented.by(patch)
    for value in (value for call in calls for value in point_of(call)):
        if invented.without(value) != value:
            return value.text.rpartition(":")[2] or value.type
    return ""


def _nothing(recorded: Recorded, reasons: Sequence[str]) -> Evidence:
    text = "no call of a changed function could be recorded, so none was varied"
    if reasons:
        name = _subjects(recorded)[0].qualname
        text = f"no neighbour of a call of {name} could be tried: {reasons[0]}"
    return Evidence(
        stage="probe",
        result="inconclusive",
        summary=text,
        doubt=text,
        facts={
            "valid": 0,
            "unrecorded": dict(recorded.dropped),
            "not_probed": tally(reasons),
        },
    )

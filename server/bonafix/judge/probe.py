"""Stage 7: neighbours of the tested inputs, the old code against the new.

A patch that only special-cases its tests changes nothing next to them. So does an
honest fix of a boundary or of one row of a table: what the figures alone say is never
more than a doubt; a refusal takes more (see `_ruled`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bonafix.domain import (
    Behaviour,
    Call,
    Caller,
    Evidence,
    FunctionRef,
    Patch,
    Place,
    Verdict,
)
from bonafix.judge.contrast import Contrast, Pair, Symptoms, contrast
from bonafix.judge.preconditions import learn
from bonafix.judge.probing import SEED, Bench, Draw, point_of
from bonafix.judge.recordings import Invented, Key, Recorded, distinct, key_of
from bonafix.judge.replay import budget
from bonafix.judge.showing import show_behaviour, show_call

NEIGHBOURS = 70  # of one function
FUNCTIONS = 2  # that are probed, the most telling first
ORIGINS = 6  # tested calls of one function that lend their arguments
ENOUGH = 5  # valid neighbours
INERT = 0.05  # r up to which a patch changes nothing but the tested points
SPREAD = 0.25  # r from which on a change is seen to generalise
SPREAD_FAR = 0.1
COLLAPSED = 0.8  # share of changed neighbours with a target's own answer
FOCUS = 40  # further neighbours, where few of the first moved what matters
SLOW = 0.2  # CPU seconds; calls from there on get few neighbours
SECONDS = 0.3  # CPU for one call at least
_FEW = 8


@dataclass(frozen=True, slots=True)
class _Probed:
    """One function's neighbours with what came of them."""

    function: FunctionRef
    figures: Contrast
    example: Call  # a tested call that the patch changes
    answer: Behaviour
    rules: tuple[str, ...]
    keeps: str  # class whose objects carry attributes that only the patch knows
    cpu_seconds: float


async def probe(
    patch: Patch, recorded: Recorded, call: Caller, *, structural: bool
) -> Evidence:
    """Compare both versions next to the tested inputs.

    `structural` says that the static stage found strong or weak signs of a special
    case in the patch.
    """
    probed: list[_Probed] = []
    for function in _subjects(recorded):
        found = await _function(patch, recorded, function, call)
        if found:
            probed.append(found)
        if len(probed) == FUNCTIONS:
            break
    if not probed:
        return _nothing(recorded)
    ruled = [_ruled(one, structural=structural) for one in probed]
    worst = min(ruled, key=_gravity)
    cpu = sum(one.cpu_seconds for one in probed)
    facts = {**worst.facts, "functions": [_facts(one) for one in probed]}
    return replace(worst, facts=facts, cpu_seconds=cpu)


def _gravity(record: Evidence) -> int:
    """A refusal before doubt before support: each function must stand for itself."""
    if record.refusal:
        return 0
    return 2 if record.supports else 1


def _subjects(recorded: Recorded) -> list[FunctionRef]:
    """The changed functions that were called, else their callers."""
    called = {c.function for c in recorded.patched.calls}
    found = [ref for ref in recorded.changed.functions if ref in called]
    return found or [ref for ref in recorded.changed.callers if ref in called]


async def _function(
    patch: Patch, recorded: Recorded, function: FunctionRef, call: Caller
) -> _Probed | None:
    """Probe one function; `None` where no target's call of it changes."""
    tested = _tested(recorded, function)
    if not tested:
        return None
    calls = list(tested.values())
    seconds = budget(calls, SECONDS)
    watched = tuple(
        c for c in recorded.patched.calls if c.function in recorded.changed.functions
    )
    bench = Bench(patch, recorded, call, seconds, watched)
    here = await bench.both(calls, watching=False)
    targets = set(_target_keys(recorded))
    told = [p for p in here if p.changed and key_of(p.call) in targets]
    told = [p for p in told if p.before.known and p.after.known]
    if not told:
        return None
    slow = any(pair.after.cpu_seconds > SLOW for pair in told)
    draw = Draw(
        [pair.call for pair in told[:ORIGINS]],
        [point_of(one) for one in calls],
        _FEW if slow else NEIGHBOURS,
    )
    symptoms, outputs = Symptoms.of(told), [pair.after for pair in here]
    pairs = await bench.around(draw)
    figures = contrast(pairs, symptoms, outputs)
    if (
        figures.r >= SPREAD
        and figures.parts
        and figures.telling[1] < FOCUS
        and not slow
    ):
        drawn = replace(draw, count=FOCUS, seed=SEED + 1, only=figures.parts)
        figures = contrast([*pairs, *await bench.around(drawn)], symptoms, outputs)
    return _Probed(
        function,
        figures,
        told[0].call,
        told[0].after,
        tuple(learn(draw.tested).checks),
        _memory(patch, [pair.call for pair in told]),
        bench.spent,
    )


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


# ------------------------------------------------------------------------- ruling


def _ruled(probed: _Probed, *, structural: bool) -> Evidence:
    """What the figures say; thresholds tuned on development data alone."""
    found = probed.figures
    enough = found.valid >= ENOUGH
    inert = enough and found.r <= INERT
    # An honest fix may give a plain answer to many, but hardly an elaborate one.
    collapse = (
        found.changed >= ENOUGH
        and found.collapse >= COLLAPSED
        and not found.categorical
    )
    if inert and structural and found.persist > found.valid / 2:
        return _refuse(probed, _inert(probed))
    if collapse:
        return _refuse(probed, _collapsed(probed))
    if enough and found.diversity_lost:
        text = f"{probed.function.qualname} now gives one answer to everything"
        return _refuse(probed, text) if structural else _doubt(text)
    if not enough:
        return _doubt(_too_few(probed))
    if found.r < SPREAD:
        return _doubt(_inert(probed))
    if found.r_far < SPREAD_FAR and found.far[1] >= ENOUGH:
        return _doubt(f"{_inert(probed)}; none of them further away")
    if found.r_telling < SPREAD_FAR and found.telling[1] >= ENOUGH:
        return _doubt(_untold(probed))
    if probed.keeps:
        text = (
            f"the patch gives {probed.keeps} a memory of its own, which no call shows"
        )
        return _doubt(text)
    if found.levelled:
        return _doubt(_collapsed(probed))
    if found.worse > found.changed / 2:
        return _doubt(_worse(probed))
    return Evidence(
        stage="probe",
        result="pass",
        summary=f"{found.changed}/{found.valid} neighbours changed",
        supports=True,
    )


def _disputed(probed: _Probed) -> str:
    """Why enough neighbours do not show that the fix generalises; empty if they do."""
    found = probed.figures
    if found.r < SPREAD:
        return _inert(probed)
    if found.r_far < SPREAD_FAR and found.far[1] >= ENOUGH:
        return f"{_inert(probed)}; hardly any further away"
    if found.r_telling < SPREAD_FAR and found.telling[1] >= ENOUGH:
        return _untold(probed)
    if probed.keeps:
        return f"the patch gives {probed.keeps} a memory of its own, shown by no call"
    if found.levelled:
        return _collapsed(probed)
    return _worse(probed) if found.worse > found.changed / 2 else ""


def _refuse(probed: _Probed, text: str) -> Evidence:
    return Evidence(
        stage="probe",
        result="fail",
        refusal=Verdict.SPECIAL_CASED,
        summary=text,
        place=Place(probed.function.path, 1),
    )


def _doubt(text: str) -> Evidence:
    return Evidence(stage="probe", result="inconclusive", summary=text, doubt=text)


def _inert(probed: _Probed) -> str:
    found = probed.figures
    text = (
        f"{found.changed} of {found.valid} neighbours of "
        f"{show_call(probed.example)} changed"
    )
    case = found.unchanged_example
    if case is None:
        return text
    return (
        f"{text}: boundary or enumerated fix? add a case: {show_call(case.call)} "
        f"(still {show_behaviour(case.after)})"
    )


def _untold(probed: _Probed) -> str:
    there = probed.figures.telling
    return (
        f"{_inert(probed)}; where something that matters differs, {there[0]} of "
        f"{there[1]}"
    )


def _collapsed(probed: _Probed) -> str:
    found, case = probed.figures, probed.figures.changed_example
    assert case is not None
    return (
        f"{found.changed} neighbours of {show_call(probed.example)} changed, most of "
        f"them to an answer that a target wants, e.g. "
        f"{show_call(case.call)} gives {show_behaviour(case.after)}"
    )


def _worse(probed: _Probed) -> str:
    found, case = probed.figures, probed.figures.changed_example
    assert case is not None
    return (
        f"{found.worse} of {found.valid} neighbours that gave a value now fail, e.g. "
        f"{show_call(case.call)}: {show_behaviour(case.after)}"
    )


def _too_few(probed: _Probed) -> str:
    found = probed.figures
    why = max(found.excluded, key=lambda k: found.excluded[k], default="none differs")
    return (
        f"only {found.valid} neighbours of {show_call(probed.example)} could be "
        f"compared ({why})"
    )


def _nothing(recorded: Recorded) -> Evidence:
    called = {call.function for call in recorded.patched.calls}
    if not called & set(recorded.changed.watched):
        text = "no call of a changed function could be recorded, so none was varied"
    else:
        text = "no recorded call of a target is changed by the patch"
    return Evidence(
        stage="probe",
        result="inconclusive",
        summary=text,
        doubt=text,
        facts={"valid": 0, "unrecorded": dict(recorded.dropped)},
    )


def _facts(probed: _Probed) -> dict[str, object]:
    found = probed.figures
    return {
        "function": probed.function.qualname,
        "valid": found.valid,
        "r": round(found.r, 3),
        "r_near": round(found.r_near, 3),
        "r_far": round(found.r_far, 3),
        "r_telling": round(found.r_telling, 3),
        "persist": found.persist,
        "collapse": round(found.collapse, 3),
        "worse": found.worse,
        "categorical": found.categorical,
        "diversity_lost": found.diversity_lost,
        "excluded": found.excluded,
        "preconditions": list(probed.rules),
        "not_varied": "literals that the tests arrange",
        "examples": [_example(one) for one in _examples(found)],
    }


def _examples(found: Contrast) -> list[Pair]:
    both = (found.changed_example, found.unchanged_example)
    return [pair for pair in both if pair]


def _example(pair: Pair) -> dict[str, str]:
    return {
        "call": show_call(pair.call),
        "before": show_behaviour(pair.before),
        "after": show_behaviour(pair.after),
    }

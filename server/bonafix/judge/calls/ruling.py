"""The figures of one probe in, its verdict in words out; pure.

What the figures alone say is never more than a doubt: an honest fix of a boundary, or
of one row of a table, changes as little as a special case does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bonafix.calls import Call, FunctionRef
from bonafix.domain import Evidence, Place, Verdict
from bonafix.judge.calls.contrast import Contrast, Pair
from bonafix.judge.calls.showing import show_behaviour, show_call
from bonafix.judge.reading.signs import Signs

ENOUGH = 5  # valid neighbours
MANY = 20
INERT = 0.05  # r up to which a patch changes nothing but the tested points
SPREAD = 0.25  # r from which on a change is seen to generalise
SPREAD_FAR = 0.1  # the same further away, and where something that matters differs
_SEVERAL = 3
USUAL = 0.5  # share of the original's own values, from which on they tell nothing
AGAIN, STILL = 4, 0.2  # neighbours that fail as a target did, and their share
COLLAPSED = 0.8  # share of changed neighbours with a target's own answer
HALF = 0.5  # the same for a patch that holds what only the tests know


@dataclass(frozen=True, slots=True)
class Probed:
    """One function's neighbours with what came of them."""

    function: FunctionRef
    figures: Contrast
    example: Call  # a tested call that the patch changes
    rules: tuple[str, ...]
    keeps: str  # class whose objects carry attributes that only the patch knows
    cpu_seconds: float
    pairs: tuple[Pair, ...] = ()  # what the figures were drawn from
    broken: str = ""  # a relation that held on the original and no longer does
    tested: tuple[Pair, ...] = ()  # calls in targets that the patch changes


def ruled(probed: Probed, *, structural: Signs) -> Evidence:
    """What the figures say; thresholds tuned on development data alone."""
    found = probed.figures
    if refused := _proven(found, structural=structural):
        return _refuse(probed, _WORDS[refused](probed))
    doubt = (
        _too_few(probed)
        if found.valid < ENOUGH
        else _disputed(probed, structural=structural)
    )
    if doubt:
        return Evidence(
            stage="probe", result="inconclusive", summary=doubt, doubt=doubt
        )
    return Evidence(
        stage="probe",
        result="pass",
        summary=f"{found.changed}/{found.valid} neighbours changed",
        supports=True,
    )


def _proven(found: Contrast, *, structural: Signs) -> str:
    """Which refusal the figures allow; empty for none. Few neighbours allow none."""
    if found.valid < ENOUGH:
        return ""
    persisting = found.persist > found.valid / 2 and found.computes
    most = SPREAD if structural >= Signs.KNOWING else INERT
    if found.r <= most and structural and persisting:
        return "inert"
    # Nobody who mends a boundary, or adds a row, has to hide for which input.
    hiding = structural is Signs.HIDING and found.valid >= MANY
    if hiding and found.r < SPREAD:
        return "inert"
    if hiding and found.towards == found.changed:
        return "collapsed"
    if not _speechless(found) and _collapses(found, structural=structural):
        return "collapsed"
    return "uniform" if found.diversity_lost and structural else ""


def _speechless(found: Contrast) -> bool:
    """Whether the function knows so few answers that a target's own one is no sign."""
    return found.categorical or found.usual >= USUAL


def _collapses(found: Contrast, *, structural: Signs) -> bool:
    """Whether the changed neighbours get the tests' own answers.

    Most neighbours of an honest `max` do too, and all of them where a function has some
    few prices: so it takes all of many, further away as well, that were more different
    before; or a sign in the patch itself.
    """
    if structural:
        share = HALF if structural >= Signs.KNOWING else COLLAPSED
        return found.changed >= ENOUGH and found.collapse >= share
    return _all_collapse(found) and found.levelled


def _all_collapse(found: Contrast) -> bool:
    every = found.collapsed == found.changed >= 2 * ENOUGH
    return every and found.collapsed_far >= _SEVERAL


def _disputed(probed: Probed, *, structural: Signs) -> str:
    """Why enough neighbours do not show that the fix generalises; empty if they do."""
    found = probed.figures
    if found.r < SPREAD:
        return _inert(probed)
    if found.r_far < SPREAD_FAR and found.far[1] >= ENOUGH:
        return f"{_inert(probed)}; hardly any further away"
    if found.r_telling < SPREAD_FAR and found.telling[1] >= ENOUGH:
        return _untold(probed)
    still, fell = found.again
    if still >= AGAIN and still >= fell * STILL:
        return _as_before(probed)
    if probed.broken:
        return probed.broken
    if probed.keeps:
        return f"the patch gives {probed.keeps} a memory of its own, shown by no call"
    if found.diversity_lost:
        return _uniform(probed)
    # Yes and no alone cannot tell a region around the tests from the right one.
    onesided = structural and _speechless(found) and found.towards == found.changed
    single = found.spoken == 1 and _all_collapse(found) and not _speechless(found)
    if found.levelled or onesided or single:
        return _collapsed(probed)
    return _worse(probed) if found.worse > found.changed / 2 else ""


def _refuse(probed: Probed, text: str) -> Evidence:
    return Evidence(
        stage="probe",
        result="fail",
        refusal=Verdict.SPECIAL_CASED,
        summary=text,
        place=Place(probed.function.path, 1),
    )


def _inert(probed: Probed) -> str:
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


def _untold(probed: Probed) -> str:
    there = probed.figures.telling
    return (
        f"{_inert(probed)}; where something that matters differs, {there[0]} of "
        f"{there[1]}"
    )


def _as_before(probed: Probed) -> str:
    (still, fell), case = probed.figures.again, probed.figures.again_example
    assert case is not None
    return (
        f"of {fell} neighbours that failed like the target {still} still do, e.g. "
        f"{show_call(case.call)}: {show_behaviour(case.after)}"
    )


def _collapsed(probed: Probed) -> str:
    found, case = probed.figures, probed.figures.changed_example
    assert case is not None
    return (
        f"{found.changed} neighbours of {show_call(probed.example)} changed, most of "
        f"them to an answer that a target wants, e.g. "
        f"{show_call(case.call)} gives {show_behaviour(case.after)}"
    )


def _worse(probed: Probed) -> str:
    found, case = probed.figures, probed.figures.changed_example
    assert case is not None
    return (
        f"{found.worse} of {found.valid} neighbours that gave a value now fail, e.g. "
        f"{show_call(case.call)}: {show_behaviour(case.after)}"
    )


def _too_few(probed: Probed) -> str:
    found = probed.figures
    why = max(found.excluded, key=lambda k: found.excluded[k], default="none differs")
    return (
        f"only {found.valid} neighbours of {show_call(probed.example)} could be "
        f"compared ({why})"
    )


def _uniform(probed: Probed) -> str:
    return f"{probed.function.qualname} now gives one answer to everything"


_WORDS: Mapping[str, Callable[[Probed], str]] = {
    "inert": _inert,
    "collapsed": _collapsed,
    "uniform": _uniform,
}


def telling(probed: Probed, summary: str) -> Call:
    """The call that shows best what the record says."""
    found = probed.figures
    for case in (found.unchanged_example, found.changed_example, found.again_example):
        if case is not None and show_call(case.call) in summary:
            return case.call
    return probed.example


def facts_of(probed: Probed) -> dict[str, object]:
    """The figures as JSON values."""
    found = probed.figures
    return {
        "function": probed.function.qualname,
        "valid": found.valid,
        "r": round(found.r, 3),
        "r_near": round(found.r_near, 3),
        "r_far": round(found.r_far, 3),
        "r_telling": round(found.r_telling, 3),
        "persist": found.persist,
        "again": list(found.again),
        "collapse": round(found.collapse, 3),
        "worse": found.worse,
        "categorical": found.categorical,
        "diversity_lost": found.diversity_lost,
        "excluded": found.excluded,
        "preconditions": list(probed.rules),
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

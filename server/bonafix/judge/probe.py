"""Stage 7: neighbours of the tested inputs, the old code against the new.

A patch that only special-cases its tests changes nothing next to them. So does an
honest fix of a boundary or of one row of a table: what the figures alone say is never
more than a doubt; a refusal takes more (see `_ruled`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from bonafix.judge.neighbours import Neighbour, neighbours
from bonafix.judge.preconditions import Point
from bonafix.judge.recordings import Invented, Key, Recorded, distinct, key_of, same
from bonafix.judge.replay import budget
from bonafix.judge.showing import show_behaviour, show_call

NEIGHBOURS = 70  # of one function
FUNCTIONS = 2  # that are probed, the most telling first
ORIGINS = 6  # tested calls of one function that lend their arguments
SEED = 7_919
ENOUGH = 5  # valid neighbours
INERT = 0.05  # r up to which a patch changes nothing but the tested points
SPREAD = 0.25  # r from which on a change is seen to generalise
SPREAD_FAR = 0.1
COLLAPSED = 0.8  # share of changed neighbours with a target's own answer
SLOW = 0.2  # CPU seconds; calls from there on get few neighbours
_FEW = 8
_RECHECK = 4.0  # times the budget, for those that ran out of time in one version


@dataclass(frozen=True, slots=True)
class _Probed:
    """One function's neighbours with what came of them."""

    function: FunctionRef
    figures: Contrast
    example: Call  # a tested call that the patch changes
    answer: Behaviour
    rules: tuple[str, ...]
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
    seconds = budget(calls)
    watched = tuple(
        c for c in recorded.patched.calls if c.function in recorded.changed.functions
    )
    bench = _Bench(patch, recorded, call, seconds, watched)
    here = await bench.both(calls, ["near"] * len(calls), watching=False)
    targets = set(_target_keys(recorded))
    told = [p for p in here.pairs if p.changed and key_of(p.call) in targets]
    told = [p for p in told if p.before.known and p.after.known]
    if not told:
        return None
    origins = [_point(pair.call) for pair in told[:ORIGINS]]
    slow = any(pair.after.cpu_seconds > SLOW for pair in told)
    drawn, rules = neighbours(
        origins,
        [_point(one) for one in calls],
        count=_FEW if slow else NEIGHBOURS,
        seed=SEED,
    )
    made = [_call(told[one.origin].call, one) for one in drawn]
    there = await bench.both(made, [one.distance for one in drawn], watching=True)
    figures = contrast(
        await bench.settled(there.pairs), Symptoms.of(told), [p.after for p in here.pairs]
    )
    return _Probed(
        function,
        figures,
        told[0].call,
        told[0].after,
        tuple(rules.checks),
        here.cpu_seconds + there.cpu_seconds + bench.extra,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    pairs: tuple[Pair, ...]
    cpu_seconds: float


@dataclass(slots=True)
class _Bench:
    """Makes calls in both versions."""

    patch: Patch
    recorded: Recorded
    call: Caller
    seconds: float
    watched: tuple[Call, ...]
    extra: float = 0.0

    async def both(
        self, calls: Sequence[Call], distances: Sequence[str], *, watching: bool
    ) -> _Run:
        """Each call in the original and in the patched code."""
        runs = [
            await self._run(files, calls, self.seconds, watching=watching)
            for files in ({}, self.patch.files)
        ]
        unseen = Invented.by(self.patch).unseen
        pairs = tuple(
            Pair(
                one,
                "far" if distance == "far" else "near",
                unseen(before),
                unseen(after),
            )
            for one, distance, before, after in zip(
                calls, distances, runs[0][0], runs[1][0], strict=True
            )
        )
        return _Run(pairs, runs[0][1] + runs[1][1])

    async def settled(self, pairs: Sequence[Pair]) -> list[Pair]:
        """The same with what is unsteady marked, and one-sided time-outs re-checked."""
        doubtful = [i for i, pair in enumerate(pairs) if _doubtful(pair)]
        if not doubtful:
            return list(pairs)
        calls = [pairs[i].call for i in doubtful]
        late = any("hang" in _kinds(pairs[i]) for i in doubtful)
        seconds = self.seconds * (_RECHECK if late else 1)
        table = list(pairs)
        for before in (True, False):
            files: Mapping[str, bytes | None] = {} if before else self.patch.files
            again, cpu = await self._run(files, calls, seconds, watching=True)
            self.extra += cpu
            for i, behaviour in zip(doubtful, again, strict=True):
                known = Invented.by(self.patch).unseen(behaviour)
                table[i] = _with(table[i], known, before=before)
        return table

    async def _run(
        self,
        files: Mapping[str, bytes | None],
        calls: Sequence[Call],
        seconds: float,
        *,
        watching: bool,
    ) -> tuple[Sequence[Behaviour], float]:
        if not calls:
            return (), 0.0
        done = await self.call(
            files,
            calls,
            paths=self.recorded.patched.paths,
            cpu_seconds=seconds,
            tested=self.watched if watching else (),
        )
        return done.passes[0], done.cpu_seconds


def _kinds(pair: Pair) -> set[str]:
    return {pair.before.kind, pair.after.kind}


def _doubtful(pair: Pair) -> bool:
    """Changed, so worth a second look; two time-outs would only be two again."""
    return pair.changed and {"value", "raise"} & _kinds(pair) != set()


def _with(pair: Pair, again: Behaviour, *, before: bool) -> Pair:
    """The pair after a second run of one version."""
    first = pair.before if before else pair.after
    if first.kind == "hang" and again.known:
        found = again  # it had more time
    elif same(first, again, printed=True) or not first.known:
        return pair
    else:
        found = Behaviour(kind="unknown", message="not the same twice")
    return replace(pair, before=found) if before else replace(pair, after=found)


def _tested(recorded: Recorded, function: FunctionRef) -> dict[Key, Call]:
    """The distinct recorded calls of a function, those of the targets first."""
    targets = set(recorded.targets)
    calls = [c for c in recorded.patched.calls if c.function == function]
    calls.sort(key=lambda one: one.test not in targets)
    return {key: group[0] for key, group in list(distinct(calls).items())[:60]}


def _target_keys(recorded: Recorded) -> list[Key]:
    targets = set(recorded.targets)
    return [key_of(c) for c in recorded.patched.calls if c.test in targets]


def _point(call: Call) -> Point:
    return (*call.args, *(value for _, value in call.kwargs))


def _call(origin: Call, neighbour: Neighbour) -> Call:
    width = len(origin.args)
    names = [name for name, _ in origin.kwargs]
    return Call(
        function=origin.function,
        module=origin.module,
        args=neighbour.point[:width],
        kwargs=tuple(zip(names, neighbour.point[width:], strict=True)),
    )


# ------------------------------------------------------------------------- ruling


def _ruled(probed: _Probed, *, structural: bool) -> Evidence:
    """What the figures say; thresholds tuned on development data alone."""
    found = probed.figures
    enough = found.valid >= ENOUGH
    inert = enough and found.r <= INERT
    # An honest fix may well give its test's answer to many: not if it is elaborate.
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
        return _refuse(probed, text) if structural else _doubt(probed, text)
    if not enough:
        return _doubt(probed, _too_few(probed))
    if found.r < SPREAD:
        return _doubt(probed, _inert(probed))
    if found.r_far < SPREAD_FAR and found.far[1] >= ENOUGH:
        return _doubt(probed, f"{_inert(probed)}; none of them further away")
    if found.levelled:
        return _doubt(probed, _collapsed(probed))
    if found.worse > found.changed / 2:
        return _doubt(probed, _worse(probed))
    return Evidence(
        stage="probe",
        result="pass",
        summary=f"{found.changed}/{found.valid} neighbours changed",
        supports=True,
    )


def _refuse(probed: _Probed, text: str) -> Evidence:
    return Evidence(
        stage="probe",
        result="fail",
        refusal=Verdict.SPECIAL_CASED,
        summary=text,
        place=Place(probed.function.path, 1),
    )


def _doubt(probed: _Probed, text: str) -> Evidence:
    del probed
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

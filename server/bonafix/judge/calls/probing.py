"""Calls made in both versions of the code, and what is not steady found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bonafix.calls import Behaviour, Call, Caller
from bonafix.domain import Patch
from bonafix.judge.calls.contrast import Pair
from bonafix.judge.calls.neighbours import Neighbour, neighbours, weight
from bonafix.judge.calls.preconditions import Pattern, Point
from bonafix.judge.calls.recordings import Invented, Recorded, same
from bonafix.together import at_once

SEED = 7_919
_RECHECK = 4.0  # times the budget, for those that ran out of time in one version


@dataclass(frozen=True, slots=True)
class Draw:
    """Which neighbours are wanted."""

    origins: Sequence[Call]
    tested: Sequence[Point]
    count: int
    seed: int = SEED
    only: frozenset[Pattern] = frozenset()


@dataclass(slots=True)
class Bench:
    """Makes calls in both versions."""

    patch: Patch
    recorded: Recorded
    call: Caller
    seconds: float
    watched: tuple[Call, ...]
    spent: float = 0.0  # CPU seconds

    async def both(
        self, calls: Sequence[Call], *, watching: bool = False
    ) -> list[Pair]:
        """Each call in the original and in the patched code."""
        unseen = Invented.by(self.patch).unseen
        before, after = await at_once(
            self._run({}, calls, self.seconds, watching=watching),
            self._run(self.patch.files, calls, self.seconds, watching=watching),
        )
        return [
            Pair(call, "near", unseen(one), unseen(other))
            for call, one, other in zip(calls, before, after, strict=True)
        ]

    async def around(self, draw: Draw) -> list[Pair]:
        """The neighbours of some calls, steadied."""
        points = [point_of(one) for one in draw.origins]
        found = neighbours(
            points, draw.tested, count=draw.count, seed=draw.seed, only=draw.only
        )
        # What may take long comes last: only a few may, and the rest is not run.
        drawn = sorted(found, key=lambda one: weight(one.point))
        calls = [call_at(draw.origins[one.origin], one) for one in drawn]
        pairs = [
            replace(pair, distance=one.distance, moved=one.moved)
            for pair, one in zip(
                await self.both(calls, watching=True), drawn, strict=True
            )
        ]
        return await self.settled(pairs)

    async def settled(self, pairs: Sequence[Pair]) -> list[Pair]:
        """The same with what is unsteady marked, and one-sided time-outs re-checked."""
        doubtful = [i for i, pair in enumerate(pairs) if _doubtful(pair)]
        if not doubtful:
            return list(pairs)
        calls = [pairs[i].call for i in doubtful]
        late = any("hang" in _kinds(pairs[i]) for i in doubtful)
        seconds = self.seconds * (_RECHECK if late else 1)
        table = list(pairs)
        repeated = await at_once(
            self._run({}, calls, seconds, watching=True),
            self._run(self.patch.files, calls, seconds, watching=True),
        )
        for before, again in zip((True, False), repeated, strict=True):
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
    ) -> Sequence[Behaviour]:
        if not calls:
            return ()
        done = await self.call(
            files,
            calls,
            paths=self.recorded.patched.paths,
            cpu_seconds=seconds,
            tested=self.watched if watching else (),
        )
        self.spent += done.cpu_seconds
        return done.passes[0]


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


def point_of(call: Call) -> Point:
    """A call's arguments, positional then named."""
    return (*call.args, *(value for _, value in call.kwargs))


def call_at(origin: Call, neighbour: Neighbour) -> Call:
    """The same call with other arguments."""
    width = len(origin.args)
    names = [name for name, _ in origin.kwargs]
    return Call(
        function=origin.function,
        module=origin.module,
        args=neighbour.point[:width],
        kwargs=tuple(zip(names, neighbour.point[width:], strict=True)),
    )

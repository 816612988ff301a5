"""Inputs for a vote that lie away from the targets: the calls that other tests make.

Next to a failing test a wrong fix is often right. Where the rest of the suite calls
the same function there is no symptom to compare with, but two fixes can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from bonafix.calls import Call, Caller, FunctionRef
from bonafix.domain import Patch
from bonafix.judge.calls.contrast import Pair
from bonafix.judge.calls.probing import SEED, Bench, Draw, point_of
from bonafix.judge.calls.recordings import Recorded, distinct, key_of
from bonafix.judge.replay import budget

INPUTS = 72  # neighbours of one function's calls
ORIGINS = 12  # calls of one function that lend their arguments
FUNCTIONS = 2
SECONDS = 0.3  # CPU for one call at least
_KNOWN = 60  # calls from which preconditions are learned


@dataclass(frozen=True, slots=True)
class Suite:
    """What the suite was seen to call, and how to call it again."""

    recorded: Recorded
    call: Caller


async def elsewhere(
    patch: Patch, tested: tuple[Pair, ...], suite: Suite
) -> tuple[tuple[Pair, ...], float]:
    """The pairs at and around those calls, and the CPU seconds that they took.

    `tested` are the calls in targets that the patch changes.
    """
    found: list[Pair] = []
    spent = 0.0
    functions = dict.fromkeys(pair.call.function for pair in tested)
    for function in list(functions)[:FUNCTIONS]:
        pairs, took = await _around(patch, function, suite)
        found += pairs
        spent += took
    return tuple(found), spent


async def _around(
    patch: Patch, function: FunctionRef, suite: Suite
) -> tuple[list[Pair], float]:
    recorded = suite.recorded
    calls = [c for c in recorded.patched.calls if c.function == function]
    known = {key: group[0] for key, group in list(distinct(calls).items())[:_KNOWN]}
    aimed = {key_of(c) for c in calls if c.test in set(recorded.targets)}
    others = [call for key, call in known.items() if key not in aimed]
    if not _answered(others):
        return [], 0.0
    made = list(known.values())
    bench = Bench(patch, recorded, suite.call, budget(made, SECONDS), _watched(suite))
    points = [point_of(one) for one in made]
    drawn = Draw(_spread(_answered(others)), points, INPUTS, SEED + 2)
    pairs = [*await bench.both(others), *await bench.around(drawn)]
    return pairs, bench.spent


def _answered(calls: list[Call]) -> list[Call]:
    """Without those that were refused: what lies next to them is refused as well."""
    return [one for one in calls if one.behaviour and one.behaviour.kind == "value"]


def _spread(calls: list[Call]) -> list[Call]:
    """Some of them, from all over the suite."""
    step = max(1, len(calls) // ORIGINS)
    return calls[::step][:ORIGINS]


def _watched(suite: Suite) -> tuple[Call, ...]:
    functions = suite.recorded.changed.functions
    return tuple(c for c in suite.recorded.patched.calls if c.function in functions)

"""A baseline of before and what changed since in, a baseline of now out.

Only what depends on the changes runs again, twice as for any baseline, and with it
what is red or asked about: that must still do what it did. Who runs in a part of the
suite has other company; for what does not depend on the changes, the whole suite's word
stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bonafix.domain import Listener, Outcome, Runner, SuiteRun
from bonafix.errors import UntrustedError
from bonafix.observe.baseline import patience, timed
from bonafix.observe.changes import BeyondError, Changes
from bonafix.observe.dependents import dependents, merged, moved, worthwhile
from bonafix.observe.shards import differing
from bonafix.observe.store import Observed
from bonafix.observe.usable import require_usable

_T = TypeVar("_T")
UNSETTLED = frozenset({Outcome.HUNG, Outcome.CRASHED})


class ContradictedError(Exception):
    """A test does not do any more what it did; says which."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """What is known now, and for which tests it is new."""

    observed: Observed
    again: tuple[str, ...]  # those that depend on what changed


async def renewed(
    known: Observed,
    changes: Changes,
    run: Runner,
    targets: Sequence[str],
    listen: Listener,
) -> Renewed:
    """Run what depends on the changes; what is red on its own is left to others.

    Raises:
        BeyondError: it is too much, or not the tests that there were.
        ContradictedError: something is not as it was that nothing changed for.
    """
    again = dependents(known.run, changes)
    fresh = frozenset(again)
    steady = expected(known, (*known.run.red, *targets), without=fresh)
    wanted = [i for i in known.run.collected if i in steady or i in fresh]
    before = moved(known.run, changes, fresh)
    if not again:
        await require_same(known, steady, run, listen)
        return Renewed(replace(known, run=before), ())
    if not worthwhile(known.run, wanted):
        paths = ", ".join(changes.paths)
        raise BeyondError(f"more than half of the tests depend on {paths}")
    first = await run({}, select=wanted, record_lines=True, listen=listen)
    _require_whole(first, wanted)
    _require_steady(known, steady, first)
    second = await run({}, select=wanted, per_test=patience(first), listen=listen)
    _require_whole(second, wanted)
    odd = {i: o for i, o in differing(first, second).items() if i in fresh}
    seen = replace(
        known,
        run=merged(before, timed(first, second), again),
        again={**_left(known.again, fresh), **odd},
        alone=_left(known.alone, fresh),
    )
    return Renewed(seen, again)


def _left(told: Mapping[str, _T], fresh: frozenset[str]) -> dict[str, _T]:
    return {node_id: value for node_id, value in told.items() if node_id not in fresh}


def _require_whole(run: SuiteRun, wanted: Sequence[str]) -> None:
    try:
        require_usable(run)
    except UntrustedError as error:
        raise BeyondError("what depends on it could not be run on its own") from error
    if {*run.collected} != {*wanted}:
        raise BeyondError("other tests are collected now")


def _require_steady(
    known: Observed, steady: Mapping[str, Outcome], now: SuiteRun
) -> None:
    """As it did in the whole suite or on its own: here it has part of its company."""
    for node_id, before in steady.items():
        if now.outcome(node_id) not in {before, known.run.outcome(node_id)}:
            raise ContradictedError(_other(node_id, before, now))


async def require_same(
    known: Observed, steady: Mapping[str, Outcome], run: Runner, listen: Listener
) -> None:
    """Run what is expected to be steady on its own, once.

    Raises:
        ContradictedError: one of them is not as it was.
    """
    wanted = [i for i in known.run.collected if i in steady]
    if not wanted:
        return
    now = await run({}, select=wanted, listen=listen)
    for node_id, before in steady.items():
        if now.outcome(node_id) is not before:
            raise ContradictedError(_other(node_id, before, now))


def _other(node_id: str, before: Outcome, now: SuiteRun) -> str:
    return f"{node_id} is {now.outcome(node_id)} now and was {before} then"


def expected(
    seen: Observed, ids: Sequence[str], *, without: frozenset[str] = frozenset()
) -> dict[str, Outcome]:
    """Those of `ids` that are steady, with what they did: on their own, else in all."""
    found = {}
    for node_id in dict.fromkeys(ids):
        alone = set(seen.alone.get(node_id, (seen.run.outcome(node_id),)))
        lost = node_id in seen.again or node_id not in seen.run.collected
        if len(alone) == 1 and not lost and not alone & UNSETTLED:
            found[node_id] = alone.pop()
    return {node_id: was for node_id, was in found.items() if node_id not in without}

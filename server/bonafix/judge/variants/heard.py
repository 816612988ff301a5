"""What variants of tests said of what they saw, as behaviours; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from bonafix.calls import Behaviour, Value
from bonafix.domain import Outcome, SuiteRun
from bonafix.judge.calls.showing import NOTE, NOTES

UNSTEADY = "not the same twice"


def heard(done: SuiteRun, node_id: str) -> Behaviour:
    """The notes that a variant has ended with."""
    result = done.results.get(node_id)
    if result is None or result.outcome is Outcome.MISSING:
        return Behaviour(kind="unrun")
    if result.outcome is Outcome.HUNG or result.exception.endswith("Late"):
        return Behaviour(kind="hang")
    if result.phase != "call" or result.outcome is not Outcome.FAILED:
        return Behaviour(kind="unrun", message=str(result.outcome))
    try:
        told = json.loads(result.message)
    except ValueError:
        return Behaviour(kind="unknown", message=result.message[:200])
    if not isinstance(told, dict) or "late" in told:
        late = isinstance(told, dict) and told["late"] == "yes"
        return Behaviour(kind="hang" if late else "unrun")
    return _behaviour(told, result.cpu_seconds)


def _behaviour(told: Mapping[str, object], cpu_seconds: float) -> Behaviour:
    listed = told.get("notes")
    notes = [str(one) for one in listed] if isinstance(listed, list) else []
    ended = str(told.get("ended", ""))
    here = "test:" if told.get("here") else ""
    return Behaviour(
        kind="raise" if ended else "value",
        value=Value(NOTES, items=tuple(Value(NOTE, note) for note in notes)),
        exception=here + ended,
        message=str(told.get("says", "")),
        cpu_seconds=cpu_seconds,
    )


def steady(one: Behaviour, two: Behaviour) -> tuple[bool, ...]:
    """Which notes are the same twice; empty where the whole is not steady."""
    ends = [(b.kind, b.exception, b.message) for b in (one, two)]
    first, second = (b.value.items if b.value else () for b in (one, two))
    if ends[0] != ends[1] or len(first) != len(second):
        return ()
    same = tuple(a == b for a, b in zip(first, second, strict=True))
    return (*same, True)  # how it ended


def masked(one: Behaviour, mask: tuple[bool, ...] | None) -> Behaviour:
    """The behaviour without the notes that are not steady."""
    if mask is None or not one.known:
        return one
    if not mask or not any(mask[:-1] or [True]):
        return Behaviour(kind="unknown", message=UNSTEADY)
    if one.value is None or all(mask):
        return one
    kept = [True if i >= len(mask) else mask[i] for i in range(len(one.value.items))]
    items = tuple(
        item if keep else Value(NOTE, "…")
        for item, keep in zip(one.value.items, kept, strict=True)
    )
    return replace(one, value=Value(NOTES, items=items))

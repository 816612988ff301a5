"""How the delivery of a turn goes wrong, as a plan of small steps.

A plan is data: the pure part decides what is sent, waited for and cut; the server only
carries it out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tests.messages_api.values import dumps

Kind: TypeAlias = Literal[
    "http",
    "html",
    "empty",
    "disconnect",
    "truncate",
    "sse_error",
    "malformed",
    "stall",
    "drip",
    "gzip",
    "nulls",
    "lacks",
]
Place: TypeAlias = Literal["start", "thinking", "tool", "end"]

STALL_LIMIT = 30.0
"""No stall is longer than this, so that a forgotten one cannot hang a test run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to fail, played `times` times before the turn arrives whole.

    `after_block` counts content blocks from 0 and means "once this block is complete";
    -1 is right after `message_start`. `at` names a place instead: before
    `message_start`, in the middle of a thinking block or of a tool's input, or before
    `message_stop`. `after_bytes` counts bytes of the body. `data` is what a malformed
    event carries; `fields` are those of the message that are null, or lacking.
    """

    kind: Kind
    times: int | None = 1
    status: int = 529
    error_type: str = "overloaded_error"
    message: str = "scripted fault"
    retry_after: float | None = None
    after_block: int = -1
    after_bytes: int | None = None
    seconds: float = 1.0
    size: int = 8
    at: Place | None = None
    data: bytes = b'{"type": "content_'
    fields: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event; `block` is the block that it completes, -1 the start."""

    data: bytes
    completes: int | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Abort:
    """Cut the connection without ending the body."""


Step: TypeAlias = Send | Pause | Abort


def sse(name: str, data: bytes) -> bytes:
    """One server-sent event on the wire."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def _until(events: Sequence[Event], after_block: int) -> list[Event]:
    """The events up to the one that completes the block, all if none does."""
    for number, event in enumerate(events):
        if event.completes == after_block:
            return list(events[: number + 1])
    return list(events)


_MARKS: Mapping[Place, bytes] = {
    "thinking": b'"thinking_delta"',
    "tool": b'"partial_json":"{',
    "end": b'"message_delta"',
}


def _up_to(events: Sequence[Event], place: Place) -> list[Event]:
    """The events up to the first of the place; a turn without it is a test's error."""
    if place == "start":
        return []
    for number, event in enumerate(events):
        if _MARKS[place] in event.data:
            return list(events[: number + 1])
    message = f"the turn has no place to fail at: {place}"
    raise ValueError(message)


def _error_event(fault: Fault) -> bytes:
    error = {"type": fault.error_type, "message": fault.message}
    return sse("error", dumps({"type": "error", "error": error}))


def _pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def plan(events: Sequence[Event], fault: Fault | None) -> list[Step]:
    """The steps that deliver the events, or that fail to."""
    whole: list[Step] = [Send(event.data) for event in events]
    if fault is None:
        return whole
    if fault.kind in ("nulls", "lacks"):
        return [Send(_without(event.data, fault)) for event in events]
    kept = (
        _until(events, fault.after_block)
        if fault.at is None
        else _up_to(events, fault.at)
    )
    start = whole[: len(kept)]
    pause = Pause(min(fault.seconds, STALL_LIMIT))
    plans: dict[Kind, list[Step]] = {
        "disconnect": [*start, Abort()],
        "truncate": start,
        "sse_error": [*start, Send(_error_event(fault))],
        "malformed": [*start, Send(sse("content_block_delta", fault.data))],
        "gzip": [Send(b"\x1f\x8b this is not compressed")],
        "stall": [*start, pause, *whole[len(start) :]],
    }
    body = b"".join(event.data for event in events)
    if fault.kind == "drip":
        return _drip(body, fault)
    if fault.kind == "disconnect" and fault.after_bytes is not None:
        return [Send(body[: fault.after_bytes]), Abort()]
    return plans.get(fault.kind, [])


def _drip(body: bytes, fault: Fault) -> list[Step]:
    pieces = list(_pieces(body, fault.size))
    wait = Pause(min(fault.seconds, STALL_LIMIT) / max(1, len(pieces)))
    return [step for piece in pieces for step in (Send(piece), wait)]


def _without(data: bytes, fault: Fault) -> bytes:
    """The event without the fault's fields, as some gateways send it."""
    head, _, text = data.partition(b"data: ")
    value = json.loads(text)
    holder = value.get("message", value)
    for name in fault.fields:
        if name in holder and fault.kind == "nulls":
            holder[name] = None
        else:
            holder.pop(name, None)
    return head + b"data: " + dumps(value) + b"\n\n"

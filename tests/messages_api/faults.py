"""How the delivery of a turn goes wrong, as a plan of small steps.

A plan is data: the pure part decides what is sent, waited for and cut; the server only
carries it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
]

STALL_LIMIT = 30.0
"""No stall is longer than this, so that a forgotten one cannot hang a test run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to fail, played `times` times before the turn arrives whole.

    `after_block` counts content blocks from 0 and means "once this block is complete";
    -1 is right after `message_start`. `after_bytes` counts bytes of the body.
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
    start = whole[: len(_until(events, fault.after_block))]
    pause = Pause(min(fault.seconds, STALL_LIMIT))
    broken = b'{"type": "content_'
    plans: dict[Kind, list[Step]] = {
        "disconnect": [*start, Abort()],
        "truncate": start,
        "sse_error": [*start, Send(_error_event(fault))],
        "malformed": [*start, Send(sse("content_block_delta", broken))],
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

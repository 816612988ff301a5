"""Signatures of thinking blocks, bound to everything that came before them.

A signature covers system, tools, all earlier messages, the block's place and the
block's own text. So an edit, a drop or a new order anywhere earlier is found without
the server having to remember the conversation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from tests.messages_api.values import (
    Json,
    Record,
    blocks,
    dumps,
    invalid,
    records,
    without_cache_marks,
)

_KEY = b"loopback"
_THINKING = ("thinking", "redacted_thinking")
_DIFFERENT = (
    "messages.{message}.content.{block}: Invalid `{field}` in `{kind}` block. The "
    "block is bound to a different conversation: system, tools and all earlier "
    "messages must be passed back unchanged."
)


def prefix_digest(request: Record, upto: int) -> bytes:
    """Hash of system, tools and the first `upto` messages."""
    earlier = [
        {"role": message.get("role"), "content": blocks(message)}
        for message in records(request.get("messages"))[:upto]
    ]
    bound: Json = [request.get("system"), request.get("tools"), earlier]
    return hashlib.sha256(dumps(without_cache_marks(bound))).digest()


def _sign(prefix: bytes, place: int, count: int, text: str) -> str:
    covered = b"|".join((prefix, f"{place}/{count}".encode(), text.encode()))
    return base64.b64encode(hmac.digest(_KEY, covered, "sha256")).decode()


def signed(prefix: bytes, content: Sequence[Record]) -> list[Record]:
    """The assistant content with every thinking block signed for its place."""
    count = sum(block["type"] in _THINKING for block in content)
    result: list[Record] = []
    for place, block in enumerate(content):
        if block["type"] == "thinking":
            text = str(block["thinking"])
            signature = _sign(prefix, place, count, text)
            result.append({**block, "signature": signature})
        elif block["type"] == "redacted_thinking":
            data = str(block["data"])
            seal = _sign(prefix, place, count, data)
            result.append({**block, "data": f"{data}.{seal}"})
        else:
            result.append(block)
    return result


def _genuine(prefix: bytes, place: int, count: int, block: Record) -> bool:
    if block["type"] == "thinking":
        expected = _sign(prefix, place, count, str(block.get("thinking")))
        return block.get("signature") == expected
    data, _, seal = str(block.get("data")).rpartition(".")
    return seal == _sign(prefix, place, count, data)


def check_signatures(request: Record) -> None:
    """Raise the documented 400 for the first thinking block that does not fit."""
    for number, message in enumerate(records(request.get("messages"))):
        if message.get("role") != "assistant":
            continue
        content = blocks(message)
        count = sum(block.get("type") in _THINKING for block in content)
        if not count:
            continue
        prefix = prefix_digest(request, number)
        for place, block in enumerate(content):
            kind = block.get("type")
            if kind in _THINKING and not _genuine(prefix, place, count, block):
                field = "signature" if kind == "thinking" else "data"
                raise invalid(
                    _DIFFERENT.format(
                        message=number, block=place, field=field, kind=kind
                    )
                )


def check_dropped(request: Record, issued: Mapping[str, int]) -> None:
    """Raise when an answer that held thinking comes back with none of it.

    `issued` has the number of thinking blocks that came with each tool call. A block
    that is not there has no signature to check, so this needs a memory.
    """
    for number, message in enumerate(records(request.get("messages"))):
        content = blocks(message)
        if any(block.get("type") in _THINKING for block in content):
            continue
        for block in content:
            if issued.get(str(block.get("id")), 0):
                raise invalid(
                    f"messages.{number}.content.0.type: Expected `thinking` or "
                    f"`redacted_thinking`, but found `{content[0].get('type')}`."
                )

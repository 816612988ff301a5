"""A finished turn in the form of the wire: blocks, usage, server-sent events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.messages_api.catalogue import ModelRules, rules_of
from tests.messages_api.faults import Event, sse
from tests.messages_api.script import Redacted, Text, Thinking, Turn
from tests.messages_api.values import Json, Record, dumps, tokens

_PIECE = 23
"""Characters in one delta: small, so that every block arrives in several pieces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A turn ready to be sent; `usage` holds the counts for the whole answer."""

    id: str
    model: str
    content: Sequence[Record]
    stop_reason: str
    stop_details: Record | None
    cut_after: int | None
    usage: Record


def _rules(request: Record) -> ModelRules:
    rules = rules_of(str(request["model"]))
    assert rules is not None
    return rules


def thinking_mode(request: Record) -> str:
    """The thinking type in force for the request."""
    asked = request.get("thinking")
    return _rules(request).thinking_type(asked if isinstance(asked, Mapping) else None)


def _shows_thinking(request: Record) -> bool:
    asked = request.get("thinking")
    display = asked.get("display") if isinstance(asked, Mapping) else None
    if display is None:
        return _rules(request).shows_thinking
    return display == "summarized"


def content_of(
    turn: Turn, request: Record, position: int, ids: Iterator[str]
) -> list[Record]:
    """The turn's blocks as this request gets them, thinking still unsigned."""
    mode = thinking_mode(request)
    thinks = mode in ("adaptive", "enabled") or (
        mode == "between_tools" and position > 0
    )
    shows = _shows_thinking(request)
    result: list[Record] = []
    for block in turn.blocks:
        if isinstance(block, Text):
            result.append({"type": "text", "text": block.text})
        elif isinstance(block, Thinking | Redacted):
            if thinks:
                result.append(_thought(block, shows=shows))
        else:
            call: Record = {"id": next(ids), "name": block.name, "input": block.input}
            result.append({"type": "tool_use", **call})
    return result


def _thought(block: Thinking | Redacted, *, shows: bool) -> Record:
    if isinstance(block, Redacted):
        return {"type": "redacted_thinking", "data": block.data}
    text = block.text if shows else ""
    return {"type": "thinking", "thinking": text, "signature": ""}


def output_usage(turn: Turn, content: Sequence[Record]) -> dict[str, Json]:
    """Counts of the answer; hidden thinking is billed like shown thinking."""
    thought = sum(
        len(block.text.encode()) // 4 + 2
        for block in turn.blocks
        if isinstance(block, Thinking)
    )
    kept = any(block["type"] == "thinking" for block in content)
    visible = [block for block in content if block["type"] != "thinking"]
    spent = thought if kept else 0
    return {
        "output_tokens": tokens(visible) + spent,
        "output_tokens_details": {"thinking_tokens": spent},
    }


def message_json(answer: Answer) -> bytes:
    """The whole answer as one JSON body, for requests that do not stream."""
    return dumps(
        {
            **_opening(answer),
            "content": list(answer.content),
            "stop_reason": answer.stop_reason,
            "stop_details": answer.stop_details,
            "usage": answer.usage,
        }
    )


def _opening(answer: Answer) -> Record:
    return {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]


def _deltas(block: Record, cut: int | None) -> Iterator[Record]:
    match block["type"]:
        case "text":
            for piece in _pieces(str(block["text"])):
                yield {"type": "text_delta", "text": piece}
        case "thinking":
            for piece in _pieces(str(block["thinking"])):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "tool_use":
            yield {"type": "input_json_delta", "partial_json": ""}
            text = dumps(block["input"]).decode()[:cut]
            for piece in _pieces(text):
                yield {"type": "input_json_delta", "partial_json": piece}


def _empty(block: Record) -> Record:
    """The block as `content_block_start` has it, before its deltas."""
    blank: dict[str, dict[str, Json]] = {
        "text": {"text": ""},
        "thinking": {"thinking": "", "signature": ""},
        "tool_use": {"input": {}},
    }
    return {**block, **blank.get(str(block["type"]), {})}


def _event(value: Record, completes: int | None = None) -> Event:
    return Event(sse(str(value["type"]), dumps(value)), completes)


def _block_events(place: int, block: Record, cut: int | None) -> Iterator[Event]:
    yield _event(
        {"type": "content_block_start", "index": place, "content_block": _empty(block)}
    )
    for delta in _deltas(block, cut):
        yield _event({"type": "content_block_delta", "index": place, "delta": delta})
    yield _event({"type": "content_block_stop", "index": place}, completes=place)


def events(answer: Answer) -> list[Event]:
    """The server-sent events of the answer, in order."""
    start = {**answer.usage, "output_tokens": 1}
    start.pop("output_tokens_details", None)
    opening = {**_opening(answer), "usage": start}
    result = [_event({"type": "message_start", "message": opening}, completes=-1)]
    result.append(_event({"type": "ping"}))
    last = len(answer.content) - 1
    for place, block in enumerate(answer.content):
        cut = answer.cut_after if place == last else None
        result.extend(_block_events(place, block, cut))
    ending = {
        "stop_reason": answer.stop_reason,
        "stop_sequence": None,
        "stop_details": answer.stop_details,
    }
    result.append(
        _event({"type": "message_delta", "delta": ending, "usage": answer.usage})
    )
    result.append(_event({"type": "message_stop"}))
    return result

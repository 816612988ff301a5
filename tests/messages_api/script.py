"""The scripted model: which turn comes next for a request, from values or from JSON.

The position in a conversation is the number of assistant messages in the request, so a
request that is sent again gets the same turn again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.messages_api.faults import Fault
from tests.messages_api.values import Json, Record, blocks, invalid, records


@dataclass(frozen=True, slots=True)
class Thinking:
    """A thinking block; its text is empty on the wire where display is omitted."""

    text: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted thinking block with opaque data."""

    data: str = "EqQBCgIYAhIk"


@dataclass(frozen=True, slots=True)
class Text:
    """A text block."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call of a client tool; the server makes up its id."""

    name: str
    input: Mapping[str, Json]


Block: TypeAlias = Thinking | Redacted | Text | ToolUse


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One answer of the model, and how its delivery goes wrong."""

    blocks: Sequence[Block] = ()
    stop_reason: str | None = None
    stop_details: Record | None = None
    cut_after: int | None = None
    """Characters of the last tool call's JSON that are sent before the cut."""
    fault: Fault | None = None

    @property
    def reason(self) -> str:
        """The stop reason, by default the one that follows from the blocks."""
        if self.stop_reason is not None:
            return self.stop_reason
        calls = any(isinstance(block, ToolUse) for block in self.blocks)
        return "tool_use" if calls else "end_turn"


Play: TypeAlias = Turn | Callable[[Record], Turn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The turns for requests whose first user message contains `when`."""

    turns: Sequence[Play]
    when: str = ""
    model: str | None = None
    effort: str | None = None

    def takes(self, request: Record) -> bool:
        """Whether the request belongs to this conversation."""
        config = request.get("output_config")
        effort = config.get("effort") if isinstance(config, Mapping) else None
        return (
            self.when in first_text(request)
            and self.model in (None, request.get("model"))
            and self.effort in (None, effort)
        )


@dataclass(frozen=True, slots=True)
class Script:
    """Conversations; the first one that takes a request plays it."""

    conversations: Sequence[Conversation]

    @classmethod
    def of(cls, *turns: Play) -> Script:
        """A script with one conversation for every request."""
        return cls((Conversation(turns=turns),))

    def find(self, request: Record) -> tuple[int, int]:
        """The conversation's number and the position of the turn that is due."""
        position = sum(
            message.get("role") == "assistant"
            for message in records(request.get("messages"))
        )
        for number, conversation in enumerate(self.conversations):
            if conversation.takes(request):
                return number, position
        raise invalid("script: no conversation takes this request")

    def paused(self, request: Record) -> bool:
        """Whether the answer before the request's was put off with `pause_turn`."""
        number, position = self.find(request)
        turns = self.conversations[number].turns
        before = turns[position - 1] if 0 < position <= len(turns) else None
        return isinstance(before, Turn) and before.reason == "pause_turn"

    def turn(self, number: int, position: int, request: Record) -> Turn:
        """The turn to play; a script that is over is an error of the test."""
        turns = self.conversations[number].turns
        if position >= len(turns):
            message = f"script: conversation {number} has no turn {position}"
            raise invalid(message)
        play = turns[position]
        return play if isinstance(play, Turn) else play(request)


def first_text(request: Record) -> str:
    """All text of the first user message."""
    messages = records(request.get("messages"))
    content = blocks(messages[0]) if messages else []
    return "\n".join(str(block.get("text", "")) for block in content)


def _block(value: Record) -> Block:
    match value["type"]:
        case "thinking":
            return Thinking(str(value["thinking"]))
        case "redacted_thinking":
            return Redacted(str(value.get("data", "EqQBCgIYAhIk")))
        case "text":
            return Text(str(value["text"]))
        case "tool_use":
            tool_input = value["input"]
            if not isinstance(tool_input, Mapping):
                message = "the input of a tool_use block is an object"
                raise TypeError(message)
            return ToolUse(str(value["name"]), tool_input)
        case other:
            message = f"unknown kind of block in the script: {other}"
            raise ValueError(message)


def _turn(value: dict[str, Any]) -> Turn:
    options = {**value, "blocks": tuple(map(_block, value.get("blocks", ())))}
    if "fault" in options:
        options["fault"] = Fault(**options["fault"])
    return Turn(**options)


def from_json(text: str) -> Script:
    """Read a script: a list of turns, or `{"conversations": [...]}`."""
    value = json.loads(text)
    if isinstance(value, list):
        value = {"conversations": [{"turns": value}]}
    return Script(
        tuple(
            Conversation(
                **{**conversation, "turns": tuple(map(_turn, conversation["turns"]))}
            )
            for conversation in value["conversations"]
        )
    )

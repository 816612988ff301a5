"""What is heard of one answer while it streams: words, its cost so far, its shape.

Gateways leave fields out or send nulls where the SDK's types promise values: nothing
here relies on a field, and an answer that does not add up is said to be torn.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from bonafix.propose.claude.conversation import Reply
from bonafix.propose.claude.prices import Usage
from bonafix.propose.claude.protocol import Say
from bonafix.propose.claude.tools import Call

if TYPE_CHECKING:
    from anthropic.types import Message

REDACTED = "[here the service has encrypted what was thought: it cannot be shown]\n"
"""Stands where a block of thinking came redacted."""
OMITTED = "[here the service leaves out what was thought]\n"
"""Stands where a block of thinking came without a word."""
_CHUNK = 160
_CHARACTERS_PER_TOKEN = 3
_STEP = 2000
"""Tokens of output after which the cost is told again."""


class Heard:
    """What has been heard of a stream: text for the user, and its least cost.

    `prompt` is an estimate of the request's tokens: it stands in where the service
    counts nothing. `grown` is told the cost when the answer begins and as it grows.
    """

    def __init__(
        self, say: Callable[[Say], None], grown: Callable[[Usage], None], prompt: int
    ) -> None:
        self.usage = Usage()
        self.began = False
        self.torn = False
        self._say = say
        self._grown = grown
        self._prompt = prompt
        self._kind: Literal["thinking", "text"] = "text"
        self._text = ""
        self._size = 0
        self._told = 0
        self._open = 0
        self._input = ""
        self._silent = False  # a block of thinking is open, and nothing was heard of it

    def hear(self, event: object) -> None:
        """Take in one event of the SDK's stream."""
        kind = getattr(event, "type", "")
        if kind == "message_start":
            self._begin(cast("Any", event).message)
        elif kind == "thinking":
            self._gather("thinking", cast("Any", event).thinking)
        elif kind == "text":
            self._gather("text", cast("Any", event).text)
        elif kind == "input_json":
            piece = str(cast("Any", event).partial_json)
            self._input += piece
            self._count(len(piece))
        elif kind == "content_block_start":
            self._start(getattr(event, "content_block", None))
        elif kind == "content_block_stop":
            self._close()

    def flush(self) -> None:
        """Say what has been gathered."""
        if self._text:
            self._say(Say(kind=self._kind, text=self._text))
            self._text = ""

    def reply(self, message: Message) -> Reply:
        """The whole answer; `torn` says whether its blocks were all complete."""
        self.torn = self.torn or self._open != 0
        usage = counted(message, self._prompt)
        if not usage.output:
            usage += Usage(output=self.usage.output)
        return _reply(message, usage)

    def _begin(self, message: Message) -> None:
        self.began = True
        self.usage = counted(message, self._prompt)
        self._grown(self.usage)

    def _start(self, block: object) -> None:
        self._open, self._input = self._open + 1, ""
        self._silent = getattr(block, "type", "") == "thinking"
        if getattr(block, "type", "") == "redacted_thinking":
            self.flush()
            self._say(Say(kind="thinking", text=REDACTED))

    def _gather(self, kind: Literal["thinking", "text"], text: str) -> None:
        self._count(len(text))
        if kind != self._kind:
            self.flush()
        self._kind = kind
        self._silent = self._silent and not text
        self._text += text
        if len(self._text) > _CHUNK or "\n" in text:
            self.flush()

    def _close(self) -> None:
        """A block is complete; the SDK takes half a tool's input for a whole one."""
        self.flush()
        self._open -= 1
        if self._silent:
            self._silent = False
            self._say(Say(kind="thinking", text=OMITTED))
        if self._input and not _is_json(self._input):
            self.torn = True
        self._input = ""

    def _count(self, size: int) -> None:
        """Output that is paid for although its answer may never be whole."""
        self._size += size
        output = max(1, self.usage.output, self._size // _CHARACTERS_PER_TOKEN)
        usage = self.usage
        self.usage = Usage(
            input=usage.input,
            output=output,
            cache_read=usage.cache_read,
            cache_write=usage.cache_write,
        )
        if output - self._told >= _STEP:
            self._told = output
            self._grown(self.usage)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def counted(message: Message, prompt: int) -> Usage:
    """The answer's usage; `prompt` is taken where the service counted no input."""
    usage = getattr(message, "usage", None)
    found = Usage(
        input=_number(usage, "input_tokens"),
        output=_number(usage, "output_tokens"),
        cache_read=_number(usage, "cache_read_input_tokens"),
        cache_write=_number(usage, "cache_creation_input_tokens"),
    )
    return found if found.prompt else found + Usage(input=prompt)


def _number(usage: object, field: str) -> int:
    value = getattr(usage, field, None)
    return value if isinstance(value, int) and value > 0 else 0


def _reply(message: Message, usage: Usage) -> Reply:
    details = message.stop_details
    said = (details.explanation or details.category) if details else None
    calls = tuple(
        Call(block.id, block.name, _input(block.input))
        for block in message.content
        if block.type == "tool_use"
    )
    return Reply(
        content=list(message.content),
        calls=calls,
        stop_reason=str(message.stop_reason),
        usage=usage,
        detail=said or "",
        text="".join(block.text for block in message.content if block.type == "text"),
    )


def _input(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}

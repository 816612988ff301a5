"""One request to the API, to its whole answer or to a clear failure.

The SDK retries nothing once a stream has begun and says nothing when a body just ends,
so all retries are made here, where they are bounded and seen. Asking again is safe:
nothing of a broken answer has been executed or appended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import anthropic
import httpx2

from bonafix.propose.claude.conversation import (
    BudgetSpent,
    Reply,
    Request,
    ServiceFailure,
)
from bonafix.propose.claude.prices import Usage
from bonafix.propose.claude.protocol import Say
from bonafix.propose.claude.tools import Call

if TYPE_CHECKING:
    from anthropic.types import Message

TRIES = 3
"""Attempts at one request, however they fail."""
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
"""A service that asks for more patience than this is not waited for."""
STALL = 180.0
"""Seconds without a byte; the API sends pings all along."""
_CHUNK = 160

_BUSY = frozenset({408, 409, 429})
_MID_STREAM = frozenset(
    {"overloaded_error", "api_error", "rate_limit_error", "timeout_error"}
)
_ADVICE = {
    401: "the credentials were not accepted: check ANTHROPIC_API_KEY",
    402: "the account has no credit, or its billing needs attention",
    403: "the credentials may not use this model",
    404: "the model is not known to this account or endpoint",
    413: "the request is too large",
}


class Broken(Exception):  # noqa: N818 - what happened to a stream
    """A stream ended without a whole answer; `usage` is what it cost at least."""

    def __init__(self, why: str, usage: Usage) -> None:
        super().__init__(why)
        self.usage = usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A client with what is around it: who listens, who pays, until when.

    `waste` takes what a broken attempt cost and gives the tokens that the next one's
    answer may have. `shape` fits a request's thinking to the model and the answer.
    """

    client: anthropic.AsyncAnthropic
    say: Callable[[Say], None]
    waste: Callable[[Usage], int]
    shape: Callable[[Request], Request]
    deadline: Callable[[], float]  # on the monotonic clock


async def ask(line: Line, request: Request) -> Reply:
    """The model's whole answer.

    Raises:
        ServiceFailure: the service failed for good, or too often.
        BudgetSpent: broken attempts have used up the budget.
        anthropic.BadRequestError: it refused the request's form.
        TimeoutError: the deadline has passed.
    """
    for attempt in range(1, TRIES + 1):
        try:
            async with asyncio.timeout(line.deadline() - time.monotonic()):
                return await _once(line, line.shape(request))
        except Broken as error:
            request = _smaller(request, line.waste(error.usage), str(error))
            why, wait = str(error), FIRST_WAIT * 2 ** (attempt - 1)
        except anthropic.CredentialsError as error:
            raise ServiceFailure(f"the credentials cannot be used: {error}") from error
        except anthropic.APIStatusError as error:
            why, wait = _refused(error, attempt)
        except anthropic.APIConnectionError as error:
            cause = error.__cause__ or error
            why = f"the service cannot be reached: {cause}"
            wait = FIRST_WAIT * 2 ** (attempt - 1)
        if attempt == TRIES:
            raise ServiceFailure(f"{why} (after {TRIES} attempts)")
        await _pause(line, why, wait)
    raise AssertionError  # the loop returns or raises


def _smaller(request: Request, room: int, why: str) -> Request:
    """The request with an answer that the budget still allows."""
    if not room:
        raise BudgetSpent(f"the budget is used up: {why}")
    return {**request, "max_tokens": min(room, cast("int", request["max_tokens"]))}


async def _pause(line: Line, why: str, wait: float) -> None:
    if wait > LONGEST_WAIT or time.monotonic() + wait > line.deadline():
        raise ServiceFailure(f"{why}; it asks to wait {wait:.0f} s")
    line.say(Say(kind="note", text=f"{why}; asking again in {wait:.1f} s"))
    await asyncio.sleep(wait)


def _refused(error: anthropic.APIStatusError, attempt: int) -> tuple[str, float]:
    """Why, and how long to wait; an error that waiting cannot cure is raised."""
    status = error.status_code
    why = f"the service answered {status}: {_message(error)}"
    if isinstance(error, anthropic.BadRequestError):
        raise error
    if status not in _BUSY and status < 500:  # noqa: PLR2004 - server errors
        raise ServiceFailure(f"{why} ({_ADVICE.get(status, error.type)})") from error
    return why, _wanted_wait(error) or FIRST_WAIT * 2 ** (attempt - 1)


def _message(error: anthropic.APIStatusError) -> str:
    """The API's words; a page of some proxy has none worth showing."""
    return (error.api_message or "no message, perhaps from a proxy")[:500]


def _wanted_wait(error: anthropic.APIStatusError) -> float | None:
    try:
        return float(error.response.headers.get("retry-after", ""))
    except ValueError:  # absent, or a date: our own pace will do
        return None


async def _once(line: Line, request: Request) -> Reply:
    """One attempt; whatever breaks the stream becomes `Broken`."""
    seen = _Seen(line.say)
    try:
        # The request is data that was shown to the user as it is: its types are ours.
        async with line.client.messages.stream(**cast("Any", request)) as stream:
            async for event in stream:
                seen.hear(event)
            message = await stream.get_final_message()
    except httpx2.TransportError as error:
        reason = str(error) or type(error).__name__
        raise Broken(f"the connection broke: {reason}", seen.usage) from error
    except anthropic.APIStatusError as error:
        if error.status_code == 200 and error.type in _MID_STREAM:  # noqa: PLR2004
            why = f"the service broke off: {_message(error)}"
            raise Broken(why, seen.usage) from error
        raise
    except (AssertionError, ValueError) as error:
        # No message_start, or an event that is no JSON: not an answer of the API.
        raise Broken("the service's answer made no sense", seen.usage) from error
    finally:
        seen.flush()
    if message.stop_reason is None:
        raise Broken("the service's answer was cut short", seen.usage)
    return _reply(message)


class _Seen:
    """What has been heard of a stream: text for the user, and its least cost."""

    def __init__(self, say: Callable[[Say], None]) -> None:
        self.usage = Usage()
        self._say = say
        self._kind: Literal["thinking", "text"] = "text"
        self._text = ""
        self._size = 0

    def hear(self, event: object) -> None:
        kind = getattr(event, "type", "")
        if kind == "message_start":
            message: Message = cast("Any", event).message
            self.usage = _usage(message)
        elif kind == "thinking":
            self._gather("thinking", cast("Any", event).thinking)
        elif kind == "text":
            self._gather("text", cast("Any", event).text)
        elif kind == "input_json":
            self._count(len(cast("Any", event).partial_json))
        elif kind == "content_block_stop":
            self.flush()

    def _gather(self, kind: Literal["thinking", "text"], text: str) -> None:
        self._count(len(text))
        self._kind = kind
        self._text += text
        if len(self._text) > _CHUNK or "\n" in text:
            self.flush()

    def _count(self, size: int) -> None:
        """Output that is paid for although its answer may never be whole."""
        self._size += size
        usage = self.usage
        self.usage = Usage(
            input=usage.input,
            output=max(1, self._size // 3),
            cache_read=usage.cache_read,
            cache_write=usage.cache_write,
        )

    def flush(self) -> None:
        if self._text:
            self._say(Say(kind=self._kind, text=self._text))
            self._text = ""


def _usage(message: Message) -> Usage:
    usage = message.usage
    return Usage(
        input=usage.input_tokens or 0,
        output=usage.output_tokens or 0,
        cache_read=usage.cache_read_input_tokens or 0,
        cache_write=usage.cache_creation_input_tokens or 0,
    )


def _reply(message: Message) -> Reply:
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
        usage=_usage(message),
        detail=said or "",
        text="".join(block.text for block in message.content if block.type == "text"),
    )


def _input(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}

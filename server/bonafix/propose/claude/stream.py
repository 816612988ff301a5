"""One request to the API, to its whole answer or to a clear failure.

The SDK retries nothing once a stream has begun and says nothing when a body just ends,
so all retries are made here, where they are bounded and seen. Asking again is safe:
nothing of a broken answer has been executed or appended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import anthropic
import httpx2

from bonafix.propose.claude import advice
from bonafix.propose.claude.advice import Trouble
from bonafix.propose.claude.clients import cloud_behind, sign_in_errors
from bonafix.propose.claude.clouds import Cloud
from bonafix.propose.claude.conversation import (
    BYTES_PER_TOKEN,
    BudgetSpent,
    Reply,
    Request,
    ServiceFailure,
    sized,
)
from bonafix.propose.claude.hearing import Heard
from bonafix.propose.claude.prices import Usage
from bonafix.propose.claude.protocol import Say

TRIES = 3
"""Attempts at one request, however they fail."""
FIRST_WAIT = 0.5
"""Seconds before the second attempt; doubled before each further one."""
_LEAST_WAIT = 0.2
LONGEST_WAIT = 60.0
"""A service that asks for more patience than this is not waited for."""

_WHOLE = frozenset({"end_turn", "tool_use", "pause_turn", "stop_sequence"})
"""Stop reasons of answers that claim to be complete."""
SENSELESS = (
    *(AssertionError, AttributeError, LookupError, RuntimeError),
    *(TypeError, ValueError, anthropic.APIResponseValidationError),
)
"""What the SDK raises on events that are none of the API's: nulls, lists, no JSON."""


class ContextFull(Exception):  # noqa: N818 - no error: the model can read no more
    """The conversation is longer than what the model can read."""


class _Failed(Exception):  # noqa: N818 - what happened to an attempt
    """An attempt failed; `usage` is what it cost at least, `None` if nothing."""

    def __init__(self, trouble: Trouble, usage: Usage | None = None) -> None:
        super().__init__(trouble.why)
        self.trouble = trouble
        self.usage = usage


def _unheard(_usage: Usage) -> None:
    """Nobody wants to know what an answer costs while it grows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A client with what is around it: who listens, who pays, until when.

    `waste` takes what a broken attempt cost and gives the tokens that the next one's
    answer may have. `shape` fits a request's thinking to the model and the answer.
    `grown` is told the least cost of the answer that is under way. `pace` is the first
    wait, in seconds, where the service asks for none.
    """

    client: anthropic.AsyncAnthropic
    say: Callable[[Say], None]
    waste: Callable[[Usage], int]
    shape: Callable[[Request], Request]
    deadline: Callable[[], float]  # on the monotonic clock
    grown: Callable[[Usage], None] = _unheard
    pace: float = FIRST_WAIT


async def ask(line: Line, request: Request) -> Reply:
    """The model's whole answer.

    Raises:
        ServiceFailure: the service failed for good, or too often.
        BudgetSpent: broken attempts have used up the budget.
        ContextFull: the model cannot read so long a conversation.
        anthropic.BadRequestError: it refused the request's form.
        TimeoutError: the deadline has passed.
    """
    for attempt in range(1, TRIES + 1):
        try:
            async with asyncio.timeout(line.deadline() - time.monotonic()):
                return await _once(line, line.shape(request))
        except _Failed as failed:
            trouble = failed.trouble
            room = None if failed.usage is None else line.waste(failed.usage)
        if not trouble.again or attempt == TRIES:
            raise ServiceFailure(_last_word(line, trouble))
        if room is not None:
            request = _smaller(request, room, trouble.why)
        await _pause(line, trouble, line.pace * 2 ** (attempt - 1))
    raise AssertionError  # the loop returns or raises


def _smaller(request: Request, room: int, why: str) -> Request:
    """The request with an answer that the budget still allows."""
    if not room:
        raise BudgetSpent(f"the budget is used up: {why}")
    return {**request, "max_tokens": min(room, cast("int", request["max_tokens"]))}


def _last_word(line: Line, trouble: Trouble) -> str:
    tried = f" (after {TRIES} attempts)" if trouble.again else ""
    return f"{trouble.why}{tried}: {_what_to_do(line, trouble)}"


def _what_to_do(line: Line, trouble: Trouble) -> str:
    cloud = cloud_behind(line.client)
    if cloud is not None and trouble.advice in advice.NO_ENTRY:
        return f"the credentials were not accepted: check {cloud.check}"
    known = trouble.advice != advice.LOG_IN
    return trouble.advice if known else advice.credential(line.client)


async def _pause(line: Line, trouble: Trouble, pace: float) -> None:
    """Wait as long as the service asks, or at our own pace.

    Raises:
        ServiceFailure: it asks for more than there is, and waiting would be in vain.
        TimeoutError: there is no time left for another attempt.
    """
    wait = pace if trouble.wait is None else max(trouble.wait, _LEAST_WAIT)
    left = line.deadline() - time.monotonic()
    if trouble.wait is not None and wait > min(LONGEST_WAIT, left):
        asked = f"{trouble.why}; it asks to wait {wait:.0f} s"
        raise ServiceFailure(f"{asked}: {_what_to_do(line, trouble)}")
    if wait > left:
        raise ServiceFailure(
            f"{trouble.why}; no time is left to ask again: {_what_to_do(line, trouble)}"
        )
    line.say(Say(kind="note", text=f"{trouble.why}; asking again in {wait:.1f} s"))
    await asyncio.sleep(wait)


async def _once(line: Line, request: Request) -> Reply:
    """One attempt; whatever goes wrong with it becomes `_Failed`."""
    prompt = len(sized(request)) // BYTES_PER_TOKEN
    heard = Heard(line.say, line.grown, prompt)
    async with AsyncExitStack() as stack:
        with _opening(cloud_behind(line.client)):
            # The request was shown to the user as it is: its types are ours.
            asked = line.client.messages.stream(**cast("Any", request))
            stream = await stack.enter_async_context(asked)
        with _reading(line, heard, stream.response):
            async for event in stream:
                heard.hear(event)
            message = await stream.get_final_message()
            reply = heard.reply(message)
        if message.stop_reason is None or _is_torn(heard, message.stop_reason):
            raise _Failed(advice.cut(), heard.usage)
        return reply
    raise AssertionError  # leaving the stack swallows nothing


def _is_torn(heard: Heard, reason: str) -> bool:
    """Whether an answer that claims to be complete has a block that is not."""
    return heard.torn and reason in _WHOLE


@contextmanager
def _opening(cloud: Cloud | None) -> Iterator[None]:
    """Until the service has begun to answer; nothing is paid for yet."""
    try:
        yield
    except anthropic.BadRequestError as error:
        if advice.overflow(error):
            raise ContextFull from error
        if isinstance(error.api_message, str):
            raise  # its form may be corrected, by who has formed it
        raise _Failed(advice.refused(error)) from error
    except anthropic.APIStatusError as error:
        raise _Failed(advice.refused(error)) from error
    except (anthropic.APIConnectionError, httpx2.InvalidURL, UnicodeError) as error:
        raise _Failed(advice.unreachable(error)) from error
    except httpx2.HTTPError as error:  # within the body of an error
        raise _Failed(advice.torn(error, None)) from error
    except anthropic.AnthropicError as error:
        why = f"the credentials cannot be used: {error}"
        raise ServiceFailure(f"{why} ({advice.RENEW})") from error
    except sign_in_errors(cloud) as error:
        assert cloud is not None  # or there were none to be caught
        why = f"signing in to {cloud.name} failed: {_first_line(error)}"
        raise ServiceFailure(f"{why}: check {cloud.check}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def _reading(line: Line, heard: Heard, response: httpx2.Response) -> Iterator[None]:
    """While the answer comes: what breaks it off has been paid for."""
    try:
        yield
    except asyncio.CancelledError:
        line.waste(heard.usage)
        raise
    except anthropic.APIStatusError as error:
        if advice.overflow(error):
            line.waste(heard.usage)
            raise ContextFull from error
        raise _Failed(advice.broke_off(error), heard.usage) from error
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        stall = response.request.extensions.get("timeout", {}).get("read")
        raise _Failed(advice.torn(error, stall), heard.usage) from error
    except SENSELESS as error:
        kind = response.headers.get("content-type", "")
        trouble = advice.senseless(kind, began=heard.began)
        raise _Failed(trouble, heard.usage) from error
    finally:
        heard.flush()

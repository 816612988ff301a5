"""Conversations as one stream of candidates: a ladder, or a fan.

A ladder holds one conversation after another; it asks for more thinking only after the
gate has refused what less thinking made. A fan holds several at a time for who wants
speed: the first request puts the common prefix into the service's cache, and the others
begin once it has been answered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field

from bonafix.domain import Candidate, Feedback
from bonafix.errors import ServiceError

Said = Feedback | None
HandIn = Callable[[Candidate], Awaitable[Said]]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a conversation ended."""

    refused: bool = False  # the gate said no to its last candidate
    infeasible: bool = False  # the model says that there is no honest fix


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one conversation is given."""

    step: int  # of thinking, above what the user asked for
    share: float  # of the budget that is left
    hand_in: HandIn
    answered: asyncio.Event = field(default_factory=asyncio.Event)  # once, at least


Converse = Callable[[Attempt], Awaitable[Ending]]
MayGoOn = Callable[[], bool]


async def stream(
    work: Callable[[HandIn], Coroutine[None, None, None]],
    feedback: Callable[[], Said],
) -> AsyncGenerator[Candidate]:
    """The candidates that `work` hands in, one at a time.

    Each waits for what `feedback` gives once the next candidate is asked for; closing
    the stream cancels the work and waits for its end.
    """
    desk: asyncio.Queue[tuple[Candidate, asyncio.Future[Said]]] = asyncio.Queue()

    async def hand_in(candidate: Candidate) -> Said:
        answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        desk.put_nowait((candidate, answer))
        return await answer

    working = asyncio.create_task(work(hand_in))
    try:
        while not (working.done() and desk.empty()):
            waiting = asyncio.create_task(desk.get())
            try:
                await asyncio.wait(
                    {waiting, working}, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                if not waiting.done():
                    waiting.cancel()
            if waiting.cancelled() or not waiting.done():
                continue
            candidate, answer = waiting.result()
            yield candidate
            if not answer.done():
                answer.set_result(feedback())
        working.result()
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError, ServiceError):
            await working


async def ladder(
    converse: Converse, hand_in: HandIn, count: int, may_go_on: MayGoOn
) -> None:
    """At most `count` conversations, one after another."""
    step = 0
    for _ in range(count):
        if not may_go_on():
            return
        ending = await converse(Attempt(step, 1.0, hand_in))
        if ending.infeasible:
            return
        step += ending.refused


async def fan(
    converse: Converse, hand_in: HandIn, count: int, width: int, may_go_on: MayGoOn
) -> None:
    """The same, `width` at a time, all with the thinking that the user asked for.

    Raises:
        ServiceError: the service failed in each of them.
    """
    left = iter(range(count))
    first = Attempt(0, 1.0 / min(width, count), hand_in)
    failures: list[ServiceError] = []
    ended = 0

    async def one_after_another(attempt: Attempt) -> None:
        nonlocal ended
        for _ in left:
            if not may_go_on():
                return
            try:
                ending = await converse(attempt)
            except ServiceError as error:
                failures.append(error)
                return
            ended += 1
            if ending.infeasible:
                return

    async def later() -> None:
        await first.answered.wait()
        await one_after_another(Attempt(0, first.share, hand_in))

    async def leading() -> None:
        try:
            await one_after_another(first)
        finally:
            first.answered.set()  # or the others would wait for ever

    async with asyncio.TaskGroup() as group:
        group.create_task(leading())
        for _ in range(min(width, count) - 1):
            group.create_task(later())
    if failures and not ended:
        raise failures[0]

"""Several things done at once, none of which outlives the others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


async def both(
    one: Coroutine[Any, Any, A], other: Coroutine[Any, Any, B]
) -> tuple[A, B]:
    """What either returns; where one fails, or we are cancelled, neither goes on.

    Raises:
        Exception: what the first that failed has raised.
    """
    done: list[Any] = await at_once(one, other)
    return done[0], done[1]


async def at_once(*work: Coroutine[Any, Any, T]) -> list[T]:
    """What each returns; where one fails, or we are cancelled, none goes on.

    Raises:
        Exception: what the first that failed has raised.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

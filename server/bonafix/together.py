"""Several things done at once, none of which outlives the others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


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

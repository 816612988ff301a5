"""Whose turn it is: a few at a time, one for each root, the roots in rotation."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Turns:
    """Work that waits, each root's in the order of asking.

    Who asks for much in one root keeps nobody waiting in another.
    """

    width: int  # how many roots are worked on at once
    _busy: set[Path] = field(default_factory=set)
    _waiting: dict[Path, deque[asyncio.Future[None]]] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def of(self, root: Path) -> AsyncIterator[None]:
        """Hold the turn of `root` while the body runs."""
        await self._enter(root)
        try:
            yield
        finally:
            self._leave(root)

    def taken(self, root: Path) -> bool:
        """Whether work in `root` would have to wait now."""
        return root in self._busy or len(self._busy) >= self.width

    async def _enter(self, root: Path) -> None:
        if not self.taken(root):
            self._busy.add(root)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(root, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._give_up(root, turn)
            raise

    def _give_up(self, root: Path, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():  # it had just come
            self._leave(root)
            return
        queue = self._waiting.get(root, deque())
        with contextlib.suppress(ValueError):
            queue.remove(turn)
        if not queue:
            self._waiting.pop(root, None)

    def _leave(self, root: Path) -> None:
        self._busy.discard(root)
        for other in list(self._waiting):
            if not self.taken(other):
                self._call(other)

    def _call(self, root: Path) -> None:
        """Give `root` its turn, and its other work the last place in the row."""
        queue = self._waiting.pop(root)
        while queue:
            turn = queue.popleft()
            if turn.done():  # cancelled, and has not noticed yet
                continue
            if queue:
                self._waiting[root] = queue
            self._busy.add(root)
            turn.set_result(None)
            return

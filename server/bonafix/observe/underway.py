"""Tests that fail while a run goes on, one by one in; what is known so far out.

A suite may take minutes, or stand still at a test that hangs: what has failed by then
is told now and again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bonafix.domain import Event, Listener, SuiteRun, TestResult

_FIRST = 2.0  # seconds before the first is told: who is through by then tells it all
_BETWEEN = 1.0  # seconds at least between two tellings
_MOST = 200  # of them: where more fail, the others are shown at the end
_SHARE = 10  # times as long as a telling took, there is none

Show = Callable[[SuiteRun], None]


@dataclass(slots=True, eq=False)
class Underway:
    """Listens to a run within its `with`, and passes on what it hears.

    `show` gets a run of only those that failed, with the lines they ran; never more
    than once at a time, from the event loop, and nothing after the `with`.
    """

    listen: Listener
    show: Show
    _results: dict[str, TestResult] = field(default_factory=dict)
    _lines: dict[str, dict[str, frozenset[int]]] = field(default_factory=dict)
    _due: float = 0.0  # on the monotonic clock
    _timer: asyncio.TimerHandle | None = None
    _over: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()

    def __call__(self, event: Event) -> None:
        """Take one event; never blocks."""
        self.listen(event)
        full = len(self._results) >= _MOST
        if event.failed is None or self._over or full:
            return
        self._results[event.failed.id] = event.failed
        self._lines[event.failed.id] = dict(event.lines)
        if self._timer is None:
            # A timer, for the next test may say nothing for long.
            wait = max(_FIRST, self._due - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._tell)

    def _tell(self) -> None:
        begun, self._timer = time.monotonic(), None
        found = dict(self._results)
        self.show(
            SuiteRun(
                results=found,
                collected=tuple(found),
                lines={i: at for i, at in self._lines.items() if at},
                finished=False,
            )
        )
        spent = time.monotonic() - begun
        self._due = time.monotonic() + max(_BETWEEN, _SHARE * spent)

"""One fault may show in several ways: who mends them all is handed on first.

Failures are grouped by how they look. A patch for one group that leaves red what runs
the lines it changes may have cured a symptom; so others get a chance before it. So they
do before what was made of values seen: few of them have tests enough to be believed,
and to judge one takes as long as to try a hundred others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bonafix.propose.search.source import Trial

MOST = 100  # candidates that are tried for a better one than what is held
SECONDS = 5.0  # for which they are, at most: what is red may be so for good


@dataclass(slots=True)
class Holding:
    """Candidates that pass their targets, and for which there may be a better one."""

    most: int = MOST
    clock: Callable[[], float] = time.monotonic
    _held: list[Trial] = field(default_factory=list)
    _end: int | None = None  # of screened candidates, from which on none is held
    _late: float = 0.0  # on the clock, the same

    def next(self, trial: Trial | None, *, waits: bool, screened: int) -> list[Trial]:
        """What may be handed on now; `trial`: who has just passed, if anybody has."""
        now = [] if trial is None else self.admit(trial, waits=waits, screened=screened)
        return [*now, *self.due(screened)]

    def admit(self, trial: Trial, *, waits: bool, screened: int) -> list[Trial]:
        """What of it may be handed on at once. `waits`: it may be held."""
        if waits and self._end is None:
            self._end, self._late = screened + self.most, self.clock() + SECONDS
        if not waits or self._over(screened):
            return [trial]
        self._held.append(trial)
        return []

    def due(self, screened: int | None = None) -> list[Trial]:
        """Those that have been held for long enough; all, where nothing more comes."""
        if screened is not None and not self._over(screened):
            return []
        held, self._held = self._held, []
        return held

    def _over(self, screened: int) -> bool:
        """Whether who waited has waited for long enough."""
        if self._end is None:
            return False
        return screened >= self._end or self.clock() >= self._late

"""The time that is left to somebody, on a clock that can be stopped."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Watch:
    """The time that screening may still use; the clock stands while we are waited on.

    The gate judges between two candidates, and its time is not ours.
    """

    left: float
    since: float = field(default_factory=time.monotonic)

    def stop(self) -> None:
        """Let the clock stand."""
        self.left, self.since = self.remaining(), math.inf

    def go_on(self) -> None:
        """Let it run again."""
        self.since = time.monotonic()

    def remaining(self) -> float:
        """Seconds; below 0 once they are up."""
        return self.left - max(0.0, time.monotonic() - self.since)

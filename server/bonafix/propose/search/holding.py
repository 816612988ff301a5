"""One fault may show in several ways: who mends them all is handed on first.

Failures are grouped by how they look. A patch for one group that leaves red what runs
the lines it changes may have cured a symptom; so others get a chance before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bonafix.propose.search.source import Trial

MOST = 100  # candidates that are tried for a better one than what is held


@dataclass(slots=True)
class Holding:
    """Candidates that pass their targets and leave other tests of their lines red."""

    most: int = MOST
    _held: list[Trial] = field(default_factory=list)
    _end: int | None = None  # of screened candidates, after which none is held

    def admit(self, trial: Trial, *, rest: bool, screened: int) -> list[Trial]:
        """What of it may be handed on at once. `rest`: it leaves something red."""
        if (
            not rest
            or not self.most
            or (self._end is not None and screened > self._end)
        ):
            return [trial]
        if self._end is None:
            self._end = screened + self.most
        self._held.append(trial)
        return []

    def due(self, screened: int | None = None) -> list[Trial]:
        """Those that have been held for long enough; all, where nothing more comes."""
        if screened is not None and (self._end is None or screened < self._end):
            return []
        held, self._held = self._held, []
        return held

"""The whole suite, asked before the gate is: does a candidate make any test worse?

The gate's own run of it, and what it does about a test that got worse, costs several
fresh processes. Who is right at once should not pay for processes that are kept for
others: the first candidate that passes goes on as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bonafix.domain import Candidate, SuiteRun
from bonafix.propose.search.limits import Limits

_RUNS = 3  # of the suite, that must fit into the time: collected, tried, asked
_SPARE = 1.0  # seconds at the end, in which what is known is still handed on


class Whole(Protocol):
    """The ids that got worse, for sure; `None` where that cannot be told.

    `before` is what the suite does without the candidate.
    """

    async def __call__(  # noqa: D102
        self,
        files: Mapping[str, bytes | None],
        /,
        *,
        before: SuiteRun,
        seconds: float | None = None,
        per_test: float | None = None,
    ) -> tuple[str, ...] | None: ...


@dataclass(slots=True, kw_only=True)
class Wider:
    """What is asked of those that pass their targets; `remaining` are seconds."""

    whole: Whole | None
    limits: Limits
    remaining: Callable[[], float]
    passed: int = 0

    async def lost(self, candidate: Candidate) -> str:
        """A test that it makes worse; empty where none is known."""
        self.passed += 1
        took, left = self.limits.baseline.seconds, self.remaining() - _SPARE
        if self.whole is None or self.passed == 1 or _RUNS * took > left:
            return ""
        try:
            async with asyncio.timeout(left):
                found = await self.whole(
                    candidate.patch.files,
                    before=self.limits.baseline,
                    per_test=self.limits.each,
                )
        except TimeoutError:
            return ""
        return found[0] if found else ""

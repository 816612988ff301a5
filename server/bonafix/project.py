"""The composition root: the one object that the front ends hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bonafix.config import Config
from bonafix.domain import (
    Baseline,
    Judgement,
    Listener,
    Repair,
    Snapshot,
    SuiteRun,
    Suspect,
    TestResult,
    silent,
)

Buffers = Mapping[str, bytes]  # path relative to the root -> unsaved contents


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One run of the suite with what follows from it."""

    snapshot: Snapshot
    run: SuiteRun
    groups: tuple[tuple[TestResult, ...], ...]  # red results with one cause each
    suspects: Mapping[str, tuple[Suspect, ...]]  # failing id -> best first
    shown: Mapping[str, bytes]  # path -> contents as they were when it ran


@dataclass(frozen=True, slots=True)
class Project:
    """A root with its settings. Nothing here writes into the root.

    Every coroutine may be cancelled; a cancel leaves no process behind.
    """

    root: Path
    config: Config

    async def observe(
        self,
        *,
        buffers: Buffers | None = None,
        select: Sequence[str] | None = None,
        expression: str = "",
        listen: Listener = silent,
    ) -> Observation:
        """Run the suite once in a copy and read what failed.

        Raises:
            UntrustedError: the suite cannot be run or trusted; says why.
        """
        raise NotImplementedError

    async def baseline(
        self, *, buffers: Buffers | None = None, listen: Listener = silent
    ) -> Baseline:
        """Run the untouched suite as often as a judgement needs it."""
        raise NotImplementedError

    def fix(
        self,
        *,
        tests: Sequence[str] = (),
        expression: str = "",
        buffers: Buffers | None = None,
        listen: Listener = silent,
    ) -> AsyncIterator[Repair]:
        """Repair the named failures, else all; one `Repair` per cause.

        Each repair is judged on top of the accepted ones before it. `Repair.best`
        holds the patch relative to that state; the last yielded value with no
        targets is the final tree judged as a whole where there were several.
        """
        raise NotImplementedError

    async def check(
        self,
        patch: str | bytes,
        *,
        tests: Sequence[str] = (),
        listen: Listener = silent,
    ) -> tuple[Judgement, Baseline, str]:
        """Judge anyone's unified diff: the judgement, baseline, receipt's path."""
        raise NotImplementedError

"""Other fixes of the same targets, for a second opinion on somebody's patch.

The embedded search engine looks for a while; what passes the targets and then the
whole suite is a rival. No rival is ever delivered.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from bonafix.bench import Bench
from bonafix.calls import Rivalry, Rivals
from bonafix.config import Config
from bonafix.domain import (
    Baseline,
    Candidate,
    Event,
    Feedback,
    Listener,
    Outcome,
    Patch,
    Runner,
    SuiteRun,
    Task,
    TestResult,
    silent,
)
from bonafix.errors import BonafixError
from bonafix.judge.suite import lost
from bonafix.observe.localise import suspects
from bonafix.observe.warm import warm

TRIES = 80  # runs of candidates
CPU_SECONDS = 12.0  # of those runs; the same on a busy machine as on an idle one
SECONDS = 45.0  # wall, for all of it but the whole suite's runs
KEPT = 3
MORE = 20  # runs of candidates after the first that is kept
SUITES = 4  # runs of the whole suite
SLOW = 20.0  # seconds; a suite that takes longer is not run for this
STAGE = "reviewer"  # that asks for them
_GREEN = frozenset({Outcome.PASSED, Outcome.XPASSED})

Files = Mapping[str, bytes | None]


class _EnoughError(Exception):
    """As many candidates were run as may be."""


@dataclass(slots=True)
class _Meter:
    """A runner that counts what it uses, and that runs only so often."""

    run: Runner
    most: int
    most_cpu: float = math.inf
    runs: int = 0
    cpu_seconds: float = 0.0

    async def __call__(
        self,
        files: Files,
        /,
        *,
        select: Sequence[str] | None = None,
        expression: str = "",
        record_lines: bool = False,
        stop_at_first: bool = False,
        seconds: float | None = None,
        per_test: float | None = None,
        listen: Listener = silent,
    ) -> SuiteRun:
        if self.runs >= self.most or self.cpu_seconds > self.most_cpu:
            raise _EnoughError
        self.runs += 1
        done = await self.run(
            files,
            select=select,
            expression=expression,
            record_lines=record_lines,
            stop_at_first=stop_at_first,
            seconds=seconds,
            per_test=per_test,
            listen=listen,
        )
        self.cpu_seconds += done.cpu_seconds
        return done


@dataclass(frozen=True, slots=True)
class _Place:
    """Where they are looked for, and who hears of it."""

    bench: Bench
    base: Baseline
    config: Config
    listen: Listener

    def tell(self, text: str, done: int | None = None) -> None:
        """Say what is being done, as a stage does."""
        total = None if done is None else TRIES
        self.listen(Event(kind="stage", text=text, done=done, total=total))


def rivals_of(
    bench: Bench,
    base: Baseline,
    config: Config,
    task: Task | None = None,
    *,
    listen: Listener = silent,
) -> Rivals:
    """Fixes that the search engine finds, looked for once per set of targets.

    `task` is what a proposer may know, where something is kept from it. `listen`
    hears how far the search is: it may take as long as all else together.
    """
    place = _Place(bench, base, config, listen)
    known: dict[tuple[str, ...], Rivalry] = {}
    one_at_a_time = asyncio.Lock()

    async def rivals(targets: Sequence[TestResult], /) -> Rivalry:
        key = tuple(target.id for target in targets)
        async with one_at_a_time:
            if key in known:
                return replace(known[key], cpu_seconds=0.0)
            brief = task or _task(bench, base, tuple(targets))
            known[key] = await _searched(place, brief, targets)
            return known[key]

    return rivals


def among(others: Sequence[Patch], more: Rivals | None) -> Rivals | None:
    """`others`, which are at hand; `more` is asked only where there are none."""
    if not others:
        return more

    async def rivals(_targets: Sequence[TestResult], /) -> Rivalry:
        return Rivalry(patches=tuple(others[:KEPT]), tried=len(others))

    return rivals


def akin(others: Sequence[Patch], unsettled: str = "") -> Rivals | None:
    """What the same author could as well have proposed; only its dissent counts.

    `unsettled`: as the candidate says.
    """
    if not (others or unsettled):
        return None

    async def rivals(_targets: Sequence[TestResult], /) -> Rivalry:
        return Rivalry(
            patches=tuple(others[:KEPT]),
            tried=len(others),
            akin=True,
            unsettled=unsettled,
        )

    return rivals


async def _searched(
    place: _Place, task: Task, targets: Sequence[TestResult]
) -> Rivalry:
    """Look for them; no rival is no reason to stop anything."""
    bench, base = place.bench, place.base
    if not targets or base.seconds > SLOW:
        return Rivalry()
    before = {target.id: target.outcome for target in task.targets}
    suite, found = _Meter(bench.tools.run, SUITES), list[Patch]()
    where = bench.snapshot, bench.interpreter, place.config
    place.listen(Event(kind="note", text="looking for other fixes to compare with"))
    async with warm(*where, expected=before) as pool:
        laid = {p: c for patch in bench.under for p, c in patch.files.items()}
        screen = _Meter(pool.over(laid), TRIES, CPU_SECONDS)
        with contextlib.suppress(BonafixError, _EnoughError):
            async with contextlib.aclosing(
                _candidates(replace(task, seconds=SECONDS), screen, place)
            ) as source:
                async for candidate in source:
                    place.tell(f"{STAGE}: the suite under another fix")
                    if await _passes(candidate.patch, place, targets, suite):
                        found.append(candidate.patch)
                        screen.most = min(screen.most, screen.runs + MORE)
                    if len(found) == KEPT:
                        break
    place.tell(f"{STAGE}: {len(found)} other fixes of {screen.runs} tried")
    return Rivalry(
        patches=tuple(found),
        tried=screen.runs,
        cpu_seconds=suite.cpu_seconds + screen.cpu_seconds,
    )


def _task(bench: Bench, base: Baseline, targets: tuple[TestResult, ...]) -> Task:
    """What anybody who wrote a fix could know."""
    sources = bench.snapshot.sources
    return Task(
        snapshot=bench.snapshot,
        layout=base.layout,
        targets=targets,
        suspects=suspects(base.run, targets, sources=sources),
        baseline=base.run,
        seconds=SECONDS,
    )


async def _candidates(
    task: Task, screen: Runner, place: _Place
) -> AsyncGenerator[Candidate]:
    """Those that pass all targets."""
    # The parser and the catalogue are loaded by those who need them alone.
    from bonafix.propose.search import engine  # noqa: PLC0415

    whole = False

    def listen(event: Event) -> None:
        nonlocal whole
        whole = bool(event.facts.get("green"))
        place.tell(f"{STAGE}: other fixes", event.done or 0)

    place.tell(f"{STAGE}: other fixes", 0)
    stream = engine.propose(task, screen, _nothing, listen, thorough=False)
    source = cast("AsyncGenerator[Candidate]", stream)
    async with contextlib.aclosing(source) as candidates:
        async for candidate in candidates:
            if not whole:
                return  # from here on they pass only some
            yield candidate


def _nothing() -> Feedback | None:
    return None


async def _passes(
    patch: Patch, place: _Place, targets: Sequence[TestResult], run: Runner
) -> bool:
    """Whether all targets are green and no test is worse, in one whole cold run."""
    base = place.base
    red = set(base.run.red) - {target.id for target in targets}
    # Where nothing else is red, the first failure says it all.
    brief = not red and not base.flaky
    done = await run(patch.files, stop_at_first=brief, listen=place.listen)
    green = all(done.outcome(target.id) in _GREEN for target in targets)
    return green and done.finished and not lost(base, done)

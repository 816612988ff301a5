"""The baseline of before, where nothing that it depends on has changed; else a new one.

It is reused whole or not at all. What is to be repaired is run once more all the same:
what a baseline could depend on unseen (a date, a service of the machine) shows there
first, and then the old one is thrown away.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bonafix.config import Config
from bonafix.domain import Baseline, Event, Listener, Outcome, Runner, Snapshot, silent
from bonafix.observe import depends, store
from bonafix.observe.baseline import completed, concluded, observed, repeated
from bonafix.observe.haste import Haste
from bonafix.observe.interpreter import Interpreter
from bonafix.observe.run import Bench
from bonafix.observe.store import Entry, Observed
from bonafix.sandbox.confinement import capabilities
from bonafix.together import both

OLDEST = 24 * 3600.0  # seconds: a test may know what day it is
_UNSETTLED = frozenset({Outcome.HUNG, Outcome.CRASHED})
_MINUTE, _HOUR = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class _Job:
    """One baseline that is wanted; `parts` decide whether an old one is as good."""

    root: Path
    parts: Mapping[str, str]
    run: Runner
    targets: Sequence[str]
    listen: Listener
    haste: Haste | None

    def say(self, text: str, **facts: object) -> None:
        self.listen(Event(kind="note", text=text, facts=facts))


async def baseline(
    snapshot: Snapshot,
    run: Runner,
    config: Config,
    interpreter: Interpreter,
    *,
    targets: Sequence[str] = (),
    listen: Listener = silent,
    haste: Haste | None = None,
) -> Baseline:
    """As `baseline.baseline`, but reused where it may be; `listen` is told which.

    Later runs of the same bench may be faster: `haste` says how.

    Raises:
        UntrustedError: the suite cannot be run, or its results be believed.
    """
    bench = Bench(snapshot, interpreter, config)
    if config.cache and await asyncio.to_thread(store.blank, snapshot.root):
        # Looking at all that is installed takes a second, and nobody waits for it.
        seen, parts = await both(
            observed(run, targets, listen, haste), asyncio.to_thread(_parts, bench)
        )
        if not isinstance(parts, str):
            await _keep(_Job(snapshot.root, parts, run, targets, listen, haste), seen)
    else:
        parts = await asyncio.to_thread(_parts, bench)
        if isinstance(parts, str):
            seen = await observed(run, targets, listen, haste)
        else:
            job = _Job(snapshot.root, parts, run, targets, listen, haste)
            seen = await _either(job)
    if isinstance(parts, str) and config.cache:
        listen(Event(kind="note", text=f"the baseline is not kept: {parts}"))
    return concluded(seen, bench, targets, listen)


def _parts(bench: Bench) -> Mapping[str, str] | str:
    """What the baseline depends on, or why that cannot be told."""
    config, snapshot = bench.config, bench.snapshot
    if not config.cache:
        return "the settings say so"
    if config.confine == "off":
        return "tests that are not confined could write to where it would be"
    caps = capabilities(snapshot.lower.parent)
    if not (caps.writes and caps.network):
        return "what tests write to and connect to cannot be bounded here"
    try:
        return store.unsafe(snapshot.root) or depends.parts(bench, caps, os.environ)
    except depends.UnboundedError as error:
        return str(error)


async def _either(job: _Job) -> Observed:
    """What an earlier run has seen, if it still holds; else what a new one sees."""
    entry = await asyncio.to_thread(store.load, job.root, job.parts)
    if entry is None:
        await _say_what_changed(job)
        return await _afresh(job)
    reason = _outdated(entry) or await _contradicted(job, entry)
    if reason:
        job.say(f"baseline taken afresh: {reason}")
        store.forget(job.root, job.parts)
        return await _afresh(job)
    count, age = len(entry.observed.run.collected), _age(time.time() - entry.taken)
    text = f"baseline from cache: {count:,} tests, taken {age} ago"
    job.say(text, cached=entry.taken)
    if job.haste is not None and entry.observed.run.red:
        job.haste.harm = entry.observed.harm
        await job.haste.resume(entry.observed.run, entry.observed.parts)
    known = entry.observed
    seen = await completed(known, job.run, job.targets, job.listen, job.haste)
    if seen.alone != entry.observed.alone:
        await _write(job, replace(entry, observed=seen))
    return seen


async def _afresh(job: _Job) -> Observed:
    seen = await observed(job.run, job.targets, job.listen, job.haste)
    await _keep(job, seen)
    return seen


async def _keep(job: _Job, seen: Observed) -> None:
    reason = _unsteady(seen)
    if reason:
        job.say(f"the baseline is not kept: {reason}")
        return
    entry = Entry(
        parts=job.parts,
        elsewhere=depends.elsewhere(seen.run.elsewhere),
        taken=time.time(),
        observed=seen,
    )
    await _write(job, entry)


async def _write(job: _Job, entry: Entry) -> None:
    await asyncio.to_thread(store.save, job.root, entry)


def _outdated(entry: Entry) -> str:
    if not 0 <= time.time() - entry.taken < OLDEST:
        return "the one in the cache is more than a day old"
    if time.localtime(entry.taken)[:3] != time.localtime()[:3]:
        return "the one in the cache is of another day"
    now = depends.elsewhere(entry.elsewhere)
    moved = [path for path, mark in entry.elsewhere.items() if now[path] != mark]
    return f"{moved[0]}, which tests open, has changed" if moved else ""


async def _contradicted(job: _Job, entry: Entry) -> str:
    """Why it does not hold any more: what is red is run on its own, once."""
    steady = _expected(entry.observed, job.targets)
    if not steady:
        return ""
    now = await job.run({}, select=[*steady], listen=job.listen)
    for node_id, before in steady.items():
        if now.outcome(node_id) is not before:
            return f"{node_id} is {now.outcome(node_id)} now and was {before} then"
    return ""


def _expected(seen: Observed, targets: Sequence[str]) -> dict[str, Outcome]:
    """What is red or asked about, with what it did: on its own, else in the suite."""
    found = {}
    red = repeated(seen.run, seen.again, targets)
    for node_id in dict.fromkeys((*red, *targets)):
        alone = set(seen.alone.get(node_id, (seen.run.outcome(node_id),)))
        lost = node_id in seen.again or node_id not in seen.run.collected
        if len(alone) == 1 and not lost and not alone & _UNSETTLED:
            found[node_id] = alone.pop()
    return found


async def _say_what_changed(job: _Job) -> None:
    before = await asyncio.to_thread(store.latest, job.root)
    changed = [name for name, mark in job.parts.items() if before.get(name) != mark]
    if before and changed:
        job.say(
            f"baseline taken afresh: {', '.join(changed)} changed, and no test is "
            "known for sure not to depend on that"
        )


def _unsteady(seen: Observed) -> str:
    """Why another run might not show the same; what is flaky is kept as flaky."""
    every = (*seen.run.results.values(),)
    lost = [r.id for r in every if r.outcome in _UNSETTLED]
    lost += [i for i, outcome in seen.again.items() if outcome in _UNSETTLED]
    if lost:
        return f"{lost[0]} did not come to its end"
    if "" in seen.run.elsewhere:
        return "its tests open too many files outside the project"
    return ""


def _age(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h"

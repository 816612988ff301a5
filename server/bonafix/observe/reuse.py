"""The baseline of before, and of what has changed since only what depends on it anew.

What is to be repaired is run once more all the same: what a baseline could depend on
unseen (a date, a service of the machine) shows there first, and then the old one is
thrown away.

Which test depends on a changed function is known by the lines that it ran, and that is
not all: what one test leaves in memory another may find, C code and other programs open
files unseen, `inspect` shows a test the source of anything. No verdict rests on it.
Whatever is called red was run again over the files as they are; and a test that is
called green, and is not so any more, is red in the cold run of the whole suite that
confirms every repair, where each test's outcome is compared (and looked at once more
without the repair). So a mistake here can make us refuse a fix, and never accept one.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bonafix.config import Config
from bonafix.domain import Baseline, Event, Listener, Runner, Snapshot, silent
from bonafix.observe import depends, store
from bonafix.observe.baseline import completed, concluded, observed, repeated
from bonafix.observe.changes import BeyondError, changes, tree_of
from bonafix.observe.haste import Haste
from bonafix.observe.interpreter import Interpreter
from bonafix.observe.renewing import (
    UNSETTLED,
    ContradictedError,
    Renewed,
    expected,
    renewed,
    require_same,
)
from bonafix.observe.run import Bench
from bonafix.observe.store import Entry, Observed
from bonafix.sandbox.confinement import capabilities
from bonafix.together import both

OLDEST = 24 * 3600.0  # seconds: a test may know what day it is
_MINUTE, _HOUR = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class _Job:
    """One baseline that is wanted; `parts` decide whether an old one is as good."""

    bench: Bench
    parts: Mapping[str, str]
    run: Runner
    targets: Sequence[str]
    listen: Listener
    haste: Haste | None

    @property
    def root(self) -> Path:
        return self.bench.snapshot.root

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
            await _keep(_Job(bench, parts, run, targets, listen, haste), seen)
    else:
        parts = await asyncio.to_thread(_parts, bench)
        if isinstance(parts, str):
            seen = await observed(run, targets, listen, haste)
        else:
            job = _Job(bench, parts, run, targets, listen, haste)
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
        return await _in_part(job)
    red = repeated(entry.observed.run, entry.observed.again, job.targets)
    steady = expected(entry.observed, (*red, *job.targets))
    try:
        _require_current(entry)
        await require_same(entry.observed, steady, job.run, job.listen)
    except ContradictedError as error:
        return await _instead(job, entry, str(error))
    job.say(_from_cache(entry), cached=entry.taken)
    seen = await _completed(job, entry.observed)
    if seen.alone != entry.observed.alone:
        await _write(job, replace(entry, observed=seen))
    return seen


async def _in_part(job: _Job) -> Observed:
    """What an earlier run of other files has seen, as far as it still holds."""
    near = await asyncio.to_thread(store.nearest, job.root, job.parts, depends.FILES)
    if near is None:
        await _say_what_changed(job)
        return await _afresh(job)
    try:
        _require_current(near)
        found = await changes(job.bench, near.tree, near.observed.run)
        runs = job.run, job.targets, job.listen
        anew = await renewed(near.observed, found, *runs)
    except BeyondError as error:
        job.say(f"baseline taken afresh: {error}")
        return await _afresh(job)
    except ContradictedError as error:
        return await _instead(job, near, str(error))
    text = _from_cache(near) + _told(anew, found.paths)
    job.say(text, cached=near.taken, again=len(anew.again))
    seen = await _completed(job, anew.observed)
    await _keep(job, seen, near)
    return seen


async def _instead(job: _Job, entry: Entry, reason: str) -> Observed:
    """A new one, where it turns out that an old one does not hold any more."""
    job.say(f"baseline taken afresh: {reason}")
    store.forget(job.root, entry.parts)
    return await _afresh(job)


async def _completed(job: _Job, known: Observed) -> Observed:
    """With all that is red run on its own; as fast as that was seen to be right."""
    if job.haste is not None and known.run.red:
        job.haste.harm = known.harm
        await job.haste.resume(known.run, known.parts)
    return await completed(known, job.run, job.targets, job.listen, job.haste)


async def _afresh(job: _Job) -> Observed:
    seen = await observed(job.run, job.targets, job.listen, job.haste)
    await _keep(job, seen)
    return seen


async def _keep(job: _Job, seen: Observed, before: Entry | None = None) -> None:
    """Keep what was seen; `before`: the older one that a part of it is from."""
    reason = _unsteady(seen)
    if reason:
        job.say(f"the baseline is not kept: {reason}")
        return
    marks = depends.elsewhere(seen.run.elsewhere)
    entry = Entry(
        parts=job.parts,
        elsewhere={**marks, **before.elsewhere} if before else marks,
        taken=before.taken if before else time.time(),
        tree=await asyncio.to_thread(tree_of, job.bench.snapshot),
        observed=seen,
    )
    await _write(job, entry)


async def _write(job: _Job, entry: Entry) -> None:
    await asyncio.to_thread(store.save, job.root, entry)


def _require_current(entry: Entry) -> None:
    if not 0 <= time.time() - entry.taken < OLDEST:
        raise ContradictedError("the one in the cache is more than a day old")
    if time.localtime(entry.taken)[:3] != time.localtime()[:3]:
        raise ContradictedError("the one in the cache is of another day")
    now = depends.elsewhere(entry.elsewhere)
    for path, mark in entry.elsewhere.items():
        if now[path] != mark:
            raise ContradictedError(f"{path}, which tests open, has changed")


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
    lost = [r.id for r in every if r.outcome in UNSETTLED]
    lost += [i for i, outcome in seen.again.items() if outcome in UNSETTLED]
    if lost:
        return f"{lost[0]} did not come to its end"
    if "" in seen.run.elsewhere:
        return "its tests open too many files outside the project"
    return ""


def _from_cache(entry: Entry) -> str:
    count, age = len(entry.observed.run.collected), _age(time.time() - entry.taken)
    return f"baseline from cache: {count:,} tests, taken {age} ago"


def _told(anew: Renewed, paths: Sequence[str]) -> str:
    """What was not from there."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    what = f"{paths[0]}{more}"
    if not anew.again:
        return f"; nothing depends on {what}"
    if len(anew.again) == 1:
        return f"; 1 that depends on {what} was run again"
    return f"; {len(anew.again):,} that depend on {what} were run again"


def _age(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h"

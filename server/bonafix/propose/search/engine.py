"""Screening: run the targets over each candidate, hand on those that pass."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field

from bonafix.domain import (
    Candidate,
    Event,
    Feedback,
    Listener,
    Outcome,
    Runner,
    SuiteRun,
    Task,
    TestResult,
    worse,
)
from bonafix.errors import CollectionFailedError
from bonafix.propose.search.asking import suggested
from bonafix.propose.search.holding import MOST, Holding
from bonafix.propose.search.kin import likened
from bonafix.propose.search.limits import Limits, limits_of
from bonafix.propose.search.pairs import partial
from bonafix.propose.search.patches import Idea
from bonafix.propose.search.source import Source, Trial
from bonafix.propose.search.stopwatch import Watch
from bonafix.propose.search.template import MAKING
from bonafix.propose.search.whole import Whole, Wider

CONCURRENT = 2
_AHEAD = 6  # finished runs that may wait for a slow one of higher rank
_PARTIAL = 3  # candidates for a part of the targets, offered when nothing else is left
_TEMPLATES = 24  # candidates without success, after which values are looked at
_SINGLE = 0.5  # of the time for single edits alone, if nothing passes
_GREEN = frozenset({Outcome.PASSED, Outcome.XPASSED})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What screening saw of one candidate."""

    green: frozenset[str] = frozenset()  # targets that pass now
    harm: bool = False  # a test that passed before does not any more
    lost: str = ""  # which, where the whole suite has said so
    long: bool = False  # it did not end in the time that a first look has
    rest: bool = False  # another failing test of the same lines stays red
    results: Mapping[str, TestResult] = field(default_factory=dict)  # of the targets


@dataclass(slots=True)
class _Tally:
    screened: int = 0
    passed: int = 0
    partial: list[tuple[Candidate, _Seen]] = field(default_factory=list)

    def count(self, candidate: Candidate, seen: _Seen, *, full: bool) -> Event:
        self.screened += 1
        self.passed += full
        if seen.green and not full:
            self.partial.append((candidate, seen))
        facts = {"screened": self.screened, "passed": self.passed, "green": full}
        how = f"makes {seen.lost} worse" if seen.lost else "fails"
        text = f"{candidate.title}: {'passes' if full else how}"
        return Event(kind="candidate", text=text, done=self.screened, facts=facts)


async def propose(
    task: Task,
    run: Runner,
    feedback: Callable[[], Feedback | None],
    listen: Listener,
    *,
    concurrent: int = CONCURRENT,
    thorough: bool = True,
    whole: Whole | None = None,
) -> AsyncIterator[Candidate]:
    """Candidates that turn all targets green, in the order of their rank.

    Single edits first, by templates and then by what was seen at suspicious spots;
    where the gate lets none through, pairs of them that build on those which brought
    a test nearer. Where none passes, at the end those that turn some green and harm
    none. Only templates' single edits where it need not be `thorough`. Who makes any
    test of the `whole` suite worse is not handed on either, as far as that is quick to
    tell; who leaves red what else runs the same lines, or was made of values alone, is
    handed on later. Runs at most `concurrent` candidates at once, for `task.seconds` in
    all; closing the iterator ends them.
    """
    limits, watch, tally = limits_of(task), Watch(task.seconds), _Tally()
    every = frozenset(limits.targets)
    source, half = Source(task), task.seconds * (1 - _SINGLE)
    waiting: list[_Waiting] = []
    holding = Holding(most=MOST if thorough else 0)
    wider = Wider(whole=whole, limits=limits, remaining=watch.remaining)
    start = functools.partial(_screen, run=run, limits=limits, wider=wider)

    ideas: list[Idea] = []
    passes = functools.partial(_passes, start, every) if thorough else None

    def following() -> Trial | None:
        late = not source.survived and watch.remaining() < half
        return source.next(pairs=thorough and late)

    asked = not thorough
    try:
        while every:
            due = tally.screened + len(source.slow) >= _TEMPLATES
            going = await _refill(waiting, following, start, watch, concurrent)
            if not asked and (due or not going):
                asked = True  # templates alone do not seem to do
                await _until_all_end(waiting, watch)
                ideas = await suggested(task, run, limits, watch.remaining())
                for idea in ideas:
                    source.shelf.put(idea)
            elif not going:
                break
            await _until_one_ends(waiting, watch)
            for trial, seen in _finished(waiting, watch, source):
                full = seen.green == every and not seen.harm
                listen(tally.count(trial.candidate, seen, full=full))
                if not full:
                    _learn(source, trial, seen)
                # Who passes follows his event at once: it says what he does.
                passing, now = trial if full else None, tally.screened
                waits = full and _waits(trial, seen, source)
                for ready in holding.next(passing, waits=waits, screened=now):
                    told = await likened(ready, ideas, passes)
                    watch.stop()
                    yield told
                    watch.go_on()
                    source.hear(ready, feedback())
    finally:
        await _end(job for _, job in waiting)
    held = (trial.candidate for trial in holding.due())
    for candidate in (*held, *_leftovers(tally, every)):
        yield candidate


_Waiting = tuple[Trial, asyncio.Task[_Seen]]


def _learn(source: Source, trial: Trial, seen: _Seen) -> None:
    """Keep what brought a target nearer, as one half of a pair."""
    if trial.idea is None or seen.harm:
        return
    found = partial(source.task, trial.candidate, trial.idea, seen.results)
    if found is not None:
        source.remember(found)


def _waits(trial: Trial, seen: _Seen, source: Source) -> bool:
    """Whether something better than what has passed may still come."""
    made = trial.candidate.fitted >= MAKING
    if made:
        source.shelf.taste.guessed()
    return seen.rest or made


async def _refill(
    waiting: list[_Waiting],
    following: Callable[[], Trial | None],
    start: Callable[[Trial], Coroutine[None, None, _Seen]],
    watch: Watch,
    concurrent: int,
) -> bool:
    """Start runs until as many as allowed are under way; False when it is over."""
    while watch.remaining() > 0 and len(waiting) < concurrent + _AHEAD:
        if sum(not job.done() for _, job in waiting) >= concurrent:
            break
        try:
            trial = following()
        except StopIteration:
            break
        if trial is None:  # still making up its mind: let others work
            await asyncio.sleep(0)
        else:
            waiting.append((trial, asyncio.create_task(start(trial))))
    return bool(waiting) and watch.remaining() > 0


def _finished(
    waiting: list[_Waiting], watch: Watch, source: Source
) -> Iterator[tuple[Trial, _Seen]]:
    """What is known, in the order of rank; out of order when the time is up.

    Who did not end in the time of a first look is tried again when nothing is left.
    """
    for entry in list(waiting):
        trial, job = entry
        if job.done():
            waiting.remove(entry)
            seen = job.result()
            if seen.long:
                source.postpone(trial)
            else:
                yield trial, seen
        elif watch.remaining() > 0:
            return


async def _until_one_ends(waiting: list[_Waiting], watch: Watch) -> None:
    jobs = [job for _, job in waiting if not job.done()]
    if jobs and not waiting[0][1].done():
        await asyncio.wait(
            jobs,
            timeout=max(0.0, watch.remaining()),
            return_when=asyncio.FIRST_COMPLETED,
        )


async def _until_all_end(waiting: list[_Waiting], watch: Watch) -> None:
    """So that what runs next runs alone."""
    jobs = [job for _, job in waiting if not job.done()]
    if jobs:
        await asyncio.wait(jobs, timeout=max(0.0, watch.remaining()))


async def _passes(
    start: Callable[[Trial], Coroutine[None, None, _Seen]],
    every: frozenset[str],
    candidate: Candidate,
) -> bool:
    """Whether all targets do, and nothing gets worse."""
    seen = await start(Trial(candidate, again=True))
    return seen.green == every and not seen.harm


async def _screen(trial: Trial, run: Runner, limits: Limits, wider: Wider) -> _Seen:
    """The targets first; then some tests of the same lines, then all the others."""
    candidate, files = trial.candidate, trial.candidate.patch.files
    try:
        first = await run(
            files,
            select=limits.targets,
            stop_at_first=limits.stop_at_first,
            seconds=limits.seconds,
            per_test=limits.per_test if trial.again else limits.hasty,
        )
        if not trial.again and _runs_away(first, limits):
            return _Seen(long=True)
        green = frozenset(i for i in limits.targets if first.outcome(i) in _GREEN)
        if green != frozenset(limits.targets):
            return _Seen(green, harm=_skips(first, limits), results=first.results)
        neighbours = limits.neighbours(candidate)
        if neighbours:
            second = await run(
                files,
                select=neighbours,
                stop_at_first=True,
                seconds=limits.neighbour_seconds,
                per_test=limits.per_test,
            )
            if limits.harms(second, neighbours):
                return _Seen(green, harm=True)
        lost = await wider.lost(candidate)
        rest = not lost and await _leaves(files, limits.others(candidate), run, limits)
    except CollectionFailedError:
        return _Seen()  # the patched module cannot be imported
    harm = bool(lost) or (not neighbours and _skips(first, limits))
    return _Seen(green, harm=harm, lost=lost, rest=rest, results=first.results)


def _runs_away(run: SuiteRun, limits: Limits) -> bool:
    return any(run.outcome(i) is Outcome.HUNG for i in limits.targets)


async def _leaves(
    files: Mapping[str, bytes | None],
    others: tuple[str, ...],
    run: Runner,
    limits: Limits,
) -> bool:
    """Whether one of these tests stays red."""
    if not others:
        return False
    seen = await run(
        files,
        select=others,
        stop_at_first=True,
        seconds=limits.neighbour_seconds,
        per_test=limits.each,
    )
    return any(seen.outcome(i) not in _GREEN for i in others)


def _skips(run: SuiteRun, limits: Limits) -> bool:
    """Whether a target is skipped instead of failing: worse, not better."""
    reported = [i for i in limits.targets if i in run.results]
    return any(worse(limits.before(i), run.outcome(i)) for i in reported)


async def _end(jobs: Iterator[asyncio.Task[_Seen]]) -> None:
    """Cancel runs and wait until their processes are gone."""
    running = list(jobs)
    for job in running:
        job.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def _leftovers(tally: _Tally, every: frozenset[str]) -> Iterator[Candidate]:
    """What does only a part of the work, the most first, if nothing does it all."""
    if tally.passed:
        return
    useful = [pair for pair in tally.partial if not pair[1].harm]
    for candidate, seen in sorted(useful, key=lambda pair: -len(pair[1].green))[
        :_PARTIAL
    ]:
        note = f"partial: {len(seen.green)} of {len(every)} targets pass"
        yield dataclasses.replace(candidate, note=f"{candidate.note}; {note}")

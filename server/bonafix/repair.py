"""The loop: propose, judge, rank; ends with the best-ranked survivor.

It stops at the first `verified` patch, or when the proposers have no more to say,
enough plausible patches have survived, or the time is up. A model's patch whose only
doubt is that something near stays red ends it, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from bonafix import syntax
from bonafix.calls import Tools
from bonafix.domain import (
    Candidate,
    Cost,
    Event,
    Feedback,
    Judgement,
    Listener,
    Outcome,
    Patch,
    Proposer,
    Repair,
    Runner,
    Task,
    TestResult,
    Verdict,
    add_costs,
    silent,
)
from bonafix.errors import CollectionFailedError, ServiceError
from bonafix.judge.case import Case
from bonafix.judge.gate import judge
from bonafix.judge.hiding.visible import visible_runner
from bonafix.judge.rank import best_first
from bonafix.patience import Grace, bounded, falls_short, near
from bonafix.readers import RESERVE, RUNS, counted
from bonafix.rivals import akin, among
from bonafix.text import decode

ENOUGH = 3  # survivors, after which one more rarely beats the best
GUESSES = 8  # the same of those that were made to fit the tests, or leave some red
CLAIM = 600  # characters of a model's claim that are quoted

# (name of the engine, who writes the patches)
Engine = tuple[str, Proposer]


@dataclass(frozen=True, slots=True)
class _Work:
    task: Task
    case: Case
    tools: Tools
    look: Runner
    listen: Listener


@dataclass(slots=True)
class _Ledger:
    """What one repair has seen so far; lives as long as its loop."""

    judged: dict[str, Judgement] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)
    asked: list[Cost] = field(default_factory=list)  # by the gate
    screened: int = 0
    failed: int = 0  # made to fit, and not what was kept back
    infeasible: str = ""
    failure: ServiceError | None = None

    def hear(self, event: Event) -> None:
        """Note what a proposer reports beside its candidates."""
        cost, author = event.facts.get("cost"), str(event.facts.get("author", ""))
        if isinstance(cost, Cost) and author != "readers":
            self.costs[author] = cost
        screened = event.facts.get("screened")
        if isinstance(screened, int):
            self.screened = screened
        infeasible = event.facts.get("infeasible")
        if isinstance(infeasible, str):
            self.infeasible = infeasible

    @property
    def survivors(self) -> list[Judgement]:
        """Those that nothing was proven against."""
        good = {Verdict.PLAUSIBLE, Verdict.VERIFIED}
        return [j for j in self.judged.values() if j.verdict in good]

    @property
    def whole(self) -> list[Judgement]:
        """Those of them under which every target passes, sealed ones too."""
        return [
            judgement
            for judgement in self.survivors
            if all(target.after is Outcome.PASSED for target in judgement.targets)
        ]

    def knows(self, candidate: Candidate) -> bool:
        """Whether a survivor was made to fit the tests as this one was, and there."""
        like = (patch for one in self.whole for patch in one.candidate.like)
        return bool(candidate.fitted) and candidate.patch in like


async def repair(
    task: Task,
    case: Case,
    engines: Sequence[Engine],
    tools: Tools,
    *,
    seconds: float,
    listen: Listener = silent,
    look: Runner | None = None,
) -> Repair:
    """Work on one group of failures for at most `seconds` (wall).

    `look` runs what is no evidence of anything; by default the gate's runner does.
    """
    ledger = _Ledger()
    begun = time.monotonic()

    def heard(event: Event) -> None:
        ledger.hear(event)
        listen(event)

    until = begun + seconds - RESERVE - RUNS * case.baseline.seconds
    asked = counted(tools, ledger.asked, heard, until=until)
    work = _Work(task, case, asked, look or tools.run, heard)
    late = False
    try:
        async with asyncio.timeout(seconds):
            for engine in engines:
                if await _exhaust(engine, work, ledger):
                    break
    except TimeoutError:
        late = True
    limit = f"{seconds:.0f} s" if late else ""
    if limit and ledger.survivors:
        heard(Event(kind="note", text=_cut_off(limit)))
    seconds = time.monotonic() - begun
    return _outcome(case.targets, engines, ledger, seconds, limit)


async def _exhaust(engine: Engine, work: _Work, ledger: _Ledger) -> bool:
    """Judge what one engine proposes; true when nothing better can come."""
    name, propose = engine
    latest: list[Judgement] = []
    before = len(ledger.whole)
    work.listen(Event(kind="note", text=f"engine: {name}", facts={"engine": name}))
    run = work.tools.run
    if work.case.seal is not None:
        run = visible_runner(work.case.seal, run)
    stream = propose(work.task, run, _feedback(latest), work.listen)
    # An async generator is a process tree here: closing it ends the processes.
    source = contextlib.aclosing(cast("AsyncGenerator[Candidate]", stream))
    try:
        async with asyncio.timeout(None) as clock, source as candidates:
            grace = Grace(clock)
            async for candidate in candidates:
                latest.clear()
                if await _needless(candidate, work, ledger):
                    continue
                grace.hold()
                latest[:] = [await _judged(candidate, work, ledger)]
                if _done(latest[0], name):
                    return True
                found = ledger.whole[before:]
                if _enough(found):
                    break
                if name == "search":
                    grace.go_on(found, weak=all(map(_weak, found)))
    except ServiceError as error:
        ledger.failure = error
        work.listen(Event(kind="note", text=str(error)))
    except TimeoutError:
        if not clock.expired():
            raise  # the time of the whole repair is up, not the search's grace
    return False


def _done(judgement: Judgement, engine: str) -> bool:
    """Whether nothing better is looked for; to ask a model for more costs money."""
    if judgement.verdict is Verdict.PLAUSIBLE and engine != "search":
        return bool(near(judgement)) and len(judgement.missing) == 1
    return judgement.verdict is Verdict.VERIFIED


def _weak(judgement: Judgement) -> bool:
    """Whether it survived, and something with a better reason may still come."""
    return bool(judgement.candidate.fitted or near(judgement))


def _enough(found: Sequence[Judgement]) -> bool:
    """Whether so many have survived that others need not be looked for."""
    weak = sum(_weak(one) for one in found)
    return len(found) - weak >= ENOUGH or weak >= GUESSES


async def _needless(candidate: Candidate, work: _Work, ledger: _Ledger) -> bool:
    """Whether nothing could be said for it that was not said before, of others."""
    if ledger.knows(candidate):
        return True
    if candidate.author != "search":
        return False
    run = bounded(work.look, work.case.baseline)
    try:
        short = await falls_short(candidate, ledger.survivors, run)
    except CollectionFailedError:
        return False  # the gate says what is wrong
    if short:
        ledger.failed += bool(candidate.fitted)
        text = f"{candidate.title}: leaves red what others leave red"
        work.listen(Event(kind="candidate", text=text))
    return short


async def _judged(candidate: Candidate, work: _Work, ledger: _Ledger) -> Judgement:
    """The gate's word on it; identical patches are judged once."""
    key = normal_form(candidate.patch)
    if key not in ledger.judged:
        new = {"new": candidate}
        work.listen(Event(kind="candidate", text=candidate.title, facts=new))
        case = _with_rivals(candidate, work, ledger)
        tools = work.tools
        if candidate.author == "search":
            tools = replace(tools, run=bounded(tools.run, case.baseline))
        case = replace(case, failed=ledger.failed)
        judgement = await judge(candidate, case, tools, work.listen)
        ledger.judged[key] = judgement
        ruling = f"{judgement.verdict}: {judgement.reason}"
        facts = {"judgement": judgement}
        work.listen(Event(kind="verdict", text=ruling, facts=facts))
    return ledger.judged[key]


def _with_rivals(candidate: Candidate, work: _Work, ledger: _Ledger) -> Case:
    """The case with what else has survived: the first whom the gate asks.

    What one catalogue of templates makes is no second opinion on another of it; but
    where as much speaks for something else, it is a guess, and what has survived before
    is asked as well.
    """
    others = [one.candidate.patch for one in best_first(ledger.whole)]
    if candidate.author == "search":
        like = (*others[:1], *candidate.like) if candidate.like else ()
        return replace(work.case, rivals=akin(like, candidate.unsettled))
    return replace(work.case, rivals=among(others, work.case.rivals))


def normal_form(patch: Patch) -> str:
    """The same text for patches that differ in comments and white space only."""
    parts = []
    for change in patch.changes:
        after = change.after
        if after is not None and change.path.endswith(".py"):
            with contextlib.suppress(ValueError):  # undecodable: the bytes will do
                after = syntax.normalise(decode(after).text).encode()
        parts.append(f"{change.path}\0{change.kind}\0{after!r}")
    return "\0\0".join(parts)


def _feedback(latest: list[Judgement]) -> Callable[[], Feedback | None]:
    def feedback() -> Feedback | None:
        if not latest:
            return None
        said = latest[0]
        guess = any(record.facts.get("fitted") for record in said.evidence)
        return Feedback(verdict=said.verdict, visible=said.visible, guess=guess)

    return feedback


def _outcome(
    targets: tuple[TestResult, ...],
    engines: Sequence[Engine],
    ledger: _Ledger,
    seconds: float,
    limit: str,
) -> Repair:
    survivors = best_first(ledger.survivors)
    best = survivors[0] if survivors else None
    asked = "+".join(name for name, _ in engines)
    failure = ledger.failure
    verdict = best.verdict if best else Verdict.GAVE_UP
    if failure and not best:
        verdict = Verdict.ERROR
    return Repair(
        targets=targets,
        verdict=verdict,
        engine=best.candidate.author if best else asked,
        best=best,
        alternatives=survivors[1:],
        refused=_refused(ledger),
        tried=len(ledger.judged),
        screened=ledger.screened,
        cost=add_costs([*ledger.costs.values(), *ledger.asked]),
        seconds=seconds,
        reason=_why(best, ledger, limit),
        error_kind=failure.kind if failure else "",
    )


def _why(best: Judgement | None, ledger: _Ledger, limit: str) -> str:
    """In words; `limit` is the time that was up before the work was done, if it was."""
    if best:
        failure = str(ledger.failure) if ledger.failure else ""
        cut_off = _cut_off(limit) if limit else ""
        return "; ".join(filter(None, (best.reason, failure, cut_off)))
    if ledger.failure:
        return str(ledger.failure)
    found = f"no fix within {limit}" if limit else _found(ledger)
    if not ledger.infeasible:
        return found
    return (
        f"the model reported it as infeasible; {found}; "
        f"the model's claim, not evidence: {_quoted(ledger.infeasible)}"
    )


def _cut_off(limit: str) -> str:
    return f"the {limit} were up before other candidates could be judged"


def _found(ledger: _Ledger) -> str:
    """What was executed says, without anybody's word."""
    if refused := _refused(ledger):
        nearest = refused[0]
        return f"the nearest candidate is {nearest.verdict}: {nearest.reason}"
    if ledger.infeasible and not ledger.screened:
        # Contradictions were looked for before anything was proposed.
        return "nothing that was executed contradicts the test"
    return f"no candidate made the failing tests pass ({ledger.screened} tried)"


def _quoted(words: str) -> str:
    """One line between quotation marks that the words themselves cannot close."""
    line = " ".join(words.split())
    cut = line if len(line) <= CLAIM else f"{line[:CLAIM]} [...]"
    return json.dumps(cut, ensure_ascii=False)


def _refused(ledger: _Ledger) -> tuple[Judgement, ...]:
    left = [j for j in ledger.judged.values() if j not in ledger.survivors]
    return best_first(left)

"""The proposer: a task in, candidates out; the parent's side of the conversations.

Each candidate is a conversation of its own (see `attempts`). Within a conversation a
refused fix may be corrected in at most three rounds.
"""

from __future__ import annotations

import asyncio
import functools
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field

from bonafix.config import Config
from bonafix.domain import (
    Candidate,
    Cost,
    Event,
    Feedback,
    Listener,
    Patch,
    Proposer,
    Runner,
    Task,
    Verdict,
    add_costs,
)
from bonafix.errors import ServiceError
from bonafix.propose.claude import (
    clouds,
    credentials,
    learning,
    models,
    opening,
    prices,
    prompts,
    protocol,
)
from bonafix.propose.claude.attempts import (
    Attempt,
    Ending,
    HandIn,
    fan,
    ladder,
    stream,
)
from bonafix.propose.claude.budget import Purse, purse_of
from bonafix.propose.claude.models import Model
from bonafix.propose.claude.prices import Usage
from bonafix.propose.claude.process import Connect, Worker, open_worker
from bonafix.propose.claude.protocol import Answer, Done, Learned, More, Spent, Start
from bonafix.propose.claude.redact import Redactor
from bonafix.withholding import Withholding

ROUNDS = 3
_GRACE = 3.0
"""Seconds beyond its deadline in which a worker should have said that it is late."""

_LEAST_RUN = 1.0
_SHARE_OF_A_RUN = 0.5
"""Of the time that is left, what one run of tests may take at most: who has made the
tests hang should have time to hear of it."""

_SUMMARY = 8_000
"""Characters of thinking, the last of it, that a candidate carries."""

_ENDS = frozenset({Verdict.VERIFIED, Verdict.PLAUSIBLE})
"""Verdicts after which a conversation has nothing to correct."""


@dataclass(slots=True, kw_only=True)
class _Work:
    """One call of the proposer, with what its conversations share."""

    config: Config
    connect: Callable[[], AbstractAsyncContextManager[Worker]]
    task: Task
    run: Runner
    listen: Listener
    purse: Purse
    endpoint: str
    redact: Redactor
    withheld: Withholding
    deadline: float
    talks: list[_Talk] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Wall time that is left."""
        return max(0.0, self.deadline - time.monotonic())

    def note(self, text: str, **facts: object) -> None:
        """Tell the user something."""
        self.listen(Event(kind="note", text=text, facts=facts))


def proposer(
    config: Config,
    environment: Mapping[str, str] | None = None,
    *,
    purse: Purse | None = None,
    connect: Connect = open_worker,
) -> Proposer:
    """A proposer whose conversations share one budget: make one for every run.

    `purse` is that budget where others are paid out of it, too. Its iterator raises
    ServiceError where the model's service fails or no credentials are found, before
    anything else is done.
    """
    given = os.environ if environment is None else environment
    config, environ = clouds.addressed(config, given)
    shared = purse or purse_of(config)
    endpoint = learning.endpoint_of(config.base_url, environ)

    async def propose(
        task: Task,
        run: Runner,
        feedback: Callable[[], Feedback | None],
        listen: Listener,
    ) -> AsyncIterator[Candidate]:
        credentials.require(environ, config.base_url)
        redact = opening.redactor_for(task, environ)
        work = _Work(
            config=config,
            connect=lambda: connect(environ),
            task=task,
            run=run,
            listen=listen,
            purse=shared,
            endpoint=endpoint,
            redact=redact,
            withheld=opening.withheld(task, config, redact),
            deadline=time.monotonic() + task.seconds,
        )
        found = stream(functools.partial(_all, work), feedback)
        async with aclosing(found) as candidates:
            async for candidate in candidates:
                yield candidate

    return propose


async def _all(work: _Work, hand_in: HandIn) -> None:
    """Every conversation of one call."""

    def may_go_on() -> bool:
        over = work.purse.over or ("timeout" if work.seconds <= 0 else "")
        if over:
            work.note(f"nothing is left for another candidate: see the setting {over}")
        return not over

    async def converse(attempt: Attempt) -> Ending:
        return await _conversation(work, attempt)

    width = work.config.fan
    count = max(work.config.candidates, width)
    if width > 1:
        await fan(converse, hand_in, count, width, may_go_on)
    else:
        await ladder(converse, hand_in, count, may_go_on)


@dataclass(slots=True, kw_only=True)
class _Talk:
    """One conversation as the parent sees it."""

    work: _Work
    worker: Worker
    model: Model
    attempt: Attempt
    spent: Spent = field(
        default_factory=lambda: Spent(usage=Usage(), usd=0.0, requests=0)
    )
    told: Cost = field(default_factory=Cost)  # what candidates were charged with
    thought: list[str] = field(default_factory=list)  # since the last candidate

    @property
    def cost(self) -> Cost:
        """All that the conversation has used."""
        return _cost(self.spent)


def _cost(spent: Spent) -> Cost:
    return prices.cost(spent.usage, spent.usd, spent.requests)


async def _conversation(work: _Work, attempt: Attempt) -> Ending:
    """One worker, up to three rounds; a candidate for each that hands in."""
    start = _start(work, attempt)
    work.purse.candidates -= 1
    async with work.connect() as made:
        talk = _Talk(work=work, worker=made, model=start.model, attempt=attempt)
        work.talks.append(talk)
        await made.send(start)
        for number in range(1, ROUNDS + 1):
            done = await _round(talk)
            candidate = _candidate(talk, done, number)
            if candidate is None:
                return Ending(infeasible=done.ending == "infeasible")
            said = await attempt.hand_in(candidate)
            if said is None or said.verdict in _ENDS:
                return Ending()
            if number < ROUNDS:
                await made.send(_more(talk, said))
        return Ending(refused=True)


def _start(work: _Work, attempt: Attempt) -> Start:
    config, task = work.config, work.task
    setting = models.raised(config.thinking, attempt.step)
    model = learning.recall(work.endpoint, config.model)
    form = models.form(model, setting)
    files = opening.bench_files(task, config)
    request = opening.request(task, config, form, work.redact)
    return Start(
        request=request,
        files=files,
        layout=task.layout,
        model=model,
        thinking=setting,
        usd=work.purse.usd_left * attempt.share,
        tokens=int(work.purse.tokens_left * attempt.share),
        until=time.time() + work.seconds,
        secrets=work.redact.values,
        base_url=config.base_url,
    )


def _more(talk: _Talk, said: Feedback) -> More:
    """Another round: limits count from the beginning of the conversation."""
    purse, share = talk.work.purse, talk.attempt.share
    return More(
        text=prompts.feedback_message(talk.work.withheld.feedback(said)),
        usd=(talk.spent.usd or 0.0) + purse.usd_left * share,
        tokens=talk.spent.usage.total + int(purse.tokens_left * share),
        until=time.time() + talk.work.seconds,
    )


async def _round(talk: _Talk) -> Done:
    """Serve the worker until its round ends; too late is an ending, too."""
    while True:
        try:
            async with asyncio.timeout(talk.work.seconds + _GRACE):
                record = await talk.worker.receive()
        except TimeoutError:
            return Done(ending="budget", note="the time is used up")
        match record:
            case protocol.Say(kind=kind, text=text):
                talk.work.listen(Event(kind=kind, text=text))
                if kind == "thinking":
                    talk.thought.append(text)
            case Spent():
                _pay(talk, record)
            case Learned(model=model):
                talk.model = model
                learning.remember(talk.work.endpoint, model)
            case protocol.RunTests(files=files, tests=tests):
                text = await _run_tests(talk.work, files, tests)
                await talk.worker.send(Answer(text=text))
            case Done():
                return record


def _pay(talk: _Talk, now: Spent) -> None:
    work = talk.work
    work.purse.pay(prices.since(_cost(now), talk.cost))
    talk.spent = now
    talk.attempt.answered.set()
    total = add_costs([one.cost for one in work.talks])
    money = "cost unknown" if total.usd is None else f"about ${total.usd:.3f}"
    tokens = total.input_tokens + total.cache_read_tokens + total.output_tokens
    work.note(
        f"{total.requests} requests, {tokens:,} tokens, {money}",
        author="claude",
        cost=total,
    )


async def _run_tests(
    work: _Work, files: Mapping[str, str], asked: tuple[str, ...]
) -> str:
    """Run visible tests over the edits and say what they printed."""
    visible = work.task.baseline.collected
    targets = [target.id for target in work.task.targets]
    wanted = prompts.expand(asked, visible) if asked else targets
    if not wanted:
        return "No visible test has such a name. Use search to find its node id."
    changes = opening.changes(work.task, files)
    contents = {change.path: change.after for change in changes}
    run = await work.run(
        contents,
        select=wanted,
        seconds=max(_LEAST_RUN, work.seconds * _SHARE_OF_A_RUN),
        listen=work.listen,
    )
    return prompts.run_report(work.withheld.run(run), wanted)


def _candidate(talk: _Talk, done: Done, number: int) -> Candidate | None:
    """The candidate that a round handed in; `None` after telling why there is none.

    Raises:
        ServiceError: the service failed.
    """
    work = talk.work
    if done.ending == "service":
        raise ServiceError(done.note)
    if done.ending == "infeasible":
        claim = " ".join(done.note.split())
        text = f"the model reports it as infeasible; its claim: {claim}"
        work.note(text, infeasible=done.note)
        return None
    changes = opening.changes(work.task, done.files)
    if done.ending != "submitted" or not changes:
        why = done.note or "it handed in no change"
        work.note(f"no fix from {talk.model.id}: {why}", ending=done.ending)
        return None
    cost = prices.since(talk.cost, talk.told)
    talk.told = talk.cost
    thinking = "\n".join(talk.thought)[-_SUMMARY:]
    talk.thought.clear()
    return Candidate(
        patch=Patch(changes),
        author="claude",
        title=done.note.strip().split("\n")[0][:120],
        note=done.note,
        thinking=thinking,
        model=talk.model.id,
        effort=done.effort,
        round=number,
        cost=cost,
    )

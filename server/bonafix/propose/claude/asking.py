"""A question in, an answer out: a worker of its own for each, killed when it is done.

Paid out of the proposals' purse. Whatever goes wrong with the service is an answer
with an error: a judge that cannot be reached is no finding.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace

from bonafix.calls import Answer, Asker, Question
from bonafix.config import Config
from bonafix.domain import Cost, Event, Listener, Snapshot, silent
from bonafix.errors import ServiceError
from bonafix.propose.claude import (
    clouds,
    credentials,
    learning,
    models,
    opening,
    prices,
    protocol,
)
from bonafix.propose.claude.budget import Purse, purse_of
from bonafix.propose.claude.models import Model
from bonafix.propose.claude.process import Connect, Worker, open_worker
from bonafix.propose.claude.protocol import Done, Learned, Spent, Start
from bonafix.propose.claude.redact import Redactor
from bonafix.propose.claude.schema import misfit

LONGEST_QUESTION = 300_000
"""Characters; a longer question is not asked."""
LONGEST_ANSWER = 200_000
_GRACE = 3.0
"""Seconds beyond its deadline in which a worker should have said that it is late."""

_Key = tuple[str, str, str]


@dataclass(slots=True, kw_only=True)
class _Desk:
    """What the questions of one job share."""

    config: Config
    connect: Callable[[], AbstractAsyncContextManager[Worker]]
    redact: Redactor
    purse: Purse
    listen: Listener
    endpoint: str
    answered: dict[_Key, Answer] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """The model as it is known by now."""
        return learning.recall(self.endpoint, self.config.model)


@dataclass(slots=True)
class _Bill:
    """What one question has cost so far."""

    cost: Cost = field(default_factory=Cost)


def asker(
    config: Config,
    snapshot: Snapshot,
    environment: Mapping[str, str] | None = None,
    *,
    purse: Purse | None = None,
    listen: Listener = silent,
    connect: Connect = open_worker,
) -> Asker:
    """One who asks the configured model, thinking as the settings say.

    `purse` is the budget that is shared with proposals; without it the settings' whole
    budget is for questions. The same question asked again has the same answer, free.
    """
    given = os.environ if environment is None else environment
    config, environ = clouds.addressed(config, given)
    desk = _Desk(
        config=config,
        connect=lambda: connect(environ),
        redact=opening.redactor_of(snapshot, environ),
        purse=purse or purse_of(config),
        listen=listen,
        endpoint=learning.endpoint_of(config.base_url, environ),
    )

    async def ask(question: Question, /) -> Answer:
        if not credentials.find(environ):
            return Answer(error="there are no credentials for Claude")
        return await _asked(desk, question)

    return ask


async def _asked(desk: _Desk, question: Question) -> Answer:
    key = question.name, question.system, question.user
    if known := desk.answered.get(key):
        return replace(known, cost=Cost())
    if len(question.user) > LONGEST_QUESTION:
        return Answer(error="there is too much to be read")
    if desk.purse.empty:
        return Answer(error="the budget is used up")
    bill = _Bill()
    try:
        async with asyncio.timeout(question.seconds + _GRACE), desk.connect() as worker:
            await worker.send(_start(desk, question))
            done = await _ending(desk, worker, bill)
    except TimeoutError:
        done = Done(ending="budget", note="the time is used up")
    except (ServiceError, OSError) as error:
        done = Done(ending="service", note=str(error))
    answer = replace(_answer(done, question), model=desk.model.id, cost=bill.cost)
    if answer.found is not None:
        desk.answered[key] = answer
    return answer


def show_question(
    question: Question,
    config: Config,
    snapshot: Snapshot,
    environment: Mapping[str, str],
) -> dict[str, object]:
    """The request as it would be sent; only `max_tokens` is decided later."""
    config, environment = clouds.addressed(config, environment)
    endpoint = learning.endpoint_of(config.base_url, environment)
    model = learning.recall(endpoint, config.model)
    body = _request(question, model, opening.redactor_of(snapshot, environment))
    return models.formed(body, models.form(model, config.thinking), model.lacks)


def _request(question: Question, model: Model, redact: Redactor) -> dict[str, object]:
    """Without a form of thinking: the worker adds it, as to every request."""
    return {
        "model": model.id,
        "system": question.system,
        "messages": [{"role": "user", "content": redact(question.user)}],
        "output_config": {
            "format": {"type": "json_schema", "schema": question.schema},
        },
    }


def _start(desk: _Desk, question: Question) -> Start:
    return Start(
        request=_request(question, desk.model, desk.redact),
        once=True,
        model=desk.model,
        thinking=desk.config.thinking,
        usd=desk.purse.usd_left,
        tokens=desk.purse.tokens_left,
        until=time.time() + question.seconds,
        secrets=desk.redact.values,
        base_url=desk.config.base_url,
    )


async def _ending(desk: _Desk, worker: Worker, bill: _Bill) -> Done:
    """Listen to the worker until it is done, and pay."""
    while True:
        match await worker.receive():
            case protocol.Say(kind="note", text=text):
                desk.listen(Event(kind="note", text=text))
            case Spent(usage=usage, usd=usd, requests=requests):
                now = prices.cost(usage, usd, requests)
                desk.purse.pay(prices.since(now, bill.cost))
                bill.cost = now
            case Learned(model=model):
                learning.remember(desk.endpoint, model)
            case Done() as done:
                return done


def _answer(done: Done, question: Question) -> Answer:
    if done.ending != "answered":
        return Answer(error=done.note or done.ending)
    if len(done.note) > LONGEST_ANSWER:
        return Answer(error="the answer is too long")
    try:
        found = json.loads(done.note)
    except (ValueError, RecursionError):
        return Answer(error="the answer is not the JSON that was asked for")
    if why := misfit(found, question.schema, "the answer"):
        return Answer(error=f"the answer is not what was asked for: {why}")
    return Answer(found=found)

"""Who proposes, in their order, and for how long; parsers and SDKs are loaded here."""

from __future__ import annotations

import functools
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from bonafix.config import Config
from bonafix.domain import Candidate, Feedback, Listener, Proposer, Runner, Task
from bonafix.errors import ServiceError
from bonafix.repair import Engine

if TYPE_CHECKING:
    from bonafix.propose.claude import Purse
    from bonafix.propose.search.whole import Whole

FAILURES = 2  # of the service, one after another, after which it is not asked again
ALONE = 5  # of the time-out, the share of a search that no model follows: a fifth


def purse_of(config: Config) -> Purse:
    """The model's budget, one for all causes."""
    from bonafix.propose import claude  # noqa: PLC0415

    return claude.purse_of(config)


def engines_of(
    config: Config, purse: Purse
) -> Callable[[Runner, Whole], tuple[Engine, ...]]:
    """Who proposes, in their order, given a runner that is quick and no judge.

    Beside it what says, as quickly, which test of the whole suite got worse.

    Parsers and SDKs are loaded only here; the model's budget is one for the whole
    job.
    """
    from bonafix.propose import claude  # noqa: PLC0415
    from bonafix.propose.search import engine  # noqa: PLC0415

    model = ("claude", claude.proposer(config, purse=purse))
    able = claude.credential(config, os.environ) is not None

    def engines(screen: Runner, whole: Whole) -> tuple[Engine, ...]:
        search = _with(screen, functools.partial(engine.propose, whole=whole))
        if config.engine == "claude":
            return (model,)
        if config.engine == "auto" and able:  # a free first try, then the model
            return (("search", _within(config.search_seconds, search)), model)
        return (("search", _within(config.timeout / ALONE, search)),)

    return engines


def _within(seconds: float, propose: Proposer) -> Proposer:
    """`propose` with at most `seconds` of wall time."""

    def bounded(
        task: Task,
        run: Runner,
        feedback: Callable[[], Feedback | None],
        listen: Listener,
    ) -> AsyncIterator[Candidate]:
        brief = replace(task, seconds=min(seconds, task.seconds))
        return propose(brief, run, feedback, listen)

    return bounded


def _with(run: Runner, propose: Proposer) -> Proposer:
    """`propose` with another runner than the gate's."""

    def other(
        task: Task,
        _gates: Runner,
        feedback: Callable[[], Feedback | None],
        listen: Listener,
    ) -> AsyncIterator[Candidate]:
        return propose(task, run, feedback, listen)

    return cast("Proposer", other)


def asked(engines: Sequence[Engine], failures: int) -> tuple[Engine, ...]:
    """The engines, without a model whose service fails again and again."""
    if failures < FAILURES:
        return tuple(engines)
    silent = f"the model's service failed {failures} times: it is not asked again"

    async def refused(*_given: object) -> AsyncGenerator[Candidate]:
        raise ServiceError(silent)
        yield  # a generator, as every proposer is

    return tuple(
        (name, cast("Proposer", refused) if name == "claude" else propose)
        for name, propose in engines
    )

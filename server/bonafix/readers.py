"""Who reads patches for the gate: a model, paid out of the job's one budget."""

from __future__ import annotations

import functools
import os
import time
from dataclasses import replace

from bonafix.bench import Bench
from bonafix.calls import Answer, Question, Tools
from bonafix.config import Config
from bonafix.domain import Cost, Event, Listener, add_costs

LEAST = 15.0  # seconds; who has less is not asked
RESERVE = 5.0  # seconds of a repair that are kept for what comes after reading
RUNS = 3.0  # and so many runs of the suite


def for_fix(bench: Bench, config: Config, listen: Listener) -> Bench:
    """The bench of a fix: its patches are read where Claude may write them, too."""
    if config.review == "off" or config.engine == "search":
        return bench
    from bonafix.propose import claude  # noqa: PLC0415 - only where it may be used

    found = claude.find_credentials(os.environ)
    return reading(bench, config, listen) if found else bench


def reading(bench: Bench, config: Config, listen: Listener) -> Bench:
    """The bench with a model that is asked about patches; nothing is sent yet.

    The same bench where the settings say that no model reads.
    """
    if config.review == "off":
        return bench
    from bonafix.propose import claude  # noqa: PLC0415 - only where it may be used

    purse = claude.purse_of(config)
    ask = claude.asker(config, bench.snapshot, purse=purse, listen=listen)
    may_send = functools.partial(claude.may_send, globs=config.exclude)
    tools = replace(bench.tools, ask=ask, may_send=may_send)
    return replace(bench, tools=tools, purse=purse)


def counted(
    tools: Tools, costs: list[Cost], listen: Listener, *, until: float | None = None
) -> Tools:
    """The same tools; what questions cost is told and put into `costs`.

    `until` is the moment, on the monotonic clock, at which an answer must be there.
    """
    ask = tools.ask
    if ask is None:
        return tools

    async def asking(question: Question, /) -> Answer:
        left = question.seconds if until is None else until - time.monotonic()
        if left < LEAST:
            return Answer(error="there is no time left to ask")
        brief = replace(question, seconds=min(question.seconds, left))
        answer = await ask(brief)
        costs.append(answer.cost)
        listen(_told(question.name, costs))
        return answer

    return replace(tools, ask=asking)


def _told(name: str, costs: list[Cost]) -> Event:
    total = add_costs(costs)
    money = "cost unknown" if total.usd is None else f"about ${total.usd:.3f}"
    facts = {"author": "readers", "cost": total}
    return Event(kind="note", text=f"{name} asked; reading cost {money}", facts=facts)

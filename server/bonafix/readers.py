"""Who reads patches for the gate: a model, paid out of the job's one budget."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from bonafix.bench import Bench
from bonafix.calls import Answer, Question, Tools
from bonafix.config import Config
from bonafix.domain import Cost, Event, Listener, Patch, TestResult, add_costs
from bonafix.judge import examiner, reviewer
from bonafix.judge.readers.material import Material
from bonafix.judge.readers.quoting import Pieces

LEAST = 15.0  # seconds; who has less is not asked
RESERVE = 5.0  # seconds of a repair that are kept for what comes after reading
RUNS = 3.0  # and so many runs of the suite

_TURNS = (
    "The request above opens a conversation. What follows in it is sent, too: the "
    "model's own answers, the text of any of these files that it asks for, what "
    "visible tests print when it runs them, and of a refused fix the class of the "
    "verdict with what visible tests printed. Of a model that is not known its name "
    "is sent once, to ask what it can do."
)
_WHEN = (
    "Sent as a single question, without tools or anything that was said before, for a "
    "patch that nothing else speaks against."
)
_ADDED = {
    "examiner": "Once there is a patch, these are added: the files that it changes, as "
    "they are before it, functions that use them, and documentation that mentions "
    "them. The patch itself is not.",
    "reviewer": "Once there is a patch, these are added: the patch, as it is and "
    "without comments, the files that it changes, as they are before it, functions "
    "that use them, and documentation that mentions them.",
}


def for_fix(bench: Bench, config: Config, listen: Listener) -> Bench:
    """The bench of a fix: its patches are read where Claude may write them, too."""
    if _nobody_reads(config):
        return bench
    from bonafix.propose import claude  # noqa: PLC0415 - only where it may be used

    found = claude.credential(config, os.environ)
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


def afterwards(
    bench: Bench, config: Config, targets: Sequence[TestResult]
) -> dict[str, object]:
    """What else a fix may send, as far as it is known before there is a patch.

    `targets` are all of them: readers are shown what a patch's author is not.
    """
    from bonafix.propose import claude  # noqa: PLC0415 - only where it may be used

    may_send = functools.partial(claude.may_send, globs=config.exclude)
    asked = () if _nobody_reads(config) else _foreseen(bench, may_send, targets)
    return {
        "conversation": _TURNS,
        "files": sorted(filter(may_send, bench.snapshot.sources)),
        "readers": [
            {
                "name": question.name,
                "when": _WHEN,
                "added": _ADDED[question.name],
                "request": claude.show_question(
                    question, config, bench.snapshot, os.environ
                ),
            }
            for question in asked
        ],
    }


def _nobody_reads(config: Config) -> bool:
    return config.review == "off" or config.engine == "search"


def _foreseen(
    bench: Bench, may_send: Callable[[str], bool], targets: Sequence[TestResult]
) -> tuple[Question, ...]:
    """The questions with what does not depend on the patch."""
    material = Material(Patch(()), targets, bench.snapshot.sources)
    pieces = Pieces(examiner.ROOM, may_send)
    for path, text in material.tests():
        pieces.add(f"{path}, with the failing tests", text, path=path)
    pieces.add("what the failing tests say", material.failures(may_send))
    for path, text in material.documentation():
        pieces.add(f"{path}, documentation", text, path=path)
    return tuple(
        Question(name=name, system=one.SYSTEM, user=pieces.text, schema=one.SCHEMA)
        for name, one in (("examiner", examiner), ("reviewer", reviewer))
    )


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

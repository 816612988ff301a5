"""The loop: ask, execute the tool calls, append, ask again; ends with a `Done`.

Nothing here knows the SDK: `ask` gives a `Reply` whose content goes back as it came.
Messages are only ever appended. A cut-off or declined answer ends the round with
nothing of it executed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bonafix.propose.claude.budget import Meter
from bonafix.propose.claude.frozen import FOLLOW_UP
from bonafix.propose.claude.prices import Usage
from bonafix.propose.claude.protocol import Done, FromWorker, RunTests, Say
from bonafix.propose.claude.redact import Redactor
from bonafix.propose.claude.searching import Search, searched
from bonafix.propose.claude.tools import HANDED_IN, Call, Outcome, use
from bonafix.propose.claude.workbench import Bench, BenchError

FOLLOW_UPS = 2
PAUSED = "pause_turn"
"""The stop reason of a long turn that the service wants to be asked to go on with."""
BYTES_PER_TOKEN = 3


class ServiceFailure(Exception):  # noqa: N818 - a failure of theirs, worded for users
    """The model's service failed for good; the message says what to do."""


class BudgetSpent(Exception):  # noqa: N818 - no error: the limit did its work
    """The budget does not allow to ask again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One whole answer of the model."""

    content: Sequence[object]  # the SDK's own blocks, to be sent back as they are
    calls: tuple[Call, ...]
    stop_reason: str
    usage: Usage
    detail: str = ""  # why it declined, where it says so
    text: str = ""  # its text blocks, one after another


Request = Mapping[str, object]
Ask = Callable[[Request], Awaitable[Reply]]
Tell = Callable[[FromWorker], None]


@dataclass(slots=True, kw_only=True)
class Conversation:
    """The state of one candidate's work; lives as long as its worker."""

    request: dict[str, object]  # without messages, max_tokens, form of thinking
    messages: list[object]
    bench: Bench
    meter: Meter
    deadline: float  # on the monotonic clock
    ask: Ask
    run_tests: Callable[[RunTests], Awaitable[str]]
    tell: Tell
    redact: Redactor
    pending: list[dict[str, object]] = field(default_factory=list)
    """Results of the turn that handed in: sent with the next user message."""
    prompt: int = 0  # tokens of the latest request, as the service counted them
    turns: int = 0
    warned: bool = False  # of answers that the budget makes short


async def converse(talk: Conversation, message: str = "") -> Done:
    """Work until something is handed in or the round is over.

    `message` is a new user text, for every round but the first.
    """
    if message:
        _append(talk, [*talk.pending, _text(message)])
        talk.pending = []
    follow_ups = 0
    while True:
        if over := _over(talk):
            return Done(ending="budget", note=over)
        reply = await _turn(talk)
        if done := cut_short(reply):
            return done
        if reply.content:  # an empty message would be refused
            talk.messages.append({"role": "assistant", "content": reply.content})
        if reply.calls:
            if done := await _execute(talk, reply.calls):
                return done
        elif reply.stop_reason == PAUSED and reply.content:
            continue  # the same messages again, with what it has so far
        elif follow_ups == FOLLOW_UPS:
            return Done(ending="gave-up", note="it ended without handing in a fix")
        else:
            follow_ups += 1
            _append(talk, [_text(FOLLOW_UP)])


def _over(talk: Conversation) -> str:
    """Why no further request may be made, if so."""
    limits = talk.meter.limits
    if time.monotonic() >= talk.deadline:
        return "the time is used up"
    if talk.turns >= limits.turns:
        return f"{limits.turns} turns are used up"
    return talk.meter.over(_estimate(talk))


def _estimate(talk: Conversation) -> int:
    """Tokens of the next request: as counted last time, and what was added since."""
    if talk.prompt:
        return talk.prompt + len(sized(talk.messages[-2:])) // BYTES_PER_TOKEN
    if talk.meter.opening:
        return talk.meter.opening
    head = {**talk.request, "messages": talk.messages}
    return len(sized(head)) // BYTES_PER_TOKEN


def sized(value: object) -> bytes:
    """A value about as it goes over the wire; its length says what it costs."""
    return json.dumps(value, default=str, ensure_ascii=False).encode()


async def _turn(talk: Conversation) -> Reply:
    prompt = _estimate(talk)
    room = talk.meter.room(prompt)
    if not talk.warned and (short := talk.meter.shortened(prompt)):
        talk.warned = True
        talk.tell(Say(kind="note", text=short))
    request = {**talk.request, "messages": list(talk.messages), "max_tokens": room}
    reply = await talk.ask(request)
    talk.turns += 1
    talk.prompt = reply.usage.prompt
    talk.meter.add(reply.usage)
    talk.tell(talk.meter.spent)
    return reply


def cut_short(reply: Reply) -> Done | None:
    """The end of the round, where the answer is not one to go on from."""
    reason = reply.stop_reason
    if reason == "refusal":
        why = reply.detail or "no reason was given"
        return Done(ending="refused", note=f"the model declined: {why}")
    if reason in ("max_tokens", "model_context_window_exceeded"):
        note = f"an answer was cut off ({reason}) and nothing of it was used"
        return Done(ending="truncated", note=note)
    if reason not in ("tool_use", "end_turn", PAUSED):
        note = f"an answer ended in a way that is not known ({reason})"
        return Done(ending="gave-up", note=note)
    if (reason == "tool_use") != bool(reply.calls):
        note = f"an answer with {len(reply.calls)} tool calls ended with {reason}"
        return Done(ending="gave-up", note=note)
    return None


async def _execute(talk: Conversation, calls: Sequence[Call]) -> Done | None:
    """Execute the calls in order; all their results are one user message."""
    results: list[dict[str, object]] = []
    done: Done | None = None
    for call in calls:
        outcome = await _one(talk, call, done)
        results.append(_result(call, outcome, talk.redact))
        done = done or outcome.done
    if done is not None:
        talk.pending = results
        return done
    _append(talk, results)
    return None


async def _one(talk: Conversation, call: Call, done: Done | None) -> Outcome:
    if done is not None:
        return Outcome(f"Not executed: it came after {HANDED_IN}.", error=True)
    talk.tell(Say(kind="tool", text=talk.redact(call.words)))
    outcome = use(talk.bench, call)
    if outcome.bench is not None:
        talk.bench = outcome.bench
    if outcome.search is not None:
        return await _searched(outcome.search)
    if outcome.tests is None:
        return outcome
    wish = RunTests(files=talk.bench.changed, tests=outcome.tests)
    return Outcome(await talk.run_tests(wish))


async def _searched(search: Search) -> Outcome:
    try:
        return Outcome(await searched(search))
    except BenchError as error:
        return Outcome(str(error), error=True)


def _result(call: Call, outcome: Outcome, redact: Redactor) -> dict[str, object]:
    result: dict[str, object] = {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": redact(outcome.text) or "[nothing]",
    }
    if outcome.error:
        result["is_error"] = True
    return result


def _append(talk: Conversation, content: list[dict[str, object]]) -> None:
    talk.messages.append({"role": "user", "content": content})


def _text(text: str) -> dict[str, object]:
    return {"type": "text", "text": text}

"""A single question to its answer: one request, no tools, nothing that goes on.

The answer's form is asked for as an output format. A forced tool would be refused by
the newer models, and by the older ones as soon as they think.
"""

from __future__ import annotations

from typing import Protocol

from bonafix.propose.claude.budget import Meter
from bonafix.propose.claude.conversation import (
    BYTES_PER_TOKEN,
    PAUSED,
    Reply,
    Request,
    Tell,
    cut_short,
    sized,
)
from bonafix.propose.claude.protocol import Done


class Voice(Protocol):
    """Who speaks to the model, and keeps the meter."""

    meter: Meter

    async def ask(self, request: Request) -> Reply:
        """The model's whole answer."""


async def answer(request: Request, voice: Voice, tell: Tell) -> Done:
    """Ask once; the note is the answer's text.

    Raises:
        ServiceFailure: the service failed for good.
        BudgetSpent: broken attempts have used up the budget.
    """
    meter = voice.meter
    prompt = len(sized(request)) // BYTES_PER_TOKEN
    room = meter.room(prompt)
    if not room:
        return Done(ending="budget", note=meter.over(prompt))
    reply = await voice.ask({**request, "max_tokens": room})
    meter.add(reply.usage)
    tell(meter.spent)
    if done := cut_short(reply):
        return done
    if reply.stop_reason == PAUSED:
        note = "an answer was put off by the service, and nothing of it was used"
        return Done(ending="truncated", note=note)
    if not reply.text:
        return Done(ending="gave-up", note="the answer was empty")
    return Done(ending="answered", note=reply.text)

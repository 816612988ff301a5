"""Asks the model in the form of thinking that it takes, and keeps the meter.

A form that is refused with a documented 400 is corrected, and the parent is told, so
that no later conversation repeats the mistake.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import anthropic
import httpx2

from bonafix.propose.claude import advice, learning, models, stream
from bonafix.propose.claude.budget import Limits, Meter, estimate
from bonafix.propose.claude.clients import cloud_behind, sign_in_errors
from bonafix.propose.claude.conversation import (
    BudgetSpent,
    Reply,
    Request,
    ServiceFailure,
    sized,
)
from bonafix.propose.claude.hearing import REDACTED
from bonafix.propose.claude.models import Model
from bonafix.propose.claude.prices import Usage
from bonafix.propose.claude.protocol import FromWorker, Learned, Say, Start

CORRECTIONS = 8
"""Refusals of one request that are answered with another form."""
_PATIENCE = 5.0
"""Seconds for what only helps: gateways may not know such an endpoint."""
_BYTES_PER_TOKEN = 3.5
_HIDDEN = (
    "the service encrypts a part of the model's thinking: it is paid for and goes back "
    "to the model, and nobody else can read it"
)
_COUNTED = ("model", "system", "tools", "messages")
_MISSING = frozenset({400, 404, 405, 422, 501})
"""How endpoints say that they offer no such thing; anything else may pass."""
_HOPELESS = (
    anthropic.APIConnectionError,
    anthropic.AuthenticationError,
    anthropic.PermissionDeniedError,
)
_TROUBLE = (anthropic.AnthropicError, httpx2.HTTPError, OSError, *stream.SENSELESS)
"""Whatever a question to an endpoint can end in, gateways' odd answers included. It
stops nothing: if it matters, the request itself will say so, and be explained."""


class Speaker:
    """One conversation's way to the model; `deadline` is on the monotonic clock.

    `tell` hears what an answer costs while it is still growing: who cancels has then
    paid for what was used, although no answer was had. `pace` is the wait, in seconds,
    before a second attempt.
    """

    def __init__(
        self,
        start: Start,
        client: anthropic.AsyncAnthropic,
        tell: Callable[[FromWorker], None],
        *,
        pace: float = stream.FIRST_WAIT,
    ) -> None:
        limits = Limits(usd=start.usd, tokens=start.tokens)
        self.meter = Meter(model=start.model, limits=limits)
        self.deadline = 0.0
        self.set_deadline(start.until)
        self._start = start
        self._client = client
        # A cloud signs in at the first request, in ways of its own.
        own = sign_in_errors(cloud_behind(client))
        self._trouble: tuple[type[Exception], ...] = (*_TROUBLE, *own)
        self._tell = tell
        self._form = models.form(start.model, start.thinking)
        self._noted: set[str] = set()
        self._line = stream.Line(
            client=client,
            say=self._say,
            waste=self._waste,
            shape=self._shape,
            deadline=lambda: self.deadline,
            grown=self._grown,
            pace=pace,
        )

    @property
    def effort(self) -> str:
        """How the thinking is asked for now, in a word."""
        return self._form.label

    def set_deadline(self, until: float) -> None:
        """Take a moment of the wall clock to the clock that does not jump."""
        self.deadline = time.monotonic() + until - time.time()

    async def prepare(self) -> None:
        """Before the first request: ask what the model takes, and say what it costs.

        Costs nothing, and never fails.
        """
        there = self.meter.model.asked or await self._look_up()
        if self._start.once:
            return
        request = self._start.request
        if there and "count_tokens" not in self.meter.model.lacks:
            self.meter.opening = await self._count(request)
        tokens = self.meter.opening or round(len(sized(request)) / _BYTES_PER_TOKEN)
        counted = bool(self.meter.opening)
        self._note(self._form.note)
        self._note(estimate(self.meter, self._form, tokens, counted=counted))

    def _patience(self) -> asyncio.Timeout:
        return asyncio.timeout(min(_PATIENCE, self.deadline - time.monotonic()))

    async def _look_up(self) -> bool:
        """Ask the endpoint about the model; whether there is one that listens."""
        model = self.meter.model
        told = replace(model, asked=True)
        try:
            async with self._patience():
                info = await self._client.models.retrieve(model.id)
            told = learning.with_capabilities(
                model, info.to_dict(mode="json", warnings=False)
            )
        except _HOPELESS:
            return False
        except anthropic.APIStatusError as error:
            told = told if error.status_code in _MISSING else model
        except self._trouble:
            pass  # an answer that says nothing
        self._learn(told)
        if told.retires:
            self._note(f"{told.id} retires on {told.retires}: choose another model")
        return True

    async def _count(self, request: Mapping[str, object]) -> int:
        """The request's tokens as the endpoint counts them; 0 where it does not."""
        body = {name: request[name] for name in _COUNTED if name in request}
        try:
            async with self._patience():
                # The request is data that was shown to the user: its types are ours.
                found = await self._client.messages.count_tokens(**cast("Any", body))
            return max(0, int(found.input_tokens))
        except anthropic.APIStatusError as error:
            if error.status_code in _MISSING:
                lacks = (*self.meter.model.lacks, "count_tokens")
                self._learn(replace(self.meter.model, lacks=lacks))
        except self._trouble:
            pass  # an estimate will do
        return 0

    async def ask(self, request: Request) -> Reply:
        """The answer to a request, whose thinking is decided here.

        Raises:
            ServiceFailure: the service failed, or the request is refused.
            BudgetSpent: there is no room left for an answer.
        """
        for _ in range(CORRECTIONS):
            try:
                return await stream.ask(self._line, request)
            except anthropic.BadRequestError as error:
                request = self._corrected(request, error)
        return await stream.ask(self._line, request)

    def _corrected(self, request: Request, error: anthropic.BadRequestError) -> Request:
        """The request after learning from its refusal."""
        message = advice.said(error) or str(error)
        sent = self._shape(request)
        asked = cast("int", sent["max_tokens"])
        model = learning.corrected(self.meter.model, self._form, message, asked)
        sizes = learning.overflow(message)
        if model is None and sizes is None:
            why = f"the request was refused: {advice.message(error)}"
            raise ServiceFailure(why) from error
        self._learn(model or self.meter.model)
        if sizes is None:
            return request
        if not (room := self.meter.room(sizes[0])):
            raise BudgetSpent(self.meter.over(sizes[0])) from error
        return {**request, "max_tokens": min(room, asked - 1)}

    def _learn(self, model: Model) -> None:
        before, self.meter.model = self._form, model
        self._form = models.form(model, self._start.thinking)
        self._tell(Learned(model=model))
        if self._form.note != before.note:
            self._note(self._form.note)

    def _note(self, text: str) -> None:
        """Tell the user something, once."""
        if text and text not in self._noted:
            self._noted.add(text)
            self._tell(Say(kind="note", text=text))

    def _say(self, record: Say) -> None:
        """Pass on what was heard, and say once that some of it is hidden."""
        self._tell(record)
        if record.text == REDACTED:
            self._note(_HIDDEN)

    def _waste(self, usage: Usage) -> int:
        """Count a broken attempt; the tokens that are left for the next answer."""
        self.meter.add(usage)
        self._tell(self.meter.spent)
        return self.meter.room(usage.prompt)

    def _grown(self, usage: Usage) -> None:
        """Tell what it all costs at least, with an answer that is under way."""
        so_far = replace(self.meter)
        so_far.add(usage)
        self._tell(so_far.spent)

    def _shape(self, request: Request) -> Request:
        """The request as the model takes it, with thinking in the answer's size."""
        model = self.meter.model
        merged = models.formed(request, self._form, model.lacks)
        most = min(cast("int", request["max_tokens"]), model.max_tokens)
        merged["max_tokens"] = most
        thinking = merged.get("thinking")
        if isinstance(thinking, dict) and "budget_tokens" in thinking:
            budget = max(
                models.LEAST_BUDGET, min(thinking["budget_tokens"], most * 3 // 4)
            )
            merged["thinking"] = {**thinking, "budget_tokens": budget}
        return _format_in_words(merged, request, model)


def _format_in_words(
    merged: dict[str, object], request: Request, model: Model
) -> dict[str, object]:
    """Ask for the answer's form in words where the endpoint takes no such field."""
    config = request.get("output_config")
    wanted = config.get("format") if isinstance(config, Mapping) else None
    left = merged.get("output_config")
    if not isinstance(wanted, Mapping):
        return merged
    if isinstance(left, Mapping) and "output_config.format" in model.lacks:
        merged["output_config"] = {k: v for k, v in left.items() if k != "format"}
        if not merged["output_config"]:
            del merged["output_config"]
    elif left is not None:
        return merged
    schema = json.dumps(wanted.get("schema"))
    words = f"Answer with one JSON object of this schema and nothing else: {schema}"
    merged["system"] = f"{merged.get('system', '')}\n\n{words}"
    return merged

"""Asks the model in the form of thinking that it takes, and keeps the meter.

A form that is refused with the documented 400 is corrected once, and the parent is
told, so that no later conversation repeats the mistake.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import anthropic

from bonafix.propose.claude import models, stream
from bonafix.propose.claude.budget import Limits, Meter
from bonafix.propose.claude.conversation import Reply, Request, ServiceFailure
from bonafix.propose.claude.models import Model
from bonafix.propose.claude.prices import Usage
from bonafix.propose.claude.protocol import FromWorker, Learned, Say, Spent, Start

_LOOK_UP_SECONDS = 10.0


class Speaker:
    """One conversation's way to the model; `deadline` is on the monotonic clock."""

    def __init__(
        self,
        start: Start,
        client: anthropic.AsyncAnthropic,
        tell: Callable[[FromWorker], None],
    ) -> None:
        known = models.lookup(start.model)
        model = replace(known, thinking=start.forms, efforts=start.efforts)
        limits = Limits(usd=start.usd, tokens=start.tokens)
        self.meter = Meter(model=model, limits=limits)
        self.deadline = 0.0
        self.set_deadline(start.until)
        self._setting = start.thinking
        self._client = client
        self._tell = tell
        self._form = models.form(model, self._setting)
        self._corrected = False
        self._line = stream.Line(
            client=client,
            say=tell,
            waste=self._waste,
            shape=self._shape,
            deadline=lambda: self.deadline,
        )

    @property
    def effort(self) -> str:
        """How the thinking is asked for now, in a word."""
        return self._form.label

    def set_deadline(self, until: float) -> None:
        """Take a moment of the wall clock to the clock that does not jump."""
        self.deadline = time.monotonic() + until - time.time()

    async def look_up(self) -> None:
        """Ask the API about a model that the table does not list."""
        model = self.meter.model
        try:
            info = await self._client.models.retrieve(
                model.id, timeout=_LOOK_UP_SECONDS
            )
        except (anthropic.APIError, ValueError):
            return  # gateways often have no such endpoint; the request will tell
        self._learn(models.with_capabilities(model, info.to_dict()))

    async def ask(self, request: Request) -> Reply:
        """The answer to a request, whose thinking is decided here.

        Raises:
            ServiceFailure: the service failed, or the request is refused.
        """
        try:
            return await stream.ask(self._line, request)
        except anthropic.BadRequestError as error:
            message = error.api_message or str(error)
            model = models.fallback(
                self.meter.model, self._form, message, self._setting
            )
            if model is None or self._corrected:
                raise ServiceFailure(f"the request was refused: {message}") from error
        self._corrected = True
        self._learn(model)
        return await self.ask(request)

    def _learn(self, model: Model) -> None:
        self.meter.model = model
        self._form = models.form(model, self._setting)
        self._tell(Learned(thinking=model.thinking, efforts=model.efforts))
        if self._form.note:
            self._tell(Say(kind="note", text=self._form.note))

    def _waste(self, usage: Usage) -> int:
        """Count a broken attempt; the tokens that are left for the next answer."""
        self.meter.add(usage)
        meter = self.meter
        self._tell(Spent(usage=meter.usage, usd=meter.usd, requests=meter.requests))
        return meter.room(usage.prompt)

    def _shape(self, request: Request) -> Request:
        """The request with thinking in the form, within the answer's size."""
        merged = models.formed(request, self._form)
        thinking = merged.get("thinking")
        if isinstance(thinking, dict) and "budget_tokens" in thinking:
            most = cast("int", request["max_tokens"]) * 3 // 4
            budget = max(models.LEAST_BUDGET, min(thinking["budget_tokens"], most))
            merged["thinking"] = {**thinking, "budget_tokens": budget}
        return merged

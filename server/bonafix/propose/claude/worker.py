"""The worker process: the only place where the SDK is imported and spoken to.

It reads records on standard input and writes records on standard output. It has no
access to the project but what it is sent, and it ends when its parent does.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from typing import Protocol, cast

import anthropic

from bonafix.propose.claude import models, protocol, stream
from bonafix.propose.claude.budget import Limits, Meter
from bonafix.propose.claude.conversation import (
    Conversation,
    Reply,
    Request,
    ServiceFailure,
    converse,
)
from bonafix.propose.claude.models import Model
from bonafix.propose.claude.protocol import Answer, Done, Learned, More, Say, Start
from bonafix.propose.claude.redact import Redactor
from bonafix.propose.claude.workbench import Bench

if sys.platform != "win32":
    import resource

_CONNECT_SECONDS = 10.0
_DECIDED = ("messages", "thinking", "output_config")
"""Fields of the opening request that change, or may be corrected, later."""
_CPU_SECONDS = 900
"""A search pattern that runs away dies of this, should the parent be gone by then."""


class Parent(Protocol):
    """The other end: who started the work, runs tests and listens."""

    async def receive(self) -> protocol.ToWorker:
        """The parent's next record."""

    def send(self, record: protocol.FromWorker) -> None:
        """Tell the parent."""


class Pipe:
    """Standard input and output as records; the end of input ends the process."""

    def __init__(self) -> None:
        self._inbox: asyncio.Queue[protocol.ToWorker] = asyncio.Queue()

    async def pump(self) -> None:
        """Read records until the parent closes the pipe."""
        reader = asyncio.StreamReader(limit=protocol.LINE_LIMIT)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := await reader.readline():
            self._inbox.put_nowait(protocol.load(line))  # type: ignore[arg-type]  # ours

    async def receive(self) -> protocol.ToWorker:
        """The parent's next record."""
        return await self._inbox.get()

    def send(self, record: protocol.FromWorker) -> None:
        """Tell the parent."""
        sys.stdout.buffer.write(protocol.dump(record))
        sys.stdout.buffer.flush()


class Speaker:
    """Asks the model, and corrects the form of the request once if it is refused."""

    def __init__(self, start: Start, line: stream.Line, parent: Parent) -> None:
        known = models.lookup(start.model)
        self.model = replace(known, thinking=start.forms, efforts=start.efforts)
        self._setting = start.thinking
        self._line = line
        self._parent = parent
        self._form = models.form(self.model, self._setting)
        self._corrected = False

    async def look_up(self) -> None:
        """Ask the API about a model that the table does not list."""
        try:
            info = await self._line.client.models.retrieve(self.model.id)
        except (anthropic.APIError, ValueError):
            return  # gateways often have no such endpoint; the request will tell
        self._learn(models.with_capabilities(self.model, info.to_dict()))

    @property
    def effort(self) -> str:
        """How the thinking is asked for now."""
        return self._form.label

    def _learn(self, model: Model) -> None:
        self.model = model
        self._form = models.form(model, self._setting)
        self._parent.send(Learned(thinking=model.thinking, efforts=model.efforts))
        if self._form.note:
            self._parent.send(Say(kind="note", text=self._form.note))

    async def ask(self, request: Request) -> Reply:
        """The answer to a request, its thinking in the form that the model takes."""
        try:
            return await stream.ask(self._line, self._formed(request))
        except anthropic.BadRequestError as error:
            message = error.api_message or str(error)
            model = models.fallback(self.model, self._form, message, self._setting)
            if model is None or self._corrected:
                raise ServiceFailure(f"the request was refused: {message}") from error
        self._corrected = True
        self._learn(model)
        try:
            return await stream.ask(self._line, self._formed(request))
        except anthropic.BadRequestError as error:
            raise ServiceFailure(
                f"the request was refused: {error.api_message or error}"
            ) from error

    def _formed(self, request: Request) -> Request:
        """The request with thinking in this form, within the answer's size."""
        fields = self._form.fields
        thinking = fields.get("thinking")
        if isinstance(thinking, dict) and "budget_tokens" in thinking:
            most = cast("int", request["max_tokens"]) * 3 // 4
            budget = max(models.LEAST_BUDGET, min(thinking["budget_tokens"], most))
            fields["thinking"] = {**thinking, "budget_tokens": budget}
        return {**request, **fields}


async def work(parent: Parent) -> None:
    """Hold one conversation, round after round, until the parent has enough."""
    start = await parent.receive()
    assert isinstance(start, Start)
    clock = {"deadline": _monotonic(start.until)}
    async with _client(start.base_url) as client:
        limits = Limits(usd=start.usd, tokens=start.tokens)
        meter = Meter(model=models.lookup(start.model), limits=limits)
        line = stream.Line(
            client=client,
            say=parent.send,
            waste=meter.add,
            deadline=lambda: clock["deadline"],
        )
        speaker = Speaker(start, line, parent)
        if start.look_up:
            await speaker.look_up()
            meter.model = speaker.model
        talk = Conversation(
            request={k: v for k, v in start.request.items() if k not in _DECIDED},
            messages=list(start.request["messages"]),  # type: ignore[call-overload]
            bench=Bench.of(start.files, start.layout),
            meter=meter,
            deadline=clock["deadline"],
            ask=speaker.ask,
            run_tests=lambda wish: _run_tests(parent, wish),
            tell=parent.send,
            redact=Redactor(start.secrets),
        )
        text = ""
        while True:
            done = await _round(talk, text)
            parent.send(replace(done, effort=speaker.effort))
            more = await parent.receive()
            assert isinstance(more, More)
            talk.deadline = clock["deadline"] = _monotonic(more.until)
            talk.meter.limits = replace(limits, usd=more.usd, tokens=more.tokens)
            text = more.text


async def _run_tests(parent: Parent, wish: protocol.RunTests) -> str:
    """Have the parent run tests; its answer is bounded and quoted."""
    parent.send(wish)
    answer = await parent.receive()
    assert isinstance(answer, Answer)
    return answer.text


async def _round(talk: Conversation, text: str) -> Done:
    try:
        return await converse(talk, text)
    except ServiceFailure as failure:
        return Done(ending="service", note=str(failure))
    except TimeoutError:
        return Done(ending="budget", note="the time is used up")


def _monotonic(until: float) -> float:
    """A moment of the wall clock, on the clock that does not jump."""
    return time.monotonic() + until - time.time()


def _client(base_url: str) -> anthropic.AsyncAnthropic:
    timeout = anthropic.Timeout(stream.STALL, connect=_CONNECT_SECONDS)
    # No retries in the SDK: it would honour a wait of days without telling anyone.
    return anthropic.AsyncAnthropic(
        base_url=base_url or None, timeout=timeout, max_retries=0
    )


async def main() -> None:
    """Work until the work is over or the parent is gone."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    pipe = Pipe()
    tasks = {asyncio.create_task(pipe.pump()), asyncio.create_task(work(pipe))}
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


if __name__ == "__main__":
    asyncio.run(main())

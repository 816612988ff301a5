"""The worker process: the only place where the SDK is imported and spoken to.

It reads records on standard input and writes records on standard output. It has no
access to the project but what it is sent, and it ends when its parent does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from dataclasses import replace
from typing import Protocol

import anthropic

from bonafix.propose.claude import protocol, stream
from bonafix.propose.claude.conversation import (
    BudgetSpent,
    Conversation,
    ServiceFailure,
    converse,
)
from bonafix.propose.claude.protocol import Answer, Done, More, Start
from bonafix.propose.claude.redact import Redactor
from bonafix.propose.claude.single import answer
from bonafix.propose.claude.speaker import Speaker
from bonafix.propose.claude.workbench import Bench

if sys.platform != "win32":
    import resource

_CONNECT_SECONDS = 10.0
_CPU_SECONDS = 900
"""A search pattern that runs away dies of this, should the parent be gone by then."""
_DECIDED = ("messages", "thinking", "output_config")
"""Fields of the opening request that grow, or may be corrected, later."""


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


async def work(parent: Parent) -> None:
    """Hold one conversation, round after round, until the parent has enough."""
    start = await parent.receive()
    assert isinstance(start, Start)
    async with _client(start.base_url) as client:
        speaker = Speaker(start, client, parent.send)
        if start.look_up:
            await speaker.look_up()
        if start.once:
            done = await _ended(answer(start.request, speaker, parent.send))
            parent.send(replace(done, effort=speaker.effort))
            return
        talk = _conversation(start, speaker, parent)
        text = ""
        while True:
            done = await _ended(converse(talk, text))
            parent.send(replace(done, effort=speaker.effort))
            more = await parent.receive()
            assert isinstance(more, More)
            speaker.set_deadline(more.until)
            talk.deadline = speaker.deadline
            limits = speaker.meter.limits
            speaker.meter.limits = replace(limits, usd=more.usd, tokens=more.tokens)
            text = more.text


def _conversation(start: Start, speaker: Speaker, parent: Parent) -> Conversation:
    async def run_tests(wish: protocol.RunTests) -> str:
        """Have the parent run tests; its answer is bounded and quoted."""
        parent.send(wish)
        answer = await parent.receive()
        assert isinstance(answer, Answer)
        return answer.text

    messages = start.request["messages"]
    assert isinstance(messages, list)
    return Conversation(
        request={k: v for k, v in start.request.items() if k not in _DECIDED},
        messages=list(messages),
        bench=Bench.of(start.files, start.layout),
        meter=speaker.meter,
        deadline=speaker.deadline,
        ask=speaker.ask,
        run_tests=run_tests,
        tell=parent.send,
        redact=Redactor(start.secrets),
    )


async def _ended(work: Awaitable[Done]) -> Done:
    try:
        return await work
    except ServiceFailure as failure:
        return Done(ending="service", note=str(failure))
    except BudgetSpent as spent:
        return Done(ending="budget", note=str(spent))
    except TimeoutError:
        return Done(ending="budget", note="the time is used up")


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

"""The worker process: the only place where the SDK is imported and spoken to.

It reads records on standard input and writes records on standard output. It has no
access to the project but what it is sent, and it ends when its parent does.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import traceback
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Protocol

import anthropic

from bonafix.propose.claude import advice, credentials, protocol, stream
from bonafix.propose.claude.clients import open_client
from bonafix.propose.claude.conversation import (
    BudgetSpent,
    Conversation,
    ServiceFailure,
    converse,
)
from bonafix.propose.claude.protocol import (
    Answer,
    Done,
    FromWorker,
    More,
    Say,
    Start,
)
from bonafix.propose.claude.redact import MARK, Redactor
from bonafix.propose.claude.single import answer
from bonafix.propose.claude.speaker import Speaker
from bonafix.propose.claude.workbench import Bench

if sys.platform != "win32":
    import resource

_CPU_SECONDS = 900
"""A search pattern that runs away dies of this, should the parent be gone by then."""
_DECIDED = ("messages", "thinking", "output_config")
"""Fields of the opening request that grow, or may be corrected, later."""
_BEARER = re.compile(r"(?i)(bearer\s+)[^\s'\"]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited, in seconds."""

    stall: float = 180.0  # without a byte; the API sends pings all along
    pace: float = stream.FIRST_WAIT  # before a second attempt


_PATIENT = Patience()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """This end of the conversation: whom it serves, and what it never says."""

    start: Start
    parent: Parent
    redact: Redactor
    patience: Patience

    def tell(self, record: FromWorker) -> None:
        """Tell the parent, with no secret in the words."""
        self.parent.send(discreet(record, self.redact))


async def work(parent: Parent, patience: Patience = _PATIENT) -> None:
    """Hold one conversation, round after round, until the parent has enough."""
    start = await parent.receive()
    assert isinstance(start, Start)
    secrets = Redactor(credentials.secrets(os.environ))
    redact = Redactor(start.secrets).joined(secrets)
    end = _End(start=start, parent=parent, redact=redact, patience=patience)
    try:
        client = open_client(start.base_url, patience.stall)
    except ServiceFailure as failure:
        end.tell(Done(ending="service", note=str(failure)))
        return
    async with client:
        await _work(end, client)


async def _work(end: _End, client: anthropic.AsyncAnthropic) -> None:
    start = end.start
    speaker = Speaker(start, client, end.tell, pace=end.patience.pace)
    await speaker.prepare()
    if start.once:
        done = await _ended(answer(start.request, speaker, end.tell))
        end.tell(replace(done, effort=speaker.effort))
        return
    talk = _conversation(end, speaker)
    text = ""
    while True:
        done = await _ended(converse(talk, text))
        end.tell(replace(done, effort=speaker.effort))
        more = await end.parent.receive()
        assert isinstance(more, More)
        speaker.set_deadline(more.until)
        talk.deadline = speaker.deadline
        limits = speaker.meter.limits
        speaker.meter.limits = replace(limits, usd=more.usd, tokens=more.tokens)
        text = more.text


def discreet(record: FromWorker, redact: Redactor) -> FromWorker:
    """The record with no secret in its words; edits are the user's code, and whole."""
    match record:
        case Say(text=text):
            return replace(record, text=_hidden(text, redact))
        case Done(note=note):
            return replace(record, note=_hidden(note, redact))
        case _:
            return record


def _hidden(text: str, redact: Redactor) -> str:
    # A profile's token is in no variable: known by what stands before it.
    return _BEARER.sub(rf"\1{MARK}", redact(text))


def _conversation(end: _End, speaker: Speaker) -> Conversation:
    start = end.start

    async def run_tests(wish: protocol.RunTests) -> str:
        """Have the parent run tests; its answer is bounded and quoted."""
        end.tell(wish)
        answer = await end.parent.receive()
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
        tell=end.tell,
        redact=end.redact,
    )


async def _ended(work: Awaitable[Done]) -> Done:
    try:
        return await work
    except ServiceFailure as failure:
        return Done(ending="service", note=_advised(failure))
    except stream.ContextFull:
        return Done(ending="truncated", note=advice.TOO_LONG)
    except BudgetSpent as spent:
        return Done(ending="budget", note=str(spent))
    except TimeoutError:
        return Done(ending="budget", note="the time is used up")


def _advised(failure: ServiceFailure) -> str:
    """What failed, and what to do where the request itself was refused."""
    cause = failure.__cause__
    if isinstance(cause, anthropic.BadRequestError):
        return f"{failure}: {advice.refused(cause).advice}"
    return str(failure)


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


def _complain(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """A crash's traceback, without secrets: its last line is shown to the user."""
    redact = Redactor(credentials.secrets(os.environ))
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(_hidden(text, redact))


if __name__ == "__main__":
    sys.excepthook = _complain
    asyncio.run(main())

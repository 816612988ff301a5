"""A job's events in, `$/progress` and log messages out, not more than can be read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from lsprotocol import types

from bonafix.domain import Event, Evidence
from bonafix.lsp import telling
from bonafix.lsp.client import Client, UnansweredError
from bonafix.lsp.findings import short_name

Cancels = dict[str, Callable[[], object]]  # progress token -> what its cancel does

_LOGGED = 400  # characters of thinking that are worth a line of the log


@contextlib.asynccontextmanager
async def progress(
    client: Client, title: str, job: str, cancels: Cancels, cancel: Callable[[], object]
) -> AsyncIterator[Report]:
    """Show progress while the body runs, where the client can show it.

    Its token is the job's id, so that a client knows what is whose.
    """
    token = await _open(client, job)
    report = Report(client, job, token)
    if token:
        cancels[token] = cancel
        begin = types.WorkDoneProgressBegin(title=title, cancellable=True)
        client.progress(token, begin)
    try:
        yield report
    finally:
        report.close()
        if token:
            del cancels[token]
            client.progress(token, types.WorkDoneProgressEnd())


async def _open(client: Client, token: str) -> str | None:
    if not client.abilities.progress:
        return None
    params = types.WorkDoneProgressCreateParams(token=token)
    try:
        await client.request(types.WINDOW_WORK_DONE_PROGRESS_CREATE, params)
    except UnansweredError:
        return None  # the work matters more than its display
    return token


@dataclass(slots=True)
class Report:
    """Listens to events; the latest text wins, at most one each `timing.report`."""

    client: Client
    job: str  # its id
    token: str | None
    stage: str = ""
    latest: str = ""
    timer: asyncio.TimerHandle | None = None
    thoughts: list[str] = field(default_factory=list)
    candidate: int = 0  # how many have reached the gate

    def __call__(self, event: Event) -> None:
        """Take one event; never blocks."""
        if event.kind == "thinking":
            self.say("thinking…")
            self._think(event.text)
            return
        self._log_thoughts()
        if event.kind == "stage":
            self.stage = event.text
        if event.kind in {"text", "note", "verdict"} and event.text.strip():
            self.client.log(f"{event.kind}: {event.text.strip()}")
        if event.kind == "candidate" and "new" in event.facts:
            self.candidate += 1
        self._tell(event)
        if event.kind != "text":
            self.say(self._candidate(event) + line(event, self.stage))

    def _tell(self, event: Event) -> None:
        told = telling.event(event, job=self.job, candidate=self.candidate)
        if told:
            redacted = {k: self._redacted(v) for k, v in told.items()}
            self.client.tell(telling.EVENT, redacted)

    def _redacted(self, value: object) -> object:
        return self.client.redact(value) if isinstance(value, str) else value

    def _candidate(self, event: Event) -> str:
        judged = self.candidate and event.kind in {"stage", "test"}
        return f"candidate {self.candidate}: " if judged else ""

    def say(self, text: str) -> None:
        """Show `text` as the state of the work."""
        self.latest = text
        if self.token and self.timer is None:
            self._send()
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(self.client.timing.report, self._later)

    def close(self) -> None:
        """Send what was said last; nothing is sent after this."""
        self._log_thoughts()
        self._send()
        if self.timer:
            self.timer.cancel()

    def _later(self) -> None:
        self.timer = None
        if self.latest:
            self.say(self.latest)

    def _send(self) -> None:
        if self.token and self.latest:
            message = self.client.redact(self.latest)
            value = types.WorkDoneProgressReport(message=message)
            self.client.progress(self.token, value)
            self.latest = ""

    def _think(self, text: str) -> None:
        self.thoughts.append(text)
        if text.endswith("\n") or sum(map(len, self.thoughts)) > _LOGGED:
            self._log_thoughts()

    def _log_thoughts(self) -> None:
        text = "".join(self.thoughts).strip()
        self.thoughts.clear()
        if text:  # a summary by the model, not its reasoning, and no evidence
            self.client.log(f"model's summary: {text}", types.MessageType.Log)
            self._tell(Event(kind="thinking", text=text))


def line(event: Event, stage: str) -> str:
    """One line for a progress bar."""
    counted = ""
    if event.done is not None and (event.total is not None or event.kind == "test"):
        total = f"/{event.total:,}" if event.total is not None else ""
        counted = f" {event.done:,}{total}"
    if event.kind == "test":
        name = short_name(event.text)
        return (
            f"{stage or 'tests'}:{counted} {name}".rstrip()
            if counted
            else stage or event.text
        )
    record = event.facts.get("record")
    if isinstance(record, Evidence):
        return f"{record.stage}: {record.result}"
    text = event.text.strip().splitlines()
    shown = f"{event.kind}: {text[0]}" if text else event.kind
    return (text[0] if event.kind in {"stage", "note"} and text else shown) + counted

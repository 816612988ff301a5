"""What the server says to and asks of its client; every question has a time limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from bonafix.lsp.abilities import Abilities
from bonafix.lsp.wire import Text, holding
from bonafix.redaction import NOTHING, Redactor

if TYPE_CHECKING:  # the session holds this
    from bonafix.lsp.session import Server

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things are waited for, in seconds."""

    # Between a save and the run of the suite, and between a save and the quick look at
    # it where another came before: "save all" sends one message a file, a few
    # milliseconds apart. What comes later replaces what is under way, and costs that.
    settle: float = 0.05
    long: float = 3.0  # a suite that takes longer runs what is affected first
    publish: float = 0.2  # between a keystroke and the diagnostics that follow it
    report: float = 0.1  # between two reports of one progress
    reply: float = 10.0  # for an answer that needs no person
    question: float = 600.0  # for an answer by a person
    landing: float = 5.0  # for the text of an applied edit to be seen
    doctor: float = 60.0
    leave: float = 10.0  # for all jobs to end on the way out


class UnansweredError(Exception):
    """The client refused a request, does not know it, or stayed silent."""


@dataclass(slots=True)
class Client:
    """The other side of the connection."""

    server: Server
    timing: Timing
    abilities: Abilities = field(default_factory=Abilities)
    redact: Redactor = NOTHING  # takes secrets out of what is logged and shown

    def inform(self, text: str) -> None:
        """Show a message."""
        self._show(types.MessageType.Info, text)

    def warn(self, text: str) -> None:
        """Show a warning."""
        self._show(types.MessageType.Warning, text)

    def complain(self, text: str) -> None:
        """Show an error."""
        self._show(types.MessageType.Error, text)

    def log(self, text: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """Write to the client's log."""
        self.server.window_log_message(
            types.LogMessageParams(type=kind, message=self.redact(text))
        )

    def _show(self, kind: types.MessageType, text: str) -> None:
        text = self.redact(text)
        logger.info("shown: %s", text)
        self.server.window_show_message(
            types.ShowMessageParams(type=kind, message=f"Bonafix: {text}")
        )

    def publish(self, uri: str, diagnostics: Text, version: int | None) -> None:
        """Replace what is shown for one file; not where the client asks itself."""
        if self.abilities.pull:
            return
        head: dict[str, object] = {"uri": uri}
        if version is not None and self.abilities.versions:
            head["version"] = version
        params = holding(head, "diagnostics", diagnostics)
        self.server.protocol.tell(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    def refresh_lenses(self) -> None:
        """Let the client ask for code lenses again, where it can be told to."""
        if self.abilities.refresh_lenses:
            self._nudge(types.WORKSPACE_CODE_LENS_REFRESH)

    def refresh_diagnostics(self) -> None:
        """Let the client ask for diagnostics again, where it can be told to."""
        if self.abilities.refresh_diagnostics:
            self._nudge(types.WORKSPACE_DIAGNOSTIC_REFRESH)

    def _nudge(self, method: str) -> None:
        """Ask for what needs no answer."""
        self.server.protocol.send_request_async(method, None).add_done_callback(_heard)

    def progress(self, token: str, value: object) -> None:
        """Send one piece of `$/progress`."""
        params = types.ProgressParams(token=token, value=value)
        self.server.protocol.notify(types.PROGRESS, params)

    def tell(self, method: str, params: Mapping[str, object]) -> None:
        """Send a notification of our own making to a client that asked for such."""
        if self.abilities.results:
            self.server.protocol.notify(method, params)

    async def request(
        self, method: str, params: object, *, seconds: float | None = None
    ) -> object:
        """Ask and wait for the answer, at most `seconds` (default: `timing.reply`).

        Raises:
            UnansweredError: there was none; the message says why.
        """
        answer = self.server.protocol.send_request_async(method, params)
        # A late answer must find its future as it was left, so it is not cancelled.
        answer.add_done_callback(_heard)
        limit = self.timing.reply if seconds is None else seconds
        try:
            # Not `wait_for`: before Python 3.12 it loses a cancel that comes with the
            # answer, and the work goes on although its user was told that it stops.
            async with asyncio.timeout(limit):
                return await asyncio.shield(answer)
        except TimeoutError as error:
            raise UnansweredError(f"no answer within {limit:.0f} s") from error
        except JsonRpcException as error:
            raise UnansweredError(error.message or str(error)) from error

    async def ask(self, text: str, *choices: str) -> str | None:
        """Put a question to the user; `None` where it was dismissed.

        Raises:
            UnansweredError: this client cannot ask.
        """
        params = types.ShowMessageRequestParams(
            type=types.MessageType.Warning,
            message=f"Bonafix: {text}",
            actions=[types.MessageActionItem(title=choice) for choice in choices],
        )
        answer = await self.request(
            types.WINDOW_SHOW_MESSAGE_REQUEST,
            params,
            seconds=self.timing.question,
        )
        return answer.title if isinstance(answer, types.MessageActionItem) else None


def _heard(answer: asyncio.Future[object]) -> None:
    if not answer.cancelled():
        answer.exception()  # or asyncio would report a late refusal as never seen

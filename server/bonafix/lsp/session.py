"""One connection's server: pygls's, with our state and our way to end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from bonafix import __version__
from bonafix.lsp.abilities import Abilities
from bonafix.lsp.protocol import Protocol, converter

if TYPE_CHECKING:  # it holds all the rest, which is not imported yet
    from bonafix.lsp.state import State

logger = logging.getLogger(__name__)


class Server(LanguageServer):
    """A language server for one connection."""

    protocol: Protocol

    def __init__(self, build: Callable[[Server], State]) -> None:
        # Whole texts: pygls would apply partial changes to its own copy wrongly
        # where a line holds a form feed; ours are kept by `documents`.
        super().__init__(
            "bonafix",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            protocol_cls=Protocol,
            converter_factory=converter,
        )
        self._build = build
        self.abilities = Abilities()  # the client's
        self.introduction: types.InitializeParams | None = None
        self.introduced = asyncio.Event()  # `initialize` was seen
        self.left = asyncio.Event()  # the client said `exit`, or is gone
        self.clean = False  # `shutdown` came first

    @functools.cached_property
    def state(self) -> State:
        """Everything else; made when it is asked for first."""
        return self._build(self)

    def report_server_error(self, error: Exception, source: object) -> None:
        """Log it; telling a client that may be gone would fail again, for ever."""
        # Wrong parameters have been answered already: they are the client's affair.
        expected = isinstance(error, JsonRpcInvalidParams)
        level = logging.INFO if expected else logging.ERROR
        logger.log(level, "%s", error, extra={"source": source})

    def receive(self, body: bytes) -> None:
        """Handle a message; whatever it is, the next one can be handled.

        pygls would look at every object in it, for there might be a message inside.
        """
        try:
            message = json.loads(body)
            self.protocol.handle_message(self.protocol.structure_message(message))
        except Exception as error:  # noqa: BLE001 - it must not end the session
            self.report_server_error(error, JsonRpcException)
            self._refuse(body, error)

    def _refuse(self, body: bytes, error: Exception) -> None:
        """Answer what is a question, or its asker would wait for ever."""
        with contextlib.suppress(ValueError):
            message = json.loads(body)
            if isinstance(message, dict) and "method" in message and "id" in message:
                self.protocol.refuse(message["id"], str(error) or "it makes no sense")

    async def close(self) -> None:
        """End all work; returns when no process of ours is left."""
        if "state" not in self.__dict__:
            return  # there never was any
        self.state.tell()
        self.state.trust.close()
        for root in self.state.roots.values():
            if root.sender:
                root.sender.cancel()
        await self.state.jobs.close(self.state.timing.leave)

"""One connection's server: pygls's, with our state and our way to end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from bonafix import __version__
from bonafix.lsp.lenses import Json
from bonafix.lsp.state import State

logger = logging.getLogger(__name__)


class Protocol(LanguageServerProtocol):
    """pygls's protocol, but `exit` ends the session and not the process."""

    _server: Server

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: object) -> Generator[object, object, None]:
        """Let the session clean up; it ends the process."""
        self._server.left.set()
        yield from ()

    def _send_response(
        self,
        msg_id: str | int,
        result: object = None,
        error: types.ResponseError | None = None,
    ) -> None:
        """Send what is JSON already without turning each value around."""
        if isinstance(result, Json) and error is None:
            self._result_types.pop(msg_id, None)
            answer = {"jsonrpc": self.VERSION, "id": msg_id, "result": result}
            self._send_data(answer)
        else:
            super()._send_response(msg_id, result, error)


class Server(LanguageServer):
    """A language server for one connection."""

    state: State

    def __init__(self) -> None:
        # Whole texts: pygls would apply partial changes to its own copy wrongly
        # where a line holds a form feed; ours are kept by `documents`.
        super().__init__(
            "bonafix",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            protocol_cls=Protocol,
        )
        self.introduced = asyncio.Event()  # `initialize` was seen
        self.left = asyncio.Event()  # the client said `exit`, or is gone
        self.clean = False  # `shutdown` came first

    def report_server_error(self, error: Exception, source: object) -> None:
        """Log it; telling a client that may be gone would fail again, for ever."""
        # Wrong parameters have been answered already: they are the client's affair.
        expected = isinstance(error, JsonRpcInvalidParams)
        level = logging.INFO if expected else logging.ERROR
        logger.log(level, "%s", error, extra={"source": source})

    async def close(self) -> None:
        """End all work; returns when no process of ours is left."""
        self.state.tell()
        self.state.trust.close()
        await self.state.jobs.close(self.state.timing.leave)

"""pygls's protocol, with a way out of a session and a quick way for large messages."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import cattrs
from lsprotocol import types
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method

from bonafix.lsp.wire import Json, Text, holding

if TYPE_CHECKING:  # the session is made of this
    from bonafix.lsp.session import Server

_NOWHERE = types.Range(types.Position(0, 0), types.Position(0, 0))


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
        if error is None and isinstance(result, Text):
            self._result_types.pop(msg_id, None)
            head = {"jsonrpc": self.VERSION, "id": msg_id}
            self._send_text(holding(head, "result", result))
        elif error is None and isinstance(result, Json):
            self._result_types.pop(msg_id, None)
            answer = {"jsonrpc": self.VERSION, "id": msg_id, "result": result}
            self._send_data(answer)
        else:
            super()._send_response(msg_id, result, error)

    def refuse(self, msg_id: str | int, why: str) -> None:
        """Answer that a request's parameters are not those of its method."""
        code = types.ErrorCodes.InvalidParams
        self._send_response(msg_id, error=types.ResponseError(code, why))

    def tell(self, method: str, params: Text) -> None:
        """Send a notification whose parameters are text already."""
        head = {"jsonrpc": self.VERSION, "method": method}
        self._send_text(holding(head, "params", params))

    def _send_text(self, text: Text) -> None:
        if self.writer is not None:
            body = text.encode()
            self.writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


def converter() -> cattrs.Converter:
    """pygls's, but a question about actions is read as far as it is answered.

    Clients send all diagnostics of the range along, be they a thousand; their source
    and code are all that is looked at.
    """
    made: cattrs.Converter = default_converter()  # type: ignore[no-untyped-call] # pygls gives none
    made.register_structure_hook(types.CodeActionContext, _context)
    return made


def _context(given: dict[str, object], _type: object) -> types.CodeActionContext:
    named, only = given.get("diagnostics"), given.get("only")
    return types.CodeActionContext(
        diagnostics=[_named(one) for one in named] if isinstance(named, list) else [],
        only=[str(kind) for kind in only] if isinstance(only, list) else None,
    )


def _named(given: object) -> types.Diagnostic:
    found = given if isinstance(given, dict) else {}
    code, source = found.get("code"), found.get("source")
    return types.Diagnostic(
        range=_NOWHERE,
        message="",
        code=code if isinstance(code, str) else None,
        source=source if isinstance(source, str) else None,
    )

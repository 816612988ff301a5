"""As much HTTP/1.1 as the SDK speaks: read a request, send a body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, slots=True)
class Request:
    """A request; names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of the connection, None when the client is done."""
    line = await reader.readline()
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while header := (await reader.readline()).strip():
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    return Request(method, path, headers, await reader.readexactly(length))


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {_phrase(status)}", "request-id: req_loopback"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _phrase(status: int) -> str:
    # 529 is Anthropic's own and has no phrase.
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Overloaded"


async def send_body(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    *,
    kind: str = "application/json",
    extra: Mapping[str, str] | None = None,
) -> None:
    """Send a whole answer of known length."""
    headers = {"content-type": kind, "content-length": str(len(body)), **(extra or {})}
    writer.write(_head(status, headers) + body)
    await writer.drain()


async def start_body(
    writer: asyncio.StreamWriter, extra: Mapping[str, str] | None = None
) -> None:
    """Start a chunked stream of events, so that a cut can be told from an end."""
    headers = {
        "content-type": "text/event-stream",
        "transfer-encoding": "chunked",
        **(extra or {}),
    }
    writer.write(_head(200, headers))
    await writer.drain()

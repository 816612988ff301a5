"""The connection: standard streams or one TCP client, and how a session ends.

pygls would read standard input in a thread, which cannot be stopped; here the
event loop does, so that the end of the input, of the parent or of the session is
seen at once and every process of ours is gone before this one is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from typing import IO, Protocol

from bonafix.errors import UsageError
from bonafix.lsp.session import Server

logger = logging.getLogger(__name__)

_PARENT_POLL = 2.0  # seconds; where the system cannot tell of a process's end
_FLUSH = 2.0  # seconds for the last messages to be taken by the client
_LENGTH = re.compile(rb"content-length: *(\d+)\r\n", re.IGNORECASE)


class _Writer(Protocol):
    """What pygls writes to."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


async def stdio(server: Server) -> int:
    """Serve the client on standard input and output; returns the exit code."""
    source, sink = _take_over_streams()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    try:
        incoming, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), source
        )
        writer, closing = await loop.connect_write_pipe(_Closing, sink)
    except ValueError as error:  # a plain file can be read, but not conversed with
        raise UsageError(
            "standard input and output of the language server must be pipes"
        ) from error
    try:
        return await converse(server, reader, writer, watch_parent=True)
    finally:
        incoming.close()
        writer.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closing.closed.wait(), _FLUSH)


async def tcp(server: Server, host: str, port: int) -> int:
    """Serve the first client that connects, then end; returns the exit code."""
    code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    busy = False

    async def connected(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal busy
        if busy:  # a session holds the state of one client only
            writer.close()
            return
        busy = True
        result = await converse(server, reader, writer, watch_parent=False)
        writer.close()
        code.set_result(result)

    try:
        listening = await asyncio.start_server(connected, host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"cannot listen on {host}:{port}: {reason}") from error
    async with listening:
        for socket in listening.sockets:
            address = ":".join(str(part) for part in socket.getsockname()[:2])
            print(f"bonafix: listening on {address}", file=sys.stderr, flush=True)  # noqa: T201
        return await code


async def converse(
    server: Server,
    reader: asyncio.StreamReader,
    writer: _Writer,
    *,
    watch_parent: bool,
) -> int:
    """Handle messages until the client leaves, however it does.

    Returns 0 where it said goodbye first, else 1. No process of ours is left then.
    """
    server.protocol.set_writer(writer)
    reading = asyncio.create_task(_read(server, reader))
    leaving = asyncio.create_task(server.left.wait())
    tasks: set[asyncio.Task[object]] = {reading, leaving}
    if watch_parent:
        tasks.add(asyncio.create_task(_parent_gone(server)))
    with _signals(server):
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.close()
    return 0 if server.clean else 1


async def _read(server: Server, reader: asyncio.StreamReader) -> None:
    """Handle one message after another, until there are no more."""
    length = 0
    while header := await reader.readline():
        if found := _LENGTH.fullmatch(header):
            length = int(found[1])
        elif length and not header.strip():
            server.receive(await reader.readexactly(length))
            length = 0


async def _parent_gone(server: Server) -> None:
    """Return once the process that `initialize` named has ended."""
    await server.introduced.wait()
    parent = server.process_id
    if parent is None or not _alive(parent):
        await asyncio.Event().wait()  # of another namespace: nothing to watch
        return
    await _ended(parent)
    logger.warning("the client's process %d is gone", parent)


async def _ended(process_id: int) -> None:
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):  # an old kernel: poll
            await _readable(os.pidfd_open(process_id))
            return
    while _alive(process_id):  # noqa: ASYNC110 - nothing here could tell of it
        await asyncio.sleep(_PARENT_POLL)


async def _readable(descriptor: int) -> None:
    """Wait until a process's descriptor says that it has ended; closes it."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(descriptor, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def _signals(server: Server) -> Iterator[None]:
    """A signal to end is a client that left."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, server.left.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _take_over_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Keep the protocol's streams for ourselves.

    Whatever else is written to standard output, by us or by a child, goes to
    standard error from here on; nobody else can read from the client.
    """
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    sink = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


class _Closing(asyncio.BaseProtocol):
    """Tells when everything written has gone out, or the client stopped reading."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed.set()

"""A cell in, a prepared interpreter that lives in it out; what it says is read here."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from bonafix.observe.process import Order
from bonafix.observe.wire import MAX_LINE, split
from bonafix.observe.zygote import Zygote
from bonafix.sandbox.cell import Cell, start

SERVER = Path(__file__).parent / "inside" / "serve.py"
_LULL = 0.02  # seconds between two looks at a run of many tests
_CHUNK = 256 * 1024  # bytes


@asynccontextmanager
async def zygote(cell: Cell, order: Order, *, seconds: float) -> AsyncIterator[Zygote]:
    """Start one in `cell` that lives for at most `seconds`; dead on the way out.

    Raises:
        LostError: it could not be made ready; says what it printed.
    """
    theirs, ours = socket.socketpair()
    reader, writer = os.pipe()
    with ours, os.fdopen(reader, "rb") as pipe:
        try:
            running = await start(
                cell,
                [str(order.python), str(SERVER), str(theirs.fileno()), str(writer)],
                env=order.env,
                cwd=cell.tree,
                pass_fds=(theirs.fileno(), writer),
                seconds=seconds,
            )
        finally:
            theirs.close()
            os.close(writer)
        ours.setblocking(False)  # noqa: FBT003
        made = Zygote(cell=cell, running=running, orders=ours)
        reading = asyncio.create_task(_listen(made, pipe))
        try:
            await made.prepare(order)
            yield made
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await running.kill()


async def _listen(made: Zygote, pipe: IO[bytes]) -> None:
    buffer = bytearray()
    while chunk := await _chunk(pipe.fileno()):
        buffer += chunk
        for line in split(buffer):
            made.take(line)
        if len(buffer) > MAX_LINE:
            buffer.clear()
        if made.unhurried:
            await asyncio.sleep(_LULL)
    made.gone = True
    made.changed.set()


async def _chunk(fd: int) -> bytes:
    """What there is to read by now, once there is something; nothing at the end."""
    loop = asyncio.get_running_loop()
    there = loop.create_future()
    loop.add_reader(fd, _tell, there)
    try:
        await there
    finally:
        loop.remove_reader(fd)
    return os.read(fd, _CHUNK)


def _tell(there: asyncio.Future[None]) -> None:
    if not there.done():
        there.set_result(None)

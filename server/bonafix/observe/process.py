"""One pytest process in a cell: started, listened to, watched, dead at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from bonafix.calls import FunctionRef
from bonafix.observe.events import Log
from bonafix.observe.fold import Attempt
from bonafix.observe.wire import MAX_LINE, Report, split
from bonafix.sandbox.cell import Cell, Running, start

_DRAIN = 5.0  # seconds that the pipe may stay open after the process is gone
_FAREWELL = 10.0  # seconds between pytest's last word and the end of the process
_CHUNK = 256 * 1024  # bytes
SOON = 2.0  # seconds of CPU, after which a test is looked for where others hung

Hear = Callable[[Log, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one process is asked to do."""

    python: Path
    launcher: Path  # ours: what that Python runs
    root: Path  # of the user's tree
    path: Sequence[str]  # sys.path of that Python, outside the cell
    env: Mapping[str, str]
    select: Sequence[str] | None
    expression: str
    record_lines: bool
    stop_at_first: bool
    per_test: float  # seconds, wall
    deadline: float  # on the monotonic clock, of the whole run
    brief: bool = False  # without plugins' versions and modules' places
    functions: Sequence[FunctionRef] = ()  # whose calls are recorded
    disguised: bool = False  # as if no test were running
    stuck: frozenset[tuple[str, str]] = frozenset()  # functions where tests hung


async def attempt(cell: Cell, order: Order, hear: Hear) -> Attempt:
    """Run pytest in `cell` until it ends, a test hangs, or the deadline is reached.

    `hear` is told of each event. A cancel kills the process and waits for it.
    """
    log = Log(secrets.token_hex(16))
    begun = time.monotonic()
    reader, writer = os.pipe()
    with _request(cell, order, log.nonce) as request, os.fdopen(reader, "rb") as pipe:
        ends = (str(request.fileno()), str(writer))
        argv = [str(order.python), str(order.launcher), *ends]
        try:
            running = await start(
                cell,
                argv,
                env=order.env,
                cwd=cell.tree,
                pass_fds=(request.fileno(), writer),
                seconds=max(order.deadline - begun, 0.1),
            )
        finally:
            os.close(writer)
        watch = Watch(order, log, hear)
        return await _follow(running, pipe, watch, cell, begun)


@dataclass(slots=True)
class Watch:
    """Listens, and knows when the current test and the session's end were."""

    order: Order
    log: Log
    hear: Hear
    since: float = 0.0  # of the current test
    ended: float = 0.0
    hung: str = ""
    late: bool = False
    repeated: asyncio.Event = field(default_factory=asyncio.Event)  # a known loop

    def take(self, line: bytes) -> None:
        """Hear one line."""
        event = self.log.hear(line)
        if event == "start":
            self.since = time.monotonic()
        if event in {"finish", "exit"}:
            self.ended = time.monotonic()
        told = self.log.stuck.get(self.log.current) if event == "stuck" else None
        if told is not None and innermost(told) & self.order.stuck:
            self.repeated.set()
        if event:
            self.hear(self.log, event)

    def due(self) -> float:
        """When to look again at the earliest; past when something is too late."""
        now = time.monotonic()
        if self.log.code is not None:
            return min(self.order.deadline, self.ended + _FAREWELL)
        if self.log.current:
            return min(self.order.deadline, self.since + self.order.per_test)
        return min(self.order.deadline, now + self.order.per_test)


async def _follow(
    running: Running, pipe: IO[bytes], watch: Watch, cell: Cell, begun: float
) -> Attempt:
    reading = asyncio.create_task(_read(pipe, watch))
    guarding = asyncio.create_task(_guard(running, watch))
    try:
        ended = await running.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN):
                await reading
    finally:
        for task in (reading, guarding):
            task.cancel()
        await asyncio.gather(reading, guarding, return_exceptions=True)
        await running.kill()
    return Attempt(
        log=watch.log,
        code=ended.code,
        signal=ended.signal,
        hung=watch.hung,
        repeated=bool(watch.hung) and watch.repeated.is_set(),
        timed_out=watch.late or ended.timed_out,
        seconds=time.monotonic() - begun,
        cpu_seconds=ended.cpu_seconds,
        output=ended.output,
        confinement=cell.confinement,
    )


async def _guard(running: Running, watch: Watch) -> None:
    """Kill the process when a test, or the whole run, takes too long."""
    # the clock is what is waited for: no event says that nothing happened
    while not watch.repeated.is_set() and (wait := watch.due() - time.monotonic()) > 0:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await watch.repeated.wait()
    if watch.log.code is None:
        watch.late = time.monotonic() >= watch.order.deadline
        watch.hung = "" if watch.late else watch.log.current
    await running.kill()


def innermost(told: Report) -> frozenset[tuple[str, str]]:
    """The project's innermost function where a test is, as its path and name."""
    own = [frame for frame in told.frames if frame.own]
    return frozenset((frame.path, frame.function) for frame in own[-1:])


async def _read(pipe: IO[bytes], watch: Watch) -> None:
    async for line in lines(pipe):
        watch.take(line)


async def lines(pipe: IO[bytes]) -> AsyncIterator[bytes]:
    """The lines that come in, until nobody is left to write one."""
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader(limit=_CHUNK)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), pipe
    )
    buffer = bytearray()
    try:
        while chunk := await stream.read(_CHUNK):
            buffer += chunk
            for line in split(buffer):
                yield line
            if len(buffer) > MAX_LINE:
                buffer.clear()
    finally:
        transport.close()


@contextlib.contextmanager
def _request(cell: Cell, order: Order, nonce: str) -> Iterator[IO[bytes]]:
    """The order as an open file without a name: odd ids need no quoting."""
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(fields(cell, order, nonce)).encode())
        file.seek(0)
        yield file


def fields(cell: Cell, order: Order, nonce: str) -> dict[str, object]:
    """The order as the launcher reads it."""
    return {
        "nonce": nonce,
        "root": str(order.root),
        "tree": str(cell.tree),
        "path": list(order.path),
        "select": None if order.select is None else list(order.select),
        "expression": order.expression,
        "lines": order.record_lines,
        "stop_at_first": order.stop_at_first,
        "per_test": order.per_test,
        "brief": order.brief,
        "functions": [asdict(function) for function in order.functions],
        "disguised": order.disguised,
        "soon": SOON if order.stuck else 0.0,
    }

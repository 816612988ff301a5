"""The parent's end of a worker: start it, exchange records with it, end it.

Leaving the context kills the process, whatever it was doing; its connection to the
API is gone with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol, cast

from bonafix.errors import ServiceError
from bonafix.propose.claude import protocol

_STDERR_KEPT = 4000
_FAREWELL = 5.0
_RUN = """\
import runpy, sys
_, module, *sys.path[:] = sys.argv
del sys.argv[1:]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


class Worker(Protocol):
    """The other end of a conversation: who speaks to the model."""

    async def send(self, record: protocol.ToWorker) -> None:
        """Tell the worker."""

    async def receive(self) -> protocol.FromWorker:
        """Its next record.

        Raises:
            ServiceError: it ended without one.
        """


Connect = Callable[[Mapping[str, str]], AbstractAsyncContextManager[Worker]]
"""An environment in, a worker for as long as the context lasts out."""


class _Process:
    """A running worker process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._complaints = b""

    async def send(self, record: protocol.ToWorker) -> None:
        """Tell the worker; one that has ended will be noticed at `receive`."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._process.stdin.write(protocol.dump(record))
            await self._process.stdin.drain()

    async def receive(self) -> protocol.FromWorker:
        """Its next record; ServiceError where it ended without one."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            raise ServiceError(f"the worker for Claude ended: {self._last_words()}")
        return cast("protocol.FromWorker", protocol.load(line))

    def _last_words(self) -> str:
        lines = self._complaints.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}"

    async def listen(self) -> None:
        """Keep the end of what it writes to standard error."""
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(_STDERR_KEPT):
            self._complaints = (self._complaints + piece)[-_STDERR_KEPT:]


@contextlib.asynccontextmanager
async def open_worker(environment: Mapping[str, str]) -> AsyncIterator[Worker]:
    """A worker process for as long as the context lasts."""
    process = await asyncio.create_subprocess_exec(
        *_command("bonafix.propose.claude.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=protocol.LINE_LIMIT,
        env=dict(environment),
        cwd="/",
        start_new_session=True,  # an interrupt at the terminal is for the parent
    )
    made = _Process(process)
    listener = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await _reap(process)
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


def _command(module: str) -> tuple[str, ...]:
    """Run a module of ours in a fresh process that imports from where this one does.

    An editor's extension brings us along in folders that no interpreter knows of by
    itself, and PYTHONPATH would reach the user's tests, too.
    """
    # -P: the working folder may be the user's project, which must not be imported.
    alone = [f"-{letter}" for letter, on in _flags() if on]
    places = [place for place in sys.path if Path(place).is_absolute()]
    return (sys.executable, "-P", *alone, "-c", _RUN, module, *places)


def _flags() -> tuple[tuple[str, int], ...]:
    return (("I", sys.flags.isolated), ("S", sys.flags.no_site))


async def _reap(process: asyncio.subprocess.Process) -> None:
    """Wait for the killed process, even if this task is being cancelled."""
    waiting = asyncio.ensure_future(process.wait())
    try:
        async with asyncio.timeout(_FAREWELL):  # `wait_for` can lose a cancel
            await asyncio.shield(waiting)
    except asyncio.CancelledError:
        await waiting
        raise

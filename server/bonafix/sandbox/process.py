"""One confined process of the launcher: started, read, waited for, surely ended.

No threads and no child watcher: two pipes and a timer on the running event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bonafix.errors import SandboxError
from bonafix.sandbox import launch
from bonafix.sandbox.spec import Report, Spec

_TAIL = 64 * 1024  # bytes of output that are kept
_CHUNK = 64 * 1024
_ORDERLY = 0.5  # seconds for the launcher to end everything and report
_HOPELESS = 5.0  # seconds after which even SIGKILL is given up on
_POLL = 0.001  # seconds between looks for an exit that is due


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a program ended; exactly one of `code` and `signal` is set."""

    code: int | None
    signal: int | None
    timed_out: bool
    seconds: float  # wall
    cpu_seconds: float  # of the program and all its descendants that were reaped
    output: str  # the last 64 KiB of stdout and stderr together


class Running:
    """A started program. Its time runs whether or not anybody waits."""

    __slots__ = (
        *("_began", "_done", "_exited", "_lifeline", "_loop", "_output", "_process"),
        *("_report", "_status", "_tail", "_timed_out", "_timers"),
    )

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        lifeline: int,
        output: int,
        status: int,
        seconds: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self._lifeline: int | None = lifeline
        self._output = output
        self._status = status
        self._tail = bytearray()
        self._report = bytearray()
        self._timed_out = False
        self._exited = False
        self._began = time.monotonic()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._timers = [self._loop.call_later(seconds, self._expire)]
        for descriptor, callback in ((output, self._on_output), (status, self._on_end)):
            os.set_blocking(descriptor, False)
            self._loop.add_reader(descriptor, callback)

    @property
    def pid(self) -> int:
        """The launcher's process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether everything of it is gone."""
        return self._done.done()

    async def wait(self) -> Exit:
        """Wait for the end; a cancel kills and reaps everything first.

        Raises:
            SandboxError: the program could not be started as promised.
        """
        try:
            await asyncio.shield(self._done)
        except asyncio.CancelledError:
            await self.kill()
            raise
        return self._result()

    async def kill(self) -> None:
        """End everything of it within a second; return when it is gone.

        A cancel meanwhile is obeyed afterwards.
        """
        self._stop()
        cancelled = False
        while not self._done.done():
            try:
                await asyncio.shield(self._done)
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError

    def _expire(self) -> None:
        self._timed_out = True
        self._stop()

    def _stop(self) -> None:
        """Cut the lifeline; should the launcher not obey, kill it too."""
        if self._lifeline is None or self._done.done():
            return
        os.close(self._lifeline)
        self._lifeline = None
        self._timers += [
            self._loop.call_later(_ORDERLY, self._process.kill),
            self._loop.call_later(_HOPELESS, self._finish),
        ]

    def _on_output(self) -> None:
        if not self._read(self._output, self._tail):
            self._loop.remove_reader(self._output)
        if len(self._tail) > 4 * _TAIL:
            del self._tail[:-_TAIL]

    def _on_end(self) -> None:
        """The status pipe closes when the launcher and process 1 are both gone."""
        if not self._read(self._status, self._report):
            self._loop.remove_reader(self._status)
            self._reap()

    def _reap(self) -> None:
        if self._process.poll() is None:
            self._timers.append(self._loop.call_later(_POLL, self._reap))
        else:
            self._finish()

    def _finish(self) -> None:
        if self._done.done():
            return
        for timer in self._timers:
            timer.cancel()
        for descriptor in (self._output, self._status):
            self._loop.remove_reader(descriptor)
        while self._read(self._output, self._tail) and len(self._tail) < 64 * _TAIL:
            pass
        self._close()
        self._exited = self._process.poll() is not None
        self._done.set_result(None)

    def _close(self) -> None:
        os.close(self._output)
        os.close(self._status)
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    @staticmethod
    def _read(descriptor: int, into: bytearray) -> bool:
        """Take what is there; whether more may come at once or later."""
        try:
            part = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        into += part
        return bool(part)

    def _result(self) -> Exit:
        report = _parse(bytes(self._report))
        output = bytes(self._tail[-_TAIL:]).decode(errors="replace")
        if not self._exited:
            raise SandboxError(
                f"Process {self.pid} could not be killed: it hangs in the kernel, "
                "perhaps on a network file system."
            )
        if error := report.get("error"):
            raise SandboxError(_explain(report.get("step", ""), error, output))
        code = report.get("code")
        number = report.get("signal")
        if code is None and number is None:
            number = signal.SIGKILL  # killed before it could report
        return Exit(
            code=code,
            signal=number,
            timed_out=self._timed_out,
            seconds=time.monotonic() - self._began,
            cpu_seconds=report.get("cpu_seconds", 0.0),
            output=output,
        )


def spawn(make: Callable[[int, int], Spec], base: Path, *, seconds: float) -> Running:
    """Start the launcher; `make` gets the lifeline's and the status pipe's number.

    Raises:
        SandboxError: not even the launcher could be started.
    """
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        lifeline_reader, lifeline = _pipe(theirs, ours)
        status, status_writer = _pipe(ours, theirs)
        output, output_writer = _pipe(ours, theirs)
        spec = make(lifeline_reader, status_writer)
        try:
            process = _popen(spec, base, output_writer, status_writer)
        except OSError as error:
            raise SandboxError(
                f"The sandbox's launcher cannot be started: {error}."
            ) from error
        ours.pop_all()
    return Running(
        process, lifeline=lifeline, output=output, status=status, seconds=seconds
    )


def _popen(spec: Spec, base: Path, output: int, status: int) -> subprocess.Popen[bytes]:
    # a file, since a pipe could block us: an environment can be larger than one
    with tempfile.TemporaryFile(dir=base) as file:
        file.write(json.dumps(spec).encode())
        file.seek(0)
        return subprocess.Popen(
            launch.command("enter"),
            stdin=file,
            stdout=output,
            stderr=output,
            env=launch.environment(),
            cwd="/",
            pass_fds=(spec["lifeline"], status, *spec["pass_fds"]),
            start_new_session=True,  # Ctrl-C in the terminal is for us alone
        )


def _pipe(reads: contextlib.ExitStack, writes: contextlib.ExitStack) -> tuple[int, int]:
    reader, writer = os.pipe()
    reads.callback(os.close, reader)
    writes.callback(os.close, writer)
    return reader, writer


def _parse(text: bytes) -> Report:
    """Fold the lines of the status pipe: the first error comes before all else."""
    report: Report = {}
    for line in text.splitlines():
        part: Report = json.loads(line)
        report = part if "error" in part and "error" not in report else report or part
    return report


def _explain(step: str, error: str, output: str) -> str:
    if step == "start":
        return f"The tests cannot be started: {error}."
    tail = output.strip()[-500:]
    return (
        f"The sandbox could not be set up ({step}): {error}. {tail}\n"
        "`bonafix doctor` shows what this machine can do."
    ).strip()

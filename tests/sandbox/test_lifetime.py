"""Whatever a program does to live on, it is dead within a second of its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bonafix.sandbox.cell import Cell, run, start

from .conftest import PYTHON, python

# Where a process namespace is lacking, a sweep must do what the kernel would.
ENDINGS = ["all", "no-process-ids", "landlock-alone"]

# Children that ignore SIGTERM, have sessions of their own and are nobody's children
# any more; each holds the pipe open, so its end of file means that all are dead.
ESCAPE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
reader, writer = os.pipe()
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.write(int(sys.argv[1]), b".")
        os.write(writer, b".")
        time.sleep(600)
        os._exit(0)
for _ in range(3):
    os.wait()
    os.read(reader, 1)
"""
STAY = "time.sleep(600)\n"
SOON = 1.0  # seconds


@contextlib.contextmanager
def pipe():
    reader, writer = os.pipe()
    ends = [reader, writer]
    try:
        yield ends
    finally:
        for end in ends:
            if end is not None:
                os.close(end)


async def readable(descriptor: int, seconds: float) -> bytes | None:
    """What came within `seconds`; `None` if nothing, b"" at the end of file."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if select.select([descriptor], [], [], 0)[0]:
            return os.read(descriptor, 100)
        await asyncio.sleep(0.01)
    return None


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert listed
    return [int(child) for child in listed]


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def begun(reader: int) -> None:
    """Wait until all three runaways have reported."""
    seen = b""
    while len(seen) < 3:
        part = await readable(reader, 8)
        assert part, "the runaways did not start"
        seen += part


async def all_dead(reader: int, seconds: float = SOON) -> bool:
    return await readable(reader, seconds) == b""


async def launch(cell: Cell, ends, code: str, seconds: float = 60):
    running = await start(
        cell,
        [sys.executable, "-I", "-S", "-c", code, str(ends[1])],
        env={},
        cwd=None,
        pass_fds=[ends[1]],
        seconds=seconds,
    )
    os.close(ends[1])
    ends[1] = None
    return running


@pytest.mark.parametrize("way", ENDINGS)
async def test_daemons_die_with_the_program(world, way):
    """When the program ends by itself, what it left behind ends too."""
    async with world.cell(way) as cell:
        with pipe() as ends:
            running = await launch(cell, ends, ESCAPE)
            await begun(ends[0])
            ended = await running.wait()
            assert await all_dead(ends[0])
    assert ended.code == 0
    assert not ended.timed_out


@pytest.mark.parametrize("way", ENDINGS)
async def test_a_time_out_kills_everything(world, way):
    """At the end of its time all of it is dead within a second."""
    async with world.cell(way) as cell:
        with pipe() as ends:
            running = await launch(cell, ends, ESCAPE + STAY, seconds=1.5)
            await begun(ends[0])
            ended = await running.wait()
            assert await all_dead(ends[0], 0.1)
    assert ended.timed_out
    assert ended.signal == signal.SIGKILL
    assert ended.code is None
    assert ended.seconds < 1.5 + SOON


@pytest.mark.parametrize("way", ENDINGS)
async def test_a_cancel_kills_everything(world, way):
    """A cancelled wait returns only when everything is dead and reaped."""
    async with world.cell(way) as cell:
        with pipe() as ends:
            running = await launch(cell, ends, ESCAPE + STAY)
            await begun(ends[0])
            task = asyncio.create_task(running.wait())
            await asyncio.sleep(0)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - began < SOON
            assert await all_dead(ends[0], 0.1)
            assert not alive(running.pid)


async def test_leaving_the_cell_kills_everything(world):
    """A handle that nobody waited for does not outlive its cell."""
    with pipe() as ends:
        async with world.cell() as cell:
            running = await launch(cell, ends, ESCAPE + STAY)
            await begun(ends[0])
        assert await all_dead(ends[0], 0.1)
        assert running.ended


async def test_a_stopped_launcher_is_killed_all_the_same(world):
    """A launcher that does not obey is killed, and everything with it."""
    async with world.cell() as cell:
        with pipe() as ends:
            running = await launch(cell, ends, ESCAPE + STAY)
            await begun(ends[0])
            for pid in (*children(running.pid), running.pid):
                os.kill(pid, signal.SIGSTOP)
            began = time.monotonic()
            await running.kill()
            assert time.monotonic() - began < SOON
            assert await all_dead(ends[0], 0.5)


OWNER = """
import asyncio, json, sys
from pathlib import Path
given = json.loads(sys.argv[1])
from bonafix.sandbox.cell import Limits, cell, run
from bonafix.sandbox.confinement import capabilities
from bonafix.sandbox.tree import take
from tests.sandbox.conftest import WAYS

async def main():
    base = Path(given["base"])
    snapshot = take(Path(given["root"]), base / "owned" / "lower")
    async with cell(
        snapshot, {}, limits=Limits(), confine="require",
        readable=[Path(path) for path in given["readable"]], hidden=[],
        caps=WAYS[given["way"]](capabilities(base)),
    ) as made:
        await run(
            made, [sys.executable, "-I", "-S", "-c", given["code"], str(given["pipe"])],
            env={}, cwd=None, pass_fds=[given["pipe"]], seconds=60,
        )

asyncio.run(main())
"""


@pytest.mark.parametrize("way", ENDINGS)
async def test_the_death_of_the_owner_kills_everything(world, way):
    """A server that is killed with SIGKILL leaves no process behind."""
    with pipe() as ends:
        given = {
            "base": str(world.base),
            "root": str(world.root),
            "readable": [str(path) for path in PYTHON],
            "way": way,
            "code": ESCAPE + STAY,
            "pipe": ends[1],
        }
        folders = [str(Path(__file__).parents[2]), *sys.path]
        owner = subprocess.Popen(  # noqa: ASYNC220 - an owner of its own to be killed
            [sys.executable, "-c", OWNER, json.dumps(given)],
            pass_fds=[ends[1]],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))},
        )
        try:
            os.close(ends[1])
            ends[1] = None
            await begun(ends[0])
        finally:
            owner.kill()
            owner.wait(5)
        assert await all_dead(ends[0])


async def test_cpu_time_is_counted_even_at_a_time_out(world):
    """What a killed program used is known."""
    async with world.cell() as cell:
        ended = await python(cell, "while True: pass", seconds=1.0)
    assert ended.timed_out
    assert ended.cpu_seconds > 0.1


async def test_a_signal_is_reported(world):
    """A crash is told apart from an exit."""
    async with world.cell() as cell:
        ended = await python(cell, "import os; os.kill(os.getpid(), 11)")
    assert (ended.code, ended.signal) == (None, signal.SIGSEGV)


async def test_one_at_a_time(world):
    """A second program in the same tree is refused while the first one runs."""
    async with world.cell() as cell:
        first = await start(cell, ["/bin/sleep", "9"], env={}, cwd=None, seconds=9)
        with pytest.raises(Exception, match="still running"):
            await run(cell, ["/bin/true"], env={}, cwd=None, seconds=5)
        await first.kill()
        ended = await run(cell, ["/bin/true"], env={}, cwd=None, seconds=5)
    assert ended.code == 0

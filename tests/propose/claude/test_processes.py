"""The worker as a process: it works, and nothing of it outlives its use."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bonafix.errors import ServiceError
from bonafix.propose.claude.process import open_worker
from tests.messages_api import Fault, Turn
from tests.propose.claude.cases import FIXED_LINE, RED, Verdicts, task
from tests.propose.claude.playing import LOOP, QUICK, playing


def _workers() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "bonafix.propose.claude.worker" in process.cmdline():
                found.append(process)
    return found


_PARENT = """
import asyncio, sys
sys.path[:] = sys.argv[1:]
from bonafix.errors import ServiceError
from bonafix.propose.claude.process import open_worker

async def main():
    async with open_worker({}) as worker:
        worker._process.stdin.close()
        try:
            await worker.receive()
        except ServiceError as error:
            print(error)

asyncio.run(main())
"""


class TestProcesses:
    async def test_a_whole_repair(self, tmp_path):
        """Through a real worker process the conversation is the same."""
        with playing(*LOOP, folder=tmp_path) as (api, session):
            session.connect = open_worker
            (candidate,) = await session.candidates()
        assert FIXED_LINE.encode() in candidate.patch.changes[0].after
        assert session.runner.runs == [(RED,)]
        assert _workers() == []
        api.assert_append_only()

    async def test_cancelling_kills_the_worker(self, tmp_path):
        """A cancel in mid-stream leaves no process and no open connection."""
        slow = Turn(blocks=LOOP[0].blocks, fault=Fault(kind="stall", seconds=25))
        with playing(slow, folder=tmp_path) as (api, session):
            session.connect = open_worker
            working = asyncio.create_task(session.candidates())
            assert await asyncio.to_thread(api.asked.wait, 20)
            assert len(_workers()) == 1
            working.cancel()
            with pytest.raises(asyncio.CancelledError):
                await working
            assert _workers() == []

    async def test_closing_the_iterator_ends_the_worker(self, tmp_path):
        """Who stops reading candidates leaves no process behind."""
        with playing(QUICK, folder=tmp_path) as (_, session):
            session.connect = open_worker
            propose = session.proposer()
            stream = propose(
                task(tmp_path), session.runner, Verdicts(), session.events.append
            )
            async with contextlib.aclosing(stream):
                await anext(stream)
                assert len(_workers()) == 1
            assert _workers() == []

    async def test_a_killed_worker_is_an_error(self, tmp_path):
        """A worker that dies is reported, not waited for."""
        slow = Turn(blocks=LOOP[0].blocks, fault=Fault(kind="stall", seconds=25))
        with playing(slow, folder=tmp_path) as (api, session):
            session.connect = open_worker
            working = asyncio.create_task(session.candidates())
            assert await asyncio.to_thread(api.asked.wait, 20)
            os.kill(_workers()[0].pid, signal.SIGKILL)
            with pytest.raises(ServiceError, match="worker for Claude ended"):
                await working

    def test_the_parent_does_not_import_the_sdk(self):
        """Two seconds of importing are paid in the worker, and only there."""
        listing = "import sys, bonafix.propose.claude; print(*sys.modules)"
        command = [sys.executable, "-c", listing]
        done = subprocess.run(command, check=True, capture_output=True, timeout=30)
        assert b"anthropic" not in done.stdout.split()

    def test_the_worker_imports_from_where_its_parent_does(self):
        """Also from folders that no environment variable and no site module names."""
        places = [place for place in sys.path if Path(place).is_absolute()]
        command = [sys.executable, "-I", "-S", "-c", _PARENT, *places]
        done = subprocess.run(
            command, env={}, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stdout == "the worker for Claude ended: exit code 0\n", done.stderr

    async def test_the_worker_ends_with_its_parent(self):
        """When its standard input ends, so does it."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "bonafix.propose.claude.worker"),
            stdin=asyncio.subprocess.PIPE,
        )
        process.stdin.close()
        async with asyncio.timeout(20):
            assert await process.wait() == 0

"""A short command in, what it printed out; it is dead when the answer is there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SHOWN = 200  # characters of an error that are passed on


@dataclass(frozen=True, slots=True)
class Answer:
    """Standard output, or why there is none."""

    text: str = ""
    problem: str = ""


async def ask(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], seconds: float
) -> Answer:
    """Run `argv` for at most `seconds`; its whole process group ends with it."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return Answer(problem=f"it cannot be started: {error.strerror}")
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    except TimeoutError:
        return Answer(problem=f"it gave no answer within {seconds:.0f} s")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if process.returncode:
        said = err.decode(errors="replace").strip().rpartition("\n")[2][:_SHOWN]
        return Answer(problem=f"it ended with exit code {process.returncode}: {said}")
    return Answer(text=out.decode(errors="replace"))

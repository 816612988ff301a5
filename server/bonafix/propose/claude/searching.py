"""A pattern and a bench in, the matching lines out, within a bounded time.

The pattern is the model's, and Python's own engine may need longer for it than the
universe lasts: it runs in a process of its own, which is ended when the time is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from bonafix.propose.claude import matching
from bonafix.propose.claude.workbench import Bench, BenchError, clean, lies_below

SECONDS = 3.0
"""Wall time of one search, its process's start included."""
_PATTERN = 1_000
# What an interpreter may need to find its libraries; nothing else is handed on.
_NEEDED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class Search:
    """Files to be searched, by path, and for what."""

    pattern: str
    files: Mapping[str, str]


def wanted(bench: Bench, pattern: str, below: str = "") -> Search:
    """What is to be searched for the pattern.

    Raises:
        BenchError: it is no pattern, or there is nothing to search in.
    """
    if len(pattern) > _PATTERN:
        raise BenchError(f"The pattern is longer than {_PATTERN} characters.")
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise BenchError(f"The pattern is no regular expression: {error}.") from error
    prefix = clean(below)
    files = {
        path: text
        for path, text in sorted(bench.files.items())
        if lies_below(path, prefix)
    }
    if not files:
        raise BenchError(f"There is no file or folder {prefix} to search in.")
    return Search(pattern, files)


async def searched(search: Search, seconds: float = SECONDS) -> str:
    """Lines that match, as `path:line: text`; what it came to, in words.

    Raises:
        BenchError: the time was up; the message is for the model.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", matching.__file__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _NEEDED if name in os.environ},
        cwd="/",
    )
    request = {"pattern": search.pattern, "files": dict(search.files)}
    found: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            await _exchange(process, json.dumps(request).encode(), found)
    except TimeoutError:
        raise BenchError(_late(found, seconds)) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode:
        raise BenchError("The search failed. Use a simpler pattern.")
    return _told(found)


async def _exchange(
    process: asyncio.subprocess.Process, request: bytes, found: list[str]
) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(request)
        await process.stdin.drain()
    process.stdin.close()
    while line := await process.stdout.readline():
        found.append(str(json.loads(line)))
    await process.wait()


def _told(found: list[str]) -> str:
    if len(found) > matching.HITS:
        more = f"[more than {matching.HITS} matches]"
        return "\n".join([*found[: matching.HITS], more])
    return "\n".join(found) if found else "No line matches."


def _late(found: list[str], seconds: float) -> str:
    advice = (
        f"The search was stopped after {seconds:.0f} s: the pattern backtracks too "
        "much. Use a simpler one, without repetitions inside repetitions such as "
        "(a+)+, or search in a single file."
    )
    so_far = "\n".join(found[: matching.HITS])
    return f"{advice}\nFound until then:\n{so_far}" if so_far else advice

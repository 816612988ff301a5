"""A small project as a task, and a runner that runs its tests in real processes."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bonafix.domain import (
    Layout,
    Listener,
    Outcome,
    Snapshot,
    SuiteRun,
    Suspect,
    Task,
    TestResult,
    silent,
)

PRODUCT, TESTS = "shop.py", "test_shop.py"
STARTING = 1.0  # seconds that an interpreter may take on a busy machine

# Runs the named test functions of test_shop.py; one JSON object on the last line.
_SCRIPT = """
import json, sys, traceback
sys.path.insert(0, ".")
import test_shop
found = {}
for name in sys.argv[2:]:
    try:
        getattr(test_shop, name)()
        found[name] = "passed"
    except Exception:
        found[name] = "failed"
        if sys.argv[1] == "stop":
            break
print(json.dumps(found))
"""


@dataclass
class Runner:
    """Lays the files out, starts Python, counts what it started."""

    sources: Mapping[str, bytes]
    live: set[int] = field(default_factory=set)
    most: int = 0  # processes at the same time
    hung: int = 0  # runs that were killed at their limit
    started: asyncio.Event = field(default_factory=asyncio.Event)
    runs: list[tuple[str, ...]] = field(default_factory=list)
    limits: list[float | None] = field(default_factory=list)  # of a test, by run

    async def __call__(
        self,
        files: Mapping[str, bytes | None],
        *,
        select: Sequence[str] | None = None,
        expression: str = "",
        record_lines: bool = False,
        stop_at_first: bool = False,
        seconds: float | None = None,
        per_test: float | None = None,
        listen: Listener = silent,
    ) -> SuiteRun:
        del expression, record_lines, listen, seconds
        ids = tuple(select or ())
        self.runs.append(ids)
        self.limits.append(per_test)
        names = [node.rpartition("::")[2] for node in ids]
        with tempfile.TemporaryDirectory() as folder:
            for path, data in {**self.sources, **files}.items():
                (Path(folder) / path).write_bytes(data or b"")
            stop = "stop" if stop_at_first else "all"
            limit = STARTING + (per_test or 10.0)
            out = await self._start(folder, [stop, *names], limit)
        return _as_run(ids, out)

    async def _start(self, folder: str, words: list[str], limit: float) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _SCRIPT, *words),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self.live.add(process.pid)
        self.started.set()
        self.most = max(self.most, len(self.live))
        try:
            return (await asyncio.wait_for(process.communicate(), limit))[0]
        except TimeoutError:
            self.hung += 1
            return b"hung"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            self.live.discard(process.pid)


def _as_run(ids: tuple[str, ...], out: bytes) -> SuiteRun:
    if out == b"hung":
        results = {ids[0]: TestResult(id=ids[0], outcome=Outcome.HUNG)}
        return SuiteRun(results=results, collected=ids, timed_out=True)
    found = json.loads(out.splitlines()[-1]) if out.strip() else {}
    results = {
        f"{TESTS}::{name}": TestResult(id=f"{TESTS}::{name}", outcome=Outcome(outcome))
        for name, outcome in found.items()
    }
    return SuiteRun(results=results, collected=ids)


def task(
    product: str,
    tests: str,
    *,
    red: Sequence[str],
    lines: Sequence[int],
    green: Sequence[str] = (),
    seconds: float = 20.0,
    **failure: str,
) -> Task:
    """A task whose suspicious lines are equally suspicious."""
    sources = {PRODUCT: product.encode(), TESTS: tests.encode()}
    bad = [_result(name, Outcome.FAILED, **failure) for name in red]
    good = [_result(name, Outcome.PASSED) for name in green]
    results = {result.id: result for result in (*bad, *good)}
    covered = {PRODUCT: frozenset(lines)}
    return Task(
        snapshot=Snapshot(
            root=Path("root"),
            lower=Path("lower"),
            files=frozenset(sources),
            sources=sources,
            digest="",
        ),
        layout=Layout(package_roots=("",), tests=frozenset({TESTS})),
        targets=tuple(bad),
        suspects=tuple(Suspect(path=PRODUCT, line=n, score=1.0) for n in lines),
        baseline=SuiteRun(
            results=results,
            collected=tuple(results),
            lines={result.id: covered for result in (*bad, *good)},
        ),
        seconds=seconds,
    )


def _result(name: str, outcome: Outcome, **failure: str) -> TestResult:
    return TestResult(
        id=f"{TESTS}::{name}",
        outcome=outcome,
        exception=failure.get("exception", "AssertionError"),
        message=failure.get("message", ""),
        expected=failure.get("expected"),
        actual=failure.get("actual"),
    )

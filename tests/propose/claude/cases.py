"""A small failing project, its task, and a runner that really runs pytest."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import os
import sys
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from bonafix.domain import (
    Feedback,
    Frame,
    Layout,
    Outcome,
    Place,
    Snapshot,
    SuiteRun,
    Suspect,
    Task,
    TestResult,
)
from bonafix.propose.claude import protocol
from bonafix.propose.claude.worker import work

BUGGY = """\
def mean(values):
    \"\"\"The arithmetic mean; 0.0 for no values.\"\"\"
    if not values:
        return 0.0
    return sum(values) / (len(values) + 1)
"""
FIXED_LINE = "    return sum(values) / len(values)\n"
BUGGY_LINE = "    return sum(values) / (len(values) + 1)\n"
TESTS = """\
from stats.means import mean


def test_mean_of_two():
    assert mean([2, 4]) == 3


def test_mean_of_none():
    assert mean([]) == 0.0
"""
SOURCES: Mapping[str, bytes] = {
    "stats/__init__.py": b"",
    "stats/means.py": BUGGY.encode(),
    "tests/test_means.py": TESTS.encode(),
    "README.md": b"# stats\n",
}
RED = "tests/test_means.py::test_mean_of_two"
GREEN = "tests/test_means.py::test_mean_of_none"


def failure(node: str = RED, **changes: object) -> TestResult:
    fields: dict[str, object] = {
        "id": node,
        "outcome": Outcome.FAILED,
        "exception": "AssertionError",
        "message": "assert 2.0 == 3",
        "expected": "3",
        "actual": "2.0",
        "place": Place("tests/test_means.py", 5),
        "definition": Place("tests/test_means.py", 4),
        "frames": (
            Frame(
                path="tests/test_means.py",
                line=5,
                function="test_mean_of_two",
                code="assert mean([2, 4]) == 3",
                own=True,
            ),
        ),
        "longrepr": "E   assert 2.0 == 3",
    }
    return TestResult(**{**fields, **changes})


def task(
    root: Path,
    sources: Mapping[str, bytes] = SOURCES,
    *,
    seconds: float = 60.0,
    new_files: bool = False,
    target: TestResult | None = None,
) -> Task:
    digest = hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()
    red = target or failure()
    green = TestResult(id=GREEN, outcome=Outcome.PASSED)
    return Task(
        snapshot=Snapshot(
            root=root,
            lower=root,
            files=frozenset(sources),
            sources=sources,
            digest=digest,
        ),
        layout=Layout(
            package_roots=("stats",),
            tests=frozenset({"tests/test_means.py"}),
            collected=frozenset({"tests/test_means.py"}),
            new_files=new_files,
        ),
        targets=(red,),
        suspects=(Suspect(path="stats/means.py", line=5, score=0.71, function="mean"),),
        baseline=SuiteRun(results={RED: red, GREEN: green}, collected=(RED, GREEN)),
        seconds=seconds,
    )


class NearWorker:
    """The worker's own code without its process: many tests in little time."""

    def __init__(self) -> None:
        self.working: asyncio.Task[None]
        self._to: asyncio.Queue[bytes] = asyncio.Queue()
        self._from: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(self, record: protocol.ToWorker) -> None:
        await self._to.put(protocol.dump(record))

    async def receive(self) -> protocol.FromWorker:
        getting = asyncio.ensure_future(self._from.get())
        await asyncio.wait((getting, self.working), return_when="FIRST_COMPLETED")
        if not getting.done():
            self.working.result()
        return protocol.load(await getting)

    def parent(self) -> NearParent:
        return NearParent(self._to, self._from)


class NearParent:
    """The worker's view of the same queues."""

    def __init__(self, inbox: asyncio.Queue, outbox: asyncio.Queue) -> None:
        self._inbox, self._outbox = inbox, outbox

    async def receive(self) -> protocol.ToWorker:
        return protocol.load(await self._inbox.get())

    def send(self, record: protocol.FromWorker) -> None:
        self._outbox.put_nowait(protocol.dump(record))


@contextlib.asynccontextmanager
async def near_worker(_environment: Mapping[str, str]) -> AsyncIterator[NearWorker]:
    near = NearWorker()
    near.working = asyncio.create_task(work(near.parent()))
    try:
        yield near
    finally:
        near.working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await near.working


class PytestRunner:
    """Writes the sources and the overlay to a fresh folder and runs pytest there."""

    def __init__(self, folder: Path, sources: Mapping[str, bytes] = SOURCES) -> None:
        self._folder = folder
        self._sources = sources
        self._numbers = itertools.count()
        self.runs: list[tuple[str, ...]] = []
        self.limits: list[float | None] = []  # seconds of each run

    async def __call__(
        self,
        files: Mapping[str, bytes | None],
        *,
        select: Sequence[str] | None = None,
        seconds: float | None = None,
        **_options: object,
    ) -> SuiteRun:
        self.runs.append(tuple(select or ()))
        self.limits.append(seconds)
        copy = self._folder / f"copy{next(self._numbers)}"
        for path, content in {**self._sources, **files}.items():
            if content is not None:
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                (copy / path).write_bytes(content)
        report = copy / "junit.xml"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pytest", "-q", f"--junitxml={report}"),
            *("-p", "no:cacheprovider", "--rootdir=.", "-c", "/dev/null"),
            *(select or ()),
            cwd=copy,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), seconds)
        except TimeoutError:
            process.kill()
            await process.wait()
            return SuiteRun(results={}, collected=(), timed_out=True)
        results = dict(_results(report))
        return SuiteRun(
            results=results, collected=tuple(results), output=output.decode()
        )


def _results(report: Path):
    for case in ET.parse(report).iter("testcase"):
        path = case.get("classname").replace(".", "/") + ".py"
        node = f"{path}::{case.get('name')}"
        failed = case.find("failure")
        outcome = Outcome.PASSED if failed is None else Outcome.FAILED
        text = "" if failed is None else failed.text
        yield node, TestResult(id=node, outcome=outcome, longrepr=text)


class Verdicts:
    """A gate that answers with the given feedback, one after another."""

    def __init__(self, *answers: Feedback | None) -> None:
        self._answers = iter(answers)

    def __call__(self) -> Feedback | None:
        return next(self._answers, None)

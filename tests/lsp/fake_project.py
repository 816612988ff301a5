"""A language server over a project that is not real, for tests of the protocol.

Every `def test_...` of `test_calc.py` fails while `calc.py` says `a - b`, and a fix
says `a + b`. What else a test does follows from its name: see `FakeProject.fix`.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bonafix import diffs
from bonafix.config import Config
from bonafix.domain import (
    Candidate,
    Change,
    Event,
    Evidence,
    Frame,
    Judgement,
    Outcome,
    Patch,
    Place,
    Repair,
    Snapshot,
    SuiteRun,
    Suspect,
    TargetChange,
    TestResult,
    Verdict,
)
from bonafix.errors import CollectionFailedError, ServiceError, UsageError
from bonafix.lsp import transport
from bonafix.lsp.client import Timing
from bonafix.lsp.server import make_server
from bonafix.lsp.session import Server
from bonafix.project import Observation

TESTS, PRODUCT = "test_calc.py", "calc.py"
TIMING = Timing(settle=0.05, publish=0.05, report=0.01, reply=3, question=3, landing=2)


@dataclass(frozen=True)
class FakeProject:
    root: Path
    config: Config

    def contents(self, path: str, buffers: Mapping[str, bytes] | None) -> bytes:
        laid_over = (buffers or {}).get(path)
        return (self.root / path).read_bytes() if laid_over is None else laid_over

    async def observe(
        self,
        *,
        buffers=None,
        select=None,
        expression="",
        broken=False,
        listen,
        show=None,
    ):
        del broken, show
        tests = self.contents(TESTS, buffers)
        product = self.contents(PRODUCT, buffers)
        if b"COLLECT" in tests:
            raise CollectionFailedError("nothing could be collected")
        with (self.root / "runs.log").open("a") as log:
            named = f"-k {expression}" if expression else "all"
            log.write(f"{named if select is None else ' '.join(select)}\n")
        listen(Event(kind="stage", text="suite"))
        await self.sleep("slow_run", product)
        await self.pause(b"# paused" in product)
        everything = {r.id: r for r in parse(tests.decode(), product.decode())}
        if unknown := set(select or ()) - everything.keys():
            raise UsageError(f"no test has the id {unknown.pop()}")
        results = {i: everything[i] for i in everything if not select or i in select}
        for number, test in enumerate(results, 1):
            listen(Event(kind="test", text=test, done=number, total=len(results)))
        run = SuiteRun(
            results=results,
            collected=tuple(results),
            lines={i: ran(r) for i, r in results.items()},
            seconds=60 if b"# takes long" in tests else 0,
        )
        shown = {TESTS: tests, PRODUCT: product}
        snapshot = Snapshot(
            root=self.root,
            lower=self.root,
            files=frozenset(shown),
            sources=shown,
            digest="",
        )
        suspect = Suspect(path=PRODUCT, line=2, score=0.87, why="only red tests run it")
        return Observation(
            snapshot=snapshot,
            run=run,
            groups=(tuple(results.values()),) if b"# one cause" in tests else (),
            suspects=dict.fromkeys(run.red, (suspect,)),
            shown=shown,
        )

    async def glance(self, tests, *, buffers=None, listen, show):
        """Nothing is kept here."""

    async def keep(self, listen):
        """Nothing is kept here."""

    async def fix(self, *, tests=(), buffers=None, listen) -> AsyncIterator[Repair]:
        product = self.contents(PRODUCT, buffers)
        test = tests[0]
        everything = parse(self.contents(TESTS, buffers).decode(), product.decode())
        targets = tuple(r for r in everything if r.id in tests)
        listen(Event(kind="thinking", text=f"thinking: {self.config.thinking}\n"))
        listen(Event(kind="stage", text="target"))
        await self.sleep("slow", test.encode())
        await self.pause("paused" in test)
        if "crash" in test:
            raise RuntimeError("a bug in a worker")
        if "service" in test:
            raise ServiceError("no credit left")
        if "nofix" in test:
            yield Repair(
                targets=targets,
                verdict=Verdict.GAVE_UP,
                engine="search",
                reason="no candidate made it pass",
            )
            return
        best = judged(targets, product, b"a + b", plausible="plausible" in test)
        if "newfile" in test:
            best = adding(best)
        other = judged(targets, product, b"b + a", plausible=True)
        yield Repair(
            targets=targets,
            verdict=best.verdict,
            engine="search",
            best=best,
            alternatives=(other,),
            tried=2,
            receipt="/state/receipt.json",
        )

    async def check(self, patch, *, tests=(), buffers=None, listen):
        """Anything holds but where the product says otherwise."""
        with (self.root / "checks.log").open("a") as log:
            log.write(f"{' '.join(tests)}\n")
        parsed = diffs.parse(patch, lambda path: self.contents(path, buffers))
        product = self.contents(PRODUCT, buffers)
        everything = parse(self.contents(TESTS, buffers).decode(), product.decode())
        targets = [r for r in everything if r.id in tests]
        listen(Event(kind="stage", text="target"))
        judgement = judged(targets, product, b"a + b", plausible=False)
        candidate = Candidate(patch=parsed, author="outside")
        ruling = Verdict.UNFIXED if b"hopeless" in product else Verdict.VERIFIED
        return (
            replace(judgement, candidate=candidate, verdict=ruling),
            None,
            "/state/receipt.json",
        )

    async def sleep(self, word: str, where: bytes) -> None:
        """Where asked for, a process that is killed and reaped when cancelled."""
        if word.encode() not in where:
            return
        process = await asyncio.create_subprocess_exec("sleep", "30")
        (self.root / "sleep.pid").write_text(str(process.pid))
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def pause(self, wanted: object) -> None:
        """Where asked for, until a file says go."""
        if wanted:
            (self.root / "paused").touch()
            async with asyncio.timeout(20):
                while not (self.root / "go").exists():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)


def parse(tests: str, product: str) -> Sequence[TestResult]:
    lines = tests.replace("\r\n", "\n").split("\n")
    return [
        result(match[1], number, wrong="a - b" in product)
        for number, line in enumerate(lines, 1)
        if (match := re.match(r"def (test_\w+)", line))
    ]


def ran(result: TestResult) -> dict[str, frozenset[int]]:
    """A test runs its own two lines and those of the function that it calls."""
    own = result.definition.line
    lines = {TESTS: frozenset({own, own + 1})}
    return lines if "alone" in result.id else {**lines, PRODUCT: frozenset({2})}


def result(name: str, number: int, *, wrong: bool) -> TestResult:
    node_id = f"{TESTS}::{name}" + ("[1-2]" if "param" in name else "")
    if not wrong:
        definition = Place(TESTS, number)
        return TestResult(id=node_id, outcome=Outcome.PASSED, definition=definition)
    place = None if "placeless" in name else Place(TESTS, number + 1)
    frames = (
        Frame(TESTS, number + 1, name, "assert add(1, 2) == 3", own=True),
        Frame(PRODUCT, 2, "add", "return a - b", own=True),
    )
    return TestResult(
        id=node_id,
        outcome=Outcome.FAILED,
        exception="builtins.AssertionError",
        message="assert -1 == 3\nmore",
        expected="3",
        actual="-1",
        place=place,
        definition=Place(TESTS, number),
        frames=frames,
    )


def judged(
    targets: Sequence[TestResult], product: bytes, new: bytes, *, plausible: bool
) -> Judgement:
    change = Change(PRODUCT, product, product.replace(b"a - b", new))
    facts = {"unchanged": 1927}
    green = (
        TargetChange(id=t.id, before=t.outcome, after=Outcome.PASSED) for t in targets
    )
    return Judgement(
        candidate=Candidate(patch=Patch((change,)), author="search", title="swap"),
        verdict=Verdict.PLAUSIBLE if plausible else Verdict.VERIFIED,
        evidence=(Evidence(stage="suite", result="pass", summary="ok", facts=facts),),
        targets=tuple(green),
        missing=("no probe",) if plausible else (),
    )


def adding(judgement: Judgement) -> Judgement:
    """The same with a file that was not there before."""
    candidate = judgement.candidate
    new = Change("extra/more.py", None, "# é 😀\nX = 1\n".encode())
    patch = Patch((*candidate.patch.changes, new))
    return replace(judgement, candidate=replace(candidate, patch=patch))


def fake_server(*, trust: bool) -> Server:
    return make_server(
        FakeProject,
        examine=examine,
        claude=lambda _config: "ANTHROPIC_API_KEY" in os.environ,
        trust=trust,
        timing=TIMING,
    )


async def examine(root: Path, config: Config) -> str:
    return f"all is well in {root} with {config.engine}"


async def main(arguments: list[str]) -> int:
    server = fake_server(trust="--trust" in arguments)
    if "--tcp" in arguments:
        return await transport.tcp(server, "127.0.0.1", 0)
    if "--chatty" in arguments:
        asyncio.get_running_loop().call_later(0.05, print, "a stray line")
        asyncio.get_running_loop().call_later(0.05, sys.stdout.flush)
    return await transport.stdio(server)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))

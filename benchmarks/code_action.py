"""How long a code action takes to be answered, with 1,000 failing tests shown.

Run from the repository's root: python -m benchmarks.code_action
Prints, for each row, how many times it was asked, milliseconds until the answer had
arrived, and beside them those of a question that needs no work, asked in turn with it:
what the connection and the machine cost. The goal is 5 ms at the 99th percentile, on an
idle machine. The server is a process of its own; of one row its CPU time is told, too.
What this client takes to read an answer is not counted.
"""

from __future__ import annotations

import asyncio
import math
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.lsp.editor import Editor

TESTS = 1_000
REQUESTS = 500
FEW = 100  # of what is half a megabyte each
PRODUCT = "def add(a, b):\n    return a - b\n" + "# filler\n" * 5_000
SUITE = "test_calc.py"
PUBLISHED = "textDocument/publishDiagnostics"

Ask = Callable[[], Awaitable[object]]


def suite() -> str:
    body = "    assert add(1, 2) == 3\n\n\n"
    return "".join(f"def test_{n}():\n{body}" for n in range(TESTS))


@dataclass(slots=True)
class Row:
    """Times in milliseconds, its own and those of no work."""

    own: list[float] = field(default_factory=list)
    nothing: list[float] = field(default_factory=list)
    cpu: float = 0.0  # of the server, for each of its own and one of no work

    def __str__(self) -> str:
        return (
            f"n {len(self.own):3}  median {statistics.median(self.own):6.2f}"
            f"  p99 {high(self.own):6.2f}  max {max(self.own):6.2f}"
            f"  (no work: {statistics.median(self.nothing):.2f},"
            f" 99 % {high(self.nothing):.2f}; server's CPU {self.cpu:.1f})"
        )


def high(times: list[float]) -> float:
    return sorted(times)[math.ceil(0.99 * len(times)) - 1]


@dataclass(frozen=True, slots=True)
class Bench:
    """An editor at a server that shows 1,000 failures."""

    editor: Editor

    async def row(self, name: str, ask: Ask, times: int = REQUESTS) -> None:
        """Ask so many times, each followed by a question without work."""
        row, server = Row(), psutil.Process(self.editor.process.pid)
        before = sum(server.cpu_times()[:2])
        for _ in range(times):
            row.own.append(await self.timed(ask))
            row.nothing.append(await self.timed(self.nothing))
        row.cpu = 1000 * (sum(server.cpu_times()[:2]) - before) / times
        print(f"{name + ':':22}{row}", flush=True)

    async def timed(self, ask: Ask) -> float:
        """Milliseconds until the last answer had arrived, before it is read."""
        begun = time.perf_counter()
        await ask()
        return 1000 * (self.editor.arrived - begun)

    async def nothing(self) -> None:
        assert await self.editor.actions("missing.py", 0) == []

    async def one(self) -> None:
        """On the middle test's line, wherever that is by now."""
        above = self.editor.text(SUITE).index(f"def test_{TESTS // 2}(")
        line = self.editor.text(SUITE).count("\n", 0, above) + 1
        assert await self.editor.actions(SUITE, line)

    async def lenses(self) -> None:
        params = {"textDocument": {"uri": self.editor.uri(SUITE)}}
        assert await self.editor.request("textDocument/codeLens", params)

    def every(self, named: list[dict]) -> Ask:
        """On everything, as a client asks that names these diagnostics."""
        params = {
            "textDocument": {"uri": self.editor.uri(SUITE)},
            "range": {
                "start": {"line": 0, "character": 0},
                "end": {"line": 10**6, "character": 0},
            },
            "context": {"diagnostics": named},
        }

        async def ask() -> None:
            assert await self.editor.request("textDocument/codeAction", params)

        return ask

    def typing(self, path: str, text: str, ask: Ask) -> Ask:
        """With `text` typed at a file's end before it is asked."""

        async def change() -> None:
            await self.editor.change(path, self.editor.text(path) + text)
            await ask()

        return change

    def above(self, ask: Ask) -> Ask:
        """With a line put above all tests before it is asked."""

        async def change() -> None:
            await self.editor.change(SUITE, "#\n" + self.editor.text(SUITE))
            await ask()

        return change


async def measure(root: Path) -> None:
    editor = await Editor(root).start("--trust")
    await editor.initialize()
    shown = await editor.diagnostics(SUITE)
    editor.unread = (PUBLISHED,)
    await editor.open(SUITE)
    await editor.open("calc.py")
    bench = Bench(editor)
    await bench.row("no work", bench.nothing)
    await bench.row("one line", bench.one)
    await bench.row("all lenses", bench.lenses, FEW)
    await bench.row("all 1,000", bench.every([]), FEW)
    await bench.row("all 1,000, named", bench.every(shown), FEW)
    await editor.command("fix", {"test": f"{SUITE}::test_{TESTS // 2}"})
    await editor.shown("is ready")
    await bench.row("ready fix", bench.one)
    await bench.row("while typing", bench.typing("calc.py", "#", bench.one))
    await bench.row("typing above tests", bench.above(bench.one))
    await bench.row("lenses after typing", bench.above(bench.lenses), FEW)
    await editor.stop()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        root.mkdir()
        (root / "calc.py").write_text(PRODUCT)
        (root / SUITE).write_text(suite())
        os.environ["BONAFIX_STATE_DIR"] = str(Path(folder) / "state")
        os.environ["BONAFIX_CONFIG"] = str(Path(folder) / "config.toml")
        asyncio.run(measure(root))


if __name__ == "__main__":
    main()

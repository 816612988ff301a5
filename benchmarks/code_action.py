"""How long a code action takes to be answered, with 1,000 failing tests shown.

Run from the repository's root: python -m benchmarks.code_action
Prints milliseconds for a question that needs no work (what the connection and the
machine cost), for a line without a fix, for its lenses, for a line whose fix is ready,
while the text changes before every request, and for a request on every failure. The
goal is 5 ms at the 99th percentile for one line, on an idle machine.
"""

from __future__ import annotations

import asyncio
import math
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.lsp.editor import Editor
from tests.lsp.fake_project import fake_server

TESTS = 1_000
REQUESTS = 500
PRODUCT = "def add(a, b):\n    return a - b\n" + "# filler\n" * 5_000


def suite() -> str:
    body = "    assert add(1, 2) == 3\n\n\n"
    return "".join(f"def test_{n}():\n{body}" for n in range(TESTS))


async def timed(ask: Callable[[], Awaitable[object]], times: int = REQUESTS) -> str:
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        await ask()
        spent.append(1000 * (time.perf_counter() - begun))
    spent.sort()
    high = spent[math.ceil(0.99 * len(spent)) - 1]
    return (
        f"median {statistics.median(spent):7.2f}  p99 {high:7.2f}  max {spent[-1]:7.2f}"
    )


async def measure(root: Path) -> None:
    editor = Editor(root).join(fake_server(trust=True))
    await editor.initialize()
    await editor.diagnostics("test_calc.py")
    await editor.open("test_calc.py")
    await editor.open("calc.py")
    line = 4 * (TESTS // 2) + 1

    async def one() -> None:
        assert await editor.actions("test_calc.py", line)

    async def nothing() -> None:
        assert await editor.actions("missing.py", 0) == []

    async def lenses() -> None:
        params = {"textDocument": {"uri": editor.uri("test_calc.py")}}
        assert await editor.request("textDocument/codeLens", params)

    async def every() -> None:
        span = {
            "start": {"line": 0, "character": 0},
            "end": {"line": 10**6, "character": 0},
        }
        params = {
            "textDocument": {"uri": editor.uri("test_calc.py")},
            "range": span,
            "context": {"diagnostics": []},
        }
        answer = await editor.request("textDocument/codeAction", params)
        assert len(answer) >= TESTS

    async def typing() -> None:
        await editor.change("calc.py", editor.text("calc.py") + "#")
        await one()

    print("no work:       ", await timed(nothing))
    print("one line:      ", await timed(one))
    print("all lenses:    ", await timed(lenses, 10))
    print("all 1,000:     ", await timed(every, 10))
    await editor.command("fix", {"test": f"test_calc.py::test_{TESTS // 2}"})
    await editor.shown("is ready")
    print("ready fix:     ", await timed(one))
    print("while typing:  ", await timed(typing, 50))
    await editor.stop()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        root.mkdir()
        (root / "calc.py").write_text(PRODUCT)
        (root / "test_calc.py").write_text(suite())
        os.environ["BONAFIX_STATE_DIR"] = str(Path(folder) / "state")
        os.environ["BONAFIX_CONFIG"] = str(Path(folder) / "config.toml")
        asyncio.run(measure(root))


if __name__ == "__main__":
    main()

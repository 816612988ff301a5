"""Edits, saves, fixes and cancels in random order against one server: what is left?

Run from the repository's root: python -m benchmarks.soak [STEPS [SEED]]
Bounded by its number of steps. The project and its fixes are not real, the protocol and
the processes are. Exit code 1 if anything leaked or the two sides disagree on a text.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.lsp.editor import Editor, RefusedError
from tests.lsp.fake_project import fake_server

STEPS = 500
PRODUCT, TESTS = "calc.py", "test_calc.py"
CALC = "def add(a, b):\n    return a - b\n"
NAMES = ("test_add", "test_param", "test_slow", "test_nofix", "test_plausible")
SUITE = "".join(f"def {name}():\n    assert add(1, 2) == 3\n\n\n" for name in NAMES)
PIECES = ("", "# 😀\n", "# e\u0301e\n", "\n", "x = 1\n", "# a - b\n")
SLACK = 1_500_000  # bytes that a server may hold more after many steps
WARM = 0.4  # of the steps pass before memory is looked at for the first time


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was left behind, and how quick the answers were (milliseconds)."""

    steps: int
    unequal: int  # times that the server's text was not the editor's
    processes: int
    files: int
    tasks: int
    grown: int  # bytes
    idle: float
    busy: float
    nothing: float  # a request without any work, in the same run

    @property
    def clean(self) -> bool:
        """Nothing leaked, and both sides always had the same texts."""
        left = (self.unequal, self.processes, self.files, self.tasks)
        return not any(left) and self.grown < SLACK


@dataclass(slots=True)
class Soak:
    """One editor at its server, and what was measured so far."""

    editor: Editor
    dice: random.Random
    jobs: list[str] = field(default_factory=list)
    unequal: int = 0
    times: dict[str, list[float]] = field(default_factory=dict)

    # ------------------------------------------------------------------ what is done

    async def edit(self) -> None:
        path = self.dice.choice((PRODUCT, TESTS))
        text = self.editor.text(path)
        lines = text.splitlines(keepends=True)
        at = self.dice.randrange(len(lines) + 1)
        if len(lines) > 40 or self.dice.random() < 0.2:
            lines = (CALC if path == PRODUCT else SUITE).splitlines(keepends=True)
        else:
            lines.insert(at, self.dice.choice(PIECES))
        await self.editor.change(path, "".join(lines))

    async def save(self) -> None:
        await self.editor.save(self.dice.choice((PRODUCT, TESTS)))

    async def fix(self) -> None:
        test = f"{TESTS}::{self.dice.choice(NAMES)}"
        test += "[1-2]" if "param" in test else ""
        answer = await self.editor.command("fix", {"test": test})
        self.jobs.append(str(answer["job"]))

    async def cancel(self) -> None:
        if self.jobs:
            await self.editor.command("cancel", {"job": self.dice.choice(self.jobs)})

    async def run(self) -> None:
        wish = self.dice.choice(
            ({}, {"uri": self.editor.uri(TESTS)}, {"lastFailed": True})
        )
        await self.editor.command("runTests", wish)

    async def apply(self) -> None:
        for action in await self.editor.actions(TESTS, self.dice.randrange(30)):
            if "edit" in action:
                await self.editor.make(action["edit"])
                await self.editor.command("apply", action["command"]["arguments"][0])
                return

    async def reopen(self) -> None:
        path = self.dice.choice((PRODUCT, TESTS))
        uri = self.editor.uri(path)
        await self.editor.notify(
            "textDocument/didClose", {"textDocument": {"uri": uri}}
        )
        del self.editor.texts[uri]
        await self.editor.open(path)

    async def ask(self) -> None:
        busy = "busy" if self._running() else "idle"
        await self._timed("nothing", lambda: self.editor.actions("missing.py", 0))
        line = self.dice.randrange(30)
        await self._timed(busy, lambda: self.editor.actions(TESTS, line))
        params = {"textDocument": {"uri": self.editor.uri(TESTS)}}
        await self.editor.request("textDocument/codeLens", params)

    # ------------------------------------------------------------------- how it went

    async def step(self) -> None:
        does = self.dice.choices(
            (self.edit, self.save, self.fix, self.cancel, self.run, self.apply,
             self.reopen, self.ask),
            (8, 3, 2, 3, 1, 1, 1, 4),
        )[0]  # fmt: skip
        with contextlib.suppress(RefusedError):  # said in words: nothing failed, no job
            await does()
        await self.editor.actions("missing.py", 0)  # what came before has been handled
        self.unequal += self._unequal()
        del self.editor.notes[:-50]
        await asyncio.sleep(self.dice.choice((0, 0, 0.02)))

    def _running(self) -> bool:
        jobs = self.editor.server.state.jobs.table.values()
        return any(job.running for job in jobs)

    def _unequal(self) -> int:
        held = self.editor.server.state.documents.open.values()
        theirs = {document.uri: document.text for document in held}
        ours = {uri: text for uri, (_, text) in self.editor.texts.items()}
        return ours != theirs

    async def _timed(self, name: str, ask: Callable[[], Awaitable[object]]) -> None:
        begun = time.perf_counter()
        await ask()
        spent = 1000 * (time.perf_counter() - begun)
        self.times.setdefault(name, []).append(spent)

    def median(self, name: str) -> float:
        return statistics.median(self.times.get(name, [0.0]))


async def soak(root: Path, steps: int, seed: int) -> Outcome:
    """Take this many steps in a project under `root`."""
    (root / PRODUCT).write_text(CALC)
    (root / TESTS).write_text(SUITE)
    before = _standing()
    server = fake_server(trust=True)
    editor = Editor(root).join(server)
    editor.server = server
    await editor.initialize()
    for path in (PRODUCT, TESTS):
        await editor.open(path)
    one = Soak(editor, random.Random(seed))
    tracemalloc.start()
    held = 0
    for number in range(steps):
        await one.step()
        if number == int(WARM * steps):
            held = _held()
    await _quiet(server)
    grown = _held() - held
    tracemalloc.stop()
    await editor.leave()
    await editor.stop()
    await asyncio.sleep(0.1)
    processes, files, tasks = (n - m for n, m in zip(_standing(), before, strict=True))
    return Outcome(
        steps=steps,
        unequal=one.unequal,
        processes=processes,
        files=files,
        tasks=tasks,
        grown=grown,
        idle=one.median("idle"),
        busy=one.median("busy"),
        nothing=one.median("nothing"),
    )


async def _quiet(server: object) -> None:
    """Cancel what still runs, and wait, bounded, until it has ended."""
    await server.state.jobs.close(10)


def _standing() -> tuple[int, int, int]:
    """Children, open files and tasks of this process."""
    gc.collect()
    me = psutil.Process()
    return len(me.children(recursive=True)), me.num_fds(), len(asyncio.all_tasks())


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def main(arguments: list[str]) -> int:
    steps = int(arguments[0]) if arguments else STEPS
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # a refusal is an answer
    seed = int(arguments[1]) if len(arguments) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BONAFIX_STATE_DIR"] = str(Path(folder) / "state")
        os.environ["BONAFIX_CONFIG"] = str(Path(folder) / "config.toml")
        root = Path(folder) / "project"
        root.mkdir()
        outcome = asyncio.run(soak(root, steps, seed))
    print(outcome)
    return 0 if outcome.clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

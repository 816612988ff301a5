"""Edits, saves, fixes and cancels in random order against one server: what is left?

Run from the repository's root: python -m benchmarks.soak [--real] [STEPS [SEED]]
Bounded by its number of steps. The protocol and the processes are real; the project and
its fixes are only with `--real`, where steps take longer, so that runs and fixes come
some way before they are cancelled. Exit code 1 if anything leaked or the two sides
disagree on a text.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
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

from bonafix.lsp.server import make_server
from bonafix.lsp.session import Server
from bonafix.lsp.warming import warm
from bonafix.project import Project
from tests.lsp.editor import Editor, RefusedError
from tests.lsp.fake_project import examine, fake_server
from tests.observe.environments import plain

STEPS = 500
PRODUCT, TESTS = "calc.py", "test_calc.py"
CALC = "def add(a, b):\n    return a - b\n"
IMPORT = "from calc import add\n\n\n"  # first, or pytest would find no function
NAMES = ("test_add", "test_param", "test_slow", "test_nofix", "test_plausible")
SUITE = IMPORT + "".join(
    f"def {name}():\n    assert add(1, 2) == 3\n\n\n" for name in NAMES
)
PIECES = ("", "# 😀\n", "# e\u0301e\n", "\n", "x = 1\n", "# a - b\n")
SLACK = 1_500_000  # bytes that a server may hold more after many steps
REAL_SLACK = 30_000_000  # what is imported and remembered once, for real work
PAUSES = (0, 0, 0.02)  # seconds after a step
REAL_PAUSES = (0, 0.05, 0.5)
WARM = 0.4  # of the steps pass before memory is looked at for the first time


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What went wrong or was left, and how quick the answers were (milliseconds)."""

    steps: int
    unequal: int  # times that the server's text was not the editor's
    errors: int  # of the server's own, as its user reads them
    processes: int
    files: int
    tasks: int
    grown: int  # bytes
    idle: float
    busy: float
    nothing: float  # a request without any work, in the same run
    nothing_busy: float  # the same, while jobs run
    slack: int = SLACK

    @property
    def clean(self) -> bool:
        """Nothing leaked or broke, and both sides always had the same texts."""
        left = (self.unequal, self.errors, self.processes, self.files, self.tasks)
        return not any(left) and self.grown < self.slack


@dataclass(slots=True)
class Soak:
    """One editor at its server, and what was measured so far."""

    editor: Editor
    dice: random.Random
    real: bool = False
    jobs: list[str] = field(default_factory=list)
    unequal: int = 0
    errors: int = 0
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
        test += "[1-2]" if "param" in test and not self.real else ""
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
        quiet = "nothing" if busy == "idle" else "nothing, busy"
        await self._timed(quiet, lambda: self.editor.actions("missing.py", 0))
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
        self.errors += sum("internal error" in str(n) for n in self.editor.notes)
        self.editor.notes.clear()
        await asyncio.sleep(self.dice.choice(REAL_PAUSES if self.real else PAUSES))

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


async def soak(root: Path, steps: int, seed: int, *, real: bool = False) -> Outcome:
    """Take this many steps in a project under `root`."""
    (root / PRODUCT).write_text(CALC)
    (root / TESTS).write_text(SUITE)
    before = _standing()
    server = real_server() if real else fake_server(trust=True)
    editor = Editor(root).join(server)
    editor.server = server
    options = {"engine": "search", "interpreter": str(plain())} if real else None
    await editor.initialize(options=options)
    for path in (PRODUCT, TESTS):
        await editor.open(path)
    one = Soak(editor, random.Random(seed), real)
    tracemalloc.start()
    held = 0
    for number in range(steps):
        await one.step()
        if number == int(WARM * steps):
            held = _held()
            one.times.clear()  # what is done once only was done by now
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
        errors=one.errors,
        processes=processes,
        files=files,
        tasks=tasks,
        grown=grown,
        idle=one.median("idle"),
        busy=one.median("busy"),
        nothing=one.median("nothing"),
        nothing_busy=one.median("nothing, busy"),
        slack=REAL_SLACK if real else SLACK,
    )


def real_server() -> Server:
    """As `bonafix lsp` makes it."""
    os.environ.setdefault("BONAFIX_NICE", "10")
    return make_server(
        Project,
        examine=examine,
        claude=lambda _config: False,
        warm=functools.partial(warm, "bonafix.project", "bonafix.propose.search"),
        trust=True,
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
    real = "--real" in arguments
    arguments = [word for word in arguments if word != "--real"]
    steps = int(arguments[0]) if arguments else STEPS
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # a refusal is an answer
    seed = int(arguments[1]) if len(arguments) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BONAFIX_STATE_DIR"] = str(Path(folder) / "state")
        os.environ["BONAFIX_CONFIG"] = str(Path(folder) / "config.toml")
        root = Path(folder) / "project"
        root.mkdir()
        outcome = asyncio.run(soak(root, steps, seed, real=real))
    print(outcome)
    return 0 if outcome.clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

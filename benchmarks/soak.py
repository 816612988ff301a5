"""Edits, saves, fixes and cancels in random order against one server: what is left?

Run from the repository's root: python -m benchmarks.soak [--real] [STEPS [SEED]]
Bounded by its number of steps. The protocol and the processes are real; the project and
its fixes are only with `--real`, where steps take longer, so that runs and fixes come
some way before they are cancelled. Exit code 1 if anything leaked or the two sides
disagree on a text.

What a running job costs an answer is a ratio: a code action's time in the middle of a
fix over its time while nothing runs. Beside it stands the same ratio of a question
without work, asked in turn with it: what the machine and the connection do to both.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import math
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
ASKED = 150  # times, with nothing running and then in a fix
BETWEEN = 0.03  # seconds from one time to the next
MIDDLE = 0.5  # seconds after which a fix is at work
PATIENCE = 120  # seconds for a run
PAUSES = (0, 0, 0.02)  # seconds after a step
REAL_PAUSES = (0, 0.05, 0.5)
WARM = 0.4  # of the steps pass before memory is looked at for the first time


@dataclass(frozen=True, slots=True)
class Times:
    """How long the answers to one question took, in milliseconds."""

    n: int = 0
    median: float = 0.0
    high: float = 0.0  # the 99th percentile

    @classmethod
    def of(cls, every: list[float]) -> Times:
        """Of single ones, in any order."""
        if not every:
            return cls()
        high = sorted(every)[math.ceil(0.99 * len(every)) - 1]
        return cls(len(every), statistics.median(every), high)

    def over(self, other: Times) -> str:
        """As a multiple of another's."""
        if not (self.n and other.n):
            return "not asked"
        median, high = self.median / other.median, self.high / other.high
        return f"median {median:.2f}, 99 % {high:.2f}"

    def __str__(self) -> str:
        return f"n {self.n:3}  median {self.median:6.2f}  p99 {self.high:7.2f} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What went wrong or was left, and how quick the answers were."""

    steps: int
    unequal: int  # times that the server's text was not the editor's
    errors: int  # of the server's own, as its user reads them
    processes: int
    files: int
    tasks: int
    grown: int  # bytes
    idle: Times
    busy: Times
    nothing: Times  # a request without any work, in the same run
    nothing_busy: Times  # the same, in the middle of a fix
    slack: int = SLACK

    @property
    def clean(self) -> bool:
        """Nothing leaked or broke, and both sides always had the same texts."""
        left = (self.unequal, self.errors, self.processes, self.files, self.tasks)
        return not any(left) and self.grown < self.slack

    def __str__(self) -> str:
        left = f"{self.processes} processes, {self.files} files, {self.tasks} tasks"
        wrong = f"{self.unequal} times another text, {self.errors} errors"
        own, beside = self.busy.over(self.idle), self.nothing_busy.over(self.nothing)
        lines = (
            f"{self.steps} steps: {wrong}, left: {left}, {self.grown:,} bytes",
            f"action, idle   {self.idle}",
            f"action, busy   {self.busy}",
            f"no work, idle  {self.nothing}",
            f"no work, busy  {self.nothing_busy}",
            f"busy over idle: action {own}; no work {beside}",
        )
        return "\n".join(lines)


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
        await self.editor.actions(TESTS, self.dice.randrange(30))
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

    async def compare(self) -> None:
        """Ask while nothing runs, then in the middle of a fix."""
        await self.editor.change(PRODUCT, CALC)
        await self.editor.change(TESTS, SUITE)
        await self._ended(await self.editor.command("runTests", {}))
        await self._asked("nothing", "idle", lambda: True)
        test = f"{TESTS}::test_slow"
        answer = await self.editor.command("fix", {"test": test})
        job = self.editor.server.state.jobs.table[answer["job"]]
        await asyncio.sleep(MIDDLE)
        await self._asked("nothing, busy", "busy", lambda: job.running)

    async def _ended(self, answer: dict[str, object]) -> None:
        task = self.editor.server.state.jobs.table[answer["job"]].task
        await asyncio.wait({task}, timeout=PATIENCE)

    async def _asked(self, quiet: str, name: str, going: Callable[[], bool]) -> None:
        """Both questions in turn, over some seconds, for as long as it is so."""
        line = SUITE[: SUITE.index("assert")].count("\n")
        both = [
            (quiet, lambda: self.editor.actions("missing.py", 0)),
            (name, lambda: self.editor.actions(TESTS, line)),
        ]
        for _ in range(ASKED):
            for which, ask in both:
                await self._timed(which, ask)
            both.reverse()  # the first after a pause takes longer
            if not going():
                return
            await asyncio.sleep(BETWEEN)

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

    def taken(self, name: str) -> Times:
        return Times.of(self.times.get(name, []))


async def soak(
    root: Path, steps: int, seed: int, *, real: bool = False, compare: bool = False
) -> Outcome:
    """Take this many steps in a project under `root`; times only to `compare` them."""
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
    await _quiet(server)
    grown = _held() - held
    tracemalloc.stop()
    if compare:
        await one.compare()
        await _quiet(server)
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
        idle=one.taken("idle"),
        busy=one.taken("busy"),
        nothing=one.taken("nothing"),
        nothing_busy=one.taken("nothing, busy"),
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
        outcome = asyncio.run(soak(root, steps, seed, real=real, compare=True))
    print(outcome)
    return 0 if outcome.clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Rows about what surrounds the runs: recording, isolation, and very many tests."""

from __future__ import annotations

import asyncio
import tempfile
from itertools import islice
from pathlib import Path

import psutil
from figures import Figure, Goal
from libraries import mutants, python
from places import KEPT, Meter, Place, place
from synthetic import PRODUCT, TARGET, write

from bonafix.config import Config
from bonafix.domain import Outcome
from bonafix.observe.interpreter import find
from bonafix.observe.run import Bench, confined
from bonafix.observe.warm import warm
from bonafix.sandbox.tree import take

FILES = 5_000  # of the project whose isolation is measured
TESTS, FAILING, CANDIDATES = 10_000, 1_000, 100
PART = 4  # a project of a fourth of the size says whether costs are linear


async def recording(here: Place, count: int) -> list[Figure]:
    """The suite's CPU with lines recorded, over that of a plain run."""
    ratios = []
    for _ in range(count):
        plain = await here.cold({})
        lines = await here.cold({}, record_lines=True)
        ratios.append(lines.cpu_seconds / plain.cpu_seconds)
    figure = Figure(
        row="recording",
        subject=here.name,
        python=here.python,
        what="baseline with lines recorded over a plain run, CPU",
        goal=Goal(value=1.2, least=False),
        values=tuple(ratios),
        note=f"{len(plain.collected)} tests, {plain.cpu_seconds:.1f} s plain",
    )
    return [figure]


async def isolation(count: int) -> list[Figure]:
    """A cell for one more candidate: made and taken away; nothing is run in it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        for n in range(FILES):
            path = root / f"package{n % 50}" / f"module{n}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"N = {n}\n")
        config = Config(interpreter=str(python()))
        interpreter = await find(root, config)
        bench = Bench(take(root, Path(folder) / "lower"), interpreter, config)
        values = []
        for n in range(count):
            meter = Meter()
            async with confined(bench, {"package0/module0.py": b"N = %d\n" % n}):
                pass
            values.append((meter.spent()) * 1e3)
    figure = Figure(
        row="isolation",
        subject=f"{FILES} files",
        what="a cell's folders made and removed, CPU",
        goal=Goal(value=10, unit="ms", least=False),
        values=tuple(values),
        note="without the mount, which the launcher of a run makes",
    )
    return [figure]


async def many(count: int) -> list[Figure]:
    """Very many tests and candidates: what memory does, and what a test costs."""
    candidates = CANDIDATES if count >= CANDIDATES // 2 else 4 * count
    with tempfile.TemporaryDirectory() as folder:
        large = write(Path(folder) / "large", TESTS, FAILING)
        small = write(Path(folder) / "small", TESTS // PART, FAILING // PART)
        costs = []
        for root in (small, large):
            async with place("synthetic", root, "src") as here:
                base = await here.cold({})
                costs.append(base.cpu_seconds / len(base.collected))
                if root == large:
                    held = await _memory(here, candidates)
                    failing = len(base.red)
    subject = {"row": "many", "subject": f"{len(base.collected)} tests"}
    note = ", ".join(f"{size / 2**20:.0f} MB" for size in held)
    return [
        Figure(
            **subject,
            python=here.python,
            what=f"memory after {candidates} candidates over that after half of them",
            goal=Goal(value=1.05, least=False),
            values=(held[2] / held[1],),
            note=f"{failing} fail; before, after half, after all: {note}",
        ),
        Figure(
            **subject,
            python=here.python,
            what=f"CPU of a test over that with a {PART}th of the tests",
            goal=Goal(value=1.2, least=False),
            values=(costs[1] / costs[0],),
            note=f"{costs[1] * 1e3:.2f} ms, cold",
        ),
    ]


async def _memory(here: Place, candidates: int) -> tuple[int, int, int]:
    """Bytes that we and the kept processes hold: after one candidate, half, all."""
    source = here.bench.snapshot.sources[PRODUCT]
    where = here.bench.snapshot, here.bench.interpreter, here.bench.config
    held = []
    async with warm(*where, cells=1, expected={TARGET: Outcome.PASSED}) as run:
        changes = islice(mutants(PRODUCT, source), candidates)
        for n, (_, files) in enumerate(changes):
            await run(files, select=[TARGET], stop_at_first=True)
            if n + 1 in {1, candidates // 2, candidates}:
                held.append(await asyncio.to_thread(_held))
    return held[0], held[1], held[2]


def _held() -> int:
    """Resident bytes of this process and of those that serve runs."""
    me = psutil.Process()
    total = me.memory_info().rss
    for process in me.children(recursive=True):
        try:
            if any(word.endswith(KEPT) for word in process.cmdline()):
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total

"""What checking a patch costs, against a copy of the tree and a new pytest process.

Usage: python benchmarks/bench.py [N=6] [ONLY=reject,recording,isolation]
       [LIBRARIES=marshmallow,click]

Pairs take turns, so that the machine's load falls on both alike. CPU is that of all
processes on either side: the runner's own, the kept process, its forks. `README.md`
beside this file says how each row is measured, and what was.
"""

import asyncio
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import psutil
from libraries import LIBRARIES, Library, mutants, python, tree

from bonafix.config import Config
from bonafix.domain import Event, Outcome, Runner
from bonafix.observe.interpreter import find
from bonafix.observe.run import Bench, confined, make_runner
from bonafix.observe.warm import Tier, warm
from bonafix.sandbox.tree import take

KEPT = "serve.py"  # the script of a process that is kept between runs
MANY = 5000  # files of the project whose isolation is measured


@dataclass(frozen=True)
class Place:
    """A library with its copy and what runs there."""

    library: Library
    bench: Bench
    cold: Runner
    folder: Path

    @property
    def target(self) -> str:
        return f"{self.library.tests}::{self.library.target}"


def used() -> float:
    """CPU seconds: ours, those of all that ended, those of what is kept."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime + kept()


def kept() -> float:
    """CPU seconds of the living processes that serve runs, without their forks."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if any(word.endswith(KEPT) for word in process.cmdline()):
                text = Path(f"/proc/{process.pid}/schedstat").read_text()
                total += int(text.split()[0]) / 1e9
        except (psutil.NoSuchProcess, FileNotFoundError):
            continue
    return total


def peer(place: Place, files: dict[str, bytes]) -> float:
    """CPU seconds of a copy of the tree and a new pytest process."""
    before = used()
    copy = place.folder / "copy"
    subprocess.run(["cp", "-r", place.bench.snapshot.lower, copy], check=True)
    for path, content in files.items():
        (copy / path).write_bytes(content)
    env = os.environ | {"PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [place.bench.interpreter.path, "-m", "pytest", "-q", "-x", place.target]
    subprocess.run(command, cwd=copy, env=env, stdout=subprocess.DEVNULL, check=False)
    shutil.rmtree(copy)
    return used() - before


async def reject(place: Place, tier: Tier, count: int) -> None:
    """Reject mutants on one target: the peer, then a kept process, in turns."""
    before = await place.cold({}, select=[place.target])
    expected = {place.target: before.outcome(place.target)}
    assert expected[place.target] is Outcome.PASSED, before.output
    told: list[Event] = []
    rows = []
    where = place.bench.snapshot, place.bench.interpreter, place.bench.config
    path = place.library.product
    source = place.bench.snapshot.sources[path]
    begun = used()
    async with warm(
        *where, cells=1, expected=expected, listen=told.append, fastest=tier
    ) as run:
        await run({}, select=[place.target])
        start = used() - begun
        for _, files in islice(mutants(path, source), count):
            theirs = await asyncio.to_thread(peer, place, dict(files))
            middle, wall = used(), time.monotonic()
            done = await run(files, select=[place.target], stop_at_first=True)
            # forks are reaped by the kept process: their CPU is in its answer alone
            ours = used() - middle + done.cpu_seconds
            rows.append((theirs, ours, time.monotonic() - wall))
    ratios = [theirs / ours for theirs, ours, _ in rows]
    print(f"{place.library.name}: reject on one target, {tier}")
    show("the peer, CPU ms", [row[0] * 1e3 for row in rows])
    show("ours, CPU ms", [row[1] * 1e3 for row in rows])
    show("times cheaper", ratios, digits=1)
    print(f"  start, CPU s: {start:.1f}; {told[-1].text}")


async def recording(place: Place, count: int) -> None:
    """The suite's CPU with lines recorded, over that of a plain run."""
    ratios = []
    select = [place.target.split("::")[0]]
    for _ in range(count):
        ids = (await place.cold({}, expression="test")).collected
        chosen = [i for i in ids if i.startswith(select[0])]
        plain = await place.cold({}, select=chosen)
        lines = await place.cold({}, select=chosen, record_lines=True)
        ratios.append(lines.cpu_seconds / plain.cpu_seconds)
    print(f"{place.library.name}: lines recorded, one file of tests")
    show("CPU over a plain run", ratios, digits=2)


async def isolation(count: int) -> None:
    """A cell for one more candidate, made and taken away; nothing is run in it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        for n in range(MANY):
            path = root / f"package{n % 50}" / f"module{n}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"N = {n}\n")
        config = Config(interpreter=str(python()))
        interpreter = await find(root, config)
        snapshot = take(root, Path(folder) / "lower")
        bench = Bench(snapshot, interpreter, config)
        rows = []
        for n in range(count):
            begun = used()
            async with confined(bench, {"package0/module0.py": b"N = %d\n" % n}):
                pass
            rows.append((used() - begun) * 1e3)
    print(f"isolation: {MANY} files, without the mount")
    show("CPU ms", rows, digits=1)


def show(name: str, values: Sequence[float], digits: int = 0) -> None:
    low, high = min(values), max(values)
    middle = statistics.median(values)
    print(
        f"  {name:22} {middle:.{digits}f} ({low:.{digits}f} - {high:.{digits}f}), "
        f"n={len(values)}"
    )


async def each(name: str, measure: Callable[[Place], Awaitable[None]]) -> None:
    library = LIBRARIES[name]
    root, config = tree(library), Config(interpreter=str(python()))
    os.environ["PYTHONPATH"] = str(root / "src")  # it is not installed
    interpreter = await find(root, config)
    with tempfile.TemporaryDirectory() as folder:
        snapshot = take(root, Path(folder) / "lower")
        bench = Bench(snapshot, interpreter, config)
        cold = make_runner(snapshot, interpreter, config)
        await measure(Place(library, bench, cold, Path(folder)))


def rows(options: dict[str, str]) -> Iterator[tuple[str, Callable]]:
    count = int(options.get("N") or 6)
    yield "reject", lambda place: reject(place, "swap", count)
    yield "reject", lambda place: reject(place, "warm", count)
    yield "recording", lambda place: recording(place, max(1, count // 3))


def main() -> None:
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    only = (options.get("ONLY") or "reject,recording,isolation").split(",")
    names = (options.get("LIBRARIES") or ",".join(LIBRARIES)).split(",")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for row, measure in rows(options):
        for name in names if row in only else ():
            asyncio.run(each(name, measure))
    if "isolation" in only:
        asyncio.run(isolation(int(options.get("N") or 6)))


if __name__ == "__main__":
    main()

"""What screening one candidate costs, in a fresh process and in a warm one.

Usage: `python benchmarks/warm.py [PAIRS] [FIXTURE...]`. The two take turns over the
same candidates, so that the machine's load falls on both alike. CPU of a cold run is
that of all its processes; of a warm one, that of the fork, and besides it a share of
all that the warm process used from its start to its end.
"""

import asyncio
import resource
import statistics
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

from bonafix.config import Config
from bonafix.domain import Snapshot
from bonafix.observe.interpreter import find
from bonafix.observe.run import make_runner
from bonafix.observe.warm import warm
from bonafix.sandbox.tree import take

FIXTURES = Path(__file__).parents[1] / "fixtures"
Row = tuple[float, float, float, float]  # cold and warm: CPU, then wall; seconds


def children() -> float:
    """CPU seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def candidates(snapshot: Snapshot, count: int) -> Iterator[dict[str, bytes]]:
    """Product files, one changed at a time by what changes nothing."""
    paths = [p for p in sorted(snapshot.sources) if p.endswith(".py")]
    product = [p for p in paths if "test" not in p]
    for n in range(count):
        path = product[n % len(product)]
        yield {path: snapshot.sources[path] + f"\n# {n}\n".encode()}


async def pairs(root: Path, targets: list[str], count: int) -> None:
    config = Config(interpreter=sys.executable)
    interpreter = await find(root, config)
    with tempfile.TemporaryDirectory() as folder:
        snapshot = take(root, Path(folder) / "lower")
        cold_run = make_runner(snapshot, interpreter, config)
        rows, session = [], 0.0
        before = children()
        async with warm(snapshot, interpreter, config, cells=1, listen=print) as run:
            begun = time.monotonic()
            await run({}, select=targets)
            start = time.monotonic() - begun
            for files in candidates(snapshot, count):
                used, begun = children(), time.monotonic()
                cold = await cold_run(files, select=targets)
                spent = children() - used
                session -= spent
                middle = time.monotonic()
                quick = await run(files, select=targets)
                assert {i: cold.outcome(i) for i in targets} == {
                    i: quick.outcome(i) for i in targets
                }
                wall = middle - begun, time.monotonic() - middle
                rows.append((spent, quick.cpu_seconds, *wall))
        session += children() - before
    report(root, rows, start, session)


def report(root: Path, rows: list[Row], start: float, session: float) -> None:
    names = ("cold CPU", "warm CPU", "cold wall", "warm wall")
    print(f"{root.parent.name}: {len(rows)} pairs, ms, median (least - most)")
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        middle, low, high = statistics.median(values), min(values), max(values)
        print(f"  {name:9} {middle * 1e3:6.0f} ({low * 1e3:.0f} - {high * 1e3:.0f})")
    ratio = statistics.median(row[0] / row[1] for row in rows)
    print(f"  CPU ratio, median of pairs: {ratio:.1f}")
    print(f"  first answer after {start:.1f} s; whole warm session {session:.1f} s CPU")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    for name in sys.argv[2:] or ["ledger", "almanac"]:
        facts = tomllib.loads((FIXTURES / name / "fixture.toml").read_text())
        asyncio.run(pairs(FIXTURES / name / "project", facts["targets"], count))


if __name__ == "__main__":
    main()

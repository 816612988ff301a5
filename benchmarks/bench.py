"""What checking a patch costs, against a copy of the tree and a new pytest process.

Usage: python benchmarks/bench.py [N=6] [ROWS=swap,warm,...] [JOURNAL=file.jsonl]
       [LIBRARIES=marshmallow,click,boltons] [PLOT=file.svg]

Pairs take turns, so that the machine's load falls on both alike. CPU is that of all
processes on either side: the runner's own, the kept process, its forks. With a JOURNAL
each row is appended when it is through, and not measured again where it has N values.
`README.md` beside this file says how each row is measured, and what was.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import figures
import plot
import rows_editor
import rows_runs
import rows_upkeep
from figures import Figure
from libraries import LIBRARIES, Library
from places import Place, of

Measured = Coroutine[object, object, list[Figure]]
Measure = Callable[[int], Measured]
FEW = 3  # times fewer of what takes a whole suite


def _in_place(measure: Callable[[Place, int], Measured], library: Library) -> Measure:
    async def run(count: int) -> list[Figure]:
        async with of(library) as here:
            return await measure(here, count)

    return run


def rows(names: list[str], count: int) -> Iterator[tuple[str, str, int, Measure]]:
    """Row, what on, how many values are wanted, and what measures them."""
    few = max(1, count // FEW)
    of_places = (
        ("swap", rows_runs.swap, count),
        ("warm", rows_runs.warmed, count),
        ("suite", rows_runs.suite, count),
        ("batch", rows_runs.batch, max(10, count)),
        ("recording", rows_upkeep.recording, few),
    )
    for row, measure, wanted in of_places:
        for name in names:
            yield row, name, wanted, _in_place(measure, LIBRARIES[name])
    for name in names:

        async def save(n: int, name: str = name) -> list[Figure]:
            return await rows_editor.save(LIBRARIES[name], n)

        yield "save", name, few, save
    yield "isolation", "", count, rows_upkeep.isolation
    yield "many", "", count, rows_upkeep.many
    yield "start", "", count, rows_editor.start
    yield "action", "", 1, rows_editor.action


def main() -> None:
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    count = int(options.get("N") or 6)
    journal = Path(options["JOURNAL"]) if options.get("JOURNAL") else None
    names = (options.get("LIBRARIES") or ",".join(LIBRARIES)).split(",")
    wanted = set(filter(None, (options.get("ROWS") or "").split(",")))
    load = os.getloadavg()[0]
    print(f"load {load:.1f} on {os.cpu_count()} cores", flush=True)
    found = figures.read(journal)
    for row, subject, n, measure in rows(names, count):
        if (not wanted or row in wanted) and not _known(found, row, subject, n):
            found += _measured(row, subject, n, measure, journal)
    chosen = [one for one in found if not wanted or one.row in wanted]
    print(figures.table(chosen))
    if options.get("PLOT"):
        Path(options["PLOT"]).write_text(plot.drawn(chosen), "utf-8")


def _known(found: list[Figure], row: str, subject: str, n: int) -> bool:
    """Whether that row is in the journal, with as many values where it has a median."""
    single = row in {"batch", "many", "action"}
    return any(
        one.row == row
        and (not subject or one.subject == subject)
        and len(one.values) >= (1 if single else n)
        for one in found
    )


def _measured(
    row: str, subject: str, n: int, measure: Measure, journal: Path | None
) -> list[Figure]:
    print(f"{row} {subject}".strip(), flush=True)
    try:
        made = asyncio.run(measure(n))
    except (AssertionError, TimeoutError, OSError) as error:  # the others go on
        print(f"  could not be measured: {type(error).__name__}: {error}", flush=True)
        return []
    figures.write(journal, made)
    for one in made:
        print("  " + " | ".join(one.cells()), flush=True)
    return made


if __name__ == "__main__":
    main()

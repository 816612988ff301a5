"""Each candidate in every tier that screens: the outcomes, id by id, must be equal.

Usage: python benchmarks/tiers_report.py [N=5] [JOURNAL=file.jsonl]
       [LIBRARIES=marshmallow,click] [ZOO=yes] [PROJECTS=name,name]

Candidates are the zoo's patches (not the held-out ones), what the search engine would
try there, and mutants of real libraries: N of each kind per project. With a JOURNAL
rows are appended as they come, and what is there is not run again. A difference is
printed and makes the exit code 1.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from libraries import LIBRARIES, Library, mutants, python, tree

from bonafix import diffs, zoo
from bonafix.config import Config
from bonafix.domain import Event, Outcome, Snapshot, SuiteRun, Task
from bonafix.errors import BonafixError
from bonafix.observe.interpreter import find
from bonafix.observe.layout import layout
from bonafix.observe.localise import suspects
from bonafix.observe.run import make_runner
from bonafix.observe.warm import warm
from bonafix.propose.search import candidates
from bonafix.sandbox.tree import take

FEW = 12  # tests of a library that are run for each of its mutants
Files = Mapping[str, bytes | None]


@dataclass(frozen=True)
class Row:
    """One project's candidates in one tier, which is the fastest that was allowed."""

    project: str
    allowed: str
    different: dict[str, list[str]]  # candidate -> ids, with both outcomes
    ran: dict[str, int]  # tier -> runs that it took
    falls: dict[str, int]  # why no faster one did


@dataclass(frozen=True)
class Group:
    """A project, the tests that are run, the candidates."""

    name: str
    root: Path
    select: tuple[str, ...]
    source: str = ""  # of the path for imports, below the root
    library: Library | None = None
    enclosure: zoo.Enclosure | None = None


def groups(options: Mapping[str, str]) -> Iterator[Group]:
    wanted = set(filter(None, options.get("PROJECTS", "").split(",")))
    for one in zoo.load(zoo.folder()) if options.get("ZOO", "yes") == "yes" else ():
        held_out = any(specimen.held_out for specimen in one.specimens)
        if not held_out and (not wanted or one.name in wanted):
            yield Group(one.name, one.root, one.targets, enclosure=one)
    names = options.get("LIBRARIES", ",".join(LIBRARIES))
    for name in filter(None, names.split(",")):
        library = LIBRARIES[name]
        yield Group(name, tree(library), (), "src", library=library)


def proposals(
    group: Group, snapshot: Snapshot, base: SuiteRun, task: Task, count: int
) -> Iterator[tuple[str, Files]]:
    """Id and files of each candidate."""
    if group.library is not None:
        path = group.library.product
        yield from islice(mutants(path, snapshot.sources[path]), count)
        return
    assert group.enclosure is not None
    for specimen in group.enclosure.specimens[:count]:
        text = group.enclosure.patch_file(specimen).read_bytes()
        try:
            yield specimen.name, diffs.parse(text, snapshot.sources.get).files
        except BonafixError:
            continue  # what cannot be applied is not run anywhere
    if any(base.outcome(target) is not Outcome.PASSED for target in group.select):
        for n, candidate in enumerate(islice(candidates(task), count)):
            yield f"search {n}: {candidate.title}", candidate.patch.files


async def compared(group: Group, count: int, known: set[tuple[str, str]], keep) -> None:
    config = Config(interpreter=str(python()))
    os.environ.pop("PYTHONPATH", None)
    if group.source:
        os.environ["PYTHONPATH"] = str(group.root / group.source)
    interpreter = await find(group.root, config)
    with tempfile.TemporaryDirectory() as folder:
        snapshot = take(group.root, Path(folder) / "lower")
        cold = make_runner(snapshot, interpreter, config)
        base = await cold(
            {}, select=group.select or None, record_lines=not group.library
        )
        select = group.select or chosen(base, group.library)
        task = Task(
            snapshot=snapshot,
            layout=layout(snapshot, base, interpreter, config),
            targets=tuple(base.results[i] for i in select if i in base.results),
            suspects=suspects(
                base,
                tuple(base.results[i] for i in select if i in base.results),
                sources=snapshot.sources,
            ),
            baseline=base,
            seconds=60.0,
        )
        before = {i: base.outcome(i) for i in select}
        found = [
            pair
            for pair in proposals(group, snapshot, base, task, count)
            if (group.name, pair[0]) not in known
        ]
        fresh = {name: await cold(files, select=select) for name, files in found}
        for tier in ("swap", "warm") if found else ():
            told: list[Event] = []
            different = {}
            where = snapshot, interpreter, config
            async with warm(
                *where, cells=1, expected=before, listen=told.append, fastest=tier
            ) as run:
                for name, files in found:
                    quick = await run(files, select=select)
                    different[name] = differences(fresh[name], quick, select)
            facts = told[-1].facts
            keep(Row(group.name, tier, different, facts["tiers"], facts["falls"]))


def chosen(base: SuiteRun, library: Library | None) -> tuple[str, ...]:
    """Some tests of the library's file, evenly spread."""
    assert library is not None
    ids = [i for i in base.collected if i.startswith(library.tests + "::")]
    return tuple(ids[:: max(1, len(ids) // FEW)][:FEW])


def differences(cold: SuiteRun, quick: SuiteRun, select: Sequence[str]) -> list[str]:
    return [
        f"{i}: {cold.outcome(i)} in a fresh process, {quick.outcome(i)} here"
        for i in select
        if cold.outcome(i) is not quick.outcome(i)
    ]


def main() -> None:
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    journal = Path(options["JOURNAL"]) if options.get("JOURNAL") else None
    lines = journal.read_text().splitlines() if journal and journal.exists() else []
    rows = [Row(**json.loads(line)) for line in lines]
    known = {(row.project, one) for row in rows for one in row.different}

    def keep(row: Row) -> None:
        rows.append(row)
        print(f"{row.project}, {row.allowed}: {row.ran} {row.falls}", flush=True)
        if journal is not None:
            with journal.open("a") as file:
                file.write(json.dumps(asdict(row)) + "\n")

    for group in groups(options):
        asyncio.run(compared(group, int(options.get("N") or 5), known, keep))
    sys.exit(report(rows))


def report(rows: Sequence[Row]) -> int:
    """Print the counts; 1 where anything was different."""
    names = {(row.project, one) for row in rows for one in row.different}
    print(f"{len(names)} candidates")
    for allowed in ("swap", "warm"):
        ran, falls = Counter[str](), Counter[str]()
        for row in rows:
            if row.allowed == allowed:
                ran.update(row.ran)
                falls.update(row.falls)
        counts = ", ".join(f"{number} {tier}" for tier, number in ran.items())
        print(f"{allowed} allowed: {counts}")
        for reason, number in falls.most_common():
            print(f"  {number}x not swapped: {reason}")
    bad = [
        f"{row.project}, {one}, {row.allowed} allowed: {difference}"
        for row in rows
        for one, found in row.different.items()
        for difference in found
    ]
    print(f"{len(bad)} outcomes are different from those of a fresh process")
    for line in bad:
        print("  " + line)
    return bool(bad)


if __name__ == "__main__":
    main()

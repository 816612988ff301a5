"""Each candidate in every tier that screens: the outcomes, id by id, must be equal.

Usage: python benchmarks/tiers_report.py [N=5] [MUTANTS=20] [DATA=bugs.jsonl]
       [JOURNAL=file.jsonl] [LIBRARIES=marshmallow,click,boltons] [ZOO=yes]
       [PROJECTS=name,name] [WHOLE=2]

Candidates are the zoo's patches (not the held-out ones) and what the search engine
would try there; of each bug in DATA (as `small_bugs.py` says) the right version, and
mutants of the wrong one; and mutants of real libraries. N of each kind per project,
MUTANTS per library. WHOLE of each project go through the whole suite, too, and so does
the untouched tree. With a JOURNAL rows are appended as they come, and what is there is
not run again. A difference is looked into: is a fresh process at one with itself? One
that is not explained by that makes the exit code 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import small_bugs
from libraries import LIBRARIES, Library, mutants, python, tree

from bonafix import diffs, zoo
from bonafix.config import Config
from bonafix.domain import Event, Outcome, Runner, Snapshot, SuiteRun, Task
from bonafix.errors import BonafixError
from bonafix.observe.interpreter import find
from bonafix.observe.known import Known
from bonafix.observe.layout import layout
from bonafix.observe.localise import suspects
from bonafix.observe.run import make_runner
from bonafix.observe.shards import differing, plan
from bonafix.observe.warm import warm
from bonafix.propose.search import candidates
from bonafix.sandbox.tree import take

FEW = 12  # tests that are run for each candidate
TIMEOUT = 10.0  # seconds of one test: some candidates never end, in any tier
AGAIN = 2  # fresh runs more, where outcomes differ
Files = Mapping[str, bytes | None]


@dataclass(frozen=True)
class Row:
    """One project's candidates in one tier, which is the fastest that was allowed."""

    project: str
    allowed: str
    different: dict[str, list[str]]  # candidate -> ids, with both outcomes
    ran: dict[str, int]  # tier -> runs that it took
    falls: dict[str, int]  # why no faster one did
    ids: int = 0  # compared for each candidate
    seconds: float = 0.0  # wall, of all of them
    explained: dict[str, str] = field(default_factory=dict)  # candidate -> by what
    suites: dict[str, list[str]] = field(default_factory=dict)  # as `different`
    suite_ids: int = 0  # steady ones, compared in each of them


@dataclass(frozen=True)
class Group:
    """A project, the tests that are run, the candidates."""

    name: str
    root: Path
    select: tuple[str, ...]
    source: str = ""  # of the path for imports, below the root
    library: Library | None = None
    enclosure: zoo.Enclosure | None = None
    bug: small_bugs.Task | None = None


def groups(options: Mapping[str, str]) -> Iterator[Group]:
    wanted = set(filter(None, options.get("PROJECTS", "").split(",")))
    for one in zoo.load(zoo.folder()) if options.get("ZOO", "yes") == "yes" else ():
        held_out = any(specimen.held_out for specimen in one.specimens)
        if not held_out and (not wanted or one.name in wanted):
            yield Group(one.name, one.root, one.targets, enclosure=one)
    names = options.get("LIBRARIES", ",".join(LIBRARIES))
    for name in filter(None, names.split(",")):
        library = LIBRARIES[name]
        yield Group(name, tree(library), (), library.source, library=library)
    if options.get("DATA"):
        yield from bugs(Path(options["DATA"]), wanted)


def bugs(data: Path, wanted: set[str]) -> Iterator[Group]:
    """Each bug as a project of two files, which is there for as long as it is used."""
    for line in data.read_text("utf-8").splitlines():
        bug = small_bugs.read(json.loads(line))
        if wanted and bug.name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "project"
            root.mkdir()
            tests = (
                f"def test_{n}():\n{textwrap.indent(text, '    ')}\n"
                for n, text in enumerate(bug.tests)
            )
            (root / small_bugs.PRODUCT).write_text(bug.before, "utf-8")
            text = "\n\n".join(["import solution\n", *tests])
            (root / small_bugs.TESTS).write_text(text, "utf-8")
            yield Group(bug.name, root, (), bug=bug)


def proposals(
    group: Group, snapshot: Snapshot, task: Task, count: int
) -> Iterator[tuple[str, Files]]:
    """Id and files of each candidate."""
    if group.bug is not None:
        yield "the right version", {small_bugs.PRODUCT: group.bug.after.encode()}
    if group.library is not None or group.bug is not None:
        path = group.library.product if group.library else small_bugs.PRODUCT
        yield from islice(mutants(path, snapshot.sources[path]), count)
        return
    assert group.enclosure is not None
    for specimen in group.enclosure.specimens[:count]:
        text = group.enclosure.patch_file(specimen).read_bytes()
        try:
            yield specimen.name, diffs.parse(text, snapshot.sources.get).files
        except BonafixError:
            continue  # what cannot be applied is not run anywhere
    if task.targets:
        for n, candidate in enumerate(islice(candidates(task), count)):
            yield f"search {n}: {candidate.title}", candidate.patch.files


async def compared(
    group: Group,
    count: int,
    whole: int,
    known: set[tuple[str, str]],
    keep: Callable[[Row], None],
) -> None:
    """Judge a group's candidates in fresh processes, then in each tier."""
    config = Config(interpreter=str(python()), test_timeout=TIMEOUT)
    os.environ.pop("PYTHONPATH", None)
    if group.library:
        os.environ["PYTHONPATH"] = str(group.root / group.source)
    interpreter = await find(group.root, config)
    with tempfile.TemporaryDirectory() as folder:
        snapshot = take(group.root, Path(folder) / "lower")
        cold = make_runner(snapshot, interpreter, config)
        base = await cold({}, record_lines=group.enclosure is not None)
        select = chosen(base, group)
        red = tuple(
            base.results[i]
            for i in group.select
            if i in base.results and base.outcome(i) is not Outcome.PASSED
        )
        task = Task(
            snapshot=snapshot,
            layout=layout(snapshot, base, interpreter, config),
            targets=red,
            suspects=suspects(base, red, sources=snapshot.sources),
            baseline=base,
            seconds=60.0,
        )
        before = {i: base.outcome(i) for i in select}
        found = [
            pair
            for pair in proposals(group, snapshot, task, count)
            if (group.name, pair[0]) not in known
        ]
        fresh = {name: await cold(files, select=select) for name, files in found}
        suite = Known(base, frozenset(differing(base, await cold({}))))
        suites = dict([("untouched", {}), *found][: 1 + whole] if whole else ())
        wholes = {name: await cold(files) for name, files in suites.items()}
        for tier in ("swap", "warm") if found else ():
            begun = time.monotonic()
            told: list[Event] = []
            different, explained, entire = {}, {}, {}
            where = snapshot, interpreter, config
            async with warm(
                *where,
                cells=1,
                expected=before,
                listen=told.append,
                fastest=tier,
                suite=suite,
                parts=plan(base, forked=True),
            ) as run:
                for name, files in found:
                    quick = await run(files, select=select)
                    different[name] = differences(fresh[name], quick, select)
                    if different[name]:
                        explained[name] = await why(cold, run, files, select)
                for name, files in suites.items():
                    ids = steady(suite, wholes[name])
                    entire[name] = differences(wholes[name], await run(files), ids)
                    if entire[name]:
                        whose = [one.partition(": ")[0] for one in entire[name]]
                        explained[name] = await why(cold, run, files, None, whose)
            facts = told[-1].facts
            row = Row(
                project=group.name,
                allowed=tier,
                different=different,
                ran=facts["tiers"],
                falls=facts["falls"],
                ids=len(select),
                seconds=round(time.monotonic() - begun, 1),
                explained=explained,
                suites=entire,
                suite_ids=len(steady(suite, base)),
            )
            keep(row)


async def why(
    cold: Runner,
    quick: Runner,
    files: Files,
    select: Sequence[str] | None,
    ids: Sequence[str] = (),
) -> str:
    """What explains a difference in `ids`, by default all; empty if nothing does."""
    ids = ids or select or ()
    fresh = [await cold(files, select=select) for _ in range(1 + AGAIN)]
    if any(differences(fresh[0], one, ids) for one in fresh[1:]):
        return "fresh processes differ among themselves"
    again = await quick(files, select=select)
    if not differences(fresh[0], again, ids):
        return "not seen again"
    return ""


def steady(suite: Known, run: SuiteRun) -> list[str]:
    """The ids of the suite, and of a run of it, that two runs were at one about."""
    every = dict.fromkeys((*suite.run.collected, *run.collected))
    return [i for i in every if suite.steady(i)]


def chosen(base: SuiteRun, group: Group) -> tuple[str, ...]:
    """The targets, and some other tests, evenly spread; a library's are of one file."""
    begins = group.library.tests + "::" if group.library else ""
    others = [i for i in base.collected if i.startswith(begins)]
    some = others[:: max(1, len(others) // FEW)][:FEW]
    return tuple(dict.fromkeys((*group.select, *some)))


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

    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    for group in groups(options):
        name = "MUTANTS" if group.library else "N"
        count = int(options.get(name) or (20 if group.library else 5))
        whole = int(options.get("WHOLE") or 2)
        asyncio.run(compared(group, count, whole, known, keep))
    sys.exit(report(rows))


def report(rows: Sequence[Row]) -> int:
    """Print the counts; 1 where anything was different that nothing explains."""
    names = {(row.project, one) for row in rows for one in row.different}
    print(f"{len(names)} candidates of {len({name for name, _ in names})} projects")
    bad = 0
    for allowed in ("swap", "warm"):
        some = [row for row in rows if row.allowed == allowed]
        ran, falls = Counter[str](), Counter[str]()
        for row in some:
            ran.update(row.ran)
            falls.update(row.falls)
        compared = sum(row.ids * len(row.different) for row in some)
        counts = ", ".join(f"{number} {tier}" for tier, number in ran.items())
        print(f"{allowed} allowed: {counts}; {compared:,} outcomes compared")
        outcomes = sum(row.suite_ids * len(row.suites) for row in some)
        suites = sum(len(row.suites) for row in some)
        print(f"  {suites} whole suites; {outcomes:,} outcomes of theirs compared")
        for reason, number in falls.most_common():
            print(f"  {number}x not swapped: {reason}")
        for row in some:
            bad += told(row)
    print(f"{bad} candidates differ from a fresh process, unexplained")
    return bool(bad)


def told(row: Row) -> int:
    """Print what is different; how many candidates are so for no known reason."""
    bad = 0
    for name, found in (*row.different.items(), *row.suites.items()):
        because = row.explained.get(name, "")
        bad += bool(found) and not because
        for difference in found:
            why_not = f" ({because})" if because else ""
            print(f"  {row.project}, {name}: {difference}{why_not}")
    return bad


if __name__ == "__main__":
    main()

"""What the embedded search engine delivers on the project's own fixtures and the zoo.

Usage: python benchmarks/search_projects.py [HALF=tuning|untouched|both] [LIMIT=n]
       [ONLY=name,name] [JOURNAL=file.jsonl] [SHOW=yes] [TIMEOUT=300] [SPACE=60]
       [INTERPRETER=python]

`bonafix fix --engine search` is run on a copy of each project, for the targets that
its label names. "Right" passes all of the project's sealed tests, which no run of ours
sees. What is held out for measuring the gate is the untouched half here. Where the
right version was not delivered, the engine goes on for SPACE seconds with the sealed
tests in place of the gate: single edits, pairs, and what values at a spot suggest; and
the honest patches that are one single edit are looked up in the whole catalogue. The
rows are those of `search_report.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from search_report import delivered, ending, fixed, patched_files, templates_of
from search_rows import Options, Row, Sought, keep, known, report, tell

from bonafix import diffs
from bonafix.bench import Bench, opened
from bonafix.config import Config
from bonafix.domain import Baseline, Event, Feedback, Patch, Runner, Task, Verdict
from bonafix.judge.hiding.proving import Proven
from bonafix.judge.hiding.visible import visible_runner
from bonafix.observe.baseline import baseline
from bonafix.observe.warm import warm
from bonafix.propose.search.candidates import candidates
from bonafix.propose.search.engine import propose
from bonafix.repair import normal_form
from bonafix.tasks import show, task_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
SINGLES = 5000  # candidates among which an honest patch is looked up
sys.path.insert(0, str(FIXTURES / "zoo"))
sys.dont_write_bytecode = True  # nothing of ours stays beside the fixtures

from measure import run_truth  # noqa: E402 - the zoo's own, from its folder

Files = dict[str, bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A project with a seeded fault, and the sealed tests that know better."""

    name: str
    folder: Path
    half: str
    targets: tuple[str, ...]

    @property
    def root(self) -> Path:
        return self.folder / "project"

    def honest(self) -> Iterator[Path]:
        return self.folder.glob("patches/honest*.patch")


def main() -> None:
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    journal = Path(options["JOURNAL"]) if options.get("JOURNAL") else None
    chosen = wanted(options)
    rows = [row for row in known(journal) if row.bug in {c.name for c in chosen}]
    done = {row.bug for row in rows}
    for case in chosen:
        if case.name not in done:
            row = row_of(case, options)
            rows.append(row)
            keep(journal, row)
            tell(row, options)
    report(rows)


def wanted(options: Options) -> list[Case]:
    which, only = options.get("HALF", "tuning"), options.get("ONLY", "")
    found = [
        case
        for case in cases()
        if which in {"both", case.half}
        if not only or {case.name, case.folder.name} & {*only.split(",")}
    ]
    return found[: int(options.get("LIMIT", "1000"))]


def cases() -> Iterator[Case]:
    """Every project that has sealed tests; a zoo's name tells it from a fixture's."""
    for kind in ("*/fixture.toml", "zoo/*/zoo.toml"):
        for label in sorted(FIXTURES.glob(kind)):
            if (label.parent / "truth").is_dir():
                table = tomllib.loads(label.read_text("utf-8"))
                held_out = table.get("held_out") is True
                yield Case(
                    name=str(label.parent.relative_to(FIXTURES)),
                    folder=label.parent,
                    half="untouched" if held_out else "tuning",
                    targets=tuple(table["targets"]),
                )


def row_of(case: Case, options: Options) -> Row:
    with tempfile.TemporaryDirectory(prefix="case-") as folder:
        root = Path(folder, "project")
        shutil.copytree(case.root, root, symlinks=True)
        began = time.monotonic()
        document, title = fixed(root, Path(folder), options, case.targets)
        seconds = time.monotonic() - began
        last = delivered(document)
        files = patched_files(root, last["patch"]) if last else {}
    failed, asked = truth(case, files, options) if last else (0, 0)
    right = bool(last) and not failed
    place = Sought(rank=None, space=0)
    if not right:
        place = asyncio.run(sought(case, options))
    return Row(
        bug=case.name,
        half=case.half,
        verdict=last["verdict"] if last else ending(document),
        right=right,
        inputs=asked,
        different=failed,
        seconds=round(seconds, 2),
        tests=len(case.targets),
        template=title if last else "",
        rank=place.rank,
        space=place.space,
        by=place.by,
        load=round(os.getloadavg()[0], 1),
    )


def truth(case: Case, files: Files, options: Options) -> tuple[int, int]:
    """Of the sealed tests how many fail, or do not report, and how many there are."""
    with tempfile.TemporaryDirectory(prefix="truth-") as folder:
        root = Path(folder, "project")
        shutil.copytree(case.root, root, symlinks=True)
        for path, data in files.items():
            (root / path).unlink(missing_ok=True)
            if data is not None:
                (root / path).write_bytes(data)
        source = root / "src"
        project = source if source.is_dir() else root
        tests, python = case.folder / "truth", interpreter(options)
        found = run_truth(python, project, tests, Path(folder))
    bad = sum(outcome != "passed" for outcome in found.values())
    return (bad, len(found)) if found else (1, 1)


def interpreter(options: Options) -> str:
    return str(Path(options.get("INTERPRETER") or sys.executable).absolute())


# ----------------------------------------------------------- where the right one is


async def sought(case: Case, options: Options) -> Sought:
    """The right version among what the engine tries, and in the catalogue."""
    config = Config(interpreter=interpreter(options))
    async with opened(case.root, config) as bench:
        place = bench.snapshot, bench.interpreter, config
        base = await baseline(
            bench.snapshot, bench.tools.run, config, bench.interpreter
        )
        shown = await shown_of(bench, base, case)
        task = task_of(bench, base, shown, float(options.get("SPACE", "60")))
        expected = {target.id: target.outcome for target in task.targets}
        async with warm(*place, expected=expected) as screen:

            def right(patch: Patch) -> bool:
                return truth(case, dict(patch.files), options)[0] == 0

            fast = screen.over(shown.seal.files)
            found = await searched(task, visible_runner(shown.seal, fast), right)
        return found if found.rank else looked_up(case, bench, task, found.space)


async def shown_of(bench: Bench, base: Baseline, case: Case) -> Proven:
    """All targets at once: they have one cause."""
    results = tuple(base.run.results[target] for target in case.targets)
    return await show(bench, base, results)


async def searched(task: Task, run: Runner, right: Callable[[Patch], bool]) -> Sought:
    """The engine with the sealed tests for a gate; it learns that they refuse."""
    screened = 0
    refused = Feedback(verdict=Verdict.UNFIXED)

    def listen(event: Event) -> None:
        nonlocal screened
        screened = event.done or screened

    stream = propose(task, run, lambda: refused, listen)
    async with contextlib.aclosing(stream) as source:
        async for candidate in source:
            if await asyncio.to_thread(right, candidate.patch):
                by = " and ".join(templates_of(candidate.title))
                return Sought(rank=screened, space=screened, by=by)
    return Sought(rank=None, space=screened)


def looked_up(case: Case, bench: Bench, task: Task, tried: int) -> Sought:
    """An honest patch that is one single edit, far down in the catalogue."""
    forms = set()
    for path in case.honest():
        parsed = diffs.parse(path.read_bytes(), bench.read)
        forms.add(normal_form(parsed))
    rank = 0
    for rank, candidate in enumerate(candidates(task), 1):
        if normal_form(candidate.patch) in forms:
            by = " and ".join(templates_of(candidate.title))
            return Sought(rank=rank, space=max(rank, tried), by=by)
        if rank >= SINGLES:
            break
    return Sought(rank=None, space=max(rank, tried))


if __name__ == "__main__":
    main()

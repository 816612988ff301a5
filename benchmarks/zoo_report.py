"""Send the labelled patches of some folders through the gate, as selftest does.

    python benchmarks/zoo_report.py [--jobs N] [--journal FILE] [FOLDER ...]

A FOLDER is a fixture (`fixtures/ledger`), one of the zoo (`fixtures/zoo/money`), or
holds some; the default is `fixtures`, which `bonafix selftest` does not carry. With a
journal results are appended as they come, and what is there is not judged again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

from bonafix.config import Config
from bonafix.deliver import journal
from bonafix.deliver.figures import Trial
from bonafix.deliver.live import listener
from bonafix.deliver.scores import score_lines
from bonafix.deliver.terminal import show, terminal
from bonafix.selftest import Asked, heard, trials
from bonafix.zoo import Enclosure, enclosure, only

ROOT = Path(__file__).parents[1]
LABELS = ("fixture.toml", "zoo.toml")


def enclosures(folders: Sequence[Path]) -> Iterator[Enclosure]:
    for folder in folders:
        for path in sorted([*folder.glob("*.toml"), *folder.glob("*/*.toml")]):
            table = tomllib.loads(path.read_text("utf-8"))
            if path.name in LABELS and table.get("kind") != "edge":
                yield enclosure(path.parent.resolve(), table)


async def main(args: argparse.Namespace) -> None:
    asked = Asked(config=Config(interpreter=args.interpreter), jobs=args.jobs)
    chosen = tuple(enclosures(args.folders or [ROOT / "fixtures"]))
    ids = {one.id for some in chosen for one in some.specimens}
    known = journal.read(args.journal) if args.journal else ()
    found = [trial for trial in known if trial.specimen.id in ids]
    keep = journal.writer(args.journal) if args.journal else None
    rest = only(chosen, frozenset(ids - {trial.specimen.id for trial in found}))
    with listener(terminal(sys.stderr, os.environ)) as listen:
        async with aclosing(trials(rest, asked, listen)) as source:
            async for trial in source:
                found.append(trial)
                if keep:
                    keep(trial)
                for event in heard(trial, len(found), len(ids)):
                    listen(event)
    report(sorted(found, key=lambda trial: trial.specimen.id))


def report(found: Sequence[Trial]) -> None:
    where = terminal(sys.stdout, os.environ)
    show(score_lines(found, where.marks, full=True), where)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--interpreter", default=sys.executable)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    args.interpreter = str(Path(args.interpreter).absolute())
    return args


if __name__ == "__main__":
    asyncio.run(main(arguments()))

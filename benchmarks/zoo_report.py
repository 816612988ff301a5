"""Send every labelled patch of the fixtures through the real gate; print the table.

    python benchmarks/zoo_report.py [--jobs N] [--json FILE] [FOLDER ...]

A FOLDER is a fixture (`fixtures/ledger`) or holds some (`fixtures/zoo`). Resumable:
with `--json FILE` results are appended as they come, and what is there is not judged
again. Nothing is written into the fixtures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

from bonafix import diffs
from bonafix.bench import opened
from bonafix.config import Config
from bonafix.domain import Candidate
from bonafix.errors import BonafixError
from bonafix.judge.gate import Case, judge
from bonafix.observe.baseline import baseline

ROOT = Path(__file__).parents[1]
REFUSED = {"tampered", "broken", "regressed", "unfixed", "special-cased", "flaky"}


def fixtures(folders):
    for folder in folders:
        found = [*folder.glob("*.toml"), *folder.glob("*/*.toml")]
        for path in sorted(found):
            if path.name in {"fixture.toml", "zoo.toml"}:
                yield path.parent, tomllib.loads(path.read_text())


async def judge_all(folder, labels, config, done, tell):
    """One baseline a project; every patch of it against that."""
    root = (folder / "project").resolve()
    patches = {p.stem: p for p in sorted((folder / "patches").glob("*.patch"))}
    todo = [stem for stem in patches if f"{folder.name}/{stem}" not in done]
    if not todo:
        return
    async with opened(root, config) as bench:
        base = await baseline(
            bench.snapshot, bench.tools.run, config, bench.interpreter
        )
        targets = tuple(
            base.run.results[i] for i in labels["targets"] if i in base.run.results
        )
        case = Case(baseline=base, targets=targets, sources=bench.snapshot.sources)
        for stem in todo:
            label = labels["patches"].get(stem, {})
            begun = time.monotonic()
            try:
                patch = diffs.parse(patches[stem].read_bytes(), bench.read)
                candidate = Candidate(patch=patch, author="outside")
                judged = await judge(candidate, case, bench.tools)
                verdict, reason = str(judged.verdict), judged.reason
                stages = {e.stage: e.result for e in judged.evidence}
                cpu = sum(e.cpu_seconds for e in judged.evidence)
            except BonafixError as error:
                verdict, reason, stages, cpu = "error", str(error), {}, 0.0
            tell(
                {
                    "id": f"{folder.name}/{stem}",
                    "label": label.get("label", "?"),
                    "family": label.get("family", ""),
                    "suspicious": label.get("suspicious", False),
                    "pure": labels.get("pure"),
                    "verdict": verdict,
                    "reason": reason,
                    "stages": stages,
                    "cpu_seconds": round(cpu, 2),
                    "seconds": round(time.monotonic() - begun, 1),
                }
            )


def table(rows):
    """Rows by label: how many ended where."""
    print(f"\n{'label':<22}{'n':>4}  verified  plausible  refused  error")
    kinds = {
        "honest": lambda r: r["label"] == "honest" and not r["suspicious"],
        "honest, suspicious": lambda r: r["label"] == "honest" and r["suspicious"],
        "dishonest": lambda r: r["label"] == "dishonest",
        "wrong": lambda r: r["label"] == "wrong",
    }
    for name, belongs in kinds.items():
        some = [r for r in rows if belongs(r)]
        count = Counter(
            "refused" if r["verdict"] in REFUSED else r["verdict"] for r in some
        )
        cells = [count[k] for k in ("verified", "plausible", "refused", "error")]
        print(
            f"{name:<22}{len(some):>4}  {cells[0]:>8}  {cells[1]:>9}"
            f"  {cells[2]:>7}  {cells[3]:>5}"
        )
    for row in rows:
        bad = (row["label"] == "dishonest" and row["verdict"] not in REFUSED) or (
            row["label"] == "honest" and row["verdict"] in REFUSED | {"error"}
        )
        if bad or (row["label"] == "wrong" and row["verdict"] == "verified"):
            print(f"  {row['verdict']:<10} {row['id']}: {row['reason'][:150]}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--interpreter", default=sys.executable)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    args.interpreter = str(Path(args.interpreter).absolute())
    args.rows = []
    if args.json and args.json.exists():
        args.rows = [json.loads(line) for line in args.json.read_text().splitlines()]
    return args


async def main(args):
    config = Config(interpreter=args.interpreter)
    rows = args.rows
    done = {row["id"] for row in rows}

    def tell(row):
        rows.append(row)
        print(f"{row['verdict']:<14} {row['id']:<48} {row['seconds']:>6} s", flush=True)
        if args.json:
            with args.json.open("a") as file:
                file.write(json.dumps(row) + "\n")

    limit = asyncio.Semaphore(args.jobs)

    async def one(folder, labels):
        async with limit:
            await judge_all(folder, labels, config, done, tell)

    folders = args.folders or [ROOT / "fixtures", ROOT / "fixtures" / "zoo"]
    async with asyncio.TaskGroup() as group:
        for folder, labels in fixtures(folders):
            if labels.get("kind") != "edge":
                group.create_task(one(folder, labels))
    table(sorted(rows, key=lambda r: r["id"]))


if __name__ == "__main__":
    asyncio.run(main(arguments()))

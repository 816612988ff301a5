"""What a search report says of each of its cases, its journal and its figures.

A case is a small bug of the data, or a project with a seeded fault. A row holds names
and numbers only, nothing of the case's text.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

DELIVERED = ("verified", "plausible")
HALVES = ("tuning", "untouched")
Options = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How it ended for one case."""

    bug: str
    half: str
    verdict: str
    right: bool = False
    inputs: int = 0  # inputs, or sealed tests, on which the right version answers
    different: int = 0
    seconds: float = 0.0
    tests: int = 0
    template: str = ""  # of the delivered patch
    rank: int | None = None  # of the right version among the candidates
    space: int = 0  # candidates that were looked through for it
    by: str = ""  # what made the right version: a template's name, or two
    load: float = 0.0  # of the machine, when it ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Where the right version is among what the engine can write."""

    rank: int | None  # 1-based; `None` where it did not come
    space: int  # candidates that were looked at
    by: str = ""


def known(journal: Path | None) -> list[Row]:
    """The rows of a journal, of each case the last; a line that was cut off is none."""
    if journal is None or not journal.exists():
        return []
    rows: dict[str, Row] = {}
    for line in journal.read_text("utf-8").splitlines():
        try:
            row = Row(**json.loads(line))
        except (ValueError, TypeError):
            continue
        rows[row.bug] = row
    return list(rows.values())


def keep(journal: Path | None, row: Row) -> None:
    if journal:
        with journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(row)) + "\n")


def tell(row: Row, options: Options) -> None:
    if options.get("SHOW"):
        how = "right" if row.right else f"{row.different}/{row.inputs} differ"
        rank = "" if row.right else f"  right at rank {row.rank} of {row.space}"
        print(
            f"{row.bug:14} {row.half:9} {row.verdict:13} {how:18} "
            f"{row.seconds:6.1f} s  {row.template}{rank}",
            flush=True,
        )


def report(rows: Sequence[Row]) -> None:
    for name in HALVES:
        if some := [row for row in rows if row.half == name]:
            print("\n".join(("", f"{name} half:", *figures(some))))
    if len({row.half for row in rows}) > 1:
        print("\n".join(("", "all:", *figures(rows))))


def figures(rows: Sequence[Row]) -> Iterator[str]:
    total = len(rows)
    for name in DELIVERED:
        mine = [row for row in rows if row.verdict == name]
        right = sum(row.right for row in mine)
        wrong = len(mine) - right
        yield (
            f"  {name:10} {len(mine):3} of {total}: {right} right, "
            f"{wrong} wrong ({share(wrong, total)} of all)"
        )
    right = sum(row.right for row in rows)
    none = sum(row.verdict not in DELIVERED for row in rows)
    yield f"  nothing    {none:3} of {total}"
    yield f"  delivered and right: {right} of {total} ({share(right, total)})"
    seconds = [row.seconds for row in rows]
    yield (
        f"  seconds: median {statistics.median(seconds):.1f}, most {max(seconds):.1f}; "
        f"load of the machine: median {statistics.median(r.load for r in rows):.1f}"
    )
    left = [row for row in rows if not row.right]
    yield from listed("in the space, not reached", [r for r in left if r.rank])
    yield from listed("not found in the space", [r for r in left if not r.rank])


def listed(label: str, rows: Sequence[Row]) -> Iterator[str]:
    """The space is single edits, pairs of them, and what values at a spot suggest."""
    yield f"  {label}: {len(rows)}"
    for row in rows:
        place = f"rank {row.rank} of {row.space}" if row.rank else f"of {row.space}"
        by = f" by {row.by}" if row.by else ""
        how = f"{row.template}, {row.different}/{row.inputs} differ"
        yield f"    {row.bug:14} {row.verdict:13} {place}{by}" + (
            f"; delivered {how}" if row.template else ""
        )


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"

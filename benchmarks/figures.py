"""What was measured: one figure a line in a journal, and the table that is printed."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a figure must reach."""

    value: float
    unit: str = "x"
    least: bool = True  # else it is the most that is allowed

    def __str__(self) -> str:
        return f"{'>=' if self.least else '<='} {self.value:g}{_spaced(self.unit)}"

    def reached(self, value: float) -> bool:
        return value >= self.value if self.least else value <= self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table for one subject; without values: there is nothing yet."""

    row: str
    subject: str
    what: str
    goal: Goal
    values: tuple[float, ...] = ()
    python: str = ""
    note: str = ""
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 1))

    @property
    def middle(self) -> float:
        return statistics.median(self.values)

    def cells(self) -> tuple[str, ...]:
        """What, subject, goal, measured, spread, n, load, note."""
        name = f"{self.subject} ({self.python})" if self.python else self.subject
        load = f"{self.load:g}"
        if not self.values:
            return self.what, name, str(self.goal), "-", "-", "0", load, self.note
        unit = _spaced(self.goal.unit)
        spread = f"{min(self.values):.2f} - {max(self.values):.2f}"
        missed = "" if self.goal.reached(self.middle) else "not reached"
        note = "; ".join(filter(None, (missed, self.note)))
        measured = f"{self.middle:.2f}{unit}"
        count = str(len(self.values))
        return self.what, name, str(self.goal), measured, spread, count, load, note


HEAD = ("what", "on", "goal", "median", "spread", "n", "load", "")


def _spaced(unit: str) -> str:
    return unit if unit == "x" else f" {unit}"


def read(journal: Path | None) -> list[Figure]:
    """The last figure of each row and subject in it."""
    if journal is None or not journal.exists():
        return []
    found = {}
    for line in journal.read_text("utf-8").splitlines():
        fields = json.loads(line)
        fields["goal"] = Goal(**fields["goal"])
        fields["values"] = tuple(fields["values"])
        figure = Figure(**fields)
        found[figure.row, figure.subject, figure.what] = figure
    return list(found.values())


def write(journal: Path | None, figures: Iterable[Figure]) -> None:
    """Append them, on disk before the next is measured."""
    if journal is not None:
        with journal.open("a", encoding="utf-8") as file:
            for figure in figures:
                file.write(json.dumps(asdict(figure)) + "\n")


def table(figures: Sequence[Figure]) -> str:
    """Columns for a terminal, which Markdown understands too."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(one.cells() for one in figures)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEAD))]
    widths[-1] = 0
    return "\n".join(
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    )

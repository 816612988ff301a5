"""Conditions asked at a spot while tests run, told by which lines they execute; pure.

Each condition gets lines of its own in front of the spot's statement; the record of
executed lines then says, test by test, what came out there, visit by visit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bonafix.domain import SuiteRun
from bonafix.propose.search.components import Condition
from bonafix.propose.search.context import line_indent
from bonafix.propose.search.patches import SourceFile
from bonafix.syntax import Node
from bonafix.text import TextError, apply_edits, encode

_NAME = "_bonafix"
RAISED = "raised"
# What came out: first what the spot's own condition says, then the new one.
OUTCOMES = ("TT", "TF", "FT", "FF", RAISED)


@dataclass(frozen=True, slots=True)
class Spot:
    """A statement, and the condition in it (or None) that others are held against."""

    file: SourceFile
    statement: Node
    current: Node | None
    score: float
    conditions: tuple[Condition, ...]
    unless: tuple[str, ...] = ()  # conditions of earlier branches


@dataclass(frozen=True, slots=True)
class Watch:
    """Instrumented files, and for each line in them what its execution means."""

    files: Mapping[str, bytes]
    meaning: Mapping[tuple[str, int], tuple[int, int, str]]  # spot, condition, outcome


Seen = Mapping[tuple[int, int], Mapping[str, frozenset[str]]]  # test -> outcomes


def watched(spots: Sequence[Spot]) -> Watch:
    """The files with all the questions in them."""
    files: dict[str, bytes] = {}
    meaning: dict[tuple[str, int], tuple[int, int, str]] = {}
    for file in {spot.file.path: spot.file for spot in spots}.values():
        mine = [(n, s) for n, s in enumerate(spots) if s.file.path == file.path]
        mine.sort(key=lambda pair: pair[1].statement.start)
        edits, added = [], 0
        for number, spot in mine:
            asked = list(_questions(spot, number))
            at, indent = spot.statement.start, line_indent(spot.statement)
            for row, (_, what) in enumerate(asked):
                if what is not None:
                    line = spot.statement.first_line + added + row
                    meaning[file.path, line] = what
            text = f"{file.newline}{indent}".join(text for text, _ in asked)
            edits.append((at, at, text + file.newline + indent))
            added += len(asked)
        try:
            files[file.path] = encode(file.source, apply_edits(file.source.text, edits))
        except TextError:
            continue
    return Watch(files, meaning)


_Line = tuple[str, tuple[int, int, str] | None]


def _questions(spot: Spot, number: int) -> Iterator[_Line]:
    """The lines in front of a spot, without its indentation."""
    current = spot.current.text if spot.current is not None else "False"
    apart = " and ".join(f"not ({text})" for text in spot.unless) or "True"
    yield "try:", None
    yield f"    {_NAME} = (1 if ({current}) else 0) if {apart} else None", None
    yield "except Exception:", None
    yield f"    {_NAME} = None", None
    if spot.current is not None:
        yield f"if {_NAME} == 1:", None
        yield from _block(spot, number, "T")
    yield f"if {_NAME} == 0:", None
    yield from _block(spot, number, "F")


def _block(spot: Spot, number: int, now: str) -> Iterator[_Line]:
    """Every condition once; each costs three executed lines."""
    for place, condition in enumerate(spot.conditions):
        yield "    try:", None
        yield f"        if {condition.text}:", None
        yield f"            {_NAME} = 2", (number, place, f"{now}T")
        yield "        else:", None
        yield f"            {_NAME} = 2", (number, place, f"{now}F")
        yield "    except Exception:", None
        yield f"        {_NAME} = 2", (number, place, RAISED)


def seen(watch: Watch, run: SuiteRun, tests: Sequence[str]) -> Seen:
    """What came out of each condition in each of the tests."""
    found: dict[tuple[int, int], dict[str, set[str]]] = {}
    for test in tests:
        for path in watch.files:
            for line in run.lines.get(test, {}).get(path, ()):
                if (what := watch.meaning.get((path, line))) is not None:
                    spot, place, outcome = what
                    mine = found.setdefault((spot, place), {})
                    mine.setdefault(test, set()).add(outcome)
    return {
        key: {test: frozenset(values) for test, values in by_test.items()}
        for key, by_test in found.items()
    }

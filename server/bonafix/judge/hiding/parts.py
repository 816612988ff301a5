"""A failing test function in, what can be sealed of it out; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bonafix.judge.hiding.failing import Failing
from bonafix.judge.hiding.masking import (
    Edit,
    asserting,
    blanked,
    tail,
    without_rows,
    without_tail,
)
from bonafix.judge.hiding.parametrized import Ids, Table, rows_of, tables
from bonafix.judge.hiding.selecting import sealed_rows
from bonafix.syntax import statements_at

Why = Literal["twin", "rows", "assertions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is sealed of one test function, in one way."""

    why: Why
    path: str
    function: str  # qualified name
    covers: frozenset[str]  # all ids of the function
    ids: tuple[str, ...] = ()  # sealed whole
    edits: tuple[Edit, ...] = ()
    lines: frozenset[int] = frozenset()  # of sealed assertions
    failed: tuple[Edit, ...] = ()  # takes out what failed before them


def twin(one: Failing) -> Part:
    """The whole test."""
    return Part(
        why="twin",
        path=one.path,
        function=one.function.qualified,
        covers=frozenset(one.ids),
        ids=one.ids,
    )


def parts_of(one: Failing) -> Iterator[Part]:
    """What can be sealed of a test that stays visible."""
    rows = _rows(one)
    if rows is not None:
        yield rows
    gone = rows.ids if rows is not None else ()
    left = [result for result in one.aimed if result.id not in gone]
    line = one.line(left)
    blocks = tail(one.module, one.function, line) if line is not None else []
    if line is not None and (lines := asserting(blocks)):
        yield Part(
            why="assertions",
            path=one.path,
            function=one.function.qualified,
            covers=frozenset(result.id for result in left),
            edits=tuple(without_tail(blocks)),
            lines=lines,
            failed=_failed(one, line),
        )


def _failed(one: Failing, line: int) -> tuple[Edit, ...]:
    """What takes the failed assertion out, where it is no more than that."""
    statement = statements_at(one.module, line)[0]
    if statement.kind != "assert_statement":
        return ()
    return (blanked(one.module.text, statement.start, statement.end, "pass"),)


def _rows(one: Failing) -> Part | None:
    """The rows of a parametrised test that are sealed, if there are any."""
    made = tables(one.function)
    at = rows_of(one.function.name, made, one.ids) if made else {}
    best: tuple[Table, frozenset[int], int] | None = None
    for nth, table in enumerate(made if at else ()):
        gone = _gone(one, table, nth, at)
        if gone and (best is None or len(gone) > len(best[1])):
            best = table, gone, nth
    if best is None:
        return None
    table, gone, nth = best
    return Part(
        why="rows",
        path=one.path,
        function=one.function.qualified,
        covers=frozenset(one.ids),
        ids=tuple(i for i in one.ids if at[i][nth] in gone),
        edits=tuple(without_rows(table, gone)),
    )


def _gone(one: Failing, table: Table, nth: int, at: Ids) -> frozenset[int]:
    said: dict[int, str] = {}
    for result in (*one.aimed, *one.kin):
        said.setdefault(at[result.id][nth], f"{result.exception}: {result.message}")
    red = sorted(said)
    aimed = sorted({at[result.id][nth] for result in one.aimed})
    words = [said[row] for row in red]
    count = len(table.rows)
    return sealed_rows(count, red, aimed, words, numbered=table.numbered)

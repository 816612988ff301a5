"""New tables and constants in, those that only a test knows out; pure."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.domain import Verdict
from bonafix.judge.reading.clues import Clues, common, rich, trivial, word
from bonafix.judge.reading.folding import UNKNOWN, fold, known, leaves
from bonafix.judge.reading.fresh import (
    Area,
    File,
    Finding,
    Grade,
    first_line_of,
    folded,
    shape,
)
from bonafix.syntax import Node, walk


def tables(area: Area, file: File, clues: Clues) -> Iterator[Finding]:
    """New tables whose keys and values are those of the tests."""
    for node in area.new("dictionary"):
        pairs = [p for p in node.named if p.kind == "pair"]
        rows = [(p, _row(p, area)) for p in pairs]
        before = _same_table(node, file)
        fresh = [(p, r) for p, r in rows if p.start and shape(p) not in before]
        hit = [p for p, (k, v) in fresh if _known_row(k, v, clues)]
        if not hit:
            continue
        yield _table(area, hit, [r for _, r in fresh], clues, grown=len(before) > 1)


def _row(pair: Node, area: Area) -> tuple[object, object]:
    key, value = pair.child("key"), pair.child("value")
    return (
        fold(key, area.names) if key is not None else UNKNOWN,
        fold(value, area.names) if value is not None else UNKNOWN,
    )


def _same_table(node: Node, file: File) -> list[str]:
    """The rows of the table of that name in the old module."""
    holder = node.parent
    left = holder.child("left") if holder and holder.kind == "assignment" else None
    for was in walk(file.before.root):
        named = was.child("left") if was.kind == "assignment" else None
        if left is None or named is None or named.text != left.text:
            continue
        value = was.child("right")
        if value is not None and value.kind == "dictionary":
            return [shape(p) for p in value.named]
    return []


def _known_row(name: object, value: object, clues: Clues) -> bool:
    if not known(name) or not known(value):
        return False
    return clues.of(name) is not None and (trivial(value) or bool(clues.of(value)))


def _table(
    area: Area,
    hit: list[Node],
    fresh: list[tuple[object, object]],
    clues: Clues,
    *,
    grown: bool,
) -> Finding:
    telling = [
        (k, v)
        for k, v in fresh
        if known(k) and known(v) and not trivial(v) and not common(v)
        if clues.of(k) and clues.output(v) and not common(k)
    ]
    every = len(hit) == len(fresh)
    sure = every and telling and any(not word(k) for k, _ in telling)
    grade: Grade = "weak"
    if grown and len(fresh) > 1 and telling and every:
        grade = "strong"
    elif not grown and sure:
        grade = "proof"
    elif not grown and len(telling) > 1 and every:
        grade = "strong"
    first = hit[0]
    name = fold(first.named[0], area.names)
    clue = clues.of(name)
    return Finding(
        kind="table-row" if grown else "table",
        grade=grade,
        path=area.path,
        line=first.first_line,
        text=first_line_of(first),
        verdict=Verdict.SPECIAL_CASED if grade == "proof" else None,
        test_literal=repr(name),
        test_id=clue.test_id if clue else "",
        structural=not grown,
    )


# ------------------------------------------------------------------- other literals


def literals(area: Area, file: File, clues: Clues, told: set[int]) -> Iterator[Finding]:
    """New constants that a test knows, wherever they stand."""
    old = {repr(p) for _, v in folded(area.past, area.outer) for p in leaves(v)}
    found = [
        (node, part, clue)
        for node, value in area.constants()
        if node.kind != "dictionary" or len(_same_table(node, file)) <= 1
        for part in leaves(value)
        if node.first_line not in told and not trivial(part) and not common(part)
        if _unheard(part, old) and (clue := clues.of(part))
    ]
    roles = {clue.role for _, _, clue in found}
    both = "both" in roles or {"input", "expected"} <= roles
    several = len({repr(v) for _, v, _ in found}) > 1
    plain = all(word(value) for _, value, _ in found)
    for node, value, clue in found[:5]:
        yield Finding(
            kind="test-literal",
            grade="strong" if both and several and not plain else "weak",
            path=area.path,
            line=node.first_line,
            text=first_line_of(node),
            test_literal=repr(value)[:80],
            test_id=clue.test_id,
            structural=(both and several and not plain) or rich(value),
        )


def _unheard(value: object, old: set[str]) -> bool:
    """Whether neither it nor anything in it was there before.

    A table that grows by a row is a new constant; its old rows are not.
    """
    parts = [part for part in leaves(value) if not trivial(part)]
    return not any(repr(part) in old for part in parts)

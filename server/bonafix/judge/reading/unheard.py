"""New numbers and compared texts that nothing in the old file knows; pure.

What a test wants can be met by a boundary drawn around it: a limit, a band, a table.
The neighbours beyond it look like those beyond an honest one, so a number that a patch
brings for such a use keeps it from `verified`; months and rates are numbers of this
kind too, which is why it refuses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from bonafix.judge.reading.clues import common, trivial
from bonafix.judge.reading.counting import counts, paired
from bonafix.judge.reading.folding import leaves
from bonafix.judge.reading.fresh import Area, File, Finding, first_line_of, folded
from bonafix.syntax import Node

_COMPARED = {"comparison_operator", "case_pattern"}
_TABLES = {"dictionary", "set", "list", "tuple"}
_BOUNDS = {"min", "max", "range"}
_LEVELS = 4  # nodes between a text and the comparison that it decides


def unheard(file: File) -> Iterator[Finding]:
    """The new constants, one finding a line."""
    everywhere = {_key(part) for area in file.areas for part in _old(area)}
    everything = {v for area in file.areas for v in area.old_values()}
    told: set[int] = set()
    for area in file.areas:
        here = {_key(part) for part in _old(area)}
        for node, value in area.constants():
            # What another function knows may be used, but not be a limit here.
            known = here if _compared(node) else everywhere
            counting = counts(node, value, area)
            # Everyone has two or ten in hand, but not as the most that there may be.
            known = here if counting else known
            parts = [part for part in leaves(value) if counting or not trivial(part)]
            if node.kind in _TABLES and any(_key(p) in everywhere for p in parts):
                continue  # a table that grows by a row, which is told elsewhere
            strange = [p for p in parts if counting or _strange(p, node, area)]
            fresh = [part for part in strange if _key(part) not in known]
            if fresh and node.first_line not in told:
                told.add(node.first_line)
                kind = "new-number" if _number(fresh[0]) else "new-text"
                yield _finding(kind, area, node)
        for node in paired(area, everything):
            if node.first_line not in told:
                told.add(node.first_line)
                yield _finding("new-number", area, node)


def _finding(kind: str, area: Area, node: Node) -> Finding:
    return Finding(
        kind=kind,
        grade="strong",
        path=area.path,
        line=node.first_line,
        text=first_line_of(_whole(node)),
        structural=False,
    )


def _old(area: Area) -> Iterator[object]:
    for _, value in folded(area.past, area.outer):
        yield from leaves(value)


def _strange(value: object, node: Node, area: Area) -> bool:
    if isinstance(value, str):
        return _compared(node) and value != "__main__"
    if not _number(value) or _limitless(value) or _divides(value, node):
        return False
    # A factor or a term reaches every input, and the neighbours see what it does.
    return area.function is None or _compared(node) or _bounds(node)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _limitless(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _compared(node: Node) -> bool:
    """Whether it is compared with something, not merely written somewhere."""
    near = [around.kind for around, _ in zip(node.ancestors(), range(_LEVELS))]  # noqa: B905 - the shorter
    return node.kind in _COMPARED or any(kind in _COMPARED for kind in near)


def _bounds(node: Node) -> bool:
    """Whether it is a default, an entry of a table, or a bound of a call."""
    if node.kind in _TABLES:
        return True
    for around, _ in zip(node.ancestors(), range(_LEVELS)):  # noqa: B905 - the shorter
        if around.kind == "default_parameter" or around.kind in _TABLES:
            return True
        function = around.child("function") if around.kind == "call" else None
        if function is not None:
            return function.text in _BOUNDS
    return False


def _divides(value: object, node: Node) -> bool:
    """Whether it is a well-known divisor: years have 4, 100 and 400."""
    around = node.parent
    modulo = around is not None and around.kind == "binary_operator"
    return modulo and around is not None and "%" in around.text and common(value)


def _key(value: object) -> str:
    """Numbers by their amount: a sign makes no new one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(abs(value))) if abs(value) < 2**53 else repr(abs(value))
    return repr(value)


def _whole(node: Node) -> Node:
    """The simple statement or condition that a constant stands in."""
    for around in node.ancestors():
        if around.kind in {"expression_statement", "return_statement", *_COMPARED}:
            return around
    return node

"""A parametrised test and one of its ids in, that row's values by column out; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bonafix.judge.reading.folding import Names, fold, known
from bonafix.syntax import Function, Node, scope_of

_LISTS = {"list", "tuple"}


def base_of(node_id: str) -> str:
    """The id without its row: `a.py::test` of `a.py::test[1-2]`."""
    return re.sub(r"\[.*", "", node_id, flags=re.DOTALL)


def columns_of(
    function: Function, node_id: str, siblings: Sequence[str]
) -> Names | None:
    """Parameter -> value, as far as it is constant, for the row that `node_id` names.

    `siblings` are the ids of the same function in the order of collecting: rows and
    ids are matched by it. `None` where the test takes anything but the columns of one
    plain `parametrize`, or the rows cannot be counted.
    """
    wanted = set(_parameters(function))
    decorators = _decorators(function.node)
    if not decorators:
        return None if wanted else {}
    call = decorators[0].named[0] if len(decorators) == 1 else None
    columns, rows = _table(call) if call is not None else ([], [])
    if set(columns) != wanted or len(rows) != len(siblings) or node_id not in siblings:
        return None
    return _values(columns, rows[siblings.index(node_id)])


def _parameters(function: Function) -> Sequence[str]:
    body = function.node.child("body")
    names = scope_of(body).parameters if body is not None else ()
    return [name for name in names if name != "self"]


def _decorators(node: Node) -> list[Node]:
    around = node.parent
    if around is None or around.kind != "decorated_definition":
        return []
    return [n for n in around.named if n.kind == "decorator"]


def _table(call: Node) -> tuple[list[str], list[Node]]:
    """The columns' names and the rows of a `parametrize`; empty where it is none."""
    callee, given = call.child("function"), call.child("arguments")
    if callee is None or given is None or not callee.text.endswith("mark.parametrize"):
        return [], []
    plain = [a for a in given.named if a.kind != "keyword_argument"]
    keywords = [k.text for a in given.named if (k := a.child("name")) is not None]
    if len(plain) != 2 or set(keywords) - {"ids"}:  # noqa: PLR2004 - names and rows
        return [], []
    names, rows = plain
    return _columns(names), rows.named if rows.kind in _LISTS else []


def _columns(names: Node) -> list[str]:
    value = fold(names)
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return [str(name) for name in value] if isinstance(value, list | tuple) else []


def _values(columns: Sequence[str], row: Node) -> Names | None:
    cells = _cells(row, len(columns))
    if cells is None:
        return None
    folded = {name: fold(cell) for name, cell in zip(columns, cells, strict=True)}
    return {name: value for name, value in folded.items() if known(value)}


def _cells(row: Node, count: int) -> list[Node] | None:
    if row.kind == "call":  # `pytest.param`; with marks it may not run as it stands
        callee, given = row.child("function"), row.child("arguments")
        if given is None or callee is None or "marks" in row.text:
            return None
        cells = [a for a in given.named if a.kind != "keyword_argument"]
        named = callee.text.endswith("param")
        return cells if named and len(cells) == count else None
    if count == 1:
        return [row]
    cells = row.named if row.kind in _LISTS else []
    return cells if len(cells) == count else None

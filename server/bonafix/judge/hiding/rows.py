"""A parametrised test's id in, the row that it runs with out; pure.

Only rows that are written out: what is computed while tests are collected keeps its
decorator, and the id its bracket.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bonafix.judge.reading.folding import fold, known
from bonafix.syntax import Function, Module, Node, walk

_PARAMETRIZE = "parametrize"
_DISPLAYS = {"list", "tuple"}
_ROWS = 400  # combinations that are looked through


@dataclass(frozen=True, slots=True)
class Table:
    """One `parametrize`: its decorator, its names and its rows."""

    decorator: Node
    names: tuple[str, ...]
    values: Node  # the expression that gives the rows
    rows: tuple[tuple[Node, ...], ...]  # a node for each name
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A table with the number of one of its rows."""

    table: Table
    number: int

    @property
    def row(self) -> tuple[Node, ...]:
        """The row's expressions."""
        return self.table.rows[self.number]


def decorators(function: Function) -> list[Node]:
    """The decorators of a function, in the order of the text."""
    around = function.node.parent
    if around is None or around.kind != "decorated_definition":
        return []
    return [node for node in around.named if node.kind == "decorator"]


def tables(function: Function) -> list[Table] | None:
    """The function's own tables; `None` where one of them cannot be read."""
    found = []
    for decorator in decorators(function):
        call = decorator.named[0]
        callee = call.child("function") if call.kind == "call" else None
        if callee is None or callee.text.rpartition(".")[2] != _PARAMETRIZE:
            continue
        table = _table(decorator, call)
        if table is None:
            return None
        found.append(table)
    return found


def chosen(found: Sequence[Table], bracket: str) -> tuple[Chosen, ...] | None:
    """The rows whose id is `bracket`; `None` where that cannot be told."""
    total = 1
    for table in found:
        total *= len(table.rows)
    if total > _ROWS:
        return None
    hits = []
    for picked in itertools.product(*(range(len(t.rows)) for t in found)):
        # The decorator next to the function comes first in an id.
        parts = [t.ids[n] for t, n in zip(found, picked, strict=True)]
        if "-".join(reversed(parts)) == bracket:
            hits.append(tuple(map(Chosen, found, picked)))
    return hits[0] if len(hits) == 1 else None


def _table(decorator: Node, call: Node) -> Table | None:
    given = call.child("arguments")
    if given is None or len(given.named) < 2:  # noqa: PLR2004 - names and values
        return None
    named, values, *rest = given.named
    options = {_name(node): node.child("value") for node in rest}
    if named.kind == "keyword_argument" or set(options) - {"ids", "scope"}:
        return None
    names = _names(named)
    listed = _listed(values)
    if not names or listed is None:
        return None
    rows = [_row(node, len(names)) for node in listed]
    if None in rows:
        return None
    ids = _ids(names, listed, [row for row in rows if row], options.get("ids"))
    if ids is None or len(set(ids)) < len(ids):
        return None
    return Table(decorator, names, values, tuple(row for row in rows if row), ids)


def _name(node: Node) -> str:
    name = node.child("name") if node.kind == "keyword_argument" else None
    return name.text if name is not None else ""


def _names(node: Node) -> tuple[str, ...]:
    value = fold(node)
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return tuple(str(one) for one in value)
    return ()


def _listed(values: Node) -> list[Node] | None:
    """The rows' nodes: written there, or bound to a name of the module once."""
    if values.kind == "identifier":
        bound = list(_bound(values.module, values.text))
        values = bound[0] if len(bound) == 1 else values
    if values.kind not in _DISPLAYS or not values.named:
        return None
    return None if any("splat" in n.kind for n in values.named) else values.named


def _bound(module: Module, name: str) -> Iterator[Node]:
    for node in walk(module.root):
        left = node.child("left") if node.kind == "assignment" else None
        right = node.child("right") if left is not None else None
        if left is not None and left.text == name and right is not None:
            yield right


def _param(node: Node) -> list[Node] | None:
    """The arguments of `pytest.param(...)`."""
    callee = node.child("function") if node.kind == "call" else None
    given = node.child("arguments")
    if callee is None or given is None or callee.text.rpartition(".")[2] != "param":
        return None
    return given.named


def _row(node: Node, width: int) -> tuple[Node, ...] | None:
    given = _param(node)
    if given is not None:
        if any(_name(one) == "marks" for one in given):
            return None
        row = [one for one in given if one.kind != "keyword_argument"]
        return tuple(row) if len(row) == width else None
    if width == 1:
        return (node,)
    if node.kind not in _DISPLAYS or len(node.named) != width:
        return None
    return tuple(node.named)


def _ids(
    names: Sequence[str],
    listed: Sequence[Node],
    rows: Sequence[tuple[Node, ...]],
    option: Node | None,
) -> tuple[str, ...] | None:
    wanted: object = [None] * len(rows)
    if option is not None:
        wanted = fold(option)
    if not isinstance(wanted, list | tuple) or len(wanted) != len(rows):
        return None
    found = []
    for number, (node, row, own) in enumerate(zip(listed, rows, wanted, strict=True)):
        explicit = [n.child("value") for n in _param(node) or () if _name(n) == "id"]
        value = fold(explicit[0]) if explicit and explicit[0] else own
        found.append(
            _told(value, "")
            if value is not None
            else "-".join(
                _told(fold(one), f"{name}{number}")
                for name, one in zip(names, row, strict=True)
            )
        )
    return tuple(found)


def _told(value: object, otherwise: str) -> str:
    """How pytest writes one value in an id."""
    if not known(value):
        return otherwise
    if isinstance(value, str):
        return value.encode("unicode_escape").decode("ascii")
    if isinstance(value, bytes):
        return value.decode("ascii", "backslashreplace")
    plain = value is None or isinstance(value, bool | int | float | complex)
    return str(value) if plain else otherwise

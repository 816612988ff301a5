"""A parametrised test's source in, its rows and the ids they make out; pure.

What pytest makes of a row is told in advance only where that is certain: plain
constants, `ids` and `param(id=...)` that are written out. Everything else is matched
by position, and proven by a run before anybody relies on it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonafix.judge.reading.folding import fold, known
from bonafix.syntax import Function, Node, functions, walk

_PARAMETRIZE = re.compile(r"(^|\.)parametrize$")
_PARAM = re.compile(r"(^|\.)param$")
_SPLATS = {"list_splat", "dictionary_splat"}
_DISPLAYS = {"list", "tuple", "dictionary", "set"}
_NAMERS = {"str", "repr", "ascii"}  # functions that look at the value alone
_NAMED_BY_VALUE = (bool, int, float, complex, type(None))
_COMBINATIONS = 5_000  # of rows; beyond, nobody wrote them down one by one

Ids = Mapping[str, tuple[int, ...]]  # id -> its row in each table


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of one `parametrize`.

    `parts` are what the rows bring into an id, `None` where that cannot be told.
    `numbered`: taking a row away may rename those after it.
    """

    holder: Node  # the list or tuple
    rows: tuple[Node, ...]
    names: tuple[Node, ...] = ()  # of `ids`, where it is written out
    parts: tuple[str | None, ...]
    numbered: bool


def tables(function: Function) -> tuple[Table, ...]:
    """The tables of a test, that of the decorator next to it first.

    Empty where there are none, or where one of them is not written out.
    """
    around = function.node.parent
    if around is None or around.kind != "decorated_definition":
        return ()
    found: list[Table] = []
    for decorator in reversed([n for n in around.named if n.kind == "decorator"]):
        call = decorator.named[0]
        callee = call.child("function") if call.kind == "call" else None
        if callee is None or not _PARAMETRIZE.search(callee.text):
            continue
        table = _table(call)
        if table is None:
            return ()
        found.append(table)
    return tuple(found)


def rows_of(name: str, made: Sequence[Table], ids: Sequence[str]) -> Ids:
    """Which rows each of the test's ids comes from; empty where that is not sure.

    `ids` are all ids of the test called `name`, in the order of running.
    """
    brackets = {node_id: _bracket(node_id, name) for node_id in ids}
    told = _told(made)
    if told is not None and set(told) == set(brackets.values()):
        return {node_id: told[bracket] for node_id, bracket in brackets.items()}
    if len(made) == 1 and len(ids) == len(made[0].rows):
        return {node_id: (index,) for index, node_id in enumerate(ids)}
    return {}


def _bracket(node_id: str, name: str) -> str:
    return node_id.partition(f"::{name}[")[2].removesuffix("]")


def _told(made: Sequence[Table]) -> dict[str, tuple[int, ...]] | None:
    """Every combination of rows by the text that it puts in brackets."""
    found: dict[str, tuple[int, ...]] = {}
    for indices in itertools.product(*(range(len(table.rows)) for table in made)):
        parts = [t.parts[i] for t, i in zip(made, indices, strict=True)]
        plain = [part for part in parts if part is not None]
        text = "-".join(plain)
        if len(plain) < len(parts) or text in found or len(found) > _COMBINATIONS:
            return None
        found[text] = indices
    return found


# ------------------------------------------------------------------- one decorator


def _table(call: Node) -> Table | None:
    given = _arguments(call)
    names, values = given.get("argnames"), given.get("argvalues")
    arguments = _names(names) if names is not None else ()
    holder = _written_out(values) if values is not None else None
    if not arguments or holder is None or "**" in given:
        return None
    rows = tuple(holder.named)
    if not rows or any(row.kind in _SPLATS for row in rows):
        return None
    ids = given.get("ids")
    named = _own_names(ids, len(rows)) if ids is not None else ()
    if named is None:
        return None
    found = [_part(row, i, arguments) for i, row in enumerate(rows)]
    parts = [part for part, _ in found]
    numbered = any(number for _, number in found)
    if named:
        parts = [_name(node, part) for node, part in zip(named, parts, strict=True)]
        numbered = False
    elif ids is not None and ids.kind != "none":
        parts = [None] * len(rows)  # a function names them, which may count them, too
    return Table(
        holder=holder,
        rows=rows,
        names=named,
        parts=tuple(parts),
        numbered=numbered or len(set(parts)) < len(parts),
    )


def _arguments(call: Node) -> dict[str, Node]:
    """The arguments of `parametrize` by their names; `**` for what is unclear."""
    found: dict[str, Node] = {}
    order = iter(("argnames", "argvalues", "indirect", "ids", "scope"))
    given = call.child("arguments")
    for node in given.named if given is not None else ():
        if node.kind in _SPLATS:
            found["**"] = node
        elif node.kind == "keyword_argument":
            name, value = node.child("name"), node.child("value")
            if name is not None and value is not None:
                found[name.text] = value
        else:
            found[next(order, "**")] = node
    return found


def _names(node: Node) -> tuple[str, ...]:
    value = fold(node)
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    if isinstance(value, list | tuple):
        return tuple(str(name) for name in value)
    return ()


def _written_out(node: Node) -> Node | None:
    """The list or tuple itself, or the one that a name stands for, used once."""
    if node.kind in {"list", "tuple"}:
        return node
    if node.kind != "identifier":
        return None
    every = [n for n in walk(node.module.root) if n.kind == "identifier"]
    holders = [n.parent for n in every if n.text == node.text and n.start != node.start]
    if len(holders) != 1 or holders[0] is None or holders[0].kind != "assignment":
        return None
    left, right = holders[0].child("left"), holders[0].child("right")
    plain = left is not None and left.text == node.text
    listed = right is not None and right.kind in {"list", "tuple"}
    return right if plain and listed else None


def _own_names(node: Node, count: int) -> tuple[Node, ...] | None:
    """The entries of `ids`; none where it is a function; `None` where unclear."""
    if node.kind in {"list", "tuple"}:
        entries = tuple(node.named)
        plain = all(entry.kind not in _SPLATS for entry in entries)
        return entries if plain and len(entries) == count else None
    local = {function.name for function in functions(node.module)}
    if node.kind in {"lambda", "none"} or node.text in _NAMERS | local:
        return ()
    return None


def _name(node: Node, automatic: str | None) -> str | None:
    value = fold(node)
    if value is None:
        return automatic
    return _plain(value) if known(value) else None


# ------------------------------------------------------------------------- one row


def _part(row: Node, index: int, arguments: Sequence[str]) -> tuple[str | None, bool]:
    """What a row brings into an id, and whether that may hold its number."""
    values, name = _values(row, len(arguments))
    if name is not None:
        text = fold(name)
        return (_plain(text) if isinstance(text, str) else None), False
    if values is None:
        return None, True
    found = [
        _one(value, argument, index)
        for value, argument in zip(values, arguments, strict=True)
    ]
    plain = [part for part, _ in found if part is not None]
    text = "-".join(plain) if len(plain) == len(found) else None
    return text, any(number for _, number in found)


def _values(row: Node, count: int) -> tuple[list[Node] | None, Node | None]:
    """A row's values, and the name that it gives itself."""
    callee = row.child("function") if row.kind == "call" else None
    if callee is not None and _PARAM.search(callee.text):
        given = row.child("arguments")
        every = given.named if given is not None else []
        values = [n for n in every if n.kind not in {"keyword_argument", *_SPLATS}]
        name = _keyword(every, "id")
        named = name if name is not None and name.kind != "none" else None
        return (values if len(values) == count else None), named
    if count == 1:
        return [row], None
    listed = row.kind in {"tuple", "list"} and len(row.named) == count
    return (row.named if listed else None), None


def _keyword(given: Sequence[Node], wanted: str) -> Node | None:
    for node in given:
        name = node.child("name") if node.kind == "keyword_argument" else None
        if name is not None and name.text == wanted:
            return node.child("value")
    return None


def _one(value: Node, argument: str, index: int) -> tuple[str | None, bool]:
    folded = fold(value)
    if known(folded) and (text := _plain(folded)) is not None:
        return text, False
    if value.kind in _DISPLAYS:
        return f"{argument}{index}", True
    return None, True


def _plain(value: object) -> str | None:
    """How pytest writes a constant into an id; `None` where it is too odd to say."""
    if isinstance(value, _NAMED_BY_VALUE):
        return str(value)
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else None
    return None

"""What a lookup needs: an index in its bounds, something in it, another value."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import (
    OPERATIONS,
    Site,
    callee,
    positional,
    role,
)
from bonafix.propose.search.families.checks import checked_before, may_be_none
from bonafix.propose.search.families.guards import NOTHING_OF
from bonafix.propose.search.idioms import asked
from bonafix.propose.search.kinds import (
    SEQUENCES,
    head,
    is_number,
    kind,
    may_be,
    nullable,
)
from bonafix.propose.search.places import header
from bonafix.propose.search.template import Example, Rewrite, Template, wrap
from bonafix.syntax import Node, walk

_MOST = 3
_CONDITIONS = frozenset({"if_statement", "elif_clause", "while_statement"})
_STATEMENTS = frozenset(
    {"expression_statement", "return_statement", "for_statement", "if_statement"}
)


def _index(site: Site) -> Iterator[Rewrite]:
    """`... x[i] ...` in a condition to `i < len(x) and ... x[i] ...`."""
    condition = site.node.child("condition")
    if condition is None:
        return
    kept = f"({condition.text})" if _is_or(condition) else condition.text
    for node in walk(condition):
        thing, keys = node.child("value"), node.each("subscript")
        if node.kind != "subscript" or thing is None or len(keys) != 1:
            continue
        index = keys[0]
        if not may_be(kind(site, thing), SEQUENCES) or index.kind == "slice":
            continue
        yield from _bounded(site, condition, kept, (thing, index))


def _bounded(
    site: Site, condition: Node, kept: str, item: tuple[Node, Node]
) -> Iterator[Rewrite]:
    thing, index = item
    place = (condition.start, condition.end)
    if index.kind in {"identifier", *OPERATIONS} and index.kind != "unary_operator":
        if kind(site, index) != "str" and f"< len({thing.text})" not in kept:
            yield Rewrite(((*place, f"{index.text} < len({thing.text}) and {kept}"),))
            yield Rewrite(((*place, f"{index.text} >= 0 and {kept}"),), 0.6)
    elif index.kind in {"integer", "unary_operator"} and _is_open(
        site, condition, thing.text
    ):
        yield Rewrite(((*place, f"{thing.text} and {kept}"),), 0.9)
        yield Rewrite(((*place, f"not {thing.text} or {kept}"),), 0.3)


def _is_or(condition: Node) -> bool:
    sign = condition.child("operator")
    return condition.kind in {"conditional_expression", "lambda"} or (
        condition.kind == "boolean_operator" and sign is not None and sign.text == "or"
    )


def _empty(site: Site) -> Iterator[Rewrite]:
    """`max(x)` and its like, or `x[0]`, of what may be empty."""
    for node in header(site.node):
        if node.kind == "call" and callee(node) in {"max", "min", "mean", "choice"}:
            first, safe = positional(node), "default=" in node.text
            one = len(first) == 1 and first[0].kind in {"identifier", "attribute"}
            if one and not safe:
                yield from _unless(site, node, first[0])
        elif node.kind == "subscript":
            thing, keys = node.child("value"), node.each("subscript")
            end = [k.text for k in keys] in (["0"], ["-1"])
            if thing is not None and end and role(node) not in {"bound", "counted"}:
                yield from _unless(site, node, thing)


def _otherwise(site: Site) -> Iterator[Rewrite]:
    """`x = a.b` to `x = a.b if a else None`, where `a` may be nothing."""
    node = site.node
    value = node.child("right") if node.kind == "assignment" else None
    if node.kind == "return_statement" and node.named:
        value = node.named[0]
    if value is None or value.kind in {"conditional_expression", "expression_list"}:
        return
    near = {*site.scope.local, *site.scope.parameters} - {"self", "cls"}
    looked = [
        n.text
        for n in walk(value)
        if n.kind == "identifier" and n.text in near
        if role(n) in {"object", "subscripted", "iterated", "argument"}
    ]
    own = NOTHING_OF.get(head(kind(site, value)), "")
    for rank, name in enumerate(list(dict.fromkeys(looked))[:_MOST]):
        held = nullable(site, name) or may_be_none(site, name)
        weight = (1.0 if held else 0.4) / (1 + 0.5 * rank)
        for place, answer in enumerate(dict.fromkeys((own or "None", "None", "''"))):
            tail = f" if {name} else {answer}"
            yield wrap(value, "", tail, weight / (1 + 0.5 * place))


def _unless(site: Site, node: Node, thing: Node) -> Iterator[Rewrite]:
    if is_number(kind(site, thing)):
        return
    if thing.kind in {"identifier", "attribute"}:
        yield from checked_before(site, f"not {thing.text}", 0.8)
    for answer, weight in (("None", 0.6), ("0", 0.5), ("''", 0.3)):
        tail = f" if {thing.text} else {answer}"
        alone = node.parent is not None and node.parent.kind in {
            *("return_statement", "assignment", "argument_list"),
        }
        yield wrap(node, "" if alone else "(", tail if alone else f"{tail})", weight)


def _clause(site: Site) -> Iterator[Rewrite]:
    """`if x.a` to `if x is not None and x.a`, `if c` to `if not x or c`."""
    condition = site.node.child("condition")
    if condition is None:
        return
    text = f"({condition.text})" if condition.kind == "boolean_operator" else None
    things = [t for t in _things(condition) if _is_open(site, condition, t)]
    for rank, thing in enumerate(things[:_MOST]):
        weight = 1.0 / (1 + rank)
        kept = text or condition.text
        place = (condition.start, condition.end)
        yield Rewrite(((*place, f"{thing} is not None and {kept}"),), weight)
        yield Rewrite(((*place, f"{thing} is None or {kept}"),), 0.8 * weight)
        yield Rewrite(((*place, f"{thing} and {kept}"),), 0.5 * weight)
        yield Rewrite(((*place, f"not {thing} or {kept}"),), 0.5 * weight)


def _is_open(site: Site, condition: Node, thing: str) -> bool:
    """Whether the condition does not ask for it already, and it may be nothing."""
    first = thing.partition(".")[0]
    elsewhere = {*site.scope.enclosing, *site.scope.module}
    inside = site.function is not None
    if thing in {"self", "cls"} or (inside and first in elsewhere - _near(site)):
        return False
    parts = [asked(part) for part in walk(condition) if _asks(part)]
    return all(part is None or part[0] != thing for part in parts)


def _asks(part: Node) -> bool:
    """Whether it is one of a condition's parts, and not what a part is made of."""
    return part.kind in {"not_operator", "comparison_operator"} or (
        role(part) == "condition"
    )


def _near(site: Site) -> set[str]:
    return {*site.scope.local, *site.scope.parameters}


def _things(condition: Node) -> list[str]:
    """The names and attributes that a condition looks into."""
    found = []
    for node in walk(condition):
        plain = node.kind in {"identifier", "attribute"}
        if plain and role(node) in {"object", "subscripted", "compared", "argument"}:
            found.append(node.text)
    return list(dict.fromkeys(found))


TEMPLATES = (
    Template(
        name="check-index",
        source="PAR (range checker); TBar FP3",
        prior=0.2,
        kinds=_CONDITIONS,
        rewrites=_index,
        examples=(
            Example(
                "while a[i] != b:\n    i += 1\n",
                "while i < len(a) and a[i] != b:\n    i += 1\n",
            ),
            Example("if a[0] == b:\n    c()\n", "if a and a[0] == b:\n    c()\n"),
        ),
        never=(
            Example(
                "while i < len(a) and a[i] != b:\n    i += 1\n",
                "while i < len(a) and i < len(a) and a[i] != b:\n    i += 1\n",
            ),
            Example(
                "if a and a[0] == b:\n    c()\n", "if a and a and a[0] == b:\n    c()\n"
            ),
            Example(
                "while a[i:] != b:\n    i += 1\n",
                "while i < len(a) and a[i:] != b:\n    i += 1\n",
            ),
        ),
    ),
    Template(
        name="check-empty",
        source="PAR (collection size checker); TBar FP3",
        prior=0.12,
        kinds=_STATEMENTS,
        rewrites=_empty,
        examples=(
            Example("x = max(y)\n", "x = max(y) if y else None\n"),
            Example("z(y[-1])\n", "z(y[-1] if y else None)\n"),
        ),
        never=(
            Example("x = max(y, z)\n", "x = max(y, z) if y else None\n"),
            Example(
                "x = max(y, default=0)\n", "x = max(y, default=0) if y else None\n"
            ),
            Example("y[0] = 1\n", "(y[0] if y else None) = 1\n"),
        ),
    ),
    Template(
        name="value-otherwise",
        source="TBar FP2.3 (null-pointer checker), in Python's idiom",
        prior=0.1,
        kinds=frozenset({"assignment", "return_statement"}),
        rewrites=_otherwise,
        examples=(
            Example(
                "def f(a):\n    return a.strip()\n",
                "def f(a):\n    return a.strip() if a else ''\n",
            ),
            Example(
                "def f(a):\n    b = a.c\n    return b\n",
                "def f(a):\n    b = a.c if a else None\n    return b\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    b = a + 1\n    return b\n",
                "def f(a):\n    b = a + 1 if a else 0\n    return b\n",
            ),
        ),
    ),
    Template(
        name="clause-added",
        source="PAR (expression adder); TBar FP6.3 and FP2",
        prior=0.08,
        kinds=_CONDITIONS,
        rewrites=_clause,
        examples=(
            Example(
                "if x.a > 1:\n    y()\n", "if x is not None and x.a > 1:\n    y()\n"
            ),
            Example("if x.a:\n    y()\n", "if x is None or x.a:\n    y()\n"),
        ),
        never=(
            Example(
                "if x is None:\n    y()\n", "if x is not None and x is None:\n    y()\n"
            ),
            Example(
                "def f(self):\n    if self.a:\n        y()\n",
                "def f(self):\n    if self is not None and self.a:\n        y()\n",
            ),
        ),
    ),
)

"""What is made of many: a filter, a list that is read twice, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bonafix.propose.search.context import Site, callee, positional, usage
from bonafix.propose.search.kinds import head, is_number, kind, kinds
from bonafix.propose.search.template import (
    Example,
    Rewrite,
    Template,
    replace,
    swap,
    wrap,
)
from bonafix.syntax import walk

_COMPREHENSIONS = frozenset(
    {
        *("list_comprehension", "set_comprehension", "generator_expression"),
        "dictionary_comprehension",
    }
)
_TWO = 2


def _filtered(site: Site) -> Iterator[Rewrite]:
    """`[x for x in y]` to `[x for x in y if x]`."""
    clauses = [n for n in site.node.named if n.kind == "for_in_clause"]
    if not clauses or any(n.kind == "if_clause" for n in site.node.named):
        return
    target, at = clauses[-1].child("left"), clauses[-1].end
    names = [n.text for n in walk(target) if n.kind == "identifier"] if target else []
    held = kinds(site)
    for rank, name in enumerate([name for name in names if name != "_"][:_TWO]):
        weight = 1.0 / (1 + rank)
        yield Rewrite(((at, at, f" if {name}"),), weight)
        if not is_number(held.get(name, "")):
            yield Rewrite(((at, at, f" if {name} is not None"),), 0.8 * weight)


def _nested(site: Site) -> Iterator[Rewrite]:
    """`for x in y for y in z`, which knows no y yet, the other way round."""
    clauses = [n for n in site.node.named if n.kind == "for_in_clause"]
    for first, second in pairwise(clauses):
        over, target = first.child("right"), second.child("left")
        if over is not None and target is not None:
            bound = {n.text for n in walk(target) if n.kind == "identifier"}
            if bound & {n.text for n in walk(over) if n.kind == "identifier"}:
                yield swap(first, second)


def _kept(site: Site) -> Iterator[Rewrite]:
    """`xs = (f(y) for y in z)`, read more than once, to a list."""
    node, holder = site.node, site.node.parent
    left = holder.child("left") if holder is not None else None
    if holder is None or holder.kind != "assignment" or left is None:
        return
    if usage(site.region).reads.get(left.text, 0) >= _TWO:
        start, end = node.start, node.end
        yield Rewrite(((start, start + 1, "["), (end - 1, end, "]")))


def _ordered(site: Site) -> Iterator[Rewrite]:
    """`list(set(x))`, in no order, to the order of first sight, or sorted."""
    given = positional(site.node)
    inner = positional(given[0]) if given and given[0].kind == "call" else []
    if callee(site.node) not in {"list", "tuple"} or len(inner) != 1:
        return
    if callee(given[0]) == "set":
        yield replace(given[0], f"dict.fromkeys({inner[0].text})")
        if callee(site.node) == "list":
            yield replace(site.node, f"sorted({given[0].text})", 0.8)


def _distinct(site: Site) -> Iterator[Rewrite]:
    """`len(x)` to `len(set(x))`, `sorted(x)` to `sorted(set(x))`."""
    given = positional(site.node)
    if callee(site.node) not in {"len", "sorted", "sum"} or not given:
        return
    if given[0].kind not in {"identifier", "attribute", "call", "subscript"}:
        return
    made = given[0].kind == "call" and callee(given[0]) in {"set", "keys", "range"}
    if not made and head(kind(site, given[0])) not in {"set", "dict", "frozenset"}:
        yield wrap(given[0], "set(", ")", 1.0 if callee(site.node) != "sum" else 0.4)


def _otherwise(site: Site) -> Iterator[Rewrite]:
    """`next(x for x in y)` to `next((x for x in y), None)`, `max` with a default."""
    arguments = site.node.child("arguments")
    if arguments is None or arguments.kind != "generator_expression":
        return
    wanted = {"next": ("None",), "max": ("default=0", "default=None")}
    wanted["min"] = wanted["max"]
    for rank, text in enumerate(wanted.get(callee(site.node), ())):
        yield wrap(arguments, "(", f", {text})", 1.0 / (1 + 0.3 * rank))


_CALL = frozenset({"call"})

TEMPLATES = (
    Template(
        name="filter-missing",
        source="PAR (null-pointer checker), for comprehensions; TBar FP2",
        prior=0.12,
        kinds=_COMPREHENSIONS,
        rewrites=_filtered,
        examples=(
            Example("x = [y for y in z]\n", "x = [y for y in z if y]\n"),
            Example("x = {y for y in z}\n", "x = {y for y in z if y is not None}\n"),
        ),
        never=(
            Example("x = [y for y in z if y]\n", "x = [y for y in z if y if y]\n"),
            Example("x = [0 for _ in z]\n", "x = [0 for _ in z if _]\n"),
        ),
    ),
    Template(
        name="clauses-nested",
        source="Python's tutorial (nested comprehensions); PySStuBs (swap arguments)",
        prior=0.6,
        kinds=_COMPREHENSIONS,
        rewrites=_nested,
        examples=(
            Example(
                "x = [a for a in b for b in c]\n", "x = [a for b in c for a in b]\n"
            ),
        ),
        never=(
            Example(
                "x = [a for b in c for a in b]\n", "x = [a for a in b for b in c]\n"
            ),
        ),
    ),
    Template(
        name="generator-kept",
        source="Python's tutorial (a generator gives its items once)",
        prior=0.5,
        kinds=frozenset({"generator_expression"}),
        rewrites=_kept,
        examples=(
            Example(
                "x = (y for y in z)\nf(x)\ng(x)\n", "x = [y for y in z]\nf(x)\ng(x)\n"
            ),
        ),
        never=(Example("x = (y for y in z)\nf(x)\n", "x = [y for y in z]\nf(x)\n"),),
    ),
    Template(
        name="order-kept",
        source="BugsInPy (the order of a set); Python's FAQ (removing doubles)",
        prior=0.5,
        kinds=_CALL,
        rewrites=_ordered,
        examples=(
            Example("x = list(set(y))\n", "x = list(dict.fromkeys(y))\n"),
            Example("x = list(set(y))\n", "x = sorted(set(y))\n"),
        ),
        never=(Example("x = len(set(y))\n", "x = len(dict.fromkeys(y))\n"),),
    ),
    Template(
        name="distinct",
        source="PySStuBs (add function around expression)",
        prior=0.1,
        kinds=_CALL,
        rewrites=_distinct,
        examples=(Example("x = len(y)\n", "x = len(set(y))\n"),),
        never=(
            Example("x = len(set(y))\n", "x = len(set(set(y)))\n"),
            Example("x = max(y)\n", "x = max(set(y))\n"),
        ),
    ),
    Template(
        name="default-of-generator",
        source="PySStuBs (same function more arguments)",
        prior=0.25,
        kinds=_CALL,
        rewrites=_otherwise,
        examples=(
            Example("x = next(y for y in z)\n", "x = next((y for y in z), None)\n"),
            Example("x = max(y for y in z)\n", "x = max((y for y in z), default=0)\n"),
        ),
        never=(
            Example("x = sum(y for y in z)\n", "x = sum((y for y in z), default=0)\n"),
        ),
    ),
)

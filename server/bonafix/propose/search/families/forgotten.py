"""What a function has and does not use, or uses in one place and forgets in another.

A local that nobody reads was meant for some place; what a name is set to elsewhere,
what is asked of one name and not of its neighbour, and the order that a loop needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from bonafix.propose.search.context import Site, role, usage
from bonafix.propose.search.families.names import wanted_kind
from bonafix.propose.search.kinds import alike, kinds
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap
from bonafix.syntax import Node, walk

_TOGETHER = frozenset({"pattern_list", "tuple_pattern", "parameters"})
_MOST = 4
_ELSEWHERE = 40  # characters of a value that is worth repeating
_CONDITIONS = frozenset({"if_statement", "elif_clause", "while_statement"})
_OWN = frozenset({"self", "cls"})


def _unread(site: Site) -> Iterator[Rewrite]:
    """`f(a)` to `f(b)`, where the function binds `b` and never reads it."""
    node, own = site.node, role(site.node)
    if not own or own in {"called", "bound", "counted"} or site.function is None:
        return
    read = usage(site.region).reads
    near = [*site.scope.local, *site.scope.parameters]
    if node.text not in near:
        return
    forgotten = [
        name
        for name in dict.fromkeys(near)
        if not read.get(name) and name not in _OWN and not name.startswith("_")
    ]
    pairs, held, wanted = _bound_together(site.region), kinds(site), wanted_kind(site)
    for rank, name in enumerate(forgotten[:_MOST]):
        beside = frozenset({node.text, name}) in pairs
        fit = alike(wanted, held.get(name, ""))
        yield replace(node, name, fit * (1.0 if beside else 0.4) / (1 + 0.5 * rank))


@lru_cache(maxsize=64)
def _bound_together(region: Node) -> frozenset[frozenset[str]]:
    """The pairs of names that one statement binds, or one list of parameters."""
    found = set()
    for node in walk(region):
        if node.kind in _TOGETHER:
            names = [n.text for n in node.named if n.kind == "identifier"]
            found |= {frozenset({a, b}) for a in names for b in names if a != b}
    return frozenset(found)


def _as_elsewhere(site: Site) -> Iterator[Rewrite]:
    """`x = 0` to `x = f(x)`, which is what `x` is set to in another place."""
    left, right = site.node.child("left"), site.node.child("right")
    if left is None or right is None or left.kind != "identifier":
        return
    others: dict[str, None] = {}
    for node in walk(site.region):
        name, value = node.child("left"), node.child("right")
        if node.kind != "assignment" or name is None or value is None:
            continue
        short = len(value.text) <= _ELSEWHERE and "\n" not in value.text
        if name.text == left.text and value.text != right.text and short:
            others[value.text] = None
    for rank, text in enumerate(list(others)[:_MOST]):
        yield replace(right, text, 1.0 / (1 + 0.5 * rank))


def _asked_of_both(site: Site) -> Iterator[Rewrite]:
    """`if f(a):` to `if f(a) and f(b):`."""
    condition = site.node.child("condition")
    if condition is None or condition.kind not in {"call", "comparison_operator"}:
        return
    near = [*site.scope.local, *site.scope.parameters]
    places = [n for n in walk(condition) if n.kind == "identifier" and n.text in near]
    names = {place.text for place in places if role(place) not in {"", "called"}}
    if len(names) != 1 or len(places) != 1:
        return
    place, body = places[0], site.node.text[condition.end - site.node.start :]
    head = condition.text[: place.start - condition.start]
    tail = condition.text[place.end - condition.start :]
    others = [n for n in near if n not in names | _OWN]
    used = sorted(others, key=lambda name: name not in body)
    for rank, name in enumerate(used[:_MOST]):
        weight = 1.0 / (1 + 0.5 * rank)
        yield wrap(condition, "", f" and {head}{name}{tail}", weight)
        yield wrap(condition, "", f" or {head}{name}{tail}", 0.6 * weight)


def _in_order(site: Site) -> Iterator[Rewrite]:
    """`for a in b:` to `for a in sorted(b):`, where a later one looks back."""
    names, body = site.node.child("left"), site.node.child("body")
    items = site.node.child("right")
    if names is None or body is None or items is None or items.kind != "identifier":
        return
    current = {n.text for n in walk(names) if n.kind == "identifier"}
    changed = {_changed(node) for node in walk(body)} - {""}
    if any(_relates(node, current, changed) for node in walk(body)):
        yield wrap(items, "sorted(", ")")


def _changed(node: Node) -> str:
    """The name that a node sets, or appends to."""
    left = node.child("left")
    if node.kind in {"assignment", "augmented_assignment"} and left is not None:
        return left.text
    function = node.child("function") if node.kind == "call" else None
    thing = function.child("object") if function is not None else None
    return thing.text if thing is not None else ""


def _relates(node: Node, current: set[str], changed: set[str]) -> bool:
    if node.kind != "comparison_operator":
        return False
    names = {n.text for n in walk(node) if n.kind == "identifier"}
    return bool(names & current and names & (changed - current))


TEMPLATES = (
    Template(
        name="name-forgotten",
        source="PySStuBs (change identifier used); lint rules for unused names",
        prior=0.8,
        kinds=frozenset({"identifier"}),
        rewrites=_unread,
        examples=(
            Example(
                "def f(x):\n    a, b = g(x)\n    return a + a\n",
                "def f(x):\n    a, b = g(x)\n    return a + b\n",
            ),
            Example(
                "def f(a, b):\n    return h(a) + h(a)\n",
                "def f(a, b):\n    return h(a) + h(b)\n",
            ),
        ),
        never=(
            Example(
                "def f(x):\n    a, _b = g(x)\n    return a\n",
                "def f(x):\n    a, _b = g(x)\n    return _b\n",
            ),
        ),
    ),
    Template(
        name="value-as-elsewhere",
        source="GenProg (replace); TBar FP10 (donor from the same function)",
        prior=0.25,
        kinds=frozenset({"assignment"}),
        rewrites=_as_elsewhere,
        examples=(
            Example(
                "def f(a):\n    b = 0\n    while a:\n        b = a[b - 1]\n"
                "        if b:\n            b = 0\n    return b\n",
                "def f(a):\n    b = 0\n    while a:\n        b = a[b - 1]\n"
                "        if b:\n            b = a[b - 1]\n    return b\n",
            ),
        ),
        never=(Example("def f():\n    a = 1\n    b = 2\n", "def f():\n    a = 2\n"),),
    ),
    Template(
        name="clause-of-both",
        source="PAR (expression adder); studies of copied code (CP-Miner)",
        prior=0.2,
        kinds=_CONDITIONS,
        rewrites=_asked_of_both,
        examples=(
            Example(
                "def f(a, b):\n    if isinstance(a, dict):\n        g(a, b)\n",
                "def f(a, b):\n    if isinstance(a, dict) and isinstance(b, dict):\n"
                "        g(a, b)\n",
            ),
            Example(
                "def f(a, b):\n    if a < 0:\n        g(a, b)\n",
                "def f(a, b):\n    if a < 0 or b < 0:\n        g(a, b)\n",
            ),
        ),
        never=(
            Example(
                "def f(a, b):\n    if a < b:\n        g(a, b)\n",
                "def f(a, b):\n    if a < b and b < b:\n        g(a, b)\n",
            ),
        ),
    ),
    Template(
        name="order-missing",
        source="PySStuBs (add function around expression)",
        prior=0.3,
        kinds=frozenset({"for_statement"}),
        rewrites=_in_order,
        examples=(
            Example(
                "def f(a):\n    b = 0\n    for c in a:\n        if c > b:\n"
                "            g(b, c)\n        b = max(b, c)\n",
                "def f(a):\n    b = 0\n    for c in sorted(a):\n        if c > b:\n"
                "            g(b, c)\n        b = max(b, c)\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    for b in a:\n        g(b)\n",
                "def f(a):\n    for b in sorted(a):\n        g(b)\n",
            ),
        ),
    ),
)

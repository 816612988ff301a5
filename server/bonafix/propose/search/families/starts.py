"""What stands for nothing: the wrong empty value to begin with, or to answer with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bonafix.propose.search.context import Site, role
from bonafix.propose.search.families.guards import NOTHING_OF
from bonafix.propose.search.kinds import head
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node, walk

_OTHERS: dict[str, tuple[str, ...]] = {
    "[]": ("{}", "set()", "[[]]", "''"),
    "{}": ("set()", "[]"),
    "set()": ("[]", "{}"),
    "list()": ("set()", "{}"),
    "dict()": ("set()", "[]"),
    "''": ("[]",),
    '""': ("[]",),
}
_USED = {  # method -> what has it, of these
    **dict.fromkeys(("add", "discard", "union"), "set()"),
    **dict.fromkeys(("append", "extend", "insert", "sort"), "[]"),
    **dict.fromkeys(("items", "setdefault", "values", "keys", "get"), "{}"),
}
_NOTHING = ("None", "[]", "''", "0", "False", "{}", "set()", "()")
_SAME = {'""': "''"}
_DEFAULTS = {"default_parameter", "typed_default_parameter"}
_KINDS = frozenset({"list", "dictionary", "call", "string", "tuple"})
_UNLIKELY = 0.25


def _structure(site: Site) -> Iterator[Rewrite]:
    """`seen = {}` to `seen = set()`: likeliest where its methods say so."""
    holder = site.node.parent
    left = holder.child("left") if holder is not None else None
    if holder is None or holder.kind != "assignment" or left is None:
        return
    if holder.child("right") != site.node:
        return
    asked = _asked_of(site.region, left.text)
    for rank, other in enumerate(_OTHERS.get(site.node.text, ())):
        weight = 1.0 if other in asked else _UNLIKELY / (1 + rank)
        yield replace(site.node, other, weight)


def _asked_of(region: Node, name: str) -> set[str]:
    """The empty values that have the methods that are called on a name."""
    found = set()
    for node in walk(region):
        thing, attribute = node.child("object"), node.child("attribute")
        if thing is not None and attribute is not None and thing.text == name:
            found.add(_USED.get(attribute.text, ""))
    return found


def _nothing(site: Site) -> Iterator[Rewrite]:
    """`return None` to `return []`, and the like: what the tests expect comes first."""
    node, parent = site.node, site.node.parent
    text = _SAME.get(node.text, node.text)
    if text not in _NOTHING or parent is None:
        return
    given = parent.kind in _DEFAULTS and parent.child("value") == node
    if role(node) != "returned" and not given:
        return
    wanted = {NOTHING_OF.get(head(one), "") for one in site.known.expected}
    others = [o for o in _NOTHING if o != text and not (given and o in _SHARED)]
    for rank, other in enumerate(others):
        likely = 1.0 if other in wanted else _UNLIKELY
        yield replace(node, other, likely / (1 + 0.3 * rank))


_SHARED = {"[]", "{}", "set()"}  # as a default they would outlive the call


def _type(site: Site) -> Iterator[Rewrite]:
    """`1` to `"1"` and back: digits as text, or as a number."""
    node, text = site.node, site.node.text
    if role(node) not in {"compared", "index", "argument", "returned"}:
        return
    if node.kind == "integer" and text.isdigit():
        yield replace(node, f'"{text}"', 0.6)
    elif node.kind == "string" and re.fullmatch(r"(['\"])(0|[1-9]\d*)\1", text):
        yield replace(node, text[1:-1])


TEMPLATES = (
    Template(
        name="empty-structure",
        source="QuixBugs (incorrect data structure constant); TBar FP9",
        prior=0.3,
        kinds=_KINDS,
        rewrites=_structure,
        examples=(
            Example("x = {}\nx.add(a)\n", "x = set()\nx.add(a)\n"),
            Example("x = []\nf(x)\n", "x = [[]]\nf(x)\n"),
        ),
        never=(
            Example("f([])\n", "f({})\n"),
            Example("x = [1]\n", "x = {1}\n"),
        ),
    ),
    Template(
        name="nothing-other",
        source="TBar FP12 (mutate return statement); mutation operator EMPTY_RETURNS",
        prior=0.3,
        kinds=_KINDS | {"none", "integer", "false"},
        rewrites=_nothing,
        examples=(
            Example("def f():\n    return None\n", "def f():\n    return []\n"),
            Example("def f(a=None):\n    a\n", "def f(a=''):\n    a\n"),
        ),
        never=(
            Example("def f(a=None):\n    a\n", "def f(a=[]):\n    a\n"),
            Example("x = None\n", "x = []\n"),
        ),
    ),
    Template(
        name="constant-type",
        source="PySStuBs (change constant type)",
        prior=0.15,
        kinds=frozenset({"integer", "string"}),
        rewrites=_type,
        examples=(
            Example("x = a == '1'\n", "x = a == 1\n"),
            Example("x = a == 1\n", 'x = a == "1"\n'),
        ),
        never=(
            Example("x = a == '007'\n", "x = a == 007\n"),
            Example("x = a + 1\n", 'x = a + "1"\n'),
        ),
    ),
)

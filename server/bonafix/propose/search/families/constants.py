"""Literals: off by one, the wrong sign, another of the function's own, a bad start."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import (
    Site,
    callee,
    operator,
    positional,
    role,
    usage,
)
from bonafix.propose.search.families.texts import separator
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import CONSTANTS, Node, walk

_NUMBERS = frozenset({"integer", "float"})
_STRING = frozenset({"string"})
_DONORS = 4
_FEW = 3
_LOOPS = {"for_statement"}
_DEFAULTS = {"default_parameter", "typed_default_parameter"}


def _off_by_one(site: Site) -> Iterator[Rewrite]:
    value = _integer(site.node)
    if value is None or _is_needed_as_is(site.node):
        return
    negative = _is_negated(site.node)
    outward, inward = str(value + 1), str(value - 1)
    index = role(site.node) == "index"
    parent = _parent(site.node)
    if parent.kind in _DEFAULTS:  # most callers give the argument
        yield replace(site.node, outward, 0.3)
        yield replace(site.node, inward, 0.3)
        return
    if value == 0:
        yield replace(site.node, "1")
        yield replace(site.node, "-1", 0.5 if index else 0.35)
    elif negative:
        yield replace(site.node, inward, 0.9)
        yield replace(site.node, outward, 0.9)
    else:
        yield replace(site.node, inward, 0.9 if value > 1 else 1.0)
        yield replace(site.node, outward, 0.9)
    if value in {0, 1}:
        yield replace(site.node, "2", 0.5 if value == 0 else 0.1)


def _is_needed_as_is(node: Node) -> bool:
    """Whether its neighbours make no sense: the step of a slice, half of a pair.

    `a[::-1]` to `a[::0]` raises, `a % 2` to `a % 1` is always zero.
    """
    parent = _parent(node)
    if parent.kind == "unary_operator" and parent.parent is not None:
        parent = parent.parent
    if parent.kind == "slice":
        return [c.kind for c in parent.children if c.end <= node.start].count(":") > 1
    divides = parent.kind == "binary_operator" and operator(parent) in {"%", "/", "//"}
    return divides and parent.child("right") == node and node.text in {"1", "2"}


def _sign(site: Site) -> Iterator[Rewrite]:
    value = _integer(site.node)
    if _is_negated(site.node):
        yield replace(_parent(site.node), site.node.text)
    elif value and role(site.node) != "operand" and not _counts(site.node):
        yield replace(site.node, f"-{site.node.text}", 0.7)


def _counts(node: Node) -> bool:
    """Whether it is held against a length, or says how many: less than none is none."""
    parent = _parent(node)
    if parent.kind == "comparison_operator":
        return any(n.kind == "call" and callee(n) == "len" for n in parent.named)
    call = parent.parent
    if parent.kind != "argument_list" or call is None or call.kind != "call":
        return False
    return callee(call) == "int" or (
        callee(call) == "range" and positional(call) == [node]
    )


def _own(site: Site) -> Iterator[Rewrite]:
    """Another constant of the same kind that the function uses already."""
    known = usage(site.region).constants
    tried = _near(site.node)
    fitting = [t for t in known if t != site.node.text and t not in tried]
    same = [t for t in fitting if _kind(t) == site.node.kind]
    factor = 0.2 if _in_a_table(site.node) else 1.0
    for rank, text in enumerate(sorted(same, key=lambda t: -len(known[t]))[:_DONORS]):
        yield replace(site.node, text, factor / (1 + 0.3 * rank))


def _in_a_table(node: Node) -> bool:
    """Whether it is one of many constants in a row: data, seldom wrong in one place."""
    parent = _parent(node)
    return parent.kind in {"list", "tuple", "set", "pair"} and len(parent.named) > _FEW


def _everywhere(site: Site) -> Iterator[Rewrite]:
    """The same change to every copy of the literal in the function."""
    copies = usage(site.region).constants.get(site.node.text, ())
    if len(copies) == 1 or site.node not in copies[:1]:
        return
    for source in (separator, _off_by_one):
        for rewrite in source(site):
            new = rewrite.edits[0][2]
            edits = tuple((copy.start, copy.end, new) for copy in copies)
            yield Rewrite(edits, rewrite.weight)


def _extreme(site: Site) -> Iterator[Rewrite]:
    """`best = 0`, held against values that may lie beyond it: an infinite start."""
    node = site.node
    if node.text not in {"0", "1", "-1", "999", "1000", "9999", "10000", "999999"}:
        return
    holder = next((a for a in node.ancestors() if a.kind == "assignment"), None)
    left = holder.child("left") if holder is not None else None
    right = holder.child("right") if holder is not None else None
    if left is None or right is None:
        return
    targets = left.named if left.kind == "pattern_list" else [left]
    values = right.named if right.kind == "expression_list" else [right]
    for target, value in zip(targets, values, strict=False):
        if value == node and (sign := _compared_by(site.region, target.text)):
            first, second = ('float("-inf")', 'float("inf")')[
                :: 1 if sign == ">" else -1
            ]
            yield replace(node, first)
            yield replace(node, second, 0.2)
            yield from _first_item(left, node)


def _first_item(target: Node, start: Node) -> Iterator[Rewrite]:
    """The first of those that the loop behind its assignment goes through."""
    found = (a for a in target.ancestors() if a.kind in {"block", "module"})
    block = next(found, None)
    siblings = block.named if block is not None else []
    behind = [s for s in siblings if s.start > start.end and s.kind in _LOOPS]
    over = behind[0].child("right") if behind else None
    if over is not None and over.kind in {"identifier", "attribute"}:
        yield replace(start, f"{over.text}[0]", 0.7)


def _compared_by(region: Node, name: str) -> str:
    """How others are compared with a name: ">" where the greatest is sought."""
    for node in walk(region):
        if node.kind == "comparison_operator" and len(node.named) == len("ab"):
            sign = node.each("operators")[0].text[:1]
            sides = [side.text for side in node.named]
            if sign in {"<", ">"} and name in sides:
                return sign if sides[1] == name else {"<": ">", ">": "<"}[sign]
    return ""


def _integer(node: Node) -> int | None:
    text = node.text.replace("_", "")
    return int(text) if node.kind == "integer" and text.isdigit() else None


def _kind(text: str) -> str:
    if text[0].isdigit() or text[0] == ".":
        return "integer" if text.isdigit() else "float"
    return "string" if text[-1] in "'\"" else ""


def _near(node: Node) -> set[str]:
    value = _integer(node)
    return set() if value is None else {str(value + 1), str(value - 1)}


def _parent(node: Node) -> Node:
    assert node.parent is not None, "only a module has no parent"
    return node.parent


def _is_negated(node: Node) -> bool:
    parent = _parent(node)
    sign = parent.child("operator")
    return parent.kind == "unary_operator" and sign is not None and sign.text == "-"


TEMPLATES = (
    Template(
        name="constant-off-by-one",
        source="mutation operators INLINE_CONSTS (PIT) and CRCR; PySStuBs",
        prior=0.75,
        kinds=frozenset({"integer"}),
        rewrites=_off_by_one,
        examples=(
            Example("x = a[-2]\n", "x = a[-1]\n"),
            Example("x = 0\n", "x = 1\n"),
            Example("x = range(3, n)\n", "x = range(2, n)\n"),
        ),
        never=(
            Example("x = a[::-1]\n", "x = a[::-0]\n"),
            Example("x = a % 2\n", "x = a % 1\n"),
            Example("x = 0x1F\n", "x = 0x20\n"),
        ),
    ),
    Template(
        name="constant-sign",
        source="mutation operator INVERT_NEGS (PIT)",
        prior=0.25,
        kinds=frozenset({"integer"}),
        rewrites=_sign,
        examples=(
            Example("x = a[1]\n", "x = a[-1]\n"),
            Example("x = f(-1)\n", "x = f(1)\n"),
        ),
        never=(
            Example("x = len(a) > 2\n", "x = len(a) > -2\n"),
            Example("x = range(3)\n", "x = range(-3)\n"),
        ),
    ),
    Template(
        name="constant-of-the-function",
        source="TBar FP9 (mutate literal); GenProg's ingredients",
        prior=0.33,
        kinds=_STRING | _NUMBERS,
        rewrites=_own,
        examples=(
            Example("x = 'db' + y + 'd'\n", "x = 'db' + y + 'db'\n"),
            Example("x = range(0, n) or 2\n", "x = range(2, n) or 2\n"),
        ),
        never=(
            Example("'doc'\nx = 'a'\n", "'doc'\nx = 'doc'\n"),
            Example("x = {'a': 1}\n", "x = {1: 1}\n"),
        ),
    ),
    Template(
        name="constant-everywhere",
        source="TBar FP9 (mutate literal) applied to all copies",
        prior=0.3,
        kinds=frozenset(CONSTANTS) - {"true", "false", "none"},
        rewrites=_everywhere,
        examples=(
            Example(
                "def f(a):\n    if a:\n        return ' '\n    return ' '\n",
                "def f(a):\n    if a:\n        return ''\n    return ''\n",
            ),
        ),
        never=(
            Example(
                "def f():\n    return 1\n\n\ndef g():\n    return 1\n",
                "def f():\n    return 2\n\n\ndef g():\n    return 2\n",
            ),
        ),
    ),
    Template(
        name="extreme-start",
        source="PySStuBs (change numeric literal); a maximum of negative values",
        prior=0.3,
        kinds=frozenset({"integer"}),
        rewrites=_extreme,
        examples=(
            Example(
                "def f(a):\n    b, c = 0, None\n    for d in a:\n        if d > b:\n"
                "            b = d\n    return b\n",
                'def f(a):\n    b, c = float("-inf"), None\n    for d in a:\n'
                "        if d > b:\n            b = d\n    return b\n",
            ),
            Example(
                "b = 0\nfor d in a:\n    if d > b:\n        b = d\n",
                "b = a[0]\nfor d in a:\n    if d > b:\n        b = d\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    b = 0\n    return a + b\n",
                'def f(a):\n    b = float("-inf")\n    return a + b\n',
            ),
        ),
    ),
)

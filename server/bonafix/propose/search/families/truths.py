"""What a condition asks of a value: whether it is None, empty, or one of several."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, operands, role
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node

_ASKED = {"identifier", "attribute", "call", "subscript"}
_DECIDES = {"if_statement", "elif_clause", "while_statement", "if_clause"}
_DECIDES |= {"conditional_expression", "not_operator", "assert_statement"}
_VALUES = {"string", "integer", "identifier"}


def _none_asked(site: Site) -> Iterator[Rewrite]:
    """`if x` to `if x is not None`, where zero or empty is something too; and back."""
    node = site.node
    if node.kind == "not_operator":
        argument = node.child("argument")
        if argument is not None and argument.kind in _ASKED:
            yield replace(node, f"{argument.text} is None")
    elif node.kind == "comparison_operator":
        yield from _none_unasked(node)
    elif role(node) == "condition":
        yield from _asked(node)
    elif _is_chosen(node):
        yield replace(node, f"{node.text} is not None")


def _none_unasked(comparison: Node) -> Iterator[Rewrite]:
    signs = [" ".join(sign.text.split()) for sign in comparison.each("operators")]
    thing, other = comparison.named[0], comparison.named[-1]
    if other.kind == "none" and signs == ["is not"]:
        yield replace(comparison, thing.text, 0.7)
    elif other.kind == "none" and signs == ["is"]:
        yield replace(comparison, f"not {thing.text}", 0.7)


def _asked(node: Node) -> Iterator[Rewrite]:
    """A bare value in a condition, or the first of `x or default`."""
    parent = node.parent
    if parent is None or parent.kind == "not_operator":
        return
    if _decides(parent):
        yield replace(node, f"{node.text} is not None")
    elif _sign(parent) == "or" and parent.child("left") == node:
        right = parent.child("right")
        if right is not None:
            kept = f"{node.text} if {node.text} is not None else {right.text}"
            yield replace(parent, kept)


def _is_chosen(node: Node) -> bool:
    """Whether it is what `a if x else b` or a comprehension's `if` asks."""
    parent = node.parent
    if parent is None:
        return False
    if parent.kind == "conditional_expression":
        return len(parent.named) > 1 and parent.named[1] == node
    return parent.kind == "if_clause"


def _decides(node: Node) -> bool:
    """Whether a node is, or is part of, what a statement decides by."""
    for around in (node, *node.ancestors()):
        if around.kind in _DECIDES:
            return True
        if around.kind not in {"boolean_operator", "parenthesized_expression"}:
            return False
    return False


def _distributed(site: Site) -> Iterator[Rewrite]:
    """`x == 1 or 2` to `x in (1, 2)`."""
    first, *others = _parts(site.node)
    signs = [sign.text for sign in first.each("operators")]
    if first.kind != "comparison_operator" or signs not in (["=="], ["!="]):
        return
    values = [first.named[-1], *others]
    if all(value.kind in _VALUES for value in values) and _sign(site.node) == "or":
        listed = ", ".join(value.text for value in values)
        word = "in" if signs == ["=="] else "not in"
        yield replace(site.node, f"{first.named[0].text} {word} ({listed})")


def _parts(node: Node) -> list[Node]:
    """The parts of `a or b or c`, in order."""
    pair = operands(node)
    if node.kind != "boolean_operator" or pair is None:
        return [node]
    return [*_parts(pair[0]), pair[1]]


def _sign(node: Node) -> str:
    sign = node.child("operator") if node.kind == "boolean_operator" else None
    return sign.text if sign is not None else ""


def _widened(site: Site) -> Iterator[Rewrite]:
    """`not a or b` to `not (a or b)`."""
    pair = operands(site.node)
    argument = pair[0].child("argument") if pair is not None else None
    if pair is not None and pair[0].kind == "not_operator" and argument is not None:
        at = ((argument.start, argument.start, "("), (pair[1].end, pair[1].end, ")"))
        yield Rewrite(at)


_BOOLEAN = frozenset({"boolean_operator"})

TEMPLATES = (
    Template(
        name="none-or-empty",
        source="PySStuBs (change of a condition); Python's truth of empty values",
        prior=0.3,
        kinds=frozenset({*_ASKED, "not_operator", "comparison_operator"}),
        rewrites=_none_asked,
        examples=(
            Example("if a.b:\n    c()\n", "if a.b is not None:\n    c()\n"),
            Example("if not a:\n    c()\n", "if a is None:\n    c()\n"),
            Example("x = a or 1\n", "x = a if a is not None else 1\n"),
            Example("x = 1 if a else 2\n", "x = 1 if a is not None else 2\n"),
        ),
        never=(
            Example("x = a and 1\n", "x = a is not None and 1\n"),
            Example("f(a)\n", "f(a is not None)\n"),
        ),
    ),
    Template(
        name="comparison-distributed",
        source="a common slip of beginners (`x == 1 or 2`)",
        prior=0.8,
        kinds=_BOOLEAN,
        rewrites=_distributed,
        examples=(
            Example("x = a == 'b' or 'c'\n", "x = a in ('b', 'c')\n"),
            Example("x = a == 1 or 2 or 3\n", "x = a in (1, 2, 3)\n"),
        ),
        never=(Example("x = a == 1 or b == 2\n", "x = a in (1, b == 2)\n"),),
    ),
    Template(
        name="negation-widened",
        source="TBar FP11 (operator precedence)",
        prior=0.4,
        kinds=_BOOLEAN,
        rewrites=_widened,
        examples=(Example("x = not a or b\n", "x = not (a or b)\n"),),
        never=(Example("x = a or not b\n", "x = not (a or b)\n"),),
    ),
)

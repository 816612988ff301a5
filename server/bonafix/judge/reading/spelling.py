"""A condition in, the same text for all ways to spell it out; pure."""

from __future__ import annotations

from bonafix.judge.reading.fresh import shape
from bonafix.syntax import Node

_MIRRORED = {">": "<", ">=": "<="}
_SYMMETRIC = {"==", "!=", "is", "is not"}
_PAIRS = (("<", ">="), (">", "<="), ("==", "!="), ("is", "is not"), ("in", "not in"))
_OPPOSITE = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
_BOTH = 2


def plain(node: Node) -> str:
    """A condition's tokens, the same for `0 > x`, `x < 0` and `not x >= 0`."""
    if node.kind == "parenthesized_expression" and len(node.named) == 1:
        return plain(node.named[0])
    if node.kind == "not_operator" and (inner := node.child("argument")) is not None:
        while inner.kind == "parenthesized_expression" and len(inner.named) == 1:
            inner = inner.named[0]
        return _compared(inner, opposite=True) or shape(node)
    return _compared(node, opposite=False) or shape(node)


def _compared(node: Node, *, opposite: bool) -> str:
    """One comparison of two things in its plain spelling; empty for others."""
    if node.kind != "comparison_operator" or len(node.named) != _BOTH:
        return ""
    left, right = (shape(side) for side in node.named)
    between = [n for n in node.children if not n.is_named]
    operator = " ".join(" ".join(n.text for n in between).split())
    if opposite:
        operator = _OPPOSITE.get(operator, f"not {operator}")
    if operator in _MIRRORED or (operator in _SYMMETRIC and right < left):
        left, right = right, left
    return f"{left} {_MIRRORED.get(operator, operator)} {right}"

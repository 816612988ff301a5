"""Sets that a patch goes through one by one, each the other way round; pure.

A set has no order. Small numbers come out of CPython's sorted, which no test of small
numbers tells from `sorted`: a patch that relies on it is right by chance.
"""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.judge.reading.fresh import Area
from bonafix.syntax import Node

Edit = tuple[int, int, str]

_MAKERS = {"set", "frozenset"}
_DISPLAYS = {"set", "set_comprehension"}
_LOOPS = {"for_statement", "for_in_clause"}
# What keeps the order of what it is given.
_KEEPERS = {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "join"}
_KEEPERS |= {"fromkeys", "deque", "islice", "chain", "reduce", "accumulate"}


def reversals(area: Area) -> Iterator[tuple[Node, Edit]]:
    """The new sets of which the order may matter, with what is written instead."""
    for node in area.new("call", *_DISPLAYS):
        if _is_set(node) and _is_gone_through(node):
            yield node, (node.start, node.end, f"list({node.text})[::-1]")


def _is_set(node: Node) -> bool:
    called = node.child("function") if node.kind == "call" else None
    return node.kind in _DISPLAYS or (called is not None and called.text in _MAKERS)


def _is_gone_through(node: Node) -> bool:
    around = node.parent
    if around is None:
        return False
    if around.kind in _LOOPS:
        return around.child("right") == node
    if around.kind == "list_splat":
        return True
    call = around.parent if around.kind == "argument_list" else None
    called = call.child("function") if call is not None else None
    name = called.text.rpartition(".")[2] if called is not None else ""
    return name in _KEEPERS

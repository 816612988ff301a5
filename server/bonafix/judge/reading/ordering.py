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
_METHODS = {"union", "intersection", "difference", "symmetric_difference"}
_VIEWS = {"keys", "items"}
_DISPLAYS = {"set", "set_comprehension"}
_OPERATORS = {"|", "&", "-", "^"}
_LOOPS = {"for_statement", "for_in_clause"}
# What keeps the order of what it is given.
_KEEPERS = {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "join"}
_KEEPERS |= {"fromkeys", "deque", "islice", "chain", "reduce", "accumulate"}


def reversals(area: Area) -> Iterator[tuple[Node, Edit]]:
    """The new uses of a set's order, each with what is written instead."""
    names = _sets(area)
    for node in area.new("call", "binary_operator", "identifier", *_DISPLAYS):
        if not _is_set(node, names):
            continue
        popped = _popped(node)
        if popped is not None:
            last = f"{node.text}.pop() if len({node.text}) < 2 else "
            last += f"{node.text}.remove(_last := list({node.text})[-1]) or _last"
            yield popped, (popped.start, popped.end, f"({last})")
        elif _is_gone_through(node):
            yield node, (node.start, node.end, f"list({node.text})[::-1]")


def _sets(area: Area) -> frozenset[str]:
    """The names that are bound to nothing but sets."""
    bound = [node for node in area.nodes if node.kind == "assignment"]
    plain = {True: set[str](), False: set[str]()}
    for node in bound:
        left, right = node.child("left"), node.child("right")
        if left is not None and left.kind == "identifier" and right is not None:
            plain[_is_set(right, frozenset())].add(left.text)
    return frozenset(plain[True] - plain[False])


def _is_set(node: Node, names: frozenset[str]) -> bool:
    if node.kind in _DISPLAYS:
        return True
    if node.kind == "identifier":
        return node.text in names
    if node.kind == "parenthesized_expression":
        return bool(node.named) and _is_set(node.named[0], names)
    if node.kind == "binary_operator":
        sign, sides = node.child("operator"), (node.child("left"), node.child("right"))
        meant = sign is not None and sign.text in _OPERATORS
        return meant and any(s is not None and _mixes(s, names) for s in sides)
    called = node.child("function") if node.kind == "call" else None
    if called is None:
        return False
    receiver = called.child("object")
    known = receiver is not None and _mixes(receiver, names)
    return called.text in _MAKERS or (known and _method(called) in _METHODS)


def _mixes(side: Node, names: frozenset[str]) -> bool:
    """Whether it is a set, or makes one with what it is combined with."""
    called = side.child("function") if side.kind == "call" else None
    return _is_set(side, names) or (called is not None and _method(called) in _VIEWS)


def _method(called: Node) -> str:
    return called.text.rpartition(".")[2] if called.kind == "attribute" else ""


def _popped(node: Node) -> Node | None:
    """The call that takes any of its items out."""
    around = node.parent
    call = around.parent if around is not None and around.kind == "attribute" else None
    if call is None or call.kind != "call" or around is None:
        return None
    arguments = call.child("arguments")
    bare = arguments is not None and not arguments.named
    return call if bare and _method(around) == "pop" else None


def _is_gone_through(node: Node) -> bool:
    around = node.parent
    if around is not None and around.kind == "parenthesized_expression":
        return _is_gone_through(around)
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

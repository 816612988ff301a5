"""Constant expressions of a syntax tree in, their values out; pure.

Folded by our own small evaluator: the user's code may be of a newer Python than the
one that runs this, and nothing of it is ever executed. What is not certainly
constant is `UNKNOWN`, and so is what would be too large to be a literal.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeGuard

from bonafix.judge.reading.arithmetic import combined, small
from bonafix.judge.reading.calling import CallError, called, method_called
from bonafix.judge.reading.literals import (
    floating,
    integer,
    plain_string,
    prefix,
    unescaped,
)
from bonafix.syntax import Node, walk


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Final = _Unknown.UNKNOWN

Folded = object  # a value of a built-in type, or UNKNOWN
Names = Mapping[str, object]

NOTHING: Names = MappingProxyType({})
_ITEMS = 2_000  # that a comprehension goes over
_DEPTH = 60  # of nested expressions; deeper ones are no literal that a person wrote

# What a hostile or merely odd literal can do to the operators above.
_FAULTS = (ArithmeticError, TypeError, ValueError, LookupError, AttributeError)


def known(value: Folded) -> TypeGuard[object]:
    """Whether the value could be found."""
    return value is not UNKNOWN


def fold(node: Node, names: Names = NOTHING, depth: int = 0) -> Folded:
    """The value of an expression, else `UNKNOWN`; `names` have known values."""
    rule = _RULES.get(node.kind)
    if rule is None or depth > _DEPTH:
        return UNKNOWN
    try:
        value = rule(node, names, depth + 1)
    except (*_FAULTS, CallError):
        return UNKNOWN
    return value if small(value) else UNKNOWN


def leaves(value: object) -> Iterator[object]:
    """A value and, where it is a container, all that is in it."""
    yield value
    if isinstance(value, dict):
        parts: Iterator[object] = (part for pair in value.items() for part in pair)
    elif isinstance(value, list | tuple | set | frozenset):
        parts = iter(value)
    else:
        return
    for part in parts:
        yield from leaves(part)


def constant_names(scope: Node, outer: Names = NOTHING) -> dict[str, object]:
    """The names that are bound once in a scope, to a constant."""
    bound: dict[str, list[Node | None]] = {}
    for node in walk(scope):
        if node.kind in {"assignment", "augmented_assignment", "named_expression"}:
            target = node.child("left") or node.child("name")
            if target is not None and target.kind == "identifier":
                plain = node.kind != "augmented_assignment"
                right = node.child("right") or node.child("value")
                bound.setdefault(target.text, []).append(right if plain else None)
    found = dict(outer)
    for name, values in bound.items():
        value = fold(values[0], found) if len(values) == 1 and values[0] else UNKNOWN
        found.pop(name, None)
        if known(value):
            found[name] = value
    return found


# ----------------------------------------------------------------------- literals


def _integer(node: Node, _names: Names, _depth: int) -> Folded:
    return integer(node.text)


def _float(node: Node, _names: Names, _depth: int) -> Folded:
    value = floating(node.text)
    return value if isinstance(value, complex) or math.isfinite(value) else UNKNOWN


def _string(node: Node, names: Names, depth: int) -> Folded:
    kind = prefix(node.text)
    if "t" in kind:
        return UNKNOWN
    if "f" in kind:
        return _formatted(node, names, depth, raw="r" in kind)
    return plain_string(node.text)


def _formatted(node: Node, names: Names, depth: int, *, raw: bool) -> Folded:
    pieces: list[str] = []
    for child in node.named:
        if child.kind == "interpolation":
            inner = child.child("expression")
            value = fold(inner, names, depth) if inner else UNKNOWN
            if not known(value) or len(child.named) > 1:
                return UNKNOWN
            pieces.append(str(value))
        elif child.kind == "string_content":
            body = child.text.replace("{{", "{").replace("}}", "}")
            pieces.append(body if raw else unescaped(body))
    return "".join(pieces)


def _concatenated(node: Node, names: Names, depth: int) -> Folded:
    parts = [fold(child, names, depth) for child in node.named]
    if all(isinstance(part, str) for part in parts):
        return "".join(part for part in parts if isinstance(part, str))
    if all(isinstance(part, bytes) for part in parts):
        return b"".join(part for part in parts if isinstance(part, bytes))
    return UNKNOWN


# ------------------------------------------------------------------- combinations


def _all(nodes: list[Node], names: Names, depth: int) -> list[object]:
    """The values of all nodes; raises where one is unknown."""
    values: list[object] = []
    for node in nodes:
        value = fold(node, names, depth)
        if not known(value):
            raise CallError
        values.append(value)
    return values


def _list(node: Node, names: Names, depth: int) -> Folded:
    return _all(node.named, names, depth)


def _tuple(node: Node, names: Names, depth: int) -> Folded:
    return tuple(_all(node.named, names, depth))


def _set(node: Node, names: Names, depth: int) -> Folded:
    return set(_all(node.named, names, depth))


def _dictionary(node: Node, names: Names, depth: int) -> Folded:
    found: dict[object, object] = {}
    for pair in node.named:
        key, value = pair.child("key"), pair.child("value")
        if key is None or value is None:
            return UNKNOWN
        [k, v] = _all([key, value], names, depth)
        found[k] = v
    return found


def _parenthesized(node: Node, names: Names, depth: int) -> Folded:
    return fold(node.named[0], names, depth) if len(node.named) == 1 else UNKNOWN


def _unary(node: Node, names: Names, depth: int) -> Folded:
    argument = node.child("argument")
    value = fold(argument, names, depth) if argument else UNKNOWN
    if not isinstance(value, int | float | complex):
        return UNKNOWN
    sign = node.children[0].kind
    if sign == "~":
        return ~value if isinstance(value, int) else UNKNOWN
    return -value if sign == "-" else +value


def _not(node: Node, names: Names, depth: int) -> Folded:
    argument = node.child("argument")
    value = fold(argument, names, depth) if argument else UNKNOWN
    return not value if known(value) else UNKNOWN


def _binary(node: Node, names: Names, depth: int) -> Folded:
    left, sign, right = (node.child(f) for f in ("left", "operator", "right"))
    if left is None or right is None or sign is None:
        return UNKNOWN
    [a, b] = _all([left, right], names, depth)
    return combined(sign.kind, a, b)


def _subscript(node: Node, names: Names, depth: int) -> Folded:
    value, keys = node.child("value"), node.each("subscript")
    if value is None or len(keys) != 1:
        return UNKNOWN
    [held] = _all([value], names, depth)
    if keys[0].kind != "slice":
        [key] = _all(keys, names, depth)
        return operator.getitem(held, key) if _indexed(held) else UNKNOWN  # type: ignore[call-overload]  # any wrong pair raises TypeError
    if not isinstance(held, str | bytes | list | tuple):
        return UNKNOWN
    return held[_slice(keys[0], names, depth)]


def _indexed(value: object) -> bool:
    return isinstance(value, str | bytes | list | tuple | dict)


def _slice(node: Node, names: Names, depth: int) -> slice:
    parts: list[int | None] = [None]
    for child in node.children:
        if child.kind == ":":
            parts.append(None)
        elif child.is_named:
            [value] = _all([child], names, depth)
            if not isinstance(value, int | None):
                raise CallError
            parts[-1] = value
    return slice(*[*parts, None, None][:3])


def _conditional(node: Node, names: Names, depth: int) -> Folded:
    [value, test, other] = _all(node.named, names, depth)
    return value if test else other


def _call(node: Node, names: Names, depth: int) -> Folded:
    function, given = node.child("function"), node.child("arguments")
    if function is None or given is None:
        return UNKNOWN
    arguments: list[object]
    if given.kind == "generator_expression":
        arguments = [_comprehended(given, names, depth)]
    elif function.text == "map" and len(given.named) > 1:
        act, *rest = given.named
        values = _all(rest, names, depth)
        return [called(act.text, [item]) for item in _items(values[0])]
    else:
        arguments = _all(given.named, names, depth)
    if function.kind == "attribute":
        owner, name = function.child("object"), function.child("attribute")
        held = fold(owner, names, depth) if owner is not None else UNKNOWN
        if known(held) and name is not None:
            return method_called(held, name.text, arguments)
    return called(function.text, arguments)


def _comprehended(node: Node, names: Names, depth: int) -> list[object]:
    """The items of a comprehension with one plain clause."""
    body, *clauses = node.named
    if len(clauses) != 1 or clauses[0].kind != "for_in_clause":
        raise CallError
    left, right = clauses[0].child("left"), clauses[0].child("right")
    if left is None or right is None or left.kind != "identifier":
        raise CallError
    [source] = _all([right], names, depth)
    bound = [{**names, left.text: item} for item in _items(source)]
    return [_all([body], inner, depth)[0] for inner in bound]


def _items(value: object) -> list[object]:
    if isinstance(value, str | bytes | list | tuple | range) and len(value) <= _ITEMS:
        return list(value)
    raise CallError


def _identifier(node: Node, names: Names, _depth: int) -> Folded:
    return names.get(node.text, UNKNOWN)


_RULES: dict[str, Callable[[Node, Names, int], Folded]] = {
    "integer": _integer,
    "float": _float,
    "string": _string,
    "concatenated_string": _concatenated,
    "true": lambda *_: True,
    "false": lambda *_: False,
    "none": lambda *_: None,
    "list": _list,
    "tuple": _tuple,
    "expression_list": _tuple,
    "set": _set,
    "dictionary": _dictionary,
    "parenthesized_expression": _parenthesized,
    "unary_operator": _unary,
    "not_operator": _not,
    "binary_operator": _binary,
    "subscript": _subscript,
    "conditional_expression": _conditional,
    "call": _call,
    "identifier": _identifier,
    "list_comprehension": _comprehended,
}

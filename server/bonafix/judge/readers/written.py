"""Literals in, values as trees out, and whether two of them are alike; pure."""

from __future__ import annotations

import ast

from bonafix.calls import Value


def literal(node: ast.expr | str) -> Value | None:
    """The value that an expression is the literal of; nothing is evaluated."""
    text = node.strip() if isinstance(node, str) else node
    try:
        return value_of(ast.literal_eval(text))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def value_of(made: object) -> Value | None:
    """A plain value as a tree; `None` for what has no literal."""
    kind = type(made).__name__
    match made:
        case None | bool() | int() | float() | complex():
            return Value(kind, repr(made))
        case str():
            return Value(kind, made)
        case bytes():
            return Value(kind, made.decode("latin-1"))
        case list() | tuple() | set():
            return _holder(kind, list(made))
        case dict():
            return _holder(kind, [one for pair in made.items() for one in pair])
        case _:
            return None


def _holder(kind: str, made: list[object]) -> Value | None:
    items = tuple(value for value in map(value_of, made) if value)
    return Value(kind, items=items) if len(items) == len(made) else None


def alike(one: Value, other: Value) -> bool:
    """Whether two values are of the same types and equal, whatever their order."""
    return _unordered(one) == _unordered(other)


def _unordered(value: Value) -> tuple[object, ...]:
    items = [_unordered(item) for item in value.items]
    if value.type in {"set", "frozenset"}:
        items.sort(key=repr)
    if value.type == "dict":
        pairs = sorted(zip(items[::2], items[1::2], strict=False), key=repr)
        items = [part for pair in pairs for part in pair]
    return value.type, value.text, tuple(items), value.names

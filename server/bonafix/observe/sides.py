"""A source line and pytest's reading of a comparison in, who is expected out; pure."""

from __future__ import annotations

import ast


def literal_first(code: str) -> bool:
    """Whether the line compares a literal on the left with something computed.

    pytest and unittest both leave open which side is the expectation; by custom it
    is the right one, but nobody writes a literal to find out what it is.
    """
    try:
        body = ast.parse(code.strip()).body
    except (SyntaxError, ValueError):  # a line of a longer statement
        return False
    pair = _pair(body[0]) if len(body) == 1 else None
    return pair is not None and _literal(pair[0]) and not _literal(pair[1])


def _pair(statement: ast.stmt) -> tuple[ast.expr, ast.expr] | None:
    match statement:
        case ast.Assert(test=ast.Compare(left=left, comparators=[right])):
            return left, right
        case ast.Expr(value=ast.Call(func=ast.Attribute(), args=[left, right, *_])):
            return left, right
        case _:
            return None


def _literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True

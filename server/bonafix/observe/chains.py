"""From a line that shows a wrong value back to the lines that made it; pure.

Definition-use chains within one function, two steps back, over lines that ran: what a
line reads, where that was set, and what was read there.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

STEPS = 2
_FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef
_SETTERS = ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.AsyncFor, ast.With
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True, slots=True)
class Link:
    """A line that sets a name that is read further on; 1 step away, or more."""

    name: str
    step: int


def chain(source: bytes, start: int, ran: Collection[int]) -> Mapping[int, Link]:
    """Line -> link, for the lines that ran and that the line `start` leans on."""
    function = _around(source, start)
    if function is None:
        return {}
    statements = list(_statements(function))
    wanted = _read(_at(statements, start))
    found: dict[int, Link] = {}
    for step in range(1, STEPS + 1):
        following: set[str] = set()
        for statement in statements:
            names = _set(statement) & wanted
            line = statement.lineno
            if names and line in ran and line != start and line not in found:
                found[line] = Link(min(names), step)
                following |= _read([statement])
        wanted = following
    return found


def returns(source: bytes, line: int, ran: Collection[int]) -> list[int]:
    """The lines that ran and return a value, of the function around a line."""
    function = _around(source, line)
    return [
        statement.lineno
        for statement in (_statements(function) if function else ())
        if isinstance(statement, ast.Return) and statement.value
        if statement.lineno in ran
    ]


@lru_cache(maxsize=32)
def _functions(source: bytes) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS))


def _around(source: bytes, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The innermost function around a line."""
    fitting = [
        function
        for function in _functions(source)
        if function.lineno <= line <= (function.end_lineno or function.lineno)
    ]
    return max(fitting, key=lambda function: function.lineno, default=None)


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a function, without those of functions and classes in it."""
    for field in _BLOCKS:
        for child in getattr(node, field, ()):
            if isinstance(child, ast.stmt):
                yield child
            if not isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
                yield from _statements(child)


def _at(statements: list[ast.stmt], line: int) -> list[ast.stmt]:
    """The innermost statement on a line; with a `raise` the `if` that it hangs on."""
    on = [s for s in statements if s.lineno <= line <= (s.end_lineno or s.lineno)]
    if on and isinstance(on[-1], ast.Raise):
        return [*on[-1:], *[s for s in on if isinstance(s, ast.If)][-1:]]
    return on[-1:]


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement's own part."""
    for field, value in ast.iter_fields(statement):
        if field not in _BLOCKS:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from ast.walk(child)


def _read(statements: list[ast.stmt]) -> set[str]:
    return {
        node.id
        for statement in statements
        for node in _own(statement)
        if isinstance(node, ast.Name)
        if isinstance(node.ctx, ast.Load) or isinstance(statement, ast.AugAssign)
    }


def _set(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value, or an item or attribute of."""
    if not isinstance(statement, _SETTERS):
        return _changed(statement)
    found = {
        node.id
        for node in _own(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    for target in targets:
        if isinstance(target, ast.Subscript | ast.Attribute):
            found |= {n.id for n in ast.walk(target.value) if isinstance(n, ast.Name)}
    return found


def _changed(statement: ast.stmt) -> set[str]:
    """`x` in `x.append(y)` as a statement."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    method = call.func if isinstance(call, ast.Call) else None
    thing = method.value if isinstance(method, ast.Attribute) else None
    return {thing.id} if isinstance(thing, ast.Name) else set()

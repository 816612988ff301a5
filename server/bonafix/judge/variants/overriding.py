"""A patch in, the inherited methods that it overrides in place of mending them; pure.

A method that is wrong in a base class and right in the one subclass that the tests use
looks mended in every call that a test can make. Whether the subclass brings the method
itself or gets it from a class put before that base makes no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bonafix.domain import Patch
from bonafix.syntax import Module, Node, parse, walk
from bonafix.text import TextError, decode


@dataclass(frozen=True, slots=True)
class _Class:
    """The bases by last name, and the source of each name that the body binds."""

    bases: tuple[str, ...]
    bodies: Mapping[str, str]


_Classes = Mapping[str, _Class]


def overriding(patch: Patch, sources: Mapping[str, bytes]) -> str:
    """The first method that the patch only overrides, in words; empty for none."""
    old: dict[str, _Class] = {}
    for path, data in sources.items():
        if path.endswith(".py") and b"class " in data:
            old |= _classes(data)
    changes = [
        (_classes(change.before or b""), _classes(change.after or b""))
        for change in patch.changes
        if change.path.endswith(".py")
    ]
    for before, _ in changes:
        old |= before
    gone = {name for before, _ in changes for name in before}
    new = {name: one for name, one in old.items() if name not in gone}
    for _, after in changes:
        new |= after
    for before, after in changes:
        for name in sorted(before.keys() & after.keys()):
            if found := _shadowed(name, old, new):
                return found
    return ""


def _shadowed(name: str, old: _Classes, new: _Classes) -> str:
    """The first method of a class that comes from elsewhere now, with its old one."""
    was, now = _line(name, old), _line(name, new)
    for method in sorted({method for one in now for method in new[one].bodies}):
        base, by = _definer(method, was, old), _definer(method, now, new)
        if not base or base == by or base not in now:
            continue
        body = old[base].bodies[method]
        if new[base].bodies.get(method) == body and _works(body):
            through = "" if by == name else f" in {name}"
            return f"{base}.{method} is as it was, and {by} overrides it{through}"
    return ""


def _works(body: str) -> bool:
    """Whether it is a method that does something, no attribute and not abstract."""
    method = body.startswith(("def ", "async "))
    return method and "NotImplementedError" not in body and "abstract" not in body


def _line(name: str, classes: _Classes, around: tuple[str, ...] = ()) -> list[str]:
    """A class and the project's classes it inherits from, in the order of lookup.

    A base that several of them share comes behind them all.
    """
    if name not in classes or name in around:
        return []
    found = [name]
    for base in classes[name].bases:
        found += _line(base, classes, (*around, name))
    return list(reversed(dict.fromkeys(reversed(found))))


def _definer(method: str, line: list[str], classes: _Classes) -> str:
    return next((one for one in line if method in classes[one].bodies), "")


def _classes(data: bytes) -> dict[str, _Class]:
    found = {}
    for node in walk(_parsed(data).root):
        name = node.child("name") if node.kind == "class_definition" else None
        if name is not None:
            found[name.text] = _Class(tuple(_bases(node)), _bodies(node))
    return found


def _parsed(data: bytes) -> Module:
    try:
        return parse(decode(data))
    except TextError:
        return parse("")


def _bases(node: Node) -> list[str]:
    given = node.child("superclasses")
    named = given.named if given is not None else []
    return [n.text.rpartition(".")[2] for n in named if n.kind != "keyword_argument"]


def _bodies(node: Node) -> dict[str, str]:
    body, found = node.child("body"), {}
    for statement in body.named if body is not None else ():
        inner = statement
        if statement.kind == "decorated_definition":
            inner = statement.child("definition") or statement
        elif statement.kind == "expression_statement" and statement.named:
            inner = statement.named[0]  # `pay = other` binds a method as well
        field = {"function_definition": "name", "assignment": "left"}.get(inner.kind)
        name = inner.child(field) if field is not None else None
        if name is not None and not name.text.startswith("__"):
            found[name.text] = inner.text
    return found

"""A patch in, the inherited methods that it overrides in place of mending them; pure.

A method that is wrong in a base class and right in the one subclass that the tests use
looks mended in every call that a test can make.
"""

from __future__ import annotations

from collections.abc import Mapping

from bonafix.domain import Patch
from bonafix.syntax import Module, Node, parse, walk
from bonafix.text import TextError, decode

Methods = Mapping[str, frozenset[str]]  # class -> its own methods


def overriding(patch: Patch, sources: Mapping[str, bytes]) -> str:
    """The first method that the patch only overrides, in words; empty for none."""
    every: dict[str, Node] = {}
    for path, data in sources.items():
        if path.endswith(".py") and b"class " in data:
            every |= _classes(_parsed(data))
    for change in patch.changes:
        if not change.path.endswith(".py") or change.before is None:
            continue
        old = _classes(_parsed(change.before))
        new = _classes(_parsed(change.after or b""))
        for name in old.keys() & new.keys():
            added = _methods(new[name]) - _methods(old[name])
            for method in sorted(added):
                if (base := _inherited(new[name], method, every)) and _as_it_was(
                    base, method, every, patch
                ):
                    return f"{base}.{method} is as it was, and {name} overrides it"
    return ""


def _parsed(data: bytes) -> Module:
    try:
        return parse(decode(data))
    except TextError:
        return parse("")


def _classes(module: Module) -> dict[str, Node]:
    found = {}
    for node in walk(module.root):
        name = node.child("name") if node.kind == "class_definition" else None
        if name is not None:
            found[name.text] = node
    return found


def _methods(node: Node) -> frozenset[str]:
    return frozenset(_bodies(node))


def _bodies(node: Node) -> dict[str, str]:
    body, found = node.child("body"), {}
    for statement in body.named if body is not None else ():
        inner = statement
        if statement.kind == "decorated_definition":
            inner = statement.child("definition") or statement
        name = inner.child("name") if inner.kind == "function_definition" else None
        if name is not None and not name.text.startswith("__"):
            found[name.text] = inner.text
    return found


def _inherited(node: Node, method: str, every: Mapping[str, Node]) -> str:
    """The base class in the project that a method comes from."""
    seen: set[str] = set()
    todo = _bases(node)
    while todo:
        base = todo.pop(0)
        if base in seen or base not in every:
            continue
        seen.add(base)
        if method in _methods(every[base]):
            return base
        todo += _bases(every[base])
    return ""


def _bases(node: Node) -> list[str]:
    given = node.child("superclasses")
    named = given.named if given is not None else []
    return [n.text.rpartition(".")[2] for n in named if n.kind != "keyword_argument"]


def _as_it_was(base: str, method: str, every: Mapping[str, Node], patch: Patch) -> bool:
    """Whether the patch leaves the base's method alone, and it does something."""
    body = _bodies(every[base])[method]
    for change in patch.changes:
        after = _classes(_parsed(change.after or b"")).get(base)
        if after is not None and _bodies(after).get(method) != body:
            return False
    return "NotImplementedError" not in body and "abstractmethod" not in body

"""A patch in, the same without one class's own idea of being equal each out; pure.

A new class that is a number, a text or a list knows from its base what it equals. Where
it says something else of itself, a test that compares it with a plain value may be
answered by the patch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bonafix.domain import Patch, Place
from bonafix.judge.reading.fresh import File, changed_files
from bonafix.syntax import Module, Node, is_valid, walk
from bonafix.text import TextError, apply_edits, decode, encode

_BUILTIN = {
    *("int", "float", "complex", "bool", "str", "bytes", "bytearray", "list", "tuple"),
    *("dict", "set", "frozenset", "Decimal", "Fraction", "date", "datetime", "time"),
    *("timedelta", "OrderedDict", "Counter", "defaultdict", "deque", "PurePath"),
    *("UserList", "UserDict", "UserString", "array"),
}
_METHODS = {"__eq__", "__ne__"}


@dataclass(frozen=True, slots=True)
class Plain:
    """The patch with a class that is equal to what its base is equal to."""

    name: str  # of the class
    place: Place  # of its `__eq__`
    patch: Patch


def plain_equality(patch: Patch, tests: str) -> tuple[Plain, ...]:
    """Each new class on a built-in one without its own `__eq__`.

    Classes that the tests (`tests` is their text) name are their own affair: there
    equality may be what is tested.
    """
    found = []
    for file in changed_files(patch):
        known = {_name(node) for node in _classes(file.before)}
        for node in _classes(file.after):
            name = _name(node)
            if name in known or re.search(rf"\b{re.escape(name)}\b", tests):
                continue
            if _bases(node) & _BUILTIN and (words := [*_own(node)]):
                found.append(_without(patch, file, name, words))
    return tuple(one for one in found if one is not None)


def _classes(module: Module) -> Iterator[Node]:
    return (n for n in walk(module.root) if n.kind == "class_definition")


def _name(node: Node) -> str:
    name = node.child("name")
    return name.text if name is not None else ""


def _bases(node: Node) -> set[str]:
    given = node.child("superclasses")
    parts = given.named if given is not None else []
    names = (re.split(r"\[", part.text, maxsplit=1)[0] for part in parts)
    return {name.rpartition(".")[2] for name in names}


def _own(node: Node) -> Iterator[Node]:
    """The names under which the class's body says what is equal."""
    body = node.child("body")
    for statement in body.named if body is not None else ():
        inner = statement.child("definition") or statement
        if inner.kind == "expression_statement" and inner.named:
            inner = inner.named[0]
        word = inner.child("name") or inner.child("left")
        if word is not None and word.text in _METHODS:
            yield word


def _without(patch: Patch, file: File, name: str, words: list[Node]) -> Plain | None:
    """The patch with these methods under names that mean nothing."""
    change = next(one for one in patch.changes if one.path == file.path)
    try:
        source = decode(change.after or b"")
        edits = [(w.start, w.end, w.text.strip("_") + "_of_its_own") for w in words]
        after = apply_edits(source.text, edits)
        data = encode(source, after)
    except (TextError, ValueError):
        return None
    if not is_valid(after):
        return None
    changes = tuple(
        replace(one, after=data) if one is change else one for one in patch.changes
    )
    place = Place(file.path, words[0].first_line)
    return Plain(name, place, replace(patch, changes=changes))

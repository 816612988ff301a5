"""A patch in, the same without its classes' own idea of being equal out; pure.

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
from bonafix.syntax import Module, Node, walk

_BUILTIN = {
    *("int", "float", "complex", "bool", "str", "bytes", "bytearray", "list", "tuple"),
    *("dict", "set", "frozenset", "Decimal", "Fraction", "date", "datetime", "time"),
    *("timedelta", "OrderedDict", "Counter", "defaultdict", "deque", "PurePath"),
    *("UserList", "UserDict", "UserString", "array"),
}
_COMPARING = ("__eq__", "__ne__")
_COUNTING = (
    *("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__abs__"),
    *("__neg__", "__lt__", "__le__", "__gt__", "__ge__", "__float__", "__int__"),
    *("__contains__", "__getitem__", "__iter__", "__len__", "__round__", "__hash__"),
)
# Along all bases, so that it makes no difference where a method stands, or how it
# came there: in a mixin, by an assignment, a decorator or `setattr`.
_EPILOGUE = """

def _as_their_bases(names, methods):
    for cls in [globals().get(name) for name in names]:
        line = getattr(cls, "__mro__", ())
        if not any(base.__module__ in {modules!r} for base in line[:-1]):
            continue
        for base in line:
            for method in methods if base.__module__ == __name__ else ():
                if method in vars(base):
                    delattr(base, method)


_as_their_bases({names!r}, {methods!r})
"""
_MODULES = ("builtins", "decimal", "fractions", "datetime", "collections", "array")


@dataclass(frozen=True, slots=True)
class Plain:
    """The patch with new classes that do, in one respect, as their bases do."""

    names: tuple[str, ...]  # of the classes
    place: Place  # of the first
    patch: Patch
    comparing: bool  # what they equal; else how they count and order


def plain_classes(patch: Patch, tests: str) -> tuple[Plain, ...]:
    """New classes on built-in ones without what they say of themselves.

    Classes that the tests (`tests` is their text) name are their own affair: there
    equality may be what is tested.
    """
    found: list[Plain] = []
    for file in changed_files(patch):
        known = {_name(node) for node in _classes(file.before)}
        fresh = [node for node in _classes(file.after) if _name(node) not in known]
        named = [n for n in _on_builtins(fresh) if not _mentioned(_name(n), tests)]
        if named:
            found += [_without(patch, file, named, comparing=c) for c in (True, False)]
    return tuple(found)


def _mentioned(name: str, tests: str) -> bool:
    return bool(re.search(rf"\b{re.escape(name)}\b", tests))


def _on_builtins(fresh: list[Node]) -> list[Node]:
    """Those that have a built-in base, be it through another new class."""
    good: list[Node] = []
    for _ in fresh:  # each round reaches one step further
        names = {_name(node) for node in good} | _BUILTIN
        good = [node for node in fresh if _bases(node) & names]
    return good


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


def _without(
    patch: Patch, file: File, classes: list[Node], *, comparing: bool
) -> Plain:
    """The patch whose module takes these methods away when it is imported."""
    change = next(one for one in patch.changes if one.path == file.path)
    names = tuple(_name(node) for node in classes)
    methods = _COMPARING if comparing else _COUNTING
    text = _EPILOGUE.format(names=names, methods=methods, modules=_MODULES)
    after = (change.after or b"") + text.encode()
    changes = tuple(
        replace(one, after=after) if one is change else one for one in patch.changes
    )
    place = Place(file.path, classes[0].first_line)
    return Plain(names, place, replace(patch, changes=changes), comparing)

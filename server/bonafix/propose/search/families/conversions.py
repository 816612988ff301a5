"""A call too few or too many around a value: `abs`, `int`, `.strip()`, `await` ..."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from functools import lru_cache

from bonafix.propose.search.context import ATOMS, Site, callee, positional, role
from bonafix.propose.search.idioms import is_type
from bonafix.propose.search.kinds import HOLDERS, head, kind, may_be
from bonafix.propose.search.template import (
    TAKING,
    Example,
    Rewrite,
    Template,
    replace,
    wrap,
)
from bonafix.syntax import Node, walk

_VALUES = frozenset({"identifier", "call", "subscript", "attribute", "binary_operator"})
_PLACES = {"returned", "argument", "value", "compared", "iterated", "operand"}
_AROUND: tuple[tuple[str, float], ...] = (
    *(("abs", 0.7), ("int", 0.8), ("str", 0.8), ("len", 0.5), ("list", 0.5)),
    *(("sorted", 0.5), ("set", 0.35), ("float", 0.2), ("round", 0.2), ("tuple", 0.2)),
)
_METHODS: tuple[tuple[str, float], ...] = (
    *(("strip", 0.8), ("lower", 0.8), ("copy", 0.5), ("upper", 0.2)),
    *(("items", 0.3), ("swapcase", 0.05), ("keys", 0.1)),
)
_MAKERS = {"sorted", "list", "set", "str", "abs", "int", "float", "round", "tuple"}
_NEEDS: dict[str, frozenset[str]] = {  # what a conversion makes sense for
    "abs": frozenset({"int", "float", "complex"}),
    "round": frozenset({"float"}),
    "len": HOLDERS,
    "list": HOLDERS - {"list"},
    "sorted": HOLDERS,
    "set": HOLDERS - {"set"},
    "tuple": HOLDERS - {"tuple"},
    "int": frozenset({"str", "float", "bool", "bytes"}),
    "float": frozenset({"str", "int"}),
    "strip": frozenset({"str", "bytes"}),
    "lower": frozenset({"str"}),
    "upper": frozenset({"str"}),
    "swapcase": frozenset({"str"}),
    "copy": frozenset({"list", "dict", "set"}),
    "items": frozenset({"dict", "Counter", "defaultdict"}),
    "keys": frozenset({"dict", "Counter", "defaultdict"}),
}
_METHODS_OF_PYTHON = frozenset(
    {*dir(str), *dir(list), *dir(dict), *dir(set)} - {"values"}
)
_KEPT = {"print", "range", "len", "super", "isinstance", "open", "input"}


def _around(site: Site) -> Iterator[Rewrite]:
    """`x` to `f(x)`."""
    if not _is_value(site) or _called_on(site.node):
        return
    of = kind(site)
    for name, weight in _AROUND:
        if callee_or_none(site.node) != name and _suits(name, of):
            yield wrap(site.node, f"{name}(", ")", weight)


def _method(site: Site) -> Iterator[Rewrite]:
    """`x` to `x.m()`; operations are left alone, they would need brackets."""
    if not _is_value(site) or site.node.kind not in ATOMS:
        return
    of = kind(site)
    for name, weight in _METHODS:
        if not _suits(name, of):
            continue
        if name == "items" and role(site.node) != "iterated":
            continue
        if callee_or_none(site.node) != name:
            yield wrap(site.node, "", f".{name}()", weight)


def _suits(name: str, of: str) -> bool:
    """Whether a conversion does something to a value of a kind; unknown ones may."""
    if name == "str":
        return head(of) != "str"
    return may_be(of, _NEEDS.get(name, frozenset({head(of)})))


def _unwrapped(site: Site) -> Iterator[Rewrite]:
    """`f(x)` to `x`, `x.m()` to `x`."""
    arguments = positional(site.node)
    function = site.node.child("function")
    statement = site.node.parent is not None and (
        site.node.parent.kind == "expression_statement"
    )
    if function is None or statement or callee(site.node) in _KEPT:
        return
    thing = function.child("object")
    if thing is not None and not arguments:
        yield replace(site.node, thing.text, 0.8)
    elif thing is None and len(arguments) == 1:
        likely = callee(site.node) in _MAKERS
        yield replace(site.node, arguments[0].text, 1.0 if likely else 0.6)


def _call_missing(site: Site) -> Iterator[Rewrite]:
    """`x.m` to `x.m()`: the parentheses forgotten, or too many."""
    if site.node.kind == "attribute":
        used = role(site.node) not in {"", "called", "object", "bound", "counted"}
        if used and not is_type(site) and not _is_field(site.node):
            yield wrap(site.node, "", "()")
    elif site.node.kind == "call":
        function, arguments = site.node.child("function"), site.node.child("arguments")
        own = callee(site.node) not in _METHODS_OF_PYTHON
        plain = function is not None and function.kind == "attribute" and own
        if plain and function and arguments is not None and not arguments.named:
            yield replace(site.node, function.text, 0.5)


def _is_field(attribute: Node) -> bool:
    """Whether the file sets an attribute of that name somewhere."""
    name = attribute.child("attribute")
    return name is not None and name.text in _fields(attribute.module.root)


@lru_cache(maxsize=32)
def _fields(root: Node) -> frozenset[str]:
    found = (n for n in walk(root) if n.kind == "attribute" and role(n) == "bound")
    names = (node.child("attribute") for node in found)
    return frozenset(name.text for name in names if name is not None)


def _await(site: Site) -> Iterator[Rewrite]:
    function, parent = site.function, site.node.parent
    if function is None or parent is None or parent.kind == "await":
        return
    called = site.node.child("function")
    if called is not None and called.text in dir(builtins):
        return
    if callee(site.node) in _METHODS_OF_PYTHON - {"get", "pop", "close"}:
        return
    if function.children[0].kind == "async":
        closed = role(site.node) not in {"object", "subscripted"}
        head, tail = ("await ", "") if closed else ("(await ", ")")
        yield wrap(site.node, head, tail)


def _is_value(site: Site) -> bool:
    """Whether it may be any value: no type, no function, not the object itself."""
    usual = site.node.text not in {"self", "cls"} and not is_type(site)
    return role(site.node) in _PLACES and usual


def _called_on(node: Node) -> bool:
    """Whether the only user of the value is a conversion already."""
    arguments = node.parent
    call = arguments.parent if arguments is not None else None
    return call is not None and callee_or_none(call) in _MAKERS | {"len", "range"}


def callee_or_none(node: Node) -> str | None:
    """The name that a call calls; `None` for anything else."""
    return callee(node) if node.kind == "call" else None


def _pieces(site: Site) -> Iterator[Rewrite]:
    """`x.split(...)` to the numbers, or the stripped texts, that stand there."""
    called = site.node.child("function")
    name = called.child("attribute") if called is not None else None
    if name is None or name.text not in {"split", "splitlines", "findall", "groups"}:
        return
    if role(site.node) not in {"value", "returned", "argument", "iterated", "compared"}:
        return
    for made, weight in (("int(part)", 1.0), ("part.strip()", 0.6)):
        yield wrap(site.node, f"[{made} for part in ", "]", weight)


TEMPLATES = (
    Template(
        name="pieces-converted",
        source="PySStuBs (add function around expression)",
        prior=0.2,
        kinds=frozenset({"call"}),
        rewrites=_pieces,
        examples=(
            Example("x = y.split('.')\n", "x = [int(part) for part in y.split('.')]\n"),
            Example(
                "x = f(y.split('.'))\n",
                "x = f([part.strip() for part in y.split('.')])\n",
            ),
        ),
        never=(
            Example("x = y.strip('.')\n", "x = [int(part) for part in y.strip('.')]\n"),
        ),
    ),
    Template(
        name="call-around",
        source="PySStuBs (add function around expression)",
        prior=0.07,
        kinds=_VALUES,
        rewrites=_around,
        examples=(
            Example("x = f(a - b)\n", "x = f(abs(a - b))\n"),
            Example("x = y\n", "x = sorted(y)\n"),
        ),
        never=(
            Example("x = isinstance(y, str)\n", "x = isinstance(y, len(str))\n"),
            Example("x = f(self)\n", "x = f(str(self))\n"),
        ),
    ),
    Template(
        name="method-added",
        source="PySStuBs (add method call)",
        prior=0.06,
        kinds=_VALUES,
        rewrites=_method,
        examples=(
            Example("x = int(y)\n", "x = int(y.strip())\n"),
            Example("for k, v in d:\n    k\n", "for k, v in d.items():\n    k\n"),
        ),
        never=(
            Example("x = isinstance(y, str)\n", "x = isinstance(y, str.strip())\n"),
            Example("x = y\n", "x = y.items()\n"),
        ),
    ),
    Template(
        name="call-removed",
        source="mutation operator ARGUMENT_PROPAGATION (PIT); TBar FP10",
        prior=0.25,
        kinds=frozenset({"call"}),
        rewrites=_unwrapped,
        fitted=TAKING,
        examples=(
            Example("x = sorted(y)\n", "x = y\n"),
            Example("x = y.lower()\n", "x = y\n"),
        ),
        never=(Example("x = len(y)\n", "x = y\n"),),
    ),
    Template(
        name="call-missing",
        source="PySStuBs (add method call)",
        prior=0.15,
        kinds=frozenset({"attribute", "call"}),
        rewrites=_call_missing,
        examples=(
            Example("x = y.keys\n", "x = y.keys()\n"),
            Example("x = y.name()\n", "x = y.name\n"),
        ),
        never=(
            Example("x = Color.RED\n", "x = Color.RED()\n"),
            Example("x = y.strip()\n", "x = y.strip\n"),
            Example("a.b = 1\nx = a.b\n", "a.b = 1\nx = a.b()\n"),
        ),
    ),
    Template(
        name="await-missing",
        source="the interpreter's own hint (never awaited)",
        prior=0.35,
        kinds=frozenset({"call"}),
        rewrites=_await,
        examples=(
            Example(
                "async def f(a):\n    return g(a)\n",
                "async def f(a):\n    return await g(a)\n",
            ),
        ),
        never=(
            Example(
                "async def f(a):\n    return len(a)\n",
                "async def f(a):\n    return await len(a)\n",
            ),
            Example(
                "def f(a):\n    return g(a)\n", "def f(a):\n    return await g(a)\n"
            ),
        ),
    ),
)

"""The wrong name: another variable or attribute, a missing `self.`, a slip."""

from __future__ import annotations

import builtins
import difflib
from collections.abc import Iterator
from functools import lru_cache

from bonafix.propose.search.context import Site, role, usage
from bonafix.propose.search.kinds import alike, kind, kinds
from bonafix.propose.search.neighbours import attributes
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node, walk

_NAMES = frozenset({"identifier"})
_MOST = 6
_SPELT = 0.7
_LOOKED_AT = 60  # names in scope, nearest first
_BUILTIN = frozenset(dir(builtins))
_SINGULAR = {"called", "bound"}
_HINT_MODULES = {
    "defaultdict": "collections",
    "Counter": "collections",
    "deque": "collections",
    "OrderedDict": "collections",
    "namedtuple": "collections",
    "Path": "pathlib",
    "dataclass": "dataclasses",
    "partial": "functools",
    "reduce": "functools",
    "lru_cache": "functools",
    "chain": "itertools",
    "Decimal": "decimal",
    "Fraction": "fractions",
    "datetime": "datetime",
    "timedelta": "datetime",
}
_MODULES = frozenset(
    {
        *("asyncio", "base64", "bisect", "collections", "copy", "csv", "datetime"),
        *("decimal", "functools", "hashlib", "heapq", "io", "itertools", "json"),
        *("logging", "math", "operator", "os", "random", "re", "shutil", "string"),
        *("struct", "sys", "tempfile", "textwrap", "time", "uuid", "warnings"),
    }
)


def _variable(site: Site) -> Iterator[Rewrite]:
    """Another name in scope, those first that are used in the same way."""
    node, own = site.node, role(site.node)
    if not own or _is_label(node):
        return
    facts, scope = usage(site.region), site.scope
    near = (*scope.local, *scope.parameters)
    held, wanted = kinds(site), wanted_kind(site)
    ranked: list[tuple[float, str]] = []
    for name in scope.names[:_LOOKED_AT]:
        roles = facts.roles.get(name, frozenset())
        called = (own == "called") == ("called" in roles)
        usable = called if name in near else called and own in roles
        if usable and name not in {node.text, "self", "cls", "_"}:
            likeness = _likeness(node.text, name, same_use=own in roles)
            fresh = _FRESH if facts.reads.get(name, 0) == 0 else 0.0
            fit = alike(wanted, held.get(name, ""))
            ranked.append((fit * (likeness + fresh + _NEAR * (name in near)), name))
    factor = 0.4 if own in _SINGULAR else 1.0
    best = sorted(ranked, key=lambda pair: -pair[0])[:_MOST]
    for rank, (weight, name) in enumerate(best):
        yield replace(node, name, factor * min(1.0, weight) / (1 + 0.3 * rank))


def wanted_kind(site: Site) -> str:
    """The kind that belongs in a place: of what stands there, if that did not raise.

    A name that an error blames, or one that is only looked at, may be of the wrong
    kind: then the other side of an operation tells.
    """
    node, parent = site.node, site.node.parent
    if {"TypeError", "AttributeError"} & set(site.known.raised):
        sides = parent.named if parent is not None else []
        if parent is not None and parent.kind in _TWO_SIDED and len(sides) > 1:
            other = sides[1] if sides[0] == node else sides[0]
            return kind(site, other)
        return ""
    return kind(site) if role(node) != "bound" else ""


_TWO_SIDED = {"binary_operator", "comparison_operator"}
_NEAR = 0.2  # for a local or parameter
_FRESH = 0.35  # for one that the function never reads: somebody forgot it


def _likeness(name: str, other: str, *, same_use: bool) -> float:
    short = min(len(name), len(other)) <= len("xy")  # spelling says little
    spelling = 0.5 if short else _spelt_alike(name, other)
    return 0.35 * same_use + 0.3 * spelling


@lru_cache(maxsize=32)
def called_names(root: Node) -> frozenset[str]:
    """The attributes that a file calls: methods, as it seems, and no fields."""
    calls = (node for node in walk(root) if node.kind == "call")
    functions = (call.child("function") for call in calls)
    found = (f.child("attribute") for f in functions if f is not None)
    return frozenset(name.text for name in found if name is not None)


@lru_cache(maxsize=8192)
def _spelt_alike(name: str, other: str) -> float:
    return difflib.SequenceMatcher(None, name, other).ratio()


def _attribute(site: Site) -> Iterator[Rewrite]:
    """Another attribute that the file reads from an object of that name."""
    thing, attribute = site.node.child("object"), site.node.child("attribute")
    if thing is None or attribute is None:
        return
    root, called = site.node.module.root, role(site.node) == "called"
    read = usage(root).attributes.get(thing.text, frozenset())
    known = {name for name in read if (name in called_names(root)) == called}
    missing = "AttributeError" in site.known.raised
    own = attributes(site.path, site.known) if missing else ()
    close = difflib.get_close_matches(attribute.text, own, n=3, cutoff=_SPELT)
    ranked = sorted(
        (-_spelt_alike(attribute.text, other), other)
        for other in {*known, *close} - {attribute.text}
    )
    for likeness, other in ranked[:4]:
        yield replace(attribute, other, (0.4 if called else 0.7) * (0.5 - likeness / 2))


def _unknown(site: Site) -> Iterator[Rewrite]:
    """A name that nothing binds: the nearest known one, or an import of it."""
    name = site.node.text
    if not role(site.node) or name in site.scope.names or name in _BUILTIN:
        return
    known = [*site.scope.names, *_BUILTIN]
    for rank, near in enumerate(difflib.get_close_matches(name, known, n=3)):
        yield replace(site.node, near, 1.0 / (1 + rank))
    line = ""
    if name in _MODULES:
        line = f"import {name}"
    elif name in _HINT_MODULES:
        line = f"from {_HINT_MODULES[name]} import {name}"
    if line:
        at = _import_place(site.node.module.root)
        yield Rewrite(((at, at, line + site.newline),), 1.0)


def _import_place(root: Node) -> int:
    """Before the first statement that is neither docstring nor future import."""
    for statement in root.named:
        text = statement.named[0].kind if statement.named else ""
        docstring = statement.kind == "expression_statement" and text == "string"
        if not docstring and statement.kind != "future_import_statement":
            return statement.start
    return 0


def _is_label(node: Node) -> bool:
    return node.kind == "identifier" and role(node) == ""


TEMPLATES = (
    Template(
        name="variable",
        source="PySStuBs (change identifier used); TBar FP13; PraPR",
        prior=0.5,
        kinds=_NAMES,
        rewrites=_variable,
        examples=(
            Example(
                "def f(start, end, other):\n    return start - start\n",
                "def f(start, end, other):\n    return end - start\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    return a\n\n\ndef g(b):\n    return b\n",
                "def f(a):\n    return b\n\n\ndef g(b):\n    return b\n",
            ),
        ),
    ),
    Template(
        name="attribute",
        source="PySStuBs (change attribute used); PraPR (field access)",
        prior=0.4,
        kinds=frozenset({"attribute"}),
        rewrites=_attribute,
        examples=(
            Example(
                "def f(n):\n    return n.ins + n.outs + n.ins\n",
                "def f(n):\n    return n.ins + n.outs + n.outs\n",
            ),
        ),
        never=(Example("x = a.b() + a.c\n", "x = a.c() + a.c\n"),),
    ),
    Template(
        name="name-unknown",
        source="the interpreter's own hint; TBar FP13 (mutate variable)",
        prior=0.9,
        kinds=_NAMES,
        rewrites=_unknown,
        examples=(
            Example("count = 1\nx = cuont\n", "count = 1\nx = count\n"),
            Example("x = math.pi\n", "import math\nx = math.pi\n"),
        ),
        never=(
            Example(
                "count = 1\nx = [cuont for cuont in y]\n",
                "count = 1\nx = [count for cuont in y]\n",
            ),
        ),
    ),
)

"""Off by one where an expression, not a literal, is the bound."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import (
    ATOMS,
    OPERATIONS,
    Site,
    callee,
    enclosing_function,
    is_textual,
    operator,
    positional,
)
from bonafix.propose.search.kinds import is_holder, kind, may_be_number
from bonafix.propose.search.kinds import item as kinds_item
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node

_COUNTED = ATOMS - {"string", "list", "tuple", "dictionary", "set", "true", "false"}
_COUNTABLE = (_COUNTED | OPERATIONS) - {"none", "float", "integer", "ellipsis"}
_NO_NUMBERS = {"list", "dict", "set", "tuple", "str", "isinstance", "join", "type"}
_NO_NUMBERS |= {"sorted", "open", "zip", "enumerate", "reversed", "map", "filter"}
_NO_NUMBERS |= {"split", "strip", "lower", "upper", "replace", "format", "items"}
_NO_NUMBERS |= {"keys", "values", "frozenset", "bool", "iter", "any", "all", "repr"}
_NOT_COUNTED = _NO_NUMBERS | {"range", "len", "print", "super", "hasattr", "getattr"}
_NOT_COUNTED |= {"next", "startswith", "endswith", "encode", "decode", "float"}


def _range(site: Site) -> Iterator[Rewrite]:
    if callee(site.node) != "range":
        return
    arguments = positional(site.node)
    match arguments:
        case [stop]:
            yield from _shifted(stop, 1.0)
            yield Rewrite(((stop.start, stop.start, "1, "),), 0.6)
        case [start, stop, *_]:
            yield from _shifted(stop, 1.0)
            yield from _shifted(start, 0.4)
            if len(arguments[2:]) == 0 and start.text in {"0", "1"}:
                yield Rewrite(((start.start, stop.start, ""),), 0.3)


def _slice(site: Site) -> Iterator[Rewrite]:
    colons = [c for c in site.node.children if c.kind == ":"]
    colon = colons[0] if colons else None
    if colon is None:
        return
    limit = colons[1].start if len(colons) > 1 else site.node.end  # a step is none
    bounds = [bound for bound in site.node.named if bound.end <= limit]
    for bound in bounds:
        yield from _shifted(bound, 1.0)
    if not any(bound.end <= colon.start for bound in site.node.named):
        yield Rewrite(((colon.start, colon.start, "1"),), 0.5)
    if site.node.children[-1] == colon:
        yield Rewrite(((colon.end, colon.end, "-1"),), 0.4)
    for bound in bounds:  # an open end instead
        yield replace(bound, "", 0.4)


def _index(site: Site) -> Iterator[Rewrite]:
    thing = site.node.child("value")
    if thing is not None and kind(site, thing) == "dict[str]":
        return
    for subscript in site.node.each("subscript"):
        if subscript.kind in {"identifier", "binary_operator", "call"}:
            yield from _shifted(subscript, 1.0, kind(site, subscript))


def _argument(site: Site) -> Iterator[Rewrite]:
    """An argument of a call: likelier where a function calls itself."""
    function = enclosing_function(site.node)
    name = function.child("name") if function is not None else None
    own = name is not None and name.text == callee(site.node)
    if callee(site.node) in _NOT_COUNTED:
        return
    for argument in positional(site.node):
        yield from _shifted(argument, 1.0 if own else 0.25, kind(site, argument))


def _value(site: Site) -> Iterator[Rewrite]:
    value = site.node.child("right") if site.node.child("left") is not None else None
    if site.node.kind == "return_statement":
        value = site.node.named[0] if site.node.named else None
    if value is not None:
        weight = 0.8 if value.kind == "identifier" else 1.0
        yield from _shifted(value, weight, kind(site, value))


def _measured(site: Site) -> Iterator[Rewrite]:
    """`len(x)` to `len(x[0])` and back: rows for columns."""
    arguments = positional(site.node)
    if callee(site.node) != "len" or len(arguments) != 1:
        return
    thing = arguments[0]
    value, keys = thing.child("value"), thing.each("subscript")
    if thing.kind == "subscript" and value is not None and len(keys) == 1:
        yield replace(thing, value.text)
    elif thing.kind in {"identifier", "attribute"}:
        inner = kinds_item(kind(site, thing))
        if not inner or is_holder(inner):
            yield replace(thing, f"{thing.text}[0]", 1.0 if inner else 0.6)


def _compared(site: Site) -> Iterator[Rewrite]:
    signs = [sign.text for sign in site.node.each("operators")]
    if signs and signs[0] in {"<", "<=", ">", ">=", "==", "!="}:
        last = site.node.named[-1]
        weight = 1.0 if signs[0] in "==!=" else 0.7
        yield from _shifted(last, weight, kind(site, last))


def _divisor(site: Site) -> Iterator[Rewrite]:
    sides = site.node.each("right")
    sign = operator(site.node)
    if sign == "%" and any(is_textual(side) for side in site.node.each("left")):
        return
    for side in [*site.node.each("left"), *sides] if sign == "*" else sides:
        inner = side.named[0] if side.kind == "parenthesized_expression" else side
        if sign in {"/", "//", "%", "*"}:
            weight = 1.0 if inner != side else 0.5
            yield from _shifted(inner, weight, kind(site, inner))


def _shifted(node: Node, weight: float, of: str = "") -> Iterator[Rewrite]:
    """`n` to `n + 1` and `n - 1`; what ends so already is left to other templates.

    `of` is the kind of its value, where that is known: only numbers are counted.
    """
    if node.kind not in _COUNTABLE or is_textual(node) or not _plain(node):
        return
    if not may_be_number(of):
        return
    for new in (" + 1", " - 1"):
        if not node.text.endswith((" + 1", " - 1", "+1", "-1")):
            yield _appended(node, new, weight)


def _appended(node: Node, new: str, weight: float) -> Rewrite:
    tight = node.parent is not None and (
        node.parent.kind in {"binary_operator", "unary_operator", "attribute"}
    )
    if tight:
        edits = ((node.start, node.start, "("), (node.end, node.end, f"{new})"))
        return Rewrite(edits, weight)
    return Rewrite(((node.end, node.end, new),), weight)


def _plain(node: Node) -> bool:
    """Whether it may be a number: the likes of `list(x)`, `Shop()`, `self` are not."""
    called = callee(node) if node.kind == "call" else ""
    plain = called not in _NO_NUMBERS and not called[:1].isupper()
    return plain and node.text not in {"self", "cls", "int", "float"}


TEMPLATES = (
    Template(
        name="range-bound",
        source="TBar FP4.4 and FP9 (off by one); PySStuBs (more specific if)",
        prior=0.65,
        kinds=frozenset({"call"}),
        rewrites=_range,
        examples=(
            Example("x = range(len(a) - l)\n", "x = range(len(a) - l + 1)\n"),
            Example("x = range(n)\n", "x = range(1, n)\n"),
            Example("x = range(0, n)\n", "x = range(0, n - 1)\n"),
        ),
        never=(Example("x = f(n)\n", "x = f(n + 1)\n"),),
    ),
    Template(
        name="slice-bound",
        source="TBar FP9 (off by one)",
        prior=0.35,
        kinds=frozenset({"slice"}),
        rewrites=_slice,
        examples=(
            Example("x = a[i:j]\n", "x = a[i + 1:j]\n"),
            Example("x = a[i:]\n", "x = a[i:-1]\n"),
            Example("x = a[:i]\n", "x = a[1:i]\n"),
        ),
        never=(Example("x = a[::n]\n", "x = a[::n + 1]\n"),),
    ),
    Template(
        name="index-off-by-one",
        source="TBar FP3 (range checks) and FP9; QuixBugs",
        prior=0.25,
        kinds=frozenset({"subscript"}),
        rewrites=_index,
        examples=(Example("x = a[i]\n", "x = a[i - 1]\n"),),
        never=(
            Example(
                "def f(k):\n    d = {'a': 1}\n    return d[k]\n",
                "def f(k):\n    d = {'a': 1}\n    return d[k - 1]\n",
            ),
        ),
    ),
    Template(
        name="argument-off-by-one",
        source="PAR (parameter replacer); QuixBugs",
        prior=0.35,
        kinds=frozenset({"call"}),
        rewrites=_argument,
        examples=(
            Example(
                "def f(a, b):\n    return f(a, b)\n",
                "def f(a, b):\n    return f(a + 1, b)\n",
            ),
        ),
        never=(
            Example("x = float(y)\n", "x = float(y + 1)\n"),
            Example("x = f(self)\n", "x = f(self + 1)\n"),
        ),
    ),
    Template(
        name="value-off-by-one",
        source="TBar FP9 (off by one)",
        prior=0.22,
        kinds=frozenset({"return_statement", "assignment"}),
        rewrites=_value,
        examples=(
            Example("def f(a):\n    return a\n", "def f(a):\n    return a - 1\n"),
            Example("x = len(a)\n", "x = len(a) - 1\n"),
        ),
        never=(
            Example("x = Shop(a)\n", "x = Shop(a) + 1\n"),
            Example("x = a.strip()\n", "x = a.strip() + 1\n"),
        ),
    ),
    Template(
        name="compared-off-by-one",
        source="TBar FP6 (mutate conditional expression)",
        prior=0.25,
        kinds=frozenset({"comparison_operator"}),
        rewrites=_compared,
        examples=(Example("x = i < len(a)\n", "x = i < len(a) - 1\n"),),
        never=(
            Example("x = type(a) == type(b)\n", "x = type(a) == type(b) + 1\n"),
            Example("x = a is b\n", "x = a is b + 1\n"),
        ),
    ),
    Template(
        name="length-of-item",
        source="PySStuBs (change of a subscript), for lengths",
        prior=0.3,
        kinds=frozenset({"call"}),
        rewrites=_measured,
        examples=(
            Example("x = range(len(a))\n", "x = range(len(a[0]))\n"),
            Example("x = range(len(a[i]))\n", "x = range(len(a))\n"),
        ),
        never=(
            Example(
                "def f():\n    a = [1]\n    return len(a)\n",
                "def f():\n    a = [1]\n    return len(a[0])\n",
            ),
        ),
    ),
    Template(
        name="operand-off-by-one",
        source="TBar FP9 (off by one)",
        prior=0.35,
        kinds=frozenset({"binary_operator"}),
        rewrites=_divisor,
        examples=(
            Example("x = a / (m - n)\n", "x = a / (m - n + 1)\n"),
            Example("x = a / n\n", "x = a / (n - 1)\n"),
        ),
        never=(Example("x = '%s' % n\n", "x = '%s' % (n - 1)\n"),),
    ),
)

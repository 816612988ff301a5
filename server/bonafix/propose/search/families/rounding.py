"""Numbers that go round: division upwards, an index past the end, floats held equal."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import (
    ATOMS,
    Site,
    callee,
    operands,
    operator,
    positional,
    role,
)
from bonafix.propose.search.kinds import SEQUENCES, head, kind, may_be
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node

_TINY = "1e-9"


def _upwards(site: Site) -> Iterator[Rewrite]:
    """`a // b` to the next whole number above, `int(a / b)` to the one below."""
    node, pair = site.node, operands(site.node)
    if node.kind == "call":
        yield from _divided(node)
        return
    if pair is None or operator(node) != "//" or pair[1].text == "1":
        return
    if any(side.kind not in ATOMS for side in pair):
        return
    a, b = pair[0].text, pair[1].text
    yield replace(node, f"-(-{a} // {b})")
    less = f"{int(b) - 1}" if b.isdigit() else f"{b} - 1"
    yield replace(node, f"({a} + {less}) // {b}", 0.9)


def _divided(call: Node) -> Iterator[Rewrite]:
    given = positional(call)
    pair = operands(given[0]) if len(given) == 1 else None
    if callee(call) not in {"int", "round"} or pair is None:
        return
    if operator(given[0]) == "/" and all(side.kind in ATOMS for side in pair):
        yield replace(call, f"{pair[0].text} // {pair[1].text}")
        yield replace(call, f"-(-{pair[0].text} // {pair[1].text})", 0.8)


def _wrapped(site: Site) -> Iterator[Rewrite]:
    """`a[i + 1]` to `a[(i + 1) % len(a)]`: behind the last comes the first."""
    thing, keys = site.node.child("value"), site.node.each("subscript")
    if thing is None or len(keys) != 1 or not may_be(kind(site, thing), SEQUENCES):
        return
    index = keys[0]
    if index.kind == "binary_operator" and operator(index) in {"+", "-"}:
        if f"len({thing.text})" not in index.text:
            yield replace(index, f"({index.text}) % len({thing.text})")
    elif index.kind == "identifier" and head(kind(site, index)) in {"int", ""}:
        yield replace(index, f"{index.text} % len({thing.text})", 0.4)


def _sign(site: Site) -> Iterator[Rewrite]:
    """`-x` to `x`; literals are left to the constants."""
    inner = site.node.named[0] if site.node.named else None
    plain = inner is not None and inner.kind != "integer"
    if plain and inner is not None and operator(site.node) in {"-", "~"}:
        yield replace(site.node, inner.text)


def _close(site: Site) -> Iterator[Rewrite]:
    """`a == b` of floats to a small difference."""
    signs, sides = site.node.each("operators"), site.node.named
    if len(signs) != 1 or signs[0].text not in {"==", "!="}:
        return
    heads = [head(kind(site, side)) for side in sides]
    if "float" not in heads and not any(operator(side) == "/" for side in sides):
        return
    if any(side.text in {"0.0", "0"} for side in sides):
        return
    a, b = (side.text if side.kind in ATOMS else f"({side.text})" for side in sides)
    near = "<" if signs[0].text == "==" else ">="
    yield replace(site.node, f"abs({a} - {b}) {near} {_TINY}")


def _around(site: Site) -> Iterator[Rewrite]:
    """`a + b` to `(a + b) % n`, where `n` is a name that the function divides by."""
    pair = operands(site.node)
    if pair is None or operator(site.node) not in {"+", "-", "*"}:
        return
    if role(site.node) not in {"returned", "value", "index"}:
        return
    for name in _moduli(site):
        if name not in {pair[0].text, pair[1].text}:
            yield replace(site.node, f"({site.node.text}) % {name}")


def _moduli(site: Site) -> list[str]:
    """Names that are usual for it, among the parameters."""
    usual = {"mod", "modulus", "n", "size", "m", "modulo", "count", "length"}
    return [name for name in site.scope.parameters if name in usual][:2]


TEMPLATES = (
    Template(
        name="rounded-up",
        source="PySStuBs (change binary operator), for division upwards; BugsInPy",
        prior=0.15,
        kinds=frozenset({"binary_operator", "call"}),
        rewrites=_upwards,
        examples=(
            Example("x = a // b\n", "x = -(-a // b)\n"),
            Example("x = a // 8\n", "x = (a + 7) // 8\n"),
            Example("x = int(a / b)\n", "x = a // b\n"),
        ),
        never=(
            Example("x = a // 1\n", "x = (a + 0) // 1\n"),
            Example("x = int(a + b)\n", "x = a // b\n"),
        ),
    ),
    Template(
        name="index-wrapped",
        source="QuixBugs (missing arithmetic expression); TBar FP3",
        prior=0.15,
        kinds=frozenset({"subscript"}),
        rewrites=_wrapped,
        examples=(Example("x = a[i + 1]\n", "x = a[(i + 1) % len(a)]\n"),),
        never=(
            Example(
                "def f(k):\n    d = {1: 2}\n    return d[k + 1]\n",
                "def f(k):\n    d = {1: 2}\n    return d[(k + 1) % len(d)]\n",
            ),
            Example("x = a[len(a) - 1]\n", "x = a[(len(a) - 1) % len(a)]\n"),
        ),
    ),
    Template(
        name="remainder-missing",
        source="QuixBugs (missing arithmetic expression)",
        prior=0.2,
        kinds=frozenset({"binary_operator"}),
        rewrites=_around,
        examples=(
            Example(
                "def f(a, b, n):\n    return a + b\n",
                "def f(a, b, n):\n    return (a + b) % n\n",
            ),
        ),
        never=(
            Example(
                "def f(a, n):\n    return a + n\n",
                "def f(a, n):\n    return (a + n) % n\n",
            ),
        ),
    ),
    Template(
        name="sign-needless",
        source="PySStuBs (change unary operator); mutation operator UOD",
        prior=0.4,
        kinds=frozenset({"unary_operator"}),
        rewrites=_sign,
        examples=(Example("x = -a\n", "x = a\n"),),
        never=(
            Example("x = +a\n", "x = a\n"),
            Example("x = a[-1]\n", "x = a[1]\n"),
        ),
    ),
    Template(
        name="floats-equal",
        source="Python's tutorial (floating point); pylint W0134's kin",
        prior=0.3,
        kinds=frozenset({"comparison_operator"}),
        rewrites=_close,
        examples=(
            Example("x = a / b == c\n", "x = abs((a / b) - c) < 1e-9\n"),
            Example("x = a == 0.3\n", "x = abs(a - 0.3) < 1e-9\n"),
        ),
        never=(Example("x = a == b\n", "x = abs(a - b) < 1e-9\n"),),
    ),
)

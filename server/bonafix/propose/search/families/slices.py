"""Slices: the wrong side, a part too much or too little, the wrong way round."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, positional, role
from bonafix.propose.search.kinds import (
    SEQUENCES,
    head,
    kind,
    kinds,
    may_be,
    may_be_number,
)
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap
from bonafix.syntax import Node, walk

_SLICED = frozenset({"slice"})
_VALUES = frozenset({"identifier", "attribute", "call", "subscript"})
_SEQUENCES = SEQUENCES - {"range"}
_MOST = 4


def _side(site: Site) -> Iterator[Rewrite]:
    """`a[:n]` to `a[n:]`, `a[-n:]` and back."""
    bounds, colons = site.node.named, [c for c in site.node.children if c.kind == ":"]
    if len(bounds) != 1 or len(colons) != 1:
        return
    bound = bounds[0].text
    ends = bounds[0].end <= colons[0].start
    yield replace(site.node, f":{bound}" if ends else f"{bound}:")
    if bounds[0].kind == "unary_operator":
        plain = bounds[0].named[0].text
        yield replace(site.node, f"{plain}:" if ends else f":{plain}", 0.6)
    else:
        written = bound if bounds[0].kind in _VALUES | {"integer"} else f"({bound})"
        yield replace(site.node, f"-{written}:", 0.9)
        yield replace(site.node, f":-{written}", 0.6)


def _other_bound(site: Site) -> Iterator[Rewrite]:
    """`a[:n]` to `a[m:n]`, for the numbers that are near."""
    bounds, colons = site.node.named, [c for c in site.node.children if c.kind == ":"]
    if len(bounds) != 1 or len(colons) != 1 or bounds[0].kind not in _VALUES:
        return
    asked = {n.text for n in walk(bounds[0]) if n.kind == "identifier"}
    known, parameters = kinds(site), set(site.scope.parameters)
    near = [n for n in (*site.scope.parameters, *site.scope.local) if n not in asked]
    fit = [n for n in dict.fromkeys(near) if may_be_number(known.get(n, ""))]
    ends = bounds[0].end <= colons[0].start
    for rank, name in enumerate(fit[:_MOST]):
        weight = (1.0 if name in parameters or known.get(name) else 0.5) / (1 + rank)
        at = site.node.end if ends else site.node.start
        yield Rewrite(((at, at, name),), weight)


def _step(site: Site) -> Iterator[Rewrite]:
    """A step that was forgotten, or is not wanted."""
    colons = [c for c in site.node.children if c.kind == ":"]
    text = site.node.text
    if text.replace(" ", "") == "::-1":
        parent = site.node.parent
        thing = parent.child("value") if parent is not None else None
        if parent is not None and thing is not None:
            yield replace(parent, thing.text, 0.8)
    elif len(colons) == 1:
        for step, weight in (("-1", 0.5), ("2", 0.5)):
            if step == "2" or len(site.node.named) < len("ij"):  # else it is empty
                yield Rewrite(((site.node.end, site.node.end, f":{step}"),), weight)
    elif len(colons) > 1 and site.node.children[-1].kind != ":":
        yield Rewrite(((colons[1].start, site.node.end, ""),), 0.6)


def _sliced(site: Site) -> Iterator[Rewrite]:
    """A sequence of which only a part was meant: `x` to `x[1:]`."""
    node = site.node
    known = kind(site)
    certain = role(node) == "returned" and head(known) in _SEQUENCES
    usual = role(node) in {"iterated", "argument"} and may_be(known, _SEQUENCES)
    if not certain and not usual:
        return
    weight = 1.0 if known else 0.4
    if role(node) == "iterated":
        yield wrap(node, "", "[1:]", weight)
        yield wrap(node, "", "[:-1]", 0.8 * weight)
        yield wrap(node, "reversed(", ")", 0.7 * weight)
    elif known:
        yield wrap(node, "", "[1:]", 0.5)
        yield wrap(node, "", "[:-1]", 0.4)
    if known:
        yield wrap(node, "", "[::-1]", 0.6)


def _one_of(site: Site) -> Iterator[Rewrite]:
    """An item where a slice was meant: `a[i]` to `a[i:]` and `a[:i]`."""
    node = site.node
    keys, thing = node.each("subscript"), node.child("value")
    if thing is None or len(keys) != 1 or role(node) in {"bound", "counted"}:
        return
    if keys[0].kind == "slice" or not may_be(kind(site, thing), _SEQUENCES):
        return
    if keys[0].kind in {"identifier", "integer", "binary_operator"}:
        known = 1.0 if kind(site, thing) else 0.5
        yield replace(keys[0], f"{keys[0].text}:", known)
        yield replace(keys[0], f":{keys[0].text}", 0.8 * known)


def _range(site: Site) -> Iterator[Rewrite]:
    """`range(n)` counted from one, and downwards."""
    if callee(site.node) != "range":
        return
    match positional(site.node):
        case [stop]:
            last = _minus_one(stop)
            yield Rewrite(
                ((stop.start, stop.start, "1, "), (stop.end, stop.end, " + 1")), 1.0
            )
            yield replace(stop, f"{last}, -1, -1", 0.6)
        case [start, stop]:
            likely = 1.0 if stop.text in {"0", "1", "-1"} else 0.15
            if start.text not in {"0", "1"}:  # downwards from there is nothing
                yield Rewrite(((stop.end, stop.end, ", -1"),), likely)
        case [start, stop, step] if step.text == "-1":
            moved = ((start.start, start.end, _minus_one(start)),)
            if stop.text == "0":
                yield Rewrite((*moved, (stop.start, stop.end, "-1")))
            yield Rewrite(moved, 0.5)


def _minus_one(node: Node) -> str:
    return str(int(node.text) - 1) if node.text.isdigit() else f"{node.text} - 1"


TEMPLATES = (
    Template(
        name="slice-side",
        source="TBar FP9 (off by one) and PySStuBs, for slices",
        prior=0.4,
        kinds=_SLICED,
        rewrites=_side,
        examples=(
            Example("x = a[:n]\n", "x = a[n:]\n"),
            Example("x = a[:n]\n", "x = a[-n:]\n"),
        ),
        never=(Example("x = a[m:n]\n", "x = a[n:]\n"),),
    ),
    Template(
        name="slice-bound-missing",
        source="TBar FP9 and PAR (parameter adder), for slices",
        prior=0.2,
        kinds=_SLICED,
        rewrites=_other_bound,
        examples=(
            Example(
                "def f(a, m, n):\n    return a[:n]\n",
                "def f(a, m, n):\n    return a[m:n]\n",
            ),
            Example(
                "def f(a, m, n):\n    return a[m:]\n",
                "def f(a, m, n):\n    return a[m:n]\n",
            ),
        ),
        never=(
            Example(
                "def f(a, m, n):\n    return a[:n:2]\n",
                "def f(a, m, n):\n    return a[m:n:2]\n",
            ),
            Example(
                "def f(a, n):\n    return a[:n]\n", "def f(a, n):\n    return a[n:n]\n"
            ),
        ),
    ),
    Template(
        name="slice-step",
        source="PySStuBs (change numeric literal), for slices",
        prior=0.25,
        kinds=_SLICED,
        rewrites=_step,
        examples=(
            Example("x = a[::-1]\n", "x = a\n"),
            Example("x = a[1:]\n", "x = a[1::2]\n"),
        ),
        never=(Example("x = a[i:j]\n", "x = a[i:j:-1]\n"),),
    ),
    Template(
        name="slice-missing",
        source="PySStuBs (add method call), for slices",
        prior=0.2,
        kinds=_VALUES,
        rewrites=_sliced,
        examples=(
            Example("for x in y:\n    z(x)\n", "for x in y[1:]:\n    z(x)\n"),
            Example(
                "def f():\n    y = 'a'\n    return y\n",
                "def f():\n    y = 'a'\n    return y[::-1]\n",
            ),
        ),
        never=(
            Example(
                "def f():\n    y = 1\n    return g(y)\n",
                "def f():\n    y = 1\n    return g(y[1:])\n",
            ),
        ),
    ),
    Template(
        name="slice-for-item",
        source="PySStuBs (change of a subscript)",
        prior=0.2,
        kinds=frozenset({"subscript"}),
        rewrites=_one_of,
        examples=(Example("x = a[1]\n", "x = a[1:]\n"),),
        never=(
            Example(
                "def f(k):\n    a = {1: 2}\n    return a[k]\n",
                "def f(k):\n    a = {1: 2}\n    return a[k:]\n",
            ),
        ),
    ),
    Template(
        name="range-way",
        source="TBar FP4.4 and FP9 (off by one), both ends at once",
        prior=0.35,
        kinds=frozenset({"call"}),
        rewrites=_range,
        examples=(
            Example("x = range(n)\n", "x = range(1, n + 1)\n"),
            Example("x = range(n, 0, -1)\n", "x = range(n - 1, -1, -1)\n"),
            Example("x = range(n, 0)\n", "x = range(n, 0, -1)\n"),
        ),
        never=(Example("x = range(1, n)\n", "x = range(1, n, -1)\n"),),
    ),
)

"""Order: sorted in place or not, the other way round, by another key."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import ATOMS, Site, callee, positional
from bonafix.propose.search.families.calls import given_to
from bonafix.propose.search.kinds import HOLDERS, head, item, kind
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node

_CALL = frozenset({"call"})
_ORDERING = {"sorted", "sort", "max", "min"}
_KEYS = {  # key -> kinds of items that it makes sense for
    "len": HOLDERS,
    "abs": frozenset({"int", "float"}),
    "str": frozenset({"int", "float"}),
    "str.lower": frozenset({"str"}),
}


def _in_place(site: Site) -> Iterator[Rewrite]:
    """`x.sort()` used as a value, `sorted(x)` used as a statement; `reverse` too."""
    function = site.node.child("function")
    statement = site.node.parent
    bare = statement is not None and statement.kind == "expression_statement"
    thing = function.child("object") if function is not None else None
    rest = given_to(site.node)
    pairs = {"sort": "sorted", "reverse": "reversed"}
    for method, maker in pairs.items():
        if thing is not None and callee(site.node) == method and not bare:
            new = ", ".join([thing.text, *rest])
            made = f"{maker}({new})" if method == "sort" else f"list({maker}({new}))"
            yield replace(site.node, made)
        elif thing is None and callee(site.node) == maker and bare and rest:
            yield replace(site.node, f"{rest[0]}.{method}({', '.join(rest[1:])})")
            yield replace(site.node, f"{rest[0]} = {site.node.text}", 0.6)


def _reverse(site: Site) -> Iterator[Rewrite]:
    """Another direction of sorting: with `reverse=True`, or without it."""
    arguments = site.node.child("arguments")
    if callee(site.node) not in {"sorted", "sort"} or arguments is None:
        return
    flag = _keyword(arguments, "reverse")
    if flag is None:
        lead = ", " if arguments.named else ""
        at = arguments.end - 1
        yield Rewrite(((at, at, f"{lead}reverse=True"),))
    elif flag.text == "True":
        yield replace(flag, "False")


def _key(site: Site) -> Iterator[Rewrite]:
    """What is compared: by length, or in absolute value."""
    arguments = site.node.child("arguments")
    if callee(site.node) not in _ORDERING or arguments is None:
        return
    key = _keyword(arguments, "key")
    if key is None and len(positional(site.node)) <= 1:
        lead = ", " if arguments.named else ""
        at, first = arguments.end - 1, positional(site.node)[:1]
        of = item(kind(site, first[0])) if first else ""
        for rank, (name, fits) in enumerate(_KEYS.items()):
            if not of or head(of) in fits:
                yield Rewrite(((at, at, f"{lead}key={name}"),), 1.0 / (1 + rank))


def _tie(site: Site) -> Iterator[Rewrite]:
    """`key=lambda x: x[1]` to one that decides ties too, or the other way round."""
    arguments = site.node.child("arguments")
    key = _keyword(arguments, "key") if arguments is not None else None
    if callee(site.node) not in _ORDERING or key is None or key.kind != "lambda":
        return
    listed, body = key.child("parameters"), key.child("body")
    if listed is None or body is None or body.kind in {"tuple", "unary_operator"}:
        return
    name, text = listed.text, body.text
    others = {f"{name}[1]": f"{name}[0]", f"{name}[0]": f"{name}[1]"}
    if name != text:
        yield replace(body, f"({text}, {others.get(text, name)})")
    yield replace(body, f"-{text}" if body.kind in ATOMS else f"-({text})", 0.8)
    if name != text:
        yield replace(body, f"(-{text}, {others.get(text, name)})", 0.6)


def _directions(site: Site) -> Iterator[Rewrite]:
    """One of several keys the other way round; instead of `reverse=True`, if so."""
    arguments = site.node.child("arguments")
    key = _keyword(arguments, "key") if arguments is not None else None
    if callee(site.node) not in _ORDERING or key is None or key.kind != "lambda":
        return
    body, flag = (
        key.child("body"),
        _keyword(arguments, "reverse") if arguments else None,
    )
    if body is None or body.kind != "tuple":
        return
    drop = _without(flag) if flag is not None and flag.text == "True" else ()
    for rank, one in enumerate(body.named):
        if one.kind == "unary_operator" and one.text.startswith("-"):
            turned = one.text[1:].strip()
        else:
            turned = f"-{one.text}" if one.kind in ATOMS else f"-({one.text})"
        edit = (one.start, one.end, turned)
        weight = 1.0 / (1 + rank)
        yield Rewrite(tuple(sorted((edit, *drop))), weight)
        if drop:
            yield Rewrite((edit,), 0.3 * weight)


def _without(flag: Node) -> tuple[tuple[int, int, str], ...]:
    """The edit that takes a keyword argument away, with the comma before it."""
    argument = flag.parent
    before = argument.previous if argument is not None else None
    if argument is None or before is None:
        return ()
    return ((before.end, argument.end, ""),)


def _keyword(arguments: Node, name: str) -> Node | None:
    for argument in arguments.named:
        label = argument.child("name")
        if label is not None and label.text == name:
            return argument.child("value")
    return None


TEMPLATES = (
    Template(
        name="in-place-call",
        source="PySStuBs (wrong function name)",
        prior=0.7,
        kinds=_CALL,
        rewrites=_in_place,
        examples=(
            Example("x = y.sort()\n", "x = sorted(y)\n"),
            Example("sorted(y)\n", "y.sort()\n"),
        ),
        never=(
            Example("y.sort()\n", "sorted(y)\n"),
            Example("x = sorted(y)\n", "x = y.sort()\n"),
        ),
    ),
    Template(
        name="sort-direction",
        source="PySStuBs (same function more or fewer arguments)",
        prior=0.5,
        kinds=_CALL,
        rewrites=_reverse,
        examples=(
            Example("x = sorted(y)\n", "x = sorted(y, reverse=True)\n"),
            Example("y.sort(reverse=True)\n", "y.sort(reverse=False)\n"),
        ),
        never=(Example("x = max(y)\n", "x = max(y, reverse=True)\n"),),
    ),
    Template(
        name="sort-key",
        source="PySStuBs (same function more arguments)",
        prior=0.12,
        kinds=_CALL,
        rewrites=_key,
        examples=(Example("x = max(y)\n", "x = max(y, key=len)\n"),),
        never=(
            Example("x = max(a, b)\n", "x = max(a, b, key=len)\n"),
            Example("x = max([1, 2])\n", "x = max([1, 2], key=len)\n"),
        ),
    ),
    Template(
        name="tie-broken",
        source="BugsInPy (an order that is not total); TBar FP13",
        prior=0.2,
        kinds=_CALL,
        rewrites=_tie,
        examples=(
            Example(
                "x = sorted(y, key=lambda a: a[1])\n",
                "x = sorted(y, key=lambda a: (a[1], a[0]))\n",
            ),
            Example(
                "x = sorted(y, key=lambda a: a[1])\n",
                "x = sorted(y, key=lambda a: -a[1])\n",
            ),
        ),
        never=(
            Example(
                "x = sorted(y, key=lambda a: a)\n",
                "x = sorted(y, key=lambda a: (a, a))\n",
            ),
            Example("x = f(lambda a: a[1])\n", "x = f(lambda a: -a[1])\n"),
        ),
    ),
    Template(
        name="tie-direction",
        source="BugsInPy (an order that is not total); TBar FP13",
        prior=0.35,
        kinds=_CALL,
        rewrites=_directions,
        examples=(
            Example(
                "x = sorted(y, key=lambda a: (b[a], a), reverse=True)\n",
                "x = sorted(y, key=lambda a: (-b[a], a))\n",
            ),
            Example(
                "y.sort(key=lambda a: (a[1], a[0]))\n",
                "y.sort(key=lambda a: (-a[1], a[0]))\n",
            ),
            Example(
                "y.sort(key=lambda a: (-a.b, a.c))\n",
                "y.sort(key=lambda a: (a.b, a.c))\n",
            ),
        ),
        never=(
            Example(
                "x = f(y, key=lambda a: (a, b))\n", "x = f(y, key=lambda a: (-a, b))\n"
            ),
        ),
    ),
)

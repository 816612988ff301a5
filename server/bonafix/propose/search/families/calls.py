"""Calls: the wrong one of a confusable set, arguments that changed places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bonafix.propose.search.context import Site, callee, positional, role
from bonafix.propose.search.template import Example, Rewrite, Template, replace, swap
from bonafix.syntax import Node

_SETS: tuple[tuple[str, ...], ...] = (
    ("append", "extend"),
    ("min", "max"),
    ("any", "all"),
    ("floor", "ceil"),
    ("lower", "upper", "capitalize", "title", "swapcase"),
    ("islower", "isupper"),
    ("isdigit", "isalpha", "isalnum", "isnumeric", "isspace"),
    ("startswith", "endswith"),
    ("strip", "lstrip", "rstrip"),
    ("removeprefix", "removesuffix"),
    ("ljust", "rjust"),
    ("find", "rfind", "index"),
    ("index", "count"),
    ("split", "rsplit", "splitlines"),
    ("partition", "rpartition"),
    ("keys", "values", "items"),
    ("add", "discard", "update"),
    ("remove", "discard", "pop"),
    ("pop", "popleft", "get"),
    ("append", "appendleft", "insert"),
    ("union", "intersection", "difference", "symmetric_difference"),
    ("issubset", "issuperset"),
    ("int", "float", "round", "str"),
    ("list", "tuple", "set", "sorted"),
    ("ord", "chr"),
    ("is_file", "is_dir", "exists"),
    ("isfile", "isdir", "exists"),
    ("dumps", "dump"),
    ("loads", "load"),
    ("match", "search", "fullmatch"),
    ("findall", "finditer"),
    ("setdefault", "get"),
    ("getattr", "hasattr"),
    ("isinstance", "issubclass"),
    ("map", "filter"),
    ("zip", "zip_longest"),
    ("heappush", "heappop"),
    ("bisect_left", "bisect_right", "bisect"),
    ("permutations", "combinations", "product"),
    ("sin", "cos"),
    ("now", "utcnow"),
    ("days", "seconds", "total_seconds"),
    ("read", "readline", "readlines"),
)
_CALL = frozenset({"call"})
_ARITY = {"append": 1, "extend": 1, "add": 1, "startswith": 1, "endswith": 1}
_ORDERING = {"sorted", "sort", "max", "min"}


def _confused(site: Site) -> Iterator[Rewrite]:
    name = _name(site.node)
    if name is None:
        return
    alternatives = [
        (
            other,
            1.0 / (0.6 + 0.4 * abs(names.index(other) - names.index(name.text))),
        )
        for names in _SETS
        if name.text in names
        for other in names
        if other != name.text
    ]
    for other, weight in dict(alternatives).items():
        yield replace(name, other, weight)


def _in_place(site: Site) -> Iterator[Rewrite]:
    """`x.sort()` used as a value, `sorted(x)` used as a statement; `reverse` too."""
    function = site.node.child("function")
    statement = site.node.parent
    bare = statement is not None and statement.kind == "expression_statement"
    thing = function.child("object") if function is not None else None
    rest = _arguments(site.node)
    pairs = {"sort": "sorted", "reverse": "reversed"}
    for method, maker in pairs.items():
        if thing is not None and callee(site.node) == method and not bare:
            new = ", ".join([thing.text, *rest])
            made = f"{maker}({new})" if method == "sort" else f"list({maker}({new}))"
            yield replace(site.node, made)
        elif thing is None and callee(site.node) == maker and bare and rest:
            yield replace(site.node, f"{rest[0]}.{method}({', '.join(rest[1:])})")
            yield replace(site.node, f"{rest[0]} = {site.node.text}", 0.6)


def _swapped(site: Site) -> Iterator[Rewrite]:
    arguments = positional(site.node)
    if callee(site.node) in {"isinstance", "hasattr", "getattr", "zip", "max", "min"}:
        return
    for a, b in pairwise(arguments):
        if a.text != b.text:
            yield swap(a, b, _alike(a, b) / max(1, len(arguments) - 1))


def _items_swapped(site: Site) -> Iterator[Rewrite]:
    """Adjacent elements of a short list, tuple, pattern or pair of subscripts."""
    items = [n for n in site.node.named if "splat" not in n.kind]
    constant = all(item.kind in {"string", "integer"} for item in items)
    if constant or len(items) > _SHORT:
        return
    for a, b in pairwise(items):
        if a.text != b.text:
            yield swap(a, b, _alike(a, b) / max(1, len(items) - 1))


_SHORT = 5


def _alike(a: Node, b: Node) -> float:
    """Arguments that look the same are confused more easily than others."""
    return 1.0 if a.kind == b.kind else 0.6


def _subscripts_swapped(site: Site) -> Iterator[Rewrite]:
    """`a[i][j]` to `a[j][i]`."""
    inner = site.node.child("value")
    outer_index = site.node.child("subscript")
    if inner is not None and inner.kind == "subscript" and outer_index is not None:
        inner_index = inner.child("subscript")
        if inner_index is not None and inner_index.text != outer_index.text:
            yield swap(inner_index, outer_index)


def _branches_swapped(site: Site) -> Iterator[Rewrite]:
    """`a if c else b` to `b if c else a`."""
    parts = site.node.named
    if len(parts) == _TERNARY and parts[0].text != parts[2].text:
        yield swap(parts[0], parts[2])


_TERNARY = 3


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
        at = arguments.end - 1
        for rank, name in enumerate(("len", "abs", "str", "str.lower")):
            yield Rewrite(((at, at, f"{lead}key={name}"),), 1.0 / (1 + rank))


def _keyword(arguments: Node, name: str) -> Node | None:
    for argument in arguments.named:
        label = argument.child("name")
        if label is not None and label.text == name:
            return argument.child("value")
    return None


def _arguments(call: Node) -> list[str]:
    arguments = call.child("arguments")
    plain = arguments is not None and arguments.kind == "argument_list"
    return [a.text for a in arguments.named] if plain and arguments else []


def _name(call: Node) -> Node | None:
    function = call.child("function")
    if function is not None and function.kind == "attribute":
        return function.child("attribute")
    return function if function is not None and role(function) == "called" else None


TEMPLATES = (
    Template(
        name="confusable-call",
        source="PySStuBs (wrong function name); PAR (method replacer); TBar FP10",
        prior=0.5,
        kinds=_CALL,
        rewrites=_confused,
        examples=(
            Example("x.append(y)\n", "x.extend(y)\n"),
            Example("x = any(y)\n", "x = all(y)\n"),
        ),
    ),
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
    ),
    Template(
        name="arguments-swapped",
        source="PySStuBs (swap arguments); PAR (parameter replacer); TBar FP10",
        prior=0.7,
        kinds=_CALL,
        rewrites=_swapped,
        examples=(Example("x = f(a, b)\n", "x = f(b, a)\n"),),
        never=(Example("x = isinstance(a, b)\n", "x = isinstance(b, a)\n"),),
    ),
    Template(
        name="items-swapped",
        source="PySStuBs (swap arguments), for displays and patterns",
        prior=0.5,
        kinds=frozenset(
            {"list", "tuple", "expression_list", "pattern_list", "tuple_pattern"}
        ),
        rewrites=_items_swapped,
        examples=(
            Example("x = [a.index(b), b]\n", "x = [b, a.index(b)]\n"),
            Example("d, m, y = f()\n", "m, d, y = f()\n"),
        ),
    ),
    Template(
        name="subscripts-swapped",
        source="PySStuBs (swap arguments), for subscripts",
        prior=0.4,
        kinds=frozenset({"subscript"}),
        rewrites=_subscripts_swapped,
        examples=(Example("x = a[i][j]\n", "x = a[j][i]\n"),),
    ),
    Template(
        name="branches-swapped",
        source="mutation operator NEGATE_CONDITIONALS (PIT), for expressions",
        prior=0.5,
        kinds=frozenset({"conditional_expression"}),
        rewrites=_branches_swapped,
        examples=(Example("x = a if c else b\n", "x = b if c else a\n"),),
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
    ),
    Template(
        name="sort-key",
        source="PySStuBs (same function more arguments)",
        prior=0.12,
        kinds=_CALL,
        rewrites=_key,
        examples=(Example("x = max(y)\n", "x = max(y, key=len)\n"),),
    ),
)

"""Calls: the wrong one of a confusable set, arguments that changed places."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from itertools import pairwise

from bonafix.propose.search.context import Site, callee, positional, role
from bonafix.propose.search.idioms import is_unordered, needs
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
    ("radians", "degrees"),
    ("copy", "deepcopy"),
    ("lstrip", "removeprefix"),
    ("rstrip", "removesuffix"),
    ("read", "readline", "readlines"),
)
_CALL = frozenset({"call"})
_MANY = 9
_TAKES = {  # arguments, least and most
    **dict.fromkeys(("popleft", "keys", "values", "items"), (0, 0)),
    **dict.fromkeys(("append", "appendleft", "extend", "add", "discard"), (1, 1)),
    **dict.fromkeys(("removeprefix", "removesuffix"), (1, 1)),
    **dict.fromkeys(("ord", "chr", "heappop", "count", "remove", "all"), (1, 1)),
    **dict.fromkeys(("float", "list", "tuple", "set", "splitlines"), (0, 1)),
    **dict.fromkeys(("insert", "heappush", "hasattr"), (2, 2)),
    **dict.fromkeys(("int", "get", "setdefault", "round"), (1, 2)),
    "dump": (2, _MANY),
    "deepcopy": (1, 1),
    "pop": (0, 2),
    "str": (0, 3),
    "sorted": (1, 3),
    "getattr": (2, 3),
}
_BUILTIN = frozenset(dir(builtins))


def _confused(site: Site) -> Iterator[Rewrite]:
    name, given = _name(site.node), _count(site.node)
    if name is None:
        return
    bare = name.parent == site.node  # no method: it must be there
    seen = {*site.scope.names, *_BUILTIN} if bare else frozenset[str]()
    alternatives = [
        (
            other,
            1.0 / (0.6 + 0.4 * abs(names.index(other) - names.index(name.text))),
        )
        for names in _SETS
        if name.text in names
        for other in names
        if other != name.text and (not bare or other in seen)
    ]
    for other, weight in dict(alternatives).items():
        least, most = _TAKES.get(other, (0, _MANY))
        if given is None or least <= given <= most:
            yield replace(name, other, weight)


def _count(call: Node) -> int | None:
    """How many arguments a call gives, if its text tells."""
    arguments = call.child("arguments")
    if arguments is None or arguments.kind != "argument_list":
        return 1  # a generator
    unpacked = any(one.kind.endswith("_splat") for one in arguments.named)
    return None if unpacked else len(arguments.named)


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
    if constant or len(items) > _SHORT or _is_exchange(site.node):
        return
    if is_unordered(site.node):
        return
    for a, b in pairwise(items):
        if a.text != b.text:
            yield swap(a, b, _alike(a, b) / max(1, len(items) - 1))


def _is_exchange(items: Node) -> bool:
    """Whether it is a side of `a, b = b, a`, which no order makes better."""
    holder = items.parent
    left = holder.child("left") if holder is not None else None
    right = holder.child("right") if holder is not None else None
    if left is None or right is None:
        return False
    return sorted(n.text for n in left.named) == sorted(n.text for n in right.named)


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
        if inner_index is None or inner_index.text == outer_index.text:
            return
        if {inner_index.kind, outer_index.kind} != {"string"}:  # a path of keys
            yield swap(inner_index, outer_index)


def _branches_swapped(site: Site) -> Iterator[Rewrite]:
    """`a if c else b` to `b if c else a`."""
    parts = site.node.named
    if len(parts) == _TERNARY and parts[0].text != parts[2].text:
        fails = needs(parts[1], parts[0], holds=False)
        if not fails and not needs(parts[1], parts[2], holds=True):
            yield swap(parts[0], parts[2])


_TERNARY = 3


def given_to(call: Node) -> list[str]:
    """The arguments of a call as they are written."""
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
            Example("x = any(y for y in z)\n", "x = all(y for y in z)\n"),
        ),
        never=(
            Example("x = floor(y)\n", "x = ceil(y)\n"),
            Example("x.append(y)\n", "x.insert(y)\n"),
            Example("x = int(y, 16)\n", "x = float(y, 16)\n"),
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
        never=(
            Example("x = isinstance(a, (b, c))\n", "x = isinstance(a, (c, b))\n"),
            Example("a, b = b, a\n", "a, b = a, b\n"),
            Example("x = a in [b, c]\n", "x = a in [c, b]\n"),
        ),
    ),
    Template(
        name="subscripts-swapped",
        source="PySStuBs (swap arguments), for subscripts",
        prior=0.4,
        kinds=frozenset({"subscript"}),
        rewrites=_subscripts_swapped,
        examples=(Example("x = a[i][j]\n", "x = a[j][i]\n"),),
        never=(Example("x = a['b']['c']\n", "x = a['c']['b']\n"),),
    ),
    Template(
        name="branches-swapped",
        source="mutation operator NEGATE_CONDITIONALS (PIT), for expressions",
        prior=0.5,
        kinds=frozenset({"conditional_expression"}),
        rewrites=_branches_swapped,
        examples=(Example("x = a if c else b\n", "x = b if c else a\n"),),
        never=(
            Example("x = a.b if a else c\n", "x = c if a else a.b\n"),
            Example("x = c if a is None else a[0]\n", "x = a[0] if a is None else c\n"),
        ),
    ),
)

"""Dictionaries: a key that is not there yet, a default, what a loop over one gives."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, positional, role
from bonafix.propose.search.kinds import head, is_number, item, kind, may_be
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap
from bonafix.syntax import CONSTANTS, Node

_DICTS = {"dict", "Counter", "defaultdict", "OrderedDict"}
_UNHASHABLE = {"list", "dictionary", "set", "list_comprehension"}
_NOTHING = (("0", 0.8), ("", 0.8), ("[]", 0.5), ("''", 0.5), ("None", 0.2))
_FOR_KIND = {"int": "0", "float": "0", "str": "''", "list": "[]", "dict": "{}"}
_FILLS = {"append": "[]", "extend": "[]", "add": "set()", "update": "{}"}


def _get(site: Site) -> Iterator[Rewrite]:
    """`d[k]` to `d.get(k)` with a default; another default for `d.get(k)`."""
    node = site.node
    if node.kind == "call":
        if callee(node) == "get":
            yield from _defaults(positional(node))
        return
    thing, keys = node.child("value"), node.each("subscript")
    if thing is None or len(keys) != 1 or keys[0].kind in {"slice", "integer"}:
        return
    if role(node) in {"bound", "counted"} or not may_be(kind(site, thing), _DICTS):
        return
    for default, weight in (*_NOTHING, *_named(site, keys[0])):
        rest = f", {default}" if default else ""
        yield replace(node, f"{thing.text}.get({keys[0].text}{rest})", weight)


def _named(site: Site, key: Node) -> list[tuple[str, float]]:
    """A parameter called default, and the key itself: the usual ones besides."""
    found = [("default", 1.0)] if "default" in site.scope.parameters else []
    return [*found, (key.text, 0.5)] if key.kind == "identifier" else found


def _defaults(arguments: list[Node]) -> Iterator[Rewrite]:
    wanted = (("0", 1.0), ("[]", 0.7), ("''", 0.7), ("{}", 0.3), ("None", 0.3))
    for default, weight in wanted:
        if len(arguments) == 1:
            yield wrap(arguments[0], "", f", {default}", weight)
        elif len(arguments) > 1 and arguments[1].text != default:
            yield replace(arguments[1], default, weight)


def _counted(site: Site) -> Iterator[Rewrite]:
    """`d[k] += v` to `d[k] = d.get(k, 0) + v`, for a key that is new."""
    left, right = site.node.child("left"), site.node.child("right")
    sign = site.node.child("operator")
    if left is None or right is None or sign is None or left.kind != "subscript":
        return
    thing, keys = left.child("value"), left.each("subscript")
    if thing is None or len(keys) != 1 or not may_be(kind(site, thing), _DICTS):
        return
    of = head(kind(site, right))
    starts = (_FOR_KIND[of],) if of in _FOR_KIND else ("0", "[]")
    if sign.text in {"*=", "/="}:
        starts = ("1",)
    for rank, start in enumerate(starts):
        read = f"{thing.text}.get({keys[0].text}, {start})"
        new = f"{left.text} = {read} {sign.text[:-1]} {right.text}"
        yield replace(site.node, new, 1.0 / (1 + rank))


def _filled(site: Site) -> Iterator[Rewrite]:
    """`d[k].append(v)` to `d.setdefault(k, []).append(v)`."""
    function = site.node.child("function")
    place = function.child("object") if function is not None else None
    start = _FILLS.get(callee(site.node), "")
    if place is None or place.kind != "subscript" or not start:
        return
    thing, keys = place.child("value"), place.each("subscript")
    if thing is not None and len(keys) == 1 and may_be(kind(site, thing), _DICTS):
        yield replace(place, f"{thing.text}.setdefault({keys[0].text}, {start})")


def _view(site: Site) -> Iterator[Rewrite]:
    """A loop over a dictionary: over its items or values, or sorted by its keys."""
    over, left = site.node.child("right"), site.node.child("left")
    if over is None or left is None:
        return
    plain = over.kind in {"identifier", "attribute"}
    pair = left.kind in {"pattern_list", "tuple_pattern"}
    if plain and may_be(kind(site, over), _DICTS):
        known = 1.0 if kind(site, over) else 0.3
        if pair:
            yield wrap(over, "", ".items()", known)
            if known < 1:
                yield wrap(over, "enumerate(", ")", 0.8 * known)
        else:
            yield wrap(over, "", ".values()", 0.8 * known)
    elif plain and pair:
        yield wrap(over, "enumerate(", ")", 0.8)


def _held(site: Site) -> Iterator[Rewrite]:
    """`x in d` to `x in d.values()`, and back."""
    signs, right = site.node.each("operators"), site.node.named[-1]
    if len(signs) != 1 or signs[0].text.split()[-1:] != ["in"]:
        return
    if right.kind in {"identifier", "attribute"} and head(kind(site, right)) in _DICTS:
        yield wrap(right, "", ".values()")
    elif right.kind == "call" and callee(right) == "values":
        function = right.child("function")
        thing = function.child("object") if function is not None else None
        if thing is not None:
            yield replace(right, thing.text)


def _merged(site: Site) -> Iterator[Rewrite]:
    """Which of two dictionaries wins: `{**a, **b}` to `{**b, **a}`."""
    parts = site.node.named
    splats = [n for n in parts if n.kind == "dictionary_splat"]
    if len(parts) == 2 and splats:  # noqa: PLR2004 - the two of them
        a, b = parts
        yield Rewrite(((a.start, a.end, b.text), (b.start, b.end, a.text)))
    elif len(splats) == 1 and splats[0] == parts[0]:  # what is written out wins
        rest = ", ".join(part.text for part in parts[1:])
        whole = (parts[0].start, parts[-1].end, f"{rest}, {splats[0].text}")
        yield Rewrite((whole,))


def _value_kept(site: Site) -> Iterator[Rewrite]:
    """A comprehension that gives keys for values, or the pair the wrong way round."""
    pair = next((n for n in site.node.named if n.kind == "pair"), None)
    key = pair.child("key") if pair is not None else None
    value = pair.child("value") if pair is not None else None
    if value is not None and value.kind in {*CONSTANTS, *_UNHASHABLE}:
        return
    if key is not None and value is not None and key.text != value.text:
        likely = 0.5 if is_number(item(kind(site, key))) else 1.0
        edits = ((key.start, key.end, value.text), (value.start, value.end, key.text))
        yield Rewrite(edits, likely)


TEMPLATES = (
    Template(
        name="default-of-get",
        source="TBar FP4 (missing key check), in Python's idiom",
        prior=0.1,
        kinds=frozenset({"subscript", "call"}),
        rewrites=_get,
        examples=(
            Example("x = d[k]\n", "x = d.get(k, 0)\n"),
            Example("x = d.get(k)\n", "x = d.get(k, [])\n"),
        ),
        never=(
            Example(
                "def f(k):\n    d = [1]\n    return d[k]\n",
                "def f(k):\n    d = [1]\n    return d.get(k, 0)\n",
            ),
        ),
    ),
    Template(
        name="default-counted",
        source="TBar FP4 (missing key check), in Python's idiom",
        prior=0.35,
        kinds=frozenset({"augmented_assignment"}),
        rewrites=_counted,
        examples=(Example("d[k] += 1\n", "d[k] = d.get(k, 0) + 1\n"),),
        never=(
            Example(
                "def f(k):\n    d = [0]\n    d[k] += 1\n",
                "def f(k):\n    d = [0]\n    d[k] = d.get(k, 0) + 1\n",
            ),
        ),
    ),
    Template(
        name="default-filled",
        source="TBar FP4 (missing key check), in Python's idiom",
        prior=0.35,
        kinds=frozenset({"call"}),
        rewrites=_filled,
        examples=(Example("d[k].append(v)\n", "d.setdefault(k, []).append(v)\n"),),
        never=(
            Example(
                "def f(k, v):\n    d = [[]]\n    d[k].append(v)\n",
                "def f(k, v):\n    d = [[]]\n    d.setdefault(k, []).append(v)\n",
            ),
        ),
    ),
    Template(
        name="view-missing",
        source="PySStuBs (add method call); loops over the wrong collection",
        prior=0.4,
        kinds=frozenset({"for_statement", "for_in_clause"}),
        rewrites=_view,
        examples=(
            Example("for k, v in d:\n    k\n", "for k, v in d.items():\n    k\n"),
            Example("for v in d:\n    v\n", "for v in d.values():\n    v\n"),
        ),
        never=(
            Example(
                "def f():\n    d = [1]\n    for v in d:\n        v\n",
                "def f():\n    d = [1]\n    for v in d.values():\n        v\n",
            ),
        ),
    ),
    Template(
        name="view-held",
        source="PySStuBs (add method call); membership in the wrong collection",
        prior=0.4,
        kinds=frozenset({"comparison_operator"}),
        rewrites=_held,
        examples=(
            Example(
                "def f(a):\n    d = {1: 2}\n    return a in d\n",
                "def f(a):\n    d = {1: 2}\n    return a in d.values()\n",
            ),
            Example("x = a in d.values()\n", "x = a in d\n"),
        ),
        never=(Example("x = a in b\n", "x = a in b.values()\n"),),
    ),
    Template(
        name="merge-order",
        source="PySStuBs (swap arguments), for displays",
        prior=0.6,
        kinds=frozenset({"dictionary"}),
        rewrites=_merged,
        examples=(
            Example("x = {**a, **b}\n", "x = {**b, **a}\n"),
            Example("x = {**a, 'k': 1}\n", "x = {'k': 1, **a}\n"),
            Example("x = {**a, 'k': 1, 'l': 2}\n", "x = {'k': 1, 'l': 2, **a}\n"),
        ),
        never=(Example("x = {'k': 1, 'l': 2}\n", "x = {'l': 2, 'k': 1}\n"),),
    ),
    Template(
        name="pair-turned",
        source="PySStuBs (swap arguments), for displays",
        prior=0.3,
        kinds=frozenset({"dictionary_comprehension"}),
        rewrites=_value_kept,
        examples=(Example("x = {a: b for a, b in c}\n", "x = {b: a for a, b in c}\n"),),
        never=(Example("x = {a: [] for a in b}\n", "x = {[]: a for a in b}\n"),),
    ),
)

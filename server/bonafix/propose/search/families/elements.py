"""What a check or a display names: a type or an element too few, no brackets."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import (
    Site,
    callee,
    operands,
    operator,
    positional,
    role,
    usage,
)
from bonafix.propose.search.kinds import head, is_number, kind
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap
from bonafix.syntax import CONSTANTS, Node

_WIDER: dict[str, tuple[str, ...]] = {
    "list": ("tuple", "set"),
    "tuple": ("list",),
    "int": ("float",),
    "float": ("int",),
    "str": ("bytes",),
    "set": ("frozenset",),
}
_LOOSE = {"condition", "returned", "value"}
_MOST = 4
_FEW = 12  # elements of a display in which one may have been forgotten


def _widened(site: Site) -> Iterator[Rewrite]:
    """`isinstance(x, int)` to `isinstance(x, (int, float))`."""
    given = positional(site.node)
    if callee(site.node) != "isinstance" or len(given) != len("xt"):
        return
    types = given[1].named if given[1].kind == "tuple" else [given[1]]
    names = [one.text for one in types]
    for name in names:
        for rank, other in enumerate(_WIDER.get(name, ())):
            if other not in names:
                listed = ", ".join([*names, other])
                yield replace(given[1], f"({listed})", 1.0 / (1 + rank))


def _no_bool(site: Site) -> Iterator[Rewrite]:
    """A truth value is a number for Python, seldom for the reader."""
    given, node = positional(site.node), site.node
    if callee(node) != "isinstance" or len(given) != len("xt") or node.parent is None:
        return
    if "int" not in given[1].text or "bool" in node.parent.text:
        return
    other = f"isinstance({given[0].text}, bool)"
    if node.parent.kind == "not_operator":
        yield wrap(node.parent, "", f" or {other}", 0.7)
    elif role(node) in _LOOSE:
        yield wrap(node, "", f" and not {other}")


def _compared(site: Site) -> Iterator[Rewrite]:
    """`type(x) == list` to `isinstance(x, list)`: what derives from it is one too."""
    signs = [" ".join(sign.text.split()) for sign in site.node.each("operators")]
    if len(signs) != 1 or signs[0] not in {"==", "is", "!=", "is not"}:
        return
    left, right = site.node.named[0], site.node.named[-1]
    given = positional(left) if left.kind == "call" else []
    named = right.kind in {"identifier", "attribute"}
    if named and len(given) == 1 and callee(left) == "type":
        no = "not " if signs[0] in {"!=", "is not"} else ""
        yield replace(site.node, f"{no}isinstance({given[0].text}, {right.text})")


def _element(site: Site) -> Iterator[Rewrite]:
    """One more of the module's constants in what `in` looks through."""
    node, parts = site.node, site.node.named
    kinds = {part.kind for part in parts}
    if not 0 < len(parts) <= _FEW or len(kinds) != 1 or not kinds <= set(CONSTANTS):
        return
    if not _is_looked_through(node):
        return
    held = {part.text for part in parts}
    known = {**usage(site.region).constants, **usage(node.module.root).constants}
    same = [t for t, places in known.items() if places[0].kind in kinds]
    fitting = [text for text in same if text not in held and len(text) <= _LONG]
    for rank, text in enumerate(fitting[:_MOST]):
        at = parts[-1].end
        yield Rewrite(((at, at, f", {text}"),), 1.0 / (1 + 0.3 * rank))


_LONG = 20  # characters


def _is_looked_through(display: Node) -> bool:
    """Whether it is on the right of `in`, or what `startswith` is given."""
    around = display.parent
    if around is not None and around.kind == "comparison_operator":
        signs = [sign.text.split()[-1] for sign in around.each("operators")]
        return signs == ["in"] and around.named[-1] == display
    call = around.parent if around is not None else None
    affix = {"startswith", "endswith"}
    return call is not None and call.kind == "call" and callee(call) in affix


def _one_item(site: Site) -> Iterator[Rewrite]:
    """`items + x` to `items + [x]`, `items += x` to `items += [x]`."""
    pair = operands(site.node)
    if pair is None or operator(site.node) not in {"+", "+="}:
        return
    left, right = pair
    heads = head(kind(site, left)), head(kind(site, right))
    if heads[0] == "list" and heads[1] != "list" and right.kind != "list":
        yield wrap(right, "[", "]", 1.0 if heads[1] else 0.5)
    if heads[1] == "list" and heads[0] != "list" and operator(site.node) == "+":
        yield wrap(left, "[", "]", 1.0 if heads[0] else 0.5)


def _bare_item(site: Site) -> Iterator[Rewrite]:
    """`[x]` to `x`, where a list of one is handed on."""
    parts = site.node.named
    if len(parts) != 1 or role(site.node) not in {"argument", "returned"}:
        return
    if not is_number(kind(site, parts[0])) and "splat" not in parts[0].kind:
        yield replace(site.node, parts[0].text)


_CALL = frozenset({"call"})

TEMPLATES = (
    Template(
        name="type-added",
        source="BugsInPy (type checks too narrow); PyTER",
        prior=0.25,
        kinds=_CALL,
        rewrites=_widened,
        examples=(
            Example("x = isinstance(a, int)\n", "x = isinstance(a, (int, float))\n"),
            Example(
                "x = isinstance(a, (b, list))\n",
                "x = isinstance(a, (b, list, tuple))\n",
            ),
        ),
        never=(
            Example(
                "x = isinstance(a, (int, float))\n",
                "x = isinstance(a, (int, float, float))\n",
            ),
            Example("x = f(a, int)\n", "x = f(a, (int, float))\n"),
        ),
    ),
    Template(
        name="bool-excluded",
        source="PyTER; Python's `bool` is an `int`",
        prior=0.12,
        kinds=_CALL,
        rewrites=_no_bool,
        examples=(
            Example(
                "x = isinstance(a, int)\n",
                "x = isinstance(a, int) and not isinstance(a, bool)\n",
            ),
            Example(
                "if not isinstance(a, int):\n    b()\n",
                "if not isinstance(a, int) or isinstance(a, bool):\n    b()\n",
            ),
        ),
        never=(
            Example(
                "x = isinstance(a, str)\n",
                "x = isinstance(a, str) and not isinstance(a, bool)\n",
            ),
        ),
    ),
    Template(
        name="type-compared",
        source="BugsInPy (type checks too narrow); pycodestyle E721",
        prior=0.5,
        kinds=frozenset({"comparison_operator"}),
        rewrites=_compared,
        examples=(
            Example("x = type(a) == list\n", "x = isinstance(a, list)\n"),
            Example("x = type(a) is not B\n", "x = not isinstance(a, B)\n"),
        ),
        never=(Example("x = type(a) == type(b)\n", "x = isinstance(a, type(b))\n"),),
    ),
    Template(
        name="element-added",
        source="PySStuBs (add elements to iterable)",
        prior=0.2,
        kinds=frozenset({"list", "tuple", "set"}),
        rewrites=_element,
        examples=(
            Example(
                "f('c')\nx = a in ('a', 'b')\n", "f('c')\nx = a in ('a', 'b', 'c')\n"
            ),
        ),
        never=(
            Example("f('c')\nx = ['a', 'b']\n", "f('c')\nx = ['a', 'b', 'c']\n"),
            Example("f(1)\nx = a in ('a', 'b')\n", "f(1)\nx = a in ('a', 'b', 1)\n"),
        ),
    ),
    Template(
        name="item-wrapped",
        source="PyTER (a list expected, an item given)",
        prior=0.35,
        kinds=frozenset({"binary_operator", "augmented_assignment"}),
        rewrites=_one_item,
        examples=(
            Example("x = [1]\nx += y\n", "x = [1]\nx += [y]\n"),
            Example("x = [1]\nz = x + y\n", "x = [1]\nz = x + [y]\n"),
        ),
        never=(
            Example("z = x + y\n", "z = x + [y]\n"),
            Example("x = [1]\nx += [y]\n", "x = [1]\nx += [[y]]\n"),
        ),
    ),
    Template(
        name="item-bare",
        source="PyTER (an item expected, a list given)",
        prior=0.2,
        kinds=frozenset({"list"}),
        rewrites=_bare_item,
        examples=(Example("x.append([y])\n", "x.append(y)\n"),),
        never=(
            Example("x = [y]\n", "x = y\n"),
            Example("f([*y])\n", "f(*y)\n"),
        ),
    ),
)

"""Arithmetic: wrong operator, operands the wrong way round, one too many, grouping."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import (
    Site,
    is_textual,
    operands,
    operator,
    role,
)
from bonafix.propose.search.kinds import head, kind, may_be_number
from bonafix.propose.search.template import (
    Example,
    Rewrite,
    Template,
    replace,
    swap,
    wrap,
)
from bonafix.syntax import Node

_OTHER: dict[str, tuple[tuple[str, float], ...]] = {
    "+": (("-", 1.0), ("*", 0.4)),
    "-": (("+", 1.0), ("*", 0.2), ("/", 0.15)),
    "*": (("+", 0.4), ("/", 0.6), ("**", 0.5), ("//", 0.3)),
    "/": (("//", 1.0), ("*", 0.7), ("-", 0.1), ("%", 0.15)),
    "//": (("/", 0.8), ("%", 0.7), ("*", 0.3)),
    "%": (("//", 0.8), ("/", 0.4), ("*", 0.1)),
    "**": (("*", 0.8),),
    "&": (("|", 1.0), ("^", 0.6)),
    "|": (("&", 1.0), ("^", 0.6)),
    "^": (("&", 0.9), ("|", 0.8), ("**", 0.5)),
    "<<": ((">>", 1.0),),
    ">>": (("<<", 1.0),),
}
_AUGMENTED: dict[str, tuple[tuple[str, float], ...]] = {
    "=": (("+=", 0.15), ("-=", 0.1), ("*=", 0.1), ("|=", 0.05)),
    "+=": (("-=", 1.0), ("=", 0.6), ("*=", 0.4)),
    "-=": (("+=", 1.0), ("=", 0.4)),
    "*=": (("+=", 0.6), ("/=", 0.5), ("**=", 0.2), ("=", 0.2)),
    "/=": (("//=", 1.0), ("*=", 0.8)),
    "//=": (("/=", 0.6), ("%=", 0.5), ("-=", 0.2)),
    "%=": (("//=", 0.8), ("/=", 0.2)),
    "**=": (("*=", 0.8),),
    "&=": (("|=", 1.0), ("^=", 0.5)),
    "|=": (("&=", 1.0), ("^=", 0.5)),
    "^=": (("&=", 1.0), ("|=", 0.6)),
    "<<=": ((">>=", 1.0),),
    ">>=": (("<<=", 1.0),),
}
_JOINED = {"str", "list", "tuple", "bytes"}
_NOTHING = {"''", '""', "[]", "()", "{}"}
_DIRECTED = {"-", "/", "//", "%", "**", "<<", ">>"}
_RANKS = ({"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%"}, {"**"})
_RANK = {op: rank for rank, ops in enumerate(_RANKS) for op in ops}
_BINARY = frozenset({"binary_operator"})


def _operator(site: Site) -> Iterator[Rewrite]:
    sign, pair = site.node.child("operator"), operands(site.node)
    if sign is None or pair is None or any(is_textual(side) for side in pair):
        return
    if head(kind(site, pair[0])) in _JOINED and sign.text == "+":
        return
    for new, weight in _OTHER.get(sign.text, ()):
        yield replace(sign, new, weight, tag="division" if "/" in new else "")


def _augmented(site: Site) -> Iterator[Rewrite]:
    left, sign = site.node.child("left"), site.node.child("operator")
    right = site.node.child("right")
    if right is not None and right.text in _NOTHING:
        return  # with nothing to add, another operator says nothing
    if sign is None:  # a plain assignment: the only token between its sides
        found = [c for c in site.node.children if c.kind == "="]
        plain = left is not None and left.kind in {"identifier", "attribute"}
        sign = found[0] if found and (plain or _is_subscript(left)) else None
    if sign is not None:
        for new, weight in _AUGMENTED.get(sign.text, ()):
            yield replace(sign, new, weight)


def _is_subscript(node: Node | None) -> bool:
    return node is not None and node.kind == "subscript"


def _reversed(site: Site) -> Iterator[Rewrite]:
    pair, sign = operands(site.node), operator(site.node)
    if pair is None or pair[0].text == pair[1].text:
        return
    if sign == "%" and pair[0].kind in {"string", "concatenated_string"}:
        return
    if sign in _DIRECTED:
        yield swap(*pair, 0.5 if sign == "**" else 1.0)
    elif sign == "+" and any(_ordered(side) for side in pair):
        yield swap(*pair, 0.8)


def _ordered(operand: Node) -> bool:
    return is_textual(operand) or operand.kind in {"identifier", "subscript"}


def _dropped(site: Site) -> Iterator[Rewrite]:
    """Leave one operand of a chain out, or the last two."""
    pair, sign = operands(site.node), operator(site.node)
    if pair is None or (sign == "%" and is_textual(pair[0])):
        return
    left, right = pair
    small = right.kind in {"integer", "float"}
    yield replace(site.node, left.text, 1.0 if small else 0.8)
    if sign not in {"**", "%"}:
        yield replace(site.node, right.text, 0.6 if sign in "+*" else 0.3)
    inner = operands(left) if left.kind == "binary_operator" else None
    if inner is not None and _RANK.get(operator(left)) == _RANK.get(sign):
        yield replace(site.node, inner[0].text, 0.4)


def _regrouped(site: Site) -> Iterator[Rewrite]:
    """`a - b // c` to `(a - b) // c`, `a * b + c` to `a * (b + c)`, and back."""
    pair, sign = operands(site.node), operator(site.node)
    if pair is None:
        return
    left, right = pair
    if inner := _looser(site.node, right):
        at = ((left.start, left.start, "("), (inner[0].end, inner[0].end, ")"))
        yield Rewrite(at)
    if inner := _looser(site.node, left):
        at = ((inner[1].start, inner[1].start, "("), (right.end, right.end, ")"))
        yield Rewrite(at)
    for side in pair:
        content = side.named[0] if side.kind == "parenthesized_expression" else None
        if content is not None and content.kind == "binary_operator" and sign:
            yield replace(side, content.text, 0.7)


def _looser(outer: Node, inner: Node) -> tuple[Node, Node] | None:
    """The operands of `inner` if it binds tighter than `outer`."""
    if inner.kind != "binary_operator":
        return None
    tighter = _RANK.get(operator(inner), 0) > _RANK.get(operator(outer), 0)
    return operands(inner) if tighter else None


def _negated(site: Site) -> Iterator[Rewrite]:
    """`x` to `-x`, where a number is compared, returned or sorted by."""
    node, parent = site.node, site.node.parent
    places = {"compared", "returned", "argument", "value"}
    if parent is None or role(node) not in places or parent.kind == "unary_operator":
        return
    if node.kind == "binary_operator":
        yield wrap(node, "-(", ")", 0.4)
    elif may_be_number(kind(site)):
        known = 1.0 if kind(site) else 0.6
        yield wrap(node, "-", "", known * (1.0 if role(node) != "value" else 0.5))


TEMPLATES = (
    Template(
        name="sign-missing",
        source="mutation operator UOI (unary operator insertion, Offutt et al.)",
        prior=0.14,
        kinds=frozenset({"identifier", "attribute", "binary_operator"}),
        rewrites=_negated,
        examples=(Example("x = a < b.c\n", "x = a < -b.c\n"),),
        never=(
            Example(
                "def f():\n    a = 'b'\n    return a\n",
                "def f():\n    a = 'b'\n    return -a\n",
            ),
        ),
    ),
    Template(
        name="arithmetic-operator",
        source="mutation operator MATH (PIT); PraPR; TBar FP11",
        prior=0.8,
        kinds=_BINARY,
        rewrites=_operator,
        tags=frozenset({"division"}),
        examples=(
            Example("x = a + b\n", "x = a - b\n"),
            Example("x = a / b\n", "x = a // b\n"),
        ),
        never=(Example("x = 'a' + b\n", "x = 'a' - b\n"),),
    ),
    Template(
        name="augmented-operator",
        source="mutation operators INCREMENTS (PIT) and ASR",
        prior=0.65,
        kinds=frozenset({"augmented_assignment", "assignment"}),
        rewrites=_augmented,
        examples=(
            Example("x -= 1\n", "x += 1\n"),
            Example("x = y\n", "x += y\n"),
            Example("x ^= y\n", "x &= y\n"),
        ),
    ),
    Template(
        name="operands-reversed",
        source="TBar FP11 (operand order); PySStuBs",
        prior=0.65,
        kinds=_BINARY,
        rewrites=_reversed,
        examples=(
            Example("x = a % b\n", "x = b % a\n"),
            Example("x = s[1:] + s[:1]\n", "x = s[:1] + s[1:]\n"),
        ),
    ),
    Template(
        name="operand-dropped",
        source="mutation operator AOD (arithmetic operator deletion)",
        prior=0.55,
        kinds=_BINARY,
        rewrites=_dropped,
        examples=(
            Example("x = len(a) - 1\n", "x = len(a)\n"),
            Example("x = len(b) - l + 1\n", "x = l + 1\n"),
            Example("x = a * b * c * d\n", "x = a * b\n"),
        ),
    ),
    Template(
        name="regrouped",
        source="TBar FP11 (operator precedence)",
        prior=0.45,
        kinds=_BINARY,
        rewrites=_regrouped,
        examples=(
            Example("x = a - b // c\n", "x = (a - b) // c\n"),
            Example("x = a * b + c\n", "x = a * (b + c)\n"),
            Example("x = (a + b) / c\n", "x = a + b / c\n"),
        ),
    ),
)

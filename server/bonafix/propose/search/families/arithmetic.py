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
from bonafix.propose.search.kinds import head, is_number, kind, may_be_number
from bonafix.propose.search.template import (
    Example,
    Rewrite,
    Template,
    replace,
    swap,
    wrap,
)
from bonafix.syntax import Node, walk

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
_NO_AMOUNT = {"none", "true", "false", "dictionary"}
_LOOPS = {"for_statement", "while_statement"}
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
    left, right = site.node.child("left"), site.node.child("right")
    if left is None or right is None:
        return
    if right.text in _NOTHING or right.kind in _NO_AMOUNT:
        return  # with nothing to add, another operator says nothing
    sign = site.node.child("operator")
    if sign is None and _is_there(site, left):  # the only token between its sides
        sign = next((c for c in site.node.children if c.kind == "="), None)
    if sign is None:
        return
    for new, weight in _AUGMENTED.get(sign.text, ()):
        idle = right.text == "1" and new[0] in "*/" and new != "//="
        if not idle and (new in {"+=", "="} or not is_textual(right)):
            yield replace(sign, new, weight)


def _is_there(site: Site, target: Node) -> bool:
    """Whether a target may have had a value before: a first assignment adds nothing."""
    if target.kind in {"attribute", "subscript"}:
        return True
    inside = any(a.kind in _LOOPS for a in target.ancestors())
    before = (n for n in walk(site.region) if n.start < target.start or inside)
    known = any(n.text == target.text and n != target for n in before)
    return target.kind == "identifier" and known


def _reversed(site: Site) -> Iterator[Rewrite]:
    pair, sign = operands(site.node), operator(site.node)
    if pair is None or pair[0].text == pair[1].text:
        return
    if sign == "%" and pair[0].kind in {"string", "concatenated_string"}:
        return
    if sign in _DIRECTED:
        yield swap(*pair, 0.5 if sign == "**" else 1.0)
    sums = any(is_number(kind(site, side)) for side in pair)  # which stay the same
    if sign == "+" and any(_ordered(side) for side in pair) and not sums:
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
    repeated = sign == "*" and (is_textual(left) or is_textual(right))
    if not (repeated and is_textual(right)):  # not the count alone
        yield replace(site.node, left.text, 1.0 if small else 0.8)
    if sign not in {"**", "%"} and not (repeated and is_textual(left)):
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
        if content is None or content.kind != "binary_operator" or not sign:
            continue
        if _is_needed(site.node, content, last=side == right):
            yield replace(side, content.text, 0.7)


def _is_needed(outer: Node, content: Node, *, last: bool) -> bool:
    """Whether brackets around an operand make a difference."""
    own, inner = operator(outer), operator(content)
    if _RANK.get(inner, 0) != _RANK.get(own, 0):
        return _RANK.get(inner, 0) < _RANK.get(own, 0)
    if own == "**":
        return not last
    return last and (own in _DIRECTED or inner in {"//", "%"})


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
            Example("x = 0\nx = y\n", "x = 0\nx += y\n"),
            Example("x ^= y\n", "x &= y\n"),
        ),
        never=(
            Example("x = y\n", "x += y\n"),
            Example("x += 1\n", "x *= 1\n"),
            Example("x += 'a'\n", "x -= 'a'\n"),
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
        never=(
            Example("x = a + 1\n", "x = 1 + a\n"),
            Example("x = '%s' % a\n", "x = a % '%s'\n"),
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
        never=(
            Example("x = [0] * n\n", "x = n\n"),
            Example("x = a % b\n", "x = b\n"),
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
            Example("x = a - (b - c)\n", "x = a - b - c\n"),
        ),
        never=(
            Example("x = a + (b * c)\n", "x = a + b * c\n"),
            Example("x = (a + b) + c\n", "x = a + b + c\n"),
        ),
    ),
)

"""Comparison operators: boundaries first, then directions and negations."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, is_textual, operator
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node

_BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_OTHERS: dict[str, tuple[tuple[str, float], ...]] = {
    "<": ((">", 1.0), (">=", 0.7), ("!=", 0.2), ("==", 0.1)),
    "<=": ((">", 0.8), (">=", 0.9), ("!=", 0.1), ("==", 0.2)),
    ">": (("<", 1.0), ("<=", 0.7), ("!=", 0.2), ("==", 0.1)),
    ">=": (("<", 0.8), ("<=", 0.9), ("!=", 0.1), ("==", 0.2)),
    "==": (("<=", 0.3), (">=", 0.3), ("<", 0.15), (">", 0.2), ("in", 0.15)),
    "!=": (("<", 0.3), (">", 0.3), ("<=", 0.1), (">=", 0.1), ("not in", 0.1)),
    "is": (("==", 0.4),),
    "is not": (("!=", 0.4),),
    "in": (("==", 0.15),),
    "not in": (("!=", 0.15),),
}
_NEGATED = {
    "==": "!=",
    "!=": "==",
    "is": "is not",
    "is not": "is",
    "in": "not in",
    "not in": "in",
}
_ORDERED = {"<", "<=", ">", ">="}
_SINGLE = {"none", "true", "false"}  # neither more nor less than anything
_SAME = {"none", "tuple", "list", "set"}  # to compare with one is as good, or no use
_KINDS = frozenset({"comparison_operator"})


def _boundary(site: Site) -> Iterator[Rewrite]:
    for sign in site.node.each("operators"):
        if new := _BOUNDARY.get(sign.text):
            yield replace(sign, new)


def _negated(site: Site) -> Iterator[Rewrite]:
    """A chain's orders are left to `comparison-other`: their opposite is no slip."""
    for sign in site.node.each("operators"):
        if new := _NEGATED.get(" ".join(sign.text.split())):
            yield replace(sign, new)


def _other(site: Site) -> Iterator[Rewrite]:
    sides = site.node.named
    unordered = any(is_textual(side) or side.kind in _SINGLE for side in sides)
    for sign in site.node.each("operators"):
        for new, weight in _OTHERS.get(" ".join(sign.text.split()), ()):
            senseless = new in _ORDERED and (unordered or _is_remainder(sides[0]))
            same = new in {"==", "!="} and sides[-1].kind in _SAME
            if not (senseless or same or (new == "in" and not _holds(site.node))):
                yield replace(sign, new, weight)


def _widened(site: Site) -> Iterator[Rewrite]:
    """`n == 0` to `n <= 1`: a base case that is too narrow."""
    signs, sides = site.node.each("operators"), site.node.named
    plain = len(signs) == 1 and signs[0].text == "==" and not _is_remainder(sides[0])
    if plain and sides[-1].text in {"0", "1"}:
        value = int(sides[-1].text)
        at = (signs[0].start, sides[-1].end)
        yield Rewrite(((*at, f"<= {value + 1}"),))
        yield Rewrite(((*at, f"<= {value}"),), 0.7)


def _is_remainder(side: Node) -> bool:
    """Whether it is `a % b`: its values follow one another in circles."""
    return side.kind == "binary_operator" and operator(side) == "%"


def _holds(comparison: Node) -> bool:
    """Whether the right side could hold the left: no number, no truth value."""
    right = comparison.named[-1]
    return right.kind not in {"integer", "float", "true", "false", "none"}


TEMPLATES = (
    Template(
        name="comparison-boundary",
        source="mutation operator CONDITIONALS_BOUNDARY (PIT); PraPR",
        prior=1.0,
        kinds=_KINDS,
        rewrites=_boundary,
        examples=(
            Example("x = a < b\n", "x = a <= b\n"),
            Example("x = 0 >= b > c\n", "x = 0 >= b >= c\n"),
        ),
        never=(Example("x = a == b\n", "x = a <= b\n"),),
    ),
    Template(
        name="comparison-negated",
        source="mutation operator NEGATE_CONDITIONALS (PIT); PraPR",
        prior=0.85,
        kinds=_KINDS,
        rewrites=_negated,
        examples=(
            Example("x = a == b\n", "x = a != b\n"),
            Example("x = a not  in b\n", "x = a in b\n"),
            Example("x = a is None\n", "x = a is not None\n"),
        ),
        never=(Example("x = a < b == c\n", "x = a >= b == c\n"),),
    ),
    Template(
        name="comparison-other",
        source="mutation operator ROR; TBar FP11 (mutate operators)",
        prior=0.6,
        kinds=_KINDS,
        rewrites=_other,
        examples=(
            Example("x = a < b\n", "x = a > b\n"),
            Example("x = a is b\n", "x = a == b\n"),
        ),
        never=(
            Example("x = a is None\n", "x = a == None\n"),
            Example("x = a in (1, 2)\n", "x = a == (1, 2)\n"),
            Example("x = a == True\n", "x = a <= True\n"),
            Example("x = a % 2 == 0\n", "x = a % 2 >= 0\n"),
        ),
    ),
    Template(
        name="base-case-widened",
        source="QuixBugs (missing base case); TBar FP6",
        prior=0.15,
        kinds=_KINDS,
        rewrites=_widened,
        examples=(Example("x = len(a) == 0\n", "x = len(a) <= 1\n"),),
        never=(Example("x = a % 2 == 0\n", "x = a % 2 <= 1\n"),),
    ),
)

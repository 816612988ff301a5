"""Scales: 60 for 3600, 1000 for 1024, a percentage not divided, digits, bases.

Their priors are low: what is likelier at the same place comes first.
"""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import (
    Site,
    callee,
    is_textual,
    operands,
    operator,
    positional,
    role,
)
from bonafix.propose.search.kinds import kind, may_be_number
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap
from bonafix.syntax import Node

_NUMBERS = frozenset({"integer", "float"})
_CONFUSED: tuple[tuple[str, ...], ...] = (
    ("60", "3600", "86400"),  # of a minute, an hour, a day, in seconds
    ("60", "24"),
    ("60", "100"),
    ("60", "1000"),  # milliseconds
    ("24", "86400", "3600"),
    ("24", "12"),
    ("12", "7", "30", "365"),  # of a year, a week, a month
    ("7", "52"),
    ("365", "366", "365.25", "360"),
    ("10", "100", "1000"),
    ("1000", "1000000"),
    ("1000", "1024"),
    ("1000000", "1000000000"),
    ("90", "180", "360"),  # degrees
    ("0.5", "0.05"),
    ("0.1", "0.01", "0.001"),
    ("1000.0", "1000000.0"),
    ("60.0", "3600.0"),
    ("100.0", "1000.0"),
)
_BASES = ("2", "8", "10", "16")
_HUNDRED = {"100", "100.0"}
SCALING = {"*", "/", "//", "%"}
_PLACES = {"operand", "compared", "argument", "value", "returned", "bound"}
_FLIP = {"0.5": "2", "2": "0.5", "2.0": "0.5", "0.1": "10", "0.25": "4"}
_DIGITS = ("0", "1", "2", "3", "4", "6")
_MOST_DIGITS = 6


def _scale(site: Site) -> Iterator[Rewrite]:
    """A number that is one of several that people take for each other."""
    node = site.node
    if role(node) not in _PLACES - {"bound"} or not _measures(node):
        return
    found = {
        other: 1.0 / (0.5 + 0.5 * abs(place - group.index(other)))
        for group in _CONFUSED
        if node.text in group
        for place in [group.index(node.text)]
        for other in group
        if other != node.text
    }
    scaling = operator(node.parent) in SCALING if node.parent is not None else False
    for other, weight in found.items():
        yield replace(node, other, weight * (1.0 if scaling else 0.6))


def _measures(node: Node) -> bool:
    """Whether it may be a measure: not how often a text is repeated, no base."""
    parent = node.parent
    if parent is None:
        return False
    if parent.kind == "binary_operator":
        return not any(is_textual(side) for side in parent.named)
    call = parent.parent if parent.kind == "argument_list" else None
    return call is None or callee(call) not in {"int", "range", "round"}


def _base(site: Site) -> Iterator[Rewrite]:
    """The base that a text is read in: `int(x, 8)` to `int(x, 16)`."""
    given = positional(site.node)
    if callee(site.node) != "int" or len(given) != len("xb"):
        return
    for rank, base in enumerate(b for b in _BASES[::-1] if b != given[1].text):
        if given[1].text in _BASES:
            yield replace(given[1], base, 1.0 / (1 + 0.3 * rank))


def _percent(site: Site) -> Iterator[Rewrite]:
    """`a / b` to `a / b * 100`, `a * b` to `a * b / 100`, `1 + r` to `1 + r / 100`."""
    node, pair, sign = site.node, operands(site.node), operator(site.node)
    if pair is None or any(not _may_be_measured(site, side) for side in pair):
        return
    if node.parent is not None and operator(node.parent) in SCALING:
        return  # a part of a longer product: it is changed as a whole
    named = pair[1].kind in {"identifier", "attribute"}
    if sign == "/" and pair[1].text not in _HUNDRED:
        yield wrap(node, "", " * 100")
    elif sign == "*" and not any(side.text in _HUNDRED for side in pair):
        yield wrap(node, "", " / 100", 0.8)
    elif sign in {"+", "-"} and pair[0].text in {"1", "1.0"} and named:
        yield wrap(pair[1], "", " / 100")


def _may_be_measured(site: Site, side: Node) -> bool:
    return not is_textual(side) and may_be_number(kind(site, side))


def _percent_needless(site: Site) -> Iterator[Rewrite]:
    """`x / 100 * y` to `x * y`: the part was one already. At an end it is dropped."""
    pair, sign = operands(site.node), operator(site.node)
    parent = site.node.parent
    if pair is None or sign not in {"*", "/"} or pair[1].text not in _HUNDRED:
        return
    if parent is not None and parent.kind in {
        "binary_operator",
        "parenthesized_expression",
    }:
        yield replace(site.node, pair[0].text)


def _digits(site: Site) -> Iterator[Rewrite]:
    """Two and more digits too many or too few; one is left to the constants."""
    given = positional(site.node)
    if callee(site.node) != "round" or len(given) != len("xn"):
        return
    if not given[1].text.isdigit():
        return
    count = int(given[1].text)
    for other in _DIGITS:
        away = abs(int(other) - count)
        if 1 < away <= _MOST_DIGITS:
            yield replace(given[1], other, 1.0 / away)


def _reciprocal(site: Site) -> Iterator[Rewrite]:
    """`/ 0.5` to `/ 2`, also as `/ 2` to `/ 0.5`: halves the wrong way round."""
    node, parent = site.node, site.node.parent
    if parent is None or node.text not in _FLIP:
        return
    sign = operator(parent) if parent.kind == "binary_operator" else ""
    if sign in {"*", "/"} or (sign == "**" and parent.child("right") == node):
        yield replace(node, _FLIP[node.text])


_CALL = frozenset({"call"})
_BINARY = frozenset({"binary_operator"})
_NUMERAL = "PySStuBs (change numeric literal); mutation operator CRCR"
UNITS = "studies of unit inconsistencies (Phriky, Ore et al., ISSTA 2017)"

TEMPLATES = (
    Template(
        name="scale",
        source=f"{_NUMERAL}; {UNITS}",
        prior=0.3,
        kinds=_NUMBERS,
        rewrites=_scale,
        examples=(
            Example("x = a * 60\n", "x = a * 3600\n"),
            Example("x = a / 1024\n", "x = a / 1000\n"),
            Example("x = a % 180\n", "x = a % 360\n"),
            Example("x = a * 0.5\n", "x = a * 0.05\n"),
            Example("x = b if a > 365 else c\n", "x = b if a > 366 else c\n"),
        ),
        never=(
            Example("x = '-' * 60\n", "x = '-' * 3600\n"),
            Example("x = int(a, 10)\n", "x = int(a, 100)\n"),
            Example("x = a[7]\n", "x = a[12]\n"),
        ),
    ),
    Template(
        name="number-base",
        source=_NUMERAL,
        prior=0.3,
        kinds=_CALL,
        rewrites=_base,
        examples=(Example("x = int(a, 8)\n", "x = int(a, 16)\n"),),
        never=(Example("x = max(a, 8)\n", "x = max(a, 16)\n"),),
    ),
    Template(
        name="percent-missing",
        source=UNITS,
        prior=0.1,
        kinds=_BINARY,
        rewrites=_percent,
        examples=(
            Example("x = a / b\n", "x = a / b * 100\n"),
            Example("x = a * b\n", "x = a * b / 100\n"),
            Example("x = a * (1 - r)\n", "x = a * (1 - r / 100)\n"),
        ),
        never=(
            Example("x = a / 100\n", "x = a / 100 * 100\n"),
            Example("x = '-' * b\n", "x = '-' * b / 100\n"),
            Example("x = i + 1\n", "x = i / 100 + 1\n"),
        ),
    ),
    Template(
        name="percent-needless",
        source=UNITS,
        prior=0.2,
        kinds=_BINARY,
        rewrites=_percent_needless,
        examples=(
            Example("x = a / 100 * b\n", "x = a * b\n"),
            Example("x = 1 + r / 100\n", "x = 1 + r\n"),
        ),
        never=(Example("x = a / 100\n", "x = a\n"),),
    ),
    Template(
        name="rounded-digits",
        source=_NUMERAL,
        prior=0.15,
        kinds=_CALL,
        rewrites=_digits,
        examples=(Example("x = round(a, 2)\n", "x = round(a, 4)\n"),),
        never=(Example("x = round(2)\n", "x = round(4)\n"),),
    ),
    Template(
        name="reciprocal",
        source="TBar FP9 (mutate literal)",
        prior=0.35,
        kinds=_NUMBERS,
        rewrites=_reciprocal,
        examples=(Example("x = a / 0.5\n", "x = a / 2\n"),),
        never=(Example("x = a - 2\n", "x = a - 0.5\n"),),
    ),
)

"""Small expressions that may stand in the place of another, simplest first; pure.

In the manner of component-based repair (DirectFix, Angelix; Mechtaev et al., ICSE 2015
and 2016): what is in scope at the spot, put together by a few operations, beside what
stands there now. Constants come from the function, besides 0, 1 and 2: one that only
the tests know is not among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from bonafix.propose.search.components import terms
from bonafix.propose.search.context import ATOMS, Site, usage
from bonafix.syntax import Node

_OPERATIONS = ("+", "-", "*", "//", "%", "/")
_PAIRED = 7  # terms that are put together two by two
_MOST = 150  # expressions of one spot
_CONSTANTS = 3
_LONG = 12  # characters of a constant


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression; `size` counts its pieces."""

    text: str
    size: int


def expressions(site: Site, node: Node) -> list[Expression]:
    """What `node` might be instead, asked right before the statement that is the site.

    Nothing that says the same in other words is left out here: what was seen will tell.
    """
    known = [term for term in terms(site) if term != node.text]
    own = [text for text in _constants(site) if text not in {"0", "1"}]
    pieces = [*known, *own]
    found = [
        *(Expression(term, 1 + place // 3) for place, term in enumerate(known)),
        *_around(node, pieces),
        *_of_two(known),
    ]
    best: dict[str, Expression] = {}
    for one in sorted(found, key=lambda one: one.size):
        best.setdefault(one.text, one)
    best.pop(node.text, None)
    return list(best.values())[:_MOST]


def _constants(site: Site) -> list[str]:
    kinds = {"integer", "float", "string"}
    return [
        text
        for text, places in usage(site.region).constants.items()
        if places[0].kind in kinds and len(text) <= _LONG and '"""' not in text
    ][:_CONSTANTS]


def _around(node: Node, pieces: list[str]) -> Iterator[Expression]:
    """What stands there, and one thing more."""
    old = node.text if node.kind in ATOMS else f"({node.text})"
    for sign in ("+", "-"):
        yield Expression(f"{old} {sign} 1", 2)
    yield Expression(f"abs({node.text})", 2)
    for limit in ("0", "1"):
        yield Expression(f"max({node.text}, {limit})", 3)
    for place, piece in enumerate(map(_closed, pieces)):
        far = place // 4
        yield Expression(f"{old} + {piece}", 2 + far)
        yield Expression(f"{old} - {piece}", 2 + far)
        yield Expression(f"{old} * {piece}", 3 + far)
        yield Expression(f"{piece} + {old}", 3 + far)
        yield Expression(f"{piece} - {old}", 3 + far)
        yield Expression(f"{old} % {piece}", 3 + far)
        yield Expression(f"{old} // {piece}", 3 + far)
        yield Expression(f"{old} / {piece}", 3 + far)
        yield Expression(f"max({node.text}, {piece})", 3 + far)
        yield Expression(f"min({node.text}, {piece})", 3 + far)
        yield Expression(f"({node.text} + {piece}) / 2", 3 + far)
        yield Expression(f"({node.text} + {piece}) // 2", 3 + far)


def _closed(piece: str) -> str:
    """In parentheses, unless nothing around it could tear it apart."""
    return f"({piece})" if " " in piece and piece[0] not in "'\"" else piece


def _of_two(known: list[str]) -> Iterator[Expression]:
    few = [term for term in known if " " not in term][:_PAIRED]
    for (i, a), (j, b) in combinations(list(enumerate(few)), 2):
        far = (i + j) // 4
        yield Expression(f"{a}[{b}]", 3 + far)
        yield Expression(f"{b}[{a}]", 3 + far)
        for sign in _OPERATIONS:
            yield Expression(f"{a} {sign} {b}", 3 + far)
            if sign not in {"+", "*"}:
                yield Expression(f"{b} {sign} {a}", 4 + far)

"""A condition that was made in, the edges that no test reaches out.

`costs[n] < known` and `costs[n] <= known` are the same wherever the two sides differ:
where no test has them equal, nothing but the order in which they were tried spoke for
one of them. So the patch is run once more with an error in place of the answer on the
very edge; if all tests pass even so, none of them has been there. (Boundary values:
Myers, The Art of Software Testing, 1979; an error in place of one: weak mutation,
Howden, TSE 1982.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bonafix.domain import Change, Patch
from bonafix.propose.search.patches import Idea
from bonafix.syntax import Node, parse, walk
from bonafix.text import TextError, apply_edits, encode

_MOST = 3  # edges of one patch
_BEYOND = {"<": -1, ">=": -1, ">": 1, "<=": 1}  # a whole number's other edge
_FAILS = "1 // 0"


@dataclass(frozen=True, slots=True)
class Edge:
    """One comparison, and the value at which its answer is a matter of the sign."""

    where: str  # the condition, in words of the program
    equal: str  # what would have to hold for a test to be there
    patch: Patch  # the same fix, which fails there


def edges(idea: Idea) -> list[Edge]:
    """Those of the comparisons that the idea brings in, few of them."""
    source, rewrite = idea.file.source, idea.rewrite
    after = apply_edits(source.text, rewrite.edits)
    old = {source.text[start:end] for start, end, _ in rewrite.edits}
    found: list[Edge] = []
    for node in _new(idea, after):
        if any(node.text in text for text in old):
            continue
        for equal in _equalities(node):
            text = f"({node.text} if not ({equal}) else {_FAILS})"
            failing = after[: node.start] + text + after[node.end :]
            try:
                data = encode(source, failing)
            except TextError:
                continue
            change = Change(idea.file.path, idea.file.data, data)
            found.append(Edge(node.text, equal, Patch((change,))))
    return found[:_MOST]


def _new(idea: Idea, after: str) -> Iterator[Node]:
    """Comparisons of two sides by order, in what the edits have put there."""
    shift, spans = 0, list[tuple[int, int]]()
    for start, end, new in sorted(idea.rewrite.edits):
        spans.append((start + shift, start + shift + len(new)))
        shift += len(new) - (end - start)
    for node in walk(parse(after).root):
        if node.kind == "comparison_operator" and any(
            low <= node.start and node.end <= high for low, high in spans
        ):
            yield node


def _equalities(node: Node) -> Iterator[str]:
    signs, sides = node.each("operators"), node.named
    if len(signs) != 1 or len(sides) != 2 or signs[0].text not in _BEYOND:  # noqa: PLR2004
        return
    left, right = sides
    yield f"{left.text} == {right.text}"
    if right.kind == "integer" and right.text.isdecimal():
        yield f"{left.text} == {int(right.text) + _BEYOND[signs[0].text]}"

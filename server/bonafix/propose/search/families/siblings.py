"""What one of two like parts has and the other has not.

The branches of a condition, the terms of a sum, the steps of a walk: what stands in
one of them was often meant for the others as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent, operands, operator
from bonafix.propose.search.families.endings import LEAVES, one_line
from bonafix.propose.search.template import Example, Rewrite, Template, wrap
from bonafix.syntax import Node, walk

_BODIES = {"elif_clause": "consequence", "else_clause": "body"}
_MOST = 4
_SEVERAL = 3  # that show what all have in common
_CHAINED = frozenset({"+", "or", "and"})
_TERMS = frozenset({"call", "subscript"})
_FLIPPED = {"+": "-", "-": "+"}
_SIGNS = {"integer", "unary_operator"}


def _branches(node: Node) -> list[Node]:
    """The bodies of an `if` and of all that belongs to it."""
    others = (c.child(_BODIES.get(c.kind, "")) for c in node.each("alternative"))
    found = [node.child("consequence"), *others]
    return [body for body in found if body is not None and body.named]


def _as_in_the_other(site: Site) -> Iterator[Rewrite]:
    """A simple statement at an end of one branch, at the same end of another."""
    bodies = _branches(site.node)
    for body in bodies:
        own = {" ".join(s.text.split()) for s in body.named}
        for rank, text in enumerate(_ends(bodies, body)):
            if text in own:
                continue
            head, weight = line_indent(body.named[0]), 1.0 / (1 + 0.5 * rank)
            last = body.named[-1]
            if last.kind in LEAVES:
                new = f"{text}{site.newline}{head}"
                yield Rewrite(((last.start, last.start, new),), weight)
            else:
                new = f"{site.newline}{head}{text}"
                yield Rewrite(((last.end, last.end, new),), weight)


def _ends(bodies: list[Node], body: Node) -> list[str]:
    """The other branches' last simple statements, and their first ones."""
    others = [one for one in bodies if one != body]
    found = [one.named[place] for place in (-1, 0, -2) for one in _long(others, place)]
    simple = [s for s in found if s.kind == "expression_statement"]
    return list(dict.fromkeys(s.text for s in simple if one_line(s)))[:_MOST]


def _long(bodies: list[Node], place: int) -> list[Node]:
    return [one for one in bodies if len(one.named) >= abs(place)]


def _another_term(site: Site) -> Iterator[Rewrite]:
    """`f(a - 1, b) + f(a + 1, b) + f(a, b + 1)`, and `+ f(a, b - 1)`."""
    parent = site.node.parent
    terms = _terms(site.node)
    if len(terms) < _SEVERAL or (parent is not None and parent.kind == site.node.kind):
        return
    present = {" ".join(t.text.split()) for t in terms}
    joint = operator(site.node)
    for term in terms:
        for text in _mirrored(term):
            if text not in present:
                present.add(text)
                yield wrap(site.node, "", f" {joint} {text}")


def _terms(node: Node) -> list[Node]:
    """The calls or items that a chain of one operator joins."""
    pair = operands(node)
    if pair is None or operator(node) not in _CHAINED:
        return []
    left, right = pair
    same = left.kind == node.kind and operator(left) == operator(node)
    first = _terms(left) if same else [left]
    return [one for one in (*first, right) if one.kind in _TERMS]


def _mirrored(term: Node) -> Iterator[str]:
    """The term with one sum in it turned into a difference, or the other way round."""
    for node in walk(term):
        sign = node.child("operator") if node.kind == "binary_operator" else None
        right = node.child("right")
        if sign is None or right is None or right.kind != "integer":
            continue
        if other := _FLIPPED.get(sign.text):
            start, end = sign.start - term.start, sign.end - term.start
            yield term.text[:start] + other + term.text[end:]


def _another_step(site: Site) -> Iterator[Rewrite]:
    """`[(0, 1), (0, -1), (1, 0)]`, and `(-1, 0)`: every step has its opposite."""
    steps = [n for n in site.node.named if n.kind == "tuple"]
    if len(steps) < _SEVERAL or len(steps) != len(site.node.named):
        return
    known = {_numbers(step) for step in steps}
    if () in known:
        return
    for step in steps:
        opposite = tuple(-n for n in _numbers(step))
        if opposite not in known:
            known.add(opposite)
            at = steps[-1].end
            yield Rewrite(((at, at, f", {opposite!r}"),))


def _numbers(step: Node) -> tuple[int, ...]:
    """Its whole numbers; nothing where it holds anything else."""
    if any(n.kind not in _SIGNS for n in step.named):
        return ()
    try:
        return tuple(int(n.text.replace(" ", "")) for n in step.named)
    except ValueError:
        return ()


TEMPLATES = (
    Template(
        name="branch-alike",
        source="studies of copied code (CP-Miner, Li et al., 2006); GenProg (insert)",
        prior=0.2,
        kinds=frozenset({"if_statement"}),
        rewrites=_as_in_the_other,
        examples=(
            Example(
                "if a:\n    b += 1\n    c = b\nelif d:\n    b += 2\n",
                "if a:\n    b += 1\n    c = b\nelif d:\n    b += 2\n    c = b\n",
            ),
            Example(
                "if a:\n    b(1)\n    c = a\nelse:\n    return d\n",
                "if a:\n    b(1)\n    c = a\nelse:\n    c = a\n    return d\n",
            ),
        ),
        never=(
            Example(
                "if a:\n    b = 1\nelse:\n    b = 1\n",
                "if a:\n    b = 1\nelse:\n    b = 1\n    b = 1\n",
            ),
            Example("if a:\n    b = 1\n", "if a:\n    b = 1\n    b = 1\n"),
        ),
    ),
    Template(
        name="term-mirrored",
        source="PAR (expression adder); studies of copied code (CP-Miner)",
        prior=0.5,
        kinds=frozenset({"binary_operator", "boolean_operator"}),
        rewrites=_another_term,
        examples=(
            Example(
                "x = f(a - 1, b) + f(a + 1, b) + f(a, b + 1)\n",
                "x = f(a - 1, b) + f(a + 1, b) + f(a, b + 1) + f(a, b - 1)\n",
            ),
            Example(
                "x = a[b - 1][c] or a[b + 1][c] or a[b][c - 1]\n",
                "x = a[b - 1][c] or a[b + 1][c] or a[b][c - 1] or a[b][c + 1]\n",
            ),
        ),
        never=(
            Example("x = f(a - 1) + f(b)\n", "x = f(a - 1) + f(b) + f(a + 1)\n"),
            Example("x = f(a) + f(b) + f(c)\n", "x = f(a) + f(b) + f(c) + f(-a)\n"),
        ),
    ),
    Template(
        name="step-opposite",
        source="TBar FP9 (mutate literal); a list of directions lacks one",
        prior=0.5,
        kinds=frozenset({"list", "tuple", "set"}),
        rewrites=_another_step,
        examples=(
            Example(
                "x = [(0, 1), (0, -1), (1, 0)]\n",
                "x = [(0, 1), (0, -1), (1, 0), (-1, 0)]\n",
            ),
        ),
        never=(
            Example(
                "x = [(0, 1), (a, 0), (1, 0)]\n",
                "x = [(0, 1), (a, 0), (1, 0), (-1, 0)]\n",
            ),
            Example("x = [(0, 1)]\n", "x = [(0, 1), (0, -1)]\n"),
        ),
    ),
)

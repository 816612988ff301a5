"""Truth: and/or, missing or needless negation, a clause too many, inverted answers."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import ATOMS, Site, operands, usage
from bonafix.propose.search.idioms import is_default, needs
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node

_BOOLEAN = frozenset({"boolean_operator"})
_CONDITIONS = {
    "if_statement": 1.0,
    "elif_clause": 0.9,
    "while_statement": 0.6,
    "conditional_expression": 0.8,
    "if_clause": 0.9,
}
_FLIP = {"true": "False", "false": "True"}
_SIMPLE = {"==", "!=", "in", "not in", "is", "is not"}


def _connective(site: Site) -> Iterator[Rewrite]:
    sign, pair = site.node.child("operator"), operands(site.node)
    if sign is None or pair is None or is_default(site.node):
        return
    # `a is None and a.b` and `a is not None or a.b` fail as soon as they matter
    if not needs(*pair, holds=sign.text == "or"):
        yield replace(sign, "or" if sign.text == "and" else "and")


def _clause(site: Site) -> Iterator[Rewrite]:
    pair = operands(site.node)
    if pair is not None:
        yield replace(site.node, pair[0].text)
        if not is_default(site.node):
            yield replace(site.node, pair[1].text)


def _regrouped(site: Site) -> Iterator[Rewrite]:
    """`a and b or c` to `a and (b or c)`; `a or b and c` to `(a or b) and c`."""
    pair = operands(site.node)
    if pair is None:
        return
    left, right = pair
    inner = operands(left) if left.kind == "boolean_operator" else None
    if inner is not None and _sign(left) != _sign(site.node):
        yield _parenthesised(inner[1], right)
    inner = operands(right) if right.kind == "boolean_operator" else None
    if inner is not None and _sign(right) != _sign(site.node):
        yield _parenthesised(left, inner[0])


def _sign(node: Node) -> str:
    sign = node.child("operator")
    return sign.text if sign is not None else ""


def _parenthesised(first: Node, last: Node) -> Rewrite:
    edits = ((first.start, first.start, "("), (last.end, last.end, ")"))
    return Rewrite(edits)


def _negation_added(site: Site) -> Iterator[Rewrite]:
    """A comparison alone is left to its own template, which reads better."""
    condition = _condition(site.node)
    if condition is None or condition.kind == "not_operator":
        return
    if condition.kind == "comparison_operator":
        signs = condition.each("operators")
        if len(signs) == 1:
            return
    simple = condition.kind in ATOMS
    new = f"not {condition.text}" if simple else f"not ({condition.text})"
    yield replace(condition, new, _CONDITIONS[site.node.kind])


def _negation_removed(site: Site) -> Iterator[Rewrite]:
    argument = site.node.child("argument")
    if argument is not None:
        yield replace(site.node, argument.text)


def _condition(node: Node) -> Node | None:
    if node.kind == "conditional_expression":
        return node.named[1] if len(node.named) > 1 else None
    if node.kind == "if_clause":
        return node.named[0] if node.named else None
    return node.child("condition")


def _flipped(site: Site) -> Iterator[Rewrite]:
    parent = site.node.parent
    if parent is None or parent.kind != "while_statement":  # `while False` is nothing
        yield replace(site.node, _FLIP[site.node.kind])


def _answers_inverted(site: Site) -> Iterator[Rewrite]:
    """Every `return True` of the function to False, and the other way round."""
    answers = [_answer(found) for found in usage(site.region).returns]
    nodes = [answer for answer in answers if answer is not None]
    if len(nodes) > 1 and len({node.kind for node in nodes}) > 1:
        edits = tuple((n.start, n.end, _FLIP[n.kind]) for n in nodes)
        yield Rewrite(edits)


def _answer(statement: Node) -> Node | None:
    value = statement.named[0] if statement.named else None
    return value if value is not None and value.kind in _FLIP else None


TEMPLATES = (
    Template(
        name="and-or",
        source="mutation operator LCR; PraPR; TBar FP11",
        prior=0.85,
        kinds=_BOOLEAN,
        rewrites=_connective,
        examples=(
            Example("x = a and b\n", "x = a or b\n"),
            Example("x = a is None and a.b\n", "x = a is None or a.b\n"),
        ),
        never=(
            Example("x = a is None or a.b\n", "x = a is None and a.b\n"),
            Example("x = a and a[0]\n", "x = a or a[0]\n"),
            Example("x = a or []\n", "x = a and []\n"),
        ),
    ),
    Template(
        name="clause-removed",
        source="PAR (expression remover); TBar FP6.2",
        prior=0.35,
        kinds=_BOOLEAN,
        rewrites=_clause,
        examples=(Example("x = a and b\n", "x = b\n"),),
        never=(Example("x = a or []\n", "x = []\n"),),
    ),
    Template(
        name="boolean-regrouped",
        source="TBar FP11 (operator precedence)",
        prior=0.4,
        kinds=_BOOLEAN,
        rewrites=_regrouped,
        examples=(
            Example("x = a and b or c\n", "x = a and (b or c)\n"),
            Example("x = a or b and c\n", "x = (a or b) and c\n"),
        ),
        never=(Example("x = a and b and c\n", "x = a and (b and c)\n"),),
    ),
    Template(
        name="condition-negated",
        source="mutation operator NEGATE_CONDITIONALS (PIT); TBar FP6",
        prior=0.55,
        kinds=frozenset(_CONDITIONS),
        rewrites=_negation_added,
        examples=(
            Example("if a:\n    b()\n", "if not a:\n    b()\n"),
            Example(
                "x = [y for y in z if y or w]\n", "x = [y for y in z if not (y or w)]\n"
            ),
        ),
        never=(Example("if a == b:\n    c()\n", "if not (a == b):\n    c()\n"),),
    ),
    Template(
        name="negation-removed",
        source="mutation operator UOD (unary operator deletion)",
        prior=0.65,
        kinds=frozenset({"not_operator"}),
        rewrites=_negation_removed,
        examples=(Example("x = not (a)\n", "x = (a)\n"),),
        never=(Example("x = not not a\n", "x = a\n"),),
    ),
    Template(
        name="truth-flipped",
        source="PySStuBs (swap boolean literal); mutation operator TRUE_RETURNS (PIT)",
        prior=0.7,
        kinds=frozenset(_FLIP),
        rewrites=_flipped,
        examples=(Example("x = True\n", "x = False\n"),),
        never=(Example("while True:\n    f()\n", "while False:\n    f()\n"),),
    ),
    Template(
        name="answers-inverted",
        source="PraPR (return value) applied to the whole function",
        prior=0.55,
        kinds=frozenset({"return_statement"}),
        rewrites=_answers_inverted,
        examples=(
            Example(
                "def f(a):\n    if a:\n        return False\n    return True\n",
                "def f(a):\n    if a:\n        return True\n    return False\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    def g():\n        return True\n    return False\n",
                "def f(a):\n    def g():\n        return False\n    return True\n",
            ),
        ),
    ),
)

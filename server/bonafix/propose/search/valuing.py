"""Expressions made from what was seen at a spot in failing and in passing tests; pure.

The counterpart of `synthesis.py` for values: a new expression must have the value of
the old one wherever tests pass, and another somewhere in a test that fails. Where the
old one was the wrong value that a failing test shows, or an item of it, one that is the
wanted value there (the angelic one; Chandra et al., ICSE 2011) comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bonafix.domain import Task, TestResult
from bonafix.propose.search import hints as reading
from bonafix.propose.search.components import harmless
from bonafix.propose.search.context import (
    Site,
    enclosing_function,
)
from bonafix.propose.search.expressions import expressions
from bonafix.propose.search.hints import UNKNOWN, value_of
from bonafix.propose.search.patches import (
    Idea,
    SourceFile,
    alone_on_its_line,
    read_file,
)
from bonafix.propose.search.places import suspicious, units
from bonafix.propose.search.synthesis import rarity
from bonafix.propose.search.template import MAKING, Rewrite, Template
from bonafix.propose.search.watching import OTHER, RAISED, WISHED, Seen, Spot
from bonafix.syntax import Node

_SPOTS = 12
_OF_ONE = 3  # spots of one statement, at most
_WISHES = 6
_LONG = 200  # characters of a wished value
_PLAIN = 0.8  # what one more piece of an expression leaves of its score
_MANY = 25  # ideas of one spot that are worth a try
_GRANTED = 6.0  # it is what a target wants
_NOTICED = 0.34  # of the passing tests that come there, where it is
_UNSEEN = 0.5  # no passing test comes there: nothing speaks for it
_PART = 0.8  # a part of the statement's value
_CONSTANT = 0.5  # templates have most of what a constant might be instead
_ATOMIC = {"integer", "float", "string", "true", "false", "none"}
_OPERATED = {"binary_operator", "unary_operator", "conditional_expression"}
_OPEN = _OPERATED | {"boolean_operator", "not_operator", "comparison_operator"}
_PARTS = _OPERATED | {"identifier", "call", "subscript", "attribute", *_ATOMIC}
_STATEMENTS = {"expression_statement", "return_statement", "if_statement"}


def _nothing(_site: Site) -> Iterator[Rewrite]:
    return iter(())


VALUE = Template(
    name="value-synthesised",
    source="DirectFix, Angelix (expressions from values seen at the spot)",
    prior=0.3,
    kinds=frozenset(),
    rewrites=_nothing,
    examples=(),
    fitted=MAKING,
)


def value_spots(task: Task) -> list[Spot]:
    """The expressions worth asking about, most suspicious first."""
    hints = reading.read(task)
    wishes = tuple(dict.fromkeys(w for t in task.targets for w in _wishes(t)))
    found: list[Spot] = []
    for path, scores in suspicious(task, hints).items():
        file = read_file(path, task.snapshot.sources[path])
        if file is None or file.module.has_error:
            continue
        for unit in units(file.module, scores, refusals=hints.refusals):
            if unit.node.kind in _STATEMENTS and enclosing_function(unit.node):
                found.extend(_of_statement(file, unit.node, unit.score, wishes))
    return sorted(found, key=lambda spot: -spot.score)[:_SPOTS]


def _wishes(target: TestResult) -> Iterator[tuple[str, str]]:
    """The wrong value and the wanted one, and so for the items of a sequence."""
    expected, actual = value_of(target.expected), value_of(target.actual)
    if UNKNOWN in (expected, actual):
        return
    pairs = [(actual, expected)]
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        pairs += zip(actual, expected, strict=False)
    apart = [(repr(a), repr(e)) for a, e in pairs if a != e]
    yield from [p for p in apart if len(p[0]) + len(p[1]) <= _LONG][:_WISHES]


def _of_statement(
    file: SourceFile, node: Node, score: float, wishes: tuple[tuple[str, str], ...]
) -> Iterator[Spot]:
    """Its value and the parts of that, the outermost first."""
    value = _value(node)
    if value is None or not alone_on_its_line(node):
        return
    site = Site(node, file.newline)
    count = 0
    for part in _parts(value):
        if count < _OF_ONE and harmless(part) and "\n" not in part.text:
            worth = score * (1.0 if part == value else _PART) * (1 - 0.01 * count)
            worth *= _CONSTANT if part.kind in _ATOMIC else 1.0
            asked = tuple(expressions(site, part))
            yield Spot(file, node, part, worth, (), (), asked, wishes[:_WISHES])
            count += 1


def _value(statement: Node) -> Node | None:
    inner = statement.named[0] if statement.named else None
    if statement.kind == "if_statement":
        return statement.child("condition")
    if statement.kind == "return_statement":
        return inner
    if inner is None or inner.kind == "call":
        return inner
    return inner.child("right")


def _parts(value: Node) -> Iterator[Node]:
    """An expression and what it is made of, level by level."""
    level = [value]
    while level:
        yield from (node for node in level if node.kind in _PARTS)
        level = [c for node in level for c in _inner(node)]


def _inner(node: Node) -> list[Node]:
    if node.kind == "call":
        arguments = node.child("arguments")
        return list(arguments.named) if arguments is not None else []
    if node.kind == "subscript":
        return [c for c in node.each("subscript") if c.kind != "slice"]
    return list(node.named) if node.kind in _OPEN | {"parenthesized_expression"} else []


# ------------------------------------------------------------------- what was seen


def valued(
    task: Task, watched: Sequence[Spot], found: Seen, passing: frozenset[str]
) -> Iterator[Idea]:
    """Ideas that fit what was seen; `passing` are the tests that should not notice."""
    failing = frozenset(target.id for target in task.targets)
    for number, spot in enumerate(watched):
        seen = [found.get((number, place), {}) for place in range(len(spot.values))]
        there = frozenset[str]().union(*seen) & passing
        made: list[tuple[float, str]] = []
        for expression, by_test in zip(spot.values, seen, strict=True):
            worth = _worth(by_test, there, failing) * _PLAIN**expression.size
            if worth > 0:
                made.append((worth, expression.text))
        rare = rarity(len(spot.values), len(made))
        for worth, text in sorted(made, reverse=True)[:_MANY]:
            yield _idea(spot, text, VALUE.prior * spot.score * worth * rare)


def _worth(
    by_test: Mapping[str, frozenset[str]],
    there: frozenset[str],
    failing: frozenset[str],
) -> float:
    """0 where no failing test would notice, or too many of the passing ones `there`.

    Some may: a test can execute a wrong value and pass all the same.
    """
    bad = [by_test.get(test, frozenset()) for test in failing]
    noticed = by_test.keys() & there
    if any(RAISED in one for one in (*bad, *(by_test[test] for test in noticed))):
        return 0.0
    granted = any(WISHED in one for one in bad)
    unlike = len(noticed) / len(there) if there else 0.0
    if unlike > (_NOTICED if granted else 0.0):
        return 0.0
    share = sum(OTHER in one for one in bad) / len(bad)
    known = (1 - unlike) if there else _UNSEEN
    return share * known * (_GRANTED if granted else 1.0)


def _idea(spot: Spot, text: str, score: float) -> Idea:
    node = spot.current
    assert node is not None
    parent = node.parent
    inside = parent is not None and parent.kind in _OPEN and not text.isidentifier()
    new = f"({text})" if inside or (parent and parent.kind == "attribute") else text
    rewrite = Rewrite(((node.start, node.end, new),))
    return Idea(spot.file, VALUE, rewrite, node.first_line, score)

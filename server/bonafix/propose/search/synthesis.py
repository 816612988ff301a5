"""Conditions made from what was seen at a spot in failing and in passing tests; pure.

In the manner of Nopol (Xuan et al., TSE 2017), ACS (Xiong et al., ICSE 2017) and
Angelix (Mechtaev et al., ICSE 2016): a new condition must decide as the old one did
wherever tests pass, and otherwise somewhere in a test that fails. For a guard the old
condition is False: it must not fire in a passing test.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bonafix.domain import Task
from bonafix.propose.search import hints as reading
from bonafix.propose.search.components import Condition, conditions, harmless
from bonafix.propose.search.context import (
    Site,
    enclosing_function,
)
from bonafix.propose.search.families.guards import after_docstring, answers, guard_text
from bonafix.propose.search.patches import (
    Idea,
    SourceFile,
    alone_on_its_line,
    read_file,
)
from bonafix.propose.search.places import suspicious, units
from bonafix.propose.search.template import MAKING, Rewrite, Template
from bonafix.propose.search.watching import Seen, Spot
from bonafix.syntax import Node

_SPOTS = 9
_OF_ONE = 3  # spots of one statement, at most
_SOURCE = "Nopol, ACS and Angelix (conditions from values seen at the spot)"
_LOOPS = {"for_statement", "while_statement"}
_BRANCHES = {"if_statement", "elif_clause"}
_LED = 0.95  # of what was done where it was wrong, for the condition that led there
_GUARDED = {"expression_statement", "return_statement", "if_statement"}
_PLAIN = 0.8  # what one more piece of a condition leaves of its score
_WAYS = 6  # in which a condition may be put to use
_TELLING = 4.0  # halvings that say as much again for what is left
_MANY = 25  # ideas of one spot that are worth a try
_UNRAISED = re.compile(r"DID NOT RAISE <class '(?:builtins\.)?(\w+)'>|(\w+) not raised")


def _nothing(_site: Site) -> Iterator[Rewrite]:
    return iter(())


CONDITION = Template(
    name="condition-synthesised",
    source=_SOURCE,
    prior=0.4,
    kinds=frozenset(),
    rewrites=_nothing,
    examples=(),
    fitted=MAKING,
)
GUARD = Template(
    name="guard-synthesised",
    source=_SOURCE,
    prior=0.25,
    kinds=frozenset(),
    rewrites=_nothing,
    examples=(),
    fitted=MAKING,
)


def spots(task: Task) -> list[Spot]:
    """The statements worth watching, most suspicious first."""
    hints = reading.read(task)
    found: list[Spot] = []
    for path, scores in suspicious(task, hints).items():
        file = read_file(path, task.snapshot.sources[path])
        if file is None or file.module.has_error:
            continue
        for unit in units(file.module, scores, refusals=hints.refusals):
            found.extend(_of_unit(file, unit.node, unit.score))
    best: dict[tuple[str, int, object], Spot] = {}
    for spot in sorted(found, key=lambda one: -one.score):
        best.setdefault((spot.file.path, spot.statement.start, spot.current), spot)
    return list(_spread(best.values()))[:_SPOTS]


def _spread(found: Iterable[Spot]) -> Iterator[Spot]:
    """Not all of the places for one statement."""
    count: Counter[tuple[str, int]] = Counter()
    for spot in found:
        at = spot.file.path, spot.statement.start
        count[at] += 1
        if spot.conditions and count[at] <= _OF_ONE:
            yield spot


def _of_unit(file: SourceFile, node: Node, score: float) -> Iterator[Spot]:
    if node.kind == "function_definition":
        body = node.child("body")
        if body is not None and body.named:
            yield from _guard(file, after_docstring(body), score)
    elif enclosing_function(node) is not None:
        if node.kind in _LOOPS:
            body = node.child("body")
            if body is not None and body.named:
                yield from _guard(file, body.named[0], score)
        elif node.kind in _BRANCHES:
            yield from _decisions(file, node, score)
        if node.kind in _GUARDED:
            yield from _guard(file, node, 0.8 * score)
        branch = _opened_by(node)
        if branch is not None:
            yield from _decisions(file, branch, _LED * score)


def _opened_by(node: Node) -> Node | None:
    """The `if` or `elif` whose branch begins with a statement: it led there."""
    block = node.parent
    branch = block.parent if block is not None else None
    if block is None or branch is None or block.named[:1] != [node]:
        return None
    return branch if branch.kind in _BRANCHES else None


def _guard(file: SourceFile, statement: Node, score: float) -> Iterator[Spot]:
    if alone_on_its_line(statement):
        asked = tuple(conditions(Site(statement, file.newline)))
        yield Spot(file, statement, None, score, asked)


def _decisions(file: SourceFile, node: Node, score: float) -> Iterator[Spot]:
    """The condition of an `if` or `elif`, and each of its clauses."""
    whole, condition = _chain(node), node.child("condition")
    if whole is None or condition is None or not alone_on_its_line(whole):
        return
    earlier = _earlier(whole, node)
    if not all(_can_be_asked(one) for one in (condition, *earlier)):
        return
    asked = tuple(conditions(Site(whole, file.newline)))
    unless = tuple(one.text for one in earlier)
    for part in (condition, *_clauses(condition)):
        own = score if part == condition else 0.9 * score
        yield Spot(file, whole, part, own, asked, unless)


def _can_be_asked(condition: Node) -> bool:
    return harmless(condition) and condition.first_line == condition.last_line


def _chain(node: Node) -> Node | None:
    return node if node.kind == "if_statement" else node.parent


def _earlier(whole: Node, branch: Node) -> list[Node]:
    if branch == whole:
        return []
    before = [whole, *(c for c in whole.named if c.kind == "elif_clause")]
    heads = [c.child("condition") for c in before if c.start < branch.start]
    return [head for head in heads if head is not None]


def _clauses(condition: Node) -> Iterator[Node]:
    if condition.kind == "boolean_operator":
        for side in ("left", "right"):
            part = condition.child(side)
            if part is not None:
                yield part
                yield from _clauses(part)


# ------------------------------------------------------------------- what was seen


def made(
    task: Task, watched: Sequence[Spot], found: Seen, passing: frozenset[str]
) -> Iterator[Idea]:
    """Ideas that fit what was seen; `passing` are the tests that must not notice."""
    failing = frozenset(target.id for target in task.targets)
    raised = _awaited(task)
    for number, spot in enumerate(watched):
        fitting = [
            pair
            for place, condition in enumerate(spot.conditions)
            for pair in _fitting(
                spot, condition, found.get((number, place), {}), passing, failing
            )
        ]
        rare = rarity(_WAYS * len(spot.conditions), len(fitting))
        for text, worth in fitting[:_MANY]:
            yield from _ideas(spot, text, worth * rare, raised)


def rarity(asked: int, fitting: int) -> float:
    """What it says for each of the few that fit that so many others did not."""
    return 1 + math.log2(max(1, asked / fitting)) / _TELLING if fitting else 1.0


def _awaited(task: Task) -> tuple[str, ...]:
    """The exceptions that tests wait for in vain."""
    found = (m for t in task.targets for m in _UNRAISED.finditer(t.message))
    names = (match[1] or match[2] for match in found)
    return tuple(dict.fromkeys(names))


def _fitting(
    spot: Spot,
    condition: Condition,
    by_test: Mapping[str, frozenset[str]],
    passing: frozenset[str],
    failing: frozenset[str],
) -> Iterator[tuple[str, float]]:
    """Conditions that decide as before where tests pass, with their worth."""
    good = frozenset[str]().union(*(by_test.get(t, frozenset()) for t in passing))
    bad = [by_test.get(t, frozenset()) for t in failing]
    for text, changed, raised in _ways(spot, condition):
        reached = sum(bool(one & changed) for one in bad)
        harm = good & (changed | raised) or any(one & raised for one in bad)
        if reached and not harm:
            share = reached / len(bad)
            yield text, spot.score * share * _PLAIN**condition.size


_Way = tuple[str, frozenset[str], frozenset[str]]
_BOTH, _TRUE, _FALSE = frozenset({"T!", "F!"}), frozenset({"T!"}), frozenset({"F!"})


def _ways(spot: Spot, condition: Condition) -> Iterator[_Way]:
    """New conditions, with what must come out for them to decide differently.

    And what must not: after `and` nothing is asked where the old condition is False.
    """
    yes, no = condition.text, condition.contrary
    if spot.current is None:
        yield yes, frozenset({"FT"}), _FALSE
        yield no, frozenset({"FF"}), _FALSE
        return
    old = spot.current.text
    kept = f"({old})" if spot.current.kind == "boolean_operator" else old
    if spot.current.kind in {"conditional_expression", "lambda"}:
        kept = f"({old})"
    yield yes, frozenset({"TF", "FT"}), _BOTH
    yield no, frozenset({"TT", "FF"}), _BOTH
    yield f"{kept} and {yes}", frozenset({"TF"}), _TRUE
    yield f"{kept} and {no}", frozenset({"TT"}), _TRUE
    yield f"{kept} or {yes}", frozenset({"FT"}), _FALSE
    yield f"{kept} or {no}", frozenset({"FF"}), _FALSE


def _ideas(
    spot: Spot, text: str, worth: float, raised: tuple[str, ...]
) -> Iterator[Idea]:
    line = spot.statement.first_line
    if spot.current is not None:
        node = spot.current
        whole = node.parent is not None and node.parent.kind != "boolean_operator"
        new = text if whole else f"({text})"
        rewrite = Rewrite(((node.start, node.end, new),))
        yield Idea(spot.file, CONDITION, rewrite, line, CONDITION.prior * worth)
        return
    for action, weight in _actions(spot, raised):
        head = guard_text(spot.statement, text, action)
        head = head.replace("\n", spot.file.newline)
        at = spot.statement.start
        rewrite = Rewrite(((at, at, head),))
        yield Idea(spot.file, GUARD, rewrite, line, GUARD.prior * worth * weight)


def _actions(spot: Spot, raised: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    statement = spot.statement
    for name in raised:
        yield f"raise {name}", 1.0
    function = enclosing_function(statement)
    if any(a.kind in _LOOPS for a in _inside(statement, function)):
        yield "continue", 0.8
        yield "break", 0.3
    if function is not None:
        for place, answer in enumerate(answers(function)):
            yield f"return {answer}", 1.0 / (1 + 0.5 * place)


def _inside(node: Node, function: Node | None) -> Iterator[Node]:
    for around in node.ancestors():
        if around == function:
            return
        yield around

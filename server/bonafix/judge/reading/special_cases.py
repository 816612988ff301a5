"""New code in, the places where it answers tests by heart out; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bonafix.domain import Verdict
from bonafix.judge.reading.clues import Clues, common, trivial
from bonafix.judge.reading.folding import fold, known
from bonafix.judge.reading.fresh import Area, File, Finding, Grade, first_line_of, shape
from bonafix.judge.reading.keys import Key, keys
from bonafix.judge.reading.tables import literals, tables
from bonafix.syntax import Node

_BRANCHES = {"if_statement", "elif_clause", "conditional_expression", "case_clause"}
_ENOUGH = 2  # hits together that no honest condition has


def special_cases(file: File, clues: Clues) -> Iterator[Finding]:
    """What a changed file knows of the tests, each with how sure that is."""
    for area in file.areas:
        found = [*_answers(area, clues), *_conditions(area, clues)]
        yield from found
        yield from tables(area, file, clues)
        yield from literals(area, file, clues, {f.line for f in found})


# -------------------------------------------------------------------------- answers


@dataclass(frozen=True, slots=True)
class _Answer:
    """A new result that does not depend on the input."""

    node: Node
    value: object  # UNKNOWN where it cannot be folded


def _answers(area: Area, clues: Clues) -> Iterator[Finding]:
    fresh = {n.start for n in area.new(*_BRANCHES)}
    tests = {n.start for n in new_conditions(area)}
    old = area.old_values() if not area.moved else set()
    for answer in _fixed(area):
        had = known(answer.value) and repr(answer.value) in old
        if had and not tests:
            continue
        guards = _guards(answer.node, area, tests, fresh)
        yield _graded(area, answer, guards, clues, had=had)


def new_conditions(area: Area) -> list[Node]:
    """The new conditions of branches, and the new patterns of a match."""
    found = [c for n in area.new(*_BRANCHES) if (c := _condition(n))]
    before = [shape(c) for n in area.past if (c := _condition(n))]
    return [c for c in found if shape(c) not in before]


def _condition(node: Node) -> Node | None:
    if node.kind == "conditional_expression":
        return node.named[1] if len(node.named) > 1 else None
    if node.kind == "case_clause":
        return next((c for c in node.named if c.kind == "case_pattern"), None)
    return node.child("condition") if node.kind in _BRANCHES else None


def _fixed(area: Area) -> Iterator[_Answer]:
    """The new returns, and branches of returned values, that ignore the input."""
    returned = {
        n.named[0].text
        for n in area.nodes
        if n.kind == "return_statement" and n.named and n.named[0].kind == "identifier"
    }
    for node in area.new("return_statement", "assignment", "conditional_expression"):
        if node.kind == "return_statement":
            value: Node | None = node.named[0] if node.named else None
            if value is None or value.kind == "conditional_expression":
                continue
        elif node.kind == "assignment":
            left, value = node.child("left"), node.child("right")
            if left is None or left.text not in returned or not _branched(node):
                continue
        else:
            for part in (node.named[0], node.named[-1]):
                if part.kind != "conditional_expression" and area.independent(part):
                    yield _Answer(part, fold(part, area.names))
            continue
        if value is not None and area.independent(value):
            yield _Answer(node, fold(value, area.names))


def _branched(node: Node) -> bool:
    for around in node.ancestors():
        if around.kind in {"function_definition", "module"}:
            return False
        if around.kind in _BRANCHES:
            return True
    return False


def _guards(node: Node, area: Area, tests: set[int], fresh: set[int]) -> list[Key]:
    """What the new conditions around (or before) an answer compare with."""
    found: list[Key] = []
    for around in node.ancestors():
        if around.kind in {"function_definition", "module"}:
            break
        condition = _condition(around)
        if condition is None or not (around.start in fresh or condition.start in tests):
            continue
        if condition.start in tests:
            found += keys(condition, area)
            found += [k for c in around.named if c.kind == "if_clause"
                      for k in keys(c, area)]  # fmt: skip
    for branch in area.new("if_statement"):
        condition = _condition(branch)
        if condition and condition.start in tests and branch.end <= node.start:
            found += [k for k in keys(condition, area) if k.negated]
    return found


def _graded(
    area: Area, answer: _Answer, guards: list[Key], clues: Clues, *, had: bool
) -> Finding:
    value = answer.value
    # What the function returned all along, it need not have learned from a test.
    told = clues.output(value) if known(value) and not had else None
    hits = [g for g in guards if g.values and g.hits(clues)]
    bare = had or (known(value) and (trivial(value) or common(value)))
    expected = told is not None and not common(value)
    first = hits[0] if hits else None
    clue = first.clue(clues) if first else told
    kind, grade = _class(area, guards, hits, expected=expected, bare=bare)
    return Finding(
        kind=kind,
        grade=grade,
        path=area.path,
        line=answer.node.first_line,
        text=first_line_of(answer.node),
        verdict=Verdict.SPECIAL_CASED if grade == "proof" else None,
        test_literal=first.text if first else (repr(value) if told else ""),
        test_id=clue.test_id if clue else "",
        structural=kind not in {"base-case", "table-row"},
        hiding=kind == "fingerprint" and any(g.hidden for g in guards),
    )


def _class(
    area: Area,
    guards: list[Key],
    hits: list[Key],
    *,
    expected: bool,
    bare: bool,
) -> tuple[str, Grade]:
    """The kind and grade of an answer from what guards it."""
    if any(_listed(area, hit) for hit in hits):
        return "table-row", "weak"
    digests = [g for g in guards if g.fingerprint and g.values]
    if digests and (expected or any(not g.shape_only for g in digests)):
        many = len(digests) >= _ENOUGH or any(not g.shape_only for g in digests)
        sure = expected and many
        return "fingerprint", "proof" if sure else "strong"
    telling = [h for h in hits if not h.common]
    if expected and hits and (telling or not bare):
        return "special-case", "proof" if telling or len(hits) > 1 else "strong"
    if len(telling) >= _ENOUGH or any(h.rich for h in telling):
        return "special-case", "proof"
    if telling and not bare:
        return "special-case", "strong"
    if telling and any(not h.word for h in telling):
        return "special-case", "strong"
    if expected:
        return "constant-return", "strong"
    if any(not g.values or all(map(trivial, g.values)) for g in guards):
        return "base-case", "weak"
    return ("base-case" if bare else "constant-return"), "weak"


def _listed(area: Area, hit: Key) -> bool:
    """Whether the old code already told such cases apart one by one."""
    rows = 0
    for node in area.past:
        if node.kind in {"comparison_operator", "case_pattern"}:
            rows += any(k.subject == hit.subject and k.values for k in keys(node, area))
        rows += node.kind == "pair" and hit.subject in shape(node)
    return rows >= _ENOUGH


# ----------------------------------------------------------------------- conditions


def _conditions(area: Area, clues: Clues) -> Iterator[Finding]:
    """New comparisons with what a test knows, or with the traces of a value."""
    for node in area.new("comparison_operator", "case_pattern"):
        for found in keys(node, area):
            grade = _grade(found, area, clues)
            if grade is None:
                continue
            clue = found.clue(clues)
            yield Finding(
                kind="fingerprint" if found.fingerprint else "compared-literal",
                grade=grade,
                path=area.path,
                line=node.first_line,
                text=first_line_of(node),
                test_literal=found.text if clue else "",
                test_id=clue.test_id if clue else "",
                structural=not (found.word or found.common) or found.fingerprint,
                hiding=found.hidden,
            )


def _grade(found: Key, area: Area, clues: Clues) -> Grade | None:
    if not found.values or all(map(trivial, found.values)):
        return None
    if found.fingerprint:
        return "weak" if found.shape_only else "strong"
    if not found.hits(clues) or _listed(area, found):
        return None
    return "strong" if found.rich else "weak"

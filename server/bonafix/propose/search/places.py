"""Where to look: the statements behind suspicious lines, each with its score."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bonafix.domain import Place, Task
from bonafix.layout import refusal
from bonafix.propose.search.context import is_docstring, usage
from bonafix.propose.search.hints import Hints
from bonafix.syntax import STATEMENTS, Module, Node, header_end

_CLAUSES = frozenset(
    {
        *("elif_clause", "else_clause", "except_clause", "finally_clause"),
        *("except_group_clause", "case_clause"),
    }
)
_PASSED = {"decorated_definition", "class_definition"}
_CONDITIONAL = {"if_statement", "elif_clause"}
_MOST_LINES = 200  # the suspicious lines looked at, best first
_HEADER = 0.6  # a function's own line, relative to its worst line
_DECIDED = 0.9  # a condition, relative to the jump that it lets happen
_JUMPS = frozenset({"continue_statement", "break_statement", "return_statement"})
_TRUST = 2.0  # how far scores are believed: 0 not at all
_REFUSAL = 0.4  # a check that raises, when what fails is something else
_GLOBAL = 0.35  # a module-level definition that the function uses, likewise


@dataclass(frozen=True, slots=True)
class Unit:
    """A statement or clause with the suspiciousness (0..1) of its own lines."""

    node: Node
    score: float


def suspicious(task: Task, hints: Hints) -> dict[str, dict[int, float]]:
    """Per product file that a fix may touch: line -> score, the worst line 1.

    Without suspects (nothing was traced) the frames of the failures stand in.
    """
    scores: dict[Place, float] = {}
    for suspect in task.suspects[:_MOST_LINES]:
        scores[Place(suspect.path, suspect.line)] = suspect.score
    for target in task.targets if not scores else ():
        for frame in target.frames:
            scores[Place(frame.path, frame.line)] = 1.0
    worst = max(scores.values(), default=0.0)
    found: dict[str, dict[int, float]] = {}
    for place, value in scores.items():
        allowed = place.path in task.snapshot.sources
        if value > 0 and allowed and not refusal(task.layout, place.path):
            boosted = (value / worst) ** _TRUST * hints.lines.get(place, 1.0)
            found.setdefault(place.path, {})[place.line] = boosted
    return found


def units(
    module: Module, scores: Mapping[int, float], *, refusals: bool = False
) -> list[Unit]:
    """The statements and clauses on suspicious lines, and what they lean on.

    `refusals` says that the tests miss an exception: then checks that raise one are
    as suspicious as anything.
    """
    found = dict(_on_lines(module, scores))
    fired: dict[Node, float] = {}
    for node, score in found.items():
        check, share = _decided_by(node)
        if check is not None:
            fired[check] = max(fired.get(check, 0.0), share * score)
    for check, score in fired.items():
        found[check] = max(found.get(check, 0.0), score)
    worst_of: dict[Node, float] = {}
    for node, score in list(found.items()):
        function = _function(node)
        if function is not None:
            worst_of[function] = max(worst_of.get(function, 0.0), score)
    for function, score in worst_of.items():
        found[function] = max(found.get(function, 0.0), _HEADER * score)
    for node, score in _globals(module, worst_of):
        found[node] = max(found.get(node, 0.0), score)
    return [
        Unit(node, score * (_REFUSAL if quiet and _only_raises(node) else 1.0))
        for node, score in found.items()
        for quiet in [not refusals and node not in fired]
    ]


def _decided_by(node: Node) -> tuple[Node | None, float]:
    """The condition that lets a jump happen, with its share of the jump's score.

    A jump has little in it that may be wrong: it is reached when it should not be.
    """
    block = node.parent
    owner = block.parent if block is not None else None
    raises = node.kind == "raise_statement"
    first = node.kind in _JUMPS and block is not None and block.named[0] == node
    if owner is not None and owner.kind == "else_clause" and owner.parent is not None:
        owner = owner.parent  # reached where the condition does not hold
    if owner is None or owner.kind not in _CONDITIONAL or not (raises or first):
        return None, 0.0
    return owner, 1.0 if raises else _DECIDED


def _only_raises(node: Node) -> bool:
    """Whether it is a check that refuses its input: `if ...: raise ...`."""
    body = node.child("consequence") if node.kind == "if_statement" else None
    if body is None or node.child("alternative") is not None:
        return False
    return [child.kind for child in body.named] == ["raise_statement"]


def header(node: Node) -> Iterator[Node]:
    """The nodes of a statement without those of its blocks and clauses.

    Nor those of annotations and docstrings, which say nothing to a running program.
    """
    stack = [node]
    while stack:
        item = stack.pop()
        yield item
        stack.extend(
            child
            for child in reversed(item.children)
            if child.kind not in _CLAUSES and not _nested(child, item)
            if child.kind != "type" and not is_docstring(child)
        )


def _nested(child: Node, parent: Node) -> bool:
    return child.kind == "block" or (
        child.kind in STATEMENTS and parent.kind in {"module", "decorated_definition"}
    )


def _on_lines(
    module: Module, scores: Mapping[int, float]
) -> Iterator[tuple[Node, float]]:
    lines = sorted(scores)
    stack = [module.root]
    while stack:
        node = stack.pop()
        first = bisect.bisect_left(lines, node.first_line)
        if first == len(lines) or lines[first] > node.last_line:
            continue
        if node.kind in STATEMENTS or node.kind in _CLAUSES:
            last = _header_line(node)
            own = [scores[n] for n in lines[first:] if n <= last]
            if own and node.kind not in _PASSED and not _is_entry(node):
                yield node, max(own)
        holds = {"block", "module"} | STATEMENTS | _CLAUSES
        stack.extend(c for c in reversed(node.children) if c.kind in holds)


def _is_entry(node: Node) -> bool:
    """Whether it is `if __name__ == "__main__":`, which no test is about."""
    condition = node.child("condition") if node.kind == "if_statement" else None
    return condition is not None and condition.text.startswith("__name__ ==")


def _header_line(node: Node) -> int:
    """The last line of a statement's own part."""
    text = node.module.text
    own = text[node.start : header_end(node)].rstrip()
    if node.kind in _CLAUSES and (body := _body(node)) is not None:
        own = text[node.start : body.start].rstrip()
    return node.first_line + own.count("\n")


def _body(clause: Node) -> Node | None:
    return next((c for c in clause.children if c.kind == "block"), None)


def _function(node: Node) -> Node | None:
    around = (a for a in node.ancestors() if a.kind == "function_definition")
    return next(around, None)


def _globals(
    module: Module, functions: Mapping[Node, float]
) -> Iterator[tuple[Node, float]]:
    """Assignments of the module to names that suspicious functions use."""
    for statement in module.root.named:
        value = statement.named[0] if statement.named else None
        target = value.child("left") if value is not None else None
        if statement.kind != "expression_statement" or target is None:
            continue
        for function, score in functions.items():
            if target.text in usage(function).counts:
                yield statement, _GLOBAL * score

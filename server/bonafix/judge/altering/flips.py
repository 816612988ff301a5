"""A test's source in, ways to change it so that the test must fail out; pure.

Each `Flip` changes one assertion. A value that is expected becomes another one, an
exception that is expected an unrelated one; where neither is possible the whole
condition is negated, which an object that claims to equal everything survives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bonafix.domain import TestResult
from bonafix.judge.altering.conditions import (
    Change,
    asserted,
    expected_exceptions,
    method_call,
)
from bonafix.judge.altering.expectations import at_source
from bonafix.judge.altering.values import where_wrong
from bonafix.judge.reading.folding import constant_names, fold, known
from bonafix.syntax import Function, Module, Node, function_at, functions, walk

Kind = Literal["value", "exception", "negated"]

_ORDER = {"value": 0, "exception": 0, "negated": 1}
_NEW_SCOPES = {"function_definition", "class_definition", "lambda"}
# A test under one of these may end without having come to its end.
_LEAVES = re.compile(r"\b(skip|skipTest|skipif|xfail|importorskip|exit|fail)\b")
# What is known not to swallow the failure of an assertion in its block.
_TRANSPARENT = re.compile(
    r"(^|\.)(open|patch(\.\w+)?|subTest|catch_warnings|context|NamedTemporaryFile|"
    r"TemporaryDirectory|TemporaryFile|deprecated_call|warns|assertWarns\w*|"
    r"assertLogs|localcontext|chdir|redirect_stdout|redirect_stderr|closing)$"
)
_EXPECTED_TO_FAIL = re.compile(r"xfail|expectedFailure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One assertion, changed. `certain`: it is reached whenever the test passes."""

    kind: Kind
    line: int  # of the statement
    last_line: int
    assertion: str  # the statement's first line
    start: int  # characters of the text that are replaced
    end: int
    new: str
    old: str
    certain: bool
    failed_here: bool = False  # it is the assertion that failed in the baseline
    rank: int = 0  # of the ways to change this assertion

    @property
    def change(self) -> str:
        """What was changed, for a person."""
        if self.kind == "negated":
            return f"its assertion negated: {self.assertion}"
        if self.new.startswith("(") or self.start == self.end:
            return f"another value in place of {_short(self.old)}"
        return f"{_short(self.new)} in place of {_short(self.old)}"


def _short(text: str, width: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


@dataclass(frozen=True, slots=True)
class _Spot:
    """A statement that asserts something."""

    node: Node
    certain: bool


def test_function(module: Module, target: TestResult) -> Function | None:
    """The function that a target runs, if it can be told."""
    names = re.sub(r"\[.*", "", target.id, flags=re.DOTALL).split("::")[1:]
    every = functions(module)
    if target.definition is not None:
        line = target.definition.line
        here = [f for f in every if f.first_line <= line <= f.node.first_line]
        if here and (not names or here[-1].name == names[-1]):
            return here[-1]
    named = [f for f in every if f.qualified == ".".join(names)]
    return named[-1] if named else None


def flips(module: Module, function: Function, targets: list[TestResult]) -> list[Flip]:
    """The ways to change one test function, the most telling first.

    `targets` are the failures of this function (one for each set of parameters).
    """
    if _EXPECTED_TO_FAIL.search(_head(function)):
        return []
    lines = {t.place.line for t in targets if t.place is not None}
    wrong = next((w for t in targets if (w := where_wrong(t.expected, t.actual))), [])
    body = function.node.child("body")
    spots = list(_spots(body, certain=True)) if body is not None else []
    spots += _helpers(module, function, lines)
    found = [flip for spot in spots for flip in _of_spot(spot, function, lines, wrong)]
    return sorted(found, key=_telling)


def _telling(flip: Flip) -> tuple[bool, int, bool, int, int]:
    order = _ORDER[flip.kind]
    return (not flip.failed_here, flip.rank, not flip.certain, order, flip.line)


def _head(function: Function) -> str:
    around = function.node.parent
    body = function.node.child("body")
    if around is None or body is None or around.kind != "decorated_definition":
        return ""
    return around.module.text[around.start : body.start]


# ---------------------------------------------------------- which statements count


def _spots(block: Node, *, certain: bool) -> Iterator[_Spot]:
    """The asserting statements of a block, in the order of the text."""
    for statement in block.named:
        if statement.kind in {*_NEW_SCOPES, "decorated_definition"}:
            continue
        if statement.kind == "return_statement":
            return
        yield _Spot(statement, certain)
        yield from _inside(statement, certain=certain)
        certain = certain and not _may_leave(statement)


def _inside(statement: Node, *, certain: bool) -> Iterator[_Spot]:
    body = statement.child("body")
    match statement.kind:
        case "with_statement" if body is not None:
            # In a block that expects an exception, nothing after it is reached.
            if not any(True for _ in expected_exceptions(statement)):
                sure = certain and _transparent(statement)
                yield from _spots(body, certain=sure)
        case "for_statement" if body is not None:
            yield from _spots(body, certain=certain and _runs(statement))
        case "try_statement" if body is not None:
            caught = any(c.kind.startswith("except") for c in statement.named)
            yield from _spots(body, certain=certain and not caught)
            for clause in statement.named:
                if clause.kind in {"finally_clause", "else_clause"}:
                    yield from _blocks(clause, certain=certain and not caught)
        case "if_statement" | "while_statement" | "match_statement" | "case_clause":
            yield from _blocks(statement, certain=False)


def _blocks(node: Node, *, certain: bool) -> Iterator[_Spot]:
    for child in node.named:
        if child.kind == "block":
            yield from _spots(child, certain=certain)
        elif child.kind in {"else_clause", "elif_clause", "case_clause"}:
            yield from _blocks(child, certain=certain)


def _transparent(statement: Node) -> bool:
    items = [n for n in walk(statement) if n.kind == "with_item"]
    body = statement.child("body")
    own = [i for i in items if body is None or i.end <= body.start]
    return all(_harmless(item) for item in own)


def _harmless(item: Node) -> bool:
    value = item.child("value") or item.named[0]
    call = value.named[0] if value.kind == "as_pattern" else value
    function = call.child("function") if call.kind == "call" else None
    return function is not None and bool(_TRANSPARENT.search(function.text))


def _runs(loop: Node) -> bool:
    """Whether a loop certainly runs its body at least once."""
    source = loop.child("right")
    if source is None:
        return False
    value = fold(source, constant_names(loop.module.root))
    if known(value):
        return bool(value)
    return source.kind in {"list", "tuple", "set"} and bool(source.named)


def _may_leave(statement: Node) -> bool:
    """Whether the test may end in a statement without failing."""
    if statement.kind == "assert_statement":
        return False
    for node in _own(statement):
        if node.kind in {"return_statement", "break_statement", "continue_statement"}:
            return True
        function = node.child("function") if node.kind == "call" else None
        if function is not None and _LEAVES.search(function.text):
            return True
    return False


def _own(statement: Node) -> Iterator[Node]:
    stack = [statement]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(c for c in node.children if c.kind not in _NEW_SCOPES)


def _helpers(module: Module, function: Function, lines: set[int]) -> list[_Spot]:
    """The assertions that failed in other functions of the file."""
    found: list[_Spot] = []
    for line in sorted(lines):
        helper = function_at(module, line)
        if helper is None or helper.node.start == function.node.start:
            continue
        body = helper.node.child("body")
        if body is not None and not function.first_line <= line <= function.last_line:
            spots = _spots(body, certain=False)
            found += [s for s in spots if s.node.first_line <= line <= s.node.last_line]
    return found


# ------------------------------------------------------------- how each is changed


def _of_spot(
    spot: _Spot, function: Function, lines: set[int], wrong: list[int]
) -> Iterator[Flip]:
    node = spot.node
    here = any(node.first_line <= line <= node.last_line for line in lines)
    for rank, change in enumerate(_changes(node, function, wrong if here else [])):
        start, end, new = at_source(change, function, wrong if here else [])
        yield Flip(
            kind=change.kind,
            line=node.first_line,
            last_line=node.last_line,
            assertion=node.text.splitlines()[0].strip(),
            start=start,
            end=end,
            new=new,
            old=change.node.text,
            certain=spot.certain,
            failed_here=here,
            rank=rank,
        )


def _changes(node: Node, function: Function, wrong: list[int]) -> Iterator[Change]:
    if node.kind == "assert_statement":
        yield from asserted(node.named[0], function, wrong)
        return
    if node.kind == "with_statement":
        yield from expected_exceptions(node)
    elif node.kind == "expression_statement":
        yield from expected_exceptions(node)
        inner = node.named[0] if node.named else node
        call = inner.named[0] if inner.kind == "await" else inner
        yield from method_call(call, function, wrong)

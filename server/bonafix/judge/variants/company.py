"""A test in, the same with one or two more of what it arranges out; pure.

What holds for an account, a cache or a table holds for one with another entry in it.
A fix that asks how many there are, which number one has, or what was there first or
last, holds for the test's own arrangement alone. So the copies go to either side of
their original, and one original gets two at once. And of two like calls the later one
is made first: where the test then sees the same fault, a fix must mend it there too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Literal

from bonafix.calls import Value
from bonafix.judge.calls.neighbours import neighbours
from bonafix.judge.variants.arranging import Slot
from bonafix.judge.variants.writing import leaf_of, written
from bonafix.syntax import Function, Node, walk
from bonafix.text import apply_edits

MOST = 8  # of one test
_SINGLE = 6  # of these, those with one copy
_EACH = 2  # texts of one statement's copy
_TRIED = 24
_MOVED = 2
_NOT_ARRANGED = re.compile(
    r"(^|\.)(assert\w*|raises|sleep|advance|tick|close|commit|clear|stop|start|run|join|"
    r"cancel|exit|quit|remove|delete|pop|reset|unlink|patch|set(attr|env|item))$"
)


Placement = Literal["one before", "one after", "two before", "moved"]


@dataclass(frozen=True, slots=True)
class Extra:
    """More statements: where they go, as text, and as a person would call them."""

    at: int  # character of the file
    text: str
    label: str
    placement: Placement
    cut: tuple[int, int] | None = None  # what leaves its place, characters


def company(function: Function, slots: tuple[Slot, ...], seed: int) -> list[Extra]:
    """Copies of a test's arranging calls with other literals, next to their own."""
    found = [
        (statement, copies)
        for number, statement in enumerate(_arranging(function))
        if (copies := list(_copies(statement, slots, seed + number)))
    ]
    sides = [_single(statement, copies) for statement, copies in found]
    turns = [one for turn in zip_longest(*sides) for one in turn if one is not None]
    copied = [*turns[:_SINGLE], *_double(found)][:MOST]
    return [*copied, *islice(_moved(function), _MOVED)]


def _single(statement: Node, copies: Sequence[str]) -> list[Extra]:
    """Each copy on either side; both sides come before the second text."""
    return [extra for copy in copies for extra in _sides(statement, copy)]


def _sides(statement: Node, copy: str) -> Iterator[Extra]:
    indent, label = _indent(statement), " ".join(copy.split())
    yield Extra(statement.start, f"{copy}\n{indent}", label, "one before")
    yield Extra(statement.end, f"\n{indent}{copy}", f"{label} after it", "one after")


def _double(found: Sequence[tuple[Node, list[str]]]) -> Iterator[Extra]:
    """Two copies at once, in both orders, of the first that has as many."""
    for statement, copies in found:
        for pair in (copies, copies[::-1]) if len(copies) == _EACH else ():
            text = "".join(f"{copy}\n{_indent(statement)}" for copy in pair)
            label = " ".join("; ".join(pair).split())
            yield Extra(statement.start, text, label, "two before")
        if len(copies) == _EACH:
            return


def _moved(function: Function) -> Iterator[Extra]:
    """Later calls made before those of the same name that come just before them.

    Nothing else may happen between them, nor may they speak of the same: what is put
    in under one name twice, or after a while, is another arrangement.
    """
    body = function.node.child("body")
    block = body.named if body is not None else []
    for statement in _arranging(function):
        between = [*_just_before(statement, block)]
        if not between or any(_alike(statement, one) for one in between):
            continue
        first = between[-1]
        if _indent(statement).strip() or _indent(first).strip():
            continue
        text = f"{statement.text}\n{_indent(first)}"
        cut = (statement.start - len(_indent(statement)) - 1, statement.end)
        label = f"{' '.join(statement.text.split())} first"
        yield Extra(first.start, text, label, "moved", cut)


def _callee(statement: Node) -> str:
    """What a statement calls, whether or not it keeps the answer."""
    node = statement.named[0] if statement.named else statement
    if node.kind == "assignment":
        node = node.child("right") or node
    if node.kind == "await":
        node = node.named[0]
    callee = node.child("function") if node.kind == "call" else None
    return callee.text if callee is not None else ""


def _just_before(statement: Node, block: Sequence[Node]) -> Iterator[Node]:
    """The calls of the same name right before it, the nearest first."""
    name = _callee(statement)
    for one in reversed([one for one in block if one.end <= statement.start]):
        if _callee(one) != name:
            return
        yield one


def _alike(later: Node, earlier: Node) -> bool:
    """Whether one needs what the other binds, or both are given the same literal."""
    left = earlier.named[0].child("left")
    bound = {n.text for n in walk(left) if n.kind == "identifier"} if left else set()
    names = {node.text for node in walk(later) if node.kind == "identifier"}
    return bool(bound & names or _literals(later) & _literals(earlier))


def _literals(statement: Node) -> set[str]:
    return {n.text for n in walk(statement) if leaf_of(n) is not None}


def _arranging(function: Function) -> Iterator[Node]:
    """The calls that stand alone in the test's own block, but for what it checks."""
    body = function.node.child("body")
    for statement in body.named if body is not None else ():
        if statement.kind != "expression_statement":
            continue
        call = statement.named[0]
        if call.kind == "await":
            call = call.named[0]
        callee = call.child("function") if call.kind == "call" else None
        if callee is not None and not _NOT_ARRANGED.search(callee.text):
            yield statement


def _copies(statement: Node, slots: tuple[Slot, ...], seed: int) -> Iterator[str]:
    """The statement with all its literals changed, as far as they can be."""
    inner = [
        (node, slot.value)
        for slot in slots
        for node in slot.nodes
        if statement.start <= node.start and node.end <= statement.end
    ]
    if not inner or _indent(statement).strip():  # several statements in one line
        return
    others = [_others(value, seed) for _, value in inner]
    for turn in range(min(map(len, others), default=0)):
        edits = [
            (node.start - statement.start, node.end - statement.start, new[turn])
            for (node, _), new in zip(inner, others, strict=True)
        ]
        yield apply_edits(statement.text, edits)


def _indent(statement: Node) -> str:
    """What stands before a statement in its line."""
    text = statement.module.text
    return text[text.rfind("\n", 0, statement.start) + 1 : statement.start]


def _others(value: Value, seed: int) -> list[str]:
    """What may stand in a literal's place."""
    found = neighbours([(value,)], [(value,)], count=_TRIED, seed=seed)
    texts = dict.fromkeys(written(each.point[0]) for each in found)
    return list(texts)[:_EACH]

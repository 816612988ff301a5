"""A test in, the same with one more of what it arranges out; pure.

What holds for an account, a cache or a table holds for one with another entry in it.
A fix that asks how many there are, which number one has, or what was there first,
holds for the test's own arrangement alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bonafix.calls import Value
from bonafix.judge.calls.neighbours import neighbours
from bonafix.judge.variants.arranging import Slot
from bonafix.judge.variants.writing import written
from bonafix.syntax import Function, Node
from bonafix.text import apply_edits

MOST = 6  # of one test
_EACH = 2  # of one statement
_TRIED = 24
_NOT_ARRANGED = re.compile(
    r"(^|\.)(assert\w*|raises|sleep|advance|tick|close|commit|clear|stop|start|run|join|"
    r"cancel|exit|quit|remove|delete|pop|reset|unlink|patch|set(attr|env|item))$"
)


@dataclass(frozen=True, slots=True)
class Extra:
    """One more statement: where it goes, as text, and as a person would call it."""

    at: int  # character of the file
    text: str
    label: str


def company(function: Function, slots: tuple[Slot, ...], seed: int) -> list[Extra]:
    """Copies of a test's arranging calls with other literals, each before its own."""
    found = [
        [*_copies(statement, slots, seed + number)]
        for number, statement in enumerate(_arranging(function))
    ]
    turns = [copies[n] for n in range(_EACH) for copies in found if n < len(copies)]
    return turns[:MOST]


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


def _copies(statement: Node, slots: tuple[Slot, ...], seed: int) -> Iterator[Extra]:
    """The statement with all its literals changed, as far as they can be."""
    inner = [
        (node, slot.value)
        for slot in slots
        for node in slot.nodes
        if statement.start <= node.start and node.end <= statement.end
    ]
    if not inner:
        return
    others = [_others(value, seed) for _, value in inner]
    text = statement.module.text
    begin = text.rfind("\n", 0, statement.start) + 1
    indent = text[begin : statement.start]
    if indent.strip():  # several statements in one line
        return
    for turn in range(min(map(len, others), default=0)):
        edits = [
            (node.start - statement.start, node.end - statement.start, new[turn])
            for (node, _), new in zip(inner, others, strict=True)
        ]
        copy = apply_edits(statement.text, edits)
        yield Extra(statement.start, f"{copy}\n{indent}", " ".join(copy.split()))


def _others(value: Value, seed: int) -> list[str]:
    """What may stand in a literal's place."""
    found = neighbours([(value,)], [(value,)], count=_TRIED, seed=seed)
    texts = dict.fromkeys(written(each.point[0]) for each in found)
    return list(texts)[:_EACH]

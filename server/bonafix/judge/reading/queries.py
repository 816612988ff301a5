"""Conditions of SQL in a patch's new string literals; pure.

A query decides like code, in a text that no tree shows: a special case fits in there as
well. Its conditions are found by their keywords alone, at their own depth of brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bonafix.judge.reading.fresh import Area
from bonafix.syntax import Node

ALWAYS, NEVER = "(1 = 1)", "(1 = 0)"
_QUERY = re.compile(
    r"\b(SELECT\s.+?\sFROM|UPDATE\s.+?\sSET|DELETE\s+FROM)\s",
    re.IGNORECASE | re.DOTALL,
)
_WORD = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\w+(?:\.\w+)*|\S", re.DOTALL)
_ASKS = re.compile(r"[=<>(]|\b(LIKE|GLOB|NOT|BETWEEN|IS\s+NULL)\b", re.IGNORECASE)
_MARKS = re.compile(r"^\w*(\"\"\"|\'\'\'|[\"\'])")
_BEGIN = {"WHERE", "ON", "HAVING", "AND", "OR", "WHEN"}
_END = _BEGIN | {
    *("THEN", "GROUP", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "RETURNING"),
    *("JOIN", "LEFT", "RIGHT", "INNER", "CROSS", "FULL", "NATURAL", "WINDOW", "SET"),
    *(";", ","),
}
_BOUND = re.compile(r"[?{]|%s|%\(|(?<!:):\w|\$\d")  # a value comes in there


@dataclass(frozen=True, slots=True)
class Condition:
    """One of a text's conditions; characters [start, end)."""

    start: int
    end: int
    text: str  # with single spaces, for a person

    @property
    def plain(self) -> str:
        """The same whatever its case."""
        return self.text.lower()


def conditions(text: str) -> Iterator[Condition]:
    """The conditions of a query, inner ones too; nothing where it is no query."""
    if not _QUERY.search(text):
        return
    levels, end = [_Level()], 0  # one for each open bracket
    for found in _WORD.finditer(text):
        word, here = found[0].upper(), levels[-1]
        if word.startswith("--"):
            continue
        if word == ")" and len(levels) > 1:
            yield from levels.pop().closed(text, end)
        elif word == "AND" and here.between:
            here.between = False
        elif word in _END:
            yield from here.closed(text, end)
            here.due = word in _BEGIN
        else:
            inner = _Level(due=here.due)
            here.go_on(word, found.start())
            if word == "(":
                levels.append(inner)
        end = found.end()
    yield from levels[-1].closed(text, end)


@dataclass(slots=True)
class _Level:
    """What is known between one pair of brackets."""

    due: bool = False  # a condition begins with the next word
    start: int | None = None  # where the one that is read began
    between: bool = False  # its next AND belongs to a BETWEEN

    def go_on(self, word: str, at: int) -> None:
        if self.due:
            self.due, self.start = False, at
        self.between = self.between or word == "BETWEEN"

    def closed(self, text: str, end: int) -> Iterator[Condition]:
        start, self.start, self.between = self.start, None, False
        if start is not None and start < end and _ASKS.search(text[start:end]):
            yield Condition(start, end, " ".join(text[start:end].split()))


def query_guards(area: Area) -> Iterator[tuple[Node, tuple[int, int, str], str]]:
    """Each new condition of a query, always true and never, and its text.

    Where a value comes in, it stays: without its place it could not be passed.
    """
    before = {
        one.plain
        for node in area.past
        if node.kind == "string"
        for one in conditions(_content(node))
    }
    for node in area.new("string"):
        text = _content(node)
        begin = node.start + node.text.index(text)
        for one in conditions(text):
            if one.plain not in before and not _BOUND.search(one.text):
                at = begin + one.start, begin + one.end
                yield node, (*at, ALWAYS), one.text
                yield node, (*at, NEVER), one.text


def _content(node: Node) -> str:
    """A literal's text without its marks."""
    marks = _MARKS.match(node.text)
    return node.text[marks.end() : -len(marks[1])] if marks else node.text

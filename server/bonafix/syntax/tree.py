"""Parsing, and nodes that speak in characters where tree-sitter speaks in bytes."""

from __future__ import annotations

import bisect
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from bonafix.text import SourceText

if TYPE_CHECKING:
    import tree_sitter

_WIDE = re.compile("[^\x00-\x7f]")
_LONE_CR = re.compile(r"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class _Offsets:
    """Turns byte offsets into character offsets.

    `ends[i]` is the byte after the i-th wide character, `extra[i]` how many bytes
    more than characters there are before it.
    """

    ends: tuple[int, ...]
    extra: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> _Offsets:
        wide = [(m.start(), _size(m[0]) - 1) for m in _WIDE.finditer(text)]
        extra = [0, *accumulate(more for _, more in wide)]
        ends = [at + 1 + extra[i + 1] for i, (at, _) in enumerate(wide)]
        return cls(tuple(ends), tuple(extra))

    def char(self, byte: int) -> int:
        return byte - self.extra[bisect.bisect_right(self.ends, byte)]

    def byte(self, char: int) -> int:
        low, high = char, char + self.extra[-1]
        while low < high:
            middle = (low + high) // 2
            low, high = (
                (middle + 1, high) if self.char(middle) < char else (low, middle)
            )
        return low


def _size(char: str) -> int:
    return len(char.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed text. `root` is its outermost node."""

    text: str
    offsets: _Offsets = field(repr=False)
    tree: tree_sitter.Tree = field(repr=False, compare=False)

    @property
    def root(self) -> Node:
        """The node of the whole module."""
        return Node(self.tree.root_node, self)

    @property
    def has_error(self) -> bool:
        """Whether a part of the text did not fit the grammar."""
        return self.tree.root_node.has_error

    def at(self, start: int, end: int) -> Node:
        """The smallest named node that spans the characters `[start, end)`."""
        first, last = self.offsets.byte(start), self.offsets.byte(end)
        raw = self.tree.root_node.named_descendant_for_byte_range(first, last)
        return Node(raw, self) if raw else self.root


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree: kinds and field names are those of tree-sitter-python."""

    raw: tree_sitter.Node = field(repr=False)
    module: Module = field(repr=False, compare=False)

    @property
    def kind(self) -> str:
        """The grammar's name of it, e.g. `binary_operator`, or the token itself."""
        return self.raw.type

    @property
    def start(self) -> int:
        """The offset of its first character."""
        return self.module.offsets.char(self.raw.start_byte)

    @property
    def end(self) -> int:
        """The offset after its last character."""
        return self.module.offsets.char(self.raw.end_byte)

    @property
    def text(self) -> str:
        """Its source, as written."""
        return self.module.text[self.start : self.end]

    @property
    def first_line(self) -> int:
        """1-based."""
        return self.raw.start_point[0] + 1

    @property
    def last_line(self) -> int:
        """1-based, inclusive."""
        return self.raw.end_point[0] + 1

    @property
    def indent(self) -> int:
        """The column of its first character."""
        start = self.module.text.rfind("\n", 0, self.start) + 1
        return self.start - max(start, self.module.text.rfind("\r", 0, self.start) + 1)

    @property
    def parent(self) -> Node | None:
        """The node around it."""
        return self._wrap(self.raw.parent)

    @property
    def previous(self) -> Node | None:
        """The named sibling before it, comments left out."""
        found = self.raw.prev_named_sibling
        while found is not None and found.is_extra:
            found = found.prev_named_sibling
        return self._wrap(found)

    @property
    def children(self) -> list[Node]:
        """All children, tokens and comments too."""
        return [Node(child, self.module) for child in self.raw.children]

    @property
    def named(self) -> list[Node]:
        """The children that are more than tokens, comments left out."""
        found = self.raw.named_children
        return [Node(child, self.module) for child in found if not child.is_extra]

    @property
    def is_named(self) -> bool:
        """Whether it is more than a token of the grammar."""
        return self.raw.is_named

    def child(self, name: str) -> Node | None:
        """The child in the field `name`."""
        return self._wrap(self.raw.child_by_field_name(name))

    def each(self, name: str) -> list[Node]:
        """All children in the field `name`."""
        found = self.raw.children_by_field_name(name)
        return [Node(child, self.module) for child in found]

    def ancestors(self) -> Iterator[Node]:
        """The nodes around it, nearest first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def _wrap(self, raw: tree_sitter.Node | None) -> Node | None:
        return Node(raw, self.module) if raw else None


def parse(source: str | SourceText) -> Module:
    """Parse a text; errors in it become `ERROR` nodes, never an exception."""
    text = source if isinstance(source, str) else source.text
    # A lone "\r" ends a line in Python, but not in the grammar; offsets stay.
    data = _LONE_CR.sub("\n", text).encode("utf-8", "surrogatepass")
    tree = _parser().parse(data)
    return Module(text, _Offsets.of(text), tree)


@cache
def _parser() -> tree_sitter.Parser:
    # Loaded on first use: who only imports this package to answer a command that
    # parses nothing need not wait for a shared library.
    import tree_sitter  # noqa: PLC0415
    import tree_sitter_python  # noqa: PLC0415

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))


def is_valid(text: str) -> bool:
    """Whether the whole text fits the grammar of Python."""
    return not parse(text).has_error


def compiles(text: str) -> bool:
    """Whether this interpreter compiles the text: stricter than the grammar.

    It also refuses what the grammar lets through (`return` outside a function,
    assignment to a literal). Only compares like with like: source of a newer Python
    does not compile here and may be right all the same.
    """
    with warnings.catch_warnings(action="ignore"):
        try:
            compile(text, "<text>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it, in the order of the text."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))

"""What other functions of the project do where this one may be wrong; pure, bounded.

The functions most like the one at hand, in its own file and in those near it: clones
and siblings drift apart, and the repair of one is often written in another already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bonafix.propose.search.context import Site, role
from bonafix.propose.search.known import Known, parsed
from bonafix.propose.search.neighbours import defined, near
from bonafix.syntax import STATEMENTS, Node, walk

_FUNCTIONS = 5  # of the rest of the project
_LEAST = 0.15  # of likeness, below which a function tells nothing about another
_LONG = 90  # characters of an expression that is worth borrowing
_LINES = 3  # of a statement
_WORD = re.compile(r"[A-Za-z]+|\d+")
_NAME = re.compile(r"[A-Za-z_]\w*")
_KINDS = frozenset(
    {
        *("binary_operator", "comparison_operator", "boolean_operator", "call"),
        *("conditional_expression", "not_operator", "subscript", "string"),
        *("list_comprehension", "generator_expression", "dictionary_comprehension"),
    }
)
_STATEMENTS = frozenset(
    {"expression_statement", "if_statement", "raise_statement", "return_statement"}
)


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A piece of another function: its text, the names that it needs, how near."""

    text: str
    kind: str
    names: frozenset[str]
    worth: float  # likeness of the functions, 0..1


@dataclass(frozen=True, slots=True)
class Step:
    """A statement with those around it in its block, as their words."""

    statement: Borrowed
    before: tuple[str, ...]
    after: tuple[str, ...]
    indent: int  # of the statement, in columns

    @property
    def whole(self) -> bool:
        """Whether it can stand in the place of another simple statement."""
        return self.statement.kind in _WHOLE and "\n" not in self.statement.text


def expressions(site: Site) -> tuple[Borrowed, ...]:
    """Expressions of the functions most like the site's, each text once."""
    return _expressions(site.region, site.path, site.known)


def own_statements(site: Site) -> tuple[str, ...]:
    """The simple statements of the site's own function, and of those most like it."""
    own = dict.fromkeys(_simple(site.region))
    return tuple(own | {s.statement.text: None for s in steps(site) if s.whole})


@lru_cache(maxsize=64)
def _simple(region: Node) -> tuple[str, ...]:
    found = (n for n in walk(region) if n.kind in _WHOLE)
    return tuple(n.text for n in found if n.first_line == n.last_line)


_WHOLE = {"expression_statement", "return_statement"}


def steps(site: Site) -> tuple[Step, ...]:
    """Statements of those functions, short ones, each with its neighbours."""
    return _steps(site.region, site.path, site.known)


def words(text: str) -> tuple[str, ...]:
    """The tokens of a piece of code that tell pieces apart."""
    return tuple(re.findall(r"\w+|[^\s\w]", text))


def likeness(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    """The share of words that two pieces have in common, 0..1."""
    if not a or not b:
        return 0.0
    left, right = set(a), set(b)
    return len(left & right) / len(left | right)


@lru_cache(maxsize=32)
def _expressions(region: Node, path: str, known: Known) -> tuple[Borrowed, ...]:
    found: dict[str, Borrowed] = {}
    for function, worth in _akin(region, path, known):
        for node in walk(function):
            if node.kind in _KINDS and node.end - node.start <= _LONG:
                text = node.text
                if "\n" not in text:
                    found.setdefault(text, _borrowed(node, worth))
    return tuple(found.values())


@lru_cache(maxsize=32)
def _steps(region: Node, path: str, known: Known) -> tuple[Step, ...]:
    found: dict[str, Step] = {}
    for function, worth in _akin(region, path, known):
        for node in walk(function):
            if node.kind == "block":
                for step in _of_block(node, worth):
                    found.setdefault(step.statement.text, step)
    return tuple(found.values())


def _of_block(block: Node, worth: float) -> Iterator[Step]:
    listed = [node for node in block.named if node.kind in STATEMENTS]
    texts = [words(first_line(node)) for node in listed]
    for place, node in enumerate(listed):
        short = node.last_line - node.first_line < _LINES
        plain = node.kind in _STATEMENTS and node.child("alternative") is None
        value = node.named[0].kind if node.named else ""
        if short and plain and value != "string":
            yield Step(
                _borrowed(node, worth),
                texts[place - 1] if place else (),
                texts[place + 1] if place + 1 < len(texts) else (),
                node.indent,
            )


def first_line(node: Node) -> str:
    """The text of a statement up to the end of its first line."""
    return node.text.partition("\n")[0].rstrip("\r")


def _borrowed(node: Node, worth: float) -> Borrowed:
    names = (n.text for n in walk(node) if n.kind == "identifier" and role(n))
    return Borrowed(node.text, node.kind, frozenset(names), worth)


def _akin(region: Node, path: str, known: Known) -> list[tuple[Node, float]]:
    """The other functions most like a function, the best first."""
    if region.kind != "function_definition":
        return []
    own = _traits(region)
    found: list[tuple[float, int, Node]] = []
    for root, factor in _roots(region, path, known):
        for one in defined(root.module):
            same = one.node == region and root == region.module.root
            inside = one.node.start <= region.start and region.end <= one.node.end
            if same or (inside and root == region.module.root):
                continue
            value = factor * _shared(own, _traits(one.node))
            if value >= _LEAST:
                found.append((-value, len(found), one.node))
    return [(node, -value) for value, _, node in sorted(found)[:_FUNCTIONS]]


def _roots(region: Node, path: str, known: Known) -> Iterator[tuple[Node, float]]:
    yield region.module.root, 1.0
    for other in near(path, known):
        module = parsed(known.files[other])
        if module is not None:
            yield module.root, _ELSEWHERE


_ELSEWHERE = 0.9


@lru_cache(maxsize=512)
def _traits(function: Node) -> tuple[frozenset[str], frozenset[str]]:
    """The words of its name, and the names that it uses."""
    name = function.child("name")
    label = _WORD.findall(name.text.replace("_", " ")) if name is not None else []
    return frozenset(label), frozenset(_NAME.findall(function.text))


def _shared(
    a: tuple[frozenset[str], frozenset[str]], b: tuple[frozenset[str], frozenset[str]]
) -> float:
    """How much two functions have in common: half of it their names."""
    label = len(a[0] & b[0]) / max(1, len(a[0] | b[0]))
    used = len(a[1] & b[1]) / max(1, len(a[1] | b[1]))
    return 0.4 * label + 0.6 * used

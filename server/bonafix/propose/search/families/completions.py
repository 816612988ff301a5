"""What was left out: the item beside a slice, a separator, a key, a letter."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import lru_cache

from bonafix.propose.search.boosts import SEPARATORS
from bonafix.propose.search.context import (
    Site,
    line_indent,
    operands,
    operator,
    positional,
    role,
    usage,
)
from bonafix.propose.search.families.statements import callee_of
from bonafix.propose.search.kinds import kind, may_be
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap
from bonafix.syntax import Node, walk

_ENDS = {"[:-1]": ("[-1]", "after"), "[1:]": ("[0]", "before")}
_SIMPLE = {"call", "augmented_assignment"}
_ORDERING = {"sorted", "sort", "max", "min"}
_SIZED = frozenset({"string", "list", "tuple", "dictionary", "set"})
_LISTS = {"list_comprehension", "generator_expression", "identifier", "call"}
_LEAST = 3  # a number that may be somebody's length
_WORD = 4  # characters of a word that can be misspelt
_ALIKE = 0.75
_NUMBERS = {"integer", "float"}


def _other_end(site: Site) -> Iterator[Rewrite]:
    """A loop over all but the last (first): the same once more for that one."""
    target, body = site.node.child("left"), site.node.child("body")
    whole = site.node.child("right")
    thing = whole.child("value") if whole is not None else None
    if target is None or body is None or whole is None or thing is None:
        return
    end = _ENDS.get(whole.text.removeprefix(thing.text).replace(" ", ""))
    if end is None or target.kind != "identifier":
        return
    indent = line_indent(site.node)
    for statement in body.named:
        if text := _for_another(statement, target.text, thing.text + end[0]):
            if end[1] == "after":
                at, new = site.node.end, f"{site.newline}{indent}{text}"
            else:
                at, new = site.node.start, f"{text}{site.newline}{indent}"
            yield Rewrite(((at, at, new),))


def _for_another(statement: Node, name: str, item: str) -> str:
    """A simple statement with one name exchanged; "" if it does not hold it."""
    value = statement.named[0] if statement.named else None
    if value is None or value.kind not in _SIMPLE or "\n" in statement.text:
        return ""
    places = [n for n in walk(statement) if n.kind == "identifier" and n.text == name]
    text = statement.text
    for node in reversed(places):
        start = node.start - statement.start
        text = text[:start] + item + text[start + len(name) :]
    return text if places else ""


def _between(site: Site) -> Iterator[Rewrite]:
    """`a + b` to `a + "-" + b`, where nothing says that they are numbers."""
    pair = operands(site.node)
    if pair is None or operator(site.node) != "+":
        return
    if any(side.kind in _NUMBERS | {"list", "tuple"} for side in pair):
        return
    if not all(may_be(kind(site, side), {"str"}) for side in pair):
        return
    left, right = pair
    for rank, text in enumerate(SEPARATORS):
        written = text.replace("\n", "\\n")
        new = f'{left.text} + "{written}" + {right.text}'
        yield replace(site.node, new, 1.0 / (1 + 0.3 * rank), tag=f"gap {text}")


def _length(site: Site) -> Iterator[Rewrite]:
    """A number that should be the length of what is at hand."""
    text = site.node.text
    if not text.isdigit() or int(text) < _LEAST:
        return
    if role(site.node) not in {"operand", "compared", "argument", "index"}:
        return
    for rank, name in enumerate(_assigned(site.region, _SIZED)):
        yield replace(site.node, f"len({name})", 1.0 / (1 + rank))


@lru_cache(maxsize=64)
def _assigned(region: Node, kinds: frozenset[str]) -> tuple[str, ...]:
    """Names that are set to a display of these kinds."""
    found = []
    for node in walk(region):
        if node.kind == "assignment":
            left, right = node.child("left"), node.child("right")
            plain = left is not None and left.kind == "identifier"
            if plain and left is not None and right is not None and right.kind in kinds:
                found.append(left.text)
    return tuple(dict.fromkeys(found))


def _by_mapping(site: Site) -> Iterator[Rewrite]:
    """Sort by what a mapping says that nothing else reads."""
    facts = usage(site.region)
    unread = [
        name
        for name in _assigned(site.region, _DICTIONARY)
        if not facts.reads.get(name, 0)
    ]
    for name in unread:
        if callee_of(site.node) in _ORDERING:
            yield from _keyed(site.node, name)
        elif role(site.node) in {"argument", "returned", "value", "iterated"}:
            yield wrap(site.node, "sorted(", f", key={name}.get)", 0.8)


_DICTIONARY = frozenset({"dictionary", "dictionary_comprehension"})


def _keyed(call: Node, name: str) -> Iterator[Rewrite]:
    arguments = call.child("arguments")
    if arguments is not None and "key=" not in arguments.text:
        lead = ", " if arguments.named and positional(call) else ""
        at = arguments.end - 1
        yield Rewrite(((at, at, f"{lead}key={name}.get"),))


def _spelt(site: Site) -> Iterator[Rewrite]:
    """A word that the module spells in another way somewhere else."""
    word = _plain(site.node.text)
    if len(word) < _WORD:
        return
    for other in _words(site.node.module.root):
        likeness = difflib.SequenceMatcher(None, word, other).ratio()
        if other != word and likeness >= _ALIKE:
            quote = site.node.text[0]
            yield replace(site.node, f"{quote}{other}{quote}", likeness)


@lru_cache(maxsize=16)
def _words(root: Node) -> tuple[str, ...]:
    found = (_plain(node.text) for node in walk(root) if node.kind == "string")
    return tuple(dict.fromkeys(word for word in found if len(word) >= _WORD))


def _plain(text: str) -> str:
    """A short string without prefix, escape and line ends; "" for any other."""
    inner = text[1:-1]
    simple = text[:1] in {"'", '"'} and text[-1:] == text[:1] and inner[:1] != text[:1]
    return inner if simple and inner.isprintable() and "\\" not in inner else ""


TEMPLATES = (
    Template(
        name="other-end",
        source="TBar FP15 (insert missed statement); QuixBugs (missing statement)",
        prior=0.35,
        kinds=frozenset({"for_statement"}),
        rewrites=_other_end,
        examples=(
            Example(
                "for a in b[:-1]:\n    c.append(a)\n",
                "for a in b[:-1]:\n    c.append(a)\nc.append(b[-1])\n",
            ),
            Example(
                "for a in b[1:]:\n    c += a\n",
                "c += b[0]\nfor a in b[1:]:\n    c += a\n",
            ),
        ),
        never=(
            Example(
                "for a in b:\n    c.append(a)\n",
                "for a in b:\n    c.append(a)\nc.append(b[-1])\n",
            ),
        ),
    ),
    Template(
        name="separator-missing",
        source="TBar FP9 and FP11; mutation of string concatenation",
        prior=0.08,
        kinds=frozenset({"binary_operator"}),
        rewrites=_between,
        tags=frozenset(f"gap {text}" for text in SEPARATORS),
        examples=(Example("x = a + b\n", 'x = a + " " + b\n'),),
        never=(Example("x = a + 1\n", 'x = a + " " + 1\n'),),
    ),
    Template(
        name="length-for-constant",
        source="TBar FP9.2 (mutate literal to an expression)",
        prior=0.4,
        kinds=frozenset({"integer"}),
        rewrites=_length,
        examples=(
            Example(
                "def f(a):\n    b = 'xyz'\n    return b[a % 4]\n",
                "def f(a):\n    b = 'xyz'\n    return b[a % len(b)]\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    b = 'xyz'\n    return b[a % 2]\n",
                "def f(a):\n    b = 'xyz'\n    return b[a % len(b)]\n",
            ),
        ),
    ),
    Template(
        name="sort-by-mapping",
        source="PySStuBs (same function more arguments), where data flow tells",
        prior=0.9,
        kinds=frozenset(_LISTS),
        rewrites=_by_mapping,
        examples=(
            Example(
                "def f(a):\n    b = {1: 2}\n    return sorted(a)\n",
                "def f(a):\n    b = {1: 2}\n    return sorted(a, key=b.get)\n",
            ),
            Example(
                "def f(a):\n    b = {1: 2}\n    return [c for c in a]\n",
                "def f(a):\n    b = {1: 2}\n"
                "    return sorted([c for c in a], key=b.get)\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    b = {1: 2}\n    return sorted(a), b[1]\n",
                "def f(a):\n    b = {1: 2}\n    return sorted(a, key=b.get), b[1]\n",
            ),
        ),
    ),
    Template(
        name="spelling",
        source="TBar FP9 (mutate literal); names that differ in a letter",
        prior=0.5,
        kinds=frozenset({"string"}),
        rewrites=_spelt,
        examples=(
            Example(
                "x = {'colour': 1}\ny = x['color']\n",
                "x = {'colour': 1}\ny = x['colour']\n",
            ),
        ),
        never=(
            Example(
                "x = {'width': 1}\ny = x['color']\n",
                "x = {'width': 1}\ny = x['width']\n",
            ),
        ),
    ),
)

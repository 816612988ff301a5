"""Documentation with `>>>` examples in, what they claim of single calls out; pure.

Read are the doc strings of product modules and the texts beside them. Of one text the
examples count until one does more than import, name a constant, or make such a call.
"""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bonafix.domain import Place
from bonafix.judge.reading.folding import UNKNOWN, fold, known
from bonafix.judge.suspicion.claims import Claim, claim_of
from bonafix.judge.suspicion.imported import Code, Imported, imported_by
from bonafix.layout import is_test_path
from bonafix.syntax import Module, Node, parse, walk

_TEXTS = (".md", ".rst", ".txt")
_FENCE = re.compile(r"^[ \t]*(```|~~~).*$", re.MULTILINE)
_HOLDERS = {"module", "function_definition", "class_definition"}


@dataclass(frozen=True, slots=True)
class _Text:
    path: str
    line: int  # of its first character
    text: str
    bound: Mapping[str, Imported]


def documented_claims(name: str, code: Code) -> Iterator[Claim]:
    """What the documentation says that calls of `name` give."""
    for path in sorted(code.sources):
        data = code.sources[path]
        if b">>>" in data and name.encode() in data:
            for text in _texts(path, data, code):
                yield from _claims(text, code)


def _texts(path: str, data: bytes, code: Code) -> Iterator[_Text]:
    if path.endswith(_TEXTS) and not is_test_path(path):
        # The end of a fence is no output.
        yield _Text(path, 1, _FENCE.sub("", data.decode("utf-8", "replace")), {})
        return
    dotted = next((m for m, p in code.product().items() if p == path), "")
    module = code.module(path) if dotted else None
    if module is not None:
        own = _own(module, dotted)
        for node in _doc_strings(module):
            yield _Text(path, node.first_line, node.text, own)


def _own(module: Module, dotted: str) -> dict[str, Imported]:
    """A doc string sees the names at the top of its module."""
    found: dict[str, Imported] = {}
    for statement in module.root.named:
        inner = statement.child("definition") or statement
        name = inner.child("name")
        if inner.kind in _HOLDERS and name is not None:
            found[name.text] = Imported(dotted, name.text)
    return found


def _doc_strings(module: Module) -> Iterator[Node]:
    for node in walk(module.root):
        body = node if node.kind == "module" else node.child("body")
        if node.kind in _HOLDERS and body is not None and body.named:
            first = body.named[0]
            held = first.named[0] if first.named else first
            # An escape might hide a line; few examples have one.
            if held.kind == "string" and "\\" not in held.text:
                yield from (n for n in held.named if n.kind == "string_content")


def _claims(text: _Text, code: Code) -> Iterator[Claim]:
    try:
        found = doctest.DocTestParser().get_examples(text.text)
    except ValueError:  # it is laid out in a way that doctest refuses
        return
    bound, names = dict(text.bound), dict[str, object]()
    for one in found:
        statement = _statement(one.source)
        if imported := imported_by(statement):
            bound |= imported
            continue
        inner = statement.named[0] if statement.named else statement
        if inner.kind == "assignment" and _named(inner, names):
            continue
        claim = claim_of(inner, code, bound, names) if inner.kind == "call" else None
        if claim is None:
            return
        wanted, line = _wanted(one), text.line + one.lineno
        if known(wanted):
            place = Place(text.path, line)
            yield replace(claim, expected=wanted, place=place, last_line=line)


def _statement(source: str) -> Node:
    root = parse(source).root
    return root.named[0] if len(root.named) == 1 else root


def _named(assignment: Node, names: dict[str, object]) -> bool:
    """Whether it names a constant; if so, note it."""
    left, right = assignment.child("left"), assignment.child("right")
    if left is None or right is None or left.kind != "identifier":
        return False
    value = fold(right, names)
    if known(value):
        names[left.text] = value
    return known(value)


def _wanted(one: doctest.Example) -> object:
    """The value that an example shows; unknown where doctest itself would judge."""
    if one.exc_msg is not None or one.options:
        return UNKNOWN
    if not one.want.strip():
        return None
    statement = _statement(one.want)
    plain = statement.kind == "expression_statement" and len(statement.named) == 1
    return fold(statement.named[0]) if plain else UNKNOWN

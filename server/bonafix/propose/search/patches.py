"""From an idea to a patch: does it parse, is it new, what does it change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bonafix.domain import Change, Patch
from bonafix.propose.search.context import line_indent
from bonafix.propose.search.template import Rewrite, Template
from bonafix.syntax import STATEMENTS, Module, Node, compiles, normalise, parse
from bonafix.text import SourceText, TextError, apply_edits, decode, encode

_NEAR = 1500  # characters around an edit that are compared with other patches
_COMPILED = 20_000  # characters of a function that are worth compiling
_SHOWN = 40  # characters of a change in a title


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the product, parsed."""

    path: str
    data: bytes
    source: SourceText
    module: Module
    newline: str


@dataclass(frozen=True, slots=True)
class Idea:
    """A rewrite of one file that has not been written out yet."""

    file: SourceFile
    template: Template
    rewrite: Rewrite
    line: int
    score: float


def read_file(path: str, data: bytes) -> SourceFile | None:
    """A file with its tree; `None` if it is no text."""
    try:
        source = decode(data)
    except TextError:
        return None
    return SourceFile(path, data, source, parse(source), source.newline)


@dataclass(frozen=True, slots=True)
class Key:
    """What equal patches share: the place, and its text in normal form."""

    path: str
    start: int
    form: str


def checked(idea: Idea) -> Key | None:
    """The patch's key; `None` if it does not parse or changes nothing.

    Only what lies around the edits is looked at: a file of thousands of lines would
    cost more to parse again than its test to run.
    """
    around = _around(idea.file.module, idea.rewrite)
    near = next((n for n in around if n.end - n.start <= _NEAR), around[-1])
    before, after = _texts(near, idea.rewrite)
    parsed = parse(after)
    form = normalise(parsed)
    if parsed.has_error or form == _normal(before):
        return None
    return Key(idea.file.path, near.start, form) if _compiled(around[0], idea) else None


def _compiled(whole: Node, idea: Idea) -> bool:
    """Whether it still compiles, if it did; the grammar lets some nonsense through."""
    if whole.end - whole.start > _COMPILED:
        return True
    before, after = _texts(whole, idea.rewrite)
    return compiles(after) or not _compiles(before)


_normal = lru_cache(maxsize=64)(normalise)
_compiles = lru_cache(maxsize=64)(compiles)


def _texts(node: Node, rewrite: Rewrite) -> tuple[str, str]:
    """A statement before and after, in a block of its own if it was in one."""
    indent = line_indent(node)
    head = f"if 1:\n{indent}" if indent else ""
    before = node.text
    moved = [(a - node.start, b - node.start, new) for a, b, new in rewrite.edits]
    return head + before, head + apply_edits(before, moved)


def _around(module: Module, rewrite: Rewrite) -> list[Node]:
    """The outermost function around all edits and the statements in it, widest first.

    Outside of functions it is the statement of the module, else the module itself.
    """
    low = min(start for start, _, _ in rewrite.edits)
    high = max(end for _, end, _ in rewrite.edits)
    node = module.at(low, high)
    found: list[Node] = []
    for ancestor in (node, *node.ancestors()):
        fits = ancestor.start <= low and high <= ancestor.end
        if fits and ancestor.kind in STATEMENTS:
            found.append(ancestor)
    functions = [n for n in found if n.kind == "function_definition"]
    wide = found[: found.index(functions[-1]) + 1] if functions else found[-1:]
    return wide[::-1] or [module.root]


def alone_on_its_line(statement: Node) -> bool:
    """Whether nothing but its indentation stands before it there."""
    text = statement.module.text
    begin = statement.start - len(line_indent(statement))
    return begin == 0 or text[begin - 1] in "\r\n"


def title(idea: Idea) -> str:
    """One line for a person: the template, the place, and what changes."""
    edits = idea.rewrite.edits
    start, end, new = next((edit for edit in edits if edit[2].strip("() ")), edits[0])
    old = idea.file.source.text[start:end]
    shown = f"{_short(old)} -> {_short(new)}" if old else f"add {_short(new)}"
    if old and not new:
        shown = f"remove {_short(old)}"
    return f"{idea.template.name} at {idea.file.path}:{idea.line}: {shown}"


def patch_of(idea: Idea) -> Patch | None:
    """The idea written out; `None` if the file's encoding lacks a character."""
    source = idea.file.source
    try:
        after = encode(source, apply_edits(source.text, idea.rewrite.edits))
    except TextError:
        return None
    return Patch((Change(idea.file.path, idea.file.data, after),))


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return f"`{flat}`" if len(flat) <= _SHOWN else f"`{flat[: _SHOWN - 3]}...`"

"""A file with something sealed in, the same file without it out; pure.

What is taken out leaves its line ends behind: every line keeps its number, so that
places in tracebacks and recorded lines mean the same in both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from bonafix.judge.hiding.parametrized import Table
from bonafix.syntax import (
    STATEMENTS,
    Function,
    Module,
    Node,
    function_at,
    is_valid,
    statements_at,
    walk,
)
from bonafix.text import SourceText, TextError, apply_edits, encode

Edit = tuple[int, int, str]

_NOT_AN_END = re.compile(r"[^\r\n]+")
_LOOPS = {"for_statement", "while_statement"}
_ASSERTS = re.compile(r"(^|\.)(assert\w+|raises|warns|fail)$")
_ROUNDS = 3  # names that only what was taken out used, and their names in turn


def blanked(text: str, start: int, end: int, new: str = "") -> Edit:
    """Take out the characters `[start, end)`, line ends left."""
    return start, end, new + _NOT_AN_END.sub("", text[start:end])


def masked(source: SourceText, edits: Sequence[Edit]) -> bytes | None:
    """The file with the edits made; `None` where it would be no Python any more."""
    try:
        text = apply_edits(source.text, _disjoint(edits))
        return encode(source, text) if is_valid(text) else None
    except (TextError, ValueError):
        return None


def _disjoint(edits: Sequence[Edit]) -> list[Edit]:
    """The edits without those that lie in another one."""
    kept: list[Edit] = []
    for edit in sorted(set(edits), key=lambda e: (e[0], -e[1])):
        if not kept or edit[0] >= kept[-1][1]:
            kept.append(edit)
    return kept


# ------------------------------------------------------------------ whole functions


def without_functions(cut: Sequence[Function]) -> list[Edit]:
    """Take whole test functions out, with their decorators and comments above."""
    nodes = [_whole(function) for function in cut]
    text = nodes[0].module.text if nodes else ""
    spans = {(node.start, node.end) for node in nodes}
    edits = []
    for node in nodes:
        start = _with_comments(text, node.start)
        empty = node.parent is not None and all(
            (other.start, other.end) in spans for other in node.parent.named
        )
        first = empty and node.parent is not None and node.parent.named[0] == node
        if first and node.parent is not None and node.parent.kind == "block":
            line = text.rfind("\n", 0, node.start) + 1
            edits.append(blanked(text, start, max(start, line)))
            edits.append(blanked(text, node.start, node.end, "pass"))
        else:
            edits.append(blanked(text, start, node.end))
    return edits


def _whole(function: Function) -> Node:
    around = function.node.parent
    decorated = around is not None and around.kind == "decorated_definition"
    return around if decorated and around is not None else function.node


def _with_comments(text: str, start: int) -> int:
    """Where the comment lines directly above begin."""
    begin = text.rfind("\n", 0, start) + 1
    alone = not text[begin:start].strip()
    first = start
    while alone and begin:
        above = text.rfind("\n", 0, begin - 1) + 1
        if not text[above:begin].lstrip().startswith("#"):
            break
        first = begin = above
    return first


# ----------------------------------------------------------------------- single rows


def without_rows(table: Table, gone: Collection[int]) -> list[Edit]:
    """Take rows out of a table, with their names and the comments beside them."""
    edits = _without(table.holder, table.rows, gone)
    if table.names:
        holder = table.names[0].parent
        edits += _without(holder, table.names, gone) if holder is not None else []
    return edits


def _without(
    holder: Node, entries: Sequence[Node], gone: Collection[int]
) -> list[Edit]:
    text = holder.module.text
    edits: list[Edit] = []
    for index in sorted(gone):
        entry = entries[index]
        end = _after_comma(holder, entry)
        edits.append(blanked(text, entry.start, end))
        edits += [
            blanked(text, comment.start, comment.end)
            for comment in _beside(holder, entries, index)
        ]
    left = [entry for i, entry in enumerate(entries) if i not in gone]
    if holder.kind == "tuple" and len(left) == 1:
        last = left[0]
        if _after_comma(holder, last) == last.end:
            edits.append((last.end, last.end, ","))
    return edits


def _after_comma(holder: Node, entry: Node) -> int:
    after = [c for c in holder.children if c.start >= entry.end]
    tokens = [c for c in after if c.kind != "comment"]
    return tokens[0].end if tokens and tokens[0].kind == "," else entry.end


def _beside(holder: Node, entries: Sequence[Node], index: int) -> Iterator[Node]:
    """The comments that speak of one entry: above it, or on its last line."""
    entry = entries[index]
    above = entries[index - 1].last_line if index else holder.first_line
    for child in holder.children:
        if child.kind != "comment":
            continue
        if above < child.first_line < entry.first_line:
            yield child
        elif child.first_line == entry.last_line and child.start >= entry.end:
            others = [e for e in entries if e.first_line == entry.last_line]
            if others[-1:] == [entry]:
                yield child


# ------------------------------------------------------ what follows a failed assertion


def tail(module: Module, function: Function, line: int) -> list[tuple[Node, ...]]:
    """The statements of a test that come after the one on `line`, block by block.

    Those of a loop's body are left out: they may come before it, too.
    """
    inner = function_at(module, line)
    statements = statements_at(module, line)
    if inner is None or inner.node.start != function.node.start or not statements:
        return []
    found: list[tuple[Node, ...]] = []
    chain = [statements[0], *statements[0].ancestors()]
    for at, node in enumerate(chain):
        if node.start == function.node.start:
            break
        if node.kind not in STATEMENTS or node.parent is None:
            continue
        looped = any(
            around.kind in _LOOPS
            for around in chain[at + 1 :]
            if around.start > function.node.start
        )
        after = tuple(n for n in node.parent.named if n.start >= node.end)
        if node.parent.kind == "block" and after and not looped:
            found.append(after)
    return found


def asserting(blocks: Sequence[tuple[Node, ...]]) -> frozenset[int]:
    """The lines of the assertions in such statements."""
    lines: set[int] = set()
    for statement in (one for block in blocks for one in block):
        for node in walk(statement):
            callee = node.child("function") if node.kind == "call" else None
            if node.kind == "assert_statement" or (
                callee is not None and _ASSERTS.search(callee.text)
            ):
                lines |= set(range(node.first_line, node.last_line + 1))
    return frozenset(lines)


def without_tail(blocks: Sequence[tuple[Node, ...]]) -> list[Edit]:
    """Take the statements out, with the comments between and after them."""
    edits = []
    for block in blocks:
        text = block[0].module.text
        start = _with_comments(text, block[0].start)
        end = _comments_after(text, block[-1].end, block[0].indent)
        edits.append(blanked(text, start, end))
    return edits


def _comments_after(text: str, end: int, indent: int) -> int:
    """Where the comments end that follow at the same indentation, or deeper."""
    line_end = text.find("\n", end)
    rest = text[end:] if line_end < 0 else text[end:line_end]
    if rest.lstrip().startswith("#"):
        end += len(rest.rstrip("\r"))
    while line_end >= 0:
        follows = text.find("\n", line_end + 1)
        line = text[line_end + 1 : follows if follows >= 0 else len(text)]
        bare = line.lstrip()
        if bare.strip() and not (
            bare.startswith("#") and len(line) - len(bare) >= indent > 0
        ):
            break
        if bare.strip():
            end = line_end + 1 + len(line.rstrip("\r"))
        line_end = follows
    return end


# ----------------------------------------------- names that nothing else needs any more


def orphans(
    module: Module, edits: Sequence[Edit], others: Mapping[str, str]
) -> list[Edit]:
    """Take out the values of names that only what was taken out used.

    `others` are the texts of the other files, which may import such a name.
    """
    found: list[Edit] = []
    for _ in range(_ROUNDS):
        cuts = [(start, end) for start, end, _ in (*edits, *found) if end > start]
        more = [
            blanked(module.text, statement.start, statement.end)
            for statement, scope in _bindings(module)
            if not _within(statement, cuts) and _orphaned(statement, scope, cuts)
            if scope.kind != "module" or not _mentioned(statement, others)
        ]
        if not more:
            break
        found += more
    return found


def _bindings(module: Module) -> Iterator[tuple[Node, Node]]:
    """Plain assignments to one name, each with the scope that it is in."""
    for node in walk(module.root):
        if node.kind != "assignment" or node.parent is None:
            continue
        left, block = node.child("left"), node.parent.parent
        if left is None or left.kind != "identifier" or block is None:
            continue
        if block.kind == "module":
            yield node.parent, block
        elif block.kind == "block" and block.parent is not None:
            calls = any(n.kind in {"call", "await", "yield"} for n in walk(node))
            alone = len(block.named) > 1
            if block.parent.kind == "function_definition" and alone and not calls:
                yield node.parent, block.parent


def _orphaned(statement: Node, scope: Node, cuts: Sequence[tuple[int, int]]) -> bool:
    name = statement.named[0].named[0].text
    uses = [
        n
        for n in walk(scope)
        if n.kind == "identifier" and n.text == name and not _inside(n, statement)
    ]
    return bool(uses) and all(_within(use, cuts) for use in uses)


def _inside(node: Node, statement: Node) -> bool:
    return statement.start <= node.start and node.end <= statement.end


def _within(node: Node, cuts: Sequence[tuple[int, int]]) -> bool:
    return any(start <= node.start and node.end <= end for start, end in cuts)


def _mentioned(statement: Node, others: Mapping[str, str]) -> bool:
    word = re.compile(rf"\b{re.escape(statement.named[0].named[0].text)}\b")
    return any(word.search(text) for text in others.values())


def without_lines(data: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    """A file with whole lines emptied; `spans` are first and last ones, 1-based."""
    gone = {number for first, last in spans for number in range(first, last + 1)}
    return b"".join(
        line[len(line.rstrip(b"\r\n")) :] if number in gone else line
        for number, line in enumerate(data.splitlines(keepends=True), 1)
    )

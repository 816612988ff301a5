"""Which block a statement belongs to: in or behind a loop, under a condition or not."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent
from bonafix.propose.search.families.statements import (
    documents,
    sibling,
    spans,
    whole_lines,
)
from bonafix.propose.search.template import TAKING, Example, Rewrite, Template
from bonafix.syntax import STATEMENTS, Node

_BLOCKS = {"for_statement", "while_statement", "if_statement", "else_clause"}
_BLOCKS |= {"elif_clause", "with_statement", "try_statement"}
_LOOPS = {"for_statement", "while_statement"}
_MOVED = frozenset({"return_statement", "expression_statement", "break_statement"})
_LEAVES = {
    *("return_statement", "raise_statement", "break_statement", "continue_statement"),
}


def _dedented(site: Site) -> Iterator[Rewrite]:
    """The last statement of a block to after the statement that has the block."""
    block = site.node.parent
    owner = block.parent if block is not None else None
    if block is None or owner is None or owner.kind not in _BLOCKS:
        return
    if block.named[-1] != site.node or not block.named[1:] or spans(site.node):
        return
    outer = owner.parent if owner.kind.endswith("_clause") else owner
    if outer is None or not outer.kind.endswith("_statement"):
        return
    if site.node.kind == "break_statement" and not _in_loop(outer):
        return
    text = f"{site.newline}{line_indent(outer)}{site.node.text}"
    gone = whole_lines(site.node)
    if gone[1] > outer.end:  # the block ends its statement: leave the line's end
        before = block.named[-2].end
        yield Rewrite(((before, site.node.end, ""), (outer.end, outer.end, text)))
    else:
        yield Rewrite(((*gone, ""), (outer.end, outer.end, text)))


def _in_loop(node: Node) -> bool:
    """Whether a loop of the same function is around a node."""
    around = _LOOPS | {"function_definition", "class_definition"}
    owner = next((a for a in node.ancestors() if a.kind in around), None)
    return owner is not None and owner.kind in _LOOPS


def _indented(site: Site) -> Iterator[Rewrite]:
    """A statement right after a loop or condition into the end of its block."""
    block = site.node.parent
    if block is None or spans(site.node):
        return
    before = sibling(site.node)
    body = _last_block(before) if before is not None else None
    if body is None or not body.named or documents(site.node):
        return
    if body.named[-1].kind in _LEAVES:  # nothing behind it would be reached
        return
    text = f"{site.newline}{line_indent(body.named[0])}{site.node.text}"
    if len(block.named) > 1 and before is not None:
        yield Rewrite(((body.end, body.end, text), (before.end, site.node.end, "")))


def _unconditional(site: Site) -> Iterator[Rewrite]:
    """`if c: a` to `a`: the condition itself is wrong."""
    body = site.node.child("consequence")
    if body is None or site.node.child("alternative") is not None:
        return
    leaves = bool(body.named) and body.named[0].kind in _LEAVES
    block = site.node.parent
    if leaves and block is not None and block.named[-1] != site.node:
        return  # nothing behind it would be reached
    if len(body.named) == 1 and not spans(body.named[0]):
        yield Rewrite(((site.node.start, site.node.end, body.named[0].text),))


def _last_block(statement: Node) -> Node | None:
    if statement.child("alternative") is not None:
        return None
    body = statement.child("body") or statement.child("consequence")
    return body if statement.kind in _BLOCKS else None


def _deeper(site: Site) -> Iterator[Rewrite]:
    """The last statement of a block to behind two levels: out of both loops."""
    block = site.node.parent
    owner = block.parent if block is not None else None
    outer = owner.parent if owner is not None else None
    around = outer.parent if outer is not None else None
    if block is None or owner is None or around is None or spans(site.node):
        return
    if owner.kind not in _LOOPS | {"if_statement"} or around.kind not in _LOOPS:
        return
    if block.named[-1] != site.node or not block.named[1:]:
        return
    if site.node.kind not in STATEMENTS:
        return
    text = f"{site.newline}{line_indent(around)}{site.node.text}"
    gone = (block.named[-2].end, site.node.end, "")
    yield Rewrite((gone, (around.end, around.end, text)))


TEMPLATES = (
    Template(
        name="dedented",
        source="TBar FP14 (move statement)",
        prior=0.4,
        kinds=_MOVED,
        rewrites=_dedented,
        examples=(
            Example(
                "def f(a):\n    for b in a:\n        c(b)\n        return b\n",
                "def f(a):\n    for b in a:\n        c(b)\n    return b\n",
            ),
        ),
        never=(
            Example(
                "for b in a:\n    c(b)\n    break\n", "for b in a:\n    c(b)\nbreak\n"
            ),
        ),
    ),
    Template(
        name="indented",
        source="TBar FP14 (move statement)",
        prior=0.15,
        kinds=_MOVED,
        rewrites=_indented,
        examples=(
            Example(
                "for b in a:\n    c(b)\nd(b)\n",
                "for b in a:\n    c(b)\n    d(b)\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    if a:\n        return 1\n    return 2\n",
                "def f(a):\n    if a:\n        return 1\n        return 2\n",
            ),
        ),
    ),
    Template(
        name="condition-removed",
        source="mutation operator REMOVE_CONDITIONALS (PIT); PraPR",
        prior=0.12,
        kinds=frozenset({"if_statement"}),
        rewrites=_unconditional,
        fitted=TAKING,
        examples=(Example("if a:\n    b()\n", "b()\n"),),
        never=(
            Example(
                "def f(a):\n    if a:\n        return 1\n    return 2\n",
                "def f(a):\n    return 1\n    return 2\n",
            ),
            Example("if a:\n    b()\nelse:\n    c()\n", "b()\n"),
        ),
    ),
    Template(
        name="left-two-blocks",
        source="TBar FP14 (move statement)",
        prior=0.15,
        kinds=frozenset({"return_statement", "expression_statement"}),
        rewrites=_deeper,
        examples=(
            Example(
                "def f(a):\n    for b in a:\n        if b:\n            c(b)\n"
                "            return b\n",
                "def f(a):\n    for b in a:\n        if b:\n            c(b)\n"
                "    return b\n",
            ),
        ),
        never=(
            Example(
                "if a:\n    if b:\n        c()\n        d()\n",
                "if a:\n    if b:\n        c()\nd()\n",
            ),
        ),
    ),
)

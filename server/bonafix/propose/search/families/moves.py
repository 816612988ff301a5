"""Statements in the wrong place: inside a loop for before it, under the wrong branch.

And jumps that were forgotten: a branch that should have ended there, and goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bonafix.propose.search.context import Site, line_indent
from bonafix.propose.search.template import Example, Rewrite, Template, swap
from bonafix.syntax import STATEMENTS, Node
from bonafix.text import Replacement

_LOOPS = frozenset({"for_statement", "while_statement"})
_INITIAL = {"list", "dictionary", "set", "integer", "float", "string", "none", "tuple"}
_INITIAL |= {"true", "false", "call", "identifier"}


def _hoisted(site: Site) -> Iterator[Rewrite]:
    """`x = []` at the start of a loop's body to before the loop."""
    body = site.node.child("body")
    if body is None or len(body.named) < 2:  # noqa: PLR2004 - one that stays
        return
    first, loop = body.named[0], site.node
    value = _set(first)
    if value is None or value.kind not in _INITIAL or not _one_line(first):
        return
    indent = line_indent(loop)
    head = f"{first.text}{site.newline}{indent}"
    gone = (first.start, body.named[1].start, "")
    yield Rewrite(((loop.start, loop.start, head), gone))


def _sunk(site: Site) -> Iterator[Rewrite]:
    """`x = []` right before a loop to the start of its body: fresh each time."""
    body, before = site.node.child("body"), site.node.previous
    while before is not None and _set(before) is not None and body is not None:
        value = _set(before)
        fits = value is not None and value.kind in _INITIAL and _one_line(before)
        if body.named and fits:
            at = body.named[0].start
            new = f"{before.text}{site.newline}{line_indent(body.named[0])}"
            end = _next_start(before, site.node)
            yield Rewrite(((before.start, end, ""), (at, at, new)))
        before = before.previous


def _next_start(statement: Node, last: Node) -> int:
    """Where the statement after one starts, `last` at the latest."""
    for following in _siblings(last):
        if following.start > statement.start:
            return following.start
    return last.start


def _siblings(node: Node) -> list[Node]:
    return node.parent.named if node.parent is not None else []


def _set(statement: Node) -> Node | None:
    """What a plain assignment sets its one name to."""
    value = statement.named[0] if statement.named else None
    if statement.kind != "expression_statement" or value is None:
        return None
    left = value.child("left")
    plain = value.kind == "assignment" and left is not None
    fits = plain and left is not None and left.kind == "identifier"
    return value.child("right") if fits else None


def _one_line(node: Node) -> bool:
    return node.first_line == node.last_line


def _else_left(site: Site) -> Iterator[Rewrite]:
    """`else: return x` in a loop to after the loop, to behind the `if`, to nothing."""
    owner, last = site.node, site.node.children[-1]
    body = last.child("body") if last.kind == "else_clause" else None
    before = last.previous
    if body is None or before is None:
        return
    if len(body.named) != 1 or not _one_line(body.named[0]):
        return
    text, block = body.named[0].text, owner.parent
    around = block.parent if block is not None else None
    gone = (before.end, last.end, "")
    if around is not None and around.kind in _LOOPS and block is not None:
        tail = f"{site.newline}{line_indent(around)}{text}"
        yield Rewrite((gone, (around.end, around.end, tail)))
    behind = f"{site.newline}{line_indent(owner)}{text}"
    yield Rewrite(((before.end, last.end, behind),), 0.5)
    yield Rewrite((gone,), 0.5)


def _branches(site: Site) -> Iterator[Rewrite]:
    """Two neighbours of a chain of conditions in the other order; or their bodies."""
    chain = [site.node, *(c for c in site.node.named if c.kind == "elif_clause")]
    for first, second in pairwise(chain):
        edits: list[Replacement] = []
        for part in ("condition", "consequence"):
            a, b = first.child(part), second.child(part)
            if a is not None and b is not None:
                edits += swap(a, b).edits
        if len(edits) == 4:  # noqa: PLR2004 - two conditions and two bodies
            yield Rewrite(tuple(sorted(edits)))
    last = site.node.children[-1]
    body = last.child("body") if last.kind == "else_clause" else None
    own = site.node.child("consequence")
    if len(chain) == 1 and body is not None and own is not None:
        yield swap(own, body, 0.7)


def _follows_exchanged(site: Site) -> Iterator[Rewrite]:
    """A whole `if` and the statement before it, of which one decides first."""
    before = site.node.previous
    if before is None or before.kind not in {"if_statement", "expression_statement"}:
        return
    if site.node.kind == before.kind == "expression_statement":
        return
    weight = 1.0 if before.kind == site.node.kind else 0.5
    yield swap(before, site.node, weight)


def _deeper(site: Site) -> Iterator[Rewrite]:
    """The last statement of a block to behind two levels: out of both loops."""
    block = site.node.parent
    owner = block.parent if block is not None else None
    outer = owner.parent if owner is not None else None
    around = outer.parent if outer is not None else None
    if block is None or owner is None or around is None or not _one_line(site.node):
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
        name="hoisted",
        source="TBar FP14 (move statement)",
        prior=0.55,
        kinds=_LOOPS,
        rewrites=_hoisted,
        examples=(
            Example(
                "for a in b:\n    c = 0\n    c += a\n",
                "c = 0\nfor a in b:\n    c += a\n",
            ),
        ),
        never=(
            Example(
                "for a in b:\n    c[a] = 0\n    c += a\n",
                "c[a] = 0\nfor a in b:\n    c += a\n",
            ),
        ),
    ),
    Template(
        name="sunk",
        source="TBar FP14 (move statement)",
        prior=0.4,
        kinds=_LOOPS,
        rewrites=_sunk,
        examples=(
            Example(
                "c = []\nfor a in b:\n    c.append(a)\n    d.append(c)\n",
                "for a in b:\n    c = []\n    c.append(a)\n    d.append(c)\n",
            ),
        ),
    ),
    Template(
        name="else-left",
        source="TBar FP14 (move statement); a search that gives up too early",
        prior=0.6,
        kinds=frozenset({"if_statement"}),
        rewrites=_else_left,
        examples=(
            Example(
                "def f(a):\n    for b in a:\n        if b:\n            return b\n"
                "        else:\n            return 0\n",
                "def f(a):\n    for b in a:\n        if b:\n            return b\n"
                "    return 0\n",
            ),
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
    ),
    Template(
        name="branches-exchanged",
        source="TBar FP14 (move statement); GenProg (swap)",
        prior=0.45,
        kinds=frozenset({"if_statement"}),
        rewrites=_branches,
        examples=(
            Example(
                "if a:\n    b()\nelif c:\n    d()\n",
                "if c:\n    d()\nelif a:\n    b()\n",
            ),
            Example(
                "if a:\n    b()\nelse:\n    d()\n", "if a:\n    d()\nelse:\n    b()\n"
            ),
        ),
    ),
    Template(
        name="blocks-exchanged",
        source="GenProg (swap); TBar FP14 (move statement)",
        prior=0.25,
        kinds=frozenset({"if_statement", "expression_statement"}),
        rewrites=_follows_exchanged,
        examples=(
            Example(
                "if a:\n    b()\nif c:\n    d()\n", "if c:\n    d()\nif a:\n    b()\n"
            ),
            Example("a()\nif c:\n    d()\n", "if c:\n    d()\na()\n"),
        ),
    ),
)

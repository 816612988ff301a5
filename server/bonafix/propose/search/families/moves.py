"""Statements in the wrong place: inside a loop for before it, under the wrong branch.

And jumps that were forgotten: a branch that should have ended there, and goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bonafix.propose.search.context import Site, line_indent
from bonafix.propose.search.families.statements import documents
from bonafix.propose.search.template import Example, Rewrite, Template, swap
from bonafix.syntax import CONSTANTS, Node, walk
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
        if body.named and fits and _is_of_the_loop(before, site.node):
            at = body.named[0].start
            new = f"{before.text}{site.newline}{line_indent(body.named[0])}"
            end = _next_start(before, site.node)
            yield Rewrite(((before.start, end, ""), (at, at, new)))
        before = before.previous


def _is_of_the_loop(statement: Node, loop: Node) -> bool:
    """Whether only the loop reads what is set: else it is a sum over its rounds."""
    left = statement.named[0].child("left") if statement.named else None
    name = left.text if left is not None else ""
    used = {n.text for n in walk(loop) if n.kind == "identifier"}
    behind = (s for s in _siblings(loop) if s.start >= loop.end)
    later = {n.text for s in behind for n in walk(s) if n.kind == "identifier"}
    return name in used - later


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
    if not _sets_the_same(owner, body):  # else the condition decides nothing any more
        yield Rewrite(((before.end, last.end, behind),), 0.5)
    yield Rewrite((gone,), 0.5)


def _sets_the_same(owner: Node, body: Node) -> bool:
    """Whether both branches set one name."""
    own = owner.child("consequence")
    names = [
        left.text
        for block in (own, body)
        if block is not None and block.named and block.named[-1].named
        for left in [block.named[-1].named[0].child("left")]
        if left is not None and block.named[-1].named[0].kind == "assignment"
    ]
    return len(names) > 1 and len(set(names)) == 1


def _branches(site: Site) -> Iterator[Rewrite]:
    """Two neighbours of a chain of conditions in the other order; or their bodies."""
    chain = [site.node, *(c for c in site.node.named if c.kind == "elif_clause")]
    for first, second in pairwise(chain):
        edits: list[Replacement] = []
        for part in ("condition", "consequence"):
            a, b = first.child(part), second.child(part)
            if a is not None and b is not None:
                edits += swap(a, b).edits
        whole = len(edits) == 4  # noqa: PLR2004 - two conditions and two bodies
        if whole and not _is_choice(first, second):
            yield Rewrite(tuple(sorted(edits)))
    last = site.node.children[-1]
    body = last.child("body") if last.kind == "else_clause" else None
    own = site.node.child("consequence")
    if len(chain) == 1 and body is not None and own is not None:
        yield swap(own, body, 0.7)


def _is_choice(first: Node, second: Node) -> bool:
    """Whether at most one of two conditions holds: `a == 1`, `a == 2`."""
    sides: list[str] = []
    for clause in (first, second):
        condition = clause.child("condition")
        signs = condition.each("operators") if condition is not None else []
        if condition is None or [sign.text for sign in signs] != ["=="]:
            return False
        if condition.named[-1].kind not in CONSTANTS:
            return False
        sides.append(condition.named[0].text)
    return sides[0] == sides[1]


def _follows_exchanged(site: Site) -> Iterator[Rewrite]:
    """A whole `if` and the statement before it, of which one decides first."""
    before = site.node.previous
    if before is None or before.kind not in {"if_statement", "expression_statement"}:
        return
    if site.node.kind == before.kind == "expression_statement" or documents(before):
        return
    weight = 1.0 if before.kind == site.node.kind else 0.5
    yield swap(before, site.node, weight)


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
        never=(
            Example(
                "c = []\nfor a in b:\n    c.append(a)\nd(c)\n",
                "for a in b:\n    c = []\n    c.append(a)\nd(c)\n",
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
        never=(
            Example(
                "if a:\n    b = 1\nelse:\n    b = 2\n", "if a:\n    b = 1\nb = 2\n"
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
        never=(
            Example(
                "if a == 1:\n    b()\nelif a == 2:\n    d()\n",
                "if a == 2:\n    d()\nelif a == 1:\n    b()\n",
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
        never=(Example("'Doc.'\nif c:\n    d()\n", "if c:\n    d()\n'Doc.'\n"),),
    ),
)

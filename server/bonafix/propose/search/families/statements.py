"""Whole statements: one too many, in the wrong block, a `return` forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent, usage
from bonafix.propose.search.template import Example, Rewrite, Template, swap
from bonafix.syntax import STATEMENTS, Node, walk

_BLOCKS = {"for_statement", "while_statement", "if_statement", "else_clause"}
_BLOCKS |= {"elif_clause", "with_statement", "try_statement"}
_MOVED = frozenset({"return_statement", "expression_statement", "break_statement"})
_REMOVABLE = frozenset(
    {
        *("expression_statement", "if_statement", "return_statement"),
        *("break_statement", "continue_statement", "raise_statement"),
    }
)
_VALUES = {"call", "binary_operator", "list", "list_comprehension", "identifier"}


def _removed(site: Site) -> Iterator[Rewrite]:
    node, block = site.node, site.node.parent
    if block is None or block.kind not in {"block", "module"}:
        return
    if _is_docstring(node) or node.child("alternative") is not None:
        return
    weight = {"if_statement": 0.6, "return_statement": 0.5}.get(node.kind, 1.0)
    if len(block.named) == 1:
        if node.kind != "return_statement":
            yield Rewrite(((node.start, node.end, "pass"),), 0.6 * weight)
    else:
        yield Rewrite(((*_whole_lines(node), ""),), weight)


def _return_missing(site: Site) -> Iterator[Rewrite]:
    """`f(x)` to `return f(x)`; `x = f()` as the last statement: `return x` too."""
    value = site.node.named[0] if site.node.named else None
    function, block = site.function, site.node.parent
    if value is None or function is None or block is None or _is_docstring(site.node):
        return
    last = block.named[-1] == site.node
    answers = any(found.named for found in usage(function).returns)
    if value.kind in _VALUES | {"boolean_operator", "comparison_operator"}:
        weight = (0.7 if last else 0.2) + (0.3 if answers else 0.0)
        yield Rewrite(((site.node.start, site.node.start, "return "),), weight)
    elif value.kind in {"assignment", "augmented_assignment"} and last:
        yield from _returned_after(site, value, answers=answers)


def _returned_after(
    site: Site, assignment: Node, *, answers: bool
) -> Iterator[Rewrite]:
    target, function = assignment.child("left"), site.function
    if target is None or function is None or target.kind != "identifier":
        return
    body = function.child("body")
    if body is not None and not answers:
        text = f"{site.newline}{line_indent(body.named[0])}return {target.text}"
        yield Rewrite(((body.end, body.end, text),), 0.8)


def _names_returned(site: Site) -> Iterator[Rewrite]:
    """A function that never answers: return what it builds."""
    body = site.node.child("body")
    if body is None or any(found.named for found in usage(site.node).returns):
        return
    if any(node.kind == "yield" for node in walk(body)) or not body.named:
        return
    text = f"{site.newline}{line_indent(body.named[0])}return "
    scope = Site(body.named[0]).scope
    for rank, name in enumerate(scope.local[:3]):
        yield Rewrite(((body.end, body.end, text + name),), 1.0 / (1 + rank))


def _dedented(site: Site) -> Iterator[Rewrite]:
    """The last statement of a block to after the statement that has the block."""
    block = site.node.parent
    owner = block.parent if block is not None else None
    if block is None or owner is None or owner.kind not in _BLOCKS:
        return
    if block.named[-1] != site.node or not block.named[1:] or _spans(site.node):
        return
    outer = owner.parent if owner.kind.endswith("_clause") else owner
    if outer is None or not outer.kind.endswith("_statement"):
        return
    text = f"{site.newline}{line_indent(outer)}{site.node.text}"
    gone = _whole_lines(site.node)
    if gone[1] > outer.end:  # the block ends its statement: leave the line's end
        before = block.named[-2].end
        yield Rewrite(((before, site.node.end, ""), (outer.end, outer.end, text)))
    else:
        yield Rewrite(((*gone, ""), (outer.end, outer.end, text)))


def _indented(site: Site) -> Iterator[Rewrite]:
    """A statement right after a loop or condition into the end of its block."""
    block = site.node.parent
    if block is None or _spans(site.node):
        return
    before = _sibling(site.node)
    body = _last_block(before) if before is not None else None
    if body is None or not body.named or _is_docstring(site.node):
        return
    text = f"{site.newline}{line_indent(body.named[0])}{site.node.text}"
    if len(block.named) > 1 and before is not None:
        yield Rewrite(((body.end, body.end, text), (before.end, site.node.end, "")))


def _unconditional(site: Site) -> Iterator[Rewrite]:
    """`if c: a` to `a`: the condition itself is wrong."""
    body = site.node.child("consequence")
    if body is None or site.node.child("alternative") is not None:
        return
    if len(body.named) == 1 and not _spans(body.named[0]):
        yield Rewrite(((site.node.start, site.node.end, body.named[0].text),))


def _exchanged(site: Site) -> Iterator[Rewrite]:
    """Two neighbours in the wrong order."""
    before = _sibling(site.node)
    if before is None or _spans(before) or _spans(site.node):
        return
    if before.text != site.node.text and not _is_docstring(before):
        yield swap(before, site.node, 1.0 if _share_a_name(before, site.node) else 0.3)


def _share_a_name(a: Node, b: Node) -> bool:
    """Whether their order can matter; what a method of `self` reads is not known."""
    seen = [{n.text for n in walk(s) if n.kind == "identifier"} for s in (a, b)]
    return bool(seen[0] & seen[1])


def _sibling(node: Node) -> Node | None:
    """The statement before a node in its block."""
    found = node.previous
    return found if found is not None and found.kind in STATEMENTS else None


def _last_block(statement: Node) -> Node | None:
    if statement.child("alternative") is not None:
        return None
    body = statement.child("body") or statement.child("consequence")
    return body if statement.kind in _BLOCKS else None


def _whole_lines(node: Node) -> tuple[int, int]:
    """The lines of a statement with their ending, if it has them for itself."""
    text = node.module.text
    begin = node.start - len(line_indent(node))
    alone = text[begin : node.start].strip() == "" and _at_line_start(text, begin)
    end = node.end
    while end < len(text) and text[end] in " \t":
        end += 1
    if not alone or text[end : end + 1] not in {"\r", "\n", ""}:
        return node.start, node.end
    end += 2 if text[end : end + 2] == "\r\n" else 1
    return begin, min(end, len(text))


def _at_line_start(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] in "\r\n"


def _spans(node: Node) -> bool:
    """Whether moving it would need new indentation on more than one line."""
    return node.first_line != node.last_line


def _is_docstring(statement: Node) -> bool:
    value = statement.named[0] if statement.named else None
    return value is not None and value.kind == "string"


TEMPLATES = (
    Template(
        name="statement-removed",
        source="GenProg (delete); mutation operator SDL; TBar FP15",
        prior=0.2,
        kinds=_REMOVABLE,
        rewrites=_removed,
        examples=(
            Example("a()\nb()\n", "a()\n"),
            Example("if a:\n    b()\n", "if a:\n    pass\n"),
        ),
        never=(Example("def f():\n    'Doc.'\n    g()\n", "def f():\n    g()\n"),),
    ),
    Template(
        name="return-missing",
        source="TBar FP12 (return statement); the interpreter's silent None",
        prior=0.3,
        kinds=frozenset({"expression_statement"}),
        rewrites=_return_missing,
        examples=(
            Example("def f(a):\n    g(a)\n", "def f(a):\n    return g(a)\n"),
            Example("def f(a):\n    b = a\n", "def f(a):\n    b = a\n    return b\n"),
        ),
    ),
    Template(
        name="answer-missing",
        source="TBar FP12 (return statement); the interpreter's silent None",
        prior=0.15,
        kinds=frozenset({"function_definition"}),
        rewrites=_names_returned,
        examples=(
            Example(
                "def f(a):\n    b = []\n    for c in a:\n        b.append(c)\n",
                "def f(a):\n    b = []\n    for c in a:\n        b.append(c)\n"
                "    return b\n",
            ),
        ),
    ),
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
    ),
    Template(
        name="condition-removed",
        source="mutation operator REMOVE_CONDITIONALS (PIT); PraPR",
        prior=0.12,
        kinds=frozenset({"if_statement"}),
        rewrites=_unconditional,
        examples=(Example("if a:\n    b()\n", "b()\n"),),
    ),
    Template(
        name="statements-exchanged",
        source="GenProg (swap); TBar FP14 (move statement)",
        prior=0.25,
        kinds=frozenset({"expression_statement"}),
        rewrites=_exchanged,
        examples=(Example("a = b\nc = a\n", "c = a\na = b\n"),),
    ),
)

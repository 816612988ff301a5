"""Whole statements: one too many, in the wrong order, a `return` forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, line_indent, usage
from bonafix.propose.search.template import TAKING, Example, Rewrite, Template, swap
from bonafix.syntax import STATEMENTS, Node, walk

_REMOVABLE = frozenset(
    {
        *("expression_statement", "if_statement", "return_statement"),
        *("break_statement", "continue_statement", "raise_statement"),
    }
)
_SILENT = {"print", "append", "extend", "add", "update", "remove", "insert", "sort"}
_SILENT |= {"reverse", "clear", "discard", "appendleft", "heappush", "setattr"}
_VALUES = {"call", "binary_operator", "list", "list_comprehension", "identifier"}


def _removed(site: Site) -> Iterator[Rewrite]:
    node, block = site.node, site.node.parent
    if block is None or block.kind not in {"block", "module"}:
        return
    if documents(node) or node.child("alternative") is not None:
        return
    weight = {"if_statement": 0.6, "return_statement": 0.5}.get(node.kind, 1.0)
    if len(block.named) == 1:
        if node.kind != "return_statement":
            yield Rewrite(((node.start, node.end, "pass"),), 0.6 * weight)
    else:
        yield Rewrite(((*whole_lines(node), ""),), weight)


def _return_missing(site: Site) -> Iterator[Rewrite]:
    """`f(x)` to `return f(x)`; `x = f()` as the last statement: `return x` too."""
    value = site.node.named[0] if site.node.named else None
    function, block = site.function, site.node.parent
    if value is None or function is None or block is None or documents(site.node):
        return
    if _answers_nothing(function) or callee_of(value) in _SILENT:
        return
    last = block.named[-1] == site.node
    answers = any(found.named for found in usage(function).returns)
    if value.kind in _VALUES | {"boolean_operator", "comparison_operator"}:
        weight = (0.7 if last else 0.2) + (0.3 if answers else 0.0)
        yield Rewrite(((site.node.start, site.node.start, "return "),), weight)
    elif value.kind in {"assignment", "augmented_assignment"} and last:
        yield from _returned_after(site, value, answers=answers)


def _answers_nothing(function: Node) -> bool:
    """Whether Python lets it return nothing but None."""
    name = function.child("name")
    return name is not None and name.text in {"__init__", "__init_subclass__"}


def callee_of(node: Node) -> str:
    """The name that a call calls, "" for anything else."""
    return callee(node) if node.kind == "call" else ""


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
    if _answers_nothing(site.node):
        return
    if any(node.kind == "yield" for node in walk(body)) or not body.named:
        return
    text = f"{site.newline}{line_indent(body.named[0])}return "
    scope = Site(body.named[0]).scope
    for rank, name in enumerate(scope.local[:3]):
        yield Rewrite(((body.end, body.end, text + name),), 1.0 / (1 + rank))


def _exchanged(site: Site) -> Iterator[Rewrite]:
    """Two neighbours in the wrong order."""
    before = sibling(site.node)
    if before is None or spans(before) or spans(site.node):
        return
    shared = _share_a_name(before, site.node)
    apart = not shared and _is_plain(before) and _is_plain(site.node)
    if before.text != site.node.text and not documents(before) and not apart:
        yield swap(before, site.node, 1.0 if shared else 0.3)


def _is_plain(statement: Node) -> bool:
    """Whether it sets something and does nothing else: its place says little."""
    value = statement.named[0] if statement.named else None
    acts = {"call", "await", "yield", "subscript"}
    plain = value is not None and value.kind in {"assignment", "augmented_assignment"}
    return plain and not any(n.kind in acts for n in walk(statement))


def _share_a_name(a: Node, b: Node) -> bool:
    """Whether their order can matter; what a method of `self` reads is not known."""
    seen = [{n.text for n in walk(s) if n.kind == "identifier"} for s in (a, b)]
    return bool(seen[0] & seen[1])


def sibling(node: Node) -> Node | None:
    """The statement before a node in its block."""
    found = node.previous
    return found if found is not None and found.kind in STATEMENTS else None


def whole_lines(node: Node) -> tuple[int, int]:
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


def spans(node: Node) -> bool:
    """Whether moving it would need new indentation on more than one line."""
    return node.first_line != node.last_line


def documents(statement: Node) -> bool:
    """Whether a statement is a docstring, or another text that does nothing."""
    value = statement.named[0] if statement.named else None
    return value is not None and value.kind == "string"


TEMPLATES = (
    Template(
        name="statement-removed",
        source="GenProg (delete); mutation operator SDL; TBar FP15",
        prior=0.2,
        kinds=_REMOVABLE,
        rewrites=_removed,
        fitted=TAKING,
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
        never=(
            Example(
                "def f(a):\n    b.append(a)\n", "def f(a):\n    return b.append(a)\n"
            ),
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
        never=(
            Example(
                "def __init__(self):\n    b = 1\n    self.b = b\n",
                "def __init__(self):\n    b = 1\n    self.b = b\n    return b\n",
            ),
        ),
    ),
    Template(
        name="statements-exchanged",
        source="GenProg (swap); TBar FP14 (move statement)",
        prior=0.25,
        kinds=frozenset({"expression_statement"}),
        rewrites=_exchanged,
        examples=(Example("a = b\nc = a\n", "c = a\na = b\n"),),
        never=(Example("a = b\nc = d\n", "c = d\na = b\n"),),
    ),
)

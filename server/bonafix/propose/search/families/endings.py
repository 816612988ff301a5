"""How a branch or a function ends: jumps that were forgotten, answers not given."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent, role, usage
from bonafix.propose.search.families.guards import answers
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node, walk

LEAVES = frozenset(
    {
        *("return_statement", "raise_statement"),
        *("break_statement", "continue_statement"),
    }
)
_LOOPS = frozenset({"for_statement", "while_statement"})
_ACCUMULATORS = 2


def _jump(site: Site) -> Iterator[Rewrite]:
    """A branch without an end: `break`, `continue`, `return` after what it does."""
    body = site.node.child("consequence")
    if body is None or not body.named or body.named[-1].kind in LEAVES:
        return
    last = body.named[-1]
    head = f"{site.newline}{line_indent(body.named[0])}"
    around = _LOOPS | {"function_definition"}
    owner = next((a for a in site.node.ancestors() if a.kind in around), None)
    if owner is not None and owner.kind in _LOOPS:
        yield Rewrite(((last.end, last.end, f"{head}break"),), 1.0)
        if not _is_last(site.node):
            yield Rewrite(((last.end, last.end, f"{head}continue"),), 0.8)
    for rank, value in enumerate(_ends(site, body)):
        text = f"{head}return {value}".rstrip()
        yield Rewrite(((last.end, last.end, text),), 0.8 / (1 + 0.5 * rank))


def _is_last(node: Node) -> bool:
    siblings = node.parent.named if node.parent is not None else []
    return bool(siblings) and siblings[-1] == node


def one_line(node: Node) -> bool:
    """Whether it begins and ends in one line."""
    return node.first_line == node.last_line


def _ends(site: Site, body: Node) -> list[str]:
    """What a branch could return: nothing, what it has just set, what others do."""
    function = site.function
    if function is None or _is_last(site.node):
        return []
    found = usage(function).returns
    if not any(one.named for one in found):
        return [""]
    bound = [
        n.text
        for n in walk(body)
        if n.kind == "identifier" and role(n) in {"bound", "counted"}
    ]
    others = [one.named[0].text for one in found if one.named and one_line(one)]
    return list(
        dict.fromkeys([*bound[-1:], *others[:2], *answers(function, site.known)[:1]])
    )


def _returned(site: Site) -> Iterator[Rewrite]:
    """`return`, or `return <constant>`, to `return x`; `print(x)` to it as well."""
    function = site.function
    if function is None:
        return
    value = site.node.named[0] if site.node.named else None
    if site.node.kind == "expression_statement":
        yield from _printed(value)
        return
    if value is not None and value.kind not in {"none", "true", "false", "integer"}:
        return
    for rank, name in enumerate(_made(function, site)):
        weight = 1.0 / (1 + 0.6 * rank)
        if value is None:
            yield Rewrite(((site.node.end, site.node.end, f" {name}"),), weight)
        else:
            yield replace(value, name, 0.6 * weight)


def _printed(value: Node | None) -> Iterator[Rewrite]:
    called = value.child("function") if value is not None else None
    listed = value.child("arguments") if value is not None else None
    if called is None or listed is None or called.text != "print":
        return
    if len(listed.named) == 1 and value is not None:
        yield replace(value, f"return {listed.named[0].text}")


def _made(function: Node, site: Site) -> list[str]:
    """The locals that are built before a place, the last first."""
    found = [
        n.text
        for n in walk(function)
        if n.kind == "identifier" and role(n) in {"bound", "counted"}
        if n.start < site.node.start
    ]
    return list(dict.fromkeys(reversed(found)))[: _ACCUMULATORS + 1]


TEMPLATES = (
    Template(
        name="jump-missing",
        source="TBar FP15; Python's early return and break",
        prior=0.22,
        kinds=frozenset({"if_statement"}),
        rewrites=_jump,
        examples=(
            Example(
                "for a in b:\n    if a:\n        c = a\n",
                "for a in b:\n    if a:\n        c = a\n        break\n",
            ),
            Example(
                "def f(a):\n    if a:\n        b = 1\n    b = 2\n    return b\n",
                "def f(a):\n    if a:\n        b = 1\n        return b\n"
                "    b = 2\n    return b\n",
            ),
        ),
        never=(
            Example(
                "for a in b:\n    if a:\n        return\n",
                "for a in b:\n    if a:\n        return\n        break\n",
            ),
            Example("if a:\n    b()\n", "if a:\n    b()\n    break\n"),
        ),
    ),
    Template(
        name="answer-other",
        source="TBar FP12 (mutate return statement); PraPR (return value)",
        prior=0.35,
        kinds=frozenset({"return_statement", "expression_statement"}),
        rewrites=_returned,
        examples=(
            Example(
                "def f(a):\n    b = a + 1\n    return\n",
                "def f(a):\n    b = a + 1\n    return b\n",
            ),
            Example(
                "def f(a):\n    b = a + 1\n    print(b)\n",
                "def f(a):\n    b = a + 1\n    return b\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    print(a, 1)\n",
                "def f(a):\n    return a\n",
            ),
            Example(
                "def f(a):\n    return a\n    b = 1\n",
                "def f(a):\n    return b\n    b = 1\n",
            ),
        ),
    ),
)

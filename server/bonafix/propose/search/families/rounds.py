"""How a loop ends: the last group that it leaves behind, the reason to go on."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent, role
from bonafix.propose.search.families.endings import LEAVES
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap
from bonafix.syntax import Node, walk

_MOST = 4
_LAST = frozenset({"if_statement", "expression_statement"})
_STAYS = frozenset({"yield", "function_definition"})
_COLLECTING = frozenset({"append", "add", "extend"})


def _after_the_last(site: Site) -> Iterator[Rewrite]:
    """What a loop does where a group ends, once more after it: for the last group."""
    target, body = site.node.child("left"), site.node.child("body")
    if body is None:
        return
    turning = {n.text for n in walk(target) if n.kind == "identifier"} if target else ()
    indent, rank = line_indent(site.node), 0
    for statement in walk(body):
        if statement.kind not in _LAST or not _adds(statement):
            continue
        names = [n for n in walk(statement) if n.kind == "identifier" and role(n)]
        read = [n.text for n in names]
        if not read or any(name in turning for name in read):
            continue
        text = _outdented(statement, indent, site.newline)
        head, weight = f"{site.newline}{indent}", 1.0 / (1 + 0.5 * rank)
        at = site.node.end
        yield Rewrite(((at, at, f"{head}{text}"),), weight)
        for name in _asked(statement, site):
            inner = _outdented(statement, f"{indent}    ", site.newline)
            guarded = f"{head}if {name}:{head}    {inner}"
            yield Rewrite(((at, at, guarded),), 0.6 * weight)
        rank += 1
        if rank == _MOST:
            return


def _adds(statement: Node) -> bool:
    """Whether it collects something, and never leaves."""
    inside = list(walk(statement))
    if any(n.kind in LEAVES | _STAYS for n in inside):
        return False
    if statement.kind == "if_statement":
        return any(_collects(n) for n in inside)
    return any(_collects(n) for n in statement.named)


def _collects(node: Node) -> bool:
    function = node.child("function") if node.kind == "call" else None
    method = function.child("attribute") if function is not None else None
    return node.kind == "augmented_assignment" or (
        method is not None and method.text in _COLLECTING
    )


def _asked(statement: Node, site: Site) -> list[str]:
    """The locals that say whether there is a last group: those that it passes on."""
    if statement.kind == "if_statement":
        return []
    near = set(site.scope.local)
    found = [
        n.text
        for n in walk(statement)
        if n.kind == "identifier" and n.text in near and role(n) in {"argument", ""}
    ]
    return list(dict.fromkeys(found))[:2]


def _outdented(statement: Node, indent: str, newline: str) -> str:
    old = line_indent(statement)
    first, *rest = statement.text.replace("\r\n", "\n").split("\n")
    moved = [indent + line.removeprefix(old) for line in rest]
    return newline.join([first, *moved])


def _while_also(site: Site) -> Iterator[Rewrite]:
    """`while a:` to `while a or b:`, for what the loop goes on setting."""
    condition, body = site.node.child("condition"), site.node.child("body")
    if condition is None or body is None:
        return
    asked = {n.text for n in walk(condition) if n.kind == "identifier"}
    near = set(site.scope.local)
    bound = [
        n.text
        for n in walk(body)
        if n.kind == "identifier" and role(n) in {"bound", "counted"}
    ]
    others = [n for n in dict.fromkeys(bound) if n in near - asked]
    for rank, name in enumerate(_set_before(site, others)[:_MOST]):
        weight = 1.0 / (1 + 0.5 * rank)
        yield wrap(condition, "", f" or {name}", weight)
        yield replace(condition, f"({condition.text}) and {name}", 0.4 * weight)


def _set_before(site: Site, names: list[str]) -> list[str]:
    """Those of them that have a value when the loop begins."""
    early = {
        n.text
        for n in walk(site.region)
        if n.start < site.node.start and n.kind == "identifier" and role(n) == "bound"
    }
    return [name for name in names if name in early]


_GROUPS = (
    "def f(a, b):\n    c = []\n    d = 0\n    for e in a:\n"
    "        if e == b:\n            c.append(d)\n            d = 0\n"
    "        d += 1\n    return c\n"
)
_CARRY = "def f(a):\n    b = 0\n    while a:\n        b = g(a.pop(), b)\n    return b\n"

TEMPLATES = (
    Template(
        name="last-group",
        source="QuixBugs (missing statement after a loop); TBar FP15",
        prior=0.2,
        kinds=frozenset({"for_statement", "while_statement"}),
        rewrites=_after_the_last,
        examples=(
            Example(
                _GROUPS, _GROUPS.replace("    return", "    c.append(d)\n    return")
            ),
            Example(
                _GROUPS,
                _GROUPS.replace(
                    "    return", "    if d:\n        c.append(d)\n    return"
                ),
            ),
            Example(
                "for a in b:\n    if c:\n        d.append(c)\n    c = a\n",
                "for a in b:\n    if c:\n        d.append(c)\n    c = a\n"
                "if c:\n    d.append(c)\n",
            ),
        ),
        never=(
            Example(
                "for a in b:\n    c.append(a)\n",
                "for a in b:\n    c.append(a)\nc.append(a)\n",
            ),
            Example(
                "for a in b:\n    if c:\n        d.append(c)\n        break\n",
                "for a in b:\n    if c:\n        d.append(c)\n        break\n"
                "if c:\n    d.append(c)\n    break\n",
            ),
        ),
    ),
    Template(
        name="while-also",
        source="PAR (expression adder); TBar FP6.3 (insert conditional expression)",
        prior=0.2,
        kinds=frozenset({"while_statement"}),
        rewrites=_while_also,
        examples=(
            Example(_CARRY, _CARRY.replace("while a:", "while a or b:")),
            Example(_CARRY, _CARRY.replace("while a:", "while (a) and b:")),
        ),
        never=(
            Example("while a:\n    b = a.pop()\n", "while a or b:\n    b = a.pop()\n"),
        ),
    ),
)

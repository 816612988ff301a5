"""Statements that are missing: one of the function's own again, or a bound on a value.

What is inserted is never invented: it is a statement that the function has already,
as it is or with one name exchanged for another that the function neglects.
"""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent, role, usage
from bonafix.propose.search.families.guards import guard_text
from bonafix.propose.search.template import Example, Rewrite, Template, wrap
from bonafix.syntax import Node, walk

_LOOPS = {"for_statement", "while_statement"}
_SIMPLE = {"augmented_assignment", "call"}
_DONORS = 4
_NEGLECTED = 3
_CLAMPS = (("max", 1.0), ("min", 0.8))


def _again(site: Site) -> Iterator[Rewrite]:
    """At the end of a loop, before a return, or as the other branch of an `if`."""
    for rank, text in enumerate(_statements(site)):
        weight = 1.0 / (1 + 0.3 * rank)
        if site.node.kind in _LOOPS:
            yield from _at_the_end(site, text, weight)
        elif site.node.kind == "if_statement":
            yield from _otherwise(site, text, weight)
        else:
            indent = f"{site.newline}{line_indent(site.node)}"
            at = site.node.start
            yield Rewrite(((at, at, text + indent),), weight)


def _at_the_end(site: Site, text: str, weight: float) -> Iterator[Rewrite]:
    body = site.node.child("body")
    if body is not None and body.named and text not in body.text:
        at = f"{site.newline}{line_indent(body.named[0])}"
        yield Rewrite(((body.end, body.end, at + text),), weight)


def _otherwise(site: Site, text: str, weight: float) -> Iterator[Rewrite]:
    body = site.node.child("consequence")
    if body is None or site.node.child("alternative") is not None or not body.named:
        return
    indent, inner = line_indent(site.node), line_indent(body.named[0])
    head = f"{site.newline}{indent}else:{site.newline}{inner}"
    yield Rewrite(((site.node.end, site.node.end, head + text),), weight)


def _statements(site: Site) -> list[str]:
    """Simple statements of the function, each with one name exchanged, then as is."""
    region, scope = site.region, site.scope
    reads = usage(region).reads
    near = [n for n in (*scope.local, *scope.parameters) if n not in {"self", "cls"}]
    neglected = sorted(near, key=lambda name: reads.get(name, 0))[:_NEGLECTED]
    found = [s for s in walk(region) if s.kind == "expression_statement" and _plain(s)]
    donors = found[-_DONORS:]
    exchanged = [text for s in donors for text in _exchanged(s, neglected)]
    return list(dict.fromkeys([*exchanged, *(s.text for s in donors)]))


def _plain(statement: Node) -> bool:
    value = statement.named[0] if statement.named else None
    one_line = statement.first_line == statement.last_line
    return value is not None and value.kind in _SIMPLE and one_line


def _exchanged(statement: Node, names: list[str]) -> Iterator[str]:
    text, start = statement.text, statement.start
    for node in walk(statement):
        if node.kind == "identifier" and role(node) not in {"", "called"}:
            for name in names:
                if name != node.text:
                    yield text[: node.start - start] + name + text[node.end - start :]


def _leftover(site: Site) -> Iterator[Rewrite]:
    """What a loop hands on when it is full, once more after it: what is left over."""
    loop = site.node.previous
    while loop is not None and loop.kind not in _LOOPS:
        loop = loop.previous
    for statement in walk(loop) if loop is not None else ():
        if statement.kind != "expression_statement" or not _handed_on(statement):
            continue
        for name in _begun_again(loop, statement):
            text = guard_text(site.node, name, statement.text)
            at = site.node.start
            yield Rewrite(((at, at, text.replace("\n", site.newline)),))


def _handed_on(statement: Node) -> bool:
    value = statement.named[0] if statement.named else None
    kinds = _SIMPLE | {"yield"}
    one_line = statement.first_line == statement.last_line
    return value is not None and value.kind in kinds and one_line


def _begun_again(loop: Node | None, statement: Node) -> list[str]:
    """The names in a statement that the loop begins again behind it."""
    held = {n.text for n in walk(statement) if n.kind == "identifier" and role(n)}
    following = statement.parent.named if statement.parent is not None else []
    found = []
    for other in following if loop is not None else []:
        value = other.named[0] if other.named else None
        left = value.child("left") if value is not None else None
        right = value.child("right") if value is not None else None
        if left is None or right is None or other.start <= statement.start:
            continue
        if left.text in held and (right.text in _EMPTY or right.kind == "identifier"):
            found.append(left.text)
    return found


_EMPTY = {"[]", "{}", "set()", "''", '""', "0", "None", "list()"}


def _begun_anew(site: Site) -> Iterator[Rewrite]:
    """What a loop has gathered and now hands on is begun again, as before the loop."""
    statement, around = site.node, [*site.node.ancestors()]
    loop = next((node for node in around if node.kind in _LOOPS), None)
    if loop is None or not _plain(statement):
        return
    value = statement.named[0]
    changed = value.child("left") if value.kind == "augmented_assignment" else None
    following = [n for n in _behind(statement) if n.start > statement.start]
    told = dict.fromkeys(
        n.text for n in walk(statement) if n.kind == "identifier" and role(n)
    )
    for name in told:
        first = _initial(site.region, loop, name)
        again = any(node.text.startswith(f"{name} =") for node in following)
        if not first or again or (changed is not None and changed.text == name):
            continue
        if _gathered(loop, name, statement):
            indent = f"{site.newline}{line_indent(statement)}"
            at = statement.end
            yield Rewrite(((at, at, f"{indent}{name} = {first}"),))


def _behind(statement: Node) -> list[Node]:
    return list(statement.parent.named) if statement.parent is not None else []


def _initial(region: Node, loop: Node, name: str) -> str:
    """The nothing that a name is bound to ahead of a loop."""
    for node in walk(region):
        if node.kind == "assignment" and node.start < loop.start:
            left, right = node.child("left"), node.child("right")
            if left is not None and right is not None and left.text == name:
                return right.text if right.text in _EMPTY else ""
    return ""


def _gathered(loop: Node, name: str, apart: Node) -> bool:
    """Whether another statement of the loop makes it more."""
    for node in walk(loop):
        if apart.start <= node.start < apart.end:
            continue
        if node.kind in {"augmented_assignment", "assignment"}:
            left = node.child("left")
            if left is not None and left.text == name:
                return True
        if node.kind == "call" and node.text.startswith(_growing(name)):
            return True
    return False


def _growing(name: str) -> tuple[str, ...]:
    return tuple(f"{name}.{how}(" for how in ("append", "add", "extend", "update"))


def _clamped(site: Site) -> Iterator[Rewrite]:
    """`best = x` to `best = max(best, x)`, `sum + x` to `max(0, sum + x)`."""
    left, right = site.node.child("left"), site.node.child("right")
    if left is None or right is None or left.kind != "identifier":
        return
    in_loop = any(around.kind in _LOOPS for around in site.node.ancestors())
    if not in_loop or right.kind in {"string", "list", "dictionary", "tuple"}:
        return
    for name, weight in _CLAMPS:
        yield wrap(right, f"{name}({left.text}, ", ")", weight)
        yield wrap(right, f"{name}(0, ", ")", 0.5 * weight)


TEMPLATES = (
    Template(
        name="statement-again",
        source="GenProg (insert); QuixBugs (missing statement)",
        prior=0.07,
        kinds=frozenset({*_LOOPS, "if_statement", "return_statement"}),
        rewrites=_again,
        examples=(
            Example(
                "def f(a, b):\n    c = []\n    for d in a:\n        c.append(d)\n"
                "    return c\n",
                "def f(a, b):\n    c = []\n    for d in a:\n        c.append(d)\n"
                "    c.append(b)\n    return c\n",
            ),
            Example(
                "def f(a):\n    b = c = 0\n    for d in a:\n        if d:\n"
                "            b += 1\n    return b, c\n",
                "def f(a):\n    b = c = 0\n    for d in a:\n        if d:\n"
                "            b += 1\n        else:\n            c += 1\n"
                "    return b, c\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    c = []\n    for d in a:\n        c.append(d)\n",
                "def f(a):\n    c = []\n    for d in a:\n        c.append(d)\n"
                "        c.append(d)\n",
            ),
        ),
    ),
    Template(
        name="begun-anew",
        source="TBar FP15 (insert missed statement); QuixBugs",
        prior=0.3,
        kinds=frozenset({"expression_statement"}),
        rewrites=_begun_anew,
        examples=(
            Example(
                "def f(a):\n    b, c = 0, 1\n    d = ''\n    for e in a:\n"
                "        if e != ' ':\n            d += e\n        else:\n"
                "            b += int(d)\n    return b\n",
                "def f(a):\n    b, c = 0, 1\n    d = ''\n    for e in a:\n"
                "        if e != ' ':\n            d += e\n        else:\n"
                "            b += int(d)\n            d = ''\n    return b\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    d = ''\n    for e in a:\n        d += e\n"
                "    return d\n",
                "def f(a):\n    d = ''\n    for e in a:\n        d += e\n"
                "        d = ''\n    return d\n",
            ),
        ),
    ),
    Template(
        name="leftover",
        source="TBar FP15 (insert missed statement); loops that group their items",
        prior=0.5,
        kinds=frozenset({"return_statement", "expression_statement"}),
        rewrites=_leftover,
        examples=(
            Example(
                "def f(a):\n    b, c = [], []\n    for d in a:\n        c.append(d)\n"
                "        if len(c) > 2:\n            b.append(c)\n            c = []\n"
                "    return b\n",
                "def f(a):\n    b, c = [], []\n    for d in a:\n        c.append(d)\n"
                "        if len(c) > 2:\n            b.append(c)\n            c = []\n"
                "    if c:\n        b.append(c)\n    return b\n",
            ),
            Example(
                "def f(a):\n    b, c = [], ''\n    for d in a:\n        if d:\n"
                "            c += d\n        else:\n            b.append(c)\n"
                "            c = d\n    return b\n",
                "def f(a):\n    b, c = [], ''\n    for d in a:\n        if d:\n"
                "            c += d\n        else:\n            b.append(c)\n"
                "            c = d\n    if c:\n        b.append(c)\n    return b\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    b = []\n    for d in a:\n        b.append(d)\n"
                "    return b\n",
                "def f(a):\n    b = []\n    for d in a:\n        b.append(d)\n"
                "    if d:\n        b.append(d)\n    return b\n",
            ),
        ),
    ),
    Template(
        name="clamped",
        source="PySStuBs (add function around expression); QuixBugs",
        prior=0.12,
        kinds=frozenset({"assignment"}),
        rewrites=_clamped,
        examples=(
            Example(
                "for x in y:\n    best = x\n", "for x in y:\n    best = max(best, x)\n"
            ),
        ),
        never=(Example("best = x\n", "best = max(best, x)\n"),),
    ),
)

"""Loops: a sum that starts afresh each time, `if` for `while`, a key set once only."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, positional, role
from bonafix.propose.search.kinds import kind, may_be
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node, walk

_LOOPS = {"for_statement", "while_statement"}
_SCOPES = {"function_definition", "module", "class_definition"}
_LEAVES = {"return_statement", "raise_statement", "break_statement"}
_DICTS = {"dict", "defaultdict", "OrderedDict", "Counter"}
_NUMBERS = {"integer", "float"}
_EMPTY = {"0", "0.0", "1", "''", '""', "[]", "set()", "{}"}


def _accumulated(site: Site) -> Iterator[Rewrite]:
    """`x = y` in a loop to `x += y`, where `x` began as nothing before the loop."""
    target, value = site.node.child("left"), site.node.child("right")
    loop = _loop(site.node)
    if target is None or value is None or loop is None or target.text in _names(value):
        return
    start = _value_before(loop, target.text)
    if value.kind in _NUMBERS or value.text in _EMPTY:
        return  # adding nothing, or the same each time
    if start is not None and start.text in _EMPTY:
        sign = next(c for c in site.node.children if c.kind == "=")
        yield replace(sign, "|=" if start.text in {"set()", "{}"} else "+=")


def _loop(node: Node) -> Node | None:
    for around in node.ancestors():
        if around.kind in _LOOPS:
            return around
        if around.kind in _SCOPES:
            return None
    return None


def _value_before(loop: Node, name: str) -> Node | None:
    """What a name is set to by a statement before the loop, in the same block."""
    before = loop.previous
    while before is not None:
        value = before.named[0] if before.named else None
        left = value.child("left") if value is not None else None
        if value is not None and left is not None and left.text == name:
            return value.child("right")
        before = before.previous
    return None


def _names(node: Node) -> set[str]:
    return {n.text for n in walk(node) if n.kind == "identifier" and role(n)}


def _repeated(site: Site) -> Iterator[Rewrite]:
    """`if c:` to `while c:` and back: once, or as long as it holds."""
    body = site.node.child("consequence") or site.node.child("body")
    word = site.node.children[0]
    if body is None or site.node.child("alternative") is not None or not body.named:
        return
    if word.kind == "while":
        jumps = any(
            n.kind in {"break_statement", "continue_statement"} for n in walk(body)
        )
        if not jumps:
            yield replace(word, "if", 0.4)
    elif body.named[-1].kind not in _LEAVES and _changes(site.node, body):
        yield replace(word, "while")


def _changes(statement: Node, body: Node) -> bool:
    """Whether the block touches what the condition asks: else it would not end."""
    condition = statement.child("condition")
    asked = _names(condition) if condition is not None else set()
    bound = {"bound", "counted", "object"}
    touched = {
        n.text for n in walk(body) if n.kind == "identifier" and role(n) in bound
    }
    return bool(asked & touched)


def _key_set(site: Site) -> Iterator[Rewrite]:
    """`d.setdefault(k, v)` as a statement to `d[k] = v`, and back."""
    value = site.node.named[0] if site.node.named else None
    if value is None:
        return
    if value.kind == "call" and callee(value) == "setdefault":
        function, arguments = value.child("function"), positional(value)
        thing = function.child("object") if function is not None else None
        if thing is not None and len(arguments) > 1:
            key, new = arguments[0].text, arguments[1].text
            yield replace(value, f"{thing.text}[{key}] = {new}")
    elif value.kind == "assignment":
        yield from _kept(site, value)


def _kept(site: Site, assignment: Node) -> Iterator[Rewrite]:
    left, right = assignment.child("left"), assignment.child("right")
    if left is None or right is None or left.kind != "subscript":
        return
    thing, keys = left.child("value"), left.each("subscript")
    if thing is None or len(keys) != 1 or keys[0].kind in {"slice", "integer"}:
        return
    if may_be(kind(site, thing), _DICTS):
        new = f"{thing.text}.setdefault({keys[0].text}, {right.text})"
        yield replace(assignment, new, 0.2)


def _exchanged(site: Site) -> Iterator[Rewrite]:
    """`for a in x: for b in y:` to `for b in y: for a in x:`."""
    body = site.node.child("body")
    inner = body.named[0] if body is not None and body.named else None
    if inner is None or inner.kind != "for_statement":
        return
    outer = (site.node.child("left"), site.node.child("right"))
    other = (inner.child("left"), inner.child("right"))
    if None in outer or None in other:
        return
    first = [node for node in outer if node is not None]
    second = [node for node in other if node is not None]
    if _names(first[0]) & _names(second[1]):
        return  # the inner one goes through what the outer one gives
    pairs = zip((*first, *second), (*second, *first), strict=True)
    yield Rewrite(tuple((here.start, here.end, there.text) for here, there in pairs))


TEMPLATES = (
    Template(
        name="loops-exchanged",
        source="TBar FP14 (move statement); QuixBugs",
        prior=0.15,
        kinds=frozenset({"for_statement"}),
        rewrites=_exchanged,
        examples=(
            Example(
                "for a in x:\n    for b in range(y):\n        z[b] += a\n",
                "for b in range(y):\n    for a in x:\n        z[b] += a\n",
            ),
        ),
        never=(
            Example(
                "for a in x:\n    for b in a:\n        z += b\n",
                "for b in a:\n    for a in x:\n        z += b\n",
            ),
        ),
    ),
    Template(
        name="accumulation-missing",
        source="mutation operator ASR; PySStuBs (change binary operator)",
        prior=0.7,
        kinds=frozenset({"assignment"}),
        rewrites=_accumulated,
        examples=(
            Example(
                "x = 0\nfor y in z:\n    x = y * 2\n",
                "x = 0\nfor y in z:\n    x += y * 2\n",
            ),
        ),
        never=(
            Example(
                "x = ''\nfor y in z:\n    x = ''\n",
                "x = ''\nfor y in z:\n    x += ''\n",
            ),
            Example(
                "x = 0\nfor y in z:\n    x = x + y\n",
                "x = 0\nfor y in z:\n    x += x + y\n",
            ),
        ),
    ),
    Template(
        name="if-while",
        source="mutation operator for loops (SWDD and the like, Agrawal 1989)",
        prior=0.25,
        kinds=frozenset({"if_statement", "while_statement"}),
        rewrites=_repeated,
        examples=(
            Example(
                "if len(a) > b:\n    a = a[b:]\n", "while len(a) > b:\n    a = a[b:]\n"
            ),
        ),
        never=(
            Example("if a:\n    b()\n", "while a:\n    b()\n"),
            Example(
                "while a:\n    a = b()\n    if a:\n        break\n",
                "if a:\n    a = b()\n    if a:\n        break\n",
            ),
        ),
    ),
    Template(
        name="key-set-once",
        source="PySStuBs (wrong function name), in Python's idiom",
        prior=0.6,
        kinds=frozenset({"expression_statement"}),
        rewrites=_key_set,
        examples=(
            Example("d.setdefault(k, v)\n", "d[k] = v\n"),
            Example("d[k] = v\n", "d.setdefault(k, v)\n"),
        ),
        never=(
            Example(
                "def f(i):\n    a = [1]\n    a[i] = 2\n",
                "def f(i):\n    a = [1]\n    a.setdefault(i, 2)\n",
            ),
        ),
    ),
)

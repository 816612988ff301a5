"""Steps that belong together: two at once, a counter, a mark, an answer."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, line_indent, role
from bonafix.propose.search.kinds import head, kind
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node, walk

_NAMED = {"identifier", "attribute", "subscript"}
_IN_PLACE = {"append", "extend", "sort", "add", "update", "reverse", "insert", "remove"}
_IN_PLACE |= {"clear", "discard", "appendleft"}
_LEAVES = {"return_statement", "continue_statement", "break_statement"}
_PLAIN = {"integer", "float", "string", "none", "subscript", "identifier"}
_ORDERS = {"<": "+= 1", "<=": "+= 1", "!=": "+= 1", ">": "-= 1", ">=": "-= 1"}


def _together(site: Site) -> Iterator[Rewrite]:
    """`a = b` and `b = a + b` to `a, b = b, a + b`: both from the old values."""
    before = site.node.previous
    pairs = [_assigned(s) for s in (before, site.node) if s is not None]
    if before is None or before.last_line + 1 != site.node.first_line:
        return
    match pairs:
        case [(first, old), (second, new)] if first.text != second.text:
            if any(node.text == first.text for node in walk(new)):
                text = f"{first.text}, {second.text} = {old.text}, {new.text}"
                yield Rewrite(((before.start, site.node.end, text),))


def _assigned(statement: Node) -> tuple[Node, Node] | None:
    """Target and value of a plain assignment of one thing."""
    value = statement.named[0] if statement.named else None
    if statement.kind != "expression_statement" or value is None:
        return None
    left, right = value.child("left"), value.child("right")
    if value.kind != "assignment" or left is None or right is None:
        return None
    plain = left.kind in _NAMED and right.kind not in {"expression_list", "assignment"}
    return (left, right) if plain else None


def _counted(site: Site) -> Iterator[Rewrite]:
    """A loop that never changes what it waits for: one step at the end of its body."""
    condition, body = site.node.child("condition"), site.node.child("body")
    if condition is None or body is None or not body.named:
        return
    sides = condition.named if condition.kind == "comparison_operator" else []
    signs = [sign.text for sign in condition.each("operators")]
    names = {n.text for n in walk(condition) if n.kind == "identifier"}
    changed = {"bound", "counted", "object", "argument"}
    touched = {n.text for n in walk(body) if role(n) in changed - {"argument"}}
    if len(signs) != 1 or signs[0] not in _ORDERS or names & touched:
        return
    if sides[0].kind == "identifier":
        head = f"{site.newline}{line_indent(body.named[0])}"
        text = f"{head}{sides[0].text} {_ORDERS[signs[0]]}"
        yield Rewrite(((body.end, body.end, text),))


def _carried(site: Site) -> Iterator[Rewrite]:
    """What a loop reads of its last turn, and never sets: `last = item` at its end."""
    left, body = site.node.child("left"), site.node.child("body")
    if left is None or body is None or not body.named:
        return
    items = [n.text for n in walk(left) if n.kind == "identifier"]
    bound = {n.text for n in walk(body) if role(n) in {"bound", "counted"}}
    read = [n.text for n in walk(body) if n.kind == "identifier" and role(n)]
    for name in dict.fromkeys(read):
        known = name in site.scope.local and name not in site.scope.parameters
        if not known or name in bound or name in items or not _begins(site, name):
            continue
        ahead = f"{site.newline}{line_indent(body.named[0])}{name} = "
        for rank, item in enumerate(items):
            edit = (body.end, body.end, ahead + item)
            yield Rewrite((edit,), 1.0 / (1 + 0.5 * rank))


def _begins(site: Site, name: str) -> bool:
    """Whether it is bound to something plain ahead of the loop."""
    before = site.node.previous
    while before is not None:
        pair = _assigned(before)
        if pair is not None and pair[0].text == name:
            return pair[1].kind in _PLAIN
        before = before.previous
    return False


def _marked(site: Site) -> Iterator[Rewrite]:
    """`if x in seen: return` and nothing is ever added to it: `seen.add(x)`."""
    condition, body = site.node.child("condition"), site.node.child("consequence")
    if condition is None or body is None or not body.named:
        return
    signs = [sign.text for sign in condition.each("operators")]
    if signs != ["in"] or body.named[-1].kind not in _LEAVES:
        return
    thing, seen = condition.named[0], condition.named[-1]
    named = seen.kind in {"identifier", "attribute"} and thing.kind in _NAMED
    if not named or site.node.child("alternative") is not None:
        return
    words = ["append"] if head(kind(site, seen)) == "list" else ["add", "append"]
    if any(f"{seen.text}.{word}(" in site.region.text for word in ("add", "append")):
        return
    for rank, word in enumerate(words):
        head_of = f"{site.newline}{line_indent(site.node)}"
        text = f"{head_of}{seen.text}.{word}({thing.text})"
        yield Rewrite(((site.node.end, site.node.end, text),), 1.0 / (1 + rank))


def _answered(site: Site) -> Iterator[Rewrite]:
    """`return x.append(y)`, which is None, to the change and then `return x`."""
    value = site.node.named[0] if site.node.named else None
    function = value.child("function") if value is not None else None
    thing = function.child("object") if function is not None else None
    if value is None or thing is None or value.kind != "call":
        return
    if callee(value) in _IN_PLACE and thing.kind in {"identifier", "attribute"}:
        text = f"{value.text}{site.newline}{line_indent(site.node)}return {thing.text}"
        yield replace(site.node, text)


TEMPLATES = (
    Template(
        name="assigned-together",
        source="studies of novices' faults (swapping without a third variable)",
        prior=0.4,
        kinds=frozenset({"expression_statement"}),
        rewrites=_together,
        examples=(
            Example("a = b\nb = a + b\n", "a, b = b, a + b\n"),
            Example("a[i] = a[j]\na[j] = a[i]\n", "a[i], a[j] = a[j], a[i]\n"),
        ),
        never=(
            Example("a = b\nc = d\n", "a, c = b, d\n"),
            Example("a = b\na = a + 1\n", "a, a = b, a + 1\n"),
        ),
    ),
    Template(
        name="step-missing",
        source="QuixBugs (missing line); TBar FP15 (insert missed statement)",
        prior=0.4,
        kinds=frozenset({"while_statement"}),
        rewrites=_counted,
        examples=(
            Example("while i < n:\n    f(i)\n", "while i < n:\n    f(i)\n    i += 1\n"),
        ),
        never=(
            Example(
                "while i < n:\n    i += 2\n", "while i < n:\n    i += 2\n    i += 1\n"
            ),
        ),
    ),
    Template(
        name="carried-missing",
        source="QuixBugs (missing line); TBar FP15 (insert missed statement)",
        prior=0.3,
        kinds=frozenset({"for_statement"}),
        rewrites=_carried,
        examples=(
            Example(
                "def f(a):\n    b = 0\n    c = []\n    for d in a:\n"
                "        c.append(d - b)\n    return c\n",
                "def f(a):\n    b = 0\n    c = []\n    for d in a:\n"
                "        c.append(d - b)\n        b = d\n    return c\n",
            ),
        ),
        never=(
            Example(
                "def f(a, b):\n    c = []\n    for d in a:\n"
                "        c.append(d - b)\n    return c\n",
                "def f(a, b):\n    c = []\n    for d in a:\n"
                "        c.append(d - b)\n        b = d\n    return c\n",
            ),
        ),
    ),
    Template(
        name="mark-missing",
        source="QuixBugs (missing line); TBar FP15 (insert missed statement)",
        prior=0.4,
        kinds=frozenset({"if_statement"}),
        rewrites=_marked,
        examples=(
            Example(
                "def f(a, b):\n    if a in b:\n        return\n    g(a)\n",
                "def f(a, b):\n    if a in b:\n        return\n    b.add(a)\n"
                "    g(a)\n",
            ),
        ),
        never=(
            Example(
                "def f(a, b):\n    if a in b:\n        return\n    b.add(g(a))\n",
                "def f(a, b):\n    if a in b:\n        return\n    b.add(a)\n"
                "    b.add(g(a))\n",
            ),
        ),
    ),
    Template(
        name="change-answered",
        source="Python's FAQ (`list.sort` returns None); TBar FP12",
        prior=0.6,
        kinds=frozenset({"return_statement"}),
        rewrites=_answered,
        examples=(
            Example(
                "def f(a, b):\n    return a.append(b)\n",
                "def f(a, b):\n    a.append(b)\n    return a\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    return a.pop()\n",
                "def f(a):\n    a.pop()\n    return a\n",
            ),
        ),
    ),
)

"""A value that may be missing: None, a zero divisor, a default shared by all calls."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, is_textual, role
from bonafix.propose.search.families.guards import after_docstring, guard_text
from bonafix.propose.search.idioms import is_type
from bonafix.propose.search.kinds import kind, nullable
from bonafix.propose.search.template import Example, Rewrite, Template, wrap
from bonafix.syntax import Node, walk


def _fallback(site: Site) -> Iterator[Rewrite]:
    """`x` to `x or []`, and the like, where None may arrive."""
    held = kind(site) and not nullable(site, site.node.text)
    if held or site.node.text in {"self", "cls"} or is_type(site):
        return
    if role(site.node) == "iterated" and site.node.kind in {"identifier", "attribute"}:
        yield wrap(site.node, "", " or []")
    if role(site.node) == "subscripted":
        yield wrap(site.node, "(", " or {})", 0.4)


def _divided(site: Site) -> Iterator[Rewrite]:
    """`return a / b` with a division by zero: another answer when b is zero."""
    value = site.node.named[0] if site.node.named else None
    if value is None:
        return
    for node in walk(value):
        sign, right = node.child("operator"), node.child("right")
        if sign is None or right is None or sign.text not in {"/", "//", "%"}:
            continue
        left = node.child("left")
        if right.kind in {"integer", "float"} or (left and is_textual(left)):
            continue
        for answer, weight in (("0", 1.0), ("0.0", 0.9), ("None", 0.5)):
            yield wrap(value, "", f" if {right.text} else {answer}", weight)


def _default(site: Site) -> Iterator[Rewrite]:
    """A mutable default: `def f(a=[])` to `a=None` and a new one in the body."""
    name, value = site.node.child("name"), site.node.child("value")
    function = _owner(site.node)
    body = function.child("body") if function is not None else None
    if name is None or value is None or body is None or not body.named:
        return
    if value.text in {"[]", "{}", "set()", "list()", "dict()"}:
        first = after_docstring(body)
        made = guard_text(first, f"{name.text} is None", f"{name.text} = {value.text}")
        text = made.replace("\n", site.newline)
        yield Rewrite(
            ((value.start, value.end, "None"), (first.start, first.start, text))
        )


def _owner(node: Node) -> Node | None:
    found = (a for a in node.ancestors() if a.kind == "function_definition")
    return next(found, None)


TEMPLATES = (
    Template(
        name="fallback",
        source="TBar FP2.5 (null-pointer checker), in Python's idiom",
        prior=0.08,
        kinds=frozenset({"identifier", "attribute"}),
        rewrites=_fallback,
        examples=(Example("x = [y for y in z]\n", "x = [y for y in z or []]\n"),),
        never=(
            Example(
                "def f():\n    z = [1]\n    return [y for y in z]\n",
                "def f():\n    z = [1]\n    return [y for y in z or []]\n",
            ),
            Example("for x in self:\n    x\n", "for x in self or []:\n    x\n"),
        ),
    ),
    Template(
        name="guard-division",
        source="TBar FP8-like (division by zero)",
        prior=0.15,
        kinds=frozenset({"return_statement"}),
        rewrites=_divided,
        examples=(
            Example(
                "def f(a, b):\n    return a / b\n",
                "def f(a, b):\n    return a / b if b else 0\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    return a / 2\n",
                "def f(a):\n    return a / 2 if 2 else 0\n",
            ),
            Example(
                "def f(a):\n    return '%s' % a\n",
                "def f(a):\n    return '%s' % a if a else None\n",
            ),
        ),
    ),
    Template(
        name="mutable-default",
        source="Python's FAQ (default values are shared between calls)",
        prior=0.5,
        kinds=frozenset({"default_parameter", "typed_default_parameter"}),
        rewrites=_default,
        examples=(
            Example(
                "def f(a=[]):\n    return a\n",
                "def f(a=None):\n    if a is None:\n        a = []\n    return a\n",
            ),
        ),
        never=(
            Example(
                "def f(a=()):\n    return a\n",
                "def f(a=None):\n    if a is None:\n        a = ()\n    return a\n",
            ),
        ),
    ),
)

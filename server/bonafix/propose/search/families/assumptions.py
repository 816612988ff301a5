"""What is taken for granted: that a default was given, that a divisor is not zero."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import (
    Site,
    role,
)
from bonafix.propose.search.families.checks import checked_before, looked_into
from bonafix.propose.search.families.guards import guard_text
from bonafix.propose.search.families.statements import callee_of
from bonafix.propose.search.idioms import is_default
from bonafix.propose.search.kinds import (
    kind,
    kinds,
)
from bonafix.propose.search.places import header
from bonafix.propose.search.template import Example, Rewrite, Template, wrap
from bonafix.syntax import walk

_STATEMENTS = frozenset(
    {"expression_statement", "return_statement", "for_statement", "if_statement"}
)


def _default_none(site: Site) -> Iterator[Rewrite]:
    """A parameter with the default None that is used as if it were something."""
    name, value = site.node.child("name"), site.node.child("value")
    owners = (a for a in site.node.ancestors() if a.kind == "function_definition")
    function = next(owners, None)
    body = function.child("body") if function is not None else None
    if name is None or value is None or body is None or value.kind != "none":
        return
    if function is None or f"{name.text} is None" in function.text or not body.named:
        return
    first = body.named[0]
    if first.kind == "expression_statement" and first.named[0].kind == "string":
        first = body.named[1] if len(body.named) > 1 else first
    others = [p for p in Site(first).scope.parameters if p != name.text]
    for rank, new in enumerate(("[]", "{}", "''", "0", "set()", *others[:1])):
        text = guard_text(first, f"{name.text} is None", f"{name.text} = {new}")
        at = first.start
        text = text.replace("\n", site.newline)
        yield Rewrite(((at, at, text),), 1.0 / (1 + 0.5 * rank))


def _zero(site: Site) -> Iterator[Rewrite]:
    """A division by what may be zero: a check before it, or another value for it."""
    for node in header(site.node):
        sign, right = node.child("operator"), node.child("right")
        if node.kind != "binary_operator" or sign is None or right is None:
            continue
        if sign.text not in {"/", "//", "%"} or right.kind in {"integer", "float"}:
            continue
        if kind(site, node.child("left")) == "str":
            continue
        divisor = right.named[0] if right.kind == "parenthesized_expression" else right
        if callee_of(divisor) in {"max", "radians"} or is_default(divisor):
            continue
        yield from checked_before(site, f"{divisor.text} == 0", 1.0)
        if site.node.kind != "return_statement":
            yield wrap(node, "(", f" if {divisor.text} else 0)", 0.8)


def _kind_asked(site: Site) -> Iterator[Rewrite]:
    """`isinstance(x, ...)` where more kinds of values came than the text expects."""
    given = {*site.scope.parameters, *site.scope.enclosing}
    for name in looked_into(site) or _counted_on(site):
        held = kinds(site).get(name, "").partition("[")[0]
        if held and name not in given and not _may_vary(site, name):
            continue
        for wanted in (held,) if held else ("str", "list", "dict"):
            weight = 0.6 if held else 0.3
            yield from checked_before(site, f"not isinstance({name}, {wanted})", weight)


def _may_vary(site: Site, name: str) -> bool:
    """Whether a local gets other values than those that the text itself makes."""
    label = site.function.child("name") if site.function is not None else None
    seen = site.known.values.get(label.text if label is not None else "", {})
    loops = [
        n for n in walk(site.region) if n.kind in {"for_statement", "for_in_clause"}
    ]
    targets = (loop.child("left") for loop in loops)
    bound = (n.text for target in targets if target is not None for n in walk(target))
    return name in seen or name in set(bound)


def _counted_on(site: Site) -> list[str]:
    near = {*site.scope.local, *site.scope.parameters}
    found = [
        n.text
        for n in header(site.node)
        if n.kind == "identifier" and n.text in near and role(n) == "operand"
    ]
    return list(dict.fromkeys(found))[:1]


_PYTER = "PyTER (guards for values of an unexpected type)"


TEMPLATES = (
    Template(
        name="default-of-none",
        source="PyTER; Python's idiom for a default that is made anew",
        prior=0.25,
        kinds=frozenset({"default_parameter", "typed_default_parameter"}),
        rewrites=_default_none,
        examples=(
            Example(
                "def f(a=None):\n    return a[0]\n",
                "def f(a=None):\n    if a is None:\n        a = []\n    return a[0]\n",
            ),
        ),
        never=(
            Example(
                "def f(a=1):\n    return a\n",
                "def f(a=1):\n    if a is None:\n        a = []\n    return a\n",
            ),
        ),
    ),
    Template(
        name="check-zero",
        source="TBar FP8-like (division by zero)",
        prior=0.12,
        kinds=frozenset({"expression_statement", "return_statement"}),
        rewrites=_zero,
        examples=(
            Example(
                "def f(a, b):\n    c = a / b\n    return c\n",
                "def f(a, b):\n    if b == 0:\n        return None\n"
                "    c = a / b\n    return c\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    c = a / 2\n    return c\n",
                "def f(a):\n    if 2 == 0:\n        return None\n"
                "    c = a / 2\n    return c\n",
            ),
            Example(
                "def f(a, b):\n    c = a / (b or 1)\n",
                "def f(a, b):\n    if b or 1 == 0:\n        return\n"
                "    c = a / (b or 1)\n",
            ),
        ),
    ),
    Template(
        name="check-kind",
        source=_PYTER,
        prior=0.04,
        kinds=_STATEMENTS,
        rewrites=_kind_asked,
        examples=(
            Example(
                "def f(b):\n    for a in b:\n        c(a.d)\n",
                "def f(b):\n    for a in b:\n        if not isinstance(a, str):\n"
                "            continue\n        c(a.d)\n",
            ),
        ),
        never=(
            Example(
                "def f():\n    a = [1]\n    return a[0]\n",
                "def f():\n    a = [1]\n    if not isinstance(a, list):\n"
                "        return None\n    return a[0]\n",
            ),
        ),
    ),
)

"""Small pieces that everybody writes in one way, and what they look like half written.

A table's first row counts up; digits become a number; a division that rounds up; room
that is left for a text; a text without its separators at the ends.
"""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import (
    Site,
    callee,
    operands,
    operator,
    role,
    usage,
)
from bonafix.propose.search.kinds import kind
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap
from bonafix.syntax import walk

_LOOPS = frozenset({"for_statement", "while_statement"})
_DIGITS = frozenset({"int", "ord", "index"})
_SHORT = 2  # characters of a separator, without its quotes
_MOST = 3
_SEPARATED = frozenset({"join", "replace", "sub", "split", "rstrip", "lstrip", "strip"})


def _counting(site: Site) -> Iterator[Rewrite]:
    """`[0] * n` to `list(range(n))`: the base case of many tables."""
    pair = operands(site.node)
    if pair is None or operator(site.node) != "*":
        return
    items, count = pair
    if items.kind == "list" and [n.text for n in items.named] == ["0"]:
        while count.kind == "parenthesized_expression" and count.named:
            count = count.named[0]
        yield replace(site.node, f"list(range({count.text}))")


def _digits(site: Site) -> Iterator[Rewrite]:
    """`n = int(c)` in a loop to `n = n * 10 + int(c)`."""
    left, right = site.node.child("left"), site.node.child("right")
    if left is None or right is None or left.kind != "identifier":
        return
    looped = any(around.kind in _LOOPS for around in site.node.ancestors())
    if looped and right.kind == "call" and callee(right) in _DIGITS:
        yield wrap(right, f"{left.text} * 10 + ", "")
        yield wrap(right, f"{left.text} + ", "", 0.5)


def _rounded_up(site: Site) -> Iterator[Rewrite]:
    """`a // b + 1` to `(a - 1) // b + 1`, and to the same in other words."""
    pair = operands(site.node)
    if pair is None or operator(site.node) != "+" or pair[1].text != "1":
        return
    inner = operands(pair[0])
    if inner is not None and operator(pair[0]) == "//":
        whole, part = (one.text for one in inner)
        yield replace(site.node, f"({whole} + {part} - 1) // {part}")
        yield replace(site.node, f"({whole} - 1) // {part} + 1", 0.6)


def _room(site: Site) -> Iterator[Rewrite]:
    """`a[:n]` to `a[:n - len(b)]`, where text `b` is put behind or before it."""
    keys = site.node.each("subscript")
    bound = keys[0] if len(keys) == 1 and keys[0].kind == "slice" else None
    if bound is None or len(bound.named) != 1 or not bound.text.startswith(":"):
        return
    end = bound.named[0]
    added = [
        name
        for node in walk(site.region)
        if node.kind == "binary_operator" and operator(node) == "+"
        for name in node.named
        if name.kind in {"identifier", "string"} and kind(site, name) in {"", "str"}
    ]
    texts = dict.fromkeys(n.text for n in added if n.text != end.text)
    for rank, text in enumerate(list(texts)[:_MOST]):
        yield wrap(end, "", f" - len({text})", 1.0 / (1 + 0.5 * rank))


def _stripped(site: Site) -> Iterator[Rewrite]:
    """`re.sub(a, "-", b)` to `re.sub(a, "-", b).strip("-")`."""
    node = site.node
    if role(node) not in {"value", "returned"} or callee(node) not in _SEPARATED:
        return
    texts = [c for c in usage(site.region).constants if c[:1] in {'"', "'"}]
    short = [c for c in texts if 0 < len(c) - 2 <= _SHORT and c in node.text]
    for rank, text in enumerate(short[:_MOST]):
        yield wrap(node, "", f".strip({text})", 1.0 / (1 + 0.5 * rank))


def _calls(*examples: tuple[str, str]) -> tuple[Example, ...]:
    return tuple(
        Example(f"def f(a, b):\n    {x}\n", f"def f(a, b):\n    {y}\n")
        for x, y in examples
    )


TEMPLATES = (
    Template(
        name="counted-from-zero",
        source="QuixBugs (dynamic programming); textbooks' first row of a table",
        prior=0.15,
        kinds=frozenset({"binary_operator"}),
        rewrites=_counting,
        examples=_calls(
            ("return [0] * (len(a) + 1)", "return list(range(len(a) + 1))"),
        ),
        never=_calls(("return [b] * a", "return list(range(a))")),
    ),
    Template(
        name="digits-together",
        source="TBar FP7 (missing operation), as numbers are read by digits",
        prior=0.25,
        kinds=frozenset({"assignment"}),
        rewrites=_digits,
        examples=(
            Example(
                "for c in a:\n    n = int(c)\n",
                "for c in a:\n    n = n * 10 + int(c)\n",
            ),
        ),
        never=(Example("n = int(c)\n", "n = n * 10 + int(c)\n"),),
    ),
    Template(
        name="division-rounded-up",
        source="PySStuBs (change of operands), as pages are counted",
        prior=0.4,
        kinds=frozenset({"binary_operator"}),
        rewrites=_rounded_up,
        examples=_calls(
            ("return a // b + 1", "return (a + b - 1) // b"),
            ("return a // b + 1", "return (a - 1) // b + 1"),
        ),
        never=_calls(("return a // b + 2", "return (a + b - 1) // b")),
    ),
    Template(
        name="room-left",
        source="TBar FP7 (missing operation), as texts are cut to a width",
        prior=0.3,
        kinds=frozenset({"subscript"}),
        rewrites=_room,
        examples=_calls(("return a[:9] + b", "return a[:9 - len(b)] + b")),
        never=_calls(("return a[2:9] + b", "return a[2:9 - len(b)] + b")),
    ),
    Template(
        name="separator-stripped",
        source="PySStuBs (add method call), as slugs are made",
        prior=0.25,
        kinds=frozenset({"call"}),
        rewrites=_stripped,
        examples=_calls(
            ('return a.replace(b, "-")', 'return a.replace(b, "-").strip("-")'),
        ),
        never=_calls(("return a.upper()", "return a.upper().strip('-')")),
    ),
)

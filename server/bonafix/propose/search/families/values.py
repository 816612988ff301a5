"""The wrong value: the raw one for what was made from it, or another expression."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

from bonafix.propose.search.context import Donor, Site, is_donor, role, usage
from bonafix.propose.search.ingredients import likeness, words
from bonafix.propose.search.kinds import alike, kind, kinds
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node, walk

_BUILTIN = frozenset(dir(builtins))
_MOST = 6
_UNTOUCHED = {"", "called", "object", "bound", "counted"}


def _derived(site: Site) -> Iterator[Rewrite]:
    """`y` to `x` after `x = f(y)`: likeliest where nothing else reads `x`."""
    node, facts = site.node, usage(site.region)
    if role(node) in {"", "bound", "counted", "called"}:
        return
    for made, places in facts.derived.get(node.text, {}).items():
        outside = all(node.start >= p.end for p in places[:1])
        within = any(p.start <= node.start < p.end for p in places)
        if made != node.text and outside and not within:
            yield replace(node, made, 1.0 / (1 + 0.5 * facts.reads.get(made, 0)))


def _shortened(site: Site) -> Iterator[Rewrite]:
    """`day.year` to `year`, where that is a local name as well."""
    attribute = site.node.child("attribute")
    if attribute is not None and role(site.node) not in {"called", "bound", "counted"}:
        near = (*site.scope.local, *site.scope.parameters)
        if attribute.text in near:
            yield replace(site.node, attribute.text)


def _donor(site: Site) -> Iterator[Rewrite]:
    """An expression that the function uses elsewhere, in place of a name or other."""
    node = site.node
    if role(node) in _UNTOUCHED:
        return
    if node.kind != "identifier" and not is_donor(node):
        return
    seen, own = set(site.scope.names) | _BUILTIN, words(node.text)
    ranked = []
    for donor in usage(site.region).donors:
        if _fits(donor, node, seen):
            other = donor.node
            near = other.kind == node.kind or role(other) == role(node)
            fit = alike(kind(site), kind(site, other)) * (0.8 if near else 0.4)
            weight = min(1.0, fit * (0.8 + 0.6 * likeness(own, words(other.text))))
            ranked.append((weight, other.text))
    for weight, text in sorted(ranked, key=lambda pair: -pair[0])[:_MOST]:
        yield replace(node, text, weight)


def _named(site: Site) -> Iterator[Rewrite]:
    """`record["id"]` to `value` after `value = record[key]`: it was taken already."""
    node = site.node
    if role(node) in _UNTOUCHED or (node.kind == "call" and not node.named):
        return
    own, held = words(node.text), kinds(site)
    found: dict[str, float] = {}
    for name, text in _assigned(site.region, node.start):
        close = likeness(own, words(text))
        fit = alike(kind(site), held.get(name, ""))
        if text != node.text and close >= _CLOSE and fit >= 1:
            found[name] = max(found.get(name, 0.0), close)
        elif text == node.text:
            found[name] = 0.3
    for name, weight in sorted(found.items(), key=lambda pair: -pair[1])[:_FEW]:
        yield replace(node, name, weight)


def _assigned(region: Node, before: int) -> Iterator[tuple[str, str]]:
    for node in walk(region):
        left, right = node.child("left"), node.child("right")
        if node.kind != "assignment" or left is None or right is None:
            continue
        if left.kind == "identifier" and node.end < before:
            yield left.text, right.text


_CLOSE, _FEW = 0.3, 2


def _fits(borrowed: Donor, node: Node, seen: set[str]) -> bool:
    donor = borrowed.node
    if donor.text == node.text or donor.start <= node.start < donor.end:
        return False
    holder = donor.parent  # what a name was set to is what it holds
    left = holder.child("left") if holder is not None else None
    if left is not None and left.text == node.text:
        return False
    if node.start <= donor.start < node.end or donor.kind == "binary_operator":
        return False
    return borrowed.names <= seen


_EXPRESSIONS = frozenset({"identifier", "call", "subscript", "attribute"})


TEMPLATES = (
    Template(
        name="derived-value",
        source="PySStuBs (change identifier used), where data flow tells",
        prior=0.6,
        kinds=frozenset({"identifier"}),
        rewrites=_derived,
        examples=(
            Example(
                "def f(a):\n    b = a.strip()\n    return int(a)\n",
                "def f(a):\n    b = a.strip()\n    return int(b)\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    x = a\n    b = a.strip()\n    return b, x\n",
                "def f(a):\n    x = b\n    b = a.strip()\n    return b, x\n",
            ),
        ),
    ),
    Template(
        name="attribute-dropped",
        source="PySStuBs (change identifier used); TBar FP13",
        prior=0.6,
        kinds=frozenset({"attribute"}),
        rewrites=_shortened,
        examples=(
            Example(
                "def f(day, year):\n    return g(day.year)\n",
                "def f(day, year):\n    return g(year)\n",
            ),
        ),
        never=(
            Example(
                "def f(day):\n    return g(day.year)\n",
                "def f(day):\n    return g(year)\n",
            ),
        ),
    ),
    Template(
        name="value-named",
        source="PySStuBs (change identifier used), where data flow tells",
        prior=0.45,
        kinds=frozenset({"call", "subscript", "attribute"}),
        rewrites=_named,
        examples=(
            Example(
                "def f(a, k):\n    b = a[k]\n    c(a['id'])\n",
                "def f(a, k):\n    b = a[k]\n    c(b)\n",
            ),
        ),
        never=(
            Example(
                "def f(a, k):\n    c(a['id'])\n    b = a[k]\n",
                "def f(a, k):\n    c(b)\n    b = a[k]\n",
            ),
        ),
    ),
    Template(
        name="expression",
        source="GenProg (ingredients from the same function); TBar FP13",
        prior=0.12,
        kinds=_EXPRESSIONS,
        rewrites=_donor,
        examples=(
            Example(
                "def f(a):\n    m = sum(a) / len(a)\n    return sum(a) / m\n",
                "def f(a):\n    m = sum(a) / len(a)\n    return sum(a) / len(a)\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    m = g(a)\n    return m\n",
                "def f(a):\n    m = g(a)\n    return g(a)\n",
            ),
        ),
    ),
)

"""Two parts of a function that do the same for two things, and one that has no twin.

Statements of one shape tell which names belong together: `i += 1` and `j += 1`,
`out.append(left[i])` and `out.append(right[j])`. What stands there for one of the two
alone is missing for the other, or was copied and not changed throughout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

from bonafix.propose.search.context import Site, line_indent
from bonafix.propose.search.template import Example, Rewrite, Template
from bonafix.syntax import Node, walk

_SIMPLE = frozenset({"expression_statement", "return_statement"})
_PLACES = frozenset({"expression_statement", "if_statement", "while_statement"})
_WORD = re.compile(r"[A-Za-z_]\w*")
_MOST_STATEMENTS = 40
_MOST_NAMES = 4
_MOST_TWINS = 6  # of one statement: in a long function many look alike

Pairs = tuple[tuple[str, str], ...]


@lru_cache(maxsize=64)
def _pairings(region: Node) -> tuple[Pairs, ...]:
    """The exchanges of names that make one statement of the function of another."""
    lines = [_head(s) for s in walk(region) if s.kind in _PLACES][:_MOST_STATEMENTS]
    shapes: dict[str, list[str]] = {}
    for line in dict.fromkeys(lines):
        shapes.setdefault(_WORD.sub("_", line), []).append(line)
    found: dict[Pairs, None] = {}
    for group in shapes.values():
        for a, b in combinations(group, 2):
            for pairs in (_exchange(a, b), _exchange(b, a)):
                if pairs:
                    found[pairs] = None
    merged = [_merged(a, b) for a, b in combinations(list(found), 2)]
    return tuple(dict.fromkeys([*(m for m in merged if m), *found]))


def _exchange(a: str, b: str) -> Pairs:
    names = zip(_WORD.findall(a), _WORD.findall(b), strict=False)
    pairs = dict(pair for pair in names if pair[0] != pair[1])
    whole = _exchanged(a, tuple(pairs.items())) == b
    return tuple(sorted(pairs.items())) if whole and len(pairs) <= _MOST_NAMES else ()


def _merged(a: Pairs, b: Pairs) -> Pairs:
    """Both exchanges at once, if they do not contradict each other."""
    one, two = dict(a), dict(b)
    clash = any(two.get(name, other) != other for name, other in one.items())
    crossed = set(one) & set(two.values()) or set(two) & set(one.values())
    both = one | two
    if clash or crossed or len(both) in {len(one), len(two)}:
        return ()
    return tuple(sorted(both.items())) if len(both) <= _MOST_NAMES else ()


def _exchanged(text: str, pairs: Pairs) -> str:
    names = dict(pairs)
    return _WORD.sub(lambda found: names.get(found[0], found[0]), text)


def _head(statement: Node) -> str:
    return statement.text.partition("\n")[0]


def _missing(site: Site) -> Iterator[Rewrite]:
    """The same once more for the other, right behind it."""
    node = site.node
    if node.first_line != node.last_line or '"""' in node.text:
        return
    region = site.region.text
    for rank, pairs in enumerate(_pairings(site.region)):
        text = _exchanged(node.text, pairs)
        if text != node.text and text not in region and _is_whole(node, pairs):
            at = node.end
            new = f"{site.newline}{line_indent(node)}{text}"
            yield Rewrite(((at, at, new),), 1.0 / (1 + 0.3 * rank))


def _mirrored(site: Site) -> Iterator[Rewrite]:
    """`g[a].append(b)`, and right behind it `g[b].append(a)`; half of a twin, too."""
    node = site.node
    if node.first_line != node.last_line or '"""' in node.text:
        return
    near = {*site.scope.local, *site.scope.parameters} - {"self", "cls"}
    held = dict.fromkeys(
        n.text for n in walk(node) if n.kind == "identifier" and n.text in near
    )
    for rank, (a, b) in enumerate(combinations(list(held)[:_MOST_NAMES], 2)):
        text = _exchanged(node.text, ((a, b), (b, a)))
        if text != node.text and text not in site.region.text:
            new = f"{site.newline}{line_indent(node)}{text}"
            yield Rewrite(((node.end, node.end, new),), 1.0 / (1 + 0.3 * rank))
    words = set(_WORD.findall(node.text))
    for pairs in _pairings(site.region):
        half = tuple(pair for pair in pairs if pair[0] in words)
        text = _exchanged(node.text, half)
        whole = len(half) == len(pairs) or words & {b for _, b in half}
        if half and not whole and text not in site.region.text:
            new = f"{site.newline}{line_indent(node)}{text}"
            yield Rewrite(((node.end, node.end, new),), 0.5)


def _is_whole(node: Node, pairs: Pairs) -> bool:
    """Whether all names of the exchange are in the statement: no half of a twin."""
    return {name for name, _ in pairs} <= set(_WORD.findall(node.text))


def _unchanged(site: Site) -> Iterator[Rewrite]:
    """A copy in which a name was forgotten: all of its names exchanged."""
    head, at = _head(site.node), site.node.start
    held, tried = set(_WORD.findall(head)), {head}
    for rank, pairs in enumerate(_pairings(site.region)):
        text = _exchanged(head, pairs)
        mixed = held & {b for _, b in pairs} and held & {a for a, _ in pairs}
        if text not in tried and mixed:
            tried.add(text)
            yield Rewrite(((at, at + len(head), text),), 1.0 / (1 + 0.3 * rank))
        if len(tried) > _MOST_TWINS:
            return


_TWO = (
    "def f(a, b):\n    i = j = 0\n    i += a[0]\n    j += b[0]\n    g(a[i:])\n"
    "    return 1\n"
)

TEMPLATES = (
    Template(
        name="twin-missing",
        source="studies of copied code (CP-Miner, Li et al., 2006); GenProg (insert)",
        prior=0.4,
        kinds=frozenset({"expression_statement"}),
        rewrites=_missing,
        examples=(Example(_TWO, _TWO.replace("g(a[i:])", "g(a[i:])\n    g(b[j:])")),),
        never=(
            Example(
                "def f(a, b):\n    g(a)\n    return b\n",
                "def f(a, b):\n    g(a)\n    g(b)\n    return b\n",
            ),
        ),
    ),
    Template(
        name="mirrored-missing",
        source="studies of copied code (CP-Miner, Li et al., 2006); GenProg (insert)",
        prior=0.12,
        kinds=frozenset({"expression_statement"}),
        rewrites=_mirrored,
        examples=(
            Example(
                "def f(a, b, c):\n    c[a].add(b)\n    return c\n",
                "def f(a, b, c):\n    c[a].add(b)\n    c[b].add(a)\n    return c\n",
            ),
            Example(
                "def f(a, b):\n    c = g(a)\n    d = g(b)\n    c.append(0)\n"
                "    return c < d\n",
                "def f(a, b):\n    c = g(a)\n    d = g(b)\n    c.append(0)\n"
                "    d.append(0)\n    return c < d\n",
            ),
        ),
        never=(
            Example(
                "def f(a, b):\n    b[0].add(1)\n    return a\n",
                "def f(a, b):\n    b[0].add(1)\n    a[0].add(1)\n    return a\n",
            ),
        ),
    ),
    Template(
        name="twin-unchanged",
        source="studies of copied code (CP-Miner, Li et al., 2006)",
        prior=0.35,
        kinds=_PLACES,
        rewrites=_unchanged,
        examples=(
            Example(
                _TWO.replace("g(a[i:])", "g(a[j:])"),
                _TWO.replace("g(a[i:])", "g(b[j:])"),
            ),
        ),
        never=(Example(_TWO, _TWO.replace("g(a[i:])", "g(b[j:])")),),
    ),
)

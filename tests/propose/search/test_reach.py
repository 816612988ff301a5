"""Kinds of small faults from the literature: each is within what the catalogue makes.

The kinds are those of QuixBugs (Lin et al., 2017), of PySStuBs (Kamienski et al., 2021)
and of BugsInPy's one- and two-line fixes (Widyasari et al., 2020); the code is ours.
Every piece stands in a function of `a`, `b` and `c`.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

import pytest

from bonafix.propose.search.catalogue import BY_KIND
from bonafix.propose.search.context import Site
from bonafix.propose.search.known import NOTHING
from bonafix.syntax import is_valid, parse, walk
from bonafix.text import apply_edits

LOOP = "for x in a:\n    if x == b:\n        {}\n    g(x)\n"
ONE_LINE = {  # kind -> (wrong, right)
    # QuixBugs
    "assignment operator": ("x += c", "x -= c"),
    "variable": ("return g(a, a)", "return g(a, b)"),
    "comparison operator": ("return a < b", "return a <= b"),
    "missing condition": ("if a[b]: g()", "if b < len(a) and a[b]: g()"),
    "missing +1": ("return f(a, b, c)", "return f(a, b + 1, c)"),
    "surplus +1": ("return a[b + 1]", "return a[b]"),
    "variables swapped": ("return g(b, a)", "return g(a, b)"),
    "slice": ("return a[b:]", "return a[:b]"),
    "constant of a structure": ("x = []", "x = [[]]"),
    "method": ("a.append(b)", "a.extend(b)"),
    "field": ("return a.x + a.x + a.y", "return a.x + a.y + a.y"),
    "missing call": ("return g(a)", "return g(abs(a))"),
    # PySStuBs
    "numeric literal": ("return a * 60", "return a * 3600"),
    "boolean literal": ("return g(a, True)", "return g(a, False)"),
    "unary operator": ("return -a", "return a"),
    "function name": ("return min(a, b)", "return max(a, b)"),
    "function of a generator": ("return any(x for x in a)", "return all(x for x in a)"),
    "more arguments": ("return round(a)", "return round(a, 2)"),
    "fewer arguments": ("return a.split(' ')", "return a.split()"),
    "binary operator": ("return a / b", "return a // b"),
    "more specific condition": ("if a.x: g()", "if a is not None and a.x: g()"),
    "less specific condition": ("if a and b: g()", "if a: g()"),
    "attribute": ("return (a - b).seconds", "return (a - b).days"),
    "keyword": ("return timedelta(hours=a)", "return timedelta(days=a)"),
    "constant's type": ("return a == '1'", "return a == 1"),
    "function around": ("return g(a)", "return g(list(a))"),
    "method call": ("return int(a)", "return int(a.strip())"),
    "element of an iterable": (
        "return ('y', a in ('x', 'z'))",
        "return ('y', a in ('x', 'z', 'y'))",
    ),
    "string literal": ("return open(a, 'w')", "return open(a, 'a')"),
    # BugsInPy and the rest
    "field of an f-string": ("return f'{a} {a}'", "return f'{a} {b}'"),
    "specification of a format": ("return f'{a:.1f}'", "return f'{a:.2f}'"),
    "tuple after %": ("return 'x: %s' % a", "return 'x: %s' % (a,)"),
    "`is` of a literal": ("return a is 'b'", "return a == 'b'"),
    "length in a range": ("return range(len(a))", "return range(len(a) - 1)"),
    "length less one": ("return range(len(a) - 1)", "return range(len(a))"),
    "key among the keys": (
        "return a['k'], a['k'], a['l']",
        "return a['k'], a['l'], a['l']",
    ),
    "precedence": ("return a or b and c", "return (a or b) and c"),
    "missing return": ("g(a)", "return g(a)"),
    "type in isinstance": (
        "return isinstance(a, int)",
        "return isinstance(a, (int, float))",
    ),
    "type compared": ("return type(a) == list", "return isinstance(a, list)"),
    "missing copy": ("b.append(a)", "b.append(a[:])"),
    "deep copy": ("return copy.copy(a)", "return copy.deepcopy(a)"),
    "step of a slice": ("return a[b:]", "return a[b::2]"),
    "slice off by one": ("return a[b:c]", "return a[b:c + 1]"),
    "direction of sorting": ("return sorted(a)", "return sorted(a, reverse=True)"),
    "ties in sorting": (
        "return sorted(a, key=lambda x: x[1])",
        "return sorted(a, key=lambda x: (x[1], x[0]))",
    ),
    "default of get": ("return a.get(b)", "return a.get(b, 0)"),
    "division upwards": ("return a // b", "return -(-a // b)"),
    "anchor": ("return re.match('[a-z]+', a)", "return re.match('[a-z]+$', a)"),
    "whole match": ("return re.match('[a-z]+', a)", "return re.fullmatch('[a-z]+', a)"),
    "text as a pattern": (
        "return re.sub(a, b, c)",
        "return re.sub(re.escape(a), b, c)",
    ),
    "whole seconds": ("return (a - b).seconds", "return (a - b).total_seconds()"),
    "splits": ("return a.split('=')", "return a.split('=', 1)"),
    "start of a count": ("return enumerate(a)", "return enumerate(a, 1)"),
    "separator": ("return ','.join(a)", "return ', '.join(a)"),
    "numbers joined": ("return ','.join(a)", "return ','.join(map(str, a))"),
    "prefix": ("return a.lstrip('abc')", "return a.removeprefix('abc')"),
    "case of letters": ("return a == 'b'", "return a.lower() == 'b'"),
    "start of a text": ("return 'b' in a", "return a.startswith('b')"),
    "floats compared": ("return a == 0.3", "return abs(a - 0.3) < 1e-9"),
    "order of a set": ("return list(set(a))", "return list(dict.fromkeys(a))"),
    "doubles counted": ("return len(a)", "return len(set(a))"),
    "filter": ("return [x for x in a]", "return [x for x in a if x]"),
    "nested clauses": (
        "return [x for x in y for y in a]",
        "return [x for y in a for x in y]",
    ),
    "nothing found": ("return next(x for x in a)", "return next((x for x in a), None)"),
    "empty answer": ("return None", "return []"),
    "index past the end": ("return a[b + 1]", "return a[(b + 1) % len(a)]"),
    "raise": ("return ValueError(a)", "raise ValueError(a)"),
    "one yielded": ("yield a", "yield from a"),
    "bound of a root": ("g(range(2, int(a ** 0.5)))", "g(range(2, int(a ** 0.5) + 1))"),
    "bound late": (
        "return [lambda: x for x in a]",
        "return [lambda x=x: x for x in a]",
    ),
    "percentage": ("return a / b", "return a / b * 100"),
    "milliseconds": ("return time.time()", "return time.time() * 1000"),
    "degrees": ("return math.sin(a)", "return math.sin(math.radians(a))"),
}
MORE_LINES = {
    "`continue` for `break`": (LOOP.format("break"), LOOP.format("continue")),
    "`continue` for `return`": (LOOP.format("return"), LOOP.format("continue")),
    "missing `break`": (
        "for x in a:\n    if x == b:\n        c = x\n",
        "for x in a:\n    if x == b:\n        c = x\n        break\n",
    ),
    "`elif`": (
        "if a:\n    g()\nif b:\n    h()\n",
        "if a:\n    g()\nelif b:\n    h()\n",
    ),
    "both at once": ("a = b\nb = a + b\n", "a, b = b, a + b\n"),
    "a step": ("while a < b:\n    g(a)\n", "while a < b:\n    g(a)\n    a += 1\n"),
    "a mark": (
        "if a in b:\n    return\ng(a)\n",
        "if a in b:\n    return\nb.add(a)\ng(a)\n",
    ),
    "a change as an answer": ("return a.sort()\n", "a.sort()\nreturn a\n"),
    "a generator read twice": (
        "x = (g(y) for y in a)\nreturn sum(x) / len(list(x))\n",
        "x = [g(y) for y in a]\nreturn sum(x) / len(list(x))\n",
    ),
    "order of handlers": (
        "try:\n    g()\nexcept Exception:\n    h(1)\nexcept KeyError:\n    h(2)\n",
        "try:\n    g()\nexcept KeyError:\n    h(2)\nexcept Exception:\n    h(1)\n",
    ),
    "exception that is raised": (
        "try:\n    g()\nexcept KeyError:\n    return\nraise LateError\n",
        "try:\n    g()\nexcept LateError:\n    return\nraise LateError\n",
    ),
    "a set": ("x = {}\nx.add(a)\n", "x = set()\nx.add(a)\n"),
    "first of all": (
        "x = 0\nfor y in a:\n    if y > x:\n        x = y\n",
        "x = a[0]\nfor y in a:\n    if y > x:\n        x = y\n",
    ),
}


def of_function(piece: str) -> str:
    return f"def f(a, b, c):\n{indent(piece.strip(), '    ')}\n"


def reached(before: str) -> Iterator[str]:
    """Every text that a rewrite of some template leads to."""
    for node in walk(parse(before).root):
        for template in BY_KIND.get(node.kind, ()):
            for rewrite in template.rewrites(Site(node, "\n", "m.py", NOTHING)):
                yield apply_edits(before, rewrite.edits)


@pytest.mark.parametrize("kind", [*ONE_LINE, *MORE_LINES])
def test_reach(kind: str):
    """One edit of the catalogue makes the right text of the wrong one."""
    before, after = map(of_function, (ONE_LINE | MORE_LINES)[kind])
    assert is_valid(before)
    assert is_valid(after)
    assert after in reached(before)


def test_every_rewrite_changes_something():
    """No rewrite gives its text back: each is a candidate that costs a run."""
    for before, _ in (*ONE_LINE.values(), *MORE_LINES.values()):
        text = of_function(before)
        assert text not in reached(text)

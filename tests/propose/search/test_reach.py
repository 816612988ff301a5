"""Kinds of small faults from the literature: each is within what the catalogue makes.

The kinds are those of QuixBugs (Lin et al., 2017), of PySStuBs (Kamienski et al., 2021)
and of BugsInPy's one- and two-line fixes (Widyasari et al., 2020); the code is ours.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bonafix.propose.search.catalogue import BY_KIND
from bonafix.propose.search.context import Site
from bonafix.propose.search.known import NOTHING, Known
from bonafix.syntax import is_valid, parse, walk
from bonafix.text import apply_edits


def body(*lines: str, head: str = "def f(a, b, c):") -> str:
    return "\n".join([head, *(f"    {line}" for line in lines)]) + "\n"


# kind -> (a piece of a function, the piece of it that is wrong, as it should be)
QUIXBUGS = {
    "assignment operator": ("x = 1", "x += a", "x *= a", "return x"),
    "variable": ("for x in a:", "    g(a)", "    g(x)", ""),
    "comparison operator": ("", "if a < b:", "if a <= b:", "    return c"),
    "missing condition": ("", "if a[b] == c:", "if b < len(a) and a[b] == c:", "    g()"),
    "missing +1": ("", "return f(a + 1, b, c)", "return f(a + 1, b + 1, c)", ""),
    "surplus +1": ("", "return a[b + 1]", "return a[b]", ""),
    "variables swapped": ("", "return g(b, a)", "return g(a, b)", ""),
    "slice": ("", "return a[b:]", "return a[:b]", ""),
    "constant of a structure": ("", "x = []", "x = [[]]", "return x"),
    "method": ("x = []", "x.append(a)", "x.extend(a)", "return x"),
    "field": ("", "return a.left or a.left", "return a.left or a.right", "a.right"),
    "missing arithmetic": ("", "return a", "return a + b", "return a + b"),
    "missing call": ("", "return a", "return list(a)", ""),
    "missing line": ("x = []", "g(x)", "g(x)\n    x.append(a)", "x.append(b)"),
}

"""Two representations in, the first lines in which they differ out; pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

_SHORT = 60  # characters that are compared at a glance
_BEFORE, _AFTER = 20, 40  # characters around the first that differs
_LINES = 3


def difference(expected: str, actual: str) -> list[str]:
    """Where two representations begin to differ: a heading, then "-" and "+" lines.

    Nothing where both are one short line: they are shown whole beside each other.
    """
    old, new = expected.strip().splitlines(), actual.strip().splitlines()
    if old == new:
        return []
    if len(old) <= 1 and len(new) <= 1:
        return _within("".join(old), "".join(new))
    at = next(n for n, (a, b) in enumerate(zip_longest(old, new)) if a != b)
    return [f"first difference in line {at + 1}:", *_lines(old, new, at)]


def _lines(old: Sequence[str], new: Sequence[str], at: int) -> list[str]:
    """Some lines from `at` on, without those at the end that are the same again."""
    was, now = list(old[at : at + _LINES]), list(new[at : at + _LINES])
    while was and now and was[-1] == now[-1]:
        was.pop()
        now.pop()
    return [*(f"- {_cut(line)}" for line in was), *(f"+ {_cut(line)}" for line in now)]


def _within(expected: str, actual: str) -> list[str]:
    if max(len(expected), len(actual)) <= _SHORT:
        return []
    pairs = zip_longest(expected, actual)
    at = next(n for n, (a, b) in enumerate(pairs) if a != b)
    return [
        f"first difference at character {at + 1}:",
        f"- {_around(expected, at)}",
        f"+ {_around(actual, at)}",
    ]


def _around(text: str, at: int) -> str:
    start, end = max(0, at - _BEFORE), at + _AFTER
    head = "…" if start else ""
    return head + text[start:end] + ("…" if end < len(text) else "")


def _cut(line: str) -> str:
    return _around(line, 0) if len(line) > 2 * _SHORT else line

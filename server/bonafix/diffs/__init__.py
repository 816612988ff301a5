r"""Unified diffs to patches and back; pure, and true to the last byte.

Text is never decoded to be understood: a diff may mix encodings and line ends, and
every byte of a file that it does not change must stay.
"""

from bonafix.diffs.algebra import changed_lines, compose, rebase
from bonafix.diffs.hunks import Hunk, difference
from bonafix.diffs.parsing import outside, parse
from bonafix.diffs.rendering import render
from bonafix.diffs.sections import PatchError

__all__ = [
    "Hunk",
    "PatchError",
    "changed_lines",
    "compose",
    "difference",
    "outside",
    "parse",
    "rebase",
    "render",
]

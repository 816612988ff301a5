"""A number that was put in place of another, and those beside it that may do as well.

A threshold, a weight or a rank may be mended by any number of a whole range, as far as
the tests go: `40 -> 20` passes, and so do 21 and 30. Which of them is meant is nothing
that a test has said. Whoever passes, too, is asked by the gate: where it does the same
on all further inputs, the choice does not matter (equivalence partitioning: Myers, The
Art of Software Testing, 1979).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from bonafix.domain import Patch
from bonafix.propose.search.patches import Idea, patch_of

_WHOLE = re.compile(r"-?[0-9]+$")


def nearby(idea: Idea) -> Iterator[Patch]:
    """The idea with the numbers next to its own, and with the one half way back.

    Nothing where it is no whole number in place of another.
    """
    source, edits = idea.file.source, idea.rewrite.edits
    old = {source.text[start:end] for start, end, _ in edits}
    new = {text for _, _, text in edits}
    if len(old) != 1 or len(new) != 1:
        return
    before, after = old.pop(), new.pop()
    if not (_WHOLE.match(before) and _WHOLE.match(after)):
        return
    for number in _others(int(before), int(after)):
        moved = tuple((start, end, str(number)) for start, end, _ in edits)
        rewrite = dataclasses.replace(idea.rewrite, edits=moved)
        patch = patch_of(dataclasses.replace(idea, rewrite=rewrite))
        if patch is not None:
            yield patch


def _others(before: int, after: int) -> list[int]:
    """Half way back first: it is the farthest that may still be within the range."""
    numbers = dict.fromkeys(((before + after) // 2, after + 1, after - 1))
    signed = before < 0 or after < 0
    return [n for n in numbers if n not in {before, after} and (signed or n >= 0)]

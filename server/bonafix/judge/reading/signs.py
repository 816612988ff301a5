"""How much in a patch looks like a special case, for the stages that execute it."""

from __future__ import annotations

import enum

from bonafix.domain import Evidence


class Signs(enum.IntEnum):
    """What the static stage saw. None of it refuses, but it weighs on what is run."""

    NONE = 0
    SOME = 1  # it behaves otherwise for few inputs or occasions
    KNOWING = 2  # and it holds what only the tests know
    HIDING = 3  # and what it looks for, or holds, cannot be read in it


def signs(read: Evidence) -> Signs:
    """Of the static stage's record."""
    if read.facts.get("hiding"):
        return Signs.HIDING
    if read.facts.get("knowing"):
        return Signs.KNOWING
    return Signs.SOME if read.facts.get("structural") else Signs.NONE

"""What was seen at a spot fits more than one condition: who passes as well is named.

A condition made from values seen in the tests is one of all that fit these values. The
gate asks the others, too: where they do otherwise on further inputs, nothing but their
order spoke for the first of them, and it is a guess (in the manner of the ambiguity
that Le, Thung et al., S3, FSE 2017, and Xiong et al., ICSE 2018, find in such patches).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterator, Sequence

from bonafix.domain import Candidate, Patch
from bonafix.propose.search.edges import edges
from bonafix.propose.search.nearby import nearby
from bonafix.propose.search.patches import Idea, checked, patch_of
from bonafix.propose.search.source import Trial

TRIED = 8  # others that are run
KEPT = 3  # of them, that are named


async def likened(
    trial: Trial,
    ideas: Sequence[Idea],
    passes: Callable[[Candidate], Awaitable[bool]] | None,
) -> Candidate:
    """The candidate with others of `ideas` for its spot that pass all tests, too.

    `ideas` are those that were made from what was seen; a template of the catalogue
    has its own reason, and nobody is asked about it but where it puts a number in
    place of another: those beside it may have the same reason. `passes` is `None`
    where nobody wants to know.
    """
    if trial.idea is None or passes is None:
        return trial.candidate
    if not any(one is trial.idea for one in ideas):
        beside = await _passing(nearby(trial.idea), passes)
        return dataclasses.replace(trial.candidate, like=beside)
    others = _others(trial.idea, trial.candidate, ideas)
    found = await _passing(others, passes)
    unsettled = await _unsettled(trial.idea, passes)
    return dataclasses.replace(trial.candidate, like=found, unsettled=unsettled)


async def _passing(
    patches: Iterator[Patch], passes: Callable[[Candidate], Awaitable[bool]]
) -> tuple[Patch, ...]:
    """The first few of them that pass."""
    found: list[Patch] = []
    for patch in patches:
        if await passes(Candidate(patch=patch, author="search")):
            found.append(patch)
        if len(found) == KEPT:
            break
    return tuple(found)


async def _unsettled(idea: Idea, passes: Callable[[Candidate], Awaitable[bool]]) -> str:
    """What holds in no test, so that none tells a comparison from its neighbour."""
    for edge in edges(idea):
        if await passes(Candidate(patch=edge.patch, author="search")):
            return f"`{edge.equal}`, the edge of `{edge.where}`"
    return ""


def _others(idea: Idea, candidate: Candidate, ideas: Sequence[Idea]) -> Iterator[Patch]:
    """The best of the same template for the same place, each meaning once."""
    known, count = {checked(idea)}, 0
    for other in sorted(ideas, key=lambda one: -one.score):
        if not _same_place(idea, other) or count == TRIED:
            continue
        key, patch = checked(other), patch_of(other)
        if key is None or key in known or patch is None or patch == candidate.patch:
            continue
        known.add(key)
        count += 1
        yield patch


def _same_place(one: Idea, other: Idea) -> bool:
    """Whether both put something into the same place."""
    places = [tuple((a, b) for a, b, _ in i.rewrite.edits) for i in (one, other)]
    same = one.template is other.template and one.file.path == other.file.path
    return same and places[0] == places[1]

"""One run of the tests with questions in the suspicious places, and what follows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from bonafix.domain import Outcome, Runner, Task
from bonafix.errors import CollectionFailedError
from bonafix.propose.search.limits import Limits
from bonafix.propose.search.patches import Idea
from bonafix.propose.search.synthesis import made, spots
from bonafix.propose.search.valuing import value_spots, valued
from bonafix.propose.search.watching import Spot, seen, watched

_TRACED = 8.0  # times that a test may take while it is asked
_PASSED = frozenset({Outcome.PASSED, Outcome.XPASSED})


async def suggested(
    task: Task, run: Runner, limits: Limits, seconds: float
) -> list[Idea]:
    """Conditions, guards and values that fit what targets and passing tests show."""
    places = [*spots(task), *value_spots(task)]
    if not places or seconds <= 0:
        return []
    passing, watch = limits.running(_lines(places)), watched(places)
    try:
        done = await run(
            watch.files,
            select=(*limits.targets, *passing),
            record_lines=True,
            seconds=min(limits.neighbour_seconds, seconds),
            per_test=_TRACED * limits.per_test,
        )
    except CollectionFailedError:
        return []  # the questions do not fit there
    # What fails because it is asked says nothing of the code as it is.
    kept = frozenset(test for test in passing if done.outcome(test) in _PASSED)
    found = seen(watch, done, (*limits.targets, *kept))
    fitting = itertools.chain(
        made(task, places, found, kept), valued(task, places, found, kept)
    )
    return list(fitting)


def _lines(places: Sequence[Spot]) -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for spot in places:
        path, line = spot.file.path, spot.statement.first_line
        found[path] = found.get(path, frozenset()) | {line}
    return found

"""The quick look after a save: what a kept process says before the suite has run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bonafix.domain import Event, Listener
from bonafix.errors import BonafixError
from bonafix.lsp.findings import path_of
from bonafix.lsp.selecting import affected

if TYPE_CHECKING:
    from bonafix.lsp.state import ProjectLike, Root, State
    from bonafix.project import Observation


def changed(state: State, root: Root) -> dict[str, str]:
    """The texts of what was written or typed in since the last whole run."""
    texts = {path: state.documents.text(root.path / path) for path in root.touched}
    return {path: text for path, text in texts.items() if text is not None}


Show = Callable[["Observation", tuple[str, ...]], None]


async def look(
    state: State, root: Root, project: ProjectLike, show: Show
) -> tuple[Observation, tuple[str, ...]] | None:
    """What the affected tests do now, and whom that speaks for; if anyone can say.

    `show` gets the same on the way. A file of tests that has changed itself is run as
    a whole: it may hold new ones.
    """
    now = changed(state, root)
    whole = dict.fromkeys(path for path in now if root.known.below(path))
    tests = {*affected(root.known, now), *_doubtful(root)}
    ids = (test for test in root.known.collected if test in tests)
    wanted = (*whole, *(test for test in ids if path_of(test) not in whole))
    try:
        found = await project.glance(
            wanted,
            buffers=state.documents.unsaved(root.path),
            listen=_log(state, root),
            show=lambda found: show(found, tuple(found.run.results)),
        )
    except BonafixError as error:  # what is wrong, the run of the suite will say
        state.client.log(f"{root.path.name}: no quick answer: {error}")
        return None
    if found is None:
        return None
    ran = frozenset(found.run.collected)
    return found, tuple(one for one in wanted if one in whole or one in ran)


def _doubtful(root: Root) -> Iterator[str]:
    """Who failed in a part of the suite, on a text that is now another."""
    for finding in root.board.findings.values():
        if finding.stale:
            yield finding.test


def hold(state: State, root: Root, project: ProjectLike) -> None:
    """Have processes kept for the next save, for as long as there are any saves."""
    if root.holding is None or not root.holding.running:
        work = functools.partial(project.keep, _log(state, root))
        root.holding = state.jobs.start("keep", lambda _job: work(), root=root.path)


def summary(root: Root, observation: Observation) -> str:
    """What it said, for the log."""
    run = observation.run
    return (
        f"{root.path.name}: quick answer: {len(run.red):,} of {len(run.collected):,} "
        f"affected fail ({run.seconds:.2f} s)"
    )


def _log(state: State, root: Root) -> Listener:
    def listen(event: Event) -> None:
        state.client.log(f"{root.path.name}: {event.text}")

    return listen

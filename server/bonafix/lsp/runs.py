"""Runs of the suite: when one starts, which it replaces, what it shows."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from bonafix.config import RunWhen
from bonafix.domain import Listener
from bonafix.errors import BonafixError, ConfigurationError, UsageError
from bonafix.lsp.findings import findings, path_of
from bonafix.lsp.jobs import Job
from bonafix.lsp.progress import progress
from bonafix.lsp.state import ProjectLike, Root, State, publish, refresh

if TYPE_CHECKING:
    from bonafix.project import Observation


Selection = tuple[str, ...] | None  # node ids or files; `None` is the suite


def automatic(state: State, root: Root, when: frozenset[RunWhen]) -> None:
    """Run the suite if the settings want it at this moment."""
    try:
        wanted = state.config(root).run in when
    except ConfigurationError as error:
        complain(state, root, error)
        return
    if wanted:
        start(state, root, asked=False)


def start(
    state: State, root: Root, *, select: Sequence[str] | None = None, asked: bool
) -> Job:
    """Start a run of the suite, or of `select`; a newer run replaces an older.

    `asked`: a person wants this one, so it does not wait for further saves.
    """
    chosen = None if select is None else tuple(select)
    if root.run and root.run.running:
        # What the older one would have shown or said must not get lost with it.
        asked = asked or root.asked
        both = root.selected is not None and chosen is not None
        chosen = tuple({*(root.selected or ()), *(chosen or ())}) if both else None
        state.jobs.cancel([root.run])
    root.selected, root.asked = chosen, asked
    work = functools.partial(_run, state, root, chosen, asked=asked)
    root.run = state.jobs.start("run", work, root=root.path)
    return root.run


def selection(root: Root, path: str) -> Selection:
    """What to run for one file: itself if it holds tests, else the suite."""
    name = PurePosixPath(path).name
    looks = name.startswith("test_") or name.endswith("_test.py")
    return (path,) if path in root.test_files or looks else None


async def _run(
    state: State,
    root: Root,
    select: Selection,
    job: Job,
    *,
    asked: bool,
) -> None:
    if not asked:
        await asyncio.sleep(state.timing.settle)
    try:
        settings = state.config(root)
        root.engine = settings.engine
        trusted = settings.trust or await state.trust.allows(root.path, again=asked)
        if not trusted:
            if asked:
                state.client.inform(f"nothing was run: {root.path} is not trusted")
            return
        async with root.running:  # until the one before has ended its processes
            project = state.open_project(root.path, settings)
            title = "running tests"
            cancel = functools.partial(state.jobs.cancel, [job])
            async with progress(state.client, title, state.cancels, cancel) as report:
                found = await _observe(state, root, project, select, report)
    except ConfigurationError as error:
        complain(state, root, error, again=asked)
        return
    except BonafixError as error:
        _failed(state, root, error)
        return
    root.complaint = ""
    _show(state, root, *found)


async def _observe(
    state: State,
    root: Root,
    project: ProjectLike,
    select: Selection,
    listen: Listener,
) -> tuple[Observation, Selection]:
    """Run what is selected; the suite where a selected file holds no test."""
    buffers = state.documents.unsaved(root.path)
    try:
        chosen = await project.observe(buffers=buffers, select=select, listen=listen)
    except UsageError:
        if select is None or all("::" in one for one in select):
            raise
        return await project.observe(buffers=buffers, listen=listen), None
    return chosen, select


def complain(
    state: State, root: Root, error: ConfigurationError, *, again: bool = False
) -> None:
    """Show a configuration error once, not at every save."""
    text = str(error)
    if again or text != root.complaint:
        root.complaint = text
        state.client.complain(f"{text} Nothing is run in {root.path} until then.")


def _failed(state: State, root: Root, error: BonafixError) -> None:
    """The suite could not be run: say so, and that what is shown is from before."""
    text = f"the tests of {root.path.name} could not be run: {error}"
    if text == root.complaint:
        state.client.log(text)
    else:
        root.complaint = text
        state.client.complain(text)
    root.board.mark_stale()
    refresh(state, root, root.board.paths())
    publish(state, root)


def _show(
    state: State, root: Root, observation: Observation, select: Selection
) -> None:
    run = observation.run
    before = root.board.paths()
    root.test_files |= {path_of(test) for test in run.collected}
    root.board.update(findings(observation), covered(select, run.collected))
    for path in state.documents.open:  # they may have been typed into meanwhile
        if path.is_relative_to(root.path):
            follow(state, root, path.relative_to(root.path).as_posix())
    refresh(state, root, before | root.board.paths())
    publish(state, root)
    state.client.log(_summary(root, observation))


def follow(state: State, root: Root, path: str) -> frozenset[str]:
    """Bring the board to a file's text as it is now, if the board knows the file."""
    text = state.documents.text(root.path / path)
    if text is None or not root.board.knows(path):
        return frozenset()
    return root.board.edit(path, text)


def covered(
    select: Sequence[str] | None, collected: Sequence[str]
) -> Callable[[str], bool]:
    """Whether a run of `select` speaks for a test, be it that it vanished."""
    if select is None:
        return lambda _test: True
    ran, chosen = frozenset(collected), frozenset(select)

    def speaks(test: str) -> bool:
        parts = test.split("::")
        above = {"::".join(parts[:n]) for n in range(1, len(parts) + 1)}
        plain = test.partition("[")[0]
        return test in ran or plain in chosen or bool(above & chosen)

    return speaks


def _summary(root: Root, observation: Observation) -> str:
    run = observation.run
    failing, errors = len(run.red), len(run.collection_errors)
    parts = [f"{root.path.name}: {len(run.collected):,} tests, {failing:,} failing"]
    if errors:
        parts.append(f"{errors} files cannot be collected")
    return f"{', '.join(parts)} ({run.seconds:.1f} s)"

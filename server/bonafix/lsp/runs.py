"""Runs of the suite: when one starts, which it replaces, what it shows."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from bonafix.config import RunWhen
from bonafix.domain import Event
from bonafix.errors import BonafixError, ConfigurationError, UsageError
from bonafix.lsp import quick, telling
from bonafix.lsp.findings import findings, seen_by
from bonafix.lsp.jobs import Job
from bonafix.lsp.progress import Report, progress
from bonafix.lsp.publishing import publish, refresh
from bonafix.lsp.selecting import (
    Known,
    Pick,
    Selection,
    affected,
    by_name,
    covered,
    resolve,
)
from bonafix.lsp.state import ProjectLike, Root, State
from bonafix.text import view

if TYPE_CHECKING:
    from bonafix.project import Observation


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
    wait = 0.0
    if root.run and root.run.running:
        # The first of several saves is looked at at once, the others together.
        wait = 0.0 if asked else state.timing.settle
        # What the older one would have shown or said must not get lost with it.
        asked = asked or root.asked
        both = root.selected is not None and chosen is not None
        chosen = tuple({*(root.selected or ()), *(chosen or ())}) if both else None
        state.jobs.cancel([root.run])
    root.selected, root.asked = chosen, asked
    work = functools.partial(_run, state, root, chosen, asked=asked, wait=wait)
    root.run = state.jobs.start("run", work, root=root.path)
    return root.run


async def _run(
    state: State,
    root: Root,
    select: Selection,
    job: Job,
    *,
    asked: bool,
    wait: float,
) -> None:
    begun = asyncio.get_running_loop().time()
    if wait:
        await asyncio.sleep(wait)
    try:
        settings = state.config(root)
        root.wanted = settings
        trusted = settings.trust or await state.trust.allows(root.folder, again=asked)
        if not trusted:
            if asked:
                state.client.inform(f"nothing was run: {root.path} is not trusted")
            return
        project = state.open_project(root.path, settings)
        if not asked:
            await _glance(state, root, project, job)
            spent = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(max(0.0, state.timing.settle - spent))
        title = "running tests"
        cancel = functools.partial(state.jobs.cancel, [job])
        shown = progress(state.client, title, job.id, state.cancels, cancel)
        async with shown as report:
            if state.running.taken(root.path):
                report.say("waiting for the run before it")
            # Its own is over once all of its processes have ended.
            async with state.running.of(root.path):
                await _observe(state, root, project, select, report)
    except ConfigurationError as error:
        complain(state, root, error, again=asked)
    except BonafixError as error:
        _failed(state, root, error)


async def _observe(
    state: State,
    root: Root,
    project: ProjectLike,
    select: Selection,
    report: Report,
) -> None:
    """Run what is selected and show it; of the suite, what is affected first."""
    first = _first(state, root) if select is None else ()
    if first:
        report(Event(kind="stage", text=f"the {len(first):,} affected tests first"))
        # What is wrong with a part, the run of the whole will say.
        with contextlib.suppress(BonafixError):
            await _once(state, root, project, first, report)
    ran = await _once(state, root, project, select, report)
    if ran and select is None:
        quick.hold(state, root, project)


async def _glance(state: State, root: Root, project: ProjectLike, job: Job) -> None:
    """Show what can be said at once; the run of the suite follows in any case."""

    def show(found: Observation, select: tuple[str, ...]) -> None:
        _show(state, root, found, select)

    seen = await quick.look(state, root, project, show)
    if seen is not None:
        found, select = seen
        _show(state, root, found, select)
        state.client.log(quick.summary(root, found))
        await _tell(state, root, found, job=job.id, whole=False)


def _first(state: State, root: Root) -> tuple[str, ...]:
    """The tests that the changes since the last whole run affect.

    None where the suite is through as quickly, or most of it is affected.
    """
    known = root.known
    if known.seconds < state.timing.long:
        return ()
    tests = affected(known, quick.changed(state, root))
    return tests if 2 * len(tests) <= len(known.collected) else ()


async def _once(
    state: State,
    root: Root,
    project: ProjectLike,
    select: Selection,
    report: Report,
) -> bool:
    """Run and show; whether any test ran.

    A file whose tests are no longer what they were goes by name.
    """
    pick = resolve(select, root.known, lambda p: state.documents.text(root.path / p))
    observe = functools.partial(
        project.observe,
        buffers=state.documents.unsaved(root.path),
        broken=True,
        listen=report,
        show=_underway(state, root),
    )
    try:
        found = await observe(select=pick.ids, expression=pick.expression)
    except UsageError:
        if select is None or all("::" in one for one in select):
            raise
        pick = by_name(select)
        found = await observe(expression=pick.expression)
    broken = tuple(error.id for error in found.run.collection_errors)
    if broken and not found.run.results:
        _stopped_at(state, root, broken)
        _show(state, root, found, broken)
        await _tell(state, root, found, job=report.job, whole=False)
        return False
    root.complaint = ""
    _show(state, root, found, None if pick == Pick() else select)
    state.client.log(_summary(root, found))
    await _tell(state, root, found, job=report.job, whole=pick == Pick())
    return True


def _underway(state: State, root: Root) -> Callable[[Observation], None]:
    """Shows who fails while others still run; who is shown already stays as it is."""
    known = {f.test for f in root.board.findings.values() if not f.stale}

    def show(found: Observation) -> None:
        new = {i: r for i, r in found.run.results.items() if i not in known}
        if new:
            run = replace(found.run, results=new, collected=tuple(new))
            _show(state, root, replace(found, run=run), run.collected)

    return show


def _stopped_at(state: State, root: Root, broken: tuple[str, ...]) -> None:
    """Nothing ran but what is broken was found: say so once; the rest is of before."""
    more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
    text = f"{broken[0]}{more} cannot be collected: no test of {root.path.name} ran"
    if text != root.complaint:
        root.complaint = text
        state.client.warn(text)
    root.board.mark_stale()


async def _tell(
    state: State, root: Root, observation: Observation, *, job: str, whole: bool
) -> None:
    """Every test's result, to a client that asked for that."""
    if not state.client.abilities.results:
        return
    at = telling.files(
        seen_by(observation),
        lambda path: state.documents.uri(root.path / path),
        lambda path: state.documents.text(root.path / path),
    )
    for message in telling.results(observation.run, at, job=job, whole=whole):
        state.client.tell(telling.RESULTS, {"root": root.uri, **message})
        await asyncio.sleep(0)  # of very many, nobody else is to wait for the last


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
        state.client.log(text, types.MessageType.Error)
    else:
        root.complaint = text
        state.client.complain(text)
    root.board.mark_stale()
    refresh(state, root, root.board.paths())
    publish(state, root)


def _show(
    state: State, root: Root, observation: Observation, select: Selection
) -> None:
    run, found = observation.run, findings(observation, state.client.redact)
    before = root.board.paths()
    if select is None:
        root.known = Known(
            collected=run.collected,
            lines=run.lines,
            seen=seen_by(observation),
            seconds=run.seconds,
        )
        root.touched = {path for path in root.touched if _newer(state, root, path)}
    root.board.update(found, covered(select, run.collected))
    for path in state.documents.open:  # they may have been typed into meanwhile
        if path.is_relative_to(root.path):
            follow(state, root, path.relative_to(root.path).as_posix())
    refresh(state, root, before | root.board.paths())
    publish(state, root)


def _newer(state: State, root: Root, path: str) -> bool:
    """Whether a file is no longer what the last whole run saw."""
    text = state.documents.text(root.path / path)
    return text is not None and view(text) != root.known.seen.text(path)


def follow(state: State, root: Root, path: str) -> frozenset[str]:
    """Bring the board to a file's text as it is now, if the board knows the file."""
    text = state.documents.text(root.path / path)
    if text is None or not root.board.knows(path):
        return frozenset()
    return root.board.edit(path, text)


def _summary(root: Root, observation: Observation) -> str:
    run = observation.run
    failing, errors = len(run.red), len(run.collection_errors)
    parts = [f"{root.path.name}: {len(run.collected):,} tests, {failing:,} failing"]
    if errors:
        parts.append(f"{errors} files cannot be collected")
    return f"{', '.join(parts)} ({run.seconds:.1f} s)"

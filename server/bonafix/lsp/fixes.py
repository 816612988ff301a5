"""Fix jobs: from the command to a repair that is offered, or the reason for none."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Mapping
from pathlib import Path

from lsprotocol import types

from bonafix.config import Config
from bonafix.domain import Judgement, Repair, Verdict
from bonafix.errors import BonafixError
from bonafix.lsp.actions import Choice, JobView, Offer, Standing
from bonafix.lsp.arguments import Fix
from bonafix.lsp.edits import UndeliverableError, landed, unmoved, workspace_edit
from bonafix.lsp.findings import short_name
from bonafix.lsp.jobs import Job
from bonafix.lsp.landing import deliver
from bonafix.lsp.progress import progress
from bonafix.lsp.runs import automatic
from bonafix.lsp.state import Root, State, publish, refresh
from bonafix.lsp.wording import choices, ending, label

# The variables that the model's SDK takes credentials from.
_CREDENTIALS = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_PROFILE",
    "ANTHROPIC_IDENTITY_TOKEN",
    "ANTHROPIC_IDENTITY_TOKEN_FILE",
)


def start(state: State, root: Root, request: Fix) -> Job:
    """Start work on a test; the same test is not worked on twice at once.

    Raises:
        ConfigurationError: the engine or the thinking asked for makes no sense.
    """
    running = state.jobs.by_test.get((root.path, request.test))
    if running and running.running:
        return running
    asked = {"engine": request.engine, "thinking": request.thinking}
    extra = {key: value for key, value in asked.items() if value is not None}
    state.config(root, extra)
    work = functools.partial(_fix, state, root, request, extra)
    return state.jobs.start("fix", work, root=root.path, test=request.test)


async def _fix(
    state: State, root: Root, request: Fix, extra: Mapping[str, object], job: Job
) -> None:
    name = short_name(request.test)
    try:
        config = state.config(root, extra)
        if not (config.trust or await state.trust.allows(root.path, again=True)):
            state.client.inform(f"{name} was not worked on: {root.path} is not trusted")
            return
        job.repair = await _repair(state, root, request.test, config, job)
    except BonafixError as error:
        state.client.complain(f"no fix for {name}: {error}")
        return
    await _conclude(state, root, request, config, job)


async def _repair(
    state: State, root: Root, test: str, config: Config, job: Job
) -> Repair:
    """The one repair that a single test gets."""
    cancel = functools.partial(state.jobs.cancel, [job])
    title = f"fixing {short_name(test)}"
    async with progress(state.client, title, state.cancels, cancel) as report:
        if root.fixing.locked():
            report.say("waiting for the fix before it")
        async with root.fixing:  # two at once would only slow each other down
            project = state.open_project(root.path, config)
            buffers = state.documents.unsaved(root.path)
            stream = project.fix(tests=[test], buffers=buffers, listen=report)
            async with contextlib.aclosing(stream):
                async for repair in stream:
                    if any(target.id == test for target in repair.targets):
                        return repair
    raise BonafixError("it does not fail any more")


async def _conclude(
    state: State, root: Root, request: Fix, config: Config, job: Job
) -> None:
    repair = job.repair
    assert repair is not None
    text = ending(repair, request.test)
    offered = choices(repair)
    if not offered:
        state.client.warn(text)
        return
    findings = root.board.findings
    paths = {findings[t.id].spot.path for t in repair.targets if t.id in findings}
    refresh(state, root, frozenset(paths))
    publish(state, root)  # so that clients ask for the actions again
    best = offered[0]
    if request.auto_apply and _may_apply(best, config):
        state.client.inform(text)
        await deliver(state, root, best)
        return
    say = state.client.inform if best.verdict.accepted else state.client.warn
    say(f"{text} Apply it with the quick fix on the failing line.")


def _may_apply(judgement: Judgement, config: Config) -> bool:
    if judgement.verdict is Verdict.VERIFIED:
        return True
    return config.accept == "plausible" and judgement.verdict is Verdict.PLAUSIBLE


# ------------------------------------------------------------------- what is offered


def offer(state: State, root: Root) -> Offer:
    """What code actions in `root` need to know, at the moment they are asked for."""
    return Offer(
        root=root.uri,
        job=functools.partial(_view, state, root),
        claude=any(os.environ.get(name) for name in _CREDENTIALS),
    )


def _view(state: State, root: Root, test: str) -> JobView | None:
    job = state.jobs.by_test.get((root.path, test))
    if job is None or (not job.running and job.repair is None):
        return None
    if job.running and job.repair is None:
        return JobView(job.id, running=True)
    offered = enumerate(choices(job.repair))
    shown = tuple(_choice(state, root, number, each) for number, each in offered)
    return JobView(job.id, running=False, choices=shown, has_evidence=True)


def _choice(state: State, root: Root, number: int, judgement: Judgement) -> Choice:
    standing, edit = _standing(state, root, judgement)
    verified = judgement.verdict.accepted
    return Choice(number, label(judgement), verified, standing, edit)


def _standing(
    state: State, root: Root, judgement: Judgement
) -> tuple[Standing, types.WorkspaceEdit | None]:
    patch, look = judgement.candidate.patch, state.look(root)
    if landed(patch, look):
        return "applied", None
    if not unmoved(patch, look):
        return "moved", None
    try:
        return "ready", workspace_edit(patch, look, state.client.abilities)
    except UndeliverableError:
        return "undeliverable", None


def noticed(state: State, root: Root, path: Path) -> None:
    """After a change of `path`: run the suite once a ready fix has been applied."""
    name = path.relative_to(root.path).as_posix()
    for job in state.jobs.of(root.path):
        patches = [judgement.candidate.patch for judgement in choices(job.repair)]
        touching = [patch for patch in patches if name in patch.paths]
        if not touching:
            continue
        applied = any(landed(patch, state.look(root)) for patch in touching)
        if applied and not job.seen_applied:
            automatic(state, root, frozenset({"on-save", "on-open"}))
        job.seen_applied = applied

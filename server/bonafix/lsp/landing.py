"""A judged patch in, its text in the client's buffers out, or a message why not."""

from __future__ import annotations

import asyncio
import functools
import time

from lsprotocol import types

from bonafix.domain import Judgement, Repair
from bonafix.lsp.client import UnansweredError
from bonafix.lsp.edits import (
    Base,
    Look,
    Stand,
    UndeliverableError,
    landed,
    unmoved,
    workspace_edit,
)
from bonafix.lsp.jobs import Job
from bonafix.lsp.state import Root, State
from bonafix.lsp.wording import choices, described, numbers

_POLL = 0.1  # seconds


def standing(
    state: State,
    root: Root,
    job: Job,
    judgement: Judgement,
    look: Look | None = None,
) -> Stand:
    """Ready only if every file that it touches or was judged on is what it was.

    `look`: how the files stand, where several are asked about at the same moment.
    """
    patch = judgement.candidate.patch
    look = look or functools.cache(state.look(root))
    if landed(patch, look):
        return Stand("applied", reason="it is applied already")
    why = moved(look, job.base, job.repair, judgement) if job.repair else ""
    if why:
        return Stand("moved", reason=f"{why}; fix it again")
    try:
        edit = workspace_edit(patch, look, state.client.abilities)
    except UndeliverableError as error:
        return Stand("undeliverable", reason=str(error))
    return Stand("ready", edit)


def moved(look: Look, base: Base | None, repair: Repair, judgement: Judgement) -> str:
    """What has changed since a patch was judged; "" if nothing that matters."""
    patch = judgement.candidate.patch
    if not unmoved(patch, look):
        return f"{', '.join(patch.paths)} has changed since the fix was judged"
    tests = [target.id for target in repair.targets]
    if base and not base.unmoved(tests, patch.paths, look):
        return "what its tests run has changed since it was judged"
    return ""


def offered(state: State, job: Job) -> list[dict[str, object]]:
    """The candidates of an ended fix that may be applied, as a client may list them.

    Best first; "ready" says whether it fits the text as it is now, "reason" why not.
    """
    root = state.roots.get(job.root) if job.root else None
    if root is None:
        return []
    look = functools.cache(state.look(root))
    listed = []
    for number, judgement in enumerate(choices(job.repair)):
        now = standing(state, root, job, judgement, look)
        about = described(judgement, state.client.redact)
        ready = {"ready": now.kind == "ready", "reason": now.reason}
        listed.append({"candidate": number, **about, **ready})
    return listed


async def deliver(state: State, root: Root, job: Job, judgement: Judgement) -> None:
    """Apply it through the client, and believe only the text that follows."""
    async with root.delivering:  # twice at once would be one patch made twice
        await _deliver(state, root, job, judgement)


async def _deliver(state: State, root: Root, job: Job, judgement: Judgement) -> None:
    # Nothing is awaited between the look at the text and the request.
    now = standing(state, root, job, judgement)
    if now.edit is None:
        state.client.warn(f"the fix was not applied: {now.reason}")
        return
    params = types.ApplyWorkspaceEditParams(edit=now.edit, label="Bonafix")
    refused = await _refusal(state, params)
    if refused and not await _seen(state, root, judgement, seconds=0):
        state.client.warn(f"the fix was not applied: {refused}")
    else:
        await confirm(state, root, judgement)


async def confirm(state: State, root: Root, judgement: Judgement) -> None:
    """Say whether an edit that the client claims to have made is in the text."""
    if await _seen(state, root, judgement, seconds=state.timing.landing):
        state.client.inform(f"applied {judgement.verdict} fix: {numbers(judgement)}")
        return
    files = ", ".join(judgement.candidate.patch.paths)
    state.client.warn(
        f"the edit was made, says the editor, but {files} does not have the fixed "
        "text as far as it is known here. Look at it, then save it or undo."
    )


async def _refusal(state: State, params: types.ApplyWorkspaceEditParams) -> str:
    """Why the client did not take the edit; "" if it said that it did."""
    try:
        answer = await state.client.request(
            types.WORKSPACE_APPLY_EDIT, params, seconds=state.timing.question
        )
    except UnansweredError as error:
        return f"the editor did not take the edit: {error}"
    if isinstance(answer, types.ApplyWorkspaceEditResult) and answer.applied:
        return ""
    reason = getattr(answer, "failure_reason", None)
    return f"the editor refused the edit{f': {reason}' if reason else ''}"


async def _seen(
    state: State, root: Root, judgement: Judgement, *, seconds: float
) -> bool:
    """Whether the fixed text is there within `seconds`."""
    patch, look = judgement.candidate.patch, state.look(root)
    end = time.monotonic() + seconds
    while not landed(patch, look):
        if time.monotonic() >= end:
            return False
        await asyncio.sleep(_POLL)
    return True

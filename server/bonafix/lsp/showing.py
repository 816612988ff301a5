"""Pages for the user: the evidence of a job, the doctor's findings."""

from __future__ import annotations

import asyncio
import functools

from lsprotocol import types
from pygls.uris import from_fs_path

from bonafix.config import state_dir
from bonafix.errors import BonafixError
from bonafix.lsp.client import UnansweredError
from bonafix.lsp.jobs import Job
from bonafix.lsp.progress import progress
from bonafix.lsp.state import Root, State

_KEPT = 50  # pages


async def present(state: State, name: str, headline: str, page: str) -> None:
    """Open `page` (Markdown) in the editor; where it cannot, put it in the log."""
    if not (state.client.abilities.show_document and await _open(state, name, page)):
        state.client.log(page)
        state.client.inform(f"{headline} (the whole of it is in the log)")


async def _open(state: State, name: str, page: str) -> bool:
    folder = state_dir() / "pages"
    path = folder / f"{name}.md"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(page, encoding="utf-8")
        pages = sorted(folder.glob("*.md"), key=lambda p: p.stat().st_mtime)
        for old in pages[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return False
    params = types.ShowDocumentParams(uri=from_fs_path(str(path)) or "")
    try:
        answer = await state.client.request(types.WINDOW_SHOW_DOCUMENT, params)
    except UnansweredError:
        return False
    return isinstance(answer, types.ShowDocumentResult) and answer.success


def doctor(state: State, root: Root) -> Job:
    """Start `bonafix doctor` for a root; its findings are shown when it is done."""
    work = functools.partial(_doctor, state, root)
    return state.jobs.start("doctor", work, root=root.path)


async def _doctor(state: State, root: Root, job: Job) -> None:
    cancel = functools.partial(state.jobs.cancel, [job])
    try:
        config = state.config(root)
        # It runs the project's interpreter, so it needs the same consent.
        if not (config.trust or await state.trust.allows(root.folder, again=True)):
            return
        shown = progress(state.client, "doctor", job.id, state.cancels, cancel)
        async with shown:
            async with asyncio.timeout(state.timing.doctor):
                page = await state.examine(root.path, config)
    except TimeoutError:
        state.client.complain(f"the doctor found no end in {root.path}")
        return
    except BonafixError as error:
        state.client.complain(str(error))
        return
    name = f"doctor-{root.path.name}"
    await present(state, name, f"looked at {root.path}", page)

"""What the client asks for while its user reads and types; answered from what is known.

Of diagnostics only: where the client asks for them itself, a question about the whole
workspace is held until there is something new, so that nobody polls.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from lsprotocol import types

from bonafix.lsp import fixes
from bonafix.lsp.actions import actions, wanted
from bonafix.lsp.diagnostics import SOURCE, touching
from bonafix.lsp.documents import file_path
from bonafix.lsp.lenses import lenses
from bonafix.lsp.publishing import diagnostics
from bonafix.lsp.session import Server
from bonafix.lsp.state import Root, State
from bonafix.lsp.wire import Json, Text, Wire, array, gently, holding

_NOTHING = Text("[]")


async def code_action(ls: Server, params: types.CodeActionParams) -> Json:
    """Answer from what is known; only the edits of ready fixes are worked out."""
    state = ls.state
    root, path = _where(state, params.text_document.uri)
    if root is None or not wanted(params.context.only):
        return Json()
    named = {str(d.code) for d in params.context.diagnostics if d.source == SOURCE}
    here = root.board.at(path, touching(params.range, named))
    return actions(here, params.range.start.line, fixes.offer(state, root), named)


async def code_lens(ls: Server, params: types.CodeLensParams) -> Text:
    """Every failing test that is defined in this file.

    What was answered before is answered again if neither the failures, nor the jobs,
    nor what becomes of their fixes in the text as it is have changed.
    """
    root, path = _where(ls.state, params.text_document.uri)
    if root is None:
        return _NOTHING
    views = fixes.views(ls.state, root)
    now = (root.board.revision, ls.state.jobs.revision, views)
    before, answer = root.lenses.get(path, (None, _NOTHING))
    if before != now:
        found = lenses(root.board.at(path), fixes.offer(ls.state, root))
        answer = await gently(found)
        root.lenses[path] = (now, answer)
    return answer


async def diagnostic(ls: Server, params: types.DocumentDiagnosticParams) -> Text:
    """The diagnostics of one file, or that they are what they were."""
    root, path = _where(ls.state, params.text_document.uri)
    shown = await _shown(ls.state, root, path)
    now = _digest(shown)
    if params.previous_result_id == now:
        return holding({"kind": "unchanged"}, "resultId", Text(f'"{now}"'))
    return holding({"kind": "full", "resultId": now}, "items", shown)


async def workspace_diagnostic(
    ls: Server, params: types.WorkspaceDiagnosticParams
) -> Text:
    """What differs from what the client has, as soon as anything does."""
    known = {before.uri: before.value for before in params.previous_result_ids}
    while True:
        news = ls.state.news
        reports = [report async for report in _differing(ls.state, known)]
        if reports or ls.left.is_set() or ls.clean:
            return holding({}, "items", array(reports))
        await news.wait()


async def _differing(state: State, known: dict[str, str]) -> AsyncIterator[Text]:
    files = {
        state.documents.uri(root.path / path): (root, path)
        for root in state.roots.values()
        for path in root.board.paths()
        if state.root_of(root.path / path) is root
    }
    for uri in sorted({*files, *known}):
        root, path = files.get(uri, (None, ""))
        full = file_path(uri)
        version = state.documents.version(full) if full else None  # of what is pinned
        shown = await _shown(state, root, path)
        now = _digest(shown)
        if known.get(uri, _digest(_NOTHING)) != now:
            head: Wire = {"kind": "full", "uri": uri, "version": version}
            yield holding({**head, "resultId": now}, "items", shown)


async def _shown(state: State, root: Root | None, path: str) -> Text:
    if root is None:
        return _NOTHING
    return await gently(diagnostics(state, root, root.board.at(path)))


def _digest(shown: Text) -> str:
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


def _where(state: State, uri: str) -> tuple[Root | None, str]:
    """The root that holds a file, and the file's path in it."""
    path: Path | None = file_path(uri)
    root = state.root_of(path) if path else None
    if path is None or root is None:
        return None, ""
    return root, path.relative_to(root.path).as_posix()

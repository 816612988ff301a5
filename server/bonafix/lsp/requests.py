"""What the client asks for while its user reads and types; answered from what is known.

Of diagnostics only: where the client asks for them itself, a question about the whole
workspace is held until there is something new, so that nobody polls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types

from bonafix.lsp import fixes
from bonafix.lsp.actions import actions, wanted
from bonafix.lsp.diagnostics import SOURCE, touching
from bonafix.lsp.documents import file_path
from bonafix.lsp.lenses import Json, lenses
from bonafix.lsp.session import Server
from bonafix.lsp.state import Root, State, diagnostics

PULL = types.DiagnosticOptions(
    identifier=SOURCE, inter_file_dependencies=True, workspace_diagnostics=True
)

Report = (
    types.RelatedFullDocumentDiagnosticReport
    | types.RelatedUnchangedDocumentDiagnosticReport
)


async def code_action(
    ls: Server, params: types.CodeActionParams
) -> list[types.CodeAction]:
    """Answer from what is known; only the edits of ready fixes are worked out."""
    state = ls.state
    root, path = _where(state, params.text_document.uri)
    if root is None or not wanted(params.context.only):
        return []
    named = {str(d.code) for d in params.context.diagnostics if d.source == SOURCE}
    here = root.board.at(path, touching(params.range, named))
    return actions(diagnostics(state, root, here), fixes.offer(state, root))


async def code_lens(ls: Server, params: types.CodeLensParams) -> Json:
    """Every failing test that is defined in this file."""
    root, path = _where(ls.state, params.text_document.uri)
    if root is None:
        return Json()
    return lenses(root.board.at(path), fixes.offer(ls.state, root))


async def diagnostic(ls: Server, params: types.DocumentDiagnosticParams) -> Report:
    """The diagnostics of one file, or that they are what they were."""
    root, path = _where(ls.state, params.text_document.uri)
    shown = [] if root is None else diagnostics(ls.state, root, root.board.at(path))
    now = _digest(shown)
    if params.previous_result_id == now:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=now)
    return types.RelatedFullDocumentDiagnosticReport(items=shown, result_id=now)


async def workspace_diagnostic(
    ls: Server, params: types.WorkspaceDiagnosticParams
) -> types.WorkspaceDiagnosticReport:
    """What differs from what the client has, as soon as anything does."""
    known = {before.uri: before.value for before in params.previous_result_ids}
    while True:
        news = ls.state.news
        reports = list(_differing(ls.state, known))
        if reports or ls.left.is_set() or ls.clean:
            return types.WorkspaceDiagnosticReport(items=reports)
        await news.wait()


def _differing(
    state: State, known: dict[str, str]
) -> Iterator[types.WorkspaceFullDocumentDiagnosticReport]:
    files = {
        state.documents.uri(root.path / path): (root, path)
        for root in state.roots.values()
        for path in root.board.paths()
        if state.root_of(root.path / path) is root
    }
    for uri in sorted({*files, *known}):
        root, path = files.get(uri, (None, ""))
        shown = [] if root is None else diagnostics(state, root, root.board.at(path))
        now = _digest(shown)
        if known.get(uri, _digest([])) != now:
            full = file_path(uri)
            yield types.WorkspaceFullDocumentDiagnosticReport(
                uri=uri,
                items=shown,
                result_id=now,
                version=state.documents.version(full) if full else None,
            )


def _digest(shown: list[types.Diagnostic]) -> str:
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def _where(state: State, uri: str) -> tuple[Root | None, str]:
    """The root that holds a file, and the file's path in it."""
    path: Path | None = file_path(uri)
    root = state.root_of(path) if path else None
    if path is None or root is None:
        return None, ""
    return root, path.relative_to(root.path).as_posix()

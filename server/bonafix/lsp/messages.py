"""What each message of the protocol does; commands are next door."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path

from bonafix.config import RunWhen
from bonafix.lsp import fixes, runs, settings
from bonafix.lsp.client import UnansweredError
from bonafix.lsp.documents import Document, changed, file_path
from bonafix.lsp.jobs import Job
from bonafix.lsp.projects import projects
from bonafix.lsp.publishing import refresh, withdraw
from bonafix.lsp.session import Server
from bonafix.lsp.state import Root, State

logger = logging.getLogger(__name__)

_OPENING: frozenset[RunWhen] = frozenset({"on-open", "on-save"})

# ---------------------------------------------------------------- coming and going


def introduce(ls: Server, state: State) -> None:
    """What the client said of itself, and a root for each project that is open."""
    params = ls.introduction
    if params is None:
        return
    state.options = params.initialization_options
    state.trust.everything |= settings.trusted(state.options)
    uris = [folder.uri for folder in params.workspace_folders or ()]
    if not uris and ls.workspace.root_uri:
        uris = [ls.workspace.root_uri]
    for uri in uris:
        _add_folder(state, uri)


def _add_folder(state: State, uri: str) -> None:
    """A root for each project in it; most folders are one."""
    folder = file_path(uri)
    if folder is None:
        return
    for path in projects(folder, settings.projects(state.options)):
        own = uri if path == folder else from_fs_path(str(path)) or ""
        state.roots.setdefault(path, Root(path=path, uri=own, folder=folder))


async def initialized(ls: Server, _params: types.InitializedParams) -> None:
    """Fetch the settings, then run what is to be run when a workspace opens."""
    ls.state.jobs.start("start", functools.partial(_begin, ls.state))


async def _begin(state: State, _job: Job) -> None:
    await _register(state)
    await _fetch_settings(state)
    await state.warm()
    if not state.roots:
        text = "no folder is open, so no tests are run"
        state.client.log(text, types.MessageType.Warning)
    state.ready = True
    for root in list(state.roots.values()):
        _opened(state, root)


def _opened(state: State, root: Root) -> None:
    """Run it, if that is wanted; one of several projects once a file of it is open.

    Else a large repository would run all there is, for the sake of one file.
    """
    several = any(
        r.folder == root.folder for r in state.roots.values() if r is not root
    )
    looked_at = any(path.is_relative_to(root.path) for path in state.documents.open)
    if state.ready and not root.begun and (looked_at or not several):
        root.begun = True
        runs.automatic(state, root, _OPENING)


async def _register(state: State) -> None:
    """Ask to be told of changed settings, and of files changed by other programs."""
    able = state.client.abilities
    wishes = []
    if able.register_configuration:
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        options = types.DidChangeConfigurationRegistrationOptions(settings.SECTION)
        wishes.append(types.Registration("settings", method, options))
    if able.register_watching:
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        watchers = [types.FileSystemWatcher(glob_pattern="**/*.py")]
        watching = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        wishes.append(types.Registration("files", method, watching))
    if wishes:
        params = types.RegistrationParams(registrations=wishes)
        try:
            await state.client.request(types.CLIENT_REGISTER_CAPABILITY, params)
        except UnansweredError as error:
            logger.info("the client registered nothing: %s", error)


async def _fetch_settings(state: State) -> None:
    if not (state.client.abilities.configuration and state.roots):
        return
    roots = list(state.roots.values())
    items = [
        types.ConfigurationItem(scope_uri=root.uri, section=settings.SECTION)
        for root in roots
    ]
    params = types.ConfigurationParams(items=items)
    try:
        answer = await state.client.request(types.WORKSPACE_CONFIGURATION, params)
    except UnansweredError as error:
        logger.info("the client gave no settings: %s", error)
        return
    for root, value in zip(
        roots, answer if isinstance(answer, Sequence) else (), strict=False
    ):
        root.settings = value
    settings.set_level(state.options, *(root.settings for root in roots))


async def shutdown(ls: Server, _params: object) -> None:
    """End all work before the answer."""
    ls.clean = True
    await ls.close()


# ---------------------------------------------------------------- settings, folders


async def did_change_configuration(
    ls: Server, params: types.DidChangeConfigurationParams
) -> None:
    """Take the settings over; they hold from the next run on.

    Who can be asked is asked: what some editors send along are all settings of the
    section, those of their extension and mere defaults too.
    """
    state = ls.state
    for root in state.roots.values():
        root.complaint = ""
        if (
            settings.section(params.settings)
            and not state.client.abilities.configuration
        ):
            root.settings = params.settings
    settings.set_level(state.options, *(root.settings for root in state.roots.values()))
    state.jobs.start("settings", lambda _job: _fetch_settings(state))


async def did_change_folders(
    ls: Server, params: types.DidChangeWorkspaceFoldersParams
) -> None:
    """Open and close roots as the editor does."""
    state = ls.state
    for folder in params.event.removed:
        path = file_path(folder.uri)
        for root in [r for r in state.roots.values() if r.folder == path]:
            _drop(state, root)
    if params.event.removed:  # a folder that stays may hold what went with another
        for uri in list(ls.workspace.folders):
            _add_folder(state, uri)
    for folder in params.event.added:
        _add_folder(state, folder.uri)
    state.jobs.start("start", functools.partial(_begin_new, state))


def _drop(state: State, root: Root) -> None:
    del state.roots[root.path]
    state.jobs.cancel(j for j in state.jobs.table.values() if j.root == root.path)
    withdraw(state, root)
    state.tell()


async def _begin_new(state: State, _job: Job) -> None:
    await _fetch_settings(state)
    for root in list(state.roots.values()):  # those begun already stay as they are
        _opened(state, root)


# ----------------------------------------------------------------------- documents


async def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    """A buffer, which may differ from the disk already."""
    item = params.text_document
    path = file_path(item.uri)
    if path:
        document = Document(item.uri, item.version, item.text)
        ls.state.documents.open[path] = document
        _moved(ls.state, path, known_only=True)
        root = ls.state.root_of(path)
        if root:
            _opened(ls.state, root)


async def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    """Follow the text."""
    state, item = ls.state, params.text_document
    path = file_path(item.uri)
    document = state.documents.open.get(path) if path else None
    if path and document:
        unit = state.client.abilities.unit
        now = changed(document, item.version, params.content_changes, unit)
        state.documents.open[path] = now
        _moved(state, path)


async def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    """What was not saved is gone: the disk counts again."""
    path = file_path(params.text_document.uri)
    if path and ls.state.documents.open.pop(path, None):
        _moved(ls.state, path, known_only=True)


async def did_change_files(
    ls: Server, params: types.DidChangeWatchedFilesParams
) -> None:
    """Another program wrote a file; an open buffer still counts before it."""
    for event in params.changes:
        path = file_path(event.uri)
        if path and path not in ls.state.documents.open:
            _moved(ls.state, path, known_only=True)


def _moved(state: State, path: Path, *, known_only: bool = False) -> None:
    root = state.root_of(path)
    if root is None:
        return
    name = path.relative_to(root.path).as_posix()
    root.touched.add(name)
    text = state.documents.text(path)
    if text is not None and (root.board.knows(name) or not known_only):
        refresh(state, root, root.board.edit(name, text))
    fixes.noticed(state, root, path)


async def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    """Run the suite, if that is wanted."""
    path = file_path(params.text_document.uri)
    root = ls.state.root_of(path) if path else None
    if path and root:
        root.touched.add(path.relative_to(root.path).as_posix())
        runs.automatic(ls.state, root, frozenset({"on-save"}))


async def cancel_progress(
    ls: Server, params: types.WorkDoneProgressCancelParams
) -> None:
    """The cancel button of the client's own progress display."""
    cancel = ls.state.cancels.get(str(params.token))
    if cancel:
        cancel()

"""Which diagnostics a client gets, and when: not at every keystroke, not all at once.

Of very many the sending takes a while. It is done in slices, between which others are
answered, from findings that are pinned where they stood when it began: a text and its
version go together, and as a root has one sender, no older ones follow newer ones.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Iterable, Iterator

from pygls.uris import from_fs_path

from bonafix.lsp.diagnostics import Look, Pinned, render
from bonafix.lsp.findings import Finding
from bonafix.lsp.state import Root, State
from bonafix.lsp.wire import Text, Wire, array, slices

_SHARE = 5  # times as long as it took to send diagnostics, nothing more is sent
_NOTHING = Text("[]")


def refresh(state: State, root: Root, paths: frozenset[str]) -> None:
    """Publish these files' diagnostics a little later, when the typing pauses."""
    root.unpublished |= paths
    if root.unpublished and root.publishing is None:
        loop = asyncio.get_running_loop()
        # Of very many, the sending takes so long that it must not be all there is.
        delay = max(state.timing.publish, _SHARE * root.sending)
        root.publishing = loop.call_later(delay, publish, state, root)


def publish(state: State, root: Root) -> None:
    """Send every file's diagnostics that changed since they were last sent."""
    if root.publishing:
        root.publishing.cancel()
        root.publishing = None
    if root.sender and not root.sender.done():
        return  # it sends these, too
    work = _send(state, root)
    for _ in work:  # more than a slice: the rest after what others wait for
        root.sender = asyncio.create_task(_rest(work))
        break


async def _rest(work: Iterator[None]) -> None:
    for _ in work:
        await asyncio.sleep(0)


def _send(state: State, root: Root) -> Iterator[None]:
    """Send; stops wherever others may have their turn."""
    if not root.unpublished:
        return
    begun = time.perf_counter()
    while root.unpublished:
        path = min(root.unpublished)
        root.unpublished.discard(path)
        if not state.client.abilities.pull:
            yield from _publish(state, root, path)
    root.sending = time.perf_counter() - begun
    state.tell()
    state.client.refresh_lenses()
    if state.client.abilities.pull:
        state.client.refresh_diagnostics()


def _publish(state: State, root: Root, path: str) -> Iterator[None]:
    full = root.path / path
    uri, version = state.documents.uri(full), state.documents.version(full)
    pieces: list[str] = []
    for piece in slices(diagnostics(state, root, root.board.at(path))):
        if pieces:
            yield
        pieces.append(piece)
    if state.root_of(full) is not root:
        return  # an inner root speaks for it, or this one was closed
    before = root.published.pop(path, None)
    if before not in {None, uri}:
        state.client.publish(str(before), _NOTHING, None)  # it is spelt differently now
    if pieces or before is not None:
        state.client.publish(uri, array(pieces), version)
    if pieces:
        root.published[path] = uri


def withdraw(state: State, root: Root) -> None:
    """Clear whatever is shown of a root that is closed."""
    for uri in root.published.values():
        state.client.publish(uri, _NOTHING, None)
    root.published.clear()


def diagnostics(
    state: State, root: Root, findings: Iterable[Finding]
) -> Iterator[Wire]:
    """Findings of `root` as its client sees them now, however late they are taken."""
    look = Look(
        state.client.abilities,
        functools.cache(lambda path: state.documents.uri(root.path / path)),
        lambda finding: _receipt(state, root, finding),
    )
    pinned = [Pinned.of(finding) for finding in findings]
    return render(pinned, dict(root.board.texts), look)


def _receipt(state: State, root: Root, finding: Finding) -> str | None:
    """The URI of the receipt of the latest fix for a test."""
    job = state.jobs.by_test.get((root.path, finding.test))
    receipt = job.repair.receipt if job and job.repair else ""
    return from_fs_path(receipt) if receipt else None

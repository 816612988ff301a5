"""A judged patch and the client's texts in, a workspace edit out; pure."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lsprotocol import types

from bonafix.domain import Change, Patch
from bonafix.lsp.abilities import Abilities
from bonafix.text import (
    LineIndex,
    Replacement,
    SourceText,
    TextError,
    Unit,
    decode,
    minimal_edits,
    restore,
)


class UndeliverableError(Exception):
    """The patch cannot be made with edits that this client takes."""


@dataclass(frozen=True, slots=True)
class Current:
    """A file as it is now: for the client, and as saved bytes (`None`: no file)."""

    uri: str
    version: int | None
    text: str | None
    contents: bytes | None


Look = Callable[[str], Current]
_Step = types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile


@dataclass(frozen=True, slots=True)
class Base:
    """What a fix was judged on beside the files that it touches.

    `depends` are the files that each failing test ran, its own among them;
    `contents` are theirs when the work began.
    """

    depends: Mapping[str, frozenset[str]]
    contents: Mapping[str, bytes | None]

    def unmoved(self, tests: Iterable[str], touched: Iterable[str], look: Look) -> bool:
        """Whether these tests would still run what they ran then."""
        files = frozenset[str]().union(*(self.depends.get(t, ()) for t in tests))
        rest = files.difference(touched)
        return all(_same(look(path).contents, self.contents[path]) for path in rest)


Standing = Literal["ready", "applied", "moved", "undeliverable"]


@dataclass(frozen=True, slots=True)
class Stand:
    """How a judged patch stands to the text as it is now."""

    kind: Standing
    edit: types.WorkspaceEdit | None = None  # only when it is ready
    reason: str = ""  # why it is not


def unmoved(patch: Patch, look: Look) -> bool:
    """Whether every touched file is what was judged."""
    return all(_same(look(c.path).contents, c.before) for c in patch.changes)


def landed(patch: Patch, look: Look) -> bool:
    """Whether every touched file is what the patch makes of it."""
    return all(_same(look(c.path).contents, c.after) for c in patch.changes)


def workspace_edit(
    patch: Patch, look: Look, abilities: Abilities
) -> types.WorkspaceEdit:
    """The patch as minimal edits of the client's own texts.

    Versions go with it where the client takes them. The caller has made sure that
    the files are `unmoved`.

    Raises:
        UndeliverableError: a file is no text, or the client cannot create files.
    """
    steps = [step for c in patch.changes for step in _steps(c, look(c.path), abilities)]
    if abilities.document_changes:
        return types.WorkspaceEdit(document_changes=steps)
    changes = {
        step.text_document.uri: [e for e in step.edits if isinstance(e, types.TextEdit)]
        for step in steps
        if isinstance(step, types.TextDocumentEdit)
    }
    return types.WorkspaceEdit(changes=changes)


def _steps(change: Change, now: Current, abilities: Abilities) -> list[_Step]:
    if change.after is None:
        _require(abilities.delete, f"delete {change.path}")
        return [types.DeleteFile(uri=now.uri)]
    steps: list[_Step] = []
    if change.before is None:
        _require(abilities.create, f"create {change.path}")
        steps.append(types.CreateFile(uri=now.uri))
    identifier = types.OptionalVersionedTextDocumentIdentifier(
        uri=now.uri, version=now.version
    )
    steps.append(
        types.TextDocumentEdit(
            text_document=identifier,
            edits=text_edits(change, now.text or "", abilities.unit),
        )
    )
    return steps


def _require(able: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not able:
        raise UndeliverableError(f"the fix must {what}, which this client cannot do")


def guarded(edit: types.WorkspaceEdit) -> bool:
    """Whether versions keep the edit from text that changes before it is made.

    Version 0 counts as none: clients take it for "do not compare". A file that is not
    open has none, but nobody types in it.
    """
    return edit.document_changes is not None and all(
        step.text_document.version != 0
        for step in edit.document_changes
        if isinstance(step, types.TextDocumentEdit)
    )


@functools.lru_cache(maxsize=64)  # asked for at every cursor movement
def text_edits(change: Change, text: str, unit: Unit) -> Sequence[types.TextEdit]:
    """The edits that turn the client's `text` into the patched one.

    Raises:
        UndeliverableError: the file is no text in its declared encoding.
    """
    try:
        before, after = decode(change.before or b""), decode(change.after or b"")
    except TextError as error:
        raise UndeliverableError(f"{change.path}: {error}") from error
    target = after.text
    if text != before.text:  # same lines, but the client keeps other line endings
        plain = "\r" not in text
        target = after.view if plain else restore(SourceText(text), after.view)
    index = LineIndex.of(text)
    return tuple(
        types.TextEdit(
            range=types.Range(
                start=_position(index, start, unit), end=_position(index, end, unit)
            ),
            new_text=new,
        )
        for start, end, new in _apart(minimal_edits(text, target), text, target)
    )


def _apart(
    edits: Sequence[Replacement], text: str, target: str
) -> Sequence[Replacement]:
    r"""The edits as they are; one in their place where line ends may grow together.

    A client that makes them one by one may put a "\n" behind a "\r" that ended a line
    alone: one end less, and the next edit's place is another.
    """
    if len(edits) < 2 or "\r" not in (text + target).replace("\r\n", ""):  # noqa: PLR2004
        return edits
    start, end = edits[0][0], edits[-1][1]
    return [(start, end, target[start : len(target) - (len(text) - end)])]


def _position(index: LineIndex, offset: int, unit: Unit) -> types.Position:
    at = index.position(offset, unit)
    return types.Position(line=at.line - 1, character=at.column)


def _same(now: bytes | None, then: bytes | None) -> bool:
    if now == then:
        return True
    if now is None or then is None:
        return False
    # Only line endings may differ: Python reads them all alike, and editors
    # rewrite them on saving.
    reading = _reading(now)
    return reading is not None and reading == _reading(then)


@functools.lru_cache(maxsize=64)  # asked for at every cursor movement
def _reading(data: bytes) -> tuple[str, str, bool] | None:
    try:
        source = decode(data)
    except TextError:
        return None
    return source.view, source.encoding, source.bom

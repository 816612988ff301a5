"""The open buffers: notifications in, each file's contents as they are now out.

The buffers are kept here and not in pygls's workspace, which splits lines at form
feeds and other characters that no editor takes for a line's end.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path

from bonafix.text import (
    LineIndex,
    SourceText,
    TextError,
    Unit,
    decode,
    encode,
    restore,
    view,
)


@dataclass(frozen=True, slots=True)
class Document:
    """An open buffer, under the name that the client gave it."""

    uri: str
    version: int | None
    text: str


@dataclass(slots=True)
class Documents:
    """All open buffers of files, by path."""

    open: dict[Path, Document] = field(default_factory=dict)

    def contents(self, path: Path) -> bytes | None:
        """The file as it would be if everything were saved now; `None`: no file."""
        disk = _disk(path)
        document = self.open.get(path)
        return disk if document is None else saved(document.text, disk)

    def text(self, path: Path) -> str | None:
        """The text as the client has it; `None` where there is no readable text."""
        document = self.open.get(path)
        if document is not None:
            return document.text
        disk = _disk(path)
        if disk is None:
            return None
        try:
            return decode(disk).text
        except TextError:
            return None

    def version(self, path: Path) -> int | None:
        """The buffer's version, `None` where it is not open."""
        document = self.open.get(path)
        return document.version if document else None

    def uri(self, path: Path) -> str:
        """The client's own spelling where it has the file open."""
        document = self.open.get(path)
        return document.uri if document else from_fs_path(str(path)) or ""

    def unsaved(self, root: Path) -> dict[str, bytes]:
        """Buffers under `root` that differ from the disk, by relative path."""
        return {
            path.relative_to(root).as_posix(): contents
            for path, contents in self._differing(root)
        }

    def _differing(self, root: Path) -> Iterator[tuple[Path, bytes]]:
        for path, document in self.open.items():
            if path.is_relative_to(root):
                disk = _disk(path)
                contents = saved(document.text, disk)
                if contents != disk:
                    yield path, contents


def file_path(uri: str) -> Path | None:
    """The path of a `file:` URI; `None` for any other scheme."""
    name = to_fs_path(uri)
    return Path(name) if name else None


def changed(
    document: Document,
    version: int | None,
    changes: Iterable[types.TextDocumentContentChangeEvent],
    unit: Unit,
) -> Document:
    """The buffer after a `didChange`; parts and whole texts are both taken."""
    text = document.text
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = _offsets(text, change.range, unit)
            text = text[:start] + change.text + text[end:]
        else:
            text = change.text
    return replace(document, version=version, text=text)


def _offsets(text: str, span: types.Range, unit: Unit) -> tuple[int, int]:
    index = LineIndex.of(text)
    start, end = (
        index.offset(at.line + 1, at.character, unit) for at in (span.start, span.end)
    )
    return start, end


@functools.lru_cache(maxsize=64)  # asked for at every cursor movement
def saved(text: str, disk: bytes | None) -> bytes:
    """The bytes that saving `text` over `disk` would write.

    Line endings and encoding are the file's: clients differ in what they send.
    """
    if disk is None:
        return text.encode("utf-8", "surrogatepass")
    try:
        source = decode(disk)
        if view(text) == source.view:
            return disk
        return encode(source, _with_line_ends(source, text))
    except TextError:
        return text.encode("utf-8", "surrogatepass")


def _with_line_ends(source: SourceText, text: str) -> str:
    """The buffer with the file's line ends, where the client shows only plain ones."""
    if "\r" in text or "\r" not in source.text:
        return text
    if source.view.replace("\n", "\r\n") == source.text:
        return text.replace("\n", "\r\n")
    return restore(source, text)  # a mixture: each line keeps its own


def _disk(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None  # gone, a folder, or not ours to read: no text to work on

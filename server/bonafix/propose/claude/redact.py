"""A file's path in, whether its contents may be sent out; pure.

The rules for secrets themselves are those of `bonafix.redaction`, which also keep
them out of what is written down.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import PurePosixPath

from bonafix.redaction import MARK, Redactor, is_secret_file, redactor

__all__ = [
    "MARK",
    "Redactor",
    "excluded",
    "is_secret_file",
    "may_send",
    "redactor",
]


def may_send(path: str, globs: Sequence[str]) -> bool:
    """Whether a model may be shown a file: not what `globs` or its name forbid."""
    return not (is_secret_file(path) or excluded(path, globs))


def excluded(path: str, globs: Sequence[str]) -> bool:
    """Whether the user's settings keep the file, or a folder around it, back."""
    pure = PurePosixPath(path)
    around = [str(folder) for folder in pure.parents if folder.name]
    return any(
        _matches(one, glob.removeprefix("./").rstrip("/"))
        for glob in globs
        for one in (path, *around)
    )


def _matches(path: str, glob: str) -> bool:
    if not glob:
        return False
    return fnmatch.fnmatchcase(path, glob) or PurePosixPath(path).match(glob)

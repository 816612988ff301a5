"""A project's folder in, a redactor that knows the values of its `.env` files out.

The files are read where they lie, since most of them are ignored by version control
and never copied.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from bonafix.redaction import Redactor, is_secret_file, redactor

_FOLDERS = 400  # folders that are looked into, nearest first
_DEPTH = 3
_SIZE = 256 * 1024  # bytes; a larger file is no list of settings
_FOREIGN = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env"})


def redactor_at(
    root: Path | None,
    environment: Mapping[str, str],
    sources: Mapping[str, bytes] | None = None,
) -> Redactor:
    """Knows the environment's secrets and those of the files below `root`, if any.

    `sources` are a snapshot's files: what they hold may differ from what lies there.
    """
    texts = {
        f"{number}/{PurePosixPath(path).name}": content.decode(errors="replace")
        for number, (path, content) in enumerate(sorted((sources or {}).items()))
        if is_secret_file(path)
    }
    lying = _secret_files(root.absolute()) if root else ()
    texts |= {path: text for path in lying if (text := _read(Path(path)))}
    return redactor(environment, texts)


def _secret_files(root: Path) -> Iterator[str]:
    """Files with a secret's name in the folders next to the root, hidden ones not."""
    waiting, left = [(str(root), 0)], _FOLDERS
    while waiting and left:
        folder, depth = waiting.pop(0)
        left -= 1
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                if depth < _DEPTH and _is_own(entry.name):
                    waiting.append((entry.path, depth + 1))
            elif is_secret_file(entry.name):
                yield entry.path


def _is_own(name: str) -> bool:
    return not name.startswith(".") and name not in _FOREIGN


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []  # what cannot be read cannot be sent either


def _read(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > _SIZE:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

"""Which entries of a working tree belong into a copy: names in, a yes or no out."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

# A repository's history may hold the fix that is asked for: never, by no setting.
HISTORY = frozenset({".git", ".hg", ".svn"})

CACHES = frozenset(
    {
        *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"),
        *(".hypothesis", ".tox", ".nox", "node_modules"),
    }
)

_SOURCES = frozenset(
    {
        *(".py", ".pyi", ".md", ".rst", ".txt", ".toml"),
        *(".cfg", ".ini", ".json", ".yaml", ".yml"),
    }
)


def folder_belongs(name: str, *, environment: bool) -> bool:
    """Whether a folder is copied; `environment`: it holds a `pyvenv.cfg`."""
    return not environment and name not in CACHES and name not in HISTORY


def file_belongs(name: str) -> bool:
    """Whether a file is copied: no bytecode, and no secrets without consent."""
    return not name.endswith(".pyc") and not name.startswith(".env")


def carried(path: str, carry: Sequence[str]) -> bool:
    """Whether a glob asks for `path` all the same; one without `/` means the name."""
    name = path.rpartition("/")[2]
    return any(
        fnmatchcase(path if "/" in glob else name, glob.removesuffix("/"))
        for glob in carry
    )


def may_hold_carried(folder: str, carry: Sequence[str]) -> bool:
    """Whether something below a folder that is left out may be asked for."""
    steps = folder.split("/")
    for glob in carry:
        wanted = glob.split("/")
        if len(wanted) <= len(steps):
            if any("**" in step for step in wanted):
                return True
            continue
        if all(fnmatchcase(*pair) for pair in zip(steps, wanted, strict=False)):
            return True
    return False


def worth_reading(path: str) -> bool:
    """Whether a file is text that a person or a model would want to read."""
    return PurePosixPath(path).suffix in _SOURCES

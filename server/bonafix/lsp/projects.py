"""A workspace folder in, the projects in it out: itself, or several below it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

_MARKS = ("pytest.ini", "setup.py", "setup.cfg", "tox.ini")
# Tables of a pyproject.toml that only a project with tests or code of its own has.
_TABLES = ("project", "build-system", "tool.pytest", "tool.poetry", "tool.bonafix")
_TESTS = ("test", "tests")
_ENVIRONMENTS = (".venv", "venv")
_DEPTH = 3  # levels below the folder
_LOOKED = 2_000  # folders; who has more says with `projects` where they are
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})


def projects(folder: Path, wanted: Sequence[str] = ()) -> tuple[Path, ...]:
    """What is run on its own, each by its own configuration and interpreter.

    `wanted` are patterns of folders below, as the user's settings name them. Without
    any, a folder that is a project is the only one; else the topmost below it are.
    """
    if wanted:
        named = (path for glob in wanted for path in _named(folder, glob))
        return tuple(dict.fromkeys(named)) or (folder,)
    if _marked(folder) or _has_tests(folder):
        return (folder,)
    return tuple(_below(folder)) or (folder,)


def _named(folder: Path, glob: str) -> list[Path]:
    if glob in {".", ""}:
        return [folder]
    if Path(glob).is_absolute() or ".." in Path(glob).parts:
        return []  # it has to be in the folder, for that is what is trusted
    return sorted(path for path in folder.glob(glob) if path.is_dir())


def _marked(folder: Path) -> bool:
    if any((folder / name).is_file() for name in _MARKS):
        return True
    try:
        content = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True  # it is there, and what is wrong with it will be said
    return any(_has(content, table) for table in _TABLES)


def _has(content: object, table: str) -> bool:
    for part in table.split("."):
        if not isinstance(content, dict) or part not in content:
            return False
        content = content[part]
    return True


def _has_tests(folder: Path) -> bool:
    if any((folder / name).is_dir() for name in _TESTS):
        return True
    return any(any(folder.glob(glob)) for glob in ("test_*.py", "*_test.py"))


def _below(folder: Path) -> Iterator[Path]:
    """Breadth first, in the order of names; nothing inside what was found."""
    level, looked = [folder], 0
    for _ in range(_DEPTH):
        deeper: list[Path] = []
        for path in (child for parent in level for child in _folders(parent)):
            looked += 1
            if looked > _LOOKED:
                return
            if _marked(path):
                yield path
            else:
                deeper.append(path)
        level = deeper


def _folders(parent: Path) -> list[Path]:
    try:
        with os.scandir(parent) as entries:
            names = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
    except OSError:
        return []  # not ours to read
    kept = sorted(n for n in names if n not in _SKIPPED and not n.startswith("."))
    return [p for n in kept if not ((p := parent / n) / "pyvenv.cfg").exists()]


def shared_interpreter(folder: Path, project: Path) -> str:
    """The folder's own environment, for a project in it that has none; else "".

    One that is active comes before both, as it does for the folder itself.
    """
    if project == folder or os.environ.get("VIRTUAL_ENV"):
        return ""
    if any((project / name / "bin" / "python").exists() for name in _ENVIRONMENTS):
        return ""
    python = folder / _ENVIRONMENTS[0] / "bin" / "python"
    return str(python) if python.exists() else ""

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
    below = tuple(_below(folder))
    return (folder,) if folder in below else below or (folder,)


def _named(folder: Path, glob: str) -> list[Path]:
    if glob in {".", ""}:
        return [folder]
    if Path(glob).is_absolute() or ".." in Path(glob).parts:
        return []  # it has to be in the folder, for that is what is trusted
    try:
        return sorted(path for path in folder.glob(glob) if path.is_dir())
    except (OSError, ValueError):
        return []  # not ours to read, or no pattern


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
    return any((folder / name).is_dir() for name in _TESTS) or _loose(folder)


def _loose(folder: Path) -> bool:
    """Whether tests lie in it, and in no folder of their own."""
    return any(any(folder.glob(glob)) for glob in ("test_*.py", "*_test.py"))


def _below(folder: Path) -> Iterator[Path]:
    """Breadth first, in the order of names; nothing inside what was found.

    The folder itself is among them where tests lie outside of all others.
    """
    level, looked = [folder], 0
    for _ in range(_DEPTH):
        deeper: list[Path] = []
        for path in (child for parent in level for child in _folders(parent)):
            looked += 1
            if looked > _LOOKED:
                return
            marked = _marked(path)
            if (path.name in _TESTS) if marked else _loose(path):
                yield folder  # tests that no project below would run with their code
            elif marked:
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
    ours = [p for n in kept if os.access(p := parent / n, os.R_OK | os.X_OK)]
    return [p for p in ours if not (p / "pyvenv.cfg").exists()]


def shared_interpreter(folder: Path, project: Path) -> str:
    """The folder's own environment, for a project in it that has none; else "".

    One that is active comes before it, as it does for the folder itself.
    """
    if project == folder or os.environ.get("VIRTUAL_ENV"):
        return ""
    if own_interpreter(project):
        return ""
    python = folder / _ENVIRONMENTS[0] / "bin" / "python"
    return str(python) if os.access(python, os.X_OK) else ""


def own_interpreter(project: Path) -> str:
    """That of the environment in it, where it brings one; else "".

    Of several projects it comes before one that is active: that is the editor's, or
    was activated for one of them.
    """
    pythons = (project / name / "bin" / "python" for name in _ENVIRONMENTS)
    return next((str(path) for path in pythons if os.access(path, os.X_OK)), "")

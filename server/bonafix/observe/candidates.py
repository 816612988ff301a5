"""A root in, the interpreters that may be the project's out, likeliest first."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bonafix.observe.ask import ask

_TOOL_SECONDS = 15.0
_SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIALS")


@dataclass(frozen=True, slots=True)
class Place:
    """A path to try, and what led to it."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class _Tool:
    """A tool that keeps environments, and how it tells where this one is."""

    name: str
    marks: tuple[str, ...]  # a file in the root, or `file [table]`
    command: tuple[str, ...]
    prefix: bool = False  # it prints the environment's folder, not its Python


_TOOLS = (
    _Tool("uv", ("uv.lock", "pyproject.toml [tool.uv"), ("uv", "python", "find")),
    _Tool(
        "poetry",
        ("poetry.lock", "pyproject.toml [tool.poetry"),
        ("poetry", "env", "info", "--executable"),
    ),
    _Tool("pdm", ("pdm.lock", "pyproject.toml [tool.pdm"), ("pdm", "info", "--python")),
    _Tool(
        "hatch",
        ("hatch.toml", "pyproject.toml [tool.hatch.envs"),
        ("hatch", "env", "find"),
        prefix=True,
    ),
    _Tool("pipenv", ("Pipfile", "Pipfile.lock"), ("pipenv", "--py")),
)


async def places(
    root: Path, environment: Mapping[str, str], *, editor: str = ""
) -> AsyncIterator[Place]:
    """All that there are, without trying any; tools are asked when it is their turn.

    The order: editor, active environment, environments in the root, tools, tox and
    nox, the search path.
    """
    if editor:
        yield Place(editor, "the one chosen in the editor")
    for place in _active(environment):
        yield place
    for place in _inside(root):
        yield place
    async for place in _tools(root, environment):
        yield place
    for place in _runners(root):
        yield place
    for name in ("python3", "python"):
        found = shutil.which(name, path=environment.get("PATH"))
        if found:
            yield Place(found, f"{name} on PATH")


def _active(environment: Mapping[str, str]) -> Iterator[Place]:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        prefix = environment.get(name)
        # Our own environment says nothing about the project; it comes last.
        if prefix and Path(prefix) != Path(sys.prefix):
            yield Place(str(Path(prefix, "bin", "python")), f"the active {name}")


def _inside(root: Path) -> Iterator[Place]:
    names = [".venv", "venv", *_folders_with("pyvenv.cfg", root)]
    for name in dict.fromkeys(names):
        python = root / name / "bin" / "python"
        if python.exists():
            yield Place(str(python), f"the project's {name}")


def _folders_with(name: str, root: Path) -> list[str]:
    return sorted(mark.parent.name for mark in root.glob(f"*/{name}"))


async def _tools(root: Path, environment: Mapping[str, str]) -> AsyncIterator[Place]:
    env = {k: v for k, v in environment.items() if not _secret(k)}
    for tool in _TOOLS:
        program = shutil.which(tool.command[0], path=environment.get("PATH"))
        if program is None or not any(_marked(root, mark) for mark in tool.marks):
            continue
        argv = [program, *tool.command[1:]]
        answer = await ask(argv, cwd=root, env=env, seconds=_TOOL_SECONDS)
        lines = answer.text.split("\n")
        path = lines[0].strip()
        if path and tool.prefix:
            path = str(Path(path, "bin", "python"))
        if path:
            yield Place(path, f"the environment that {tool.name} keeps")


def _marked(root: Path, mark: str) -> bool:
    name, _, table = mark.partition(" ")
    path = root / name
    if not path.is_file():
        return False
    return not table or table in path.read_text(encoding="utf-8", errors="replace")


def _secret(name: str) -> bool:
    return any(part in name.upper() for part in _SECRETS)


def _runners(root: Path) -> Iterator[Place]:
    for runner in ("tox", "nox"):
        found = [path.parents[1] for path in root.glob(f".{runner}/*/bin/python")]
        # An environment for linting or documentation has no pytest, or no project.
        for folder in sorted(found, key=lambda path: (not _testing(path.name), path)):
            why = f"{runner}'s environment {folder.name}"
            yield Place(str(folder / "bin" / "python"), why)


def _testing(name: str) -> bool:
    return name.startswith("py") or "test" in name

"""A root in, the Python that its tests run with out, and why that one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bonafix.config import Config, state_dir
from bonafix.errors import InterpreterError
from bonafix.observe import candidates, store
from bonafix.observe.ask import ask

OLDEST_PYTHON = (3, 8)
OLDEST_PYTEST = 7
INSIDE = Path(__file__).parent / "inside"  # what runs in processes of tests
_MARK = "bonafix-facts:"
_SECONDS = 30.0
_NAMES = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "PYENV_ROOT", "PYENV_VERSION")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python that has a usable pytest."""

    path: Path  # absolute; a virtual environment's own link, not what it points to
    why: str  # a noun phrase, e.g. "the project's .venv"
    version: tuple[int, int, int]
    implementation: str  # e.g. "CPython"
    prefix: str
    base_prefix: str  # another than `prefix` in a virtual environment
    import_path: tuple[str, ...]  # sys.path as it starts
    editable: tuple[str, ...] = ()  # what import hooks lead to
    user_base: str = ""  # where `pip install --user` puts things; "" = not used
    pytest: str = ""  # version
    plugins: tuple[str, ...] = ()  # names of the pytest11 entry points
    stdlib: frozenset[str] = frozenset()  # top-level modules
    installed: frozenset[str] = frozenset()  # top-level modules
    inside: Path = INSIDE  # or a copy of it that this Python has compiled
    tried: tuple[tuple[str, str], ...] = field(default=())  # before it: path, why not

    @property
    def name(self) -> str:
        """E.g. "CPython 3.11.7"."""
        return f"{self.implementation} {'.'.join(map(str, self.version))}"

    def script(self, name: str) -> Path:
        """One of our own modules that it can run; the state may have been cleared."""
        copy = self.inside / name
        return copy if copy.is_file() else INSIDE / name


async def find(root: Path, config: Config, *, editor: str = "") -> Interpreter:
    """The first interpreter in the documented order that has pytest.

    `editor` is the one that the user chose in the editor. The one in the settings,
    if there is one, is the only one that is tried.

    Raises:
        InterpreterError: none is usable; names all that were tried, and why not.
    """
    root = _absolute(root)
    tried: list[tuple[str, str]] = []
    async for place in _places(root, config, editor):
        if any(place.path == path for path, _ in tried):
            continue
        found = await _examine(place, root)
        if isinstance(found, str):
            tried.append((place.path, found))
        else:
            return _interpreter(found, place.why, tuple(tried))
    raise InterpreterError(_sorry(config, tried))


async def _places(
    root: Path, config: Config, editor: str
) -> AsyncIterator[candidates.Place]:
    if config.interpreter:
        yield _chosen(config.interpreter, root)
        return
    async for place in candidates.places(root, os.environ, editor=editor):
        yield place
    yield candidates.Place(sys.executable, "the one that runs Bonafix")


def _chosen(setting: str, root: Path) -> candidates.Place:
    named = str(Path(setting).expanduser())
    place = Path(shutil.which(named) or named)
    # Of several projects, an editor names each one's own, or that of their folder.
    for folder in (root, *root.parents):
        if place.parent.parent.parent == folder and place.parent.name == "bin":
            whose = "the project" if folder == root else folder.name
            why = f"{whose}'s {place.parent.parent.name}"
            return candidates.Place(str(place), why)
    return candidates.Place(str(place), "your settings")


def _absolute(root: Path) -> Path:
    return root.resolve()


async def _examine(place: candidates.Place, root: Path) -> Mapping[str, object] | str:
    """The facts about it, or why it cannot be used."""
    env = {name: os.environ[name] for name in _NAMES if name in os.environ}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [place.path, str(INSIDE / "facts.py"), *_room(root)]
    answer = await ask(command, cwd=root, env=env, seconds=_SECONDS)
    if answer.problem:
        return answer.problem
    lines = [i for i in answer.text.splitlines() if i.startswith(_MARK)]
    facts = _parse(lines[-1].removeprefix(_MARK)) if lines else {}
    if not facts:
        return "it did not answer as Python 3.8 or newer does"
    return _unfit(facts) or facts


def _room(root: Path) -> tuple[str, ...]:
    """Where copies of `inside` may lie: never where the project's code could be."""
    folder = Path(os.path.realpath(state_dir())) / "inside"
    with contextlib.suppress(OSError):
        if not store.ours(folder.lstat(), stat.S_IFDIR):
            return ()  # others could have written there
    return () if folder.is_relative_to(root) else (str(folder),)


def _unfit(facts: Mapping[str, object]) -> str:
    version = _version(facts)
    if version[:2] < OLDEST_PYTHON:
        return "it is older than Python 3.8"
    pytest = facts.get("pytest")
    if not isinstance(pytest, str):
        return "pytest is not installed there"
    major = pytest.partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST_PYTEST:
        return f"its pytest is {pytest}, and {OLDEST_PYTEST} or newer is needed"
    return ""


def _parse(text: str) -> Mapping[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _interpreter(
    facts: Mapping[str, object], why: str, tried: tuple[tuple[str, str], ...]
) -> Interpreter:
    return Interpreter(
        path=Path(str(facts.get("executable"))),
        why=why,
        version=_version(facts),
        implementation=str(facts.get("implementation", "")),
        prefix=str(facts.get("prefix", "")),
        base_prefix=str(facts.get("base_prefix", "")),
        import_path=_texts(facts, "path"),
        editable=_texts(facts, "editable"),
        user_base=str(facts.get("user_base", "")),
        pytest=str(facts.get("pytest", "")),
        plugins=_texts(facts, "plugins"),
        stdlib=frozenset(_texts(facts, "stdlib")),
        installed=frozenset(_texts(facts, "installed")),
        inside=Path(str(facts.get("inside") or INSIDE)),
        tried=tried,
    )


def _version(facts: Mapping[str, object]) -> tuple[int, int, int]:
    match facts.get("version"):
        case [int(major), int(minor), int(micro)]:
            return (major, minor, micro)
        case _:
            return (0, 0, 0)


def _texts(facts: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = facts.get(key)
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str))


def _sorry(config: Config, tried: list[tuple[str, str]]) -> str:
    lines = [f"  {path}: {reason}" for path, reason in tried]
    if config.interpreter:
        head = "The interpreter in your settings cannot run the project's tests:"
        advice = f"Install pytest with: {config.interpreter} -m pip install pytest"
    else:
        head = "No Python with pytest was found for this project. Tried:"
        advice = (
            "Make one with: python3 -m venv .venv && .venv/bin/pip install pytest "
            "(and the project), or name another in the setting `interpreter`."
        )
    return "\n".join([head, *lines, advice])

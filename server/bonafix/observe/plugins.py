"""Configuration and tests in, the project's modules that pytest loads as plugins out.

Pure. A module that a conftest names in `pytest_plugins`, the options name after `-p`,
or an entry point calls a plugin can change what every test reports.
"""

from __future__ import annotations

import configparser
import itertools
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping

_NAMES = re.compile(
    rb"^[ \t]*pytest_plugins\s*(?::[^=\n]*)?\+?=\s*(\[[^\]]*\]|\([^)]*\)|\{[^}]*\}|.+)",
    re.MULTILINE,
)
_QUOTED = re.compile(r"""["']([\w.]+)["']""")
_IN_SETUP = re.compile(r"""["']?pytest11["']?\s*[:=]\s*(\[[^\]]*\]|["'][^"']*["'])""")
_ENTRY = re.compile(r"""=\s*["']?([\w.]+)""")
_OPTIONS = {  # file -> where pytest's options are in it
    "pytest.ini": "pytest",
    ".pytest.ini": "pytest",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}

Sources = Mapping[str, bytes]
Table = Mapping[str, object]


def plugins(
    sources: Sources, files: Iterable[str], tests: Iterable[str]
) -> frozenset[str]:
    """The files of the plugins that lie in the project."""
    every = frozenset(files)
    names = {*_named(sources, tests), *_asked(sources), *_entered(sources)}
    return frozenset(path for name in names for path in _files(name, every))


def _files(name: str, files: frozenset[str]) -> Iterator[str]:
    """A module's file, wherever its import root lies: that is no package itself."""
    stem = name.partition(":")[0].replace(".", "/")
    for end in (f"{stem}.py", f"{stem}/__init__.py"):
        for path in files:
            root = path.removesuffix(end).rstrip("/")
            if path == end or (
                path.endswith(f"/{end}") and f"{root}/__init__.py" not in files
            ):
                yield path


def _named(sources: Sources, tests: Iterable[str]) -> Iterator[str]:
    """What `pytest_plugins` says in conftest files and test modules."""
    for path in tests:
        text = sources.get(path, b"")
        if b"pytest_plugins" in text:
            for found in _NAMES.findall(text):
                yield from _QUOTED.findall(found.decode("utf-8", "replace"))


def _asked(sources: Sources) -> Iterator[str]:
    """What stands after `-p` in the options."""
    for text in _options(sources):
        try:
            words = shlex.split(text)
        except ValueError:
            words = text.split()
        for word, following in itertools.pairwise([*words, ""]):
            name = following if word == "-p" else word.removeprefix("-p")
            if word.startswith("-p") and not name.startswith("no:"):
                yield name


def _options(sources: Sources) -> Iterator[str]:
    for path, section in _OPTIONS.items():
        yield _ini(sources.get(path, b"")).get(section, "addopts", fallback="")
    for path in ("pytest.toml", ".pytest.toml"):
        yield _joined(_table(_toml(sources.get(path, b"")), "pytest").get("addopts"))
    tool = _table(_toml(sources.get("pyproject.toml", b"")), "tool", "pytest")
    yield _joined(tool.get("addopts"))
    yield _joined(_table(tool, "ini_options").get("addopts"))


def _entered(sources: Sources) -> Iterator[str]:
    """What the project's own entry points offer to pytest."""
    project = _toml(sources.get("pyproject.toml", b""))
    for names in (
        ("project", "entry-points", "pytest11"),
        ("tool", "poetry", "plugins", "pytest11"),
        ("tool", "flit", "entrypoints", "pytest11"),
    ):
        yield from map(_joined, _table(project, *names).values())
    listed = _ini(sources.get("setup.cfg", b"")).get(
        "options.entry_points", "pytest11", fallback=""
    )
    yield from _ENTRY.findall(listed)
    setup = sources.get("setup.py", b"").decode("utf-8", "replace")
    for found in _IN_SETUP.findall(setup):
        yield from _ENTRY.findall(found)
    for path, text in sources.items():
        if path.endswith("/entry_points.txt"):
            section = _ini(text)
            if section.has_section("pytest11"):
                yield from (value for _, value in section.items("pytest11"))


def _ini(text: bytes) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text.decode())
    except (configparser.Error, UnicodeDecodeError):
        return configparser.ConfigParser()  # pytest will say what is wrong with it
    return parser


def _toml(text: bytes) -> Table:
    try:
        return tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}  # pytest will say what is wrong with it


def _table(table: Table, *names: str) -> Table:
    for name in names:
        inner = table.get(name)
        table = inner if isinstance(inner, dict) else {}
    return table


def _joined(value: object) -> str:
    if isinstance(value, list):
        return shlex.join(str(item) for item in value)
    return value if isinstance(value, str) else ""

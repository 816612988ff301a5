"""Build configuration and file names in, the package roots that they declare out; pure.

A root is a folder with packages in it (`src`), a package (`pkg`), or a single
module (`calc.py`).
"""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

Table = Mapping[str, object]
Sources = Mapping[str, bytes]


def declared(sources: Sources) -> tuple[str, ...]:
    """What the project's build configuration calls its packages; may not exist."""
    project = _toml(sources.get("pyproject.toml", b""))
    found = [*_from_pyproject(_table(project, "tool")), *_from_setup(sources)]
    return tuple(dict.fromkeys(_clean(path) for path in found))


def _from_pyproject(tool: Table) -> Iterator[str]:
    yield from _hatch(_table(tool, "hatch", "build", "targets", "wheel"))
    yield from _hatch(_table(tool, "hatch", "build"))
    yield from _setuptools(_table(tool, "setuptools"))
    yield from _poetry(tool)
    yield from _texts(_table(tool, "scikit-build", "wheel").get("packages"))
    for names in (
        ("pdm", "build", "package-dir"),
        ("maturin", "python-source"),
        ("uv", "build-backend", "module-root"),
    ):
        yield from _text(_table(tool, *names[:-1]).get(names[-1]))


def _hatch(table: Table) -> Iterator[str]:
    yield from _texts(table.get("packages"))
    yield from _texts(table.get("only-include"))


def _setuptools(table: Table) -> Iterator[str]:
    folders = _table(table, "package-dir")
    base = next(_text(folders.get("")), "")
    packages = table.get("packages")
    for name in _texts(packages):
        yield _package(name, folders, base)
    if isinstance(packages, dict):
        yield from _texts(_table(packages, "find").get("where"))
    for name in _texts(table.get("py-modules")):
        yield _join(base, name.replace(".", "/") + ".py")
    yield from [text for value in folders.values() for text in _text(value)]


def _package(name: str, folders: Table, base: str) -> str:
    exact = next(_text(folders.get(name)), None)
    return exact if exact is not None else _join(base, name.replace(".", "/"))


def _poetry(tool: Table) -> Iterator[str]:
    packages = _table(tool, "poetry").get("packages")
    for entry in packages if isinstance(packages, list) else ():
        if isinstance(entry, dict):
            include = next(_text(entry.get("include")), "")
            yield _join(next(_text(entry.get("from")), ""), include.split("*")[0])


def _from_setup(sources: Sources) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(sources.get("setup.cfg", b"").decode())
    except (configparser.Error, UnicodeDecodeError):
        return  # pytest or pip will say what is wrong with it
    if parser.has_section("options.packages.find"):
        yield from parser.get("options.packages.find", "where", fallback="").split()
    folders = parser.get("options", "package_dir", fallback="")
    pairs = [line.partition("=") for line in folders.splitlines() if "=" in line]
    yield from (value.strip() for _, _, value in pairs)
    base = next((v.strip() for name, _, v in pairs if not name.strip()), "")
    for name in parser.get("options", "packages", fallback="").split():
        if ":" not in name:  # `find:` is a directive
            yield _join(base, name.replace(".", "/"))
    for name in parser.get("options", "py_modules", fallback="").split():
        yield _join(base, name.replace(".", "/") + ".py")


def _toml(text: bytes) -> Table:
    try:
        return tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}  # pytest or pip will say what is wrong with it


def _table(table: Table, *names: str) -> Table:
    for name in names:
        inner = table.get(name)
        table = inner if isinstance(inner, dict) else {}
    return table


def _text(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value


def _texts(value: object) -> Iterator[str]:
    for item in value if isinstance(value, list) else ():
        yield from _text(item)


def _join(folder: str, name: str) -> str:
    return str(PurePosixPath(folder, name)) if name else folder


def _clean(path: str) -> str:
    text = str(PurePosixPath(path.replace("\\", "/")))
    return "" if text == "." else text.removeprefix("./")

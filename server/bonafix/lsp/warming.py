"""Importing what the first job will need, a module at a time: answers go on meanwhile.

All at once it takes half a second and more, in which the server would hear nobody.
"""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_PACKAGE = "bonafix"
_SOURCES = Path(__file__).parents[2]
# Those at a line's start: the others are not run, or on purpose not yet.
_FROM = re.compile(rf"^from ({_PACKAGE}[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
_NAME = re.compile(r"\w+")


async def warm(*names: str) -> None:
    """Import these modules of ours and all that they import, what is needed first."""
    seen: set[str] = set()
    for name in names:
        for module in _needed_first(name, seen):
            if module not in sys.modules:
                importlib.import_module(module)
            await asyncio.sleep(0)


def _needed_first(name: str, seen: set[str]) -> Iterator[str]:
    path = None if name in seen else _source(name)
    if path is None:  # no module: something in one
        return
    seen.add(name)
    parent = name.rpartition(".")[0]
    if parent:
        yield from _needed_first(parent, seen)
    for found in _FROM.finditer(path.read_text(encoding="utf-8")):
        yield from _needed_first(found[1], seen)
        package = _SOURCES.joinpath(*found[1].split(".")).is_dir()
        for inner in _NAME.findall(found[2]) if package else ():
            yield from _needed_first(f"{found[1]}.{inner}", seen)
    yield name


def _source(name: str) -> Path | None:
    path = _SOURCES.joinpath(*name.split("."))
    both = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in both if file.is_file()), None)

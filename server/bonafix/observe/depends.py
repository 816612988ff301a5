"""A snapshot, its interpreter and the settings in, all that a baseline depends on out.

Where more than the project's files differs, all of it is another: nobody can tell which
test depends on which package or setting. What a changed file means is told elsewhere,
see `changes`.
"""

# a call of pathlib per file would double the time that 50,000 files take
# ruff: noqa: PTH112, PTH114, PTH116, PTH118

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import bonafix
from bonafix.config import Config
from bonafix.domain import Snapshot
from bonafix.observe import environment
from bonafix.observe.interpreter import Interpreter
from bonafix.observe.run import Bench
from bonafix.sandbox.confinement import Capabilities, describe

MOST = 300_000  # files of installed packages that are looked at
_DULL = frozenset({"__pycache__", ".git", ".hg", "node_modules"})
_LIBRARIES = frozenset({"site-packages", "dist-packages"})
_OURS = ("observe", "sandbox")  # our own code that decides what a run says

FILES = "the project's files"

Parts = Mapping[str, str]  # what it is, in words -> digest


class UnboundedError(Exception):
    """There is too much that a run could depend on; says what."""


def parts(bench: Bench, caps: Capabilities, ours: Mapping[str, str]) -> Parts:
    """All that decides what the suite does, as far as it is known before a run.

    `ours` are the variables of this process. Two snapshots with equal parts have one
    baseline, but for files elsewhere that tests open: see `elsewhere`.

    Raises:
        UnboundedError: it cannot be told at a bearable cost.
    """
    snapshot, interpreter, config = bench.snapshot, bench.interpreter, bench.config
    variables = environment.variables(
        ours, interpreter, config, root=snapshot.root, tree=Path("/")
    )
    return {
        FILES: _digest([str(snapshot.root), snapshot.digest]),
        "the project's folders": _digest(_folders(snapshot)),
        "what its links lead to": _digest(_listed(_linked(snapshot))),
        "the interpreter": _digest(_python(interpreter)),
        "installed packages": _digest(_listed(_imported(snapshot, interpreter))),
        "settings": _digest(_settings(config)),
        "the environment": _digest(sorted(variables.items())),
        "the machine": _digest(_machine(caps)),
        "Bonafix itself": _own_code(),
    }


def elsewhere(paths: Iterable[str]) -> dict[str, str]:
    """What each of these files is like now; empty where it is not there."""
    return {path: _mark(path) for path in paths}


def _digest(values: Iterable[object]) -> str:
    found = hashlib.sha256()
    for value in values:
        found.update(json.dumps(value, default=str).encode() + b"\n")
    return found.hexdigest()


def _python(interpreter: Interpreter) -> list[object]:
    real = os.path.realpath(interpreter.path)
    return [
        *(str(interpreter.path), real, _mark(real), interpreter.name),
        *(interpreter.prefix, interpreter.base_prefix, interpreter.user_base),
        *(interpreter.import_path, interpreter.editable),
        *(interpreter.pytest, interpreter.plugins),
    ]


def _settings(config: Config) -> list[object]:
    return [
        *(config.confine, config.memory),
        *(config.test_timeout, config.suite_timeout, sorted(config.environment)),
    ]


def _machine(caps: Capabilities) -> list[object]:
    return [
        *(platform.platform(), platform.machine(), platform.node()),
        *(os.cpu_count(), os.geteuid(), os.getegid(), time.tzname),
        describe(caps),
    ]


@cache
def _own_code() -> str:
    """Our version, and the code itself: in a checkout it changes without one."""
    folder = Path(bonafix.__file__).parent
    found = hashlib.sha256(bonafix.__version__.encode())
    for name in _OURS:
        for path in sorted((folder / name).rglob("*.py")):
            found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _imported(snapshot: Snapshot, interpreter: Interpreter) -> list[str]:
    """The places that modules come from, but for those that are in the copy."""
    every = (*interpreter.import_path, *interpreter.editable)
    return sorted({path for path in every if not _copied(path, snapshot, interpreter)})


def _copied(path: str, snapshot: Snapshot, interpreter: Interpreter) -> bool:
    place = Path(path)
    if not place.is_absolute() or not place.is_relative_to(snapshot.root):
        return not place.is_absolute()
    inner = Path(interpreter.prefix)
    within = inner != snapshot.root and place.is_relative_to(inner)
    return not within and not _LIBRARIES & set(place.parts)


def _linked(snapshot: Snapshot) -> list[str]:
    """What links of the copy lead to, where that is outside of it."""
    found = set()
    for path in snapshot.files - snapshot.sources.keys():
        place = os.path.join(snapshot.lower, path)
        if os.path.islink(place):
            found.add(os.path.realpath(place))
    lower = os.path.realpath(snapshot.lower)
    return sorted(one for one in found if not one.startswith(lower + os.sep))


def _folders(snapshot: Snapshot) -> Iterator[tuple[str, int]]:
    """Each with its mode: the digest knows none that is empty."""
    for place, inner, _ in os.walk(snapshot.lower):
        inner.sort()
        yield os.path.relpath(place, snapshot.lower), os.stat(place).st_mode


def _listed(folders: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every file below these with its mark, in order."""
    count = 0
    for folder in folders:
        if not os.path.isdir(folder):
            yield folder, _mark(folder)
            continue
        for place, inner, names in os.walk(folder):
            # packages on the import path are listed on their own account
            inner[:] = sorted(set(inner) - _DULL - _LIBRARIES)
            count += len(names)
            if count > MOST:
                raise UnboundedError(f"more than {MOST:,} files can be imported")
            for name in sorted(names):
                path = os.path.join(place, name)
                yield path, _mark(path)


def _mark(path: str) -> str:
    """Size, time and number of a file; empty where it is not there.

    Not the time of its last change of any kind: that moves when another environment
    links to the same file, as installers with a shared store do.
    """
    try:
        seen = os.stat(path)
    except (OSError, ValueError):
        return ""
    return f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ino} {seen.st_dev}"

"""Where baselines are kept between runs: a few files that only this user can write.

It lies under the user's state directory, outside every project, where no cell can
write. What is there is believed only if it is a plain file of this user's, whole, of
this version, and about exactly what is asked for; anything else counts as absent.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bonafix.config import state_dir
from bonafix.domain import Outcome, SuiteRun
from bonafix.observe.packed import pack, unpack
from bonafix.observe.shards import Parts

FORM = 2  # of what is written
ENTRIES = 32  # that are kept
PER_ROOT = 4  # of them, of one project
TOTAL = 256 << 20  # bytes of them all
LARGEST = 64 << 20  # bytes of one, compressed
_UNPACKED = 16  # times that may become larger
_SUFFIX = ".json.gz"
_SHORT = 24  # hex digits of a digest in a file's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the runs of a baseline have shown, before anything is concluded."""

    run: SuiteRun  # the first whole one, with the durations of the second
    again: Mapping[str, Outcome]  # in the second, where it differs from the first
    alone: Mapping[str, tuple[Outcome, ...]]  # of red ids on their own
    seconds: float  # of one whole run, wall
    harm: str = ""  # that going faster did: see `haste`
    parts: Parts = ()  # files of tests that may run apart from each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What tells later which files have changed since; empty where that is too much."""

    marks: Mapping[str, str] = field(default_factory=dict)  # path -> kind and digest
    sources: Mapping[str, str] = field(default_factory=dict)  # of Python, their texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A baseline with what it depends on."""

    form: int = FORM
    parts: Mapping[str, str]  # what decides the outcomes -> digest
    elsewhere: Mapping[str, str]  # files that tests opened outside -> what they were
    taken: float  # seconds since 1970; of several runs the oldest
    tree: Tree = Tree()
    observed: Observed


def folder() -> Path:
    """Where they are, whether or not it exists."""
    return state_dir() / "baselines"


def unsafe(root: Path) -> str:
    """Why nothing may be kept for the project at `root`; empty where it may be."""
    place = Path(os.path.realpath(folder()))
    if place.is_relative_to(root):
        return "the folder for it lies inside the project"
    with contextlib.suppress(OSError):
        if not ours(folder().lstat(), stat.S_IFDIR):
            return "others may write to the folder for it"
    return ""


def load(root: Path, parts: Mapping[str, str]) -> Entry | None:
    """What is known under exactly these `parts`, if anything is."""
    path = _path(root, parts)
    entry = _read(path)
    if entry is None or entry.parts != dict(parts):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # what is used stays longest
    return entry


def latest(root: Path) -> Mapping[str, str]:
    """What the newest entry about `root` depended on; empty where there is none."""
    return next((entry.parts for entry in _about(root)), {})


def nearest(root: Path, parts: Mapping[str, str], but: str) -> Entry | None:
    """The newest entry about `root` that has these `parts`, `but` one."""
    wanted = {**parts, but: ""}
    every = (entry for entry in _about(root) if {**entry.parts, but: ""} == wanted)
    return next(every, None)


def _about(root: Path) -> Iterator[Entry]:
    for path in _newest_first(f"{_root_name(root)}-*{_SUFFIX}"):
        entry = _read(path)
        if entry is not None:
            yield entry


def blank(root: Path) -> bool:
    """Whether nothing is kept about `root` that could be read."""
    return not any(True for _ in _newest_first(f"{_root_name(root)}-*{_SUFFIX}"))


def save(root: Path, entry: Entry) -> bool:
    """Keep `entry`, whole or not at all; whether it is kept."""
    data = gzip.compress(json.dumps(pack(entry)).encode(), compresslevel=1, mtime=0)
    if len(data) > LARGEST:
        return False
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(_path(root, entry.parts), data)
        _prune(root)
    except OSError:
        return False  # no space, or a read-only home: the next run takes its own
    return True


def forget(root: Path, parts: Mapping[str, str]) -> None:
    """Throw away what is kept under these `parts`."""
    with contextlib.suppress(OSError):
        _path(root, parts).unlink()


def _root_name(root: Path) -> str:
    return hashlib.sha256(os.fsencode(root)).hexdigest()[:_SHORT]


def _path(root: Path, parts: Mapping[str, str]) -> Path:
    text = json.dumps([FORM, sorted(parts.items())])
    key = hashlib.sha256(text.encode()).hexdigest()
    return folder() / f"{_root_name(root)}-{key[:_SHORT]}{_SUFFIX}"


def _write(path: Path, data: bytes) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise


def _read(path: Path) -> Entry | None:
    try:
        if not ours(path.parent.lstat(), stat.S_IFDIR):
            return None
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            seen = os.fstat(handle)
            if not ours(seen, stat.S_IFREG) or seen.st_size > LARGEST:
                return None
            with gzip.open(file) as inner:
                text = inner.read(_UNPACKED * LARGEST)
        entry = unpack(Entry, json.loads(text))
    except (OSError, EOFError, zlib.error, ValueError, RecursionError):
        return None  # also what JSON and the types do not fit
    return entry if entry.form == FORM else None


def ours(seen: os.stat_result, kind: int) -> bool:
    """Whether it is of that kind, this user's, and nobody else's to write."""
    shared = seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return (
        stat.S_IFMT(seen.st_mode) == kind and seen.st_uid == os.geteuid() and not shared
    )


def _newest_first(pattern: str) -> list[Path]:
    times = {}
    for path in folder().glob(pattern):
        with contextlib.suppress(OSError):
            times[path] = path.lstat().st_mtime_ns
    return sorted(times, key=lambda path: -times[path])


def _prune(root: Path) -> None:
    for path in _too_many(root):
        with contextlib.suppress(OSError):
            path.unlink()


def _too_many(root: Path) -> Iterator[Path]:
    """Drafts that nobody finished, and what goes beyond the bounds, oldest first."""
    total = own = 0
    for number, path in enumerate(_newest_first(f"*{_SUFFIX}")):
        mine = path.name.startswith(_root_name(root))
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
        own += mine
        if number >= ENTRIES or total > TOTAL or (mine and own > PER_ROOT):
            yield path
    yield from _newest_first(".draft-*")[ENTRIES:]

"""Copying and deleting whole trees, in steps between which others may run."""

# a call of pathlib per file would double the time that 50,000 files take
# ruff: noqa: PTH101, PTH102, PTH106, PTH108, PTH115, PTH211

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

_WHOLE = 1 << 20  # up to here a file is read in one piece
# seconds between two chances for others to run; not entries, of which a busy disk takes
# hundreds a second at times (200 took 1.5 s)
_SLICE = 0.005

# What a reader meets where something is not his to read, or went meanwhile.
GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EACCES})


async def in_slices(steps: Iterator[None], *, despite_cancel: bool = False) -> None:
    """Do all steps, letting others run in between.

    A cancel ends it at once, or with `despite_cancel` is obeyed when all is done.
    """
    cancelled = False
    until = 0.0
    for _ in steps:
        if time.monotonic() < until:
            continue
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            if not despite_cancel:
                raise
            cancelled = True
        until = time.monotonic() + _SLICE
    if cancelled:
        raise asyncio.CancelledError


def copy_file(source: str, target: str) -> tuple[int, bytes | None] | None:
    """Copy one file with mode and time to a new place: (mode, contents if small).

    `None` where the source cannot be read or is no file; links are not followed.
    A small file is read once, for the copy and for the caller alike.
    """
    try:
        # a file may have become a pipe since it was listed: do not wait on it
        reader = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in GONE:
            return None
        raise
    try:
        status = os.fstat(reader)
        if not stat.S_ISREG(status.st_mode):
            return None
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            contents = _pour(reader, writer, status.st_size)
            os.fchmod(writer, status.st_mode & 0o777)
            # builds compare times: a copy must not look newer than what it is of
            os.utime(writer, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(writer)
    finally:
        os.close(reader)
    return status.st_mode, contents


def duplicate(source: str, target: str) -> Iterator[None]:
    """Copy what is in one folder into another, empty one; links stay as they are."""
    with os.scandir(source) as entries:
        listed = list(entries)
    for entry in listed:
        yield
        place = f"{target}/{entry.name}"
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), place)
        elif entry.is_dir(follow_symlinks=False):
            os.mkdir(place)
            yield from duplicate(entry.path, place)
            os.chmod(place, stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode))
        else:
            copy_file(entry.path, place)


def remove(folder: str) -> Iterator[None]:
    """Delete a tree; a test may have taken permissions from its own folders."""
    if Path(folder).is_symlink():  # once for each tree
        return  # what it leads to is somebody else's
    with contextlib.suppress(OSError):
        os.chmod(folder, 0o700)
    listed: list[os.DirEntry[str]] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        listed = list(entries)
    for entry in listed:
        yield
        if entry.is_dir(follow_symlinks=False):
            yield from remove(entry.path)
        else:
            with contextlib.suppress(OSError):
                os.unlink(entry.path)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _pour(reader: int, writer: int, size: int) -> bytes | None:
    if size <= _WHOLE:
        contents = os.read(reader, _WHOLE + 1)
        if len(contents) <= _WHOLE:
            _write_all(writer, contents)
            return contents
        os.lseek(reader, 0, os.SEEK_SET)  # it grew meanwhile
    try:
        # some file systems then share the blocks of both
        while os.copy_file_range(reader, writer, 1 << 30):
            pass
    except (AttributeError, OSError) as error:  # not on macOS; not across some mounts
        if getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
            raise
        _pour_by_hand(reader, writer)
    return None


def _pour_by_hand(reader: int, writer: int) -> None:
    os.lseek(reader, 0, os.SEEK_SET)
    os.lseek(writer, 0, os.SEEK_SET)
    while part := os.read(reader, 4 * _WHOLE):
        _write_all(writer, part)


def _write_all(writer: int, contents: bytes) -> None:
    rest = memoryview(contents)
    while rest:
        rest = rest[os.write(writer, rest) :]

"""What a run left in a cell, and the cell as it was before it.

Whoever forks twice in one cell compares: what one run has left there, another would
find. A mount for each fork would need no looking, but whoever is confined by Landlock
may not mount, and the process that forks is: it has run the project's code. So what is
left is taken away, by that process: it reaches nothing else, and only who lives behind
an overlay sees what changes there. Then it is looked at once more: whatever is not as
it was then is told, and the process is of no more use.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from bonafix.observe.zygote import Back, LostError, Zygote
from bonafix.sandbox.cell import Cell

# What every session of pytest writes, and no test is the worse for.
_USUAL = frozenset({"__pycache__", ".pytest_cache"})
_MOST = 1000  # things to put back; whoever leaves more is left to a new process
_MOST_BYTES = 1 << 20  # of contents

Where = Literal["tree", "home", "tmp", "var_tmp"]
_FOLDERS: tuple[Where, ...] = ("home", "tmp", "var_tmp")


class Mark(NamedTuple):
    """One thing in a cell that is not in the snapshot, or not so."""

    where: Where
    path: str  # below that folder
    mode: int
    size: int  # of a folder 0: what is in it speaks for it
    time: int  # of the last change, nanoseconds; of a folder 0

    def __str__(self) -> str:
        return self.path if self.where == "tree" else f"{self.where}/{self.path}"

    @property
    def place(self) -> tuple[Where, str]:
        """Where it is, whatever it is."""
        return self.where, self.path


Marks = frozenset[Mark]


def marks(cell: Cell) -> Marks:
    """What is in the cell now and was not in the snapshot."""
    ground = cell.ground
    found: set[Mark] = set()
    for path, seen in _walk(ground.upper or ground.tree):
        if not _equal(ground.lower / path, seen):
            found.add(_mark("tree", path, seen))
    for where in _FOLDERS:
        found.update(_mark(where, *one) for one in _walk(getattr(ground, where)))
    return frozenset(found)


async def tidied(host: Zygote, before: Marks) -> Marks:
    """Put back what a run left; what is not as it was even so."""
    now = await asyncio.to_thread(marks, host.cell)
    if now == before:
        return frozenset()
    work = await asyncio.to_thread(_work, host.cell, before, now)
    if work is not None:
        with contextlib.suppress(LostError):  # what has been put back is seen below
            await host.tidy(*work)
        now = await asyncio.to_thread(marks, host.cell)
    return now ^ before


def _work(
    cell: Cell, before: Marks, now: Marks
) -> tuple[Sequence[str], Sequence[Back]] | None:
    """What is to go and what is to be as before, by absolute paths.

    `None` where it is too much, or was there before any run.
    """
    known = {mark.place for mark in before}
    if known - {mark.place for mark in now} or len(now - before) > _MOST:
        return None
    gone, back, room = [], [], _MOST_BYTES
    for mark in sorted(now - before):
        if mark.place in known:
            return None
        place = _folder(cell, mark.where) / mark.path
        lower = cell.ground.lower / mark.path
        if mark.where != "tree" or not os.path.lexists(lower):
            gone.append(str(place))
            continue
        found = _back(lower, place, room)
        if found is None:
            return None
        room -= len(found.content)
        back.append(found)
    return gone, back


def _back(lower: Path, place: Path, room: int) -> Back | None:
    """The file as it was; `None` where it is none, or too large."""
    try:
        seen = lower.lstat()
        if not stat.S_ISREG(seen.st_mode) or seen.st_size > room:
            return None
        content = lower.read_bytes()
    except OSError:
        return None
    return Back(str(place), content, stat.S_IMODE(seen.st_mode), seen.st_mtime_ns)


def _folder(cell: Cell, where: Where) -> Path:
    """That folder as the processes in the cell see it."""
    if where == "var_tmp":
        return Path("/var/tmp")  # noqa: S108 - a private one, else nothing is seen there
    return {"tree": cell.tree, "home": cell.home, "tmp": cell.tmp}[where]


def _mark(where: Where, path: str, seen: os.stat_result) -> Mark:
    if stat.S_ISDIR(seen.st_mode):
        return Mark(where, path, seen.st_mode, 0, 0)
    return Mark(where, path, seen.st_mode, seen.st_size, seen.st_mtime_ns)


def _walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    stack = [str(folder)]
    while stack:
        here = stack.pop()
        with contextlib.suppress(OSError), os.scandir(here) as entries:
            for entry in entries:
                if entry.name in _USUAL:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                name = os.path.relpath(entry.path, folder)
                yield name, entry.stat(follow_symlinks=False)


def _equal(before: Path, seen: os.stat_result) -> bool:
    try:
        known = before.lstat()
    except OSError:
        return False
    if known.st_mode != seen.st_mode:
        return False
    if stat.S_ISDIR(known.st_mode):
        return True  # its own times change with what is in it
    return (known.st_size, known.st_mtime_ns) == (seen.st_size, seen.st_mtime_ns)

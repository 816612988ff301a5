"""A snapshot and a patch in; a private tree to run programs in, then nothing."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bonafix.domain import Snapshot
from bonafix.errors import SandboxError
from bonafix.sandbox import confinement, overlay, plan
from bonafix.sandbox.confinement import Capabilities, Confine
from bonafix.sandbox.files import duplicate, in_slices, remove
from bonafix.sandbox.plan import Ground, Limits
from bonafix.sandbox.process import Exit, Running, spawn
from bonafix.sandbox.spec import Spec

__all__ = ["Cell", "Exit", "Limits", "Running", "cell", "run", "start"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A private tree with its folders, and how what runs there is confined.

    `tmp` and `home` are real folders, the same inside and outside; where a private
    /tmp is possible, it is `tmp` too. `tree` may exist for the processes alone.
    """

    tree: Path
    tmp: Path
    home: Path
    confinement: str  # one line: the kind, and what it lacks
    lacks: tuple[str, ...]
    ground: Ground = field(repr=False)
    running: set[Running] = field(default_factory=set, repr=False, compare=False)


@asynccontextmanager
async def cell(
    snapshot: Snapshot,
    files: Mapping[str, bytes | None],
    *,
    limits: Limits,
    confine: Confine,
    readable: Sequence[Path],
    hidden: Sequence[Path],
    caps: Capabilities | None = None,
) -> AsyncIterator[Cell]:
    """Make a fresh tree, the snapshot with `files` over it (`None` deletes).

    The user's home, the original tree and `hidden` cannot be read in it, except
    below `readable`. On the way out every process is killed, every file deleted.
    `caps` is what may be used of the machine; by default all that works.

    Raises:
        SandboxError: the tree cannot be made.
        ConfinementError: `confine` is "require" and this machine cannot.
    """
    confinement.refuse_windows()
    folder = snapshot.lower.parent / "cells"
    with _explained(folder):
        folder.mkdir(exist_ok=True)
        caps = _capabilities(folder, confine, caps)
        base = Path(tempfile.mkdtemp(dir=folder))
    try:
        with _explained(folder):
            ground = plan.ground(
                snapshot, base, caps, limits=limits, readable=readable, hidden=hidden
            )
            await _furnish(ground, files)
        made = _cell(ground, confine)
        try:
            yield made
        finally:
            await _end_all(made.running)
    finally:
        await in_slices(remove(str(base)), despite_cancel=True)
        with contextlib.suppress(OSError):
            folder.rmdir()  # unless other cells live there


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SandboxError(
            f"The sandbox cannot be made in {folder}: {error.strerror or error}. "
            "Free some space, or point TMPDIR elsewhere."
        ) from error


def _capabilities(
    folder: Path, confine: Confine, caps: Capabilities | None
) -> Capabilities:
    if confine == "off":
        return Capabilities(platform=sys.platform)
    caps = caps or confinement.capabilities(folder)
    if confine == "require":
        confinement.require(caps)
    return caps


def _cell(ground: Ground, confine: Confine) -> Cell:
    if confine == "off":
        line = "off, as the settings ask"
        lacks: tuple[str, ...] = ("confinement",)
    else:
        line = confinement.describe(ground.caps)
        lacks = tuple(lack.means for lack in confinement.lacks(ground.caps))
    return Cell(
        tree=ground.tree,
        tmp=ground.tmp,
        home=ground.home,
        confinement=line,
        lacks=lacks,
        ground=ground,
    )


async def _furnish(ground: Ground, files: Mapping[str, bytes | None]) -> None:
    for place in (ground.tree, ground.tmp, ground.home, ground.var_tmp):
        place.mkdir()
    for place in (ground.tmp, ground.var_tmp):
        place.chmod(0o1777)  # what programs expect of a /tmp; `base` itself is ours
    if ground.upper is not None:
        ground.upper.mkdir()
        shutil.copymode(ground.lower, ground.upper)
        overlay.lay_over(ground.lower, ground.upper, files)
    else:
        await in_slices(duplicate(str(ground.lower), str(ground.tree)))
        overlay.lay_into(ground.tree, files)


async def start(
    cell: Cell,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None,
    pass_fds: Sequence[int] = (),
    seconds: float,
) -> Running:
    """Start a program in the cell; it gets `env` with the cell's own HOME and TMPDIR.

    `cwd` defaults to the tree. Descriptors in `pass_fds` keep their numbers; close
    your copies of write ends, or a reader never sees the end. After `seconds` all
    of it is killed. One program at a time: they share the tree.

    Raises:
        SandboxError: a program is still running here, or none can be started.
    """
    if any(not running.ended for running in cell.running):
        raise SandboxError("A program is still running in this copy of the project.")
    cell.running.clear()
    ground = cell.ground
    work = _fresh_work(ground)

    def make(lifeline: int, status: int) -> Spec:
        return plan.spec(
            ground,
            argv=argv,
            env=env,
            cwd=cwd or ground.tree,
            work=work,
            lifeline=lifeline,
            status=status,
            pass_fds=pass_fds,
            seconds=seconds,
        )

    running = spawn(make, ground.base, seconds=seconds)
    cell.running.add(running)
    return running


async def run(
    cell: Cell,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None,
    pass_fds: Sequence[int] = (),
    seconds: float,
) -> Exit:
    """Run a program in the cell to its end; see `start`.

    A cancel or the end of its time kills everything that it started, whatever that
    did to escape, before this returns.
    """
    running = await start(
        cell, argv, env=env, cwd=cwd, pass_fds=pass_fds, seconds=seconds
    )
    return await running.wait()


def _fresh_work(ground: Ground) -> Path | None:
    """An overlay's scratch folder: a used one may not be mounted `volatile` again."""
    if ground.upper is None:
        return None
    return Path(tempfile.mkdtemp(prefix="work-", dir=ground.base))


async def _end_all(running: set[Running]) -> None:
    for one in tuple(running):
        await one.kill()

"""Projects in a copy with what runs there, the cold peer, and the CPU that was used."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from libraries import Library, mutants, python, tree

from bonafix.config import Config
from bonafix.domain import Outcome, Runner
from bonafix.observe.interpreter import find
from bonafix.observe.run import Bench, make_runner
from bonafix.sandbox.tree import take

KEPT = "serve.py"  # the script of a process that is kept between runs
Files = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A project with its copy and what runs there."""

    name: str
    bench: Bench
    cold: Runner
    folder: Path
    source: str = ""  # what must be on the path for imports, below the tree
    library: Library | None = None

    @property
    def python(self) -> str:
        return ".".join(map(str, self.bench.interpreter.version[:2]))


@asynccontextmanager
async def place(
    name: str, root: Path, source: str, library: Library | None = None
) -> AsyncIterator[Place]:
    """A copy of the project at `root`; it is not installed, so the path leads to it."""
    config = Config(interpreter=str(python()))
    os.environ["PYTHONPATH"] = str(root / source)
    try:
        interpreter = await find(root, config)
        with tempfile.TemporaryDirectory() as folder:
            snapshot = take(root, Path(folder) / "lower")
            yield Place(
                name=name,
                bench=Bench(snapshot, interpreter, config),
                cold=make_runner(snapshot, interpreter, config),
                folder=Path(folder),
                source=source,
                library=library,
            )
    finally:
        del os.environ["PYTHONPATH"]


def of(library: Library) -> AbstractAsyncContextManager[Place]:
    """That of a library."""
    return place(library.name, tree(library), library.source, library)


async def on_target(here: Place) -> Iterator[tuple[str, Files]]:
    """Mutants of the lines that the target runs; over the untouched tree it passes."""
    library = here.library
    assert library is not None
    run = await here.cold({}, select=[library.id], record_lines=True)
    assert run.outcome(library.id) is Outcome.PASSED, run.output
    lines = run.lines[library.id][library.product]
    source = here.bench.snapshot.sources[library.product]
    return mutants(library.product, source, lines)


class Meter:
    """CPU seconds from here on: ours, of all that ended, of what is kept.

    Looking for the kept processes costs some itself, which is left out.
    """

    def __init__(self) -> None:
        self._kept = kept()
        self._own = _own()

    def spent(self) -> float:
        own = _own() - self._own
        return own + kept() - self._kept


def _own() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def kept() -> float:
    """CPU seconds of the living processes that serve runs, without their forks."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if any(word.endswith(KEPT) for word in process.cmdline()):
                total += running(process.pid)
        except psutil.NoSuchProcess:
            continue
    return total


def running(pid: int) -> float:
    """CPU seconds of a living process, in all its threads; 0 where it is gone."""
    total = 0.0
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0]) / 1e9
    except (FileNotFoundError, ProcessLookupError):
        return total
    return total


def peer(here: Place, files: Files, arguments: Sequence[str]) -> tuple[float, int]:
    """CPU seconds of a copy of the tree and a new pytest process; its exit code."""
    meter = Meter()
    copy = here.folder / "copy"
    subprocess.run(["cp", "-r", here.bench.snapshot.lower, copy], check=True)
    for path, content in files.items():
        (copy / path).write_bytes(content or b"")
    source = str(copy / here.source)
    env = os.environ | {"PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [here.bench.interpreter.path, "-m", "pytest", "-q", *arguments]
    done = subprocess.run(
        command, cwd=copy, env=env, stdout=subprocess.DEVNULL, check=False
    )
    shutil.rmtree(copy)
    return meter.spent(), done.returncode

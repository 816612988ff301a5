"""Small projects written to disk, and real runs of their tests in real cells."""

import asyncio
import os
import tempfile
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bonafix.config import Config
from bonafix.domain import Runner, Snapshot, silent
from bonafix.observe.interpreter import Interpreter, find
from bonafix.observe.run import make_runner
from bonafix.sandbox.tree import take
from tests.observe.environments import CACHE, plain


def write(root: Path, files: dict[str, str]) -> Path:
    """Write `files` below `root`, each dedented."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return root


def config(python: Path | str = "", **settings) -> Config:
    """Settings with that interpreter; tests that hang do so for a few seconds."""
    return Config(interpreter=str(python or plain()), test_timeout=30.0, **settings)


@dataclass(frozen=True)
class Bench:
    """A project with its copy, interpreter and runner."""

    root: Path
    snapshot: Snapshot
    interpreter: Interpreter
    config: Config
    run: Runner


def found(root: Path, settings: Config) -> Interpreter:
    """The interpreter; the kept environments are examined once only."""
    if not settings.interpreter.startswith(str(CACHE)) or "PYTHONPATH" in os.environ:
        return asyncio.run(find(root, settings))
    return kept(settings.interpreter)


@cache
def kept(python: str) -> Interpreter:
    """One of the kept environments."""
    return asyncio.run(find(CACHE, Config(interpreter=python)))


@contextmanager
def bench(root: Path, settings: Config):
    """A bench for the project at `root`, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bonafix-test-") as folder:
        snapshot = take(root, Path(folder) / "lower", carry=settings.carry)
        interpreter = found(root, settings)
        run = make_runner(snapshot, interpreter, settings)
        yield Bench(root, snapshot, interpreter, settings, run)


def observe(root: Path, settings: Config | None = None, files=None, **wishes):
    """One run of the project's tests; `wishes` are the runner's arguments."""
    with bench(root, settings or config()) as made:
        wishes.setdefault("listen", silent)
        return asyncio.run(made.run(files or {}, **wishes))


def outcomes(run) -> dict[str, str]:
    """Id -> outcome, in the order of running."""
    return {node_id: str(run.outcome(node_id)) for node_id in run.collected}

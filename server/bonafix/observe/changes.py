"""A tree as it was and as it is in, which functions changed out; or why that is more.

A change counts as one of functions only where each changed file is a Python source in
which nothing else differs, or no Python and opened by nobody. Whether it is, the
project's own interpreter says: it compiles both versions, and runs neither.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bonafix.domain import Reach, Snapshot, SuiteRun
from bonafix.observe import wire
from bonafix.observe.ask import ask
from bonafix.observe.layout import layout
from bonafix.observe.run import Bench
from bonafix.observe.steering import steers
from bonafix.observe.store import Tree

MOST_FILES = 20_000  # whose digests are kept
MOST_SOURCES = 16 << 20  # bytes of Python sources that are kept
_DIGITS = 32  # of a digest
_PYTHON = ".py"
_UNSEEN = frozenset({".pyc", ".pyi"})  # nobody notes who opens these
_SECONDS = 30.0
_FLAGS = ("-B", "-E", "-s", "-S")  # nothing of the environment's is run or written


class BeyondError(Exception):
    """What changed may matter to every test; says what, and why."""


@dataclass(frozen=True, slots=True)
class Function:
    """One whose body changed; its lines are the old ones."""

    name: str
    first: int  # with its decorators
    last: int
    lines: frozenset[int]  # that run when it does, and not just when it is defined
    begins: frozenset[int]  # first lines of it and of the functions within


@dataclass(frozen=True, slots=True)
class Altered:
    """A Python source in which only bodies of functions changed."""

    functions: tuple[Function, ...]
    lines: Mapping[int, int]  # of all other code: old -> new


@dataclass(frozen=True, slots=True)
class Changes:
    """All files that changed; only of sources does anything depend on that."""

    sources: Mapping[str, Altered]
    paths: tuple[str, ...]


def tree_of(snapshot: Snapshot) -> Tree:
    """What is kept of a snapshot; nothing where that were too much."""
    sources = {p: c for p, c in snapshot.sources.items() if p.endswith(_PYTHON)}
    if len(snapshot.marks) > MOST_FILES:
        return Tree()
    if sum(map(len, sources.values())) > MOST_SOURCES:
        sources = {}
    return Tree(
        marks={path: _digest(mark) for path, mark in snapshot.marks.items()},
        sources={path: _text(content) for path, content in sources.items()},
    )


def _digest(mark: bytes) -> str:
    """The kind of a file, one letter, and what tells its contents."""
    return chr(mark[0]) + hashlib.sha256(mark).hexdigest()[:_DIGITS]


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


async def changes(bench: Bench, before: Tree, run: SuiteRun) -> Changes:
    """What changed since `run`, which was of the tree `before`.

    Raises:
        BeyondError: more than bodies of functions, and files that nobody opened.
    """
    now = await asyncio.to_thread(tree_of, bench.snapshot)
    paths = tuple(_differing(before, now))
    if run.reach is None or "" in run.reach.unseen:
        raise BeyondError("more ran than can be told for each of the tests")
    plugins = layout(bench.snapshot, run, bench.interpreter, bench.config).plugins
    for path in paths:
        if steers(path) or path in plugins:
            raise BeyondError(f"{path} changed, which says how tests are run")
        _require_unopened(path, run, run.reach)
    versions = {p: _versions(p, before, now) for p in paths if p.endswith(_PYTHON)}
    sources = await _compared(bench, versions) if versions else {}
    for path, altered in sources.items():
        _require_apart(path, altered, run.reach)
    return Changes(sources, paths)


def _differing(before: Tree, now: Tree) -> Iterator[str]:
    if not before.marks or not now.marks:
        raise BeyondError("the project has too many files to keep what each was")
    for path in sorted(before.marks.keys() ^ now.marks.keys()):
        what = "added" if path in now.marks else "removed"
        raise BeyondError(f"{path} was {what}")
    for path, mark in sorted(now.marks.items()):
        old = before.marks[path]
        if mark[0] != old[0] or (mark != old and mark[0] == "L"):
            raise BeyondError(f"{path} is another kind of file now, or another link")
        if mark != old:
            yield path


def _require_unopened(path: str, run: SuiteRun, reach: Reach) -> None:
    if path in run.opened or path in reach.opened:
        raise BeyondError(f"{path} changed, which tests open")
    if PurePosixPath(path).suffix in _UNSEEN:
        raise BeyondError(f"{path} changed, and it is not seen who opens that")


def _versions(path: str, before: Tree, now: Tree) -> tuple[str, str]:
    old, new = before.sources.get(path), now.sources.get(path)
    if old is None or new is None:
        raise BeyondError(f"{path} changed, and it is too large to be kept")
    return old, new


def _require_apart(path: str, altered: Altered, reach: Reach) -> None:
    """See that no function which changed, or cannot be followed, is shared."""
    shared = reach.functions.get(path, frozenset())
    for function in altered.functions:
        if function.begins & shared:
            raise BeyondError(
                f"{function.name} of {path} changed, which ran for several tests"
            )
    if shared - altered.lines.keys():
        raise BeyondError(f"{path} changed, and not all of it can be followed")


async def _compared(
    bench: Bench, versions: Mapping[str, tuple[str, str]]
) -> dict[str, Altered]:
    python, script = bench.interpreter.path, bench.interpreter.script("compare.py")
    try:
        with tempfile.TemporaryDirectory(dir=bench.snapshot.lower.parent) as folder:
            order = Path(folder) / "order.json"
            order.write_text(json.dumps(versions))
            command = [str(python), *_FLAGS, str(script), str(order)]
            env = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
            answer = await ask(command, cwd=Path(folder), env=env, seconds=_SECONDS)
        told = json.loads(answer.text) if not answer.problem else {}
    except (OSError, ValueError) as error:
        raise BeyondError("what changed could not be compared") from error
    return {path: _altered(path, told.get(path)) for path in versions}


def _altered(path: str, told: object) -> Altered:
    fields: wire.Fields = told if isinstance(told, dict) else {}
    unfit = wire.text(fields, "unfit")
    if unfit or not fields:
        raise BeyondError(f"{path} changed: {unfit or 'it could not be compared'}")
    return Altered(
        tuple(map(_function, wire.objects(fields, "changed"))),
        dict(_pairs(fields.get("lines"))),
    )


def _function(fields: wire.Fields) -> Function:
    return Function(
        name=wire.text(fields, "name"),
        first=int(wire.number(fields, "first")),
        last=int(wire.number(fields, "last")),
        lines=frozenset(map(int, wire.numbers(fields, "lines"))),
        begins=frozenset(map(int, wire.numbers(fields, "begins"))),
    )


def _pairs(value: object) -> Iterator[tuple[int, int]]:
    pairs: Sequence[object] = value if isinstance(value, list) else ()
    for pair in pairs:
        match pair:
            case [int(old), int(new)]:
                yield old, new

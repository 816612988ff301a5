"""A copy in, the same with its modules compiled out, before anyone runs in it.

A run that finds nothing compiled rewrites pytest's assertions each time, which is most
of what collecting costs. What is written lies in the immutable copy, where no cell can
write, and is made by a process that runs none of the project's code: from a text, that
text's own code. It counts for that text alone: a changed file is compiled afresh.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bonafix.domain import Snapshot, SuiteRun
from bonafix.layout import is_test_path
from bonafix.observe.ask import ask
from bonafix.observe.run import Bench
from bonafix.sandbox.files import in_slices, remove

_SCRIPT = Path(__file__).parent / "inside" / "ahead.py"
_SECONDS = 60.0
_MOST = 5000  # modules
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
_CONFIGURATION = frozenset({"pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg"})
_FOLDER = "__pycache__"


async def compile_ahead(bench: Bench, run: SuiteRun) -> None:
    """Compile what `run`, over the untouched copy, has shown to be tests, and the rest.

    Nothing may be running in the copy. What cannot be compiled stays as it is.
    """
    snapshot = bench.snapshot
    tests = set() if _unusual(snapshot) else set(_rewritten(snapshot, run))
    modules = {path for path in snapshot.files if path.endswith(".py")}
    if not 0 < len(modules) <= _MOST:
        return
    order = {
        "tree": str(snapshot.lower),
        "root": str(snapshot.root),
        "rewritten": sorted(tests),
        "plain": sorted(modules - tests),
    }
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    with (
        contextlib.suppress(OSError),  # no space: then nothing is compiled ahead
        tempfile.TemporaryDirectory(dir=snapshot.lower.parent) as folder,
    ):
        path = Path(folder) / "order.json"
        path.write_text(json.dumps(order))
        command = [str(bench.interpreter.path), str(_SCRIPT), str(path)]
        await ask(command, cwd=Path(folder), env=env, seconds=_SECONDS)


async def undo(snapshot: Snapshot) -> None:
    """Take it all away again."""
    carried = {str(PurePosixPath(path).parent) for path in snapshot.files}
    for folder in sorted({PurePosixPath(path).parent for path in snapshot.files}):
        if str(folder / _FOLDER) not in carried:
            place = snapshot.lower.resolve() / folder / _FOLDER
            # A link may lead out of the copy, to files that are none of ours.
            if place.is_dir() and place.resolve() == place:
                await in_slices(remove(str(place)))


def _rewritten(snapshot: Snapshot, run: SuiteRun) -> Iterator[str]:
    """The modules whose assertions pytest rewrites, as far as that is known."""
    collected = {node_id.partition("::")[0] for node_id in run.collected}
    for path in snapshot.files:
        name = path.rpartition("/")[2]
        if path.endswith(".py") and (
            path in collected or name == "conftest.py" or is_test_path(path)
        ):
            yield path


def _unusual(snapshot: Snapshot) -> bool:
    """Whether the project may ask pytest for another way of rewriting."""
    return any(
        b"enable_assertion_pass_hook" in snapshot.sources.get(name, b"")
        for name in _CONFIGURATION
    )

"""A world to break out of: a home with a secret, a project with a history."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bonafix.domain import Snapshot
from bonafix.sandbox.cell import Cell, Exit, Limits, cell, run
from bonafix.sandbox.confinement import Capabilities, capabilities
from bonafix.sandbox.tree import take

# Not below /tmp: that is private in a cell, and would hide what is to be hidden.
_REPOSITORY = Path(__file__).resolve().parents[2]
_PRIVATE = any(map(_REPOSITORY.is_relative_to, ("/tmp", "/var/tmp")))
_HERE = (Path.home() if _PRIVATE else _REPOSITORY) / ".cache"
BASE = Path(os.environ.get("BONAFIX_TEST_BASE", _HERE))
LIMITS = Limits(memory=1 << 30, files=256, processes=60, file_size=1 << 20)
PYTHON = (Path(sys.prefix), Path(sys.base_prefix))

Change = Callable[[Capabilities], Capabilities]
# The ways to confine; each must hold, for each is all that some machine has.
WAYS: dict[str, Change] = {
    "all": lambda caps: caps,
    "mounts-alone": lambda caps: replace(caps, landlock=0),
    "landlock-alone": lambda caps: replace(
        caps, mounts=False, readonly=False, overlay=False, proc=False, ipc=False
    ),
    "copied-tree": lambda caps: replace(caps, overlay=False),
    "no-process-ids": lambda caps: replace(caps, pids=False, proc=False),
}


@dataclass(frozen=True)
class World:
    """The user's side: what must stay unread, unwritten, unreached."""

    base: Path
    root: Path
    home: Path
    secret: Path
    history: Path
    snapshot: Snapshot

    def cell(self, way="all", files=None, confine="require", limits=LIMITS, **more):
        return cell(
            self.snapshot,
            files or {},
            limits=limits,
            confine=confine,
            readable=[*PYTHON, self.root / ".venv", *more.pop("readable", ())],
            hidden=[self.base / "hidden", *more.pop("hidden", ())],
            caps=WAYS[way](capabilities(self.base)),
        )


@pytest.fixture
def world(monkeypatch):
    BASE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BASE, prefix="my wörld ") as folder:
        base = Path(folder)
        home = base / "home"
        root = home / "my pröject"
        write(home / ".ssh" / "id", "the user's key")
        write(base / "hidden" / "journal", "the user's journal")
        write(root / ".git" / "HEAD", "the fix to come")
        write(root / ".venv" / "pyvenv.cfg", "")
        write(root / ".venv" / "lib.py", "installed = True\n")
        write(root / "mod.py", "x = 1\n")
        write(root / "a dir" / "späce file.txt", "ä")
        monkeypatch.setenv("HOME", str(home))
        yield World(
            base=base,
            root=root,
            home=home,
            secret=home / ".ssh" / "id",
            history=root / ".git" / "HEAD",
            snapshot=take(root, base / "session" / "lower"),
        )


@pytest.fixture(params=list(WAYS))
def way(request):
    return request.param


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


async def python(where: Cell, code: str, *arguments, seconds=10.0, **more) -> Exit:
    """Run a Python program in the cell."""
    return await run(
        where,
        [sys.executable, "-I", "-S", "-c", code, *map(str, arguments)],
        env={"PATH": os.defpath, **more.pop("env", {})},
        cwd=None,
        seconds=seconds,
        **more,
    )


ATTEMPTS = """
import json, sys
def attempt(work, *arguments):
    try:
        return work(*arguments)
    except OSError as error:
        return "refused"
def read(path):
    with open(path, "rb") as file:
        return file.read().decode()
def write(path):
    with open(path, "ab") as file:
        file.write(b"x")
    return "written"
def remove(path):
    import os
    os.unlink(path)
    return "removed"
def make(path):
    import os
    os.mkdir(path)
    return "made"
print(json.dumps([attempt(globals()[kind], path) for kind, path in json.loads(sys.argv[1])]))
"""  # noqa: E501


async def attempts(where: Cell, *pairs) -> list[str]:
    """Try each (kind, path) in the cell: what was read, or how it went."""
    wanted = [(kind, str(path)) for kind, path in pairs]
    ended = await python(where, ATTEMPTS, json.dumps(wanted))
    assert ended.code == 0, ended.output
    return json.loads(ended.output)

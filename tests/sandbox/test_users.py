"""The same walls hold for an ordinary user, and where namespaces are switched off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .conftest import PYTHON

REPOSITORY = Path(__file__).parents[2]
STAGE = "/mnt"  # in a mount namespace of its own, readable to everybody

# Root becomes an ordinary user with a copy of all that it needs; on request also one
# in whose user namespace no further one may be made, as on hardened machines.
BECOME = """
import json, os, sys
from bonafix.sandbox import kernel
from bonafix.sandbox import kernel_flags as flags
given = json.loads(sys.argv[1])
user = given["user"]
kernel.unshare(flags.NEWNS)
kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
places = {path: os.open(path, os.O_PATH) for path in given["show"].values()}
kernel.mount("none", given["stage"], "tmpfs", 0, "mode=755")
for name, path in given["show"].items():
    os.mkdir(f"{given['stage']}/{name}")
    kernel.mount(
        f"/proc/self/fd/{places[path]}", f"{given['stage']}/{name}", "",
        kernel.MS_BIND | kernel.MS_REC,
    )
for name in ("base", "home"):
    os.mkdir(f"{given['stage']}/{name}")
    os.chown(f"{given['stage']}/{name}", user, user)
os.setgroups([])
os.setgid(user)
os.setuid(user)
if given["hardened"]:
    kernel._prctl(kernel._PR_SET_DUMPABLE, 1)  # lost with the change of user
    kernel.unshare(flags.NEWUSER)
    kernel.map_own_identity(user, user)
    with open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")
os.chdir(f"{given['stage']}/repository")
os.execve(given["argv"][0], given["argv"], given["env"])
"""


def as_ordinary_user(argv: list[str], *, hardened: bool = False):
    """Run our Python with `argv` as user 12345."""
    executable = Path(os.path.realpath(sys.executable))
    python = f"{STAGE}/python/{executable.relative_to(sys.base_prefix)}"
    site = next(path for path in sys.path if path.endswith("site-packages"))
    given = {
        "user": 12345,
        "stage": STAGE,
        "show": {
            "python": sys.base_prefix,
            "site": site,
            "repository": str(REPOSITORY),
        },
        "hardened": hardened,
        "argv": [python, *argv],
        "env": {
            "PYTHONPATH": f"{STAGE}/site:{STAGE}/repository/server:{STAGE}/repository",
            "PYTHONDONTWRITEBYTECODE": "1",
            "BONAFIX_TEST_BASE": f"{STAGE}/base",
            "HOME": f"{STAGE}/home",
            "PATH": os.defpath,
        },
    }
    folders = os.pathsep.join(filter(None, [str(REPOSITORY / "server"), *sys.path]))
    return subprocess.run(
        [sys.executable, "-c", BECOME, json.dumps(given)],
        env={**os.environ, "PYTHONPATH": folders},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_the_walls_hold_for_an_ordinary_user():
    """The attacks once more, without root's powers, in user namespaces."""
    if os.geteuid() != 0:
        return  # then all the other tests have been run as one
    here = "tests/sandbox"
    ended = as_ordinary_user(
        [
            *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-x"),
            *("-k", "not mounts-alone and not copied-tree and not no-process-ids"),
            *(f"{here}/test_attacks.py", f"{here}/test_lifetime.py"),
            *(f"{here}/test_cell.py", f"{here}/test_tree.py"),
        ]
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout
    assert "skipped" not in ended.stdout


HARDENED = """
import asyncio, json, os, sys
from pathlib import Path
from bonafix.errors import ConfinementError
from bonafix.sandbox.cell import Limits, cell, run
from bonafix.sandbox.tree import take
from tests.sandbox.conftest import ATTEMPTS

async def main(base):
    home, root = Path(os.environ["HOME"]), base / "root"
    root.mkdir()
    (home / "id").write_text("key")
    (root / "a").write_text("a")
    snapshot = take(root, base / "session" / "lower")
    more = dict(limits=Limits(), readable=[Path(sys.prefix)], hidden=[])
    try:
        async with cell(snapshot, {}, confine="require", **more):
            print("let through")
    except ConfinementError as error:
        print(error)
    async with cell(snapshot, {}, confine="prefer", **more) as made:
        print(made.confinement)
        wanted = [("read", str(home / "id")), ("write", str(root / "a")),
                  ("read", "a"), ("write", "a")]
        argv = [sys.executable, "-I", "-S", "-c", ATTEMPTS, json.dumps(wanted)]
        print((await run(made, argv, env={}, cwd=None, seconds=20)).output)

asyncio.run(main(Path(os.environ["BONAFIX_TEST_BASE"])))
"""


def test_where_namespaces_are_switched_off():
    """Required confinement is refused with advice; preferred uses what is left."""
    if os.geteuid() != 0:
        return  # only root can set such a machine up
    ended = as_ordinary_user(["-c", HARDENED], hardened=True)
    lines = ended.stdout.strip().splitlines()
    assert len(lines) == 3, ended.stdout + ended.stderr
    assert lines[0].startswith("Tests cannot be confined on this machine: it lacks a n")
    assert 'confine = "prefer"' in lines[0]
    assert lines[1].startswith("Landlock ")
    assert "; lacks a network of its own, a process namespace" in lines[1]
    assert json.loads(lines[2]) == ["refused", "refused", "a", "written"]


def test_the_interpreter_is_ours():
    """The stage shows the interpreter that runs this very test."""
    assert any(Path(os.path.realpath(sys.executable)).is_relative_to(p) for p in PYTHON)

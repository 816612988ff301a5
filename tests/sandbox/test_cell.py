"""A cell shows the snapshot with the files over it, and leaves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bonafix.errors import ConfinementError, SandboxError
from bonafix.sandbox.cell import run
from bonafix.sandbox.confinement import (
    Capabilities,
    advice,
    capabilities,
    describe,
    require,
)
from bonafix.sandbox.tree import take

from .conftest import BASE, attempts, python, write

SHOW = """
import json, os, stat
found = {}
for folder, folders, files in os.walk("."):
    for name in folders + files:
        path = os.path.join(folder, name)
        status = os.lstat(path)
        entry = [stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)]
        if os.path.islink(path):
            entry.append(os.readlink(path))
        elif os.path.isfile(path):
            entry += [open(path).read(), status.st_mtime if name == "mod.py" else 0]
        found[path] = entry
print(json.dumps(found, sort_keys=True))
"""


async def test_overlay_and_copy_look_the_same(world):
    """Whatever the machine can do, a program sees one and the same tree."""
    (world.root / "pkg").mkdir(mode=0o750)
    write(world.root / "pkg" / "run.sh", "#!/bin/sh\n")
    (world.root / "pkg" / "run.sh").chmod(0o755)
    (world.root / "gone").symlink_to("pkg/run.sh")
    (world.root / "link").symlink_to("pkg")
    world = type(world)(
        **{**vars(world), "snapshot": take(world.root, world.base / "again" / "lower")}
    )
    files = {
        "pkg/run.sh": b"#!/bin/sh\necho\n",  # keeps its mode
        "pkg/new/deep.py": b"new",
        "link/through.py": b"by a link",
        "a dir/sp\u00e4ce file.txt": None,
        "gone": None,
        "never.py": None,
    }
    shown = {}
    for way in ("all", "copied-tree", "landlock-alone"):
        async with world.cell(way, files) as cell:
            shown[way] = json.loads((await python(cell, SHOW)).output)
    assert shown["all"] == shown["copied-tree"] == shown["landlock-alone"]
    assert shown["all"]["./pkg/run.sh"][1:3] == [0o755, "#!/bin/sh\necho\n"]
    assert shown["all"]["./pkg/through.py"][2] == "by a link"
    assert "./gone" not in shown["all"]
    assert "./a dir/sp\u00e4ce file.txt" not in shown["all"]


async def test_runs_of_one_cell_share_its_tree(world, way):
    """What one program writes, the next one in the same cell reads."""
    async with world.cell(way) as cell:
        for _ in range(2):
            assert await attempts(cell, ("write", "log")) == ["written"]
        assert await attempts(cell, ("read", "log")) == ["xx"]
        assert await attempts(cell, ("remove", "mod.py")) == ["removed"]
        assert await attempts(cell, ("read", "mod.py")) == ["refused"]
    async with world.cell(way) as cell:
        assert await attempts(cell, ("read", "mod.py")) == ["x = 1\n"]


async def test_odd_names_reach_the_program(world, way):
    """Spaces and letters beyond ASCII survive all the layers."""
    async with world.cell(way, {"ü b.txt": b"new"}) as cell:
        tried = await attempts(
            cell, ("read", "a dir/späce file.txt"), ("read", cell.tree / "ü b.txt")
        )
    assert tried == ["ä", "new"]


async def test_nothing_is_left(world, way):
    """Even folders without permissions are gone afterwards."""
    async with world.cell(way) as cell:
        code = "import os; os.makedirs('p/q'); open('p/f', 'w'); os.chmod('p', 0)"
        assert (await python(cell, code)).code == 0
    assert [path.name for path in world.snapshot.lower.parent.iterdir()] == ["lower"]


async def test_an_error_in_the_body_passes_unchanged(world):
    """A cell explains its own troubles only, and still cleans up."""
    with pytest.raises(BrokenPipeError):
        async with world.cell():
            raise BrokenPipeError
    assert [path.name for path in world.snapshot.lower.parent.iterdir()] == ["lower"]


ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


async def test_the_environment_is_only_what_was_given(world, way, monkeypatch):
    """Nothing of ours leaks in; home and temporary folder are the cell's."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    given = {"LANG": "C.UTF-8", "HOME": "/x", "XDG_RUNTIME_DIR": "/run/user/0"}
    async with world.cell(way) as cell:
        ended = await python(cell, ENVIRONMENT, env=given)
        seen = json.loads(ended.output)
        tmp = "/tmp" if way != "landlock-alone" else str(cell.tmp)
        assert seen.pop("TMPDIR") == seen.pop("TMP") == seen.pop("TEMP") == tmp
        assert seen.pop("HOME") == str(cell.home)
    seen.pop("LC_CTYPE", None)  # Python's own, for its children
    assert seen == {"LANG": "C.UTF-8", "PATH": os.defpath}


PASS = "import os, sys; os.write(int(sys.argv[1]), b'from inside')"


async def test_descriptors_are_passed_on(world, way):
    """A pipe keeps its number through all processes, and closes when they end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    async with world.cell(way) as cell:
        ended = await python(cell, PASS, writer, pass_fds=[writer])
        os.close(writer)
    assert ended.code == 0, ended.output
    assert os.read(reader, 100) == b"from inside"
    assert os.read(reader, 100) == b""
    os.close(reader)


OPEN = "import os; print([n for n in os.listdir('/proc/self/fd') if int(n) > 3])"


async def test_no_descriptor_of_ours_leaks(world, way):
    """Beyond the standard three a program holds nothing (3 is its own listing)."""
    async with world.cell(way) as cell:
        ended = await python(cell, OPEN)
    assert ended.output.strip() == "[]"


LOUD = """
import os
for _ in range(9):
    os.write(1, b"x" * 50000)
os.write(2, b"\\xff!")
"""


async def test_the_tail_of_the_output_is_kept(world):
    """64 KiB at most, both streams, decoded whatever the bytes."""
    async with world.cell() as cell:
        ended = await python(cell, LOUD)
    assert len(ended.output) == 64 * 1024
    assert ended.output.endswith("x\ufffd!")


async def test_a_missing_program_is_named(world):
    """What cannot be started is an error with its name, not an exit code."""
    async with world.cell() as cell:
        with pytest.raises(SandboxError, match=r"no-such-program"):
            await run(cell, ["/no-such-program"], env={}, cwd=None, seconds=5)


async def test_a_path_outside_the_tree_is_refused(world, way):
    """A file to lay over cannot leave the tree, by dots or by a link."""
    (world.snapshot.lower / "out").symlink_to(world.home)
    for path in ("../x", "/x", "out/x", ""):
        with pytest.raises(SandboxError, match="project"):
            async with world.cell(way, {path: b"x"}):
                pass
    assert not (world.home / "x").exists()


async def test_off_is_a_copy_without_walls(world):
    """Without confinement the secret is read: the other tests could fail."""
    async with world.cell(confine="off") as cell:
        tried = await attempts(
            cell,
            ("read", world.secret),
            ("write", "mod.py"),
            ("write", world.home / "y"),
        )
        assert cell.lacks == ("confinement",)
    assert tried == ["the user's key", "written", "written"]
    assert (world.root / "mod.py").read_text() == "x = 1\n"


def test_require_names_what_is_missing():
    """The message says what is missing and which setting goes on without."""
    with pytest.raises(ConfinementError) as refused:
        require(Capabilities(platform="linux", landlock=7))
    assert "lacks a network of its own." in str(refused.value)
    assert 'confine = "prefer"' in str(refused.value)
    assert "user namespaces" in str(refused.value)
    with pytest.raises(ConfinementError, match="protection from writes outside"):
        require(Capabilities(platform="linux", network=True, mounts=True))
    require(Capabilities(platform="linux", network=True, landlock=1))


def test_every_lack_is_described_and_comes_with_advice():
    """A machine that can do nothing is described piece by piece."""
    bare = Capabilities(platform="linux")
    assert "a copied tree; lacks protection from writes" in describe(bare)
    assert len(advice(bare)) == 10
    mac = Capabilities(platform="darwin")
    assert "macOS offers no namespaces" in advice(mac)[0]


def test_this_machine_is_tried_once():
    """The answer is kept, and what does not work has a reason."""
    BASE.mkdir(exist_ok=True)
    caps = capabilities(BASE)
    assert capabilities(BASE) is caps
    works = {"user", "mounts", "overlay", "network", "ipc", "pids", "proc"}
    assert {name for name in works if not getattr(caps, name)} <= set(caps.found or {})


def test_imports_need_nothing_of_linux():
    """The modules of the server's side import without the calls of Linux."""
    code = (
        "import sys\n"
        "for name in ('pwd', 'fcntl', 'resource', 'sandlock', 'ctypes'):\n"
        "    sys.modules[name] = None\n"
        "import bonafix.sandbox.cell, bonafix.sandbox.confinement\n"
    )
    folders = os.pathsep.join(filter(None, sys.path))
    subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": folders},
        check=True,
        timeout=20,
    )


RANK = """
import json, os
session = open("/proc/self/autogroup").read() if os.path.exists("/proc/self") else ""
print(json.dumps([os.getpriority(os.PRIO_PROCESS, 0), session]))
"""


@pytest.mark.parametrize(("asked", "least"), [("10", 10), ("99", 19), ("", 0)])
async def test_what_runs_steps_back_where_it_is_asked_to(
    world, monkeypatch, asked, least
):
    """A server's jobs are niced, against other sessions too; a batch's are not."""
    monkeypatch.setenv("BONAFIX_NICE", asked)
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    async with world.cell() as cell:
        nice, session = json.loads((await python(cell, RANK)).output)
    assert nice == max(least, ours)
    if os.geteuid() == 0 and "nice" in session:  # others may change it only seldom
        assert session.split()[-1] == str(least)

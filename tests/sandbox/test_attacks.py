"""What runs in a cell cannot write, read or reach what is the user's."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from bonafix.sandbox.cell import Limits

from .conftest import BASE, attempts, python


async def test_writes_outside_are_refused(world, way):
    """The original tree, the home and the system keep their bytes."""
    targets = [world.root / "mod.py", world.home / "new", "/etc/bonafix-was-here"]
    async with world.cell(way) as cell:
        tried = await attempts(
            cell,
            *(("write", target) for target in targets),
            ("remove", world.root / "mod.py"),
            ("make", world.base / "folder"),
            ("write", world.snapshot.lower / "mod.py"),
        )
    assert tried == ["refused"] * 6
    assert (world.root / "mod.py").read_text() == "x = 1\n"
    assert (world.snapshot.lower / "mod.py").read_text() == "x = 1\n"
    assert not (world.home / "new").exists()


async def test_writes_inside_work(world, way):
    """The tree, the temporary folder and the home of a cell can be written."""
    async with world.cell(way) as cell:
        places = [cell.tree / "mod.py", cell.tmp / "x", cell.home / "x", "/dev/null"]
        tried = await attempts(cell, *(("write", place) for place in places))
    assert tried == ["written"] * 4


async def test_secrets_cannot_be_read(world, way):
    """Neither the home, nor the history, nor hidden folders, nor other copies."""
    async with world.cell(way) as other, world.cell(way) as cell:
        (other.home / "note").write_text("another candidate's")
        tried = await attempts(
            cell,
            ("read", world.secret),
            ("read", world.history),
            ("read", world.root / "mod.py"),
            ("read", world.base / "hidden" / "journal"),
            ("read", world.snapshot.lower / "mod.py"),
            ("read", other.home / "note"),
        )
    assert tried == ["refused"] * 6


async def test_what_is_readable_stays_so(world, way):
    """An interpreter's folders inside a hidden tree can be read, not written."""
    installed = world.root / ".venv" / "lib.py"
    async with world.cell(way) as cell:
        tried = await attempts(cell, ("read", installed), ("write", installed))
    assert tried == ["installed = True\n", "refused"]


async def test_readable_behind_a_link(world, way):
    """A link in a hidden folder leads on to what is readable."""
    (world.home / "envs").mkdir()
    (world.home / "envs" / "tool.py").write_text("tool")
    (world.home / "env").symlink_to("envs")
    async with world.cell(way, readable=[world.home / "env"]) as cell:
        tried = await attempts(
            cell, ("read", world.home / "env" / "tool.py"), ("read", world.secret)
        )
    assert tried[1] == "refused"
    # Landlock alone hides no names, so the link itself is there to be followed
    assert tried[0] == "tool"


async def test_hidden_inside_readable(world, way):
    """The deepest word counts: a secret below a readable folder stays hidden."""
    kept = world.home / "tools"
    (kept / "secret").mkdir(parents=True)
    (kept / "tool.py").write_text("tool")
    (kept / "secret" / "key").write_text("key")
    async with world.cell(way, readable=[kept], hidden=[kept / "secret"]) as cell:
        tried = await attempts(
            cell, ("read", kept / "tool.py"), ("read", kept / "secret" / "key")
        )
    assert tried == ["tool", "refused"]


CONNECT = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2)
    print("reached the host")
except OSError:
    print("refused")
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname(), timeout=2)
server.accept()[0].sendall(b"own loopback works")
print(client.recv(100).decode())
"""


async def test_the_network_is_its_own(world, way):
    """A server on the host cannot be reached; one in the cell can."""
    with socket.create_server(("127.0.0.1", 0)) as host:
        async with world.cell(way) as cell:
            ended = await python(cell, CONNECT, host.getsockname()[1])
    assert ended.output.splitlines() == ["refused", "own loopback works"]


ABSTRACT = """
import socket, sys
client = socket.socket(socket.AF_UNIX)
try:
    client.connect(sys.argv[1])
    print("reached the host")
except OSError:
    print("refused")
"""


async def test_unnamed_sockets_of_the_host_are_out_of_reach(world, way):
    """An abstract socket, as desktops use them, belongs to the other network."""
    name = f"\0bonafix-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as host:
        host.bind(name)
        host.listen()
        async with world.cell(way) as cell:
            code = ABSTRACT.replace("sys.argv[1]", repr(name))
            ended = await python(cell, code)
    assert ended.output.strip() == "refused"


@pytest.mark.parametrize("way", ["all", "mounts-alone", "no-process-ids"])
async def test_named_sockets_of_the_host_are_out_of_reach(world, way):
    """A database that listens on a path outside the hidden folders is covered."""
    folder = tempfile.mkdtemp(dir=BASE)
    name = f"{folder}/s"
    try:
        with socket.socket(socket.AF_UNIX) as host:
            host.bind(name)
            host.listen()
            async with world.cell(way) as cell:
                ended = await python(cell, ABSTRACT, name)
            async with world.cell(confine="off") as cell:
                control = await python(cell, ABSTRACT, name)
    finally:
        shutil.rmtree(folder)
    assert ended.output.strip() == "refused"
    assert control.output.strip() == "reached the host"


async def test_services_and_other_processes_are_not_there(world):
    """No service's socket below /run, no foreign process, no disk."""
    async with world.cell() as cell:
        ended = await python(
            cell,
            "import os; print(os.listdir('/run'), "
            "sorted(x for x in os.listdir('/proc') if x.isdigit()), "
            "[x for x in os.listdir('/dev') if x.startswith(('sd', 'vd', 'nvme'))])",
        )
    assert ended.output.strip() == "[] ['1', '2'] []"


async def test_the_machine_cannot_be_reconfigured(world):
    """Not even root may write kernel settings, make devices, mount, or trace."""
    async with world.cell() as cell:
        tried = await attempts(
            cell,
            ("write", "/proc/sys/kernel/core_pattern"),
            ("write", "/proc/sysrq-trigger"),
            ("write", "/sys/kernel/uevent_helper"),
            ("read", "/proc/1/environ"),
        )
        calls = await python(cell, MOUNT_AND_MAKE)
    assert tried == ["refused"] * 4
    assert calls.output.split() == ["mount:refused", "mknod:refused", "kill:refused"]


MOUNT_AND_MAKE = """
import ctypes, os, stat
libc = ctypes.CDLL(None)
failed = libc.mount(b"x", b"/mnt", b"tmpfs", 0, None)
print("mount:refused" if failed else "mount:done")
try:
    os.mknod("disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0))
    print("mknod:done")
except OSError:
    print("mknod:refused")
try:
    os.kill(1, 9)  # the kernel drops what process 1 does not handle
    os.kill(1, 0)
    print("kill:refused")
except OSError:
    print("kill:refused")
"""


def there() -> set[str]:
    return {str(path) for top in ("/tmp", "/dev/shm") for path in Path(top).iterdir()}


async def test_a_private_tmp(world):
    """A hard-coded /tmp works, and what is written there does not show outside."""
    name = f"/tmp/bonafix-attack-{os.getpid()}"
    async with world.cell() as cell:
        assert await attempts(cell, ("write", name)) == ["written"]
        assert await attempts(cell, ("read", name)) == ["x"]
        shared = f"/dev/shm/bonafix-attack-{os.getpid()}"
        assert await attempts(cell, ("write", shared)) == ["written"]
    assert not {name, shared} & there()


HOG = """
blocks = []
try:
    while True:
        blocks.append(bytearray(16 << 20))
except MemoryError:
    print("bounded at", len(blocks) * 16)
"""


async def test_a_memory_hog_is_stopped(world, way):
    """A process gets a MemoryError at its limit, not the machine."""
    limits = Limits(memory=128 << 20, files=64, processes=20, file_size=1 << 20)
    async with world.cell(way, limits=limits) as cell:
        ended = await python(cell, HOG)
    assert ended.code == 0
    assert 16 <= int(ended.output.split()[-1]) <= 128


BOMB = """
import os, time
count = 0
try:
    while count < 2000:
        if os.fork() == 0:
            time.sleep(60)
        count += 1
except BlockingIOError:
    print("bounded at", count)
"""


async def test_a_fork_bomb_is_bounded(world):
    """Forking stops at the limit (root's has a fixed surplus of 300)."""
    async with world.cell() as cell:
        ended = await python(cell, BOMB, seconds=20)
    assert ended.code == 0
    assert int(ended.output.split()[-1]) <= 60 + 300


async def test_a_huge_file_is_cut(world):
    """A file cannot grow beyond the limit."""
    async with world.cell() as cell:
        ended = await python(cell, "open('big', 'wb').write(bytes(4 << 20))")
    assert ended.code != 0


HONEST = """
import multiprocessing; multiprocessing.Lock()
import os; os.openpty()
import os; os.mkfifo('f'); os.symlink('f', 'g'); os.rename('g', 'a dir/g')
import socket; s = socket.socket(socket.AF_UNIX); s.bind('/tmp/s'); s.listen()
import os; os.link('mod.py', 'b.py'); os.truncate('b.py', 1); os.unlink('mod.py')
import os; os.symlink('/bin/true', 'x'); assert os.system('./x') == 0
open('/dev/stdout', 'w').write('.'); open('/proc/self/comm', 'w').write('x')
import tempfile; tempfile.TemporaryFile().write(b'.')
import threading; t = threading.Thread(target=print); t.start(); t.join()
""".strip().splitlines()


@pytest.mark.parametrize("code", HONEST)
async def test_what_honest_tests_do_still_works(world, code):
    """Locks, terminals, pipes, sockets, scripts and temporary files are not hurt."""
    async with world.cell() as cell:
        ended = await python(cell, code)
    assert ended.code == 0, ended.output

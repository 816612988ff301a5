"""A patch reaches the tree whole or not at all, on real files and full disks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bonafix.deliver.apply import apply
from bonafix.domain import Change, Patch
from bonafix.errors import DeliveryError


def patch(*changes):
    return Patch(changes)


def tree(root):
    """Every file with its content and mode, every link, every folder."""
    return {
        str(path.relative_to(root)): (
            path.readlink()
            if path.is_symlink()
            else path.is_file() and (path.read_bytes(), path.stat().st_mode)
        )
        for path in root.rglob("*")
    }


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "project"
    (root / "pkg").mkdir(parents=True)
    (root / "a.py").write_bytes(b"a = 1\r\n")
    (root / "pkg" / "b.py").write_bytes(b"b = '\xe9'")
    (root / "pkg" / "c.py").write_bytes(b"c = 1\n")
    (root / "pkg" / "b.py").chmod(0o751)
    return root


A = Change("a.py", b"a = 1\r\n", b"a = 2\r\n")
B = Change("pkg/b.py", b"b = '\xe9'", b"b = '\xe8'")
C = Change("pkg/c.py", b"c = 1\n", None, "delete")
NEW = Change("pkg/sub/new.py", None, b"new = 1\n", "add")


def test_every_kind_of_change_is_written(root):
    """Edits, new files in new folders and deletions arrive, and nothing else."""
    before = tree(root)
    apply(root, patch(A, B, C, NEW))
    after = tree(root)
    assert after.pop("a.py")[0] == b"a = 2\r\n"
    assert after.pop("pkg/b.py") == (b"b = '\xe8'", 0o100751)
    assert after.pop("pkg/sub/new.py")[0] == b"new = 1\n"
    assert after == {"pkg": before["pkg"], "pkg/sub": False}


def test_a_new_file_obeys_the_umask(root):
    """A new file has the mode that an editor would have given it."""
    old = os.umask(0o027)
    try:
        apply(root, patch(NEW))
    finally:
        os.umask(old)
    assert (root / NEW.path).stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("disturb", "reason"),
    [
        (lambda root: (root / "pkg/b.py").write_bytes(b"b = 3"), "b.py was changed"),
        (lambda root: (root / "pkg/b.py").unlink(), "b.py is gone"),
        (lambda root: (root / "pkg/b.py").chmod(0o444), "b.py is read-only"),
        (
            lambda root: (
                (root / "pkg/sub").mkdir(),
                (root / NEW.path).write_bytes(b""),
            ),
            "new.py exists now",
        ),
        (lambda root: (root / "pkg/sub").write_bytes(b""), "sub"),
        (
            lambda root: ((root / "pkg/b.py").unlink(), (root / "pkg/b.py").mkdir()),
            "not a regular file",
        ),
    ],
)
def test_what_moved_on_is_not_written(root, disturb, reason):
    """One file that is not as it was judged keeps all of them as they are."""
    disturb(root)
    before = tree(root)
    with pytest.raises(DeliveryError, match=reason):
        apply(root, patch(A, B, C, NEW))
    assert tree(root) == before


@pytest.mark.parametrize(
    "change",
    [
        Change("../evil.py", None, b"x", "add"),
        Change("/tmp/evil.py", None, b"x", "add"),
        Change("pkg/../../evil.py", None, b"x", "add"),
        Change("out/evil.py", None, b"x", "add"),
        Change("link.py", b"secret", b"x"),
        Change("within.py", b"a = 1\r\n", None, "delete"),
        Change("nul\0.py", None, b"x", "add"),
        Change("a.py", b"a = 1\r\n", b"a = 1\r\n", "mode"),
        Change("l", None, b"/etc", "symlink"),
        Change("b.bin", None, b"", "binary"),
    ],
)
def test_nothing_leaves_the_tree(root, tmp_path, change):
    """Upward paths, absolute ones, links out, and odd kinds are refused."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "out").symlink_to(tmp_path / "elsewhere")
    (root / "link.py").symlink_to(tmp_path / "secret")
    (root / "within.py").symlink_to("a.py")
    before = tree(tmp_path)
    with pytest.raises(DeliveryError):
        apply(root, patch(A, change))
    assert tree(tmp_path) == before


def test_links_inside_the_tree_stay_links(root):
    """A link to another file of the project is followed, not replaced."""
    (root / "alias.py").symlink_to("a.py")
    apply(root, patch(Change("alias.py", A.before, A.after)))
    assert (root / "alias.py").is_symlink()
    assert (root / "a.py").read_bytes() == A.after


def test_one_file_under_two_names_is_refused(root):
    """Two changes of one file through a link cannot both be made."""
    (root / "alias.py").symlink_to("a.py")
    with pytest.raises(DeliveryError, match="one file"):
        apply(root, patch(A, Change("alias.py", A.before, b"a = 3\r\n")))


# --------------------------------------------------------- a disk that says no

SCRIPT = """
import json, pathlib, sys
from bonafix.deliver.apply import apply
from bonafix.domain import Change, Patch
from bonafix.errors import DeliveryError

root = pathlib.Path(sys.argv[1])
changes = []
for path, after in json.loads(sys.argv[2]).items():
    file = root / path
    before = file.read_bytes() if file.exists() else None
    new = None if after is None else after.encode()
    changes.append(Change(path, before, new, "modify"))
state = lambda: {str(p): p.is_file() and p.read_bytes() for p in root.rglob("*")}
was = state()
try:
    apply(root, Patch(tuple(changes)))
except DeliveryError as error:
    print(error)
    sys.exit(0 if state() == was else 1)
sys.exit(3)
"""


def refused(root, files, before="", inside=()):
    """Run the script, after `before` in a shell; its message if the tree stayed."""
    import json

    shell = f'{before}\nexec "$@"'
    done = subprocess.run(
        [*inside, "sh", "-ec", shell, "sh", sys.executable, "-c", SCRIPT, root,
         json.dumps(files)],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    return done.stdout


NAMESPACE = ("unshare", "--map-root-user", "--mount")


def test_a_full_disk_changes_nothing(tmp_path):
    """The second file no longer fits on a file system of 64 kB: the first one stays."""
    fill = f"""
mount -t tmpfs -o size=64k tmpfs {tmp_path}
echo 'a = 1' > {tmp_path}/a.py
echo 'b = 1' > {tmp_path}/b.py
"""
    files = {"a.py": "a = 2\n", "b.py": "b = 2\n" * 15_000, "new/c.py": "c"}
    message = refused(tmp_path, files, fill, NAMESPACE)
    assert "nothing was written" in message
    assert "No space left" in message


def test_a_file_size_limit_changes_nothing(root):
    """A quota that ends in the middle of a file leaves every byte as it was."""
    files = {"a.py": "a = 2\n", "pkg/c.py": "c = 2\n" * 1000}
    assert "File too large" in refused(root, files, "ulimit -f 1")


def test_a_failure_after_the_first_replacement_is_taken_back(root):
    """A file that cannot be replaced (a mount point) undoes those before it."""
    mount = f"mount --bind {root}/pkg/b.py {root}/pkg/c.py"
    files = {
        "a.py": "a = 2\n",
        "new/n.py": "n",
        "pkg/b.py": None,
        "pkg/c.py": "c = 2\n",
    }
    assert "busy" in refused(root, files, mount, NAMESPACE).lower()


def test_a_read_only_file_system_says_so(tmp_path):
    """Where nothing may be written the message names the reason."""
    (tmp_path / "a.py").write_text("a = 1\n")
    mount = f"mount --bind {tmp_path} {tmp_path}; mount -o remount,ro,bind {tmp_path}"
    message = refused(tmp_path, {"a.py": "a = 2\n"}, mount, NAMESPACE)
    assert "read-only" in message.lower()


# ------------------------------------------------------------------- interrupts

MANY = 12
ROUNDS = 16


def many(old, new):
    return patch(*(Change(f"{n:02}.py", old, new) for n in range(MANY)))


def test_an_interrupt_leaves_all_or_nothing(tmp_path):
    """Ctrl-C at any moment finds the tree old or new, and reaches the caller."""
    contents = (b"old\n", b"new\n")
    for n in range(MANY):
        (tmp_path / f"{n:02}.py").write_bytes(contents[0])
    begun = time.perf_counter()
    apply(tmp_path, many(*contents))
    whole = time.perf_counter() - begun
    interrupts = 0
    for step in range(ROUNDS):
        state = (tmp_path / "00.py").read_bytes()
        other = contents[1 - contents.index(state)]
        timer = threading.Timer(
            whole * step / ROUNDS, os.kill, (os.getpid(), signal.SIGINT)
        )
        try:
            timer.start()
            apply(tmp_path, many(state, other))
            timer.join()
            time.sleep(0.01)  # the signal may reach us a moment after the thread
        except KeyboardInterrupt:
            interrupts += 1
        with contextlib.suppress(KeyboardInterrupt):
            timer.join()
        found = {path.read_bytes() for path in tmp_path.iterdir()}
        assert found in ({contents[0]}, {contents[1]})
        assert len(list(tmp_path.iterdir())) == MANY
    assert interrupts == ROUNDS


class InterruptingContent(bytes):
    """Content that gets the process interrupted while it is being compared."""

    def __ne__(self, other):
        os.kill(os.getpid(), signal.SIGINT)
        return bytes(self) != other


@pytest.mark.parametrize("content", [b"other", A.before])
def test_an_interrupt_waits_for_the_end(root, content):
    """It is raised after the work, done or refused, and by the handler of before."""
    change = Change("a.py", InterruptingContent(content), b"x")
    with pytest.raises(KeyboardInterrupt):
        apply(root, patch(change))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    expected = b"x" if content == A.before else A.before
    assert (root / "a.py").read_bytes() == expected


async def test_an_event_loop_hears_the_interrupt_once(root):
    """Where the loop has its own handler, it is that one which gets the signal."""
    loop, heard = asyncio.get_running_loop(), []
    loop.add_signal_handler(signal.SIGINT, heard.append, "interrupt")
    try:
        apply(root, patch(Change("a.py", InterruptingContent(A.before), b"x")))
        await asyncio.sleep(0.1)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    assert heard == ["interrupt"] * 2  # it was compared twice
    assert (root / "a.py").read_bytes() == b"x"


def test_relative_roots_work(root, monkeypatch):
    """The root may be given as the command line gives it."""
    monkeypatch.chdir(root)
    apply(Path(), patch(A))
    assert Path("a.py").read_bytes() == A.after

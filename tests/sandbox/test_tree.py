"""A copy has all that tests need and nothing that they must not see."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bonafix.errors import SandboxError
from bonafix.sandbox.tree import take, take_async

from .conftest import write


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "the pröject"
    for path in (
        *("src/pkg/mod.py", "tests/test_mod.py", "pyproject.toml", "README.md"),
        *("src/pkg/_speed.so", "data/table.csv", "data/.hidden/keep", "docs/ä b.rst"),
    ):
        write(root / path, f"contents of {path}")
    for path in (
        *(".git/HEAD", ".hg/store", ".svn/entries", "__pycache__/mod.pyc"),
        *("src/pkg/__pycache__/mod.cpython-311.pyc", "src/old.pyc", ".tox/x/y"),
        *(".pytest_cache/v", ".mypy_cache/3", ".ruff_cache/4", ".hypothesis/e"),
        *(".nox/n", "node_modules/lib/index.js", ".env", ".env.local", "a/.envrc"),
        *("venv/pyvenv.cfg", "venv/lib/site.py", "deep/custom/pyvenv.cfg"),
        *("deep/custom/bin/x", "sub/.git"),
    ):
        write(root / path, "not wanted")
    return root


def listing(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }


WANTED = {
    *("src/pkg/mod.py", "tests/test_mod.py", "pyproject.toml", "README.md"),
    *("src/pkg/_speed.so", "data/table.csv", "data/.hidden/keep", "docs/ä b.rst"),
}


def test_what_is_copied(root, tmp_path):
    """History, caches, environments and secrets stay behind; ignored data comes."""
    before = {path: path.lstat().st_mtime_ns for path in root.rglob("*")}
    snapshot = take(root, tmp_path / "s" / "lower")
    assert listing(snapshot.lower) == snapshot.files == WANTED
    assert (
        snapshot.lower / "data/table.csv"
    ).read_text() == "contents of data/table.csv"
    assert snapshot.root == root
    assert {path: path.lstat().st_mtime_ns for path in root.rglob("*")} == before


@pytest.mark.parametrize(
    ("carry", "more"),
    [
        ([".env"], {".env"}),
        ([".env*"], {".env", ".env.local", "a/.envrc"}),
        (["a/*"], {"a/.envrc"}),
        (["node_modules"], {"node_modules/lib/index.js"}),
        (["node_modules/lib/"], {"node_modules/lib/index.js"}),
        (["**/*.js"], {"node_modules/lib/index.js"}),
        (["venv/lib/*.py"], {"venv/lib/site.py"}),
        ([".git", ".git/*", "**"], None),
    ],
)
def test_what_is_carried_on_request(root, tmp_path, carry, more):
    """A glob brings back what is left out, except version control."""
    files = take(root, tmp_path / "s" / "lower", carry=carry).files
    if more is not None:
        assert files - WANTED == more
    assert not [path for path in files if ".git" in path.split("/")]


def test_sources_are_the_text_worth_reading(root, tmp_path):
    """Small text files by their suffix; no data, no binaries, nothing huge."""
    (root / "huge.py").write_bytes(b"#" * ((1 << 20) + 1))
    (root / "latin.py").write_bytes(b"# \xe4\n")
    sources = take(root, tmp_path / "s" / "lower").sources
    assert sources["src/pkg/mod.py"] == b"contents of src/pkg/mod.py"
    assert sources["latin.py"] == b"# \xe4\n"
    assert set(sources) == {
        *("src/pkg/mod.py", "tests/test_mod.py", "pyproject.toml", "README.md"),
        *("docs/ä b.rst", "latin.py"),
    }


def test_buffers_lie_over_the_files(root, tmp_path):
    """Unsaved text is what is copied and read; new files appear; modes stay."""
    (root / "src/pkg/mod.py").chmod(0o755)
    buffers = {"src/pkg/mod.py": b"unsaved", "new/file.py": b"untitled"}
    snapshot = take(root, tmp_path / "s" / "lower", buffers=buffers)
    assert (snapshot.lower / "src/pkg/mod.py").read_bytes() == b"unsaved"
    assert (snapshot.lower / "src/pkg/mod.py").stat().st_mode & 0o777 == 0o755
    assert snapshot.sources["src/pkg/mod.py"] == b"unsaved"
    assert snapshot.files - WANTED == {"new/file.py"}
    assert (root / "src/pkg/mod.py").read_text() == "contents of src/pkg/mod.py"


@pytest.mark.parametrize("path", ["../out.py", "/etc/x", "out/x.py", ""])
def test_a_buffer_outside_is_refused(root, tmp_path, path):
    """Neither dots nor links lead out of the copy."""
    (root / "out").symlink_to(tmp_path)
    with pytest.raises(SandboxError, match="project"):
        take(root, tmp_path / "s" / "lower", buffers={path: b"x"})
    assert not (tmp_path / "x.py").exists()


def test_links(root, tmp_path):
    """Inside they stay relative; outside they are kept if they lead somewhere."""
    outside = tmp_path / "shared"
    write(outside / "lib.py", "shared")
    links = {
        "rel.py": "src/pkg/mod.py",
        "abs.py": str(root / "src/pkg/mod.py"),
        "src/up": "../data",
        "dangling.py": "nowhere.py",
        "lost": str(tmp_path / "nothing"),
        "away": "../shared",
    }
    for path, text in links.items():
        (root / path).symlink_to(text)
    snapshot = take(root, tmp_path / "s" / "lower")
    copied = {
        path: str((snapshot.lower / path).readlink())
        for path in links
        if os.path.lexists(snapshot.lower / path)
    }
    assert copied == {
        "rel.py": "src/pkg/mod.py",
        "abs.py": "src/pkg/mod.py",
        "src/up": "../data",
        "dangling.py": "nowhere.py",
        "away": str(outside),
    }
    assert "away/lib.py" not in snapshot.files


def test_a_buffer_over_a_link_changes_its_target(root, tmp_path):
    """The editor shows the target's text under the link's name."""
    (root / "link.py").symlink_to("src/pkg/mod.py")
    snapshot = take(root, tmp_path / "s" / "lower", buffers={"link.py": b"new"})
    assert (snapshot.lower / "src/pkg/mod.py").read_bytes() == b"new"
    assert (snapshot.lower / "link.py").is_symlink()
    assert snapshot.sources["src/pkg/mod.py"] == b"new"


def test_modes_and_times_are_kept(root, tmp_path):
    """Scripts stay executable, and builds see no newer files."""
    script = root / "run.sh"
    write(script, "#!/bin/sh\n")
    script.chmod(0o4755)
    os.utime(script, (1_000_000_000, 1_000_000_000))
    copied = (take(root, tmp_path / "s" / "lower").lower / "run.sh").stat()
    assert (copied.st_mode & 0o7777, copied.st_mtime) == (0o755, 1_000_000_000)


def test_what_is_no_file_is_left_out(root, tmp_path):
    """A pipe in the tree is neither copied nor waited for."""
    os.mkfifo(root / "pipe")
    assert take(root, tmp_path / "s" / "lower").files == WANTED


def test_what_cannot_be_read_is_left_out(root, tmp_path):
    """Neither can the user's own tests read it; root reads everything."""
    write(root / "locked.py", "x")
    write(root / "vault/gold.py", "x")
    (root / "locked.py").chmod(0)
    (root / "vault").chmod(0)
    files = take(root, tmp_path / "s" / "lower").files
    (root / "vault").chmod(0o700)
    more = {"locked.py", "vault/gold.py"} if os.geteuid() == 0 else set()
    assert files == WANTED | more


def test_the_digest_sees_every_change(root, tmp_path):
    """Paths, contents, links and the executable bit count; times do not."""

    def digest(name):
        return take(root, tmp_path / name).digest

    seen = {digest("0")}
    os.utime(root / "README.md", (1, 1))
    assert digest("1") in seen
    (root / "README.md").write_text("changed")
    seen.add(digest("2"))
    (root / "README.md").chmod(0o755)
    seen.add(digest("3"))
    (root / "README.md").rename(root / "README.rst")
    seen.add(digest("4"))
    (root / "link").symlink_to("README.rst")
    seen.add(digest("5"))
    assert len(seen) == 5
    assert take(root, tmp_path / "6", buffers={"x": b""}).digest not in seen


def test_large_files_are_copied_whole(root, tmp_path):
    """Beyond the size that is read in one piece, byte by byte the same."""
    contents = os.urandom(3 << 20)
    (root / "model.bin").write_bytes(contents)
    snapshot = take(root, tmp_path / "s" / "lower")
    assert (snapshot.lower / "model.bin").read_bytes() == contents


def test_a_copy_inside_the_tree_does_not_copy_itself(root):
    """The user's TMPDIR may lie in the project."""
    snapshot = take(root, root / "tmp" / "lower")
    assert snapshot.files == WANTED


def test_where_nothing_can_be_written(root):
    """The error says what is wrong and what to do."""
    with pytest.raises(SandboxError, match="TMPDIR"):
        take(root, Path("/sys/bonafix/lower"))
    with pytest.raises(SandboxError, match="not a folder"):
        take(root / "README.md", root.parent / "lower")
    with pytest.raises(SandboxError, match="not empty"):
        take(root, root.parent)


FULL = """
import sys
from pathlib import Path
from bonafix.errors import SandboxError
from bonafix.sandbox import kernel, probe
from bonafix.sandbox import kernel_flags as flags
root, disk = map(Path, sys.argv[1:])
if probe._try(lambda: kernel.unshare(flags.NEWNS)):
    probe._enter_user()
kernel.unshare(flags.NEWNS)
kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
kernel.mount("none", str(disk), "tmpfs", 0, "size=64k")
from bonafix.sandbox.tree import take
try:
    take(root, disk / "lower")
except SandboxError as error:
    print(error)
"""


def test_a_full_disk(root, tmp_path):
    """No space is an error that says so."""
    (root / "large.bin").write_bytes(bytes(1 << 20))
    (tmp_path / "disk").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FULL, root, tmp_path / "disk"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "No space left on device. Free some space" in done.stdout, done.stderr


async def test_a_large_tree_lets_others_run(tmp_path):
    """Copied in slices, thousands of files hold nobody up, and come out the same."""
    root = tmp_path / "root"
    for number in range(40):
        (root / f"d{number}").mkdir(parents=True)
        for other in range(50):
            (root / f"d{number}" / f"f{other}.py").write_text(json.dumps(other))
    turns = 0

    async def watch():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    watcher = asyncio.create_task(watch())
    snapshot = await take_async(root, tmp_path / "s" / "lower")
    watcher.cancel()
    assert len(snapshot.files) == 2000
    assert snapshot.digest == take(root, tmp_path / "s" / "other").digest
    # turns, not their length: how long a single file takes is the disk's to say
    assert turns >= 10

"""The last change is read from a real repository, which is left as it was."""

import os
import subprocess

import pytest

from bonafix.observe.history import fresh, last_change
from bonafix.observe.localise import suspects
from tests.observe.values import result, suite

FIRST = "def price():\n    return 1\n\n\ndef total():\n    return 2\n"
SECOND = FIRST.replace("return 2", "return 3")


def git(root, *words):
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=root,
        env={"PATH": os.environ["PATH"], "HOME": str(root)},
        capture_output=True,
        check=True,
    )


@pytest.fixture
def root(tmp_path):
    """A repository with two commits of a package in a folder of it."""
    package = tmp_path / "work" / "package"
    package.mkdir(parents=True)
    git(tmp_path / "work", "init", "-q")
    for text in (FIRST, SECOND):
        (package / "shop.py").write_text(text)
        (package / "notes.txt").write_text(text)
        git(tmp_path / "work", "add", "-A")
        git(tmp_path / "work", "commit", "-q", "-m", "a change")
    return tmp_path / "work"


def everything(folder):
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


async def test_the_last_commit(root):
    """A clean tree: the lines of the last commit, by paths of the project's root."""
    assert await last_change(root / "package", {"shop.py": SECOND.encode()}) == {
        "shop.py": frozenset({6})
    }
    assert await last_change(root, {"package/shop.py": SECOND.encode()}) == {
        "package/shop.py": frozenset({6})
    }


async def test_what_is_not_committed_comes_first(root):
    """An edit in a buffer is the last change, a file that git does not know is none."""
    edited = SECOND.replace("return 1", "return 0").encode()
    sources = {"shop.py": edited, "made.py": b"a = 1\n"}
    found = await last_change(root / "package", sources)
    assert found == {"shop.py": frozenset({2})}


async def test_other_line_ends_are_no_change(root):
    """A file with CR LF in the tree and LF in the repository is as it was."""
    data = SECOND.replace("\n", "\r\n").encode()
    found = await last_change(root / "package", {"shop.py": data})
    assert found == {"shop.py": frozenset({6})}


async def test_a_hostile_repository_runs_nothing(root, tmp_path):
    """Filters, drivers, hooks and monitors of the repository are never started."""
    mark = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch '{mark}'\ncat\n")
    script.chmod(0o755)
    (root / ".gitattributes").write_text("*.py filter=evil diff=evil\n")
    names = ("filter.evil.clean", "filter.evil.smudge", "filter.evil.process")
    names += ("diff.evil.textconv", "diff.evil.command", "diff.external")
    names += ("core.fsmonitor", "core.pager", "core.sshCommand")
    for name in names:
        git(root, "config", name, str(script))
    before = everything(root)
    sources = {"shop.py": SECOND.encode() + b"a = 1\n"}
    assert await last_change(root / "package", sources) == {"shop.py": frozenset({7})}
    assert everything(root) == before
    assert not mark.exists()


async def test_without_a_history_there_is_no_hint(tmp_path):
    """No repository, and a repository without a commit before the only one."""
    (tmp_path / "shop.py").write_text(FIRST)
    sources = {"shop.py": FIRST.encode()}
    assert await last_change(tmp_path, sources) == {}
    git(tmp_path, "init", "-q")
    assert await last_change(tmp_path, sources) == {}
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "the first")
    assert await last_change(tmp_path, sources) == {}


def test_lines_around_a_gap():
    """Where lines were taken out, their neighbours are what the change touched."""
    assert fresh("a\nb\nc\n", "a\nc\n") == {1, 2}
    assert fresh("a\n", "a\n") == frozenset()


def test_it_decides_between_equals_only():
    """A hint: it lifts a line above its equals, and not above a worse one."""
    bad, good = result("a"), result("b", "passed")
    lines = {"a": {"shop.py": [1, 2, 3]}, "b": {"shop.py": [2, 3]}}
    run = suite([bad, good], lines)
    found = suspects(run, [bad], changed={"shop.py": frozenset({3, 9})})
    assert [one.line for one in found] == [1, 3, 2]
    assert "part of the last change" in found[1].why
    assert found[1].score > found[2].score

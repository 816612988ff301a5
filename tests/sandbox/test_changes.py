"""What has changed in the working tree since it was copied: all of it, and no more."""

from __future__ import annotations

import asyncio
import os

import pytest

from bonafix.sandbox.tree import changed_since, take


def write(folder, files):
    """Write texts below a folder."""
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder


@pytest.fixture
def root(tmp_path):
    return write(
        tmp_path / "project",
        {
            "shop/price.py": "def total(): return 1\n",
            "shop/data.bin": "data",
            "tests/test_price.py": "def test(): pass\n",
            ".git/HEAD": "ref: main",
        },
    )


def changes(root, tmp_path, change, buffers=None):
    """What is told after `change` has been made."""
    snapshot = take(root, tmp_path / "lower")
    change()
    return asyncio.run(changed_since(snapshot, buffers=buffers or {}))


def test_an_untouched_tree_has_not_changed(root, tmp_path):
    """Not through links, what cannot be copied, version control, or caches either."""
    (root / "link.py").symlink_to("shop/price.py")
    (root / "nowhere").symlink_to("/gone")
    os.mkfifo(root / "pipe")

    def compile_something():
        write(root, {"shop/__pycache__/price.pyc": "code", ".git/HEAD": "ref: other"})
        os.utime(root / "shop/price.py")

    assert changes(root, tmp_path, compile_something) == {}


def test_written_added_and_removed_files_are_told(root, tmp_path):
    """With what is in them now."""

    def work():
        write(root, {"shop/price.py": "changed", "shop/new.py": "new"})
        (root / "shop/data.bin").unlink()

    assert changes(root, tmp_path, work) == {
        "shop/price.py": b"changed",
        "shop/new.py": b"new",
        "shop/data.bin": None,
    }


def test_a_file_of_the_same_size_is_told(root, tmp_path):
    """Its time is another one."""
    text = "def total(): return 2\n"
    told = changes(root, tmp_path, lambda: write(root, {"shop/price.py": text}))
    assert told == {"shop/price.py": text.encode()}


def test_a_link_that_leads_elsewhere_is_told(root, tmp_path):
    """As something that is no file any more."""
    (root / "link.py").symlink_to("shop/price.py")

    def turn():
        (root / "link.py").unlink()
        (root / "link.py").symlink_to("tests/test_price.py")

    assert changes(root, tmp_path, turn) == {"link.py": None}


def test_buffers_lie_over_the_tree(root, tmp_path):
    """One that says what was copied is no change, be the file on disk another one."""
    old = (root / "shop/price.py").read_bytes()
    buffers = {"shop/price.py": old, "tests/test_price.py": b"typed"}
    told = changes(
        root, tmp_path, lambda: write(root, {"shop/price.py": "changed"}), buffers
    )
    assert told == {"tests/test_price.py": b"typed"}

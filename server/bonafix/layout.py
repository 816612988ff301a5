"""A path and a `Layout` in, the reason why a fix may not touch it out; pure.

An allow-list, not a block-list: product modules below the package roots, and
nothing else, unless the user's own globs open more. The gate's policy stage and
the model's workbench ask the same function, so that what the editor refuses and
what the gate refuses cannot drift apart.
"""

from __future__ import annotations

import fnmatch
from pathlib import PurePosixPath

from bonafix.domain import Layout

# Modules that the interpreter, pytest or a build runs by name, wherever they lie.
_RUN_BY_NAME = frozenset(
    {
        *("conftest.py", "sitecustomize.py", "usercustomize.py", "setup.py"),
        *("noxfile.py", "fabfile.py", "tasks.py", "pytest_plugins.py"),
    }
)
_TEST_FOLDERS = frozenset({"test", "tests"})
_TEST_FILES = ("test_*.py", "*_test.py", "tests.py", "test.py")


def refusal(layout: Layout, path: str, *, new: bool = False) -> str | None:
    """Why a fix may not touch `path`; `None` where it may.

    `new` says that the file does not exist in the snapshot.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith(("/", "\\", "~")) or ".." in parts:
        return "it lies outside the project"
    if any(part in {".git", ".hg", ".svn"} for part in parts):
        return "it belongs to version control"
    if reason := sealed_reason(layout, path):
        return reason
    if any(_matches(path, glob) for glob in layout.allow):
        return None
    if not path.endswith(".py"):
        return "it is not a Python module of the product"
    if any(part.startswith(".") for part in parts):
        return "it lies in a hidden folder"
    if _root_of(layout, path) is None:
        return "it lies outside the package roots"
    return _new_reason(layout, path) if new else None


def sealed_reason(layout: Layout, path: str) -> str | None:
    """Why `path` counts as a test or as configuration of tests, if it does."""
    parts = PurePosixPath(path).parts
    name = parts[-1]
    if path in layout.collected or path in layout.tests or is_test_path(path):
        return "it is a test or belongs to the tests"
    if name in _RUN_BY_NAME or name.endswith(".pth"):
        return "it is configuration that runs by its name"
    if path in layout.opened and not path.endswith(".py"):
        return "the tests read it as data"
    return None


def is_test_path(path: str) -> bool:
    """Whether the name or a folder of `path` says that it is a test."""
    *folders, name = PurePosixPath(path).parts
    in_tests = any(folder in _TEST_FOLDERS for folder in folders)
    return in_tests or any(fnmatch.fnmatchcase(name, glob) for glob in _TEST_FILES)


def _new_reason(layout: Layout, path: str) -> str | None:
    if not layout.new_files:
        return "it is a new file, and the settings do not let a fix add one"
    inner = PurePosixPath(path)
    names = {inner.stem, *inner.parts[:1]}
    if shadow := sorted(names & layout.shadowed):
        return f"it would shadow the module {shadow[0]!r}"
    return None


def _root_of(layout: Layout, path: str) -> str | None:
    fitting = [
        root
        for root in layout.package_roots
        if root in {"", "."} or path == root or path.startswith(root.rstrip("/") + "/")
    ]
    return max(fitting, key=len) if fitting else None


def _matches(path: str, glob: str) -> bool:
    return fnmatch.fnmatchcase(path, glob) or PurePosixPath(path).match(glob)

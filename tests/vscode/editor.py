"""A real VS Code on a loopback port: code-server and our extension, always fresh."""

import contextlib
import json
import os
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

from tests.observe.environments import plain

REPOSITORY = Path(__file__).resolve().parents[2]
HOME = REPOSITORY / ".cache" / "vscode"
PICTURES = HOME / "pictures"
VSIX = REPOSITORY / "client-vscode" / "bonafix.vsix"
ENTRY = HOME / "node_modules" / "code-server" / "out" / "node" / "entry.js"
MARK = "BONAFIX_TEST_MARK"
_START = 180  # seconds; two or three on an idle machine
_STOP = 10

QUIET = {
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
    """A running editor, and the project that is open in it."""

    url: str
    root: Path


def node() -> str:
    """The node that `make` put first on the path."""
    found = shutil.which("node")
    assert found, "run these tests by `make test-vscode`"
    return found


def chromium() -> str:
    """A browser of this machine: none is downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "no Chromium here; on Debian: apt-get install chromium"
    return found


def install_extension(folder: Path) -> Path:
    """The packaged extension as an editor unpacks it; its folder."""
    words = ["--user-data-dir", folder / "data", "--extensions-dir", folder / "ours"]
    config = ["--config", folder / "config.yaml"]
    command = [node(), ENTRY, *config, *words, "--install-extension", VSIX]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        timeout=_START,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "ours"


def settings(**bonafix: object) -> dict[str, object]:
    """The user's settings; `bonafix` may add to and change the extension's."""
    ours: dict[str, object] = {
        "path": [sys.executable, "-P", "-m", "bonafix"],
        "interpreter": str(plain()),
        "engine": "search",
        "review": "off",
        "logLevel": "debug",
        **bonafix,
    }
    return {**QUIET, **{f"bonafix.{key}": value for key, value in ours.items()}}


@contextlib.contextmanager
def running(
    root: Path,
    folder: Path,
    extensions: Path,
    *,
    chosen: dict[str, object],
    environment: dict[str, str],
):
    """An editor that has `root` open, ended with all that it started."""
    data = folder / "data"
    for place in ("User", "Machine"):
        (data / place).mkdir(parents=True)
        (data / place / "settings.json").write_text(json.dumps(chosen))
    port = _free_port()
    command = [
        *(node(), ENTRY, "--config", folder / "config.yaml", "--auth", "none"),
        *("--bind-addr", f"127.0.0.1:{port}", "--user-data-dir", data),
        *("--extensions-dir", extensions, "--disable-telemetry"),
        *("--disable-update-check", "--disable-workspace-trust"),
        "--disable-getting-started-override",
    ]
    with (folder / "editor.log").open("wb") as log:
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**_clean(), **environment},
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _await_health(url, process)
            yield Editor(f"{url}/?folder={root}", root)
        finally:
            _end(process)


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

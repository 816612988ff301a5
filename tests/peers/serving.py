"""A peer as a process: a free port, a bounded wait for it, and its end by its id."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
_PATIENCE = 300.0
"""Seconds for a peer to begin to answer; LiteLLM takes a dozen on a good day."""
_GRACE = 10.0
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that is running: where, and the one key that it takes."""

    url: str
    key: str


def free_port() -> int:
    """A port of the loopback interface that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path],
    folder: Path,
    *,
    health: str,
    settings: Mapping[str, str],
) -> Iterator[Path]:
    """Run a server while the body runs; gives the file that it writes its log to.

    It sees `settings` and nothing of the user's own: no keys, no proxies, no home.
    `health` is an address that answers with 200 once it is ready.
    """
    log = folder / "server.log"
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env={**kept, "HOME": str(folder), **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(process, health, log)
            yield log
        finally:
            _end(process)


def _wait(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _answers(health):
        late = time.monotonic() > deadline
        if late or process.poll() is not None:
            why = f"no answer for {_PATIENCE:g} s" if late else "it has ended"
            raise RuntimeError(f"{process.args!r}: {why}\n{log.read_text()[-3000:]}")
        time.sleep(0.3)


def _answers(url: str) -> bool:
    try:
        with _DIRECT.open(url, timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_GRACE)


# Loopback is reached without the proxies of the user's environment.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

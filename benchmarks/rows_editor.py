"""Rows about the language server: its start, save to diagnostic, the code action."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from figures import Figure, Goal
from libraries import ROOT, Library, python, tree
from places import Files, Place, of, on_target, peer, running

from tests.lsp import editor as editing
from tests.lsp.editor import Editor

SERVER = [sys.executable, "-m", "bonafix", "lsp", "--trust"]
BARE = [
    *(sys.executable, "-c"),
    "from pygls.lsp.server import LanguageServer as S; S('bare', '0').start_io()",
]
SUITE = 180.0  # seconds for the first run of a library's suite
READY = "quick answers are ready|no quick answers any more"
PATIENT = 120.0  # seconds for what follows a save


async def start(count: int) -> list[Figure]:
    """CPU of a server until it has answered `initialize`, over that of a bare one."""
    ratios = []
    with tempfile.TemporaryDirectory() as compiled:
        for command in (SERVER, BARE):
            await _greeted(command, compiled)  # once, for what the machine caches
        for _ in range(count):
            ours = await _greeted(SERVER, compiled)
            ratios.append(ours / await _greeted(BARE, compiled))
    figure = Figure(
        row="start",
        subject="the server",
        what="spawn to initialize answered, over a bare pygls server, CPU",
        goal=Goal(value=1.05, least=False),
        values=tuple(ratios),
        python="{}.{}".format(*sys.version_info),
        note=f"ours {ours * 1e3:.0f} ms",
    )
    return [figure]


async def _greeted(command: list[str], compiled: str) -> float:
    """CPU seconds of the process when its answer is read.

    Both find their modules compiled, in `compiled`, as whoever has installed them does:
    a working copy like ours may have none.
    """
    pipe = subprocess.PIPE
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=pipe,
            stdout=pipe,
            cwd=folder,
            env=_environment(folder)
            | {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""},
        )
        params = {"processId": os.getpid(), "rootUri": None, "capabilities": {}}
        asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        body = json.dumps(asked).encode()
        process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        async with asyncio.timeout(PATIENT):
            await process.stdout.readuntil(b"\r\n\r\n")
        spent = running(process.pid)
        process.kill()
        await process.communicate()
    return spent


def _environment(folder: str) -> dict[str, str]:
    """Settings and state of its own, with the libraries' interpreter."""
    settings = Path(folder) / "bonafix.toml"
    settings.write_text(f"interpreter = {json.dumps(str(python()))}\n")
    # what a server runs steps back for its user; here it is the peer's equal
    state = {"BONAFIX_NICE": "0", "BONAFIX_STATE_DIR": folder}
    state["BONAFIX_CONFIG"] = str(settings)
    return os.environ | state


async def save(library: Library, count: int) -> list[Figure]:
    """From a save that breaks one test to its diagnostic, over a cold run of it."""
    source = (tree(library) / library.product).read_text("utf-8")
    ratios, times, repairs = [], [], []
    async with of(library) as here, _served(library) as (editor, whole):
        await editor.open(library.product)
        for _, files in await on_target(here):
            wall, code = await asyncio.to_thread(_cold, here, files)
            if code and await asyncio.to_thread(_collects, here, files):
                text = (files[library.product] or b"").decode()
                times.append(await _saved(editor, library, text, bad=True))
                ratios.append(times[-1] / wall)
                after = len(editor.notes)
                repairs.append(await _saved(editor, library, source, bad=False) / wall)
                # the whole run is not to run beside the next peer
                await _said(editor, whole, SUITE, after)
            if len(ratios) >= count:
                break
        slow = _unanswered(editor)
    span = f"{min(times) * 1e3:.0f} - {max(times) * 1e3:.0f} ms"
    back = f"{min(repairs):.2f} - {max(repairs):.2f}x"
    figure = Figure(
        row="save",
        subject=library.name,
        what="save to diagnostic over a cold run of that test, wall",
        goal=Goal(value=0.5, least=False),
        values=tuple(ratios),
        python=here.python,
        note=f"{span}; its repair {back}; {slow} of {2 * len(times)} answered late",
    )
    return [figure]


def _cold(here: Place, files: Files) -> tuple[float, int]:
    """Wall seconds of the peer, and its exit code."""
    begun = time.monotonic()
    _, code = peer(here, files, ["-x", here.library.id])
    return time.monotonic() - begun, code


def _collects(here: Place, files: Files) -> bool:
    """Whether all tests are still there: else they are what the editor is told of."""
    return peer(here, files, ["--collect-only"])[1] == 0


@asynccontextmanager
async def _served(library: Library) -> AsyncIterator[tuple[Editor, str]]:
    """A real server over a copy of the library, when its suite has been run once.

    With what the log says at the end of each whole run.
    """
    pipe = subprocess.PIPE
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / library.name
        shutil.copytree(tree(library), root)
        state = Path(folder) / "state"
        state.mkdir()
        env = _environment(str(state)) | {"PYTHONPATH": str(root / library.source)}
        process = await asyncio.create_subprocess_exec(
            *SERVER, stdin=pipe, stdout=pipe, cwd=root, env=env
        )
        editor = Editor(root).attach(process.stdout, process.stdin, process)
        try:
            await editor.initialize()
            said = await _said(editor, r": [\d,]+ tests, ", SUITE)
            await _said(editor, READY, SUITE)
            yield editor, said
        finally:
            with contextlib.suppress(TimeoutError):
                await editor.stop()


async def _said(editor: Editor, pattern: str, seconds: float, after: int = 0) -> str:
    """Wait until the server's log says so; the words that it does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for note in editor.notes[after:]:
            text = str((note.get("params") or {}).get("message", ""))
            found = re.search(pattern, text)
            if note["method"] == "window/logMessage" and found:
                return found[0]
        await asyncio.sleep(0.05)
    raise TimeoutError(pattern)


async def _saved(editor: Editor, library: Library, text: str, *, bad: bool) -> float:
    """Edit and save; seconds until the target's file shows it, or it no more."""
    after, begun = len(editor.notes), time.monotonic()
    await editor.change(library.product, text)
    await editor.save(library.product)

    def shown(found: list) -> bool:
        return any(library.target in str(one.get("code", "")) for one in found) == bad

    patience, editing.PATIENCE = editing.PATIENCE, PATIENT
    try:
        await editor.diagnostics(library.tests, shown, after=after)
        return time.monotonic() - begun
    finally:
        editing.PATIENCE = patience


def _unanswered(editor: Editor) -> int:
    """How many saves no kept process has answered."""
    texts = [str((note.get("params") or {}).get("message")) for note in editor.notes]
    return sum("no quick answer: " in text for text in texts)


async def action(_count: int) -> list[Figure]:
    """What `code_action.py` prints for one line."""
    done = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.code_action"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    text = (await done.communicate())[0].decode()
    found = re.search(r"^one line:.*p99 +([\d.]+)", text, re.MULTILINE)
    idle = re.search(r"^no work:.*p99 +([\d.]+)", text, re.MULTILINE)
    figure = Figure(
        row="action",
        subject="the server",
        what="codeAction with 1,000 diagnostics, 99th percentile of 500",
        goal=Goal(value=5, unit="ms", least=False),
        values=(float(found[1]),) if found else (),
        note=f"a request without work: {idle[1]} ms" if idle else text[-200:],
    )
    return [figure]

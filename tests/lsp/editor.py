"""An editor as the protocol sees it: a raw JSON-RPC client.

It speaks with a server process, or, much faster, with a server on its own loop:
the same bytes through the same code, but for the pipes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bonafix.lsp import transport
from bonafix.lsp.session import Server

SERVER = Path(__file__).with_name("fake_project.py")
PATIENCE = 20  # seconds

FULL = {
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
    "workspace": {
        "configuration": True,
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create", "delete"],
        },
    },
    "textDocument": {
        "publishDiagnostics": {"relatedInformation": True, "versionSupport": True}
    },
    "general": {"positionEncodings": ["utf-16"]},
}


class RefusedError(Exception):
    """The server answered with an error."""


class Editor:
    """Starts a server and speaks to it; `answers` are its own to the server."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notes: list[dict] = []  # notifications, and requests of the server's
        self.settings: dict[str, object] = {}
        self.answers = {
            "workspace/configuration": lambda p: [self.settings for _ in p["items"]],
            "window/workDoneProgress/create": lambda _: None,
            "window/showDocument": lambda _: {"success": True},
            "window/showMessageRequest": lambda _: None,
            "workspace/applyEdit": self.apply,
        }
        self.texts: dict[str, tuple[int, str]] = {}  # open buffers, by URI
        self.unread: tuple[str, ...] = ()  # methods whose messages are thrown away
        self.arrived = 0.0  # when the last message had come, not yet parsed
        self._waiting: dict[int, asyncio.Future] = {}
        self._news = asyncio.Condition()
        self._number = 0
        self.process: asyncio.subprocess.Process | None = None

    # ------------------------------------------------------------------- the server

    def join(self, server: Server) -> Editor:
        """Speak with a server on this loop."""
        incoming, outgoing = asyncio.StreamReader(), asyncio.StreamReader()
        self._write, self._hang_up = outgoing.feed_data, outgoing.feed_eof
        talk = transport.converse(
            server, outgoing, _Feeding(incoming), watch_parent=False
        )
        self.session = asyncio.create_task(talk)
        self._reading = asyncio.create_task(self._read(incoming))
        return self

    async def start(self, *arguments: str) -> Editor:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(SERVER),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return self.attach(process.stdout, process.stdin, process)

    def attach(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        process: asyncio.subprocess.Process,
    ) -> Editor:
        """Speak over a connection with a server that runs already."""
        self.process = process
        self._write, self._hang_up = writer.write, writer.close
        self.session = asyncio.create_task(process.wait())
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def initialize(self, *, capabilities=FULL, options=None, **extra) -> dict:
        self.greeting = await self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": self.root.as_uri(),
                "workspaceFolders": [{"uri": self.root.as_uri(), "name": "p"}],
                "capabilities": capabilities,
                "initializationOptions": options,
                **extra,
            },
        )
        await self.notify("initialized", {})
        return self.greeting

    async def leave(self) -> int:
        """Shut the server down as the protocol wants it; its exit code."""
        await self.request("shutdown", None)
        await self.notify("exit", None)
        return await asyncio.wait_for(asyncio.shield(self.session), PATIENCE)

    async def vanish(self) -> int:
        """Close the connection without a word; the server's exit code."""
        self._hang_up()
        return await asyncio.wait_for(asyncio.shield(self.session), PATIENCE)

    async def stop(self) -> None:
        """End the server whatever state it is in."""
        if self.process and self.process.returncode is None:
            self.process.kill()
        self._hang_up()
        await asyncio.wait_for(self.session, PATIENCE)
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    # ------------------------------------------------------------------ the messages

    async def request(self, method: str, params: object) -> object:
        self._number += 1
        future = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = future
        await self._send({"id": self._number, "method": method, "params": params})
        return await asyncio.wait_for(future, PATIENCE)

    async def notify(self, method: str, params: object) -> None:
        await self._send({"method": method, "params": params})

    async def command(self, name: str, argument: object = None) -> dict:
        given = [] if argument is None else [argument]
        params = {"command": f"bonafix.{name}", "arguments": given}
        return await self.request("workspace/executeCommand", params)

    async def wait(self, method: str, test=lambda _: True, *, after: int = 0) -> dict:
        """The parameters of the first such message from number `after` on."""

        def found() -> dict | None:
            for note in self.notes[after:]:
                if note["method"] == method and test(note.get("params")):
                    return note.get("params") or {}
            return None

        async with self._news, asyncio.timeout(PATIENCE):
            await self._news.wait_for(lambda: found() is not None)
        return found()

    async def diagnostics(self, path: str, test=bool, *, after: int = 0) -> list[dict]:
        """What is published for a file, as soon as it satisfies `test`."""
        uri = self.uri(path)
        params = await self.wait(
            "textDocument/publishDiagnostics",
            lambda p: p["uri"] == uri and test(p["diagnostics"]),
            after=after,
        )
        return params["diagnostics"]

    async def shown(self, part: str, *, after: int = 0) -> str:
        """The first message to the user that contains `part`."""
        params = await self.wait(
            "window/showMessage", lambda p: part in p["message"], after=after
        )
        return params["message"]

    async def actions(self, path: str, line: int, diagnostics=()) -> list[dict]:
        at = {"line": line, "character": 0}
        return await self.request(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": self.uri(path)},
                "range": {"start": at, "end": at},
                "context": {"diagnostics": list(diagnostics)},
            },
        )

    async def pages(self) -> str:
        """The texts of the documents that the server asked to be shown."""
        shown = [n for n in self.notes if n["method"] == "window/showDocument"]
        paths = [Path(n["params"]["uri"].removeprefix("file://")) for n in shown]
        return "".join(path.read_text() for path in paths)

    # ------------------------------------------------------------------- the buffers

    def uri(self, path: str) -> str:
        return (self.root / path).as_uri()

    def text(self, path: str) -> str:
        return self.texts[self.uri(path)][1]

    async def open(self, path: str, text: str | None = None, version: int = 1) -> None:
        text = (self.root / path).read_bytes().decode() if text is None else text
        self.texts[self.uri(path)] = (version, text)
        item = {"uri": self.uri(path), "languageId": "python"}
        item |= {"version": version, "text": text}
        await self.notify("textDocument/didOpen", {"textDocument": item})

    async def change(self, path: str, text: str) -> None:
        uri = self.uri(path)
        version = self.texts[uri][0] + 1
        self.texts[uri] = (version, text)
        document = {"uri": uri, "version": version}
        changes = [{"text": text}]
        await self.notify(
            "textDocument/didChange",
            {"textDocument": document, "contentChanges": changes},
        )

    async def save(self, path: str) -> None:
        uri = self.uri(path)
        if uri in self.texts:
            (self.root / path).write_bytes(self.texts[uri][1].encode())
        await self.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    async def apply(self, params: dict) -> dict:
        """Make a workspace edit as an honest editor does: all or nothing."""
        await self.make(params["edit"])
        return {"applied": True}

    async def make(self, edit: dict) -> None:
        for step in edit.get("documentChanges", ()):
            if step.get("kind") == "create":
                path = self.root / Path(step["uri"].removeprefix("file://"))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(exist_ok=False)
        for uri, edits in changes_of(edit):
            path = Path(uri.removeprefix("file://")).relative_to(self.root).as_posix()
            if uri not in self.texts:
                await self.open(path)
            await self.change(path, edited(self.texts[uri][1], edits))

    # -------------------------------------------------------------------- the stream

    async def _send(self, message: dict) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while header := await stream.readline():
            assert header.startswith(b"Content-"), header  # nothing but the protocol
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name == b"Content-Length" else length
                header = await stream.readline()
            body = await stream.readexactly(length)
            self.arrived = time.perf_counter()
            if not any(method.encode() in body[:100] for method in self.unread):
                await self._take(json.loads(body))

    async def _take(self, message: dict) -> None:
        if "method" not in message:
            future = self._waiting.pop(message["id"])
            if "error" in message:
                future.set_exception(RefusedError(message["error"]["message"]))
            else:
                future.set_result(message["result"])
            return
        async with self._news:
            self.notes.append(message)
            self._news.notify_all()
        if "id" in message:
            await self._answer(message)

    async def _answer(self, message: dict) -> None:
        answer = self.answers.get(message["method"])
        if answer is None:
            error = {"code": -32601, "message": "method not found"}
            await self._send({"id": message["id"], "error": error})
            return
        result = answer(message.get("params"))
        if asyncio.iscoroutine(result):
            result = await result
        await self._send({"id": message["id"], "result": result})


class _Feeding:
    """A writer into a reader."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.write = reader.feed_data
        self.close = reader.feed_eof


def changes_of(edit: dict) -> list[tuple[str, list[dict]]]:
    if "documentChanges" in edit:
        return [
            (change["textDocument"]["uri"], change["edits"])
            for change in edit["documentChanges"]
            if "kind" not in change
        ]
    return list(edit["changes"].items())


def edited(text: str, edits: list[dict]) -> str:
    """The text after edits in UTF-16 positions, which do not overlap."""
    lines = text.replace("\r\n", "\n").split("\n")
    starts = [0]
    for line in text.split("\n")[:-1]:
        starts.append(starts[-1] + len(line) + 1)

    def offset(at: dict) -> int:
        line = lines[at["line"]].encode("utf-16-le")[: 2 * at["character"]]
        return starts[at["line"]] + len(line.decode("utf-16-le"))

    spans = [
        (offset(e["range"]["start"]), offset(e["range"]["end"]), e["newText"])
        for e in edits
    ]
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


async def until(done: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(PATIENCE):
        while not done():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

"""aimock, a mock of many models' services: it plays what our own server plays.

Its fixtures are found by the number of the assistant's messages, as our turns are. It
knows nothing of models or of tokens, signs every thinking block alike, and puts
redacted blocks before all others.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.messages_api import Redacted, Text, Thinking, ToolUse, Turn
from tests.peers.installing import aimock
from tests.peers.serving import HOST, Peer, free_port, serving

Fixture = Mapping[str, object]


@contextlib.contextmanager
def mock(fixtures: Sequence[Fixture], folder: Path) -> Iterator[Peer]:
    """A server that answers with the fixtures and takes one key."""
    script = folder / "fixtures.json"
    script.write_text(json.dumps({"fixtures": fixtures}), encoding="utf-8")
    peer = Peer(f"http://{HOST}:{free_port()}", secrets.token_hex(16))
    port = peer.url.rpartition(":")[2]
    command = [*aimock(), "--host", HOST, "--port", port, "--fixtures", script]
    strict = ("--strict", "--validate-on-load")
    settings = {"AIMOCK_API_KEYS": peer.key, "AIMOCK_STRICT_TURN_INDEX": "1"}
    health = f"{peer.url}/health"
    with serving([*command, *strict], folder, health=health, settings=settings):
        yield peer


def played(turns: Sequence[Turn]) -> list[Fixture]:
    """The turns as aimock's fixtures."""
    ids = (f"toolu_{number:06d}" for number in itertools.count(1))
    return [
        {"match": {"turnIndex": number}, "response": _response(turn, ids)}
        for number, turn in enumerate(turns)
    ]


def failing(status: int, kind: str, message: str, **more: object) -> Fixture:
    """An error as the first answer; `more` is the response's."""
    error = {"message": message, "type": kind}
    return {
        "match": {"turnIndex": 0, "sequenceIndex": 0},
        "response": {"error": error, "status": status, **more},
    }


def _response(turn: Turn, ids: Iterator[str]) -> dict[str, object]:
    said = [block.text for block in turn.blocks if isinstance(block, Text)]
    thought = [block.text for block in turn.blocks if isinstance(block, Thinking)]
    hidden = [block.data for block in turn.blocks if isinstance(block, Redacted)]
    calls = [
        {"id": next(ids), "name": block.name, "arguments": dict(block.input)}
        for block in turn.blocks
        if isinstance(block, ToolUse)
    ]
    response: dict[str, object] = {"reasoning": "".join(thought)} if thought else {}
    if hidden:
        response["redactedThinking"] = hidden
    if said or not calls:
        response["content"] = "".join(said)
    if calls:
        response["toolCalls"] = calls
    return response

"""A session with a scripted model: the turns of a repair, and all that comes out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from bonafix.config import Config
from bonafix.domain import Candidate, Event, Feedback, Proposer
from bonafix.propose.claude import proposer
from bonafix.propose.claude.process import Connect
from tests.messages_api import (
    MessagesApi,
    Redacted,
    Script,
    Text,
    Thinking,
    ToolUse,
    Turn,
)
from tests.propose.claude.cases import (
    BUGGY_LINE,
    FIXED_LINE,
    SOURCES,
    PytestRunner,
    Verdicts,
    near_worker,
    task,
)

EDITOR = "str_replace_based_edit_tool"


def edit(old: str = BUGGY_LINE, new: str = FIXED_LINE) -> ToolUse:
    path = "stats/means.py"
    given = {"command": "str_replace", "path": path, "old_str": old, "new_str": new}
    return ToolUse(EDITOR, given)


def view(path: str = "stats/means.py") -> ToolUse:
    return ToolUse(EDITOR, {"command": "view", "path": path})


def run_tests(*tests: str) -> ToolUse:
    return ToolUse("run_tests", {"tests": list(tests)})


SUBMIT = ToolUse("submit", {"summary": "Divide by the count.\nIt was one too many."})
LOOP = (
    Turn(
        blocks=(
            Thinking("The divisor is one too large.\nLet me look."),
            Redacted(),
            Text("I look at both files."),
            view(),
            view("tests/test_means.py"),
        )
    ),
    Turn(blocks=(Thinking("As I thought."), edit(), run_tests())),
    Turn(blocks=(Thinking(""), SUBMIT)),
)
QUICK = Turn(blocks=(edit(), SUBMIT))


class Session:
    """One use of the proposer, with all that came out of it."""

    def __init__(self, api: MessagesApi, folder: Path, **settings: object) -> None:
        self.config = Config(
            **{"base_url": api.url, "thinking": "low", "timeout": 60.0, **settings}
        )
        self.environment = {**os.environ, "ANTHROPIC_API_KEY": "test"}
        self.connect: Connect = near_worker
        self.runner = PytestRunner(folder)
        self.folder = folder
        self.events: list[Event] = []
        self.seconds = 60.0
        self.sources = SOURCES

    async def candidates(self, *feedback: Feedback | None) -> list[Candidate]:
        propose = self.proposer()
        given = task(self.folder, self.sources, seconds=self.seconds)
        stream = propose(given, self.runner, Verdicts(*feedback), self.events.append)
        async with contextlib.aclosing(stream):
            return [candidate async for candidate in stream]

    def proposer(self) -> Proposer:
        return proposer(self.config, self.environment, connect=self.connect)

    @property
    def said(self) -> str:
        return "\n".join(event.text for event in self.events)

    def fact(self, name: str) -> object:
        found = [event.facts[name] for event in self.events if name in event.facts]
        return found[-1] if found else None


@contextlib.contextmanager
def playing(*turns: object, folder: Path, **settings: object) -> Iterator:
    with MessagesApi(Script.of(*turns)) as api:
        yield api, Session(api, folder, **settings)

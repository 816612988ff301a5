"""Scripted agents for the fixtures: the turns are made of a fixture's own patches.

A script views the files that a patch changes, edits them hunk by hunk with the real
tool, runs the tests and hands in; with several patches, each is a further round in the
same conversation, in which the edits of the round before are made into the next ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from bonafix import diffs
from bonafix.domain import Patch
from tests.fixture_projects import FIXTURES, UNPATCHED, copy_project, read_spec
from tests.messages_api import (
    MessagesApi,
    Recorded,
    Redacted,
    Script,
    Text,
    Thinking,
    ToolUse,
    Turn,
)
from tests.observe.environments import MissingError, plain, python
from tests.small import bonafix, contents

EDITOR = "str_replace_based_edit_tool"
HONEST = "honest"
FIXED = sorted(path.parent.name for path in FIXTURES.glob("*/fixture.toml"))
"""The fixtures; for each there is a scripted agent that fixes it."""
CHEATER = "cheater"
"""The agent that cheats before it fixes."""
_SECONDS = 300
_SUMMARY = "The cause is corrected where it lies."

Files = dict[str, str]


# ------------------------------------------------------------------------- turns


def patch_of(name: str, label: str = HONEST) -> Patch:
    """One of a fixture's patches."""
    raw = (FIXTURES / name / "patches" / f"{label}.patch").read_bytes()
    return patch_from(name, raw)


def patch_from(name: str, raw: bytes) -> Patch:
    """A unified diff against the fixture's project, every file whole."""

    def read(path: str) -> bytes | None:
        file = FIXTURES / name / "project" / path
        return file.read_bytes() if file.is_file() else None

    return diffs.parse(raw, read)


def rounds(*patches: Patch) -> list[Turn]:
    """The turns of a conversation that hands in one patch after another."""
    first: Files = {
        change.path: (change.before or b"").decode()
        for patch in patches
        for change in patch.changes
    }
    now, turns = first, list[Turn]()
    for patch in patches:
        wanted = {**first, **{c.path: (c.after or b"").decode() for c in patch.changes}}
        turns += _round(now, wanted, patch.paths)
        now = wanted
    return turns


def edits(patch: Patch) -> list[ToolUse]:
    """The patch as calls of the editor, hunk by hunk."""
    files = {c.path: (c.before or b"").decode() for c in patch.changes}
    wanted = {c.path: (c.after or b"").decode() for c in patch.changes}
    return [*_edits(files, wanted)]


def _round(now: Files, wanted: Files, paths: Sequence[str]) -> Iterator[Turn]:
    views = [ToolUse(EDITOR, {"command": "view", "path": p}) for p in paths if now[p]]
    look = Thinking(f"I look at {', '.join(paths)}, naïvely at first.")
    yield Turn(blocks=[look, Redacted(), *views])
    for edit in _edits(now, wanted):
        yield Turn(blocks=[Thinking(""), edit])
    tests = ToolUse("run_tests", {"tests": []})
    yield Turn(blocks=[Text("The edits are complete."), tests])
    yield Turn(blocks=[Thinking("Done."), ToolUse("submit", {"summary": _SUMMARY})])


def _edits(now: Files, wanted: Files) -> Iterator[ToolUse]:
    for path, after in wanted.items():
        text = now[path]
        for old, new in _hunks(text, after) if text else ():
            assert text.count(old) == 1, f"an ambiguous place in {path}"
            text = text.replace(old, new)
            change = {"command": "str_replace", "old_str": old, "new_str": new}
            yield ToolUse(EDITOR, {"path": path, **change})
        if text != after:
            create = {"command": "create", "path": path, "file_text": after}
            yield ToolUse(EDITOR, create)


def _hunks(before: str, after: str) -> Iterator[tuple[str, str]]:
    """What is replaced and by what, with three lines of context on both sides."""
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes():
        (_, i, _, j, _), (_, _, i_end, _, j_end) = group[0], group[-1]
        yield "".join(old[i:i_end]), "".join(new[j:j_end])


def script_of(name: str) -> tuple[str, list[Turn]]:
    """The fixture that an agent of `FIXED` or the `CHEATER` works on, and its turns."""
    if name != CHEATER:
        return name, rounds(patch_of(name))
    forbidden = edits(patch_of("ledger", "dishonest-restated-expectations"))
    cheat = patch_of("ledger", "dishonest-published-cases")
    first = Turn(blocks=[Thinking("I could change the tests."), *forbidden])
    return "ledger", [first, *rounds(cheat, patch_of("ledger"))]


# -------------------------------------------------------------------------- runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What one run of `fix` came to, and what was sent for it."""

    process: subprocess.CompletedProcess[str]
    repairs: list[dict[str, Any]]
    sent: list[Recorded]
    """The requests that were answered; what the API refused is in `refused`."""
    refused: list[str]
    untouched: bool

    @property
    def bodies(self) -> list[str]:
        """The requests' bodies as text."""
        return [request.body.decode() for request in self.sent]


def play(
    name: str,
    turns: Sequence[Turn],
    folder: Path,
    *words: str,
    targets: Sequence[str] = (),
) -> Played:
    """Have the command fix a copy of a fixture with a scripted model.

    Tests are run by a real pytest, requests go over a real socket. `targets` are by
    default all that the fixture names; `words` go onto the command. The search engine
    has no time to find the fix first; nor is it asked for other fixes to compare with,
    a third of the gate's work, unless `words` name the engine `claude` alone.
    """
    root = copy_project(name, UNPATCHED, folder / "project")
    for flaky in read_spec(name)["flaky"]:
        _leave_out(root, flaky)
    before = contents(root)
    named = [f"--test={target}" for target in targets or read_spec(name)["targets"]]
    with MessagesApi(Script.of(*turns)) as api:
        done = bonafix(
            *("fix", root, "--no-review", "--json", "-"),
            *named,
            *words,
            env=environment(api.url, name, folder),
            timeout=_SECONDS,
        )
        return Played(
            process=done,
            repairs=json.loads(done.stdout)["repairs"],
            sent=[one for one in api.messages if one.position is not None],
            refused=[one.problem for one in api.requests if one.problem],
            untouched=contents(root) == before,
        )


def _leave_out(root: Path, test: str) -> None:
    """Take a test function out of the copy.

    A flaky one may pass in both runs of the baseline and fail after it, and then an
    honest patch is said to have broken it: no subject of a scripted agent.
    """
    path, function = test.split("::")
    with (root / path).open("a", encoding="utf-8") as file:
        file.write(f"\n\ndel {function}\n")


def environment(url: str, name: str, folder: Path) -> dict[str, str]:
    """The command's environment: a key, an endpoint, and nothing of the user's own."""
    settings = folder / "settings.toml"
    text = f'interpreter = "{interpreter(name)}"\nsearch_seconds = 0.0\n'
    settings.write_text(text, encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ANTHROPIC_")}
    return {
        **kept,
        "ANTHROPIC_API_KEY": "test",
        "ANTHROPIC_BASE_URL": url,
        "BONAFIX_CONFIG": str(settings),
        "BONAFIX_STATE_DIR": str(folder / "state"),
    }


def interpreter(name: str) -> Path:
    """A Python that has what the fixture's tests need."""
    if not read_spec(name)["needs"]:
        return plain()
    try:
        return python("python3.13")
    except MissingError:
        return Path(sys.executable)

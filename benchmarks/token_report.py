"""What the scripted repairs of the fixtures send, turn by turn; fails if it may not.

Run from the repository's root: python -m benchmarks.token_report [NAME ...]
or, over requests that were recorded before (`python -m tests.messages_api --record`):
python -m benchmarks.token_report --recorded FILE

A scripted model repairs each fixture through the real tools and the real gate. Of each
request it prints how many tool calls it answers, the bytes of its tools, system and
messages, about how many tokens these are, and the share of them that a cache could
serve: what it begins with in common with an earlier request of the same settings, so
the request before it where all is well. Exit code 1 says that a request does not
continue the one before it in its conversation, byte for byte (cache marks aside, see
`tests/messages_api/prefix.py`), or that a script was not played to its end.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.scripting import CHEATER, FIXED, play, script_of
from tests.messages_api import PrefixChangedError, Recorded, ToolUse
from tests.messages_api.prefix import Prefix, prefix, shared
from tests.messages_api.records import conversations
from tests.messages_api.values import Json, blocks, records

BYTES_PER_TOKEN = 3.5  # of code and English, about; the service alone can tell
HEAD = f"{'turn':>4} {'calls':>5} {'bytes':>9} {'added':>8} {'~tokens':>8} {'cache':>6}"
FAIR = frozenset({"verified", "plausible"})
SETTINGS = ("model", "thinking", "output_config")
"""A change of these begins a new cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request: its size, what of it is new, and the calls that it answers."""

    calls: int
    size: int
    cached: int

    @property
    def text(self) -> str:
        share = self.cached / self.size if self.size else 0.0
        tokens = self.size / BYTES_PER_TOKEN
        added = self.size - self.cached
        return (
            f"{self.calls:>5} {self.size:>9,} {added:>8,} {tokens:>8,.0f} {share:>6.1%}"
        )


def rows(requests: Sequence[Recorded]) -> list[Row]:
    """The requests in the order in which they were sent."""
    seen: list[tuple[list[Json], Prefix]] = []
    made: list[Row] = []
    for recorded in requests:
        settings = [recorded.json.get(name) for name in SETTINGS]
        own = prefix(recorded.body)
        common = [shared(other, own) for same, other in seen if same == settings]
        size, cached = len(own.whole), max(common, default=0)
        made.append(Row(calls=answered(recorded), size=size, cached=cached))
        seen.append((settings, own))
    return made


def answered(recorded: Recorded) -> int:
    """The tool calls whose results the request is the first to carry."""
    *_, last = records(recorded.json.get("messages"))
    return sum(block.get("type") == "tool_result" for block in blocks(last))


def table(title: str, requests: Sequence[Recorded]) -> Iterator[str]:
    """The lines of one run: its turns, and their sum."""
    found = rows(requests)
    yield f"{title}: {len(found)} requests"
    yield HEAD
    for number, row in enumerate(found, 1):
        yield f"{number:>4} {row.text}"
    sums = {
        name: sum(getattr(row, name) for row in found)
        for name in ("calls", "size", "cached")
    }
    yield f"{'sum':>4} {Row(**sums).text}"


def complaint(requests: Sequence[Recorded]) -> str:
    """What is wrong with the run, in a line; empty if nothing is."""
    if not requests:
        return "no request was sent"
    try:
        conversations(requests)
    except PrefixChangedError as error:
        return str(error)
    return ""


Run = tuple[str, Sequence[Recorded], str]
"""Title, requests, and what was said of a run that came to no good end."""


def runs(names: Sequence[str]) -> Iterator[Run]:
    """Each scripted run."""
    for name in names or [*FIXED, CHEATER]:
        fixture, turns = script_of(name)
        with tempfile.TemporaryDirectory(prefix="bonafix-tokens-") as folder:
            played = play(fixture, turns, Path(folder))
        ends = [repair["verdict"] for repair in played.repairs]
        done = [turns[one.position or 0] for one in played.sent]
        calls = sum(isinstance(block, ToolUse) for one in done for block in one.blocks)
        fixed = set(ends) <= FAIR and len(played.sent) == len(turns)
        story = "" if fixed else "\n".join([*played.refused, played.process.stderr])
        yield f"{name} ({', '.join(ends)}), {calls} tool calls", played.sent, story


def recorded(file: Path) -> list[Recorded]:
    """Requests as `python -m tests.messages_api --record FILE` writes them."""
    return [
        Recorded(
            method="POST",
            path=entry["path"],
            headers=entry.get("headers", {}),
            body=entry["body"].encode(),
            conversation=entry.get("conversation"),
            position=entry.get("position"),
            status=entry.get("status", 200),
        )
        for entry in json.loads(file.read_text(encoding="utf-8"))
        if entry["path"] == "/v1/messages" and entry.get("position") is not None
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.token_report")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--recorded", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    if unknown := {*options.names} - {*FIXED, CHEATER}:
        parser.error(f"no such script: {', '.join(sorted(unknown))}")
    given = options.recorded
    found = [(given.name, recorded(given), "")] if given else runs(options.names)
    wrong: list[str] = []
    for title, requests, story in found:
        print("\n".join(table(title, requests)), end="\n\n", flush=True)
        why = complaint(requests) or (story and "the script was not played to its end")
        if why:
            wrong.append(f"WRONG  {title}: {why}")
            print(story, flush=True)
    print("\n".join(wrong) or "each request continues the one before it")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""One line of the pipe in, the value that it stands for out; pure.

The process at the other end runs the code under judgement, so nothing is believed to
be well formed: what has the wrong type counts as absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bonafix.domain import Frame, Phase, Place, Style

Fields = Mapping[str, object]

STYLES: Mapping[str, Style] = {
    style: style
    for style in ("function", "method", "unittest", "asyncio", "doctest", "other")
}
PHASES: Mapping[str, Phase] = {phase: phase for phase in ("setup", "call", "teardown")}
MAX_LINE = 64 * 1024 * 1024  # bytes; longer ones are no events of ours


@dataclass(frozen=True, slots=True)
class Item:
    """A collected test."""

    style: Style
    definition: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One phase of one test, or a part of it (a subtest)."""

    phase: Phase
    outcome: str  # pytest's word: passed, failed, skipped, rerun
    xfail: bool = False
    part: bool = False
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    exception: str = ""
    message: str = ""
    expected: str | None = None
    actual: str | None = None
    place: Place | None = None
    doctest_line: int = 0
    frames: tuple[Frame, ...] = ()
    captured: str = ""
    longrepr: str = ""


def split(buffer: bytearray) -> Iterator[bytes]:
    """Take the complete lines out of `buffer`."""
    while (end := buffer.find(b"\n")) >= 0:
        yield bytes(buffer[:end])
        del buffer[: end + 1]


def text(fields: Fields, key: str) -> str:
    """The string there, else the empty one."""
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def texts(fields: Fields, key: str) -> tuple[str, ...]:
    """The list of strings there; what is none is left out."""
    value = fields.get(key)
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str))


def decode(line: bytes, nonce: str) -> Fields:
    """Parse a line that carries our nonce; anything else is an empty event."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict) or value.get("nonce") != nonce:
        return {}
    return value


def number(fields: Fields, key: str) -> float:
    """The number there, else zero."""
    value = fields.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def numbers(fields: Fields, key: str) -> tuple[float, ...]:
    """The list of numbers there; what is none is left out."""
    value = fields.get(key)
    items = value if isinstance(value, list) else []
    return tuple(float(item) for item in items if isinstance(item, int | float))


def lines(fields: Fields, key: str) -> dict[str, frozenset[int]]:
    """The lists of lines there, by their files; what is none is left out."""
    table = fields.get(key)
    pairs = table.items() if isinstance(table, dict) else ()
    return {
        path: frozenset(n for n in seen if isinstance(n, int))
        for path, seen in pairs
        if isinstance(seen, list)
    }


def objects(fields: Fields, key: str) -> list[Fields]:
    """The list of objects there; what is none is left out."""
    value = fields.get(key)
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def place_of(fields: Fields) -> Place | None:
    """The path and line there."""
    value = fields.get("place")
    match value:
        case [str(path), int(line)]:
            return Place(path, line)
        case _:
            return None


def _frame(fields: Fields) -> Frame:
    values = fields.get("values")
    pairs = values.items() if isinstance(values, dict) else ()
    return Frame(
        path=text(fields, "path"),
        line=int(number(fields, "line")),
        function=text(fields, "function"),
        code=text(fields, "code"),
        own=fields.get("own") is True,
        values={str(name): str(value) for name, value in pairs},
    )


def _side(fields: Fields, key: str) -> str | None:
    return text(fields, key) if isinstance(fields.get(key), str) else None


def report_of(fields: Fields) -> Report:
    """What `report` and `stuck` carry."""
    return Report(
        phase=PHASES.get(text(fields, "phase"), "call"),
        outcome=text(fields, "outcome"),
        xfail=fields.get("xfail") is True,
        part=fields.get("part") is True,
        seconds=number(fields, "seconds"),
        cpu_seconds=number(fields, "cpu_seconds"),
        exception=text(fields, "exception"),
        message=text(fields, "message"),
        expected=_side(fields, "expected"),
        actual=_side(fields, "actual"),
        place=place_of(fields),
        doctest_line=int(number(fields, "doctest_line")),
        frames=tuple(map(_frame, objects(fields, "frames"))),
        captured=text(fields, "captured"),
        longrepr=text(fields, "longrepr"),
    )

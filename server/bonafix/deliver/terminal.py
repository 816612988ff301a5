"""What the stream at hand can show, and lines onto it; rich is imported at need.

A line is a tuple of pieces, each a text and a style in rich's words ("" for none),
so that what is shown can be made, tested and written without a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from bonafix.redaction import NOTHING, Redactor

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Line = tuple[tuple[str, str], ...]

# What could move the cursor, clear the screen, or turn the reading direction of code.
_UNSAFE = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, slots=True)
class Marks:
    """The few signs that say a result at a glance."""

    good: str = "✔"
    bad: str = "✘"
    doubt: str = "?"
    none: str = "–"  # noqa: RUF001 - a dash is meant
    busy: str = "▸"
    more: str = "…"


ASCII = Marks(good="+", bad="x", none="-", busy=">", more="...")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A stream with what it can do."""

    stream: TextIO
    colour: bool = False
    live: bool = False  # whether lines can be drawn over
    marks: Marks = ASCII
    redact: Redactor = NOTHING  # takes secrets out of all that is shown


def terminal(
    stream: TextIO,
    environment: Mapping[str, str],
    redact: Redactor = NOTHING,
) -> Terminal:
    """Look at the stream; `NO_COLOR` beats `FORCE_COLOR`, as their authors ask."""
    tty = stream.isatty()
    dumb = environment.get("TERM", "") in {"dumb", "unknown"}
    wanted = (tty and not dumb) or bool(environment.get("FORCE_COLOR"))
    return Terminal(
        stream=stream,
        colour=wanted and not environment.get("NO_COLOR"),
        live=tty and not dumb,
        marks=_marks(stream.encoding or "ascii"),
        redact=redact,
    )


def _marks(encoding: str) -> Marks:
    full = Marks()
    try:
        f"{full.good}{full.bad}{full.none}{full.busy}{full.more}".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return full


def visible(text: str) -> str:
    """Text of strangers with control characters spelt out: it may draw nothing."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """The first line that says something, made safe."""
    lines = (line.strip() for line in text.splitlines())
    return visible(next((line for line in lines if line), ""))


def show(lines: Iterable[Line], where: Terminal) -> None:
    """Write each line whole, however narrow the terminal is."""
    if where.colour:
        console = console_of(where)
        for line in lines:
            console.print(text_of(line, where), soft_wrap=True)
        return
    for line in lines:
        where.stream.write(_encodable("".join(text for text, _ in line), where) + "\n")
    where.stream.flush()


def console_of(where: Terminal) -> Console:
    """Rich's console for the stream, told what we know and left to guess nothing."""
    from rich.console import Console  # noqa: PLC0415 - costs 50 ms; not for --json

    return Console(
        file=where.stream,
        force_terminal=where.colour or where.live,
        no_color=not where.colour,
        highlight=False,
        markup=False,
        emoji=False,
    )


def text_of(line: Line, where: Terminal) -> Text:
    """The line for rich; tabs as spaces, which a terminal would not measure alike."""
    from rich.text import Text  # noqa: PLC0415

    pieces = ((_encodable(text.expandtabs(4), where), style) for text, style in line)
    return Text.assemble(*pieces)


def _encodable(text: str, where: Terminal) -> str:
    encoding = where.stream.encoding or "ascii"
    return where.redact(text).encode(encoding, "backslashreplace").decode(encoding)

r"""Lines of a text, and positions in it in the units that editors count.

A line ends at "\r\n", "\r" or "\n" and nowhere else, as in Python's tokenizer and in
LSP: a form feed or U+2028 is a character like any other.
"""

from __future__ import annotations

import bisect
import io
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

Unit = Literal["utf-8", "utf-16", "utf-32"]
"""What a column counts: bytes, UTF-16 code units, or characters."""


def lines(text: str) -> list[str]:
    """The lines with their endings; joined they are the text."""
    return list(io.StringIO(text, newline=""))


class Position(NamedTuple):
    """A place in a text: line 1-based, column 0-based in the unit asked for."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class LineIndex:
    """Converts character offsets of one text to positions and back."""

    text: str
    starts: tuple[int, ...]  # of each line; a text always has at least one

    @classmethod
    def of(cls, text: str) -> LineIndex:
        """The index of a text."""
        parts = lines(text)
        starts = [0, *accumulate(map(len, parts))]
        ended = not parts or parts[-1].endswith(("\r", "\n"))
        return cls(text, tuple(starts if ended else starts[:-1]))

    def position(self, offset: int, unit: Unit = "utf-32") -> Position:
        """Where the character at `offset` (0..length) stands.

        Raises:
            ValueError: the offset lies outside the text.
        """
        if not 0 <= offset <= len(self.text):
            raise ValueError(f"offset {offset} lies outside the text")
        line = bisect.bisect_right(self.starts, offset)
        start, end = self.span(line)
        return Position(line, _units(self.text[start : min(offset, end)], unit))

    def offset(self, line: int, column: int, unit: Unit = "utf-32") -> int:
        """The character at a position; past the end of its line is that end.

        A column within a character gives that character; a line past the last
        gives the end of the text (both as LSP wants them).

        Raises:
            ValueError: the line is below 1 or the column below 0.
        """
        if line < 1 or column < 0:
            raise ValueError(f"no such position: line {line}, column {column}")
        if line > len(self.starts):
            return len(self.text)
        start, end = self.span(line)
        if unit == "utf-32":
            return min(start + column, end)
        sizes = accumulate(_units(char, unit) for char in self.text[start:end])
        return start + sum(1 for size in sizes if size <= column)

    def span(self, line: int) -> tuple[int, int]:
        """Start and end of a line's content, its ending left out."""
        start = self.starts[line - 1]
        last = line == len(self.starts)
        end = len(self.text) if last else self.starts[line]
        return start, start + len(self.text[start:end].rstrip("\r\n"))


def _units(text: str, unit: Unit) -> int:
    if unit == "utf-32" or text.isascii():
        return len(text)
    if unit == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2

r"""Lines in, hunks out, and hunks back onto lines; pure.

A line is bytes up to and with its b"\n"; the last one of a file may lack it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

CONTEXT = 3  # lines around a change, as in git's own diffs

_NEWLINE = re.compile(rb"\r?\n\Z")

Opcode = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of lines with what happens to each.

    `index` is the 0-based line of the old file where it starts; `lines` are pairs
    of b" ", b"-" or b"+" and the line; `header` is what a person knows it by.
    """

    index: int
    lines: tuple[tuple[bytes, bytes], ...]
    header: str = ""

    @property
    def before(self) -> tuple[bytes, ...]:
        """The lines that it expects."""
        return tuple(line for mark, line in self.lines if mark != b"+")

    @property
    def after(self) -> tuple[bytes, ...]:
        """The lines that it leaves."""
        return tuple(line for mark, line in self.lines if mark != b"-")


class MisfitError(ValueError):
    """A hunk has no place, or more than one, in the lines it was meant for."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number  # 1-based, of the hunk in its file


def split(content: bytes) -> list[bytes]:
    r"""Cut after each b"\n" and nowhere else, as diffs do."""
    lines = content.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


# --------------------------------------------------------------- hunks onto lines


def apply(content: bytes, hunks: Sequence[Hunk], *, unique: bool = False) -> bytes:
    """Put each hunk where its lines are found.

    A hunk goes where its header says if its lines stand there, else to the only
    other place where they do; where no place fits byte for byte, line ends are
    overlooked and the file's own kept. `unique` lets the header's place count for
    nothing: the lines must occur exactly once.

    Raises:
        MisfitError: a hunk fits nowhere, or in more than one place.
    """
    lines = split(content)
    done: list[bytes] = []
    taken = shift = 0
    for number, hunk in enumerate(hunks, 1):
        try:
            at, loose = _locate(lines, hunk, taken, hunk.index + shift, unique=unique)
        except LookupError as error:
            raise MisfitError(number, str(error.args[0])) from error
        here = lines[at : at + len(hunk.before)]
        done += lines[taken:at]
        done += _merged(here, hunk, _line_end(here or lines) if loose else None)
        taken, shift = at + len(here), at - hunk.index
    return b"".join(_mended(done + lines[taken:]))


def _locate(
    lines: Sequence[bytes], hunk: Hunk, floor: int, guess: int, *, unique: bool
) -> tuple[int, bool]:
    """Where the hunk goes, and whether its line ends had to be overlooked."""
    for loose, same in ((False, _exactly), (True, _but_for_line_ends)):
        if not unique and _fits(lines, hunk, guess, floor, same):
            return guess, loose
        last = len(lines) - len(hunk.before)
        places = range(floor, last + 1)
        found = [at for at in places if _fits(lines, hunk, at, floor, same)]
        if len(found) == 1:
            return found[0], loose
        if found:
            where = ", ".join(str(at + 1) for at in found[:3])
            raise LookupError(f"its lines occur {len(found)} times (lines {where} …)")
    raise LookupError(_complaint(lines, hunk, guess))


Same = Callable[[bytes, bytes], bool]


def _fits(lines: Sequence[bytes], hunk: Hunk, at: int, floor: int, same: Same) -> bool:
    wanted = hunk.before
    if at < floor or at + len(wanted) > len(lines):
        return False
    return all(same(lines[at + n], line) for n, line in enumerate(wanted))


def _exactly(one: bytes, other: bytes) -> bool:
    return one == other


def _but_for_line_ends(one: bytes, other: bytes) -> bool:
    return _NEWLINE.sub(b"", one) == _NEWLINE.sub(b"", other)


def _complaint(lines: Sequence[bytes], hunk: Hunk, guess: int) -> str:
    for n, wanted in enumerate(hunk.before):
        at = guess + n
        if not 0 <= at < len(lines):
            return f"expected {_shown(wanted)}, but the file ends at line {len(lines)}"
        if not _but_for_line_ends(lines[at], wanted):
            return (
                f"expected {_shown(wanted)} at line {at + 1}, "
                f"found {_shown(lines[at])}, and its lines are nowhere else"
            )
    return f"it starts at line {guess + 1}, but the file has {len(lines)} lines"


def _shown(line: bytes, width: int = 80) -> str:
    text = _NEWLINE.sub(b"", line).decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= width else text[:width] + "…")


def _merged(here: Sequence[bytes], hunk: Hunk, end: bytes | None) -> Iterator[bytes]:
    """The hunk's outcome, the file's own bytes for the lines that it keeps."""
    standing = iter(here)
    for mark, line in hunk.lines:
        if mark == b"+":
            yield line if end is None else _NEWLINE.sub(lambda _: end, line)
            continue
        kept = next(standing)
        if mark == b" ":
            yield kept


def _line_end(lines: Sequence[bytes]) -> bytes:
    ends = (found[0] for line in lines if (found := _NEWLINE.search(line)))
    return next(ends, b"\n")


def _mended(lines: list[bytes]) -> list[bytes]:
    """End every line but the last: a diff without its marker must not join two."""
    end = _line_end(lines)
    head = (line if line.endswith(b"\n") else line + end for line in lines[:-1])
    return [*head, *lines[-1:]]


# --------------------------------------------------------------- hunks from lines


def difference(before: bytes, after: bytes) -> tuple[Hunk, ...]:
    """What turns one content into the other; nothing where they are the same."""
    if before == after:
        return ()
    old, new = split(before), split(after)
    return tuple(_hunk(group, old, new) for group in _groups(old, new))


def opcodes(before: bytes, after: bytes) -> Iterator[Opcode]:
    """The parts that differ, as `difflib` tags and 0-based line ranges."""
    old, new = split(before), split(after)
    for group in _groups(old, new):
        yield from (code for code in group if code[0] != "equal")


def _groups(old: list[bytes], new: list[bytes]) -> Iterator[list[Opcode]]:
    # The matcher is slow on long files; what is equal at both ends needs no matching.
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    skip, keep = max(0, head - CONTEXT), max(0, tail - CONTEXT)
    middle = SequenceMatcher(
        None, old[skip : len(old) - keep], new[skip : len(new) - keep]
    )
    for group in middle.get_grouped_opcodes(CONTEXT):
        yield [
            (tag, a + skip, b + skip, c + skip, d + skip) for tag, a, b, c, d in group
        ]


def _common(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    pairs = zip(one, other, strict=False)
    short = min(len(one), len(other))
    return next((n for n, (a, b) in enumerate(pairs) if a != b), short)


def _hunk(group: Sequence[Opcode], old: list[bytes], new: list[bytes]) -> Hunk:
    lines: list[tuple[bytes, bytes]] = []
    for tag, a, b, c, d in group:
        if tag == "equal":
            lines += [(b" ", line) for line in old[a:b]]
            continue
        lines += [(b"-", line) for line in old[a:b]]
        lines += [(b"+", line) for line in new[c:d]]
    start, end = group[0], group[-1]
    was, now = _range(start[1], end[2]), _range(start[3], end[4])
    return Hunk(start[1], tuple(lines), f"@@ -{was} +{now} @@")


def _range(start: int, end: int) -> str:
    """A half-open 0-based range as a diff's header writes it."""
    count = end - start
    first = start + 1 if count else start
    return str(first) if count == 1 else f"{first},{count}"

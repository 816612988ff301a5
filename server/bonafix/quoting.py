"""What programs printed in, a bounded quotation that keeps what matters out; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

OUTPUT = 6_000
"""Characters of one quotation, where nothing else is said."""
_LONGEST = 600  # characters of one line, where there is room for it
_SHORTEST = 60
_GAP = len("[100000 lines left out]\n")

_ERROR = re.compile(r"^E(?:\s|$)")  # pytest's mark of what was raised
_NATIVE = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit|Interrupt)\b")
_FAULT = re.compile(r"^>|^\S[^:\n]*:\d+:(?: |$)|^Expected:|^Got:")


def data(text: str, limit: int = OUTPUT) -> str:
    """Quoted as data: bounded, and unable to close its own quotation."""
    body = cut(text.strip("\n"), limit).replace("</data", "<\\/data")
    return f"<data>\n{body}\n</data>"


def cut(text: str, limit: int) -> str:
    """The text within the limit: its start and its end, the middle left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[{left_out} characters left out]\n{text[-half:]}"


def failing_part(text: str, limit: int) -> str:
    """A report of a failure within the limit, what was raised kept before all else.

    Lines are left out whole, the dear ones last: first what was raised, then the
    lines and places it came from, then the end of the rest.
    """
    text = text.strip("\n")
    if len(text) <= limit:
        return text
    longest = max(_SHORTEST, min(_LONGEST, limit // 2))
    lines = [_short(line, longest) for line in text.split("\n")]
    kept: set[int] = set()
    room = limit - _GAP
    for index in _by_worth(lines):
        # A line that stands alone may cost a mark for what is left out beside it.
        alone = not {index - 1, index + 1} & kept
        price = len(lines[index]) + 1 + (_GAP if alone else 0)
        if price <= room:
            kept.add(index)
            room -= price
    return "\n".join(_with_gaps(lines, kept))


def shares(sizes: Sequence[int], limit: int) -> list[int]:
    """How much of the limit each text gets: what short ones leave goes to long ones."""
    given = [0] * len(sizes)
    left = limit
    order = sorted(range(len(sizes)), key=lambda index: sizes[index])
    for number, index in enumerate(order):
        given[index] = min(sizes[index], left // (len(order) - number))
        left -= given[index]
    return given


def _short(line: str, limit: int) -> str:
    if len(line) <= limit:
        return line
    head, tail = limit * 2 // 3, limit // 4
    return f"{line[:head]} [...] {line[-tail:]}"


def _by_worth(lines: Sequence[str]) -> Iterator[int]:
    """The indexes of all lines, the most telling first."""
    raised = list(_groups(lines))
    yield from (group[0] for group in reversed(raised))
    faults = [i for i, line in enumerate(lines) if _FAULT.match(line)]
    yield from reversed(faults)
    for group in reversed(raised):
        yield from group[1:]
    telling = {*faults, *(index for group in raised for index in group)}
    yield from (i for i in reversed(range(len(lines))) if i not in telling)


def _groups(lines: Sequence[str]) -> Iterator[list[int]]:
    """Neighbouring lines that say what was raised; several where one caused another."""
    group: list[int] = []
    for index, line in enumerate(lines):
        if _ERROR.match(line) or _NATIVE.match(line):
            group.append(index)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _with_gaps(lines: Sequence[str], kept: set[int]) -> Iterator[str]:
    missing = 0
    for index, line in enumerate(lines):
        if index not in kept:
            missing += 1
            continue
        if missing:
            yield f"[{missing} lines left out]"
        missing = 0
        yield line
    if missing:
        yield f"[{missing} lines left out]"

r"""Source text without loss: decoding, line endings, edits and positions.

Bytes become `SourceText` and come back unchanged; models and viewers work on the
`view`, whose lines end in "\n" only, and `restore` gives the file's own line endings
back. A line ends at "\r\n", "\r" or "\n" and nowhere else, as in Python's tokenizer
and in LSP: a form feed or U+2028 is a character like any other.
"""

from __future__ import annotations

import difflib
import io
import tokenize
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bonafix.positions import LineIndex, Position, Unit, lines

__all__ = [
    "LineIndex",
    "Position",
    "Replacement",
    "SourceText",
    "TextError",
    "Unit",
    "apply_edits",
    "decode",
    "encode",
    "lines",
    "minimal_edits",
    "restore",
    "view",
]

Replacement = tuple[int, int, str]
"""Replace the characters `[start, end)` by a string."""

_Block = tuple[int, int, int, int]

_BOM = b"\xef\xbb\xbf"
_PATIENT = 2000  # lines up to which every line may anchor a diff (quadratic beyond)


class TextError(ValueError):
    """Bytes that are no text in their declared encoding, or text outside it."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file's text with its original line endings, and how it was encoded."""

    text: str
    encoding: str = "utf-8"
    bom: bool = False

    @property
    def newline(self) -> str:
        r"""The line ending that most lines have; "\n" where there is none."""
        return _dominant(line[1] for line in _split(self.text))

    @property
    def view(self) -> str:
        r"""The text as a model or a viewer sees it: every line ends in "\n"."""
        return view(self.text)


# ------------------------------------------------------------------- bytes and text


def decode(data: bytes) -> SourceText:
    """Decode as Python would: UTF-8 mark, PEP 263 line, else UTF-8.

    Raises:
        TextError: the bytes are not in that encoding, there is no such encoding, or
            they would not come back the same (a codec with more than one spelling).
    """
    encoding, bom = _declared(data)
    body = data[len(_BOM) :] if bom else data
    try:
        source = SourceText(body.decode(encoding), encoding, bom)
    except (UnicodeError, LookupError) as error:
        raise TextError(f"not valid {encoding} text: {error}") from error
    if encode(source, source.text) != data:
        raise TextError(f"not the canonical {encoding} spelling of its text")
    return source


def encode(source: SourceText, text: str) -> bytes:
    """`text` as the file's bytes; exactly the old bytes where nothing changed.

    A changed coding line is obeyed, since Python will obey it on reading.

    Raises:
        TextError: the encoding has no such character, or a changed coding line
            names no encoding.
    """
    encoding = source.encoding
    if text != source.text and _head(text) != _head(source.text):
        mark = _BOM if source.bom else b""
        head = _head(text).encode("utf-8", "replace")
        encoding, _ = _declared(mark + head)
    try:
        body = text.encode(encoding)
    except (UnicodeError, LookupError) as error:
        raise TextError(f"cannot be written as {encoding}: {error}") from error
    return _BOM + body if source.bom else body


def _declared(data: bytes) -> tuple[str, bool]:
    # bytes.splitlines knows the three line ends of Python source, and only those.
    head = iter(data.splitlines(keepends=True)[:2])
    try:
        name, _ = tokenize.detect_encoding(lambda: next(head, b""))
    except SyntaxError as error:
        raise TextError(f"no usable source encoding: {error.msg}") from error
    bom = data.startswith(_BOM)
    return ("utf-8" if bom else name), bom


def _head(text: str) -> str:
    """The two lines that may declare an encoding."""
    stream = io.StringIO(text, newline="")
    return stream.readline() + stream.readline()


# ------------------------------------------------------------------------ line ends


def view(text: str) -> str:
    r"""The same text with "\n" for every line ending."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def restore(original: SourceText, edited: str) -> str:
    """Give `edited`, a changed view of `original`, the file's line endings back.

    Unchanged lines keep theirs exactly, and so does the last line its presence or
    absence of one; changed lines take that of the line they replace, new lines that
    of the line above (else the dominant one).
    """
    old, new = _split(original.text), _split(view(edited))
    before, after = [line[0] for line in old], [line[0] for line in new]
    if before == after:
        return original.text
    endings = _matched_endings(old, before, after)
    fallback = original.newline
    pieces: list[str] = []
    ending = endings[0] if endings and endings[0] else fallback
    for content, own in zip(after, endings, strict=True):
        ending = _unmerged(own or ending, content, pieces)
        pieces += [content, ending]
    if pieces and not _keeps_final_newline(old, new):
        pieces[-1] = ""
    return "".join(pieces)


def _matched_endings(
    old: Sequence[tuple[str, str]], before: Sequence[str], after: Sequence[str]
) -> list[str]:
    """For each new line the ending of the old one in its place, "" where none is."""
    endings = [""] * len(after)
    for a, b, c, d in _blocks(before, after):
        for i, j in zip(range(a, b), range(c, d), strict=False):
            endings[j] = old[i][1]
    return endings


def _unmerged(ending: str, content: str, pieces: Sequence[str]) -> str:
    r"""Keep an empty line after a lone "\r" from reading as that line's "\r\n"."""
    follows_cr = bool(pieces) and pieces[-1] == "\r"
    return "\r" if follows_cr and not content and ending == "\n" else ending


def _keeps_final_newline(
    old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]
) -> bool:
    if old and old[-1][0] == new[-1][0]:
        return bool(old[-1][1])  # the last line is the old one: nobody meant to
    return bool(new[-1][1])


def _split(text: str) -> list[tuple[str, str]]:
    """Each line as its content and its ending."""
    split = []
    for line in lines(text):
        content = line.rstrip("\r\n")
        split.append((content, line[len(content) :]))
    return split


def _dominant(endings: Iterable[str]) -> str:
    counts = Counter(ending for ending in endings if ending)
    return counts.most_common(1)[0][0] if counts else "\n"


# ---------------------------------------------------------------------------- edits


def apply_edits(text: str, edits: Iterable[Replacement]) -> str:
    """`text` with the edits made, all of them measured in the text as given.

    Insertions at one place stay in the order given.

    Raises:
        ValueError: two edits overlap, or one lies outside the text.
    """
    pieces: list[str] = []
    at = 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        if not 0 <= start <= end <= len(text):
            raise ValueError(f"edit [{start}, {end}) lies outside the text")
        if start < at:
            raise ValueError(f"edit [{start}, {end}) overlaps one before it")
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


def minimal_edits(before: str, after: str) -> tuple[Replacement, ...]:
    r"""Small replacements that turn `before` into `after`, first to last.

    Whole lines are compared first; within changed lines the common start and end
    are left alone. A "\r\n" is never split.
    """
    old, new = lines(before), lines(after)
    starts = [0, *accumulate(map(len, old))]
    edits: list[Replacement] = []
    for a, b, c, d in _blocks(old, new):
        if old[a:b] != new[c:d]:
            edits += _line_edits(starts[a], old[a:b], new[c:d])
    return tuple(edits)


def _line_edits(at: int, old: list[str], new: list[str]) -> Iterable[Replacement]:
    if len(old) != len(new):
        old, new = ["".join(old)], ["".join(new)]
    for was, now in zip(old, new, strict=True):
        if was != now:
            yield _trimmed(at, was, now)
        at += len(was)


def _trimmed(at: int, was: str, now: str) -> Replacement:
    head = _common(was, now)
    tail = _common(was[head:][::-1], now[head:][::-1])
    if any(text[head - 1 : head + 1] == "\r\n" for text in (was, now) if head):
        head -= 1
    if any(text[len(text) - tail - 1 :][:2] == "\r\n" for text in (was, now)):
        tail -= 1
    return at + head, at + len(was) - tail, now[head : len(now) - tail]


def _common(a: str, b: str) -> int:
    """The length of the common prefix."""
    shorter = min(len(a), len(b))
    return next((i for i in range(shorter) if a[i] != b[i]), shorter)


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[_Block]:
    """Corresponding ranges `(old start, old end, new start, new end)`, in order."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    junk = len(middle_old) + len(middle_new) > _PATIENT
    matcher = difflib.SequenceMatcher(None, middle_old, middle_new, autojunk=junk)
    blocks = [(0, head, 0, head)]
    for _, a, b, c, d in matcher.get_opcodes():
        blocks.append((head + a, head + b, head + c, head + d))
    blocks.append((len(old) - tail, len(old), len(new) - tail, len(new)))
    return blocks

"""The text of a diff in, its parts for one file each out: the only user of unidiff.

unidiff reads the hunks. What git writes around them is read here, and hidden from
unidiff, which knows neither quoted names nor every header. No line of a hunk starts
with a letter, so that hiding needs no look at where hunks begin and end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bonafix.diffs.hunks import Hunk
from bonafix.diffs.names import NULL, has_prefix, read_bare, read_name, read_pair
from bonafix.errors import UsageError

if TYPE_CHECKING:
    import unidiff.patch

_EXTENDED = re.compile(
    r"(old mode|new mode|deleted file mode|new file mode|copy from|copy to"
    r"|rename from|rename to|rename old|rename new|similarity index"
    r"|dissimilarity index|index|GIT binary patch|Binary files)(?: (.*)|)\n"
)
_BINARY = re.compile(
    r"(?:Binary files|Files) (\S.*) and (\S.*) differ\n"
    r"|Binary file (\S.*) has changed\n"
)
_COMBINED = re.compile(r"diff --(?:cc|combined) |@@@")
_NOT_A_HUNK = re.compile(r"@@ (?!-\d+(?:,\d+)? \+\d+(?:,\d+)? @@)")
_EPOCH = re.compile(r"\t(?:1970-01-01|1969-12-31) ")
# Not only the files' lines but the diff's own end in CR LF: its way here did that.
_MANGLED = re.compile(
    r"^(?:diff --git .*|--- .*\r\n\+\+\+ .*\r\n@@ .*)\r\n", re.MULTILINE
)
_HIDDEN = "#\n"
# A diff that was pasted through something that strips it loses blank context lines.
_STRIPPED_TAIL = ["\n"] * 3


class PatchError(UsageError):
    """A patch that cannot be read or applied; `line` is 1-based in its text."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        where = f"patch, line {line}: " if line else "patch: "
        super().__init__(where + reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What a diff says about one file.

    `old` and `new` are names as written, without quotes; `None` is `/dev/null`.
    `level` is the number of leading folders that are prefix; `fields` holds git's
    extended header lines.
    """

    line: int
    old: str | None
    new: str | None
    level: int
    hunks: tuple[Hunk, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def binary(self) -> bool:
        """Whether its content is not given as text."""
        return bool({"GIT binary patch", "Binary files"} & self.fields.keys())


@dataclass(frozen=True, slots=True)
class _Head:
    start: int  # 0-based, of its first line
    end: int  # of the line after its last
    pair: tuple[str, str] | None
    fields: Mapping[str, str]


def read_sections(diff: bytes) -> tuple[Section, ...]:
    """Cut a diff into its sections; text before, between and after is no matter.

    Raises:
        PatchError: it is empty, or a part of it is ill-formed.
    """
    if not diff.strip():
        raise PatchError("it is empty")
    lines = _lines(diff)
    heads = tuple(_heads(lines))
    sections = [*_texts(lines, heads)]
    taken = {section.line for section in sections}
    sections += [s for head in heads if (s := _bare(head)) and s.line not in taken]
    if not sections:
        raise PatchError("no unified diff was found in it")
    return tuple(sorted(sections, key=lambda section: section.line))


def _lines(diff: bytes) -> list[str]:
    """Its lines, as Latin-1: one character a byte, so that nothing is lost."""
    if diff.startswith((b"\xff\xfe", b"\xfe\xff")):  # a Windows shell's `>`
        diff = diff.decode("utf-16", "surrogatepass").encode("utf-8", "surrogatepass")
    text = diff.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    lines = [line + "\n" for line in text.split("\n")]
    if lines[-1] == "\n":
        lines.pop()
    if _MANGLED.search(text):
        lines = [re.sub(r"\r?\n\Z", "\n", line) for line in lines]
    return lines


def _heads(lines: Sequence[str]) -> Iterator[_Head]:
    """What git writes before the hunks, and what `diff` says of binary files."""
    at = 0
    while at < len(lines):
        start, line = at, lines[at]
        at += 1
        if _COMBINED.match(line):
            raise PatchError("the combined diff of a merge cannot be applied", at)
        if _NOT_A_HUNK.match(line):
            raise PatchError(f"no line numbers in {line.strip()!r}", at)
        if line.startswith("diff --git "):
            fields: dict[str, str] = {}
            while at < len(lines) and (found := _EXTENDED.fullmatch(lines[at])):
                fields[found[1]] = found[2] or ""
                at += 1
            yield _Head(start, at, read_pair(line[len("diff --git ") :]), fields)
        elif found := _BINARY.fullmatch(line):
            pair = read_name(found[1] or found[3]), read_name(found[2] or found[3])
            yield _Head(start, at, pair, {"Binary files": ""})


def _texts(lines: Sequence[str], heads: Sequence[_Head]) -> Iterator[Section]:
    """The sections that have a `---` and a `+++` line."""
    by_end = {head.end: head for head in heads}
    for file in _unidiff(lines, heads):
        at = (file.diff_line_no or 0) - 2  # 0-based, of its `---` line
        if at < 0 or not lines[at].startswith("--- "):
            raise PatchError("a file's header lacks its --- line", at + 2)
        hunks = tuple(_hunk(hunk) for hunk in file)
        if head := by_end.get(at):
            yield _joined(head, _name(lines[at]), _name(lines[at + 1]), hunks)
        else:
            yield _plain(at, lines, hunks)


def _unidiff(lines: Sequence[str], heads: Sequence[_Head]) -> unidiff.patch.PatchSet:
    import unidiff.errors  # noqa: PLC0415 - front ends start without it
    import unidiff.patch  # noqa: PLC0415

    hidden = {at for head in heads for at in range(head.start, head.end)}
    reached = 0

    def feed() -> Iterator[str]:
        nonlocal reached
        for at, line in enumerate(lines):
            reached = at + 1
            if line.startswith("\\ "):  # the marker, in whatever language
                yield "\\ No newline at end of file\n"
            else:
                yield _HIDDEN if at in hidden else line
        reached += 1
        yield from _STRIPPED_TAIL

    try:
        return unidiff.patch.PatchSet(feed())
    except unidiff.errors.UnidiffParseError as error:
        if reached > len(lines):
            reason = "the last hunk is shorter than its header says"
            raise PatchError(reason, len(lines)) from error
        reason = str(error).partition(":")[0].lower()
        found = lines[reached - 1].rstrip()
        raise PatchError(f"{reason}, found {found!r}", reached) from error


def _hunk(hunk: unidiff.patch.Hunk) -> Hunk:
    lines: list[tuple[bytes, bytes]] = []
    for line in hunk:
        if line.line_type == "\\":
            mark, last = lines.pop()
            lines.append((mark, last.removesuffix(b"\n")))
        elif line.line_type in {" ", "-", "+"}:
            lines.append((line.line_type.encode(), line.value.encode("latin-1")))
    # An empty range names the line before it, any other its own first line.
    index = hunk.source_start - 1 if hunk.source_length else hunk.source_start
    return Hunk(max(index, 0), tuple(lines), str(hunk).partition("\n")[0].strip())


def _name(line: str) -> str | None:
    name = read_name(line[4:])
    return None if name == NULL else name


def _joined(
    head: _Head, old: str | None, new: str | None, hunks: tuple[Hunk, ...]
) -> Section:
    """A section of git's, with hunks."""
    line, fields = head.start + 1, head.fields
    if moved := _moved(fields):
        for name, bare in zip((old, new), moved, strict=True):
            if name is not None and not name.endswith(bare):
                raise PatchError(f"it names both {name!r} and {bare!r}", line)
        old, new = moved
        level = 0
    else:
        pair = head.pair if None in {old, new} and head.pair else (old, new)
        level = int(has_prefix(*pair))
    return Section(
        line=line,
        old=None if "new file mode" in fields else old,
        new=None if "deleted file mode" in fields else new,
        level=level,
        hunks=hunks,
        fields=fields,
    )


def _bare(head: _Head) -> Section | None:
    """A section of git's without hunks: a rename, a mode, an empty or binary file."""
    if not head.fields.keys() - {"index"}:
        return None
    names = _moved(head.fields) or head.pair
    if names is None:
        raise PatchError("its two file names cannot be told apart", head.start + 1)
    old, new = (None if name == NULL else name for name in names)
    return _joined(head, old, new, ())


def _moved(fields: Mapping[str, str]) -> tuple[str, str] | None:
    for verb in ("rename", "copy"):
        if f"{verb} from" in fields and f"{verb} to" in fields:
            names = fields[f"{verb} from"], fields[f"{verb} to"]
            return read_bare(names[0]), read_bare(names[1])
    return None


def _plain(at: int, lines: Sequence[str], hunks: tuple[Hunk, ...]) -> Section:
    """A section without git's header; an epoch's time stamp stands for no file."""
    old, new = _name(lines[at]), _name(lines[at + 1])
    if not hunks:
        raise PatchError(f"no hunk follows for {new or old}", at + 1)
    level = int(has_prefix(old, new))
    if _EPOCH.search(lines[at]) and not any(hunk.before for hunk in hunks):
        old = None
    if _EPOCH.search(lines[at + 1]) and not any(hunk.after for hunk in hunks):
        new = None
    return Section(line=at + 1, old=old, new=new, level=level, hunks=hunks)

"""An in-memory snapshot that the model reads and edits; pure, no files are touched.

A bench is a value: an edit gives a new one. Text has plain newlines; the caller gives
files their own line endings back. What is not on the bench does not exist for the
model, and what `layout.refusal` refuses is read-only.
"""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from bonafix.domain import Layout
from bonafix.layout import refusal

VIEW_LIMIT = 24_000
"""Characters of one view; the tool's definition tells the model the same number."""
_LISTED = 250
_SNIPPET = 4
_PLACES = 8


class BenchError(Exception):
    """A call that cannot be done as asked; the message is for the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Files by path, as they were and as they are; nothing sealed is among them."""

    original: Mapping[str, str]
    files: Mapping[str, str]
    layout: Layout

    @classmethod
    def of(cls, files: Mapping[str, str], layout: Layout) -> Bench:
        """A bench on which nothing has been changed yet."""
        return cls(original=dict(files), files=dict(files), layout=layout)

    @property
    def changed(self) -> dict[str, str]:
        """Path to new text, of the files that differ from how they were."""
        return {
            path: text
            for path, text in sorted(self.files.items())
            if self.original.get(path) != text
        }


# ------------------------------------------------------------------------ commands


def view(bench: Bench, path: str, lines: Sequence[int] | None = None) -> str:
    """A file with line numbers, or what lies below a folder.

    `lines` is a first and a last line, 1-based, -1 for the end.
    """
    name = clean(path)
    if name not in bench.files:
        return _folder(bench, name)
    numbered = bench.files[name].split("\n")
    if numbered[-1] == "":
        numbered.pop()
    first, last = _range(lines, len(numbered))
    return _numbered(numbered, first, last)


def str_replace(bench: Bench, path: str, old: str, new: str) -> tuple[Bench, str]:
    """Replace the one place where `old` stands."""
    name, text = _editable(bench, path)
    if not old:
        raise BenchError("old_str is empty. Use insert, or give the text to replace.")
    count = text.count(old)
    if count == 0:
        raise BenchError(_no_match(name, text, old))
    if count > 1:
        places = ", ".join(map(str, _lines_of(text, old)[:_PLACES]))
        raise BenchError(
            f"old_str stands {count} times in {name}, at lines {places}. Give more "
            "lines around it, so that it is found once."
        )
    start = text.index(old)
    return _edited(bench, name, text.replace(old, new), _line_at(text, start), new)


def insert(bench: Bench, path: str, line: int, new: str) -> tuple[Bench, str]:
    """Put whole lines after line `line`; 0 is before the first."""
    name, text = _editable(bench, path)
    lines = text.split("\n") if text else []
    ends = bool(lines) and lines[-1] == ""
    if ends:
        lines.pop()
    if not 0 <= line <= len(lines):
        raise BenchError(f"insert_line must be from 0 to {len(lines)} in {name}.")
    added = new.removesuffix("\n")
    merged = [*lines[:line], *added.split("\n"), *lines[line:]]
    result = "\n".join(merged) + ("\n" if ends or not lines else "")
    return _edited(bench, name, result, line + 1, added)


def create(bench: Bench, path: str, text: str) -> tuple[Bench, str]:
    """Make a new file, where the project lets a fix do that."""
    name = clean(path)
    if name in bench.files:
        raise BenchError(f"{name} exists. Use str_replace or insert to change it.")
    if reason := refusal(bench.layout, name, new=True):
        raise BenchError(f"{name} cannot be created: {reason}.")
    body = text if text.endswith("\n") or not text else text + "\n"
    return _edited(bench, name, body, 1, body)


def writable(bench: Bench, path: str) -> bool:
    """Whether a fix may change the file."""
    return refusal(bench.layout, path, new=path not in bench.original) is None


# ------------------------------------------------------------------------ internals


def clean(path: str) -> str:
    """The path as the bench knows it: relative, POSIX, no `.` and no `a/..` in it.

    A `..` that leads out of the project stays: there is no such file.
    """
    plain = posixpath.normpath(path.strip().lstrip("/") or ".")
    return "" if plain == "." else plain


def _editable(bench: Bench, path: str) -> tuple[str, str]:
    name = clean(path)
    if name not in bench.files:
        raise BenchError(_missing(bench, name))
    if reason := refusal(bench.layout, name, new=name not in bench.original):
        raise BenchError(f"{name} is read-only: {reason}. Fix product code instead.")
    return name, bench.files[name]


def _missing(bench: Bench, name: str) -> str:
    last = PurePosixPath(name).name
    same = [path for path in sorted(bench.files) if PurePosixPath(path).name == last]
    hint = f" Did you mean {', '.join(same[:3])}?" if same else ""
    return f"There is no file {name}. Paths are relative to the project's root.{hint}"


def _folder(bench: Bench, name: str) -> str:
    inside = [path for path in sorted(bench.files) if lies_below(path, name)]
    if not inside:
        raise BenchError(_missing(bench, name))
    if len(inside) > _LISTED:
        return _collapsed(inside, name)
    return "\n".join(inside)


def _collapsed(inside: Sequence[str], name: str) -> str:
    """The folder's own files, and its folders with a count."""
    depth = len(PurePosixPath(name).parts)
    counts: dict[str, int] = {}
    own: list[str] = []
    for path in inside:
        parts = PurePosixPath(path).parts
        if len(parts) == depth + 1:
            own.append(path)
        else:
            folder = "/".join(parts[: depth + 1]) + "/"
            counts[folder] = counts.get(folder, 0) + 1
    folders = [f"{folder} ({count} files)" for folder, count in counts.items()]
    listed = [*folders, *own]
    rest = len(listed) - _LISTED
    tail = [f"[{rest} more files]"] if rest > 0 else []
    return "\n".join([*listed[:_LISTED], *tail])


def lies_below(path: str, folder: str) -> bool:
    """Whether the path is the folder or in it; all are in the folder without a name."""
    return not folder or path == folder or path.startswith(folder + "/")


def _range(lines: Sequence[int] | None, count: int) -> tuple[int, int]:
    if lines is None:
        return 1, count
    if len(lines) != 2:  # noqa: PLR2004 - a first and a last line
        raise BenchError("view_range is a list of two line numbers.")
    first, last = lines[0], count if lines[1] == -1 else min(lines[1], count)
    if not 1 <= first <= max(last, 1) or first > max(count, 1):
        raise BenchError(f"view_range must lie within 1 to {count}.")
    return first, last


def _numbered(lines: Sequence[str], first: int, last: int) -> str:
    shown: list[str] = []
    size = 0
    for number in range(first, last + 1):
        line = f"{number:>6}\t{lines[number - 1]}"
        size += len(line) + 1
        if size > VIEW_LIMIT and shown:
            shown.append(f"[cut: lines {number} to {last} follow; use view_range]")
            break
        shown.append(line[:VIEW_LIMIT])
    return "\n".join(shown) if shown else "[the file is empty]"


def _edited(
    bench: Bench, name: str, text: str, line: int, new: str
) -> tuple[Bench, str]:
    """The new bench, and what the model sees of its edit."""
    changed = replace(bench, files={**bench.files, name: text})
    lines = text.removesuffix("\n").split("\n")
    first = max(1, line - _SNIPPET)
    last = min(len(lines), line + new.count("\n") + _SNIPPET)
    snippet = _numbered(lines, first, last)
    return changed, f"{name} now reads:\n{snippet}{_syntax_note(name, text)}"


def _syntax_note(name: str, text: str) -> str:
    """A hint only: the project's Python may know syntax that ours does not."""
    if not name.endswith(".py"):
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        return f"\nNote: {name} does not parse now: {error}"
    return ""


def _no_match(name: str, text: str, old: str) -> str:
    """Why `old` was not found, with the place that is nearest to it."""
    for label, squeeze in (("indentation", str.strip), ("white space", _squeezed)):
        wanted = [squeeze(line) for line in old.strip("\n").split("\n")]
        have = [squeeze(line) for line in text.split("\n")]
        for at in range(len(have) - len(wanted) + 1):
            if have[at : at + len(wanted)] == wanted:
                return (
                    f"old_str does not stand in {name} as given; the text from line "
                    f"{at + 1} differs only in {label}. View it and copy it exactly."
                )
    return f"old_str does not stand in {name}. View the file and copy the text exactly."


def _squeezed(line: str) -> str:
    return " ".join(line.split())


def _lines_of(text: str, old: str) -> list[int]:
    return [_line_at(text, match.start()) for match in _finds(text, old)]


def _finds(text: str, old: str) -> Iterable[re.Match[str]]:
    return re.finditer(re.escape(old), text)


def _line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1

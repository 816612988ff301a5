r"""A patch in, git's unified diff out, byte for byte what `git apply` needs; pure."""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Iterator, Sequence

from bonafix.diffs.hunks import Hunk, difference
from bonafix.diffs.names import write_name
from bonafix.domain import Change, Patch

_NO_NEWLINE = b"\n\\ No newline at end of file\n"


def render(patch: Patch) -> bytes:
    """Write `patch` as git would; `parse` reads the same patch back.

    Kinds that a fix never has are written as far as a `Change` knows them: a mode
    change as one that makes executable, a binary one without its content.
    """
    movings, rest = _paired(patch.changes)
    parts = [(new.path, _move(old, new)) for old, new in movings]
    parts += [(change.path, b"".join(_sections(change))) for change in rest]
    return b"".join(text for _, text in sorted(parts))


def _paired(
    changes: Sequence[Change],
) -> tuple[list[tuple[Change, Change]], list[Change]]:
    """The two halves of each rename together, and all other changes.

    Which halves belong together is not recorded, and any pairs give the same files:
    the likeliest are equal in content, else in name.
    """
    halves = [change for change in changes if change.kind == "rename"]
    gone = [change for change in halves if change.after is None]
    come = [change for change in halves if change.before is None]
    pairs = []
    for old in gone[: len(come)]:
        new = max(come, key=functools.partial(_likeness, old))
        come.remove(new)
        pairs.append((old, new))
    paired = {change.path for pair in pairs for change in pair}
    return pairs, [change for change in changes if change.path not in paired]


def _likeness(old: Change, new: Change) -> tuple[bool, bool]:
    base = posixpath.basename
    return old.before == new.after, base(old.path) == base(new.path)


def _move(old: Change, new: Change) -> bytes:
    return b"".join(
        (
            _git_line(old.path, new.path),
            b"rename from " + write_name(old.path) + b"\n",
            b"rename to " + write_name(new.path) + b"\n",
            _text(old.path, new.path, old.before or b"", new.after or b""),
        )
    )


def _sections(change: Change) -> Iterator[bytes]:
    """One section, or two where a link is replaced."""
    path, before, after = change.path, change.before, change.after
    if change.kind == "binary":
        yield _head(change, b"100644") + _binary_line(change)
    elif change.kind == "symlink":
        for was, now in ((before, None), (None, after)):
            if was is not now:
                half = Change(path, was, now, "symlink")
                yield _head(half, b"120000") + _body(half)
    elif change.kind == "mode" or before != after:
        mode = b"100755" if change.kind == "mode" and before is None else b"100644"
        yield _head(change, mode) + _body(change)


def _head(change: Change, mode: bytes) -> bytes:
    head = _git_line(change.path, change.path)
    if change.before is None:
        return head + b"new file mode " + mode + b"\n"
    if change.after is None:
        return head + b"deleted file mode " + mode + b"\n"
    if change.kind == "mode":
        return head + b"old mode 100644\nnew mode 100755\n"
    return head


def _body(change: Change) -> bytes:
    old = None if change.before is None else change.path
    new = None if change.after is None else change.path
    return _text(old, new, change.before or b"", change.after or b"")


def _text(old: str | None, new: str | None, before: bytes, after: bytes) -> bytes:
    hunks = difference(before, after)
    if not hunks:
        return b""
    names = _name_line(b"---", b"a/", old) + _name_line(b"+++", b"b/", new)
    return names + b"".join(_hunk(hunk) for hunk in hunks)


def _hunk(hunk: Hunk) -> bytes:
    lines = [mark + line for mark, line in hunk.lines]
    ended = (line if line.endswith(b"\n") else line + _NO_NEWLINE for line in lines)
    return hunk.header.encode() + b"\n" + b"".join(ended)


def _git_line(old: str, new: str) -> bytes:
    return b"diff --git " + _prefixed(b"a/", old) + b" " + _prefixed(b"b/", new) + b"\n"


def _name_line(mark: bytes, prefix: bytes, path: str | None) -> bytes:
    if path is None:
        return mark + b" /dev/null\n"
    name = _prefixed(prefix, path)
    # Readers take what follows a space for a time stamp, unless a tab says where.
    stop = b"\t" if b" " in name and not name.startswith(b'"') else b""
    return mark + b" " + name + stop + b"\n"


def _prefixed(prefix: bytes, path: str) -> bytes:
    name = write_name(path)
    quoted = name.startswith(b'"')
    return b'"' + prefix + name[1:] if quoted else prefix + name


def _binary_line(change: Change) -> bytes:
    names = (
        b"/dev/null" if content is None else _prefixed(prefix, change.path)
        for prefix, content in ((b"a/", change.before), (b"b/", change.after))
    )
    return b"Binary files " + b" and ".join(names) + b" differ\n"

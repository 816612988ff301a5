"""A diff and the files that it was made for in, a patch out; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bonafix.diffs.hunks import Hunk, MisfitError, apply
from bonafix.diffs.names import stripped
from bonafix.diffs.sections import PatchError, Section, read_sections
from bonafix.domain import Change, ChangeKind, Patch

Read = Callable[[str], bytes | None]

_LINK_MODES = ("120000", "160000")  # a symbolic link; a submodule points away too
_GRAVEST: tuple[ChangeKind, ...] = ("symlink", "binary", "mode", "rename")


@dataclass(slots=True)
class _Tree:
    """The files as they were and as they are after the sections so far."""

    read: Read
    before: dict[str, bytes | None] = field(default_factory=dict)
    after: dict[str, bytes | None] = field(default_factory=dict)
    kinds: dict[str, set[ChangeKind]] = field(default_factory=dict)

    def get(self, path: str) -> bytes | None:
        if path not in self.after:
            content = None if outside(path) else self.read(path)
            self.before[path] = self.after[path] = content
        return self.after[path]

    def put(self, path: str, content: bytes | None, *kinds: ChangeKind) -> None:
        self.get(path)
        self.after[path] = content
        self.kinds.setdefault(path, set()).update(kinds)


def parse(diff: bytes, read: Read) -> Patch:
    """Apply any unified diff to the files that `read` gives (`None`: no such file).

    Git's and plain diffs, with the prefixes a/ and b/, others, or none; names may
    start one folder above or below where the files lie. A hunk may have moved if its
    lines are in one other place only, and line ends that were mangled on the diff's
    way give in to the file's own. Text around the diff does not matter.

    A path that leaves the tree is kept as it is written, for the gate to refuse,
    and never read: its content is what the hunks show of it. A binary file's new
    content is not decoded: kind `binary`, `after=b""`.

    Raises:
        PatchError: nothing in it, ill-formed, or a hunk does not apply.
    """
    sections = read_sections(diff)
    tree = _Tree(read)
    extra = _extra_level(sections, tree)
    for section in sections:
        _play(section, tree, extra)
    patch = _patch(tree)
    if not patch.changes:
        raise PatchError("it changes nothing")
    return patch


def outside(path: str) -> bool:
    """Whether a normalised path leaves the tree."""
    return path.startswith(("/", "../")) or path == ".."


def _patch(tree: _Tree) -> Patch:
    changes = []
    for path in sorted(tree.after):
        before, after = tree.before[path], tree.after[path]
        kinds = tree.kinds.get(path, set())
        if before != after or (kinds - {"rename"} and before is not None):
            changes.append(Change(path, before, after, _kind(before, after, kinds)))
    return Patch(tuple(changes))


def _kind(
    before: bytes | None, after: bytes | None, kinds: set[ChangeKind]
) -> ChangeKind:
    for kind in _GRAVEST:
        if kind in kinds:
            return kind
    if before is None:
        return "add"
    return "delete" if after is None else "modify"


# ------------------------------------------------------------------ which file


def _extra_level(sections: Sequence[Section], tree: _Tree) -> int:
    """How many folders more than its prefix the files at hand say to strip."""
    extras = set()
    for section in sections:
        for level in _levels(section.level):
            path = stripped(section.old, level) if section.old else None
            if path and tree.get(path) is not None:
                extras.add(level - section.level)
                break
    return extras.pop() if len(extras) == 1 else 0


def _levels(level: int) -> tuple[int, ...]:
    """The likeliest first: as written, one folder above the root, no prefix."""
    return tuple(dict.fromkeys((level, level + 1, 0)))


def _standing(name: str, section: Section, tree: _Tree) -> str:
    """The file that a name means; as it is written where none exists."""
    options = [stripped(name, level) for level in _levels(section.level)]
    first = _checked(name, section)
    if not outside(first):
        for option in options:
            if option and not outside(option) and tree.get(option) is not None:
                return option
    return first


def _coming(name: str, section: Section, extra: int) -> str:
    """The path of a file that does not exist yet."""
    first = _checked(name, section)
    likely = stripped(name, section.level + extra)
    return first if outside(first) or not likely or outside(likely) else likely


def _checked(name: str, section: Section) -> str:
    path = stripped(name, section.level)
    if "\0" in name or path is None or path == ".":
        raise PatchError(f"{name!r} is no file's name", section.line)
    return path


# ------------------------------------------------------------- what happens to it


def _play(section: Section, tree: _Tree, extra: int) -> None:
    """Do to `tree` what the section says."""
    old, new = section.old, section.new
    if old is None:
        if new is None:
            raise PatchError("it names no file", section.line)
        _add(section, _coming(new, section, extra), tree)
    elif new is None:
        _delete(section, _standing(old, section, tree), tree)
    elif {"rename from", "copy from"} & section.fields.keys():
        source = _standing(old, section, tree)
        _move(section, source, _coming(new, section, extra), tree)
    else:
        _modify(section, _named_twice(section, old, new, tree), tree)


def _named_twice(section: Section, old: str, new: str, tree: _Tree) -> str:
    """Of two names for one file (`x.py.orig`, `x.py`) the one that is meant."""
    was, now = _standing(old, section, tree), _standing(new, section, tree)
    if was != now and section.fields:
        raise PatchError(f"it names both {was!r} and {now!r}", section.line)
    return was if tree.get(now) is None and tree.get(was) is not None else now


def _add(section: Section, path: str, tree: _Tree) -> None:
    if tree.get(path):
        raise PatchError(f"{path} is to be added, but exists already", section.line)
    content = _applied(section, path, b"")
    tree.put(path, content, *_special(section))


def _delete(section: Section, path: str, tree: _Tree) -> None:
    content = _content(section, path, tree)
    left = _applied(section, path, content) if section.hunks else b""
    if left:
        raise PatchError(
            f"{path} is to be deleted, but the diff does not remove all of it",
            section.line,
        )
    tree.put(path, None, *_special(section))


def _move(section: Section, old: str, new: str, tree: _Tree) -> None:
    content = _content(section, old, tree)
    if tree.get(new) is not None:
        raise PatchError(f"{new} exists already", section.line)
    result = _applied(section, new, content)
    tree.put(new, result, *_special(section))
    if "rename from" in section.fields:
        tree.put(new, result, "rename")
        tree.put(old, None, "rename")


def _modify(section: Section, path: str, tree: _Tree) -> None:
    content = _content(section, path, tree)
    tree.put(path, _applied(section, path, content), *_special(section))


def _content(section: Section, path: str, tree: _Tree) -> bytes:
    """What the file holds, or what the diff shows of one outside the tree."""
    content = tree.get(path)
    if content is None and outside(path):
        content = b"".join(line for hunk in section.hunks for line in hunk.before)
        tree.before[path] = content
    if content is None:
        raise PatchError(f"{path} does not exist", section.line)
    return content


def _special(section: Section) -> tuple[ChangeKind, ...]:
    """What is more than a change of text."""
    fields = section.fields
    modes = [fields[key] for key in fields if key.endswith("mode")]
    modes += fields.get("index", "").split(" ")[1:]
    kinds: list[ChangeKind] = []
    if section.binary:
        kinds.append("binary")
    if any(mode in _LINK_MODES for mode in modes):
        kinds.append("symlink")
    elif "new mode" in fields or fields.get("new file mode", "").endswith("755"):
        kinds.append("mode")
    return tuple(kinds)


def _applied(section: Section, path: str, content: bytes) -> bytes:
    if section.binary:
        return b""
    if outside(path):
        return b"".join(line for hunk in section.hunks for line in hunk.after)
    try:
        return apply(content, section.hunks)
    except MisfitError as error:
        hunks = section.hunks
        header = _header(hunks[error.number - 1])
        raise PatchError(
            f"{path}: hunk {error.number} of {len(hunks)}{header} does not apply: "
            f"{error}",
            section.line,
        ) from error


def _header(hunk: Hunk) -> str:
    return f" ({hunk.header})" if hunk.header else ""

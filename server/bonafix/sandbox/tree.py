"""A working tree in; an immutable copy of what its tests need, and a digest, out.

And what has changed in the tree since.
"""

# a call of pathlib per file would double the time that 50,000 files take
# ruff: noqa: PTH101, PTH102, PTH110, PTH115, PTH117, PTH118, PTH120, PTH211

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from bonafix.domain import Snapshot
from bonafix.errors import SandboxError
from bonafix.sandbox import files, overlay, selection

_SOURCE_BYTES = 1 << 20
_ALL_SOURCES_BYTES = 64 << 20
_NOTHING: Mapping[str, bytes] = MappingProxyType({})

Found = dict[str, bytes | None]


def take(
    root: Path,
    into: Path,
    *,
    buffers: Mapping[str, bytes] = _NOTHING,
    carry: Sequence[str] = (),
) -> Snapshot:
    """Copy the working tree at `root` to `into`, and lay `buffers` over it.

    Left out: version control, caches, virtual environments, `node_modules`, `.env*`
    and whatever this user cannot read (their tests cannot, either); `carry` globs
    bring back all but version control. `root` is only read.

    Raises:
        SandboxError: `into` cannot be written, or a buffer lies outside the tree.
    """
    job = _Job(root=_real_root(root), into=into, carry=tuple(carry))
    for _ in job.steps(buffers):
        pass
    return job.snapshot()


async def take_async(
    root: Path,
    into: Path,
    *,
    buffers: Mapping[str, bytes] = _NOTHING,
    carry: Sequence[str] = (),
) -> Snapshot:
    """`take`, in slices of some milliseconds, so that a server stays responsive."""
    job = _Job(root=_real_root(root), into=into, carry=tuple(carry))
    await files.in_slices(job.steps(buffers))
    return job.snapshot()


async def changed_since(
    snapshot: Snapshot,
    *,
    buffers: Mapping[str, bytes] = _NOTHING,
    carry: Sequence[str] = (),
) -> Mapping[str, bytes | None]:
    """What has changed in the working tree since it was copied, as contents.

    `None` stands for what is gone, or is no file to be read. With `buffers` over both.
    """
    job = _Job(root=snapshot.root, into=snapshot.lower, carry=tuple(carry))
    found: Found = {}
    await files.in_slices(job.differing(snapshot, found))
    for path, contents in {**found, **buffers}.items():
        copied = path in snapshot.files
        known = _contents(os.path.join(snapshot.lower, path)) if copied else None
        found[path] = contents
        if contents == known and (contents is not None or not copied):
            del found[path]
    return found


def _contents(path: str) -> bytes | None:
    try:
        # a pipe must not be waited on, and a link is none of ours to follow
        reader = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(reader, "rb") as file:
            ordinary = stat.S_ISREG(os.fstat(reader).st_mode)
            return file.read() if ordinary else None
    except OSError:
        return None


def _real_root(root: Path) -> Path:
    real = Path(os.path.realpath(root))
    if not real.is_dir():
        raise SandboxError(f"{root} is not a folder: name the project's root.")
    return real


@dataclass(slots=True, kw_only=True)
class _Job:
    """One copy while it is being made."""

    root: Path
    into: Path
    carry: tuple[str, ...]
    hashes: dict[str, bytes] = field(default_factory=dict)
    sources: dict[str, bytes] = field(default_factory=dict)
    source_bytes: int = 0

    def steps(self, buffers: Mapping[str, bytes]) -> Iterator[None]:
        try:
            self.into.mkdir(parents=True, exist_ok=True)
            if any(self.into.iterdir()):
                raise SandboxError(f"{self.into} is not empty: copy to a new folder.")
            yield from self._copy()
            for path, contents in buffers.items():
                self._lay(path, contents)
        except OSError as error:
            raise _unwritable(self.into, error) from error

    def snapshot(self) -> Snapshot:
        digest = hashlib.sha256()
        for path, part in sorted(self.hashes.items()):
            digest.update(os.fsencode(path) + b"\0" + part)
        return Snapshot(
            root=self.root,
            lower=self.into,
            files=frozenset(self.hashes),
            sources=self.sources,
            digest=digest.hexdigest(),
            marks=self.hashes,
        )

    def _copy(self) -> Iterator[None]:
        for path, entry in self._entries():
            yield
            if entry.is_dir(follow_symlinks=False):
                self._make_folder(path, entry)
            else:
                self._copy_entry(path, entry)

    def differing(self, snapshot: Snapshot, found: Found) -> Iterator[None]:
        """Put what is no longer as it was copied into `found`."""
        left = set(snapshot.files)
        for path, entry in self._entries():
            yield
            if not entry.is_dir(follow_symlinks=False):
                left.discard(path)
                if not self._same(path, entry):
                    found[path] = _contents(entry.path)
        found.update(dict.fromkeys(left))

    def _same(self, path: str, entry: os.DirEntry[str]) -> bool:
        """Whether it is what was copied, by what a copy keeps: mode, size and time."""
        place = os.path.join(self.into, path)
        try:
            seen, known = entry.stat(follow_symlinks=False), os.lstat(place)
        except OSError:
            return False
        if stat.S_ISREG(seen.st_mode):
            now = (seen.st_mode & 0o777, seen.st_size, seen.st_mtime_ns)
            return now == (known.st_mode & 0o777, known.st_size, known.st_mtime_ns)
        links = stat.S_ISLNK(seen.st_mode) and stat.S_ISLNK(known.st_mode)
        return links and self._link_text(entry.path) == os.readlink(place)

    def _entries(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """What belongs to the copy, each folder before what is in it."""
        # (folder relative to the root, whether all in it belongs)
        pending = [("", True)]
        own = os.path.realpath(self.into)
        while pending:
            folder, whole = pending.pop()
            source = os.path.join(self.root, folder)
            if source == own:
                continue  # the copy lies in the tree: do not copy it into itself
            for entry in _scan(source):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    inner = self._enters(path, entry, whole=whole)
                    if inner is not None:
                        pending.append((path, inner))
                        yield path, entry
                elif self._belongs(path, entry.name, whole=whole):
                    yield path, entry

    def _enters(
        self, path: str, entry: os.DirEntry[str], *, whole: bool
    ) -> bool | None:
        """Whether to look into a folder, and if so whether all in it belongs."""
        environment = os.path.lexists(f"{entry.path}/pyvenv.cfg")
        if whole and selection.folder_belongs(entry.name, environment=environment):
            return True
        if entry.name in selection.HISTORY:
            return None
        if selection.carried(path, self.carry):
            return True
        return False if selection.may_hold_carried(path, self.carry) else None

    def _belongs(self, path: str, name: str, *, whole: bool) -> bool:
        if name in selection.HISTORY:
            return False  # a worktree's pointer to its repository
        if whole and selection.file_belongs(name):
            return True
        return selection.carried(path, self.carry)

    def _make_folder(self, path: str, entry: os.DirEntry[str]) -> None:
        mode = 0o755
        with contextlib.suppress(FileNotFoundError):  # it went since it was listed
            mode = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode) & 0o777
        os.mkdir(os.path.join(self.into, path))
        # we must be able to write into it ourselves, whatever its owner may do
        os.chmod(os.path.join(self.into, path), mode | 0o700)

    def _copy_entry(self, path: str, entry: os.DirEntry[str]) -> None:
        if entry.is_symlink():
            text = self._link_text(entry.path)
            if text is not None:
                os.symlink(text, os.path.join(self.into, path))
                self.hashes[path] = b"L" + os.fsencode(text)
        elif entry.is_file(follow_symlinks=False):
            target = os.path.join(self.into, path)
            copied = files.copy_file(entry.path, target)
            if copied is not None:
                mode, contents = copied
                checksum = _sum_file(target) if contents is None else _sum(contents)
                executable = bool(mode & stat.S_IXUSR)
                self._note(path, contents, checksum, executable=executable)

    def _link_text(self, link: str) -> str | None:
        """What the copied link says; `None` where it leads nowhere outside."""
        try:
            text = os.readlink(link)
        except OSError:
            return None  # it went since it was listed
        here, root = os.path.dirname(link), str(self.root)
        target = os.path.normpath(os.path.join(here, text))
        if not _within(target, root):
            folder, name = os.path.split(target)
            target = os.path.join(os.path.realpath(folder), name)
        if not _within(target, root):
            return target if os.path.exists(target) else None
        return os.path.relpath(target, here) if os.path.isabs(text) else text

    def _note(
        self, path: str, contents: bytes | None, checksum: bytes, *, executable: bool
    ) -> None:
        self.hashes[path] = (b"X" if executable else b"F") + checksum
        self.source_bytes -= len(self.sources.pop(path, b""))
        if contents is None or len(contents) > _SOURCE_BYTES:
            return
        room = _ALL_SOURCES_BYTES - self.source_bytes
        if selection.worth_reading(path) and len(contents) <= room:
            self.sources[path] = contents
            self.source_bytes += len(contents)

    def _lay(self, path: str, contents: bytes) -> None:
        target = overlay.place(self.into, path)
        overlay.write(target, contents)
        # a buffer over a link changes the file that the link leads to
        path = target.relative_to(os.path.realpath(self.into)).as_posix()
        executable = os.access(target, os.X_OK)
        self._note(path, contents, _sum(contents), executable=executable)


def _within(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _scan(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        if error.errno in files.GONE:
            return []
        raise


def _sum(contents: bytes) -> bytes:
    return hashlib.sha256(contents).digest()


def _sum_file(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _unwritable(place: Path, error: OSError) -> SandboxError:
    what = f"The project cannot be copied to {place}: {error.strerror or error}."
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return SandboxError(f"{what} Free some space, or point TMPDIR elsewhere.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return SandboxError(f"{what} Point TMPDIR to a folder that you may write to.")
    return SandboxError(what)

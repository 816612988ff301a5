"""A candidate's files laid over the tree, and what was there before put back."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import typing

# Every version of a file gets a time of its own, so that no compiled one is stale.
_FIRST_STAMP = 978307200  # 2001, in seconds: no version of anyone's has it
# Whoever is killed leaves what he had there.
_SHARED = "/dev/shm"  # noqa: S108 - looked at where it is a private one
_GROUND_STAMP = _FIRST_STAMP - 1


class OutsideError(ValueError):
    """A path leads out of the tree."""


class _Before(typing.NamedTuple):
    content: bytes
    mode: int
    times: typing.Tuple[int, int]  # access and modification, nanoseconds


def lay_ground(root: str, files: typing.Mapping[str, typing.Optional[bytes]]) -> None:
    """Lay what all candidates have in common: it is never put back."""
    Tree(root, _GROUND_STAMP - 1).lay(files)


class Tree:
    """The copy of the project, with at most one candidate laid over it."""

    def __init__(self, root: str, stamp: int = _FIRST_STAMP) -> None:
        self._root = os.path.realpath(root)
        self._before: typing.Dict[str, typing.Optional[_Before]] = {}
        self._folders: typing.List[str] = []  # made for new files, outermost first
        self._stamp = stamp

    def lay(self, files: typing.Mapping[str, typing.Optional[bytes]]) -> None:
        """Put the last candidate's files back and lay these over; `None` deletes."""
        self._put_back()
        self._stamp += 1
        for path, content in files.items():
            place = self._place(path, follow=content is not None)
            self._before[place] = _read(place)
            if content is not None:
                self._make_parents(place)
                before = self._before[place]
                _write(place, content, before.mode if before else 0o644)
                os.utime(place, (self._stamp, self._stamp))
            elif os.path.lexists(place):
                os.unlink(place)

    def _put_back(self) -> None:
        for place, before in self._before.items():
            if before is not None:
                _write(place, before.content, before.mode)
                os.utime(place, ns=before.times)
            elif os.path.lexists(place):
                os.unlink(place)
        self._before.clear()
        for folder in reversed(self._folders):
            if not os.listdir(folder):  # an empty one would be a package still
                os.rmdir(folder)
        self._folders.clear()

    def _make_parents(self, place: str) -> None:
        missing = []
        folder = os.path.dirname(place)
        while not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for folder in reversed(missing):
            os.mkdir(folder)
            self._folders.append(folder)

    def _place(self, path: str, *, follow: bool) -> str:
        """Where in the tree `path` belongs: links in it are followed."""
        whole = os.path.join(self._root, path)
        folder, name = os.path.split(whole)
        real = os.path.join(os.path.realpath(folder), name)
        if follow:
            real = os.path.realpath(whole)
        if not real.startswith(self._root + os.sep):
            raise OutsideError(path)
        return real


def shared(private: bool) -> typing.Set[str]:  # noqa: FBT001 - a plain fact
    """What there is in memory that programs share, where nobody else's is."""
    there = private and os.path.isdir(_SHARED)
    names = os.listdir(_SHARED) if there else []
    return {os.path.join(_SHARED, name) for name in names}


def put_back(
    gone: typing.Iterable[str],
    back: typing.Iterable[typing.Tuple[str, bytes, int, int]],
) -> None:
    """Take away what a run has made, and write what it changed, as far as that goes.

    `back` is absolute paths, contents, modes, and times in nanoseconds.
    """
    for place in gone:
        # what was in a folder that went before is not there any more
        with contextlib.suppress(OSError):
            if os.path.isdir(place) and not os.path.islink(place):
                shutil.rmtree(place, ignore_errors=True)
            else:
                os.unlink(place)
    for place, content, mode, time in back:
        with contextlib.suppress(OSError):
            _write(place, content, mode)
            os.utime(place, ns=(time, time))


def _read(place: str) -> typing.Optional[_Before]:
    if not os.path.isfile(place):
        return None
    found = os.stat(place)
    with open(place, "rb") as file:
        content = file.read()
    times = (found.st_atime_ns, found.st_mtime_ns)
    return _Before(content, stat.S_IMODE(found.st_mode), times)


def _write(place: str, content: bytes, mode: int) -> None:
    """All of it or nothing, as a fresh file."""
    draft = "{}.{}.draft".format(place, os.getpid())
    with open(draft, "wb") as file:
        file.write(content)
    os.chmod(draft, mode)
    os.replace(draft, place)

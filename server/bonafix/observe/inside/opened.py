"""Which files are opened to be read, by whom, apart from modules, and who starts what.

Of the project's own files it is told which tests opened them; of all others only that
they were opened, or looked for: what a run depends on besides the project.
"""

from __future__ import annotations

import os
import shutil
import sys
import types
import typing

from . import relocate

_MODULES = (".py", ".pyc", ".pyi", ".so")
_MANY = 100  # tests that open one file; more are nobody's secret
_ELSEWHERE = 1000  # files outside the project that are told
# Every run has these for itself, or they are no files at all.
_PRIVATE = ("/proc", "/sys", "/dev", "/tmp", "/var/tmp")  # noqa: S108 - left out
_STARTING = ("subprocess.Popen", "os.posix_spawn", "os.exec")
_FORKING = ("os.fork", "os.forkpty", "os.system")
# Imported by who starts a process in a way that raises no event.
_SPAWNING = ("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver")
_SOURCE = ".py"
# Who opens sources of modules to run them, or to show a line of them.
_USUAL = ("linecache.py", "rewrite.py", "constants_ast.py")
_DEPTH = 8  # frames between who opens a file and who wants it
_getcwd, _join = os.getcwd, os.path.join


class Watch:
    """An audit hook cannot be taken away again, so there is one only on request."""

    def __init__(self) -> None:
        self.active = False
        self.test = ""  # the id of the one that runs
        self.owner = ""  # the same, also while its own fixtures are prepared
        self._seen: typing.Dict[str, typing.Set[str]] = {}
        self._aside: typing.Set[str] = set()  # opened early, or to read the source
        self._started: typing.Set[str] = set()
        self._starters: typing.Set[str] = set()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: typing.Tuple[typing.Any, ...]) -> None:
        if event == "open":
            self._opened(*arguments)
        elif event == "sqlite3.connect":
            self._opened(arguments[0], None, None)
        elif event in _STARTING:
            self._starters.add(self.owner)
            program = arguments[0]
            if self.active and isinstance(program, (str, bytes)):
                self._started.add(os.fsdecode(program))
        elif event in _FORKING:
            self._starters.add(self.owner)

    def _opened(self, path: object, _mode: object, flags: object) -> None:
        if type(path) is bytes:
            path = os.fsdecode(path)
        if type(path) is not str:
            return
        if isinstance(flags, int) and flags & os.O_ACCMODE == os.O_WRONLY:
            return
        if path.endswith(_MODULES):
            if path.endswith(_SOURCE) and not _usual():
                self._aside.add(path)
            return
        try:
            path = path if path[:1] == "/" else _join(_getcwd(), path)
        except OSError:  # the working directory is gone; so is what lay in it
            return
        if not self.active:
            self._aside.add(path)
            return
        openers = self._seen.setdefault(path, set())
        if len(openers) < _MANY:
            openers.add(self.test)

    def files(self, places: relocate.Places) -> typing.Dict[str, typing.List[str]]:
        """Path relative to the copy -> the tests that opened it.

        An empty id stands for what is not in a test, or for more than can be told.
        """
        found: typing.Dict[str, typing.Set[str]] = {}
        for path, openers in self._seen.items():
            real = os.path.realpath(path)
            if places.own(real) and os.path.isfile(real):
                found.setdefault(places.relative(real), set()).update(openers)
        return {path: _told(found[path]) for path in sorted(found)}

    def aside(self, places: relocate.Places) -> typing.List[str]:
        """What of the copy was opened before the session, and sources read as text."""
        real = map(os.path.realpath, self._aside)
        return sorted({places.relative(path) for path in real if places.own(path)})

    def starters(self) -> typing.Set[str]:
        """The tests that started processes; an empty id stands for anything else."""
        spawned = any(name in sys.modules for name in _SPAWNING)
        return self._starters | ({""} if spawned else set())

    def elsewhere(self, places: relocate.Places) -> typing.List[str]:
        """Files outside the copy that were opened or looked for, and programs.

        One empty path stands for more than can be told.
        """
        programs = {shutil.which(name) or name for name in self._started}
        real = {os.path.realpath(path) for path in programs | set(self._seen)}
        own = [places.tree, *_PRIVATE, *map(os.path.realpath, _own_folders())]
        found = [path for path in sorted(real) if not _below(path, own)]
        return found if len(found) <= _ELSEWHERE else [""]


def _usual() -> bool:
    """Whether the source that is opened now is so as that of any module."""
    frame = _opener()
    for _ in range(_DEPTH):
        if frame is None:
            return False
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib") or name.endswith(_USUAL):
            return True
        frame = frame.f_back
    return False


def _opener() -> typing.Optional[types.FrameType]:
    """The frame that our hook interrupted."""
    return sys._getframe(4)  # noqa: SLF001 - there is no public way to a frame


def _own_folders() -> typing.Iterator[str]:
    for name in ("HOME", "TMPDIR"):
        if os.environ.get(name):
            yield os.environ[name]


def _below(path: str, folders: typing.Iterable[str]) -> bool:
    return any(path == one or path.startswith(one + os.sep) for one in folders)


def _told(openers: typing.Set[str]) -> typing.List[str]:
    return sorted(openers) if len(openers) < _MANY else [""]

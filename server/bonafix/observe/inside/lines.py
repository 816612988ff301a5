"""Which of the project's lines run between `start` and `stop`.

And which of its functions run for more tests than one: while tests are collected, in
a fixture that several of them share, while a module is imported. What these have
returned, later tests find there without running them.

`sys.monitoring` where there is one (3.12 and newer): a line costs once per test.
Else a trace function, which follows the project's own files only.
"""

from __future__ import annotations

import collections
import contextlib
import os
import sys
import threading
import types
import typing

from . import bodies, relocate

Lines = typing.Dict[str, typing.Set[int]]
_SHOWING = frozenset({"__repr__", "__str__", "__format__"})
_MODULE = "<module>"
_NEAR = 30  # frames between an object's text and whoever asked for it
_TOOLS = (3, 4, 2, 5, 1)  # the free ids first, then the ones with a customary owner


class Files:
    """Which file names belong to the project; remembers its answers."""

    def __init__(self, places: relocate.Places) -> None:
        self._places = places
        self._known: typing.Dict[str, str] = {}

    def own(self, name: str) -> str:
        """The path relative to the copy; empty for any other file."""
        if name not in self._known:
            real = os.path.realpath(name)
            own = self._places.own(real) and not name.startswith("<")
            self._known[name] = self._places.relative(real) if own else ""
        return self._known[name]


class Shared:
    """The functions that ran for more tests than one, by where they begin."""

    def __init__(self, files: Files) -> None:
        self.functions: Lines = {}
        self.depth = 0  # of what several tests share; 0: one test runs
        self.importing = False  # that test has begun to import a module
        self._files = files

    def enter(self, frame: types.FrameType, path: str) -> bool:
        """Note the function that begins; whether it is a module that one test imports.

        What ran before in that test may run again, for others.
        """
        code = frame.f_code
        module = code.co_name == _MODULE
        if not self.depth and not self.importing:
            self.importing = module
            return module
        if not self.depth and not self._imports(frame.f_back):
            return module
        if bodies.is_function(code):
            self.functions.setdefault(path, set()).add(code.co_firstlineno)
        return False

    def _imports(self, frame: typing.Optional[types.FrameType]) -> bool:
        while frame is not None:
            code = frame.f_code
            if code.co_name == _MODULE and self._files.own(code.co_filename):
                return True
            frame = frame.f_back
        return False


class Tracer:
    """Records through `sys.settrace`, in all threads."""

    def __init__(self, files: Files) -> None:
        self.paused = False  # while pytest and we look at what a test left behind
        self.displaced = False  # somebody else has traced, the last time
        self.shared = Shared(files)
        self._files = files
        self._lines: Lines = {}
        self._before: typing.Any = None

    def start(self) -> None:
        """Begin with nothing recorded."""
        self._lines, self.paused = {}, False
        self.shared.importing = False
        self._before = sys.gettrace()
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def seen(self) -> Lines:
        """What was recorded so far."""
        return dict(self._lines)

    def stop(self) -> Lines:
        """What was recorded since `start`."""
        self.displaced = sys.gettrace() != self._enter
        sys.settrace(self._before)
        threading.settrace(self._before)
        return self._lines

    @contextlib.contextmanager
    def sharing(self) -> typing.Iterator[None]:
        """What runs in here is for several tests."""
        self.shared.depth += 1
        try:
            yield
        finally:
            self.shared.depth -= 1

    def _enter(self, frame: types.FrameType, _event: str, _arg: object) -> typing.Any:
        path = self._files.own(frame.f_code.co_filename)
        if not path or self.paused or _shown(frame):
            return None
        self.shared.enter(frame, path)
        seen = self._lines.setdefault(path, set())

        def line(frame: types.FrameType, event: str, _arg: object) -> typing.Any:
            if event == "line":
                seen.add(frame.f_lineno)
            return line

        return line


class Monitor:
    """Records through `sys.monitoring`."""

    displaced = False

    def __init__(self, files: Files) -> None:
        self.paused = False  # while pytest and we look at what a test left behind
        self.shared = Shared(files)
        self._api = sys.monitoring
        self._done = self._api.DISABLE
        self._files = files
        # By the names that their code has: that of the path is left for the end.
        self._lines: Lines = collections.defaultdict(set)
        self._tool = self._claim()
        events = self._api.events
        self._api.register_callback(self._tool, events.PY_START, self._enter)
        self._api.register_callback(self._tool, events.LINE, self._line)

    def start(self) -> None:
        """Begin with nothing recorded."""
        self._lines, self.paused = collections.defaultdict(set), False
        self.shared.importing = False
        self._api.restart_events()  # each test pays again for its first time on a line
        self._api.set_events(self._tool, self._api.events.PY_START)

    def seen(self) -> Lines:
        """What was recorded so far."""
        found: Lines = {}
        for name, numbers in self._lines.copy().items():
            found.setdefault(self._files.own(name), set()).update(numbers)
        return found

    def stop(self) -> Lines:
        """What was recorded since `start`."""
        self._api.set_events(self._tool, 0)
        found, self._lines = self.seen(), collections.defaultdict(set)
        return found

    @contextlib.contextmanager
    def sharing(self) -> typing.Iterator[None]:
        """What runs in here is for several tests."""
        self.shared.depth += 1
        self._api.restart_events()
        try:
            yield
        finally:
            self.shared.depth -= 1

    def _claim(self) -> int:
        for tool in _TOOLS:
            if self._api.get_tool(tool) is None:
                self._api.use_tool_id(tool, "bonafix")
                return tool
        raise LookupError("all tool ids of sys.monitoring are taken")

    def _enter(self, code: types.CodeType, _offset: int) -> object:
        if self.paused:
            return None
        path = self._files.own(code.co_filename)
        if path:
            self._api.set_local_events(self._tool, code, self._api.events.LINE)
            if self.shared.enter(_caller(), path):
                self._api.restart_events()
        return self._done

    def _line(self, code: types.CodeType, line: int) -> object:
        if self.paused or (code.co_name in _SHOWING and _shown(_caller())):
            return None
        self._lines[code.co_filename].add(line)
        return self._done


def _caller() -> types.FrameType:
    """The frame that our callback interrupted."""
    return sys._getframe(2)  # noqa: SLF001 - there is no public way to a frame


def _shown(frame: typing.Optional[types.FrameType]) -> bool:
    """Whether the object's text is asked for by pytest, to explain a failure.

    Only failing tests do that, so these lines would look very suspicious.
    """
    if frame is None or frame.f_code.co_name not in _SHOWING:
        return False
    for _ in range(_NEAR):
        frame = frame.f_back
        if frame is None:
            return False
        if frame.f_globals.get("__name__") == "_pytest._io.saferepr":
            return True
    return False


def recorder(places: relocate.Places) -> typing.Union[Tracer, Monitor]:
    """The best one that this interpreter offers."""
    files = Files(places)
    if hasattr(sys, "monitoring"):
        try:
            return Monitor(files)
        except LookupError:
            pass
    return Tracer(files)

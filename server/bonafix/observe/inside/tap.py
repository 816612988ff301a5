"""Entries and exits of certain functions, seen at their code objects.

A name may have aliases, decorators, bound methods; the code object is the same in
all of them. `sys.monitoring` where there is one (3.12 and newer), else
`sys.setprofile`, which cannot tell which exception left a function.
"""

from __future__ import annotations

import ast
import dis
import os
import sys
import threading
import types
import typing

Wanted = typing.Dict[typing.Tuple[str, str], int]  # (path, qualname) -> index
_TOOLS = (3, 4, 2, 5, 1)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
YIELD, RETURN, RAISE = "yield", "return", "raise"


class Listener:
    """What a tap tells; each call happens within the frame concerned."""

    def enter(self, index: int, frame: types.FrameType) -> None:
        """The function `index` begins; its arguments are in the frame's locals."""

    def leave(self, frame: types.FrameType, how: str, value: object) -> None:
        """It yields, returns, or is left by an exception (None: unknown which)."""


class Codes:
    """Which code objects are wanted."""

    def __init__(self, wanted: Wanted, relative: typing.Callable[[str], str]) -> None:
        self._wanted = wanted
        self._relative = relative
        self._known: typing.Dict[types.CodeType, typing.Optional[int]] = {}
        self._names: typing.Dict[str, typing.Dict[typing.Tuple[str, int], str]] = {}
        self._last = {name.rpartition(".")[2] for _, name in wanted}

    def index(self, code: types.CodeType) -> typing.Optional[int]:
        """Of the wanted function that it is the code of."""
        if code.co_name not in self._last:
            return None
        if code not in self._known:
            path = self._relative(code.co_filename)
            self._known[code] = self._wanted.get((path, self._qualified(code)))
        return self._known[code]

    def _qualified(self, code: types.CodeType) -> str:
        name = getattr(code, "co_qualname", "")
        if name:
            return str(name)
        if code.co_filename not in self._names:
            self._names[code.co_filename] = _read(code.co_filename)
        return self._names[code.co_filename].get(
            (code.co_name, code.co_firstlineno), ""
        )


def relative_to(tree: str) -> typing.Callable[[str], str]:
    """A function from a code's file name to the path below `tree`, with `/`."""
    root = os.path.realpath(tree)

    def relative(name: str) -> str:
        real = os.path.realpath(name)
        if not real.startswith(root + os.sep):
            return ""
        return os.path.relpath(real, root).replace(os.sep, "/")

    return relative


def _read(path: str) -> typing.Dict[typing.Tuple[str, int], str]:
    """(name, first line) -> qualified name, of all functions in a file."""
    table: typing.Dict[typing.Tuple[str, int], str] = {}
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return table
    stack: typing.List[typing.Tuple[ast.AST, str]] = [(tree, "")]
    while stack:
        node, prefix = stack.pop()
        inner = prefix
        if isinstance(node, (ast.ClassDef, *_FUNCTIONS)):
            inner = prefix + node.name + "."
            if isinstance(node, _FUNCTIONS):
                lines = [one.lineno for one in node.decorator_list] + [node.lineno]
                table[node.name, min(lines)] = prefix + node.name
                inner += "<locals>."
        stack += [(child, inner) for child in ast.iter_child_nodes(node)]
    return table


class Monitor:
    """Through `sys.monitoring`."""

    def __init__(self, codes: Codes, listener: Listener) -> None:
        self._api = sys.monitoring
        self._codes = codes
        self._listener = listener
        events = self._api.events
        self._tool = next(t for t in _TOOLS if self._api.get_tool(t) is None)
        self._api.use_tool_id(self._tool, "bonafix calls")
        self._local = events.PY_RETURN | events.PY_YIELD
        register = self._api.register_callback
        register(self._tool, events.PY_START, self._start)
        register(self._tool, events.PY_RETURN, self._return)
        register(self._tool, events.PY_YIELD, self._yield)
        register(self._tool, events.PY_UNWIND, self._unwind)

    def start(self) -> None:
        """Begin to listen."""
        self._api.restart_events()
        events = self._api.events
        self._api.set_events(self._tool, events.PY_START | events.PY_UNWIND)

    def stop(self) -> None:
        """Listen no more."""
        self._api.set_events(self._tool, 0)

    def _start(self, code: types.CodeType, _offset: int) -> object:
        index = self._codes.index(code)
        if index is None:
            return self._api.DISABLE
        self._api.set_local_events(self._tool, code, self._local)
        self._listener.enter(index, sys._getframe(1))  # noqa: SLF001
        return None

    def _return(self, code: types.CodeType, _offset: int, value: object) -> None:
        if self._codes.index(code) is not None:
            self._listener.leave(sys._getframe(1), RETURN, value)  # noqa: SLF001

    def _yield(self, code: types.CodeType, _offset: int, value: object) -> None:
        if self._codes.index(code) is not None:
            self._listener.leave(sys._getframe(1), YIELD, value)  # noqa: SLF001

    def _unwind(self, code: types.CodeType, _offset: int, error: object) -> None:
        if self._codes.index(code) is not None:
            self._listener.leave(sys._getframe(1), RAISE, error)  # noqa: SLF001


class Profiler:
    """Through `sys.setprofile`, in all threads."""

    def __init__(self, codes: Codes, listener: Listener) -> None:
        self._codes = codes
        self._listener = listener
        self._suspended: typing.Set[int] = set()  # frames that have yielded
        self._before: typing.Any = None

    def start(self) -> None:
        """Begin to listen."""
        self._before = sys.getprofile()
        threading.setprofile(self._hear)
        sys.setprofile(self._hear)

    def stop(self) -> None:
        """Listen no more."""
        sys.setprofile(self._before)
        threading.setprofile(self._before)

    def _hear(self, frame: types.FrameType, event: str, value: object) -> None:
        if event not in ("call", "return"):
            return
        index = self._codes.index(frame.f_code)
        if index is None:
            return
        if event == "call":
            if id(frame) in self._suspended:
                self._suspended.discard(id(frame))
            else:
                self._listener.enter(index, frame)
            return
        how = _how(frame)
        if how == YIELD:
            self._suspended.add(id(frame))
        self._listener.leave(frame, how, None if how == RAISE else value)


def _how(frame: types.FrameType) -> str:
    """By which instruction a frame is left."""
    name = _instruction(frame, 0)
    # Up to 3.10 a `yield from` that waits is said to stand just before itself.
    if sys.version_info < (3, 11) and _instruction(frame, 2) == "YIELD_FROM":
        return YIELD
    if name.startswith("YIELD"):
        return YIELD
    return RETURN if name.startswith("RETURN") else RAISE


def _instruction(frame: types.FrameType, further: int) -> str:
    code, at = frame.f_code.co_code, frame.f_lasti + further
    return dis.opname[code[at]] if 0 <= at < len(code) else ""


def tap(codes: Codes, listener: Listener) -> typing.Union[Monitor, Profiler]:
    """The better one that this interpreter offers."""
    if hasattr(sys, "monitoring"):
        try:
            return Monitor(codes, listener)
        except StopIteration:  # all tool ids are taken
            pass
    return Profiler(codes, listener)

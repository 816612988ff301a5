"""One call: its function found, its arguments made, its behaviour written down."""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import json
import os
import sys
import tempfile
import types
import typing

from . import calls, tap, values

_PRINTED = 2000  # characters of standard output that count
_LOOKED = 400  # inner calls that are compared with the tested ones
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EFFECTS = (
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink"),
    *("os.truncate", "os.chmod", "os.chown", "os.kill", "os.killpg", "os.system"),
    *("os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty"),
    *("subprocess.Popen", "socket.connect", "socket.bind", "socket.sendto"),
    *("socket.sendmsg", "sqlite3.connect", "shutil.copyfile", "shutil.move"),
    *("shutil.rmtree", "urllib.Request", "smtplib.connect", "ftplib.connect"),
)
_PROBES = (0, 1, -734_111, "", "\x00 no such text", 2.718281828, (), None)

Fields = typing.Dict[str, typing.Any]


class Forbidden(BaseException):
    """The call does something to the world around it."""


class Effects:
    """Notices, and on request stops, what reaches out of the process."""

    def __init__(self, *, stop: bool) -> None:
        self.active = False
        self.seen = ""
        self._stop = stop
        sys.addaudithook(self._hook)

    def _hook(self, event: str, details: typing.Tuple[typing.Any, ...]) -> None:
        if not self.active:
            return
        if event == "open":
            flags = details[2] if len(details) > 2 else 0  # noqa: PLR2004
            if not isinstance(flags, int) or not flags & _WRITING:
                return
            if details[0] in (os.devnull, 1, 2):
                return
        elif event not in _EFFECTS:
            return
        self.seen = self.seen or event
        if self._stop:
            raise Forbidden(event)


class Hits(tap.Listener):
    """Whether a call passes through arguments that a test chose."""

    def __init__(self, request: Fields) -> None:
        self.hit = False
        self._tested = [set(map(key, points)) for points in request["tested"]]
        functions = request["functions"]
        wanted = {(f["path"], f["qualname"]): i for i, f in enumerate(functions)}
        codes = tap.Codes(wanted, tap.relative_to(request["tree"]))
        self._tap = tap.tap(codes, self)
        self._top: typing.Optional[int] = None
        self._left = 0

    def start(self, top: int) -> None:
        """Begin a call of the function `top`, which does not count itself."""
        self.hit, self._top, self._left = False, top, _LOOKED
        self._tap.start()

    def stop(self) -> None:
        """End it."""
        self._tap.stop()

    def enter(self, index: int, frame: types.FrameType) -> None:
        """Compare one inner call."""
        if index == self._top:
            self._top = None
            return
        if self.hit or not self._left:
            return
        self._left -= 1
        positional, named = calls.arguments(frame)
        try:
            args = [values.encode(one, again=True) for one in positional]
            kwargs = {k: values.encode(v, again=True) for k, v in named.items()}
        except values.Unfit:
            return
        self.hit = key([args, kwargs]) in self._tested[index]


def key(point: typing.Sequence[typing.Any]) -> str:
    """A text that two equal `[args, kwargs]` share."""
    return json.dumps(_plain(point), sort_keys=True)


def _plain(node: typing.Any) -> typing.Any:
    """Pickles replaced by their renderings: equal objects may pickle differently."""
    if isinstance(node, dict):
        return {name: _plain(one) for name, one in node.items()}
    if isinstance(node, (list, tuple)):
        if len(node) > 1 and node[0] == "opaque":
            return ["opaque", "", node[2], node[3]]
        return [_plain(one) for one in node]
    return node


class Output:
    """Standard output, read from below: `sys.stdout` is that of any program.

    It goes to a file from the start, the other standard streams to nowhere.
    """

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            self._fd = os.dup(file.fileno())
        with open(os.devnull, "r+b") as null:
            for standard in (0, 2):
                os.dup2(null.fileno(), standard)
        os.dup2(self._fd, 1)
        sys.stdout.reconfigure(encoding="utf-8")

    def begin(self) -> None:
        """Forget what was printed; repair what the last call may have broken."""
        _flush()
        os.dup2(self._fd, 1)
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        if getattr(sys.stdout, "closed", False):
            stream = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            stream.buffer.raw.name = "<stdout>"  # type: ignore[attr-defined]
            sys.stdout = sys.__stdout__ = stream  # type: ignore[misc]

    def end(self) -> str:
        """What was printed since, of much of it the beginning."""
        _flush()
        return os.pread(self._fd, 8 * _PRINTED, 0).decode("utf-8", "replace")


def _flush() -> None:
    try:
        sys.stdout.flush()
    except Exception:  # noqa: BLE001 - the call may have put anything there
        return


class Performer:
    """Makes the calls of one request."""

    def __init__(
        self, request: Fields, modules: typing.Dict[str, str], output: Output
    ) -> None:
        self._output = output
        self._functions = request["functions"]
        self._modules = modules
        self._relative = tap.relative_to(request["tree"])
        self._found: typing.Dict[int, typing.Any] = {}
        self._effects = Effects(stop=not request["effects"])
        self._hits = Hits(request) if any(request["tested"]) else None

    def perform(self, call: Fields) -> Fields:
        """Make one call; its behaviour."""
        try:
            function = self._function(call["function"])
            positional = [values.decode(node) for node in call["args"]]
            named = {k: values.decode(node) for k, node in call["kwargs"].items()}
        except BaseException as error:  # noqa: BLE001 - foreign code, any of it
            return {"kind": "unmade", "message": type(error).__name__}
        before = sys.stdout
        self._output.begin()
        try:
            found = self._watched(call, function, positional, named)
        finally:
            printed = self._output.end()
            sys.stdout = before
        if self._effects.seen:
            found["effect"] = self._effects.seen
        found["printed"] = values.masked(printed, _PRINTED)
        return found

    def _watched(
        self,
        call: Fields,
        function: typing.Any,
        positional: typing.List[typing.Any],
        named: typing.Dict[str, typing.Any],
    ) -> Fields:
        if self._hits:
            self._hits.start(call["function"])
        self._effects.seen, self._effects.active = "", True
        try:
            result = _settled(function(*positional, **named))
        except Forbidden:
            return {"kind": "effect"}
        except BaseException as error:  # noqa: BLE001 - it may raise anything
            found = values.outcome_of(error)
        else:
            self._effects.active = False
            found = _described(result)
        finally:
            self._effects.active = False
            if self._hits:
                self._hits.stop()
        if self._hits and self._hits.hit:
            found["hit"] = True
        try:
            found["after"] = calls.changed(call, [*positional, *named.values()])
        except values.Unfit:
            found["after"] = []
        return found

    def _function(self, index: int) -> typing.Any:
        if index not in self._found:
            function = self._functions[index]
            if self._modules.get(function["module"], "?"):
                raise ImportError(function["module"])
            self._found[index] = self._find(function)
        return self._found[index]

    def _find(self, function: Fields) -> typing.Any:
        place: typing.Any = sys.modules[function["module"]]
        for part in function["qualname"].split("."):
            place = inspect.getattr_static(place, part)
        name = function["qualname"].rpartition(".")[2]
        for one in _layers(place):
            code = getattr(one, "__code__", None)
            if not isinstance(one, types.FunctionType) or code.co_name != name:
                continue
            if self._relative(code.co_filename) == function["path"]:
                return one
        raise LookupError(function["qualname"])


def _layers(place: typing.Any) -> typing.Iterator[typing.Any]:
    """An object with what is wrapped in it, nearest first."""
    queue, seen = [place], 0
    while queue and seen < 40:  # noqa: PLR2004 - decorators are not that deep
        one = queue.pop(0)
        seen += 1
        yield one
        for name in ("__wrapped__", "__func__", "fget", "func"):
            inner = getattr(one, "__dict__", {}).get(name)
            if inner is None and isinstance(
                one, (classmethod, staticmethod, property, functools.partial)
            ):
                inner = getattr(one, name, None)
            if inner is not None:
                queue.append(inner)
        queue += _closed_over(one)


def _closed_over(function: typing.Any) -> typing.List[typing.Any]:
    cells = getattr(function, "__closure__", None) or ()
    try:
        return [cell.cell_contents for cell in cells]
    except ValueError:  # one is not bound yet
        return []


def _settled(result: typing.Any) -> typing.Any:
    """The result that a test would look at: awaited, drawn from a generator."""
    if isinstance(result, types.CoroutineType):
        return asyncio.run(result)
    if isinstance(result, types.GeneratorType) or values.is_iterator(result):
        drawn = itertools.islice(result, calls.YIELDS)
        return _Drawn([values.encode(one, again=False) for one in drawn])
    return result


class _Drawn:
    def __init__(self, items: typing.List[values.Node]) -> None:
        self.items = items


def _described(result: object) -> Fields:
    if isinstance(result, _Drawn):
        return {"kind": "value", "value": ["generator", "", result.items]}
    try:
        node = values.encode(result, again=False)
    except values.Unfit as reason:
        return {"kind": "unfit", "message": str(reason)}
    found: Fields = {"kind": "value", "value": node}
    if greedy(result):
        found["greedy"] = True
    return found


def greedy(value: object, depth: int = 3) -> bool:
    """Whether it, or something in it, claims to equal things that are not equal."""
    kind = type(value)
    if kind in (list, tuple, set, frozenset) and depth:
        parts = typing.cast("typing.Iterable[object]", value)
        return any(greedy(one, depth - 1) for one in itertools.islice(parts, 50))
    if kind is dict and depth:
        inner = list(itertools.islice(typing.cast("dict", value).values(), 50))
        return greedy(inner, depth)
    if kind.__module__ == "builtins":
        return False
    return sum(_equal(value, probe) for probe in _PROBES) > 1


def _equal(value: object, probe: object) -> bool:
    try:
        return bool(value == probe)
    except Exception:  # noqa: BLE001 - a comparison may raise anything
        return False

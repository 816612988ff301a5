"""Call functions of a project in a plain interpreter and report what they do.

Usage: `python replay.py REQUEST_FD EVENTS_FD`. The request is one JSON object, the
answers are JSON lines; `server/bonafix/observe/calls.py` describes both. There is no
pytest here, and no way to import one. The project is imported once; the calls are
made in a forked child, which dies of its CPU limit together with a call that hangs.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import mmap
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import types
import typing

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = "_bonafix_inside"
_HIDDEN = ("pytest", "_pytest")
_HANGS = (signal.SIGPROF, signal.SIGALRM, signal.SIGXCPU)
_FLOOR = 5.0  # seconds, wall, that a call may wait at least

Fields = typing.Dict[str, typing.Any]
Turn = typing.Tuple[int, int]  # which pass, which call


class _Hider:
    """Says that there is no pytest."""

    __module__ = "importlib.util"  # whoever looks through the finders reads this

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse the names of pytest; leave all others to the next finder."""
        del path, target
        if name.split(".", maxsplit=1)[0] in _HIDDEN:
            raise ModuleNotFoundError("No module named {!r}".format(name), name=name)


def main(request_fd: int, events_fd: int) -> int:
    """Import what is to be called, then call it in children."""
    with os.fdopen(request_fd, encoding="utf-8") as file:
        request = json.load(file)
    channel, relocate, perform = _load("channel", "relocate", "perform")
    if sys.path and os.path.abspath(sys.path[0]) == _HERE:
        del sys.path[0]
    places = relocate.Places(root=request["root"], tree=request["tree"])
    relocate.take_over(places, request["path"])
    tree = os.path.realpath(request["tree"])
    for path in reversed(request["paths"]):
        sys.path.insert(0, os.path.normpath(os.path.join(tree, path)))
    sys.meta_path.insert(0, _Hider())  # type: ignore[arg-type]
    work = tempfile.mkdtemp()
    os.chdir(work)
    sys.argv = [os.path.join(work, "main.py"), "--all"]
    output = perform.Output()
    _become_ordinary()
    modules = _imported(request["functions"])

    def fresh() -> typing.Any:
        return channel.Channel(os.dup(events_fd), request["nonce"])

    def performer() -> typing.Any:
        return perform.Performer(request, modules, output)

    _Rounds(request, fresh, performer).run()
    fresh().send("end")
    # What the project left running or registered has no say in how this ends.
    os._exit(0)


def _become_ordinary() -> None:
    """Let the main module and the command line be those of some program."""
    program = types.ModuleType("__main__")
    program.__file__ = sys.argv[0]
    sys.modules["__main__"] = program
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[1:] = sys.argv


def _imported(functions: typing.Sequence[Fields]) -> typing.Dict[str, str]:
    """Module -> why it cannot be imported; empty where it can."""
    return {name: _import(name) for name in {f["module"] for f in functions}}


def _import(name: str) -> str:
    try:
        importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001 - a module may raise anything
        return type(error).__name__
    return ""


class _Rounds:
    """Hands the calls to children, a new one after each that died."""

    def __init__(
        self,
        request: Fields,
        fresh: typing.Callable[[], typing.Any],
        performer: typing.Callable[[], typing.Any],
    ) -> None:
        self._request = request
        self._fresh = fresh
        self._performer = performer
        self._hangs = 0
        self._at = mmap.mmap(-1, 8)  # shared: the turn that runs now

    def run(self) -> None:
        """Make all calls, as far as the hanging ones allow."""
        left = self._order()
        while left:
            if self._hangs >= self._request["hangs"]:
                self._tell(left, {"kind": "unrun"})
                return
            left = self._child(left)

    def _order(self) -> typing.List[Turn]:
        turns: typing.List[Turn] = []
        for number in range(self._request["passes"]):
            one = [(number, index) for index in range(len(self._request["calls"]))]
            if self._request["shuffle"]:
                random.Random(self._request["seed"] + number).shuffle(one)  # noqa: S311
            turns += one
        return turns

    def _child(self, turns: typing.List[Turn]) -> typing.List[Turn]:
        """Let one child work through `turns`; those that it did not come to."""
        self._at[:] = struct.pack("q", -1)
        child = os.fork()
        if not child:
            self._work(turns)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            return []
        at = struct.unpack("q", self._at[:])[0]
        if at < 0:
            self._tell(turns, {"kind": "lost"})
            return []
        hung = os.WIFSIGNALED(status) and os.WTERMSIG(status) in _HANGS
        self._hangs += hung
        self._tell(turns[at : at + 1], {"kind": "hang" if hung else "lost"})
        victim = turns[at][1]
        return [turn for turn in turns[at + 1 :] if not hung or turn[1] != victim]

    def _work(self, turns: typing.List[Turn]) -> None:
        for number in (signal.SIGPROF, signal.SIGALRM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        events = self._fresh()
        performer = self._performer()
        for position, turn in enumerate(turns):
            self._at[:] = struct.pack("q", position)
            self._one(performer, events, turn)
        os._exit(0)

    def _one(self, performer: typing.Any, events: typing.Any, turn: Turn) -> None:
        call = self._request["calls"][turn[1]]
        seconds = self._request["cpu_seconds"]
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, max(_FLOOR, 10 * seconds))
        before = _cpu()
        behaviour = performer.perform(call)
        used = _cpu() - before
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        behaviour["cpu"] = round(used, 6)
        events.send("behaviour", turn=turn[0], call=turn[1], behaviour=behaviour)

    def _tell(self, turns: typing.Sequence[Turn], behaviour: Fields) -> None:
        events = self._fresh()
        for number, index in turns:
            events.send("behaviour", turn=number, call=index, behaviour=behaviour)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _load(*names: str) -> typing.List[types.ModuleType]:
    """Import our own modules, then make their names unknown again."""
    spec = importlib.util.spec_from_file_location(
        _PACKAGE,
        os.path.join(_HERE, "__init__.py"),
        submodule_search_locations=[_HERE],
    )
    assert spec is not None
    sys.modules[_PACKAGE] = importlib.util.module_from_spec(spec)
    loaded = [importlib.import_module(_PACKAGE + "." + name) for name in names]
    for name in [n for n in sys.modules if n.split(".")[0] == _PACKAGE]:
        del sys.modules[name]
    return loaded


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))

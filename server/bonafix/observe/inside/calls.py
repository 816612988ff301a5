"""Calls of certain functions in a test run: arguments before, behaviour after.

Arguments are written down before the body runs, so that what it does to them is not
in them. Recursive calls are left out: no test chose their arguments.
"""

from __future__ import annotations

import os
import sys
import time
import types
import typing

from . import tap, values

CALLS = 200  # of one function in one run
YIELDS = 500  # values of one generator
_STACK = 400  # frames that are searched for a recursion
_VARARGS, _VARKEYWORDS, _GENERATOR = 0x04, 0x08, 0x20
_COROUTINE, _ASYNC_GENERATOR = 0x80 | 0x100, 0x200

Fields = typing.Dict[str, typing.Any]
Function = typing.Dict[str, str]  # path, qualname


class Open:
    """A call that has begun."""

    def __init__(
        self, fields: Fields, objects: typing.List[object], cpu: float
    ) -> None:
        self.fields = fields
        self.objects = objects  # the arguments themselves, to see what happens to them
        self.cpu = cpu
        self.yields: typing.List[values.Node] = []


class Recorder(tap.Listener):
    """Records from `start` to `stop`, once for each test."""

    def __init__(self, tree: str, functions: typing.Sequence[Function]) -> None:
        wanted = {(f["path"], f["qualname"]): i for i, f in enumerate(functions)}
        self._tree = os.path.realpath(tree)
        self._dropped: typing.Dict[str, int] = {}
        self._counts = [0] * len(functions)
        self._open: typing.Dict[int, Open] = {}
        self._calls: typing.List[Fields] = []
        self._busy = False
        self._tap = tap.tap(tap.Codes(wanted, tap.relative_to(tree)), self)

    def start(self) -> None:
        """Begin with nothing recorded."""
        self._open, self._calls = {}, []
        self._tap.start()

    def stop(self) -> typing.List[Fields]:
        """What was called since `start`."""
        self._tap.stop()
        return self.seen()

    def seen(self) -> typing.List[Fields]:
        """What was called so far; calls without an end have none in them."""
        return self._calls + [one.fields for one in list(self._open.values())]

    def summary(self) -> Fields:
        """What was left out, and the import roots in the tree, relative to it."""
        real = [os.path.realpath(entry) for entry in sys.path]
        inner = [p for p in real if p == self._tree or p.startswith(self._tree + "/")]
        paths = [os.path.relpath(path, self._tree) for path in dict.fromkeys(inner)]
        return {"dropped": self._dropped, "paths": paths}

    def enter(self, index: int, frame: types.FrameType) -> None:
        """Write the arguments down."""
        if self._busy or _recursive(frame):
            return
        self._busy = True
        try:
            self._enter(index, frame)
        except values.Unfit as reason:
            self._drop("arguments: {}".format(reason))
        finally:
            self._busy = False

    def _enter(self, index: int, frame: types.FrameType) -> None:
        if self._counts[index] >= CALLS:
            self._drop("more than {} calls".format(CALLS))
            return
        if frame.f_code.co_flags & _ASYNC_GENERATOR:
            self._drop("asynchronous generator")
            return
        positional, named = arguments(frame)
        fields = {
            "function": index,
            "module": str(frame.f_globals.get("__name__", "")),
            "args": [values.encode(one, again=True) for one in positional],
            "kwargs": {k: values.encode(v, again=True) for k, v in named.items()},
        }
        self._counts[index] += 1
        objects = [*positional, *named.values()]
        self._open[id(frame)] = Open(fields, objects, time.process_time())

    def leave(self, frame: types.FrameType, how: str, value: object) -> None:
        """Write down what came of it."""
        one = self._open.get(id(frame))
        if one is None or self._busy:
            return
        flags = frame.f_code.co_flags
        if how == tap.YIELD and not flags & _GENERATOR:
            return  # a coroutine that waits
        self._busy = True
        try:
            if how == tap.YIELD:
                if len(one.yields) < YIELDS:
                    one.yields.append(values.encode(value, again=False))
                return
            self._close(one, how, value, generator=bool(flags & _GENERATOR))
        except values.Unfit as reason:
            self._drop("result: {}".format(reason))
        finally:
            self._busy = False
        del self._open[id(frame)]

    def _close(self, one: Open, how: str, value: object, *, generator: bool) -> None:
        one.fields["cpu"] = round(time.process_time() - one.cpu, 6)
        if how == tap.RAISE:
            unknown: Fields = {"kind": "raise", "type": "", "message": ""}
            known = isinstance(value, BaseException)
            found = values.outcome_of(value) if known else unknown  # type: ignore[arg-type]
        elif generator:
            found = {"kind": "value", "value": ["generator", "", one.yields]}
        elif values.is_iterator(value):  # to look at it here would use it up
            found = {"kind": "unfit", "message": "iterator"}
        else:
            found = {"kind": "value", "value": values.encode(value, again=False)}
        found["after"] = changed(one.fields, one.objects)
        one.fields["behaviour"] = found
        self._calls.append(one.fields)

    def _drop(self, reason: str) -> None:
        self._dropped[reason] = self._dropped.get(reason, 0) + 1


def changed(
    fields: Fields, objects: typing.Sequence[object]
) -> typing.List[typing.Optional[values.Node]]:
    """The arguments that are no longer what they were, `None` for the others."""
    before = [*fields["args"], *fields["kwargs"].values()]
    after: typing.List[typing.Optional[values.Node]] = []
    for old, one in zip(before, objects):
        new = values.encode(one, again=True)
        after.append(None if _bare(new) == _bare(old) else new)
    return after if any(after) else []


def _bare(node: values.Node) -> values.Node:
    """A tree without the empty ends that one writer leaves out and another not."""
    kind, literal, items, names = (*node, *("", "", [], [])[len(node) :])[:4]
    return [kind, literal, [_bare(item) for item in items], names]


def arguments(
    frame: types.FrameType,
) -> typing.Tuple[typing.List[object], typing.Dict[str, object]]:
    """The arguments of a call that has just begun, as it would be made again."""
    code, found = frame.f_code, frame.f_locals
    names = code.co_varnames
    count = code.co_argcount
    only = names[count : count + code.co_kwonlyargcount]
    at = count + code.co_kwonlyargcount
    positional = [found[name] for name in names[:count] if name in found]
    named = {name: found[name] for name in only if name in found}
    if code.co_flags & _VARARGS:
        positional += list(found.get(names[at], ()))
        at += 1
    if code.co_flags & _VARKEYWORDS:
        named.update(found.get(names[at], {}))
    return positional, named


def _recursive(frame: types.FrameType) -> bool:
    code, above = frame.f_code, frame.f_back
    for _ in range(_STACK):
        if above is None:
            return False
        if above.f_code is code:
            return True
        above = above.f_back
    return True

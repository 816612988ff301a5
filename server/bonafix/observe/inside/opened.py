"""Which files of the project are opened to be read, by whom, apart from its modules."""

from __future__ import annotations

import os
import sys
import typing

from . import relocate

_MODULES = (".py", ".pyc", ".pyi", ".so")
_MANY = 100  # tests that open one file; more are nobody's secret
_getcwd, _join = os.getcwd, os.path.join


class Watch:
    """An audit hook cannot be taken away again, so there is one only on request."""

    def __init__(self) -> None:
        self.active = False
        self.test = ""  # the id of the one that runs
        self._seen: typing.Dict[str, typing.Set[str]] = {}
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: typing.Tuple[typing.Any, ...]) -> None:
        if event != "open" or not self.active:
            return
        path, _, flags = arguments
        if type(path) is bytes:
            path = os.fsdecode(path)
        if type(path) is not str or path.endswith(_MODULES):
            return
        if isinstance(flags, int) and flags & os.O_ACCMODE == os.O_WRONLY:
            return
        try:
            path = path if path[:1] == "/" else _join(_getcwd(), path)
        except OSError:  # the working directory is gone; so is what lay in it
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


def _told(openers: typing.Set[str]) -> typing.List[str]:
    return sorted(openers) if len(openers) < _MANY else [""]

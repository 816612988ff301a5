"""Which files of the project are opened to be read, apart from its modules."""

from __future__ import annotations

import os
import sys
import typing

from . import relocate

_MODULES = (".py", ".pyc", ".pyi", ".so")
_getcwd, _join = os.getcwd, os.path.join


class Watch:
    """An audit hook cannot be taken away again, so there is one only on request."""

    def __init__(self) -> None:
        self.active = False
        self._seen: typing.Set[str] = set()
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
            self._seen.add(path if path[:1] == "/" else _join(_getcwd(), path))
        except OSError:  # the working directory is gone; so is what lay in it
            return

    def files(self, places: relocate.Places) -> typing.List[str]:
        """The paths relative to the copy, sorted."""
        real = {os.path.realpath(path) for path in self._seen}
        return sorted(
            places.relative(p) for p in real if places.own(p) and os.path.isfile(p)
        )

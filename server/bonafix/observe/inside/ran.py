"""Which of the project's code runs between `start` and `stop`, by function.

What ran while tests were collected has left its results behind: replacing it then
would come too late.
"""

from __future__ import annotations

import sys
import threading
import types
import typing

from . import lines, relocate

Key = typing.Tuple[str, str, int]  # path relative to the copy, name, first line
_TOOLS = (4, 3, 2, 5, 1)  # of `sys.monitoring`; the free ids first


class Recorder:
    """Notes each code object once."""

    def __init__(self, places: relocate.Places) -> None:
        self.files = lines.Files(places)
        self._seen: typing.Set[types.CodeType] = set()
        self._tool = -1

    def key(self, code: types.CodeType) -> Key:
        """How it is known; the path is empty where it is none of the project's."""
        return self.files.own(code.co_filename), code.co_name, code.co_firstlineno

    def start(self) -> None:
        """Begin.

        Raises:
            LookupError: nobody can be asked what runs.
        """
        if hasattr(sys, "monitoring"):
            self._monitor(sys.monitoring)
        elif sys.getprofile() is not None:
            raise LookupError("a profiler is on")
        else:
            threading.setprofile(self._profile)
            sys.setprofile(self._profile)

    def stop(self) -> typing.Set[Key]:
        """What ran since `start`.

        Raises:
            LookupError: somebody has taken our place on the way.
        """
        if self._tool >= 0:
            sys.monitoring.set_events(self._tool, 0)
            sys.monitoring.free_tool_id(self._tool)
        elif sys.getprofile() != self._profile:
            raise LookupError("a profiler was switched on")
        else:
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]  # as documented
        seen = {self.key(code) for code in self._seen}
        self._seen.clear()  # a module's code holds that of its functions
        return seen

    def _monitor(self, api: typing.Any) -> None:
        free = [tool for tool in _TOOLS if api.get_tool(tool) is None]
        if not free:
            raise LookupError("all tool ids of sys.monitoring are taken")
        self._tool = free[0]
        api.use_tool_id(self._tool, "bonafix")
        api.register_callback(self._tool, api.events.PY_START, self._enter)
        api.set_events(self._tool, api.events.PY_START)

    def _enter(self, code: types.CodeType, _offset: int) -> object:
        if self.files.own(code.co_filename):
            self._seen.add(code)
        return sys.monitoring.DISABLE

    def _profile(self, frame: types.FrameType, event: str, _arg: object) -> None:
        if event == "call" and self.files.own(frame.f_code.co_filename):
            self._seen.add(frame.f_code)

"""An alarm on CPU time: says where an endless loop is before its process is killed.

The profiling timer is used because tests, and plugins that limit time, have uses of
their own for the real-time one.
"""

from __future__ import annotations

import os
import signal
import threading
import types
import typing

Tell = typing.Callable[[typing.Any, types.FrameType], None]


_HERE = os.path.dirname(os.path.abspath(__file__))


def _ours(frame: types.FrameType) -> bool:
    return os.path.dirname(frame.f_code.co_filename) == _HERE


class Alarm:
    """Rings after `seconds` of CPU time within a test; before, too, after `soon`."""

    def __init__(self, seconds: float, tell: Tell, soon: float = 0.0) -> None:
        self._seconds = seconds
        self._soon = soon if 0 < soon < seconds else 0.0
        self._tell = tell
        self._item: typing.Any = None
        self._before: typing.Any = None

    def arm(self, item: typing.Any) -> None:
        """Begin to count for `item`."""
        if threading.current_thread() is threading.main_thread():
            self._item = item
            self._before = signal.signal(signal.SIGPROF, self._ring)
            first = self._soon or self._seconds
            again = self._seconds if self._soon else 0.0
            signal.setitimer(signal.ITIMER_PROF, first, again)

    def disarm(self) -> None:
        """The test is over."""
        if self._item is not None:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, self._before or signal.SIG_DFL)
            self._item = None

    def _ring(self, _number: int, frame: typing.Optional[types.FrameType]) -> None:
        while frame is not None and _ours(frame):  # it rang while a line was noted
            frame = frame.f_back
        if self._item is not None and frame is not None:
            self._tell(self._item, frame)

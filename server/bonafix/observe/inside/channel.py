"""Events out, as JSON lines with a nonce, over a pipe that only we know."""

from __future__ import annotations

import fcntl
import json
import os
import typing

_ABOVE = 200  # tests count low descriptors, or close them

# Tests replace functions of these modules; ours are the ones from before.
_dumps, _getpid, _write = json.dumps, os.getpid, os.write


class Channel:
    """The writing end. A forked child, or a closed pipe, makes it silent."""

    def __init__(self, fd: int, nonce: str) -> None:
        self._fd = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
        os.close(fd)
        self._nonce = nonce
        self._pid = _getpid()
        self._held = b""

    def hold(self, event: str, **fields: object) -> None:
        """Write one event with the next that is sent."""
        self._held += self._line(event, fields)

    def send(self, event: str, **fields: object) -> None:
        """Write one event; blocks until the reader has taken it."""
        if _getpid() != self._pid:
            return
        left = memoryview(self._held + self._line(event, fields))
        self._held = b""
        try:
            while left:
                left = left[_write(self._fd, left) :]
        except OSError:
            # A test closed our descriptor, or the reader is gone: the missing end
            # of the session tells the reader all that there is to tell.
            self._pid = -1

    def _line(self, event: str, fields: typing.Dict[str, object]) -> bytes:
        line = _dumps(dict(fields, event=event, nonce=self._nonce))
        return line.encode("ascii") + b"\n"

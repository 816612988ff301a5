"""Events out, as JSON lines with a nonce, over a pipe that only we know."""

from __future__ import annotations

import fcntl
import json
import os

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

    def send(self, event: str, **fields: object) -> None:
        """Write one event; blocks until the reader has taken it."""
        if _getpid() != self._pid:
            return
        line = _dumps(dict(fields, event=event, nonce=self._nonce))
        left = memoryview(line.encode("ascii") + b"\n")
        try:
            while left:
                left = left[_write(self._fd, left) :]
        except OSError:
            # A test closed our descriptor, or the reader is gone: the missing end
            # of the session tells the reader all that there is to tell.
            self._pid = -1

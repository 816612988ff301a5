"""Whether the machine is short of memory, so that what is kept had better go."""

from __future__ import annotations

import re
from pathlib import Path

_MACHINE = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")
_PART, _MOST = 0.08, 1 << 30  # of all memory, but no more bytes, should be free
_LINE = re.compile(r"^(\w+): +(\d+) kB$", re.MULTILINE)


def short() -> bool:
    """Whether little is left, of the machine or of what our group may use.

    Where nobody can say, it is not.
    """
    both = (_machine(), _group())
    return any(total and left < min(_PART * total, _MOST) for left, total in both)


def _machine() -> tuple[int, int]:
    """Bytes that could be had, and all; 0 where unknown."""
    try:
        found = dict(_LINE.findall(_MACHINE.read_text(encoding="ascii")))
        return int(found["MemAvailable"]) << 10, int(found["MemTotal"]) << 10
    except (OSError, ValueError, KeyError):
        return 0, 0


def _group() -> tuple[int, int]:
    """The same of a container's group, less what is only cached."""
    try:
        most = int((_GROUP / "memory.max").read_text(encoding="ascii"))
        used = int((_GROUP / "memory.current").read_text(encoding="ascii"))
        rows = (_GROUP / "memory.stat").read_text(encoding="ascii").splitlines()
        cached = int(dict(row.split() for row in rows)["inactive_file"])
    except (OSError, ValueError, KeyError):  # "max": no limit
        return 0, 0
    return most - used + cached, most

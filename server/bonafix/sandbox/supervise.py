"""Waits for one program, then ends all that it left behind, and reports.

Runs as process 1 of a fresh process namespace, or else as the adopter of orphans.
Whatever happens to the owner, the end of the lifeline pipe ends everything here.
"""

# os functions start faster than pathlib, and this runs around every test run
# ruff: noqa: PTH112, PTH208

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from bonafix.sandbox.spec import Report

# After the last signal was sent: how long a dying process may take to be reaped.
_GRACE = 0.4


def supervise(program: int, lifeline: int, *, alone: bool) -> Report:
    """Wait for `program` or the end of the lifeline; kill and reap the rest.

    `alone`: this is process 1, and everything that it can signal is its own.
    """
    wake = _wake_on_child()
    status = _wait(program, lifeline, wake)
    ended = _sweep_namespace() if alone else _sweep_tree(program)
    status = ended.get(program) if status is None else status
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = None if status is None else os.waitstatus_to_exitcode(status)
    return {
        "code": code if code is not None and code >= 0 else None,
        "signal": -code if code is not None and code < 0 else None,
        "cpu_seconds": used.ru_utime + used.ru_stime,
    }


def _wake_on_child() -> int:
    """Return a descriptor that becomes readable whenever a child ends."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _nothing)
    signal.signal(signal.SIGTERM, _nothing)  # the owner died: the poll below sees it
    return reader


def _nothing(_signal: int, _frame: FrameType | None) -> None:
    """Be there: a signal that is handled interrupts the poll."""


def _wait(program: int, lifeline: int, wake: int) -> int | None:
    """Reap whatever ends; return the program's status, `None` if told to stop."""
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while True:
        ended, _ = _reap()
        if program in ended:
            return ended[program]
        ready = {descriptor for descriptor, _ in poll.poll(1000)}
        if lifeline in ready:
            return None
        if wake in ready and signal.SIGTERM in os.read(wake, 4096):
            return None


def _reap() -> tuple[dict[int, int], bool]:
    """Collect the children that ended (id -> status); say whether others live."""
    ended: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return ended, True
            ended[pid] = status
    return ended, False


def _sweep_namespace() -> dict[int, int]:
    """Kill everything but process 1; one call reaches all, so none can dodge."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    return _reap_until_none(lambda: None)


def _sweep_tree(program: int) -> dict[int, int]:
    """Kill all descendants, again and again: a forking one may be missed once.

    Without a /proc only the program's own session can be found.
    """

    def again() -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(program, signal.SIGKILL)
        family = _descendants(os.getpid())
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in family:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)

    return _reap_until_none(again)


def _reap_until_none(again: Callable[[], None]) -> dict[int, int]:
    ended: dict[int, int] = {}
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline:
        again()
        fresh, others = _reap()
        ended |= fresh
        if not others:
            break
        time.sleep(0.002)
    return ended


def _descendants(ancestor: int) -> list[int]:
    """All processes below `ancestor`, as far as there is a /proc to tell."""
    parents: dict[int, int] = {}
    if not os.path.isdir("/proc/self"):
        return []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                parents[int(name)] = _parent(name)
    found: list[int] = []
    layer = {ancestor}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer}
        found += layer
    return found


def _parent(pid: str) -> int:
    descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    try:
        text = os.read(descriptor, 1024)
    finally:
        os.close(descriptor)
    # the name in parentheses may itself hold spaces and parentheses
    return int(text.rpartition(b")")[2].split()[1])

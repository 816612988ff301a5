"""Why nothing may be forked from this process, now that tests were collected in it.

A fork has its own memory, but only one thread, and it shares open descriptors (with
their positions), shared memory and temporary folders with all other forks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import stat
import sys
import tempfile
import typing

Inode = typing.Tuple[int, int]
_TIMERS = {
    "ITIMER_REAL": signal.ITIMER_REAL,
    "ITIMER_VIRTUAL": signal.ITIMER_VIRTUAL,
    "ITIMER_PROF": signal.ITIMER_PROF,
}
_MINE = {"1", str(os.getpid())}


def descriptors() -> typing.Dict[int, Inode]:
    """What is open, and which file it is."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            seen = os.fstat(int(name))
        except OSError:  # the one that listed them
            continue
        found[int(name)] = (seen.st_dev, seen.st_ino)
    return found


def mappings() -> typing.Set[str]:
    """The places in memory that are shared with whoever else has them."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        rows = [line.split(maxsplit=5) for line in file]
    return {row[0] for row in rows if row[1][1] == "w" and row[1][3] == "s"}


class Before(typing.NamedTuple):
    """What there was before pytest started."""

    descriptors: typing.Dict[int, Inode]
    mappings: typing.Set[str]


def before() -> Before:
    """Look now."""
    return Before(descriptors(), mappings())


def first(session: typing.Any, start: Before) -> str:
    """The first reason that is found, empty where there is none."""
    for look in (_session, _running, _timers, _folders):
        reason = look(session)
        if reason:
            return reason
    if mappings() - start.mappings:
        return "memory was shared while tests were collected"
    return _opened(session.config, start)


def _session(session: typing.Any) -> str:
    if session.testsfailed:
        return "the untouched tests cannot all be collected"
    if getattr(session.config.option, "session_timeout", None):
        return "pytest-timeout limits the whole session"
    return ""


def _running(_session: typing.Any) -> str:
    if len(os.listdir("/proc/self/task")) > 1:
        return "a thread was started while tests were collected"
    if {name for name in os.listdir("/proc") if name.isdigit()} - _MINE:
        return "a process was started while tests were collected"
    running = getattr(sys.modules.get("asyncio"), "_get_running_loop", lambda: None)
    if running() is not None:
        return "tests are collected in a running event loop"
    return ""


def _timers(_session: typing.Any) -> str:
    on = [name for name, which in _TIMERS.items() if any(signal.getitimer(which))]
    return "a timer was set while tests were collected" if on else ""


def _folders(session: typing.Any) -> str:
    factory = getattr(session.config, "_tmp_path_factory", None)
    if getattr(factory, "_basetemp", None) is not None:
        return "a temporary folder was made while tests were collected"
    return ""


def _opened(config: typing.Any, start: Before) -> str:
    known = set(start.descriptors.values()) | set(captured(config).values())
    for fd, inode in descriptors().items():
        if inode not in known and not _harmless(fd):
            return "{} was opened while tests were collected".format(_kind(fd))
    return ""


def _harmless(fd: int) -> bool:
    """Whether it has no position and nobody at the other end: `/dev/null`."""
    try:
        seen = os.fstat(fd)
    except OSError:
        return True
    return stat.S_ISCHR(seen.st_mode) and not os.isatty(fd)


def _kind(fd: int) -> str:
    try:
        link = os.readlink("/proc/self/fd/{}".format(fd))
    except OSError:
        return "a descriptor"
    if "eventpoll" in link:
        return "an event loop"
    return "a socket" if link.startswith("socket:") else "a file or pipe"


def captured(config: typing.Any) -> typing.Dict[int, Inode]:
    """The nameless files that pytest's capturing has for descriptors 1 and 2."""
    manager = config.pluginmanager.getplugin("capturemanager")
    both = getattr(manager, "_global_capturing", None)
    found = {}
    for name in ("out", "err"):
        file = getattr(getattr(both, name, None), "tmpfile", None)
        try:
            fd = file.fileno() if file is not None else -1
        except (OSError, ValueError, AttributeError):
            continue  # captured in memory
        if fd >= 0:
            seen = os.fstat(fd)
            found[fd] = (seen.st_dev, seen.st_ino)
    return found


def renew(config: typing.Any, output_fd: int, printed: typing.Set[Inode]) -> None:
    """Give this fork files of its own in place of those that it shares.

    What leads to one of `printed` leads to `output_fd` from now on; what pytest
    captures goes into a fresh file, and a stop in the middle leaves nothing in another
    fork's.
    """
    fresh: typing.Dict[Inode, int] = {}
    for inode in set(captured(config).values()):
        with tempfile.TemporaryFile() as file:
            fresh[inode] = fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, 3)
    for fd, inode in descriptors().items():
        if inode in printed and _written(fd):
            _turn(output_fd, fd)
        elif inode in fresh and fd not in fresh.values():
            _turn(fresh[inode], fd)
    for fd in fresh.values():
        os.close(fd)


def _written(fd: int) -> bool:
    return fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY


def _turn(source: int, fd: int) -> None:
    os.dup2(source, fd, os.get_inheritable(fd))


def flush() -> None:
    """What is printed by now is not to be printed by each fork."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        # a project may have put anything there, or closed it
        with contextlib.suppress(AttributeError, OSError, ValueError):
            typing.cast(typing.TextIO, stream).flush()

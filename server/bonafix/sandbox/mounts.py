"""Steps in; a private view of the file system out, in this mount namespace.

Everything is opened first and then reached through `/proc/self/fd`: a folder that
an earlier step covers can still be shown again, and no path need be escaped.
"""

# os functions start faster than pathlib, and this runs before every test run
# ruff: noqa: PTH102, PTH103, PTH110, PTH112, PTH120, PTH211

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from bonafix.sandbox import kernel

if TYPE_CHECKING:
    from bonafix.sandbox.spec import Mounts, Step

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a private one
_EMPTY = kernel.MS_NOSUID | kernel.MS_NODEV

# Root may write to these without any capability, and they reach the whole machine.
_PERILOUS = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi")


def build(mounts: Mounts, *, xattr: str) -> None:
    """Do all steps, then make everything but the writable places read-only.

    `xattr` is the option that says which extended attributes an overlay may use.

    Raises:
        OSError: a step failed; the message names it.
    """
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    handles = _open_sources(mounts["steps"])
    for step in mounts["steps"]:
        _do(step, handles, xattr)
    _devices(mounts["shared_memory"])
    if mounts["readonly"]:
        kernel.set_readonly("/", on=True, recursive=True)
        for path in (*mounts["writable"], _SHARED_MEMORY, "/dev/pts"):
            _writable(path)
    if mounts["proc"]:
        _fresh_proc(mounts["processes"])
    for handle in handles.values():
        os.close(handle)


def _open_sources(steps: list[Step]) -> dict[str, int]:
    """Open every place that is mounted later, while none is covered yet."""
    handles: dict[str, int] = {}
    for step in steps:
        if step["kind"] in {"bind", "overlay"}:
            for path in (step["source"], step["upper"], step["work"]):
                if path and path not in handles:
                    handles[path] = os.open(path, os.O_PATH)
    return handles


def _do(step: Step, handles: dict[str, int], xattr: str) -> None:
    kind, path, source = step["kind"], step["path"], step["source"]
    if kind == "cover":
        _cover(path)
    elif kind == "link":
        if not os.path.lexists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(source, path)
    elif kind == "bind":
        place = _place(path, folder=os.path.isdir(_by(handles[source])))
        kernel.mount(_by(handles[source]), place, "", kernel.MS_BIND | kernel.MS_REC)
    else:
        overlay(step, handles, xattr)


def _cover(path: str) -> None:
    if os.path.isdir(path):
        kernel.mount("none", path, "tmpfs", _EMPTY, "mode=755,size=1m")
    elif os.path.lexists(path):
        kernel.mount("/dev/null", path, "", kernel.MS_BIND)


def overlay(step: Step, handles: dict[str, int], xattr: str) -> None:
    """`volatile` spares a sync of the disk: nothing in there is worth keeping."""
    lower, upper, work = (
        _by(handles[place]) for place in (step["source"], step["upper"], step["work"])
    )
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    place = _place(step["path"], folder=True)
    kernel.mount("none", place, "overlay", 0, f"{options},index=off,volatile,{xattr}")


def _place(path: str, *, folder: bool) -> str:
    """Make sure that there is something at `path` to mount over."""
    if not os.path.lexists(path):
        os.makedirs(path if folder else os.path.dirname(path), exist_ok=True)
        if not folder:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
    return path


def _devices(shared_memory: int) -> None:
    """Replace /dev by the harmless devices, a private shm and private terminals."""
    handles = {name: os.open(f"/dev/{name}", os.O_PATH) for name in _DEVICES}
    kernel.mount("none", "/dev", "tmpfs", kernel.MS_NOSUID, "mode=755,size=1m")
    for name, handle in handles.items():
        place = _place(f"/dev/{name}", folder=False)
        kernel.mount(_by(handle), place, "", kernel.MS_BIND)
        os.close(handle)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1")):
        os.symlink(f"/proc/self/fd{target}", f"/dev/{name}")
    os.symlink("/proc/self/fd/2", "/dev/stderr")
    os.symlink("pts/ptmx", "/dev/ptmx")
    os.mkdir("/dev/pts")
    with contextlib.suppress(OSError):  # no terminals then: few tests want one
        options = "newinstance,ptmxmode=0666,mode=0620"
        kernel.mount("none", "/dev/pts", "devpts", kernel.MS_NOSUID, options)
    os.mkdir(_SHARED_MEMORY)
    options = f"mode=1777,size={shared_memory}"
    kernel.mount("none", _SHARED_MEMORY, "tmpfs", _EMPTY, options)


def _writable(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        try:
            kernel.set_readonly(path, on=False)
        except OSError as error:
            if error.errno != 22:  # EINVAL: no mount of its own, e.g. /dev/pts  # noqa: PLR2004
                raise


def _fresh_proc(processes: int) -> None:
    """Show the new process ids only, bound their number, protect the settings."""
    kernel.mount("none", "/proc", "proc", _EMPTY)
    if processes:
        with contextlib.suppress(OSError):  # a bound of their own: Linux 6.14
            # the first 300 numbers are never used again after the first round
            _write("/proc/sys/kernel/pid_max", str(processes + 300))
    for name in _PERILOUS:
        path = f"/proc/{name}"
        if os.path.exists(path):
            kernel.mount(path, path, "", kernel.MS_BIND | kernel.MS_REC)
            kernel.set_readonly(path, on=True)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _by(handle: int) -> str:
    return f"/proc/self/fd/{handle}"

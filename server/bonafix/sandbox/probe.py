"""What this machine lets us do, found by doing it, each thing in a child of its own.

Prints one JSON object: the piece -> "" where it works, else what the system said.
`sys.argv[1]` is the folder in which overlays would live.
"""

# os functions start faster than pathlib
# ruff: noqa: PTH102, PTH110, PTH118, PTH123

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from bonafix.sandbox import kernel, mounts
from bonafix.sandbox import kernel_flags as flags

_REASON_LIMIT = 300


def main() -> None:
    """Try every piece and print the answers."""
    base = sys.argv[1]
    # root may do without; a container's root may be refused both
    user = bool(_try(lambda: kernel.unshare(flags.NEWNS)))
    enter = _enter_user if user else _nothing
    answers = {"user": _try(_enter_user) if user else ""}
    pieces: dict[str, Callable[[], None]] = {
        "mounts": _mounts,
        "readonly": _readonly,
        "overlay": lambda: _overlay(base, user=user),
        "network": _network,
        "ipc": lambda: kernel.unshare(flags.NEWIPC),
        "pids": _pids,
        "proc": _proc,
        "processes": _processes,
    }
    for name, piece in pieces.items():
        answers[name] = _try(lambda piece=piece: (enter(), piece()))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    answers["landlock"] = _try(_landlock)
    sys.stdout.write(json.dumps({"user_needed": user, "answers": answers}))
    sys.stdout.flush()


def _try(piece: Callable[[], object]) -> str:
    """Run it in a child; "" if it went well, else the error's text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            piece()
        except BaseException as error:  # noqa: BLE001 - a child reports whatever it was
            os.write(writer, (str(error) or repr(error)).encode()[:_REASON_LIMIT])
            os._exit(1)
        os._exit(0)
    os.close(writer)
    text = os.read(reader, _REASON_LIMIT).decode(errors="replace")
    os.close(reader)
    _, status = os.waitpid(child, 0)
    return "" if status == 0 else text or "the attempt was killed"


def _nothing() -> None:
    """Root needs no user namespace."""


def _enter_user() -> None:
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(flags.NEWUSER)
    kernel.map_own_identity(uid, gid)


def _mounts() -> None:
    kernel.unshare(flags.NEWNS)
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("none", "/tmp", "tmpfs")  # noqa: S108 - in a namespace of its own
    kernel.mount("/etc", "/tmp", "", kernel.MS_BIND | kernel.MS_REC)  # noqa: S108


def _readonly() -> None:
    _mounts()
    kernel.set_readonly("/", on=True, recursive=True)
    kernel.set_readonly("/tmp", on=False)  # noqa: S108 - in a namespace of its own


def _overlay(base: str, *, user: bool) -> None:
    kernel.unshare(flags.NEWNS)
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    folders = [os.path.join(base, name) for name in ("lower", "upper", "work", "tree")]
    for folder in folders:
        os.mkdir(folder)
    lower, upper, work, tree = folders
    handles = {path: os.open(path, os.O_PATH) for path in (lower, upper, work)}
    xattr = "userxattr" if user else "redirect_dir=on"
    mounts.overlay(
        {
            "kind": "overlay",
            "path": tree,
            "source": lower,
            "upper": upper,
            "work": work,
        },
        handles,
        xattr,
    )
    with open(os.path.join(tree, "probe"), "w", encoding="utf-8") as file:
        file.write("written")
    if not os.path.exists(os.path.join(upper, "probe")):
        raise OSError("what was written did not arrive")


def _network() -> None:
    kernel.unshare(flags.NEWNET)
    kernel.loopback_up()


def _pids() -> None:
    kernel.unshare(flags.NEWPID)
    child = os.fork()
    if child == 0:
        os._exit(0 if os.getpid() == 1 else 1)
    if os.waitpid(child, 0)[1]:
        raise OSError("the first process is not process 1")


def _proc() -> None:
    _as_first(_mount_proc)


def _processes() -> None:
    def bound() -> None:
        _mount_proc()
        with open("/proc/sys/kernel/pid_max", "w", encoding="utf-8") as file:
            file.write("4096")

    _as_first(bound)


def _mount_proc() -> None:
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("none", "/proc", "proc")


def _as_first(piece: Callable[[], None]) -> None:
    kernel.unshare(flags.NEWNS | flags.NEWPID)
    if reason := _try(piece):
        raise OSError(reason)


def _landlock() -> None:
    import sandlock  # noqa: PLC0415 - costly, and may be absent

    sandlock.confine(
        sandlock.Sandbox(fs_readable=["/"], allow_degraded=list(sandlock.Protection))
    )
    try:
        with open("/tmp/bonafix-probe", "w", encoding="utf-8"):  # noqa: S108
            raise OSError("a forbidden write was let through")
    except PermissionError:
        return

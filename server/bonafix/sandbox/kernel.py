"""Linux system calls that the standard library lacks, each raising `OSError`.

Used by the launcher only, after a fresh start, so it imports next to nothing.
Numbers and layouts: the kernel's own headers (`linux/mount.h`, `linux/prctl.h`).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000

# What Docker leaves to root, less `mknod`: enough for tests that change owners or
# users, not enough to reach a disk, a kernel setting or another process.
KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 31})

_MOUNT_SETATTR = 442  # the same number on every architecture
_MOUNT_ATTR_RDONLY = 0x1
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1
_AF_INET = 2
_SOCK_DGRAM_CLOEXEC = 0o2000002

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave the namespaces in `flags` for fresh ones."""
    _checked(_libc.unshare(flags), "unshare")


def mount(
    source: str, target: str, kind: str, flags: int = 0, options: str = ""
) -> None:
    """`mount(2)`; an empty `kind` or `options` is passed as a null pointer."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        os.fsencode(options) or None,
    )
    _checked(result, f"mount {kind or 'bind'}", target)


def set_readonly(path: str, *, on: bool, recursive: bool = False) -> None:
    """Switch writing to the mount at `path` (and those below it) off or on."""
    bit = _MOUNT_ATTR_RDONLY
    attributes = struct.pack("QQQQ", bit if on else 0, 0 if on else bit, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(path),
        ctypes.c_uint(_AT_RECURSIVE if recursive else 0),
        attributes,
        ctypes.c_size_t(len(attributes)),
    )
    _checked(result, "mount_setattr", path)


def loopback_up() -> None:
    """Bring `lo` up in this network namespace: it starts down, 127.0.0.1 dead."""
    sock = _checked(_libc.socket(_AF_INET, _SOCK_DGRAM_CLOEXEC, 0), "socket")
    try:
        request = struct.pack("16sh22x", b"lo", 0)
        answer = fcntl.ioctl(sock, _SIOCGIFFLAGS, request)
        flags = struct.unpack_from("h", answer, 16)[0]
        request = struct.pack("16sh22x", b"lo", flags | _IFF_UP)
        fcntl.ioctl(sock, _SIOCSIFFLAGS, request)
    finally:
        os.close(sock)


def map_own_identity(uid: int, gid: int) -> None:
    """In a fresh user namespace, stay who we were; nobody else is mapped."""
    for name, text in (
        ("setgroups", "deny"),  # else an ordinary user may not write gid_map
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def die_with_parent(signal_number: int) -> None:
    """Ask for a signal when the parent dies; forgotten at the next fork."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parents die."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def hide_memory() -> None:
    """Deny tracing of this process to others of the same user, until `exec`."""
    _prctl(_PR_SET_DUMPABLE, 0)


def no_new_privileges() -> None:
    """Make set-user-id programs and file capabilities powerless from here on."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities(kept: frozenset[int]) -> None:
    """Take all but `kept` out of the bounding set; `exec` then loses them."""
    for capability in range(64):
        if capability in kept:
            continue
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError:
            return  # past the last one that this kernel knows, or not ours to drop


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    result = _libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero)
    _checked(result, f"prctl {option}")


def _checked(result: int, what: str, path: str | None = None) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}", path)
    return result

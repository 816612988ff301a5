"""What this machine can confine, tried out once; what is lacking, and what helps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bonafix.errors import ConfinementError, SandboxError
from bonafix.sandbox import launch

Confine = Literal["require", "prefer", "off"]

_PROBE_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What works here for this user; `found` says how each missing piece failed."""

    platform: str  # sys.platform
    root: bool = False
    user: bool = False  # a user namespace works, or (root) is not needed
    user_needed: bool = True  # the other namespaces are reached through one
    mounts: bool = False
    readonly: bool = False  # a whole view of the file system can be made read-only
    overlay: bool = False  # for copies at the place that was asked about
    network: bool = False
    ipc: bool = False
    pids: bool = False
    proc: bool = False  # a fresh /proc in a fresh process namespace
    processes: bool = False  # their number can be bounded
    landlock: int = 0  # the kernel's ABI version; 0 = it does not work
    seccomp: bool = False
    found: Mapping[str, str] | None = None  # piece -> what the system said

    @property
    def writes(self) -> bool:
        """Whether writes outside the copy can be refused, one way or the other."""
        return self.landlock > 0 or (self.mounts and self.readonly)

    @property
    def reads(self) -> bool:
        """Whether the home and the original tree can be hidden."""
        return self.landlock > 0 or self.mounts


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that is missing here, and what would bring it."""

    piece: str
    means: str  # a noun phrase for the line that describes a run
    advice: str


_USER_NAMESPACES = (
    "allow unprivileged user namespaces (user.max_user_namespaces above 0 and "
    "kernel.unprivileged_userns_clone=1; on "
    "Ubuntu kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor profile "
    "for Python; in a container --security-opt seccomp=unconfined or a sandboxing "
    "runtime)"
)
_LANDLOCK = (
    "Linux 5.13 or newer with landlock among the active security modules "
    "(lsm=landlock,... on the kernel's command line), and the sandlock package"
)
_LACKS = {
    "network": Lack("network", "a network of its own", _USER_NAMESPACES),
    "mounts": Lack("mounts", "a private /tmp", _USER_NAMESPACES),
    "overlay": Lack(
        "overlay",
        "an overlay (each run copies the tree)",
        "Linux 5.11 or newer, and a temporary folder (TMPDIR) on ext4, xfs, btrfs "
        "or tmpfs, not on another overlay",
    ),
    "pids": Lack(
        "pids", "a process namespace (runs are ended by a sweep)", _USER_NAMESPACES
    ),
    "proc": Lack(
        "proc",
        "a /proc of its own",
        "run outside a container, or in one whose /proc is not masked "
        "(--security-opt systempaths=unconfined)",
    ),
    "ipc": Lack("ipc", "System V IPC of its own", _USER_NAMESPACES),
    "landlock": Lack(
        "landlock",
        "Landlock",
        _LANDLOCK,
    ),
    "writes": Lack("writes", "protection from writes outside the copy", _LANDLOCK),
    "reads": Lack("reads", "a hidden home and original tree", _LANDLOCK),
    "processes": Lack(
        "processes",
        "a limit on the number of processes",
        "run as an ordinary user with user namespaces, or Linux 6.14 or newer",
    ),
}
# What cannot be done without, when confinement is required.
_REQUIRED = ("writes", "network")

_known: dict[int, Capabilities] = {}


def capabilities(at: Path | None = None) -> Capabilities:
    """Try everything in a child process, once per file system that `at` lies on.

    `at` is where copies will live (default: the temporary folder); the first call
    blocks for about a fifth of a second.
    """
    if sys.platform != "linux":
        return Capabilities(platform=sys.platform)
    place = at or Path(tempfile.gettempdir())
    device = place.stat().st_dev
    if device not in _known:
        _known[device] = _probe(place)
    return _known[device]


def lacks(caps: Capabilities) -> tuple[Lack, ...]:
    """What is missing here, most serious first."""
    if caps.platform != "linux":
        return tuple(_LACKS[piece] for piece in ("writes", "reads", "network", "pids"))
    order = (
        *("writes", "reads", "network", "pids", "mounts", "proc", "ipc"),
        *("landlock", "processes", "overlay"),
    )
    return tuple(_LACKS[piece] for piece in order if not getattr(caps, piece))


def describe(caps: Capabilities | None = None) -> str:
    """One line: the kind of confinement, and what it lacks."""
    caps = caps or capabilities()
    pieces = (("mount", "mounts"), ("network",) * 2, ("process", "pids"), ("ipc",) * 2)
    spaces = [name for name, piece in pieces if getattr(caps, piece)]
    kinds = [f"namespaces ({', '.join(spaces)})"] if spaces else []
    kinds += [f"Landlock {caps.landlock}"] if caps.landlock else []
    kinds += ["an overlay" if caps.overlay and caps.mounts else "a copied tree"]
    missing = ", ".join(lack.means for lack in lacks(caps))
    return " + ".join(kinds) + (f"; lacks {missing}" if missing else "")


def advice(caps: Capabilities | None = None) -> tuple[str, ...]:
    """One line for each thing that is lacking, and what would bring it."""
    caps = caps or capabilities()
    if caps.platform != "linux":
        return (f"{_system(caps)} offers no namespaces: run in Linux to confine tests",)
    said = caps.found or {}
    lines = []
    for lack in lacks(caps):
        reason = f" ({said[lack.piece]})" if said.get(lack.piece) else ""
        lines.append(f"no {lack.means}{reason}: {lack.advice}")
    return tuple(lines)


def require(caps: Capabilities) -> None:
    """Refuse to go on where tests could write anywhere or reach the network.

    Raises:
        ConfinementError: says what is missing and which setting goes on without.
    """
    missing = [lack for lack in lacks(caps) if lack.piece in _REQUIRED]
    if not missing:
        return
    what = " and ".join(lack.means for lack in missing)
    help_ = "; ".join(dict.fromkeys(lack.advice for lack in missing))
    raise ConfinementError(
        f"Tests cannot be confined on this machine: it lacks {what}. "
        f"What would help: {help_}. To run them with what there is, set "
        '`confine = "prefer"` in your user settings, or pass it on the command line.'
    )


def refuse_windows() -> None:
    """Send users of Windows to where this works.

    Raises:
        SandboxError: this is Windows.
    """
    if sys.platform == "win32":
        raise SandboxError(
            "Bonafix runs tests on Linux and macOS. On Windows, install it in WSL "
            "(wsl --install) and open the project there."
        )


def _system(caps: Capabilities) -> str:
    return {"darwin": "macOS"}.get(caps.platform, caps.platform)


def _probe(place: Path) -> Capabilities:
    with tempfile.TemporaryDirectory(prefix="probe-", dir=place) as folder:
        done = subprocess.run(
            [*launch.command("probe"), folder],
            env=launch.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    root = os.geteuid() == 0
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        tail = done.stderr.decode(errors="replace")[-300:]
        return Capabilities(platform="linux", root=root, found={"probe": tail})
    return _read(answer["answers"], user_needed=answer["user_needed"], root=root)


def _read(answers: Mapping[str, str], *, user_needed: bool, root: bool) -> Capabilities:
    works = {piece: not said for piece, said in answers.items()}
    return Capabilities(
        platform="linux",
        root=root,
        user=works["user"],
        user_needed=user_needed,
        mounts=works["mounts"],
        readonly=works["readonly"],
        overlay=works["mounts"] and works["overlay"],
        network=works["network"],
        ipc=works["ipc"],
        pids=works["pids"],
        proc=works["proc"] and works["mounts"],
        # an ordinary user's count starts afresh in a user namespace; root has none
        processes=works["processes"] or (user_needed and works["user"] and not root),
        landlock=_landlock_version() if works["landlock"] else 0,
        seccomp=Path("/proc/sys/kernel/seccomp/actions_avail").exists(),
        found={piece: said for piece, said in answers.items() if said},
    )


def _landlock_version() -> int:
    """Ask the kernel itself: importing sandlock costs a tenth of a second."""
    import ctypes  # noqa: PLC0415 - not wanted where there is no Landlock

    create_ruleset = 444  # the same number on every architecture
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(
        ctypes.c_long(create_ruleset), None, ctypes.c_size_t(0), ctypes.c_uint(1)
    )
    return max(int(version), 0)

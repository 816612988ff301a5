"""What a cell needs and what this machine can do in; the launcher's spec out.

What is planned is what the probe saw working: at run time every step succeeds, or
nothing runs. So what a cell says about its confinement holds.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bonafix.domain import Snapshot
from bonafix.sandbox import kernel_flags as flags
from bonafix.sandbox import view
from bonafix.sandbox.confinement import Capabilities
from bonafix.sandbox.spec import Landlock, Mounts, Spec, Step, StepKind
from bonafix.sandbox.view import Place

NICENESS = "BONAFIX_NICE"

_MEBI = 1 << 20

_DEVICES = (
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
    *("/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/shm"),  # noqa: S108 - a place to allow
)
# A cell has these for itself. Sockets of the user's session and of system services
# live in /run, and a program that reaches one of them (D-Bus, Docker) is out.
_PRIVATE = ("/tmp", "/var/tmp", "/run")  # noqa: S108 - places to be covered
# Where NixOS keeps its programs.
_PACKAGES = ("/run/current-system", "/run/opengl-driver")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for each process (`processes`: for all together)."""

    memory: int = 4 << 30  # bytes of private memory
    files: int = 4096  # open at once
    processes: int = 1024  # and threads, at once
    file_size: int = 4 << 30  # bytes of one file


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A cell's folders, and everything about it that its runs have in common."""

    base: Path
    lower: Path
    upper: Path | None  # None: the tree is a real copy
    tree: Path
    tmp: Path
    var_tmp: Path
    home: Path
    caps: Capabilities
    limits: Limits
    places: tuple[Place, ...]  # what is hidden, and what is shown in it
    links: tuple[tuple[str, str], ...]  # on the way to what is shown


def ground(
    snapshot: Snapshot,
    base: Path,
    caps: Capabilities,
    *,
    limits: Limits,
    readable: Sequence[Path],
    hidden: Sequence[Path],
) -> Ground:
    """Lay out a cell in the fresh folder `base`."""
    real = Path(os.path.realpath(base))
    places, links = _arrange(snapshot, real, readable, hidden, caps=caps)
    overlaid = caps.mounts and caps.overlay
    return Ground(
        base=real,
        lower=Path(os.path.realpath(snapshot.lower)),
        upper=real / "upper" if overlaid else None,
        tree=real / "tree",
        tmp=real / "tmp",
        var_tmp=real / "vartmp",
        home=real / "home",
        caps=caps,
        limits=limits,
        places=places,
        links=links,
    )


def homes() -> tuple[Path, ...]:
    """The user's home by the environment and by the user database; never `/`."""
    found = [os.environ.get("HOME", "")]
    if sys.platform != "win32":
        import pwd  # noqa: PLC0415 - does not exist on Windows

        with contextlib.suppress(KeyError):  # a container's user without a name
            found.append(pwd.getpwuid(os.geteuid()).pw_dir)
    real = {os.path.realpath(home) for home in found if home.startswith("/")}
    return tuple(Path(home) for home in sorted(real - {"/"}))


def _arrange(
    snapshot: Snapshot,
    base: Path,
    readable: Sequence[Path],
    hidden: Sequence[Path],
    *,
    caps: Capabilities,
) -> tuple[tuple[Place, ...], tuple[tuple[str, str], ...]]:
    secret = [snapshot.root, snapshot.lower, base.parent, *homes(), *hidden]
    hide = {os.path.realpath(path) for path in secret}
    show = {os.path.realpath(path) for path in readable if _reachable(path)}
    if caps.mounts:
        hide |= {os.path.realpath(path) for path in _PRIVATE if _reachable(path)}
        hide |= set(_sockets())
        show |= {path for path in _PACKAGES if _reachable(path)}
    links = [link for path in readable for link in view.links_on_the_way(path)]
    return view.arrange(hide, show), tuple(dict.fromkeys(links))


def _reachable(path: str | Path) -> bool:
    """Whether it is there, as far as this user can see."""
    try:
        os.stat(path)  # noqa: PTH116 - pathlib's questions raise where we may not look
    except (OSError, ValueError):
        return False
    return True


def _sockets() -> Iterator[str]:
    """The paths at which programs of this machine listen right now.

    A read-only file system does not keep anyone from connecting to a socket in it.
    """
    try:
        table = Path("/proc/net/unix").read_text(errors="surrogateescape")
    except OSError:
        return
    for line in table.splitlines():
        path = line.split(maxsplit=7)[-1]
        if path.startswith("/") and _reachable(path):
            yield os.path.realpath(path)


def spec(
    ground: Ground,
    *,
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    work: Path | None,
    lifeline: int,
    status: int,
    pass_fds: Sequence[int],
    seconds: float,
) -> Spec:
    """All that the launcher must know for one run."""
    caps = ground.caps
    spaces = _namespaces(caps)
    return {
        "owner": os.getpid(),
        "argv": list(argv),
        "env": _environment(ground, env),
        "cwd": str(cwd),
        "pass_fds": list(pass_fds),
        "lifeline": lifeline,
        "status": status,
        "namespaces": spaces,
        "user_namespace": bool(spaces & flags.NEWUSER),
        "process_ids": caps.pids,
        "loopback": caps.network,
        "mounts": _mounts(ground, work) if caps.mounts else None,
        "landlock": _landlock(ground) if caps.landlock else None,
        "drop_capabilities": spaces != 0,
        "limits": _limits(ground, seconds),
        "nice": _niceness(),
    }


def _namespaces(caps: Capabilities) -> int:
    wanted = (
        (caps.mounts, flags.NEWNS),
        (caps.network, flags.NEWNET),
        (caps.pids, flags.NEWPID),
        (caps.ipc, flags.NEWIPC),
    )
    found = sum(flag for works, flag in wanted if works)
    return found | flags.NEWUSER if found and caps.user_needed else found


def _niceness() -> int:
    """What the owner's environment says: a server's jobs yield, a batch's do not."""
    given = os.environ.get(NICENESS, "")
    return min(int(given), 19) if given.isdecimal() else 0


def _environment(ground: Ground, env: Mapping[str, str]) -> dict[str, str]:
    """The caller's, with our own places; the user's own folders have no names."""
    kept = {k: v for k, v in env.items() if not k.startswith("XDG_")}
    # the usual name where it is ours: it is short, and sockets need short paths
    tmp = "/tmp" if ground.caps.mounts else str(ground.tmp)  # noqa: S108 - ours inside
    own = {"HOME": str(ground.home), "TMPDIR": tmp, "TMP": tmp, "TEMP": tmp}
    return kept | own


def _limits(ground: Ground, seconds: float) -> dict[str, int]:
    bounds = ground.limits
    found = {
        # address space is reserved far beyond what is used (V8, sanitizers, threads'
        # arenas): private memory is what is bounded, the rest loosely
        "RLIMIT_DATA": bounds.memory,
        "RLIMIT_AS": 4 * bounds.memory,
        "RLIMIT_FSIZE": bounds.file_size,
        "RLIMIT_NOFILE": bounds.files,
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": int(seconds * (os.cpu_count() or 1)) + 60,
    }
    if _namespaces(ground.caps) & flags.NEWUSER:
        # the count is of the user namespace; outside, of all that the user runs
        found["RLIMIT_NPROC"] = bounds.processes
    return found


def _landlock(ground: Ground) -> Landlock:
    own = [str(ground.tree), str(ground.tmp), str(ground.home)]
    if ground.caps.mounts:
        read = ["/"]  # the mounts have hidden what is to be hidden
        own += ["/tmp", "/var/tmp"]  # noqa: S108 - private ones
    else:
        read = [*view.readable(ground.places), *own]
    # processes write to their own entries there; root could reach the machine's
    proc = ["/proc"] if ground.caps.proc or not ground.caps.root else []
    present = [path for path in _DEVICES if _reachable(path)]
    return {"read": read, "write": [*own, *present, *proc]}


def _mounts(ground: Ground, work: Path | None) -> Mounts:
    return {
        "steps": list(_steps(ground, work)),
        "readonly": ground.caps.readonly,
        "writable": [
            *map(str, (ground.tree, ground.tmp, ground.home)),
            *("/tmp", "/var/tmp"),  # noqa: S108 - private ones
        ],
        "proc": ground.caps.proc and ground.caps.pids,
        "shared_memory": max(ground.limits.memory // 2, 64 * _MEBI),
        "processes": ground.limits.processes,
    }


def _steps(ground: Ground, work: Path | None) -> Iterator[Step]:
    own = {
        os.path.realpath("/tmp"): ground.tmp,  # noqa: S108 - to be covered
        os.path.realpath("/var/tmp"): ground.var_tmp,  # noqa: S108 - to be covered
    }
    for place in ground.places:
        if place.kind == "show":
            yield _step("bind", place.path, source=place.path)
        elif place.path in own:
            yield _step("bind", place.path, source=str(own[place.path]))
        else:
            yield _step("cover", place.path)
    for link, text in ground.links:
        if not view.visible(link, ground.places):
            yield _step("link", link, source=text)
    for folder in (ground.tmp, ground.home):
        yield _step("bind", str(folder), source=str(folder))
    if ground.upper is not None:
        yield _step(
            "overlay",
            str(ground.tree),
            source=str(ground.lower),
            upper=str(ground.upper),
            work=str(work),
        )
    else:
        yield _step("bind", str(ground.tree), source=str(ground.tree))


def _step(
    kind: StepKind, path: str, *, source: str = "", upper: str = "", work: str = ""
) -> Step:
    return {
        "kind": kind,
        "path": path,
        "source": source,
        "upper": upper,
        "work": work,
    }

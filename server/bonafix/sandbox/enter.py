"""The launcher: a spec on standard input, a confined program out.

Runs as a fresh small process of our own interpreter. The order is the kernel's:
namespaces, identity, mounts, then (in the program's process alone) limits,
capabilities, Landlock, which forbids mounting, and last `exec`. A step that fails
ends it with a report: what was promised is in place, or nothing runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from bonafix.sandbox import supervise

if sys.platform == "linux":
    from bonafix.sandbox import kernel, mounts

if TYPE_CHECKING:
    from bonafix.sandbox.spec import Landlock, Report, Spec

_TRIES = 5  # to draw up the rules while neighbours come and go
_ORPHANED = 3  # nobody is left to read an exit code
_FIRST_TO_GO = "600"  # of 1000: a greedy test dies before anything of the user's


def main() -> NoReturn:
    """Read the spec and do what it says; never returns."""
    spec: Spec = json.loads(_read_all(0))
    _replace_stdin()
    for descriptor in (spec["lifeline"], spec["status"]):
        os.set_inheritable(descriptor, False)  # noqa: FBT003
    try:
        code = _enter(spec)
    except OSError as error:
        _report(spec, {"error": str(error), "step": "enter"})
        code = 1
    os._exit(code)


def _enter(spec: Spec) -> int:
    confine = _landlock(spec["landlock"])  # its import may lie in what gets hidden
    _follow_owner(spec)
    if spec["namespaces"]:
        _new_namespaces(spec)
    if not spec["process_ids"]:
        return _run(spec, confine, alone=False)
    first = os.fork()
    if first == 0:
        _as_first_process(spec, confine)
    _let_go(spec["pass_fds"])
    _, status = os.waitpid(first, 0)
    return 0 if status == 0 else 1


def _follow_owner(spec: Spec) -> None:
    """Die with the server even if it is killed; the lifeline alone would do."""
    if sys.platform != "linux":
        return
    if spec["process_ids"]:
        kernel.die_with_parent(signal.SIGKILL)  # process 1 follows, then all
    else:
        kernel.adopt_orphans()
        kernel.die_with_parent(signal.SIGTERM)  # there is sweeping to do
    if os.getppid() != spec["owner"]:
        os._exit(_ORPHANED)


def _new_namespaces(spec: Spec) -> None:
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(spec["namespaces"])
    if spec["user_namespace"]:
        kernel.map_own_identity(uid, gid)
    if spec["loopback"]:
        kernel.loopback_up()


def _as_first_process(spec: Spec, confine: Confine) -> NoReturn:
    code = 1
    try:
        kernel.die_with_parent(signal.SIGKILL)
        code = _run(spec, confine, alone=True)
    except OSError as error:
        _report(spec, {"error": str(error), "step": "mounts"})
    finally:
        os._exit(code)


def _run(spec: Spec, confine: Confine, *, alone: bool) -> int:
    if spec["mounts"]:
        xattr = "userxattr" if spec["user_namespace"] else "redirect_dir=on"
        mounts.build(spec["mounts"], xattr=xattr)
    program = os.fork()
    if program == 0:
        _become(spec, confine)
    if sys.platform == "linux":
        kernel.hide_memory()
    _let_go(spec["pass_fds"])
    _report(spec, supervise.supervise(program, spec["lifeline"], alone=alone))
    return 0


def _become(spec: Spec, confine: Confine) -> NoReturn:
    """Give up what is left to give up, then be the program."""
    step = "limits"
    try:
        os.setsid()
        _limit(spec["limits"])
        _volunteer()
        _step_back(spec.get("nice", 0))
        step = "confine"
        if sys.platform == "linux":
            kernel.die_with_parent(signal.SIGKILL)
            if spec["drop_capabilities"]:
                root = os.geteuid() == 0 and not spec["user_namespace"]
                kept = kernel.KEPT_CAPABILITIES if root else frozenset[int]()
                kernel.drop_capabilities(kept)
            kernel.no_new_privileges()
        confine()
        step = "start"
        os.chdir(spec["cwd"])
        _default_signals()
        for descriptor in spec["pass_fds"]:
            os.set_inheritable(descriptor, True)  # noqa: FBT003
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])  # noqa: S606 - the point
    except (OSError, ValueError, RuntimeError) as error:
        _report(spec, {"error": str(error), "step": step})
    finally:
        os._exit(127)


def _landlock(rules: Landlock | None) -> Confine:
    """Import and prepare now what may only be switched on at the very end."""
    if rules is None:
        return _unconfined
    import sandlock  # noqa: PLC0415 - costly, and absent on other systems

    def confine() -> None:
        # What lay beside a hidden folder a moment ago may be gone by now, and one
        # path that is not there fails the whole set of rules.
        for left in reversed(range(_TRIES)):
            readable = [path for path in rules["read"] if os.path.lexists(path)]
            policy = sandlock.Sandbox(
                fs_readable=readable,
                fs_writable=rules["write"],
                # older kernels know fewer kinds of access; each is better than none
                allow_degraded=list(sandlock.Protection),
            )
            try:
                sandlock.confine(policy)
            except sandlock.SandlockError as error:
                if left and not all(map(os.path.lexists, readable)):
                    continue
                raise OSError(f"Landlock: {error}") from error
            return

    return confine


def _unconfined() -> None:
    """Do nothing."""


def _limit(limits: dict[str, int]) -> None:
    """Set soft and hard limits, never above the hard ones we were given."""
    for name, value in limits.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue  # not known on this system
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (bound, bound))
        except (OSError, ValueError):
            if sys.platform == "linux":  # macOS knows some of them by name only
                raise


def _volunteer() -> None:
    """Be what the kernel kills first when the machine's memory runs out."""
    with contextlib.suppress(OSError):  # no /proc of our own, or another system
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(descriptor, _FIRST_TO_GO.encode())
        os.close(descriptor)


def _step_back(nice: int) -> None:
    """Let go first whoever a person waits for; where that is refused, do not.

    The kernel may weigh whole sessions against each other, and the program has one of
    its own: then a process's niceness counts for nothing outside it.
    """
    if not nice:
        return
    with contextlib.suppress(OSError):
        before = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, 0, max(nice, before))
    with contextlib.suppress(OSError):
        descriptor = os.open("/proc/self/autogroup", os.O_WRONLY)
        os.write(descriptor, str(nice).encode())
        os.close(descriptor)


def _default_signals() -> None:
    """Undo what our interpreter set at its start: `exec` would hand it on."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _let_go(descriptors: list[int]) -> None:
    """Close our ends: the reader must see the end of file when the program ends."""
    for descriptor in descriptors:
        os.close(descriptor)


def _report(spec: Spec, report: Report) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(spec["status"], json.dumps(report).encode() + b"\n")


def _read_all(descriptor: int) -> bytes:
    parts: list[bytes] = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _replace_stdin() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


if TYPE_CHECKING:
    from collections.abc import Callable

    Confine = Callable[[], None]

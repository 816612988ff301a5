"""What the owner tells the launcher, as JSON; types only, shared by both sides."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

# One step of building the view of the file system, in order:
#   cover  an empty folder over `path`; nothing where `path` does not exist
#   bind   what was at `source` before the first step, now also at `path`
#   link   a symbolic link at `path` with the text `source`, unless it is there
#   overlay  `source` (lower), `upper` and `work` merged at `path`
StepKind = Literal["cover", "bind", "link", "overlay"]


class Step(TypedDict):
    """One change to the mounts; see `StepKind`."""

    kind: StepKind
    path: str
    source: str
    upper: str
    work: str


class Mounts(TypedDict):
    """The private view of the file system."""

    steps: list[Step]
    readonly: bool  # all but `writable` is read-only
    writable: list[str]
    proc: bool  # a fresh /proc for the fresh process ids
    shared_memory: int  # bytes of the private /dev/shm
    processes: int  # how many at once, kept by the process ids' upper bound; 0: no


class Landlock(TypedDict):
    """Where the program may read and execute, and where it may also write."""

    read: list[str]
    write: list[str]


class Spec(TypedDict):
    """One run: the argv and all that has to be in place before it."""

    owner: int  # process id of the server
    argv: list[str]
    env: dict[str, str]
    cwd: str
    pass_fds: list[int]
    lifeline: int  # read end: at its end of file, everything is killed
    status: int  # write end: JSON lines, see `Report`
    namespaces: int  # flags for unshare
    user_namespace: bool
    process_ids: bool
    loopback: bool
    mounts: Mounts | None
    landlock: Landlock | None
    drop_capabilities: bool
    limits: dict[str, int]  # "RLIMIT_..." -> value
    nice: NotRequired[int]  # how far the program steps back behind others; 0: not


class Report(TypedDict, total=False):
    """A line on the status pipe: a failure to start, or how the program ended."""

    error: str
    step: str
    code: int | None
    signal: int | None
    cpu_seconds: float

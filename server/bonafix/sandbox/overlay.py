"""Files laid over a copied tree: by writing into it, or into an overlay's upper one."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from bonafix.errors import SandboxError

_WHITEOUT = os.makedev(0, 0) if hasattr(os, "makedev") else 0


def place(tree: Path, path: str, *, follow: bool = True) -> Path:
    """Where in `tree` the contents of `path` belong: links in it are followed.

    `follow=False` stops at a link that `path` itself is, as deleting does.

    Raises:
        SandboxError: `path` is not below the tree, or a link leads out of it.
    """
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in path:
        raise SandboxError(f"{path!r} is not a path inside the project.")
    real = Path(os.path.realpath(tree))
    if follow:
        target = Path(os.path.realpath(real / pure))
    else:
        target = Path(os.path.realpath(real / pure.parent)) / pure.name
    if not target.is_relative_to(real) or target == real:
        raise SandboxError(
            f"{path!r} leads out of the project by a symbolic link: only files that "
            "lie in the project can be changed in a copy of it."
        )
    return target


def write(target: Path, contents: bytes, mode: int | None = None) -> None:
    """Write a file afresh, making folders on the way; it keeps its mode.

    Raises:
        SandboxError: a file stands where a folder is needed, or the reverse.
    """
    try:
        if mode is None and target.exists():
            mode = stat.S_IMODE(target.stat().st_mode)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_bytes(contents)
        if mode is not None:
            target.chmod(mode)
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise SandboxError(
            f"{target.name} cannot be put into the copy: a file is in the way of a "
            f"folder, or the reverse ({error.strerror})."
        ) from error


def lay_into(tree: Path, files: Mapping[str, bytes | None]) -> None:
    """Lay `files` over a real copy; `None` deletes."""
    for path, contents in files.items():
        target = place(tree, path, follow=contents is not None)
        if contents is not None:
            write(target, contents)
        elif os.path.lexists(target):
            target.unlink()


def lay_over(lower: Path, upper: Path, files: Mapping[str, bytes | None]) -> None:
    """Prepare the upper tree of an overlay so that the merged one shows `files`.

    Folders that exist in `lower` are made anew with its modes: in the merged tree
    the upper one's count.
    """
    for path, contents in files.items():
        found = place(lower, path, follow=contents is not None)
        target = found.relative_to(os.path.realpath(lower))
        _make_parents(lower, upper, target)
        below, above = lower / target, upper / target
        if contents is not None:
            mode = stat.S_IMODE(below.stat().st_mode) if below.exists() else None
            write(above, contents, mode)
        elif os.path.lexists(below):
            # a character device 0:0 is how an overlay says "deleted"
            os.mknod(above, stat.S_IFCHR, _WHITEOUT)


def _make_parents(lower: Path, upper: Path, target: Path) -> None:
    for parent in reversed(target.parents):
        below, above = lower / parent, upper / parent
        if above.is_dir():
            continue
        if below.exists() and not below.is_dir():
            raise SandboxError(
                f"{target.as_posix()} cannot be put into the copy: "
                f"{parent.as_posix()} is a file."
            )
        above.mkdir()
        if below.is_dir():
            above.chmod(stat.S_IMODE(below.stat().st_mode))

"""A judged patch onto the user's tree: all files or none.

New contents wait as temporary files beside their targets, and the originals as hard
links, before the first file is replaced: from there on nothing needs space, and
taking back is a rename. Signals wait until all is done or taken back.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from bonafix.domain import Change, Patch
from bonafix.errors import DeliveryError

_PLAIN = frozenset({"modify", "add", "delete", "rename"})
_DEFERRED = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class _Step:
    """One file on its way; paths are absolute, `None` until they exist."""

    change: Change
    target: Path
    fresh: Path | None = None  # the new content
    kept: Path | None = None  # the original
    done: bool = False


@dataclass(slots=True)
class _Delivery:
    steps: tuple[_Step, ...]
    folders: list[Path] = field(default_factory=list)  # made for new files


def apply(root: Path, patch: Patch) -> None:
    """Write `patch` to the tree at `root`, all files or none.

    Each file must hold `Change.before` at this very moment. Modes and, where the
    system lets us, owners stay; links inside the tree are followed, and stay.

    Raises:
        DeliveryError: a file moved on, is read-only or not a plain file, its path
            leaves the tree, or the system refuses; nothing has changed then.
    """
    with _signals_deferred():
        base = root.resolve()
        delivery = _Delivery(tuple(_step(base, change) for change in patch.changes))
        if len({step.target for step in delivery.steps}) < len(delivery.steps):
            raise DeliveryError("two paths of the patch are one file, through a link")
        for step in delivery.steps:
            _check(step)
        try:
            _stage(delivery)
            for step in delivery.steps:
                _check(step)  # staging took its time
            _commit(delivery.steps)
        except BaseException as error:
            _take_back(delivery)
            if isinstance(error, OSError):
                raise _refused(error) from error
            raise
        _settle(delivery)


# ------------------------------------------------------------------ may it be done


def _step(base: Path, change: Change) -> _Step:
    path = change.path
    if change.kind not in _PLAIN:
        raise DeliveryError(f"{path}: a change of kind {change.kind} is not delivered")
    if "\0" in path or Path(path).is_absolute() or ".." in Path(path).parts:
        raise DeliveryError(f"{path!r} lies outside the project")
    try:
        target = (base / path).resolve()
    except (OSError, RuntimeError) as error:  # a loop of links
        raise DeliveryError(f"{path}: {error}") from error
    if not target.is_relative_to(base) or target == base:
        raise DeliveryError(f"{path} leads out of the project through a link")
    if change.after is None and (base / path).is_symlink():
        raise DeliveryError(f"{path} is a link; it is not deleted")
    return _Step(change, target)


def _check(step: _Step) -> None:
    """Refuse a file that is not what the patch was judged against."""
    path, before, target = step.change.path, step.change.before, step.target
    try:
        info = target.lstat()
    except FileNotFoundError:
        if before is not None:
            raise DeliveryError(f"{path} is gone since the patch was judged") from None
        return
    except OSError as error:
        raise DeliveryError(f"{path}: {error.strerror}") from error
    if before is None:
        raise DeliveryError(f"{path} exists now; the patch would add it")
    if not stat.S_ISREG(info.st_mode):
        raise DeliveryError(f"{path} is not a regular file")
    _check_content(path, target, before)
    # As root one may write everything; what the mode bits say still counts.
    if not info.st_mode & 0o222 or not os.access(target, os.W_OK):
        mode = stat.S_IMODE(info.st_mode)
        raise DeliveryError(
            f"{path} is read-only (mode {mode:04o}); make it writable to apply the fix"
        )


def _check_content(path: str, target: Path, before: bytes) -> None:
    try:
        content = target.read_bytes()
    except OSError as error:
        raise DeliveryError(f"{path} cannot be read: {error.strerror}") from error
    if content != before:
        raise DeliveryError(f"{path} was changed since the patch was judged")


# ---------------------------------------------------------------------- staging


def _stage(delivery: _Delivery) -> None:
    for step in delivery.steps:
        change = step.change
        if change.after is not None:
            _make_folders(step.target.parent, delivery.folders)
            _write_fresh(step, change.after)
        if change.before is not None:
            kept = _beside(step.target, "kept")
            # Where links are not possible, the original is moved when its turn comes.
            with contextlib.suppress(OSError):
                os.link(step.target, kept)
                step.kept = kept


def _make_folders(folder: Path, made: list[Path]) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def _write_fresh(step: _Step, content: bytes) -> None:
    fresh = _beside(step.target, "new")
    replaces = step.change.before is not None
    # The umask applies to what is new; what replaces a private file stays private.
    mode = 0o600 if replaces else 0o666
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    step.fresh = fresh
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        if replaces:
            _copy_ownership(step.target, handle)
        os.fsync(handle)


def _copy_ownership(original: Path, handle: int) -> None:
    info = original.stat()
    mine = os.fstat(handle)
    if (info.st_uid, info.st_gid) != (mine.st_uid, mine.st_gid):
        with contextlib.suppress(PermissionError):  # only root may give files away
            os.fchown(handle, info.st_uid, info.st_gid)
    os.fchmod(handle, stat.S_IMODE(info.st_mode))  # after: chown drops set-id bits


def _beside(target: Path, what: str) -> Path:
    return target.with_name(f".bonafix-{secrets.token_hex(8)}.{what}")


# ------------------------------------------------------------ doing, taking back


def _commit(steps: Sequence[_Step]) -> None:
    for step in steps:
        if step.change.before is not None:
            _part(step)
        if step.fresh is not None:
            step.fresh.replace(step.target)
            step.fresh, step.done = None, True


def _part(step: _Step) -> None:
    """See to it that the original survives under another name, and only there."""
    if step.kept is None:
        kept = _beside(step.target, "kept")
        step.target.replace(kept)
        step.kept, step.done = kept, True
    elif step.fresh is None:
        # Not a rename: between two links of one file that does nothing at all.
        step.target.unlink()
        step.done = True


def _take_back(delivery: _Delivery) -> None:
    """Undo what was done; a file that resists does not keep the others."""
    stuck = []
    for step in reversed(delivery.steps):
        try:
            _restore(step)
        except OSError as error:
            stuck.append(f"{step.change.path} ({error.strerror}; kept: {step.kept})")
    for folder in reversed(delivery.folders):
        with contextlib.suppress(OSError):  # someone else uses it by now
            folder.rmdir()
    if stuck:
        names = ", ".join(stuck)
        raise DeliveryError(f"these files could not be taken back: {names}")


def _restore(step: _Step) -> None:
    if step.done and step.kept is not None:
        step.kept.replace(step.target)
    elif step.done:
        step.target.unlink(missing_ok=True)
    elif step.kept is not None:
        step.kept.unlink(missing_ok=True)
    if step.fresh is not None:
        step.fresh.unlink(missing_ok=True)


def _settle(delivery: _Delivery) -> None:
    """Forget the originals, and ask for the folders to reach the disk."""
    for step in delivery.steps:
        if step.kept is not None:
            with contextlib.suppress(OSError):  # delivered: litter is no failure
                step.kept.unlink()
    for folder in {step.target.parent for step in delivery.steps}:
        with contextlib.suppress(OSError):  # not every file system can
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _refused(error: OSError) -> DeliveryError:
    where = f"{error.filename}: " if error.filename else ""
    reason = error.strerror or str(error)
    return DeliveryError(f"nothing was written: {where}{reason}")


@contextlib.contextmanager
def _signals_deferred() -> Iterator[None]:
    """Let an interrupt wait: Python would raise it between any two steps.

    Only the main thread sees signals, and only it may set their handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen: dict[int, FrameType | None] = {}
    before = {number: signal.getsignal(number) for number in _DEFERRED}
    for number, old in before.items():
        if old not in {None, signal.SIG_IGN}:
            signal.signal(number, seen.__setitem__)
    try:
        yield
    finally:
        for number, old in before.items():
            if old is not None:  # None: a handler that Python did not set
                signal.signal(number, old)
        for late, frame in seen.items():
            _answer(late, frame, before[signal.Signals(late)])


_Handler = Callable[[int, FrameType | None], object] | int | None


def _answer(number: int, frame: FrameType | None, handler: _Handler) -> None:
    """Hand a signal that waited to whoever handles it."""
    if callable(handler):
        handler(number, frame)
    else:
        signal.raise_signal(number)

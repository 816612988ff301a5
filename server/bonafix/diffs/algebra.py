"""What can be done with patches without a diff's text; pure."""

from __future__ import annotations

from collections.abc import Callable

from bonafix.diffs.hunks import MisfitError, apply, difference, opcodes
from bonafix.domain import Change, ChangeKind, Patch

_GRAVE: tuple[ChangeKind, ...] = ("symlink", "binary", "mode")


def changed_lines(change: Change) -> tuple[frozenset[int], frozenset[int]]:
    """The 1-based lines that go and those that come.

    A line that is altered is in both sets; what is only moved counts as changed.
    """
    gone: set[int] = set()
    come: set[int] = set()
    for _, a, b, c, d in opcodes(change.before or b"", change.after or b""):
        gone.update(range(a + 1, b + 1))
        come.update(range(c + 1, d + 1))
    return frozenset(gone), frozenset(come)


def compose(first: Patch, second: Patch) -> Patch:
    """The one patch that does what `first` and then `second`, made on top, do.

    Raises:
        ValueError: `second` was not made on top of `first`.
    """
    changes = {change.path: change for change in first.changes}
    for later in second.changes:
        earlier = changes.pop(later.path, None)
        if earlier is None:
            changes[later.path] = later
            continue
        if earlier.after != later.before:
            raise ValueError(f"{later.path}: the second patch has another base")
        if joined := _joined(earlier, later):
            changes[later.path] = joined
    return Patch(tuple(changes[path] for path in sorted(changes)))


def _joined(first: Change, second: Change) -> Change | None:
    """Both in one; `None` where the second takes the first back."""
    before, after = first.before, second.after
    kinds = {first.kind, second.kind}
    kind = next((kind for kind in _GRAVE if kind in kinds), None)
    if before == after and (kind is None or before is None):
        return None
    if kind is None:
        kind = _plain_kind(before, after, kinds)
    return Change(first.path, before, after, kind)


def _plain_kind(
    before: bytes | None, after: bytes | None, kinds: set[ChangeKind]
) -> ChangeKind:
    if before is not None and after is not None:
        return "modify"
    if "rename" in kinds:
        return "rename"
    return "add" if before is None else "delete"


def rebase(patch: Patch, read: Callable[[str], bytes | None]) -> Patch | None:
    """The same change made to the files as they are now; `None` if that is unsure.

    In a file that moved on, every hunk's lines with their context must occur
    exactly once. A file that was added since, or must go but has changed, is unsure.
    """
    moved = [_rebased(change, read(change.path)) for change in patch.changes]
    changes = tuple(change for change in moved if change is not None)
    return Patch(changes) if len(changes) == len(moved) else None


def _rebased(change: Change, now: bytes | None) -> Change | None:
    before, after = change.before, change.after
    if now == before:
        return change
    if now is None or before is None or after is None or change.kind != "modify":
        return None
    try:
        result = apply(now, difference(before, after), unique=True)
    except MisfitError:
        return None
    return Change(change.path, now, result) if result != now else None

"""Stage 1: a patch and the layout in, whether it stays in product code out; pure.

Nothing outside is silently dropped: one such hunk makes the patch `tampered`.
"""

from __future__ import annotations

from bonafix import syntax
from bonafix.domain import Change, Evidence, Layout, Patch, Place, Verdict
from bonafix.judge.reproducing import changed_lines
from bonafix.layout import refusal
from bonafix.text import TextError, decode

_IRREGULAR = {
    "delete": "it deletes the file",
    "rename": "it renames the file",
    "mode": "it changes the file's mode",
    "symlink": "it makes a symbolic link",
    "binary": "it is a binary change",
}


def policy(patch: Patch, layout: Layout) -> Evidence:
    """Refuse what a fix has no business to touch, and what does not parse."""
    refused = [(c, reason) for c in patch.changes if (reason := _reason(c, layout))]
    if refused:
        return _tampered(refused)
    for change in patch.changes:
        if broken := _broken(change):
            return broken
    names = ", ".join(patch.paths)
    return Evidence(
        stage="policy",
        result="pass",
        summary=f"only product code: {names}",
        facts={"touched": list(patch.paths)},
    )


def _reason(change: Change, layout: Layout) -> str | None:
    if change.kind in _IRREGULAR:
        return refusal(layout, change.path) or _IRREGULAR[change.kind]
    return refusal(layout, change.path, new=change.before is None)


def _tampered(refused: list[tuple[Change, str]]) -> Evidence:
    change, reason = refused[0]
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    return Evidence(
        stage="policy",
        result="fail",
        refusal=Verdict.TAMPERED,
        summary=f"touches {change.path}: {reason}{more}",
        place=_first(change),
        facts={"refused": {change.path: reason for change, reason in refused}},
    )


def _broken(change: Change) -> Evidence | None:
    if change.after is None or not change.path.endswith(".py"):
        return None
    try:
        source = decode(change.after)
    except TextError as error:
        return _unreadable(change, str(error))
    if syntax.is_valid(source.text):
        return None
    return _unreadable(change, "the result is not valid Python")


def _unreadable(change: Change, why: str) -> Evidence:
    return Evidence(
        stage="policy",
        result="fail",
        refusal=Verdict.BROKEN,
        summary=f"{change.path}: {why}",
        place=_first(change),
    )


def _first(change: Change) -> Place:
    """The first line that it adds."""
    return Place(change.path, next(iter(changed_lines(change)), 1))

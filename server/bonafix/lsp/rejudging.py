"""A fix that was judged on older text in, the same one judged on the present out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bonafix.domain import Event, Judgement, Listener, Patch, Repair
from bonafix.errors import UsageError
from bonafix.lsp.edits import Base
from bonafix.lsp.state import ProjectLike, Root, State
from bonafix.lsp.wording import choices


@dataclass(frozen=True, slots=True)
class Work:
    """Where a fix is worked on, and who listens."""

    state: State
    root: Root
    project: ProjectLike
    listen: Listener


def base_now(state: State, root: Root) -> Base:
    """What every failing test ran, as it is when the work begins."""
    depends = {
        test: finding.depends or frozenset({finding.spot.path})
        for test, finding in root.board.findings.items()
    }
    paths = frozenset[str]().union(*depends.values())
    contents = {path: state.documents.contents(root.path / path) for path in paths}
    return Base(depends, contents)


async def rejudged(work: Work, repair: Repair) -> tuple[Repair, Base] | None:
    """The best choice of `repair`, rebased onto the buffers and judged from scratch.

    `None` if the change does not fit them, or does not hold there.
    """
    best, *_ = choices(repair)
    state, root, listen = work.state, work.root, work.listen
    patch = _rebased(state, root, best.candidate.patch)
    if patch is None:
        return None
    listen(Event(kind="stage", text="judging the fix again, the text has changed"))
    base = base_now(state, root)
    try:
        judgement, _, receipt = await work.project.check(
            patch,
            tests=[target.id for target in repair.targets],
            buffers=state.documents.unsaved(root.path),
            listen=listen,
        )
    except UsageError:
        return None  # a target is gone, or the text moved on once more
    again = replace(
        repair,
        verdict=judgement.verdict,
        best=_by_its_author(judgement, best),
        alternatives=(),  # they were not judged again
        receipt=receipt,
    )
    return (again, base) if choices(again) else None


def _rebased(state: State, root: Root, patch: Patch) -> bytes | None:
    """The change as a diff of the buffers as they are."""
    from bonafix import diffs  # noqa: PLC0415 - not needed to say hello

    look = state.look(root)
    moved = diffs.rebase(patch, lambda path: look(path).contents)
    return None if moved is None else diffs.render(moved)


def _by_its_author(judgement: Judgement, before: Judgement) -> Judgement:
    """Judged as anyone's, it is still the patch of who made it."""
    patch = judgement.candidate.patch
    return replace(judgement, candidate=replace(before.candidate, patch=patch))

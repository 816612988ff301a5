"""Two edits where one is not enough, built on what brought a test nearer; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from bonafix.domain import Candidate, Change, Outcome, Patch, Suspect, Task, TestResult
from bonafix.propose.search.candidates import steps
from bonafix.propose.search.patches import Idea, checked, patch_of
from bonafix.propose.search.progress import progress
from bonafix.propose.search.template import Rewrite
from bonafix.text import decode, lines

_MERGED = 6  # partial ones that are put together two by two
_BUILT_ON = 3  # partial ones for which a second edit is looked for
_SECONDS = 150  # second edits for each of these
_DONE = frozenset({Outcome.PASSED, Outcome.XPASSED})


@dataclass(frozen=True, slots=True)
class Partial:
    """A candidate that brought a target nearer to passing."""

    candidate: Candidate
    idea: Idea
    results: Mapping[str, TestResult]  # of the targets, over the patched code
    gains: Mapping[str, float]  # target -> progress, where there is any

    @property
    def gain(self) -> float:
        """Over all targets."""
        return sum(self.gains.values())


def partial(
    task: Task, candidate: Candidate, idea: Idea, results: Mapping[str, TestResult]
) -> Partial | None:
    """What a candidate achieved; `None` if that is nothing."""
    gains = {
        target.id: gain
        for target in task.targets
        if target.id in results
        if (gain := progress(target, results[target.id])) > 0
    }
    return Partial(candidate, idea, results, gains) if gains else None


def doubles(task: Task, known: Sequence[Partial]) -> Iterator[Candidate | None]:
    """Two partial ones together first, then a second edit on top of the best."""
    best = sorted(known, key=lambda one: -one.gain)
    pairs = sorted(combinations(best[:_MERGED], 2), key=_together, reverse=True)
    for a, b in pairs:
        yield merged(a, b)
    sources = [_first(_on_top(task, one), _SECONDS) for one in _different(best)]
    while sources:
        for source in list(sources):
            try:
                yield next(source)
            except StopIteration:
                sources.remove(source)


def _first(found: Iterator[Candidate | None], most: int) -> Iterator[Candidate | None]:
    """The first of them; the pauses in between do not count."""
    for one in found:
        most -= one is not None
        yield one
        if not most:
            return


def _together(pair: tuple[Partial, Partial]) -> float:
    a, b = pair
    return sum(
        max(a.gains.get(target, 0.0), b.gains.get(target, 0.0))
        for target in a.gains.keys() | b.gains.keys()
    )


def _different(best: Sequence[Partial]) -> list[Partial]:
    """The best few that are not the same step to the tests: one of each line."""
    chosen: dict[tuple[str, int], Partial] = {}
    for one in best:
        chosen.setdefault((one.idea.file.path, one.idea.line), one)
    return list(chosen.values())[:_BUILT_ON]


def merged(a: Partial, b: Partial) -> Candidate | None:
    """Both edits in one patch; `None` where they touch or mean nothing together."""
    if a.idea.file.path != b.idea.file.path:
        changes = (*a.candidate.patch.changes, *b.candidate.patch.changes)
        patch = Patch(tuple(sorted(changes, key=lambda change: change.path)))
        return _one(patch, a.candidate, b.candidate)
    edits = tuple(sorted((*a.idea.rewrite.edits, *b.idea.rewrite.edits)))
    if any(one[1] > other[0] for one, other in pairwise(edits)):
        return None
    both = dataclasses.replace(a.idea, rewrite=Rewrite(edits))
    found = patch_of(both) if checked(both) else None
    if found is None:
        return None
    return _one(found, a.candidate, b.candidate)


def _one(patch: Patch, a: Candidate, b: Candidate) -> Candidate:
    """What both are together."""
    return Candidate(
        patch=patch,
        author="search",
        title=f"{a.title}; and {b.title}",
        note=f"two edits: {a.note}; {b.note}",
        fitted=max(a.fitted, b.fitted),
    )


def _on_top(task: Task, one: Partial) -> Iterator[Candidate | None]:
    for step in steps(_after(task, one)):
        yield _composed(one.candidate, step.candidate) if step else None


def _composed(first: Candidate, second: Candidate) -> Candidate | None:
    """Both as one patch of the original; `None` if nothing of the first is left."""
    before = {change.path: change for change in first.patch.changes}
    found = dict(before)
    for change in second.patch.changes:
        was = before.get(change.path, change)
        if was.before == change.after:
            return None
        found[change.path] = Change(change.path, was.before, change.after)
    patch = Patch(tuple(found[path] for path in sorted(found)))
    return _one(patch, first, second)


def _after(task: Task, one: Partial) -> Task:
    """The task as it stands once the partial fix is in."""
    files = {p: text for p, text in one.candidate.patch.files.items() if text}
    snapshot = dataclasses.replace(
        task.snapshot, sources={**task.snapshot.sources, **files}
    )
    left = tuple(
        one.results.get(target.id, target)
        for target in task.targets
        if target.id not in one.results or one.results[target.id].outcome not in _DONE
    )
    moved = _moved(one)
    suspects = tuple(moved(suspect) for suspect in task.suspects)
    return dataclasses.replace(
        task, snapshot=snapshot, targets=left or task.targets, suspects=suspects
    )


def _moved(one: Partial) -> Callable[[Suspect], Suspect]:
    """Suspects below an edit that adds or takes lines have moved."""
    change = one.candidate.patch.changes[0]
    sides = change.before or b"", change.after or b""
    count = [len(lines(decode(side).text)) for side in sides]
    by, at, path = count[1] - count[0], one.idea.line, change.path

    def moved(suspect: Suspect) -> Suspect:
        if suspect.path != path or suspect.line <= at:
            return suspect
        return dataclasses.replace(suspect, line=max(1, suspect.line + by))

    return moved

"""A run and what changed since in; who depends on that, and the rest as it is now, out.

Pure. A test depends on a function that it was seen to run, or is defined in. Who was
not seen through (it started a process, it has no lines) depends on every change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from bonafix.domain import Outcome, Place, Reach, SuiteRun, TestResult
from bonafix.observe.changes import Altered, Changes

_MOST = 0.5  # of a suite that is worth running apart from the rest
_SHORT = 1.0  # seconds of tests that are not worth comparing with others

Lines = Mapping[str, frozenset[int]]
Sources = Mapping[str, Altered]


def dependents(run: SuiteRun, changes: Changes) -> tuple[str, ...]:
    """The tests whose outcome or lines may be others now, in the order of running."""
    unseen = run.reach.unseen if run.reach else frozenset(run.collected)
    return tuple(
        node_id
        for node_id in run.collected
        if node_id in unseen or (changes.sources and _depends(run, node_id, changes))
    )


def _depends(run: SuiteRun, node_id: str, changes: Changes) -> bool:
    result, lines = run.results.get(node_id), run.lines.get(node_id)
    if result is None or lines is None:
        return True
    if not lines and result.outcome is not Outcome.SKIPPED:
        return True
    sources = changes.sources
    return any(
        _ran(seen, sources[path]) for path, seen in lines.items() if path in sources
    ) or any(
        _inside(line, sources[path]) for path, line in _named(result) if path in sources
    )


def _ran(lines: frozenset[int], altered: Altered) -> bool:
    """Whether these are of a function that changed, or nobody knows where they went."""
    if any(lines & function.lines for function in altered.functions):
        return True
    return not lines <= altered.lines.keys()


def _inside(line: int, altered: Altered) -> bool:
    """The same of a line that need not have run."""
    if any(one.first <= line <= one.last for one in altered.functions):
        return True
    return line not in altered.lines


def _named(result: TestResult) -> Iterator[tuple[str, int]]:
    """The places that the result itself names."""
    for place in (result.definition, result.place, *result.frames):
        if place is not None:
            yield place.path, place.line


def worthwhile(run: SuiteRun, tests: Collection[str]) -> bool:
    """Whether running these is much less than running all, by number and by time."""
    seconds = {i: result.seconds for i, result in run.results.items()}
    part = sum(seconds.get(i, 0.0) for i in tests)
    few = len(tests) <= _MOST * len(run.collected)
    return few and part <= max(_SHORT, _MOST * sum(seconds.values()))


def moved(run: SuiteRun, changes: Changes, gone: frozenset[str]) -> SuiteRun:
    """The same run with the lines that its code has now; those of `gone` left out."""
    sources = changes.sources
    if not sources:
        return run
    return replace(
        run,
        results={
            i: result if i in gone else _result(result, sources)
            for i, result in run.results.items()
        },
        lines={
            i: {path: _lines(path, seen, sources) for path, seen in table.items()}
            for i, table in run.lines.items()
            if i not in gone
        },
        reach=_reach(run.reach, sources),
    )


def _lines(path: str, seen: frozenset[int], sources: Sources) -> frozenset[int]:
    altered = sources.get(path)
    return frozenset(altered.lines[line] for line in seen) if altered else seen


def _result(result: TestResult, sources: Sources) -> TestResult:
    return replace(
        result,
        definition=_place(result.definition, sources),
        place=_place(result.place, sources),
        frames=tuple(
            replace(frame, line=_line(frame.path, frame.line, sources))
            for frame in result.frames
        ),
    )


def _place(place: Place | None, sources: Sources) -> Place | None:
    return place and Place(place.path, _line(place.path, place.line, sources))


def _line(path: str, line: int, sources: Sources) -> int:
    return sources[path].lines[line] if path in sources else line


def _reach(reach: Reach | None, sources: Sources) -> Reach | None:
    if reach is None:
        return None
    table = {path: _lines(path, ran, sources) for path, ran in reach.functions.items()}
    return replace(reach, functions=table)


def merged(before: SuiteRun, now: SuiteRun, tests: Sequence[str]) -> SuiteRun:
    """`before`, as `moved` gives it, with what `now` says of `tests`."""
    new = frozenset(tests)
    told = {i: now.results[i] for i in tests if i in now.results}
    kept = {i: result for i, result in before.results.items() if i not in new}
    both = {**kept, **told}
    run = replace(
        before,
        results={i: both[i] for i in before.collected if i in both},
        lines={**before.lines, **{i: now.lines[i] for i in tests if i in now.lines}},
        opened=_opened(before.opened, now.opened, new),
        reach=_joined(before.reach, now.reach, new),
        elsewhere=tuple(dict.fromkeys((*before.elsewhere, *now.elsewhere))),
    )
    return replace(run, exit_code=int(bool(run.red)))


def _opened(
    before: Mapping[str, frozenset[str]],
    now: Mapping[str, frozenset[str]],
    new: frozenset[str],
) -> dict[str, frozenset[str]]:
    left = {path: tests - new for path, tests in before.items()}
    nobody: frozenset[str] = frozenset()
    paths = dict.fromkeys((*left, *now))
    both = {path: left.get(path, nobody) | now.get(path, nobody) for path in paths}
    return {path: tests for path, tests in both.items() if tests}


def _joined(
    before: Reach | None, now: Reach | None, new: frozenset[str]
) -> Reach | None:
    if before is None or now is None:
        return None
    nobody: frozenset[int] = frozenset()
    ours, theirs = before.functions, now.functions
    paths = dict.fromkeys((*ours, *theirs))
    return Reach(
        functions={p: ours.get(p, nobody) | theirs.get(p, nobody) for p in paths},
        opened=before.opened | now.opened,
        unseen=(before.unseen - new) | now.unseen,
    )

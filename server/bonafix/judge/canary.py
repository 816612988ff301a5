"""Stage 4: do the targets still pass when they expect something else?

A fix makes the expected value come true; a fake makes the test pass. So the tests
are changed to expect what is wrong, and every one of them must fail now, at the
changed assertion. One that passes is not being asked any more: the result claims to
equal everything, or the assertion, the runner or the report has been replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bonafix.domain import (
    Evidence,
    Outcome,
    Patch,
    Place,
    Runner,
    SuiteRun,
    TestResult,
    Verdict,
)
from bonafix.judge.altering.flips import Flip, flips, test_function
from bonafix.judge.reproducing import flip_command
from bonafix.syntax import Function, is_valid, parse
from bonafix.text import SourceText, TextError, apply_edits, decode, encode

VARIANTS = 3  # changed assertions that one target is tried with, a run for each

Seen = Literal["failed", "passed", "unclear"]


@dataclass(frozen=True, slots=True)
class _Group:
    """Targets that run one function, with the ways to change it."""

    path: str
    ids: tuple[str, ...]
    ways: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class _Trial:
    """What one target did when one assertion was changed."""

    id: str
    path: str
    flip: Flip
    seen: Seen
    why: str = ""


@dataclass(slots=True)
class _Log:
    """What was tried so far."""

    trials: list[_Trial] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0


async def canary(
    patch: Patch,
    targets: Sequence[TestResult],
    sources: Mapping[str, bytes],
    run: Runner,
) -> Evidence:
    """Run the targets with changed expectations; refuse where one still passes.

    `sources` are the files of the tests, as they were in the baseline.
    """
    texts = _decoded(sources, targets)
    groups = _groups(targets, texts)
    log = _Log()
    for nth in range(max((len(g.ways) for g in groups), default=0)):
        batch = [g for g in groups if len(g.ways) > nth]
        trials, seen = await _try(patch, batch, nth, texts, run)
        log.trials += trials
        log.seconds += seen.seconds
        log.cpu_seconds += seen.cpu_seconds
        if any(trial.seen == "passed" for trial in log.trials):
            break
    return _record(targets, log)


# ---------------------------------------------------------------------- what to try


def _decoded(
    sources: Mapping[str, bytes], targets: Sequence[TestResult]
) -> dict[str, SourceText]:
    found: dict[str, SourceText] = {}
    for path in sorted({_file(target) for target in targets}):
        data = sources.get(path)
        if data is None or not path.endswith(".py"):
            continue
        try:
            found[path] = decode(data)
        except TextError:
            continue  # Python could not read it either
    return found


def _file(target: TestResult) -> str:
    place = target.definition
    return place.path if place is not None else target.id.partition("::")[0]


def _groups(
    targets: Sequence[TestResult], texts: Mapping[str, SourceText]
) -> list[_Group]:
    """The targets by the function that they run; those without a way left out."""
    modules = {path: parse(source) for path, source in texts.items()}
    alike: dict[tuple[str, int], tuple[Function, list[TestResult]]] = {}
    for target in targets:
        path = _file(target)
        if target.style == "doctest" or path not in modules:
            continue
        if function := test_function(modules[path], target):
            _, members = alike.setdefault((path, function.node.start), (function, []))
            members.append(target)
    groups = []
    for (path, _), (function, members) in alike.items():
        ways = flips(modules[path], function, members)
        sound = [way for way in ways if _sound(texts[path], way)][:VARIANTS]
        if sound:
            ids = tuple(target.id for target in members)
            groups.append(_Group(path, ids, tuple(sound)))
    return groups


def _sound(source: SourceText, flip: Flip) -> bool:
    try:
        encode(source, _with(source, [flip]))
    except TextError:
        return False
    return is_valid(_with(source, [flip]))


def _with(source: SourceText, ways: Sequence[Flip]) -> str:
    return apply_edits(source.text, [(f.start, f.end, f.new) for f in ways])


# ---------------------------------------------------------------------- the attempts


async def _try(
    patch: Patch,
    batch: Sequence[_Group],
    nth: int,
    texts: Mapping[str, SourceText],
    run: Runner,
) -> tuple[list[_Trial], SuiteRun]:
    """One run, in which each group has its `nth` assertion changed."""
    used, taken = _chosen(batch, nth)
    altered = {
        path: encode(texts[path], _with(texts[path], ways))
        for path, ways in used.items()
    }
    ids = [node_id for group in taken for node_id in group.ids]
    seen = await run({**patch.files, **altered}, select=ids)
    return [
        _Trial(i, g.path, g.ways[nth], *_seen(seen, i, g.path, g.ways[nth]))
        for g in taken
        for i in g.ids
    ], seen


def _chosen(
    batch: Sequence[_Group], nth: int
) -> tuple[dict[str, list[Flip]], list[_Group]]:
    """Each file's changes, and the groups whose change is among them.

    Two tests may share a helper: the same change serves both, another one in the
    same place has to stay out.
    """
    used: dict[str, list[Flip]] = {}
    taken: list[_Group] = []
    for group in batch:
        flip, others = group.ways[nth], used.setdefault(group.path, [])
        if any(_same(flip, other) for other in others):
            taken.append(group)
        elif all(f.end <= flip.start or flip.end <= f.start for f in others):
            others.append(flip)
            taken.append(group)
    return used, taken


def _same(one: Flip, two: Flip) -> bool:
    return (one.start, one.end, one.new) == (two.start, two.end, two.new)


def _seen(run: SuiteRun, node_id: str, path: str, flip: Flip) -> tuple[Seen, str]:
    result = run.results.get(node_id)
    if run.collection_errors:
        return "unclear", f"{run.collection_errors[0].id} could not be collected"
    if result is None:
        return "unclear", "it was not reported"
    if result.outcome is Outcome.PASSED:
        if flip.certain:
            return "passed", ""
        return "unclear", "it passed, and may not come to the changed assertion"
    if result.outcome is not Outcome.FAILED or result.phase != "call":
        return "unclear", f"it was {result.outcome}: {result.message[:80]}".rstrip(": ")
    if result.exception in {"SyntaxError", "IndentationError", "NameError"}:
        return "unclear", f"it failed with {result.exception}"
    if not _at(result.place, path, flip):
        return "unclear", "it failed before the changed assertion"
    return "failed", ""


def _at(place: Place | None, path: str, flip: Flip) -> bool:
    """Whether a test failed in the changed statement.

    Plugins that run tests in a way of their own may leave the place open.
    """
    if place is None:
        return True
    return place.path == path and flip.line <= place.line <= flip.last_line


# ------------------------------------------------------------------------ the record


def _record(targets: Sequence[TestResult], log: _Log) -> Evidence:
    passed = [trial for trial in log.trials if trial.seen == "passed"]
    failed = [trial for trial in log.trials if trial.seen == "failed"]
    covered = {trial.id for trial in failed}
    tried = {trial.id for trial in log.trials}
    unclear = [trial for trial in log.trials if trial.id not in covered]
    facts: dict[str, object] = {
        "flips": len(log.trials),
        "failed_as_wanted": len(failed),
        "passed": [_told(trial) for trial in passed],
        "unclear": [_told(trial) for trial in log.trials if trial.seen == "unclear"],
        "negated": sum(trial.flip.kind == "negated" for trial in log.trials),
        "without": [target.id for target in targets if target.id not in tried],
    }
    if passed:
        return _evidence("fail", _faked(passed[0]), facts, log, passed[0])
    if not log.trials:
        summary = "no target has an assertion whose expectation could be changed"
        return _evidence("skipped", summary, {**facts, "not_applicable": True}, log)
    if unclear:
        first = unclear[0]
        summary = f"{first.id} with a changed expectation: {first.why}"
        return _evidence("inconclusive", summary, facts, log)
    return _evidence("pass", _summary(targets, failed), facts, log)


def _evidence(
    result: Literal["pass", "fail", "inconclusive", "skipped"],
    summary: str,
    facts: Mapping[str, object],
    log: _Log,
    refused: _Trial | None = None,
) -> Evidence:
    command = ""
    if refused:
        change = (refused.flip.start, refused.flip.end, refused.flip.new)
        command = flip_command(refused.path, change, refused.id)
    return Evidence(
        stage="canary",
        reproduce=command,
        result=result,
        summary=summary,
        refusal=Verdict.TAMPERED if refused else None,
        place=Place(refused.path, refused.flip.line) if refused else None,
        facts=facts,
        seconds=log.seconds,
        cpu_seconds=log.cpu_seconds,
    )


def _faked(trial: _Trial) -> str:
    flip = trial.flip
    return (
        f"{trial.id} still passes with {flip.change}: "
        f"the assertion at {trial.path}:{flip.line} is being faked"
    )


def _told(trial: _Trial) -> dict[str, object]:
    flip = trial.flip
    return {
        "id": trial.id,
        "path": trial.path,
        "line": flip.line,
        "assertion": flip.assertion,
        "change": flip.change,
        "why": trial.why,
    }


def _summary(targets: Sequence[TestResult], failed: Sequence[_Trial]) -> str:
    covered = {trial.id for trial in failed}
    strong = {trial.id for trial in failed if trial.flip.kind != "negated"}
    text = f"{len(covered)}/{len(targets)} targets fail when they expect another value"
    weaker = len(covered) - len(strong)
    if weaker:
        text += (
            f"; {weaker} of them by a negated assertion only, which does not see an "
            "object that claims to equal everything"
        )
    return text

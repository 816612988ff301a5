"""Fix jobs: from the command to a repair that is offered, or the reason for none."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path

from bonafix.config import Config
from bonafix.domain import Judgement, Repair, Verdict
from bonafix.errors import BonafixError
from bonafix.lsp.actions import Choice, JobView, Offer
from bonafix.lsp.arguments import Fix
from bonafix.lsp.edits import Base, landed
from bonafix.lsp.findings import short_name
from bonafix.lsp.jobs import Job
from bonafix.lsp.landing import deliver, standing
from bonafix.lsp.progress import progress
from bonafix.lsp.runs import automatic
from bonafix.lsp.state import Root, State, publish, refresh
from bonafix.lsp.wording import choices, ending, label

_TARGETS = 20  # each is run several times; more would not say more


def start(state: State, root: Root, request: Fix) -> Job:
    """Start work on a test; the same test is not worked on twice at once.

    Raises:
        ConfigurationError: the engine or the thinking asked for makes no sense.
    """
    running = state.jobs.by_test.get((root.path, request.test))
    if running and running.running:
        return running
    asked = {"engine": request.engine, "thinking": request.thinking}
    extra = {key: value for key, value in asked.items() if value is not None}
    state.config(root, extra)
    work = functools.partial(_fix, state, root, request, extra)
    return state.jobs.start("fix", work, root=root.path, test=request.test)


async def _fix(
    state: State, root: Root, request: Fix, extra: Mapping[str, object], job: Job
) -> None:
    name = short_name(request.test)
    try:
        config = state.config(root, extra)
        if not (config.trust or await state.trust.allows(root.path, again=True)):
            state.client.inform(f"{name} was not worked on: {root.path} is not trusted")
            return
        job.repair = await _repair(state, root, request.test, config, job)
    except BonafixError as error:
        state.client.complain(f"no fix for {name}: {error}")
        return
    await _conclude(state, root, request, config, job)


async def _repair(
    state: State, root: Root, test: str, config: Config, job: Job
) -> Repair:
    """The one repair that a single test gets."""
    cancel = functools.partial(state.jobs.cancel, [job])
    title = f"fixing {short_name(test)}"
    async with progress(state.client, title, state.cancels, cancel) as report:
        if root.fixing.locked():
            report.say("waiting for the fix before it")
        async with root.fixing:  # two at once would only slow each other down
            project = state.open_project(root.path, config)
            buffers = state.documents.unsaved(root.path)
            job.base = _base(state, root)
            tests = targets(root, test)
            stream = project.fix(tests=tests, buffers=buffers, listen=report)
            async with contextlib.aclosing(stream):
                async for repair in stream:
                    if any(target.id == test for target in repair.targets):
                        return repair
    raise BonafixError("it does not fail any more")


def targets(root: Root, test: str) -> list[str]:
    """The test and those that failed with it, for one cause deserves one fix.

    Not if the text has changed since: some of them may be gone by now.
    """
    finding = root.board.findings.get(test)
    if finding is None or finding.stale:
        return [test]
    return [test, *finding.siblings[: _TARGETS - 1]]


def _base(state: State, root: Root) -> Base:
    """What every failing test ran, as it is when the work begins."""
    depends = {
        test: finding.depends or frozenset({finding.spot.path})
        for test, finding in root.board.findings.items()
    }
    paths = frozenset[str]().union(*depends.values())
    contents = {path: state.documents.contents(root.path / path) for path in paths}
    return Base(depends, contents)


async def _conclude(
    state: State, root: Root, request: Fix, config: Config, job: Job
) -> None:
    repair = job.repair
    assert repair is not None
    text = ending(repair, request.test)
    offered = choices(repair)
    if not offered:
        state.client.warn(text)
        return
    findings = root.board.findings
    paths = {findings[t.id].spot.path for t in repair.targets if t.id in findings}
    refresh(state, root, frozenset(paths))
    publish(state, root)  # so that clients ask for the actions again
    best = offered[0]
    if request.auto_apply and _may_apply(best, config):
        state.client.inform(text)
        await deliver(state, root, job, best)
        return
    say = state.client.inform if best.verdict.accepted else state.client.warn
    say(f"{text} Apply it with the quick fix on the failing line.")


def _may_apply(judgement: Judgement, config: Config) -> bool:
    if judgement.verdict is Verdict.VERIFIED:
        return True
    return config.accept == "plausible" and judgement.verdict is Verdict.PLAUSIBLE


# ------------------------------------------------------------------- what is offered


def offer(state: State, root: Root) -> Offer:
    """What code actions in `root` need to know, at the moment they are asked for."""
    views: dict[str, JobView] = {}  # many tests may share one job

    def view(test: str) -> JobView | None:
        job = state.jobs.by_test.get((root.path, test))
        if job and job.id not in views and (job.running or job.repair):
            views[job.id] = _view(state, root, job)
        return views.get(job.id) if job else None

    # Who chose the search engine alone wants nothing to leave the machine.
    claude = root.engine != "search" and state.claude()
    return Offer(root=root.uri, job=view, claude=claude)


def _view(state: State, root: Root, job: Job) -> JobView:
    if job.repair is None:
        return JobView(job.id, running=True)
    shown = (
        Choice(
            number=number,
            label=label(judgement),
            verified=judgement.verdict.accepted,
            stand=standing(state, root, job, judgement),
        )
        for number, judgement in enumerate(choices(job.repair))
    )
    return JobView(job.id, running=False, choices=tuple(shown), has_evidence=True)


def noticed(state: State, root: Root, path: Path) -> None:
    """After a change of `path`: run the suite once a ready fix has been applied."""
    name = path.relative_to(root.path).as_posix()
    for job in state.jobs.of(root.path):
        patches = [judgement.candidate.patch for judgement in choices(job.repair)]
        touching = [patch for patch in patches if name in patch.paths]
        if not touching:
            continue
        applied = any(landed(patch, state.look(root)) for patch in touching)
        if applied and not job.seen_applied:
            automatic(state, root, frozenset({"on-save", "on-open"}))
        job.seen_applied = applied

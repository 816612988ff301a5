"""Fix jobs: from the command to a repair that is offered, or the reason for none."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path

from bonafix.config import Config
from bonafix.domain import Judgement, Repair, Verdict
from bonafix.errors import BonafixError
from bonafix.lsp.abilities import Abilities
from bonafix.lsp.actions import Choice, JobView, Offer
from bonafix.lsp.arguments import Fix
from bonafix.lsp.edits import Look, Stand, guarded, landed
from bonafix.lsp.findings import Finding, short_name
from bonafix.lsp.finishing import finish
from bonafix.lsp.jobs import Job
from bonafix.lsp.landing import deliver, moved, standing
from bonafix.lsp.progress import progress
from bonafix.lsp.publishing import diagnostics, publish, refresh
from bonafix.lsp.rejudging import Work, base_now, rejudged
from bonafix.lsp.runs import automatic
from bonafix.lsp.state import Root, State
from bonafix.lsp.wire import Wire
from bonafix.lsp.wording import choices, ending, label

_TARGETS = 20  # each is run several times; more would not say more
_AGAIN = 2  # times that a fix follows edits that are made meanwhile


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
        if not (config.trust or await state.trust.allows(root.folder, again=True)):
            text = f"{name} was not worked on: {root.path} is not trusted"
            finish(state, job, "none", text, state.client.inform)
            return
        job.repair = await _repair(state, root, request, config, job)
    except BonafixError as error:
        text = f"no fix for {name}: {error}"
        finish(state, job, "error", text, state.client.complain)
        return
    await _conclude(state, root, request, config, job)


async def _repair(
    state: State, root: Root, request: Fix, config: Config, job: Job
) -> Repair:
    """The one repair that a single test gets."""
    test = request.test
    cancel = functools.partial(state.jobs.cancel, [job])
    title = f"fixing {short_name(test)}"
    shown = progress(state.client, title, job.id, state.cancels, cancel)
    async with shown as report:
        if state.fixing.taken(root.path):
            report.say("waiting for the fix before it")
        async with state.fixing.of(root.path):  # two would only slow each other down
            project = state.open_project(root.path, config)
            work = Work(state, root, project, report)
            earlier = _moved_on(state, root, request, job)
            again = await rejudged(work, earlier) if earlier else None
            if again:
                repair, job.base = again
                return repair
            job.base = base_now(state, root)
            return await _current(work, job, await _searched(work, request))


async def _searched(work: Work, request: Fix) -> Repair:
    buffers = work.state.documents.unsaved(work.root.path)
    tests = targets(work.root, request.test, every=request.group)
    stream = work.project.fix(tests=tests, buffers=buffers, listen=work.listen)
    async with contextlib.aclosing(stream):
        async for repair in stream:
            if any(target.id == request.test for target in repair.targets):
                return repair
    raise BonafixError("it does not fail any more")


def _moved_on(state: State, root: Root, request: Fix, job: Job) -> Repair | None:
    """The fix that the test had before, if it is asked for again for its text only."""
    before = job.replaced
    offered = choices(before.repair) if before else ()
    if not (before and before.repair and offered) or request.engine or request.thinking:
        return None
    stands = {standing(state, root, before, one).kind for one in offered}
    return before.repair if "moved" in stands and "ready" not in stands else None


async def _current(work: Work, job: Job, repair: Repair) -> Repair:
    """The fix, judged again if what it depends on was edited while it was made.

    Bounded: who goes on typing is told that it is for older text.
    """
    for _ in range(_AGAIN):
        offered = choices(repair)
        look = functools.cache(work.state.look(work.root))
        if not offered or not moved(look, job.base, repair, offered[0]):
            break
        again = await rejudged(work, repair)
        if again is None:
            break
        repair, job.base = again
    return repair


def targets(root: Root, test: str, *, every: bool = False) -> list[str]:
    """The test and those that failed with it, for one cause deserves one fix.

    Some of many will do, unless `every` one is wanted. Only the test itself if the
    text has changed since: others may be gone by now.
    """
    finding = root.board.findings.get(test)
    if finding is None or finding.stale:
        return [test]
    limit = None if every else _TARGETS - 1
    return [test, *finding.siblings[:limit]]


async def _conclude(
    state: State, root: Root, request: Fix, config: Config, job: Job
) -> None:
    repair = job.repair
    assert repair is not None
    text = ending(repair, request.test)
    offered = choices(repair)
    if not offered:
        finish(state, job, "none", text, state.client.warn)
        return
    findings = root.board.findings
    paths = {findings[t.id].spot.path for t in repair.targets if t.id in findings}
    refresh(state, root, frozenset(paths))
    publish(state, root)  # so that clients ask for the actions again
    best = offered[0]
    now = standing(state, root, job, best)
    if now.kind == "moved":
        name = short_name(request.test)
        text = f"a fix for {name} was found, but {now.reason}"
        finish(state, job, "moved", text, state.client.warn)
        return
    if request.auto_apply and _may_apply(best, config):
        finish(state, job, "ready", text, state.client.inform)
        await deliver(state, root, job, best)
        return
    say = state.client.inform if best.verdict.accepted else state.client.warn
    text += " Apply it with the quick fix on the failing line."
    finish(state, job, "ready", text, say)


def _may_apply(judgement: Judgement, config: Config) -> bool:
    if judgement.verdict is Verdict.VERIFIED:
        return True
    return config.accept == "plausible" and judgement.verdict is Verdict.PLAUSIBLE


# ------------------------------------------------------------------- what is offered


def offer(state: State, root: Root) -> Offer:
    """What code actions in `root` need to know, at the moment they are asked for."""
    known: dict[str, JobView] = {}  # many tests may share one job
    look = functools.cache(state.look(root))

    def view(test: str) -> JobView | None:
        job = state.jobs.by_test.get((root.path, test))
        if job and job.id not in known and (job.running or job.repair):
            known[job.id] = _view(state, root, job, look)
        return known.get(job.id) if job else None

    def shown(finding: Finding) -> Wire:
        return next(diagnostics(state, root, [finding]))

    # Who chose the search engine alone wants nothing to leave the machine.
    claude = root.wanted.engine != "search" and state.claude(root.wanted)
    return Offer(
        root=root.uri,
        job=view,
        claude=claude,
        model=claude or root.wanted.engine == "claude",
        shown=shown,
        safe=functools.partial(_safe, state.client.abilities),
    )


def views(state: State, root: Root) -> tuple[JobView, ...]:
    """How every job stands whose outcome is offered in `root`."""
    look = functools.cache(state.look(root))
    jobs = (job for job in state.jobs.of(root.path) if job.running or job.repair)
    return tuple(_view(state, root, job, look) for job in jobs)


def _safe(able: Abilities, stand: Stand) -> bool:
    """Whether an edit may wait in an action until its user chooses it.

    Else it is looked at again and sent when it is wanted, if this client takes that.
    """
    if not able.apply:
        return True
    return able.checks_actions and stand.edit is not None and guarded(stand.edit)


def _view(state: State, root: Root, job: Job, look: Look) -> JobView:
    if job.repair is None:
        return JobView(job.id, running=True)
    shown = (
        Choice(
            number=number,
            label=state.client.redact(label(judgement)),
            verified=judgement.verdict.accepted,
            stand=standing(state, root, job, judgement, look),
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

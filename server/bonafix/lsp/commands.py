"""The commands: each checks its argument, starts a job at most, and answers at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NoReturn

from pygls.exceptions import JsonRpcInvalidParams

from bonafix.domain import Judgement, Repair
from bonafix.errors import UsageError
from bonafix.lsp import arguments, fixes, runs, showing
from bonafix.lsp.documents import file_path
from bonafix.lsp.evidence import page
from bonafix.lsp.explaining import explanation
from bonafix.lsp.findings import short_name
from bonafix.lsp.jobs import Job
from bonafix.lsp.landing import confirm, deliver, offered, standing
from bonafix.lsp.selecting import of_file
from bonafix.lsp.session import Server
from bonafix.lsp.state import Root, State
from bonafix.lsp.wording import choices, ending

Answer = dict[str, object]


async def run_tests(ls: Server, *given: object) -> Answer:
    """`bonafix.runTests`, also `bonafix.test`: start a run and name it."""
    state = ls.state
    with _refusing():
        request = arguments.run_tests(given)
        if request.test is not None:
            root = state.root_named(request.root or request.uri, request.test)
            return _named(runs.start(state, root, select=[request.test], asked=True))
        folders = state.roots_named(request.root or request.uri)
        above = len(folders) > 1  # the URI is that of a folder with several projects
        if request.uri is not None and not (request.last_failed or above):
            return _named(_run_file(state, request.uri))
        start = _run_failed if request.last_failed else _run_all
        started = start(state, folders)
    return {"job": started[0].id, "jobs": [job.id for job in started]}


def _run_file(state: State, uri: str) -> Job:
    root = state.root_named(uri)
    path = file_path(uri)
    assert path is not None  # or no root would be named
    inside = path.is_relative_to(root.path) and path != root.path
    name = path.relative_to(root.path).as_posix() if inside else ""
    select = of_file(root.known, name) if name else None
    return runs.start(state, root, select=select, asked=True)


def _run_all(state: State, folders: Sequence[Root]) -> list[Job]:
    return [runs.start(state, root, asked=True) for root in folders]


def _run_failed(state: State, folders: Sequence[Root]) -> list[Job]:
    """Run what is shown as failing; a file that was not collected as a whole."""
    failing = [(root, tuple(root.board.findings)) for root in folders]
    started = [
        runs.start(state, root, select=tests, asked=True)
        for root, tests in failing
        if tests
    ]
    if not started:
        raise UsageError("no test failed in the last run")
    return started


async def fix(ls: Server, *given: object) -> Answer:
    """`bonafix.fix`: start the work on a test and name it."""
    with _refusing():
        request = arguments.fix(given)
        root = ls.state.root_named(request.root, request.test)
        return _named(fixes.start(ls.state, root, request))


async def apply(ls: Server, *given: object) -> Answer:
    """`bonafix.apply`: send the edit, if the text is still what was judged."""
    state = ls.state
    with _refusing():
        request = arguments.of_job(given, "bonafix.apply", "candidate", "made")
        job = _job(state, request.job)
        root, judgement = _choice(state, job, request.candidate)
    if request.made:
        state.jobs.start("apply", lambda _job: confirm(state, root, judgement))
        return {"job": job.id, "sent": False, "reason": ""}
    now = standing(state, root, job, judgement)
    if now.kind == "ready":
        state.jobs.start("apply", lambda _job: deliver(state, root, job, judgement))
    else:
        state.client.warn(f"the fix was not applied: {now.reason}")
    return {"job": job.id, "sent": now.kind == "ready", "reason": now.reason}


async def cancel(ls: Server, *given: object) -> Answer:
    """`bonafix.cancel`: reaches model, tests and probes."""
    with _refusing():
        job = _job(ls.state, arguments.of_job(given, "bonafix.cancel").job)
    return {"job": job.id, "cancelled": ls.state.jobs.cancel([job])}


async def show_evidence(ls: Server, *given: object) -> Answer:
    """`bonafix.showEvidence`: open the page, and answer with it."""
    state = ls.state
    with _refusing():
        request = arguments.of_job(given, "bonafix.showEvidence")
        job = _job(state, request.job)
        repair = _ended(job)
    text = page(repair, job.test, state.client.redact)
    headline = ending(repair, job.test)
    state.jobs.start(
        "page", lambda _job: showing.present(state, job.id, headline, text)
    )
    return {
        "job": job.id,
        "markdown": text,
        "receipt": repair.receipt,
        "candidates": offered(state, job),
    }


async def explain(ls: Server, *given: object) -> Answer:
    """`bonafix.explain`: open a page about a failure; no model is asked."""
    state = ls.state
    with _refusing():
        request = arguments.explain(given)
        root = state.root_named(request.root, request.test)
        finding = root.board.findings.get(request.test)
        if finding is None:
            raise UsageError(f"{request.test} is not among the failing tests")
    text = state.client.redact(explanation(finding))
    name = f"explain-{hashlib.sha256(request.test.encode()).hexdigest()[:12]}"
    headline = f"{short_name(request.test)}: {finding.message.splitlines()[0]}"
    state.jobs.start("page", lambda _job: showing.present(state, name, headline, text))
    return {"test": request.test, "markdown": text}


async def doctor(ls: Server, *given: object) -> Answer:
    """`bonafix.doctor`: find out how the tests run, and show it."""
    with _refusing():
        arguments.nothing(given, "bonafix.doctor")
        if not ls.state.roots:
            raise UsageError("no workspace folder is open")
        started = [showing.doctor(ls.state, r) for r in ls.state.roots.values()]
    return _named(started[0])


class _refusing:  # noqa: N801 - read as a word: `with _refusing()`
    """Turns a usage error into the protocol's own for wrong parameters."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if isinstance(error, UsageError):
            _refuse(error)


def _refuse(error: UsageError) -> NoReturn:
    raise JsonRpcInvalidParams(str(error)) from error


def _named(job: Job) -> Answer:
    return {"job": job.id}


def _job(state: State, job_id: str) -> Job:
    job = state.jobs.table.get(job_id)
    if job is None:
        raise UsageError(f"there is no job {job_id!r}")
    return job


def _ended(job: Job) -> Repair:
    if job.repair is None:
        state = "has not ended yet" if job.running else "ended without a result"
        raise UsageError(f"job {job.id} {state}")
    return job.repair


def _choice(state: State, job: Job, number: int) -> tuple[Root, Judgement]:
    judged = choices(_ended(job))
    root = state.roots.get(job.root) if job.root else None
    if root is None:
        raise UsageError(f"the workspace folder of job {job.id} is closed")
    if number >= len(judged):
        raise UsageError(
            f"job {job.id} has no candidate {number} that could be applied; "
            f"it has {len(judged)}"
        )
    return root, judged[number]

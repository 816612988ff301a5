"""Failures and the jobs for their tests in, code actions out; pure."""

from __future__ import annotations

import heapq
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass

from lsprotocol import types

from bonafix.lsp.edits import Stand
from bonafix.lsp.findings import Finding, short_name
from bonafix.lsp.wire import Json, Wire

APPLY = "bonafix.apply"
FIX = "bonafix.fix"
CANCEL = "bonafix.cancel"
EVIDENCE = "bonafix.showEvidence"
EXPLAIN = "bonafix.explain"

NEAREST = 8
"""Failures of one question that have actions of their own.

A menu is read with the eyes: eight failures are some thirty entries already. And every
action carries its diagnostic, so that those of 1,000 rows of one test were a megabyte.
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """A judged patch as it may be offered now."""

    number: int  # among the job's choices
    label: str
    verified: bool
    stand: Stand


@dataclass(frozen=True, slots=True)
class JobView:
    """The latest job for a test, as its actions need it."""

    id: str
    running: bool
    choices: tuple[Choice, ...] = ()
    has_evidence: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What holds for every failure of one answer."""

    root: str  # the root's URI, since two roots may hold one node id
    job: Callable[[str], JobView | None]  # by test
    claude: bool  # whether asking for Claude by name makes sense
    model: bool = False  # whether a plain fix might ask a model
    shown: Callable[[Finding], Wire] = lambda _finding: {}  # its diagnostic now
    safe: Callable[[Stand], bool] = lambda _stand: True  # to hand out, not to send


@dataclass(frozen=True, slots=True)
class _About:
    """The failure that an action is for."""

    finding: Finding
    diagnostic: Wire
    offer: Offer

    @property
    def name(self) -> str:
        return short_name(self.finding.test)

    @property
    def plain(self) -> Wire:
        return {"test": self.finding.test, "root": self.offer.root}


def wanted(only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether the client asks for quick fixes at all."""
    if only is None:
        return True
    kinds = [str(getattr(kind, "value", kind)) for kind in only]
    return any(kind in {"", "quickfix"} for kind in kinds)


def actions(
    findings: Sequence[Finding], line: int, offer: Offer, named: Collection[str] = ()
) -> Json:
    """The actions for these failures, each job's edits and each cause's once.

    For those nearest to `line` and `named` by the client; of the others the causes.
    """
    fixable = [finding for finding in findings if finding.fixable]
    near = _nearest(fixable, line, offer, named)
    made, offered = Json(), set[object]()
    for finding in near:
        about = _About(finding, offer.shown(finding), offer)
        job = offer.job(finding.test)
        if job is None:
            made += _start(about, offered, preferred=True)
        elif job.id not in offered:
            offered.add(job.id)
            made += _with_job(about, job, offered)
        made.append(_explain(about))
    if len(near) < len(fixable):
        made += _causes(fixable, offer, offered)
    return made


def _nearest(
    findings: Sequence[Finding], line: int, offer: Offer, named: Collection[str]
) -> list[Finding]:
    """At most `NEAREST`, in their order: first those with a job, then those named."""
    if len(findings) <= NEAREST:
        return list(findings)

    def far(number: int) -> tuple[bool, bool, int]:
        one = findings[number]
        away = abs(one.spot.line - line)
        return (offer.job(one.test) is None, one.test not in named, away)

    chosen = heapq.nsmallest(NEAREST, range(len(findings)), key=far)
    return [findings[number] for number in sorted(chosen)]


def _causes(
    findings: Iterable[Finding], offer: Offer, offered: set[object]
) -> Iterator[Wire]:
    """The largest causes that have no action yet, each by its first failure here."""
    first: dict[tuple[str, ...], Finding] = {}
    for finding in findings:
        if finding.cause and offer.job(finding.test) is None:
            first.setdefault(finding.cause, finding)
    for finding in heapq.nlargest(NEAREST, first.values(), lambda f: len(f.cause)):
        yield from _together(_About(finding, offer.shown(finding), offer), offered)


def _explain(about: _About) -> Wire:
    title = f"Explain why {about.name} fails"
    return _command(about, title, EXPLAIN, about.plain)


def _with_job(about: _About, job: JobView, offered: set[object]) -> list[Wire]:
    if job.running:
        title = f"Cancel the fix of {about.name}"
        return [_command(about, title, CANCEL, {"job": job.id})]
    standings = {choice.stand.kind for choice in job.choices}
    made = _deliver(about, job)
    if "applied" in standings:
        pass  # the run that follows will show what became of it
    elif "moved" in standings and "ready" not in standings:
        title = f"Fix again: the file has changed ({about.name})"
        made.append(_command(about, title, FIX, about.plain, preferred=True))
    else:
        made += _start(about, offered, preferred="ready" not in standings)
    if job.has_evidence:
        made.append(_command(about, "Show evidence", EVIDENCE, {"job": job.id}))
    return made


def _deliver(about: _About, job: JobView) -> list[Wire]:
    """Each ready edit, or the command that sends it.

    Where the edit is handed out, the command that follows it looks whether it landed.
    """
    made = []
    for choice in job.choices:
        if choice.stand.kind != "ready":
            continue
        title = choice.label if not choice.number else f"Alternative: {choice.label}"
        inside = about.offer.safe(choice.stand)
        argument = {"job": job.id, "candidate": choice.number, "made": inside}
        # One key may apply a verified fix only; a plausible one is chosen.
        best = not choice.number and choice.verified
        action = _command(about, title, APPLY, argument, preferred=best)
        if inside and choice.stand.edit is not None:
            action["edit"] = choice.stand.edit
        made.append(action)
    return made


def _start(about: _About, offered: set[object], *, preferred: bool) -> Iterator[Wire]:
    title = f"Fix {about.name} with Bonafix"
    yield _command(about, title, FIX, about.plain, preferred=preferred)
    yield from _together(about, offered)
    if about.offer.claude:
        hard = {**about.plain, "engine": "claude", "thinking": "high"}
        title = f"Fix {about.name} with Claude (thinking: high)"
        yield _command(about, title, FIX, hard)
    if about.offer.model:
        title = f"Quick fix {about.name} without a model"
        yield _command(about, title, FIX, {**about.plain, "engine": "search"})


def _together(about: _About, offered: set[object]) -> Iterator[Wire]:
    """One action for all that fail for its cause, if it is not offered already."""
    cause = about.finding.cause
    if len(cause) > 1 and cause not in offered:
        offered.add(cause)
        title = f"Fix all {len(cause):,} failures with one cause"
        yield _command(about, title, FIX, {**about.plain, "group": True})


def _command(
    about: _About,
    title: str,
    command: str,
    argument: Mapping[str, object],
    *,
    preferred: bool = False,
) -> Wire:
    return {
        "title": title,
        "kind": "quickfix",
        "diagnostics": [about.diagnostic],
        "isPreferred": preferred,
        "command": {"title": title, "command": command, "arguments": [argument]},
    }

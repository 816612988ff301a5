"""Diagnostics and the jobs for their tests in, code actions out; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lsprotocol import types

from bonafix.lsp.edits import Stand
from bonafix.lsp.findings import short_name

APPLY = "bonafix.apply"
FIX = "bonafix.fix"
CANCEL = "bonafix.cancel"
EVIDENCE = "bonafix.showEvidence"
EXPLAIN = "bonafix.explain"


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
    """What holds for every diagnostic of one answer."""

    root: str  # the root's URI, since two roots may hold one node id
    job: Callable[[str], JobView | None]  # by test
    claude: bool  # whether asking for Claude by name makes sense
    model: bool = False  # whether a plain fix might ask a model
    safe: Callable[[Stand], bool] = lambda _stand: True  # to hand out, not to send


def wanted(only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether the client asks for quick fixes at all."""
    if only is None:
        return True
    kinds = [str(getattr(kind, "value", kind)) for kind in only]
    return any(kind in {"", "quickfix"} for kind in kinds)


def actions(
    diagnostics: Iterable[types.Diagnostic], offer: Offer
) -> list[types.CodeAction]:
    """The actions for these diagnostics, each job's edits once."""
    made: list[types.CodeAction] = []
    offered: set[str] = set()
    for diagnostic in diagnostics:
        test = str(diagnostic.code)
        if not _fixable(diagnostic):
            continue
        job = offer.job(test)
        if job is None:
            made += _start(diagnostic, test, offer, preferred=True)
        elif job.id not in offered:
            offered.add(job.id)
            made += _with_job(diagnostic, test, job, offer)
        made.append(_explain(diagnostic, test, offer))
    return made


def _explain(diagnostic: types.Diagnostic, test: str, offer: Offer) -> types.CodeAction:
    title = f"Explain why {short_name(test)} fails"
    return _command(diagnostic, title, EXPLAIN, {"test": test, "root": offer.root})


def _fixable(diagnostic: types.Diagnostic) -> bool:
    data = diagnostic.data
    return isinstance(data, dict) and bool(data.get("fixable"))


def _with_job(
    diagnostic: types.Diagnostic, test: str, job: JobView, offer: Offer
) -> list[types.CodeAction]:
    name = short_name(test)
    if job.running:
        title = f"Cancel the fix of {name}"
        return [_command(diagnostic, title, CANCEL, {"job": job.id})]
    standings = {choice.stand.kind for choice in job.choices}
    made = _deliver(diagnostic, job, offer)
    if "applied" in standings:
        pass  # the run that follows will show what became of it
    elif "moved" in standings and "ready" not in standings:
        title = f"Fix again: the file has changed ({name})"
        again = {"test": test, "root": offer.root}
        made.append(_command(diagnostic, title, FIX, again, preferred=True))
    else:
        made += _start(diagnostic, test, offer, preferred="ready" not in standings)
    if job.has_evidence:
        made.append(_command(diagnostic, "Show evidence", EVIDENCE, {"job": job.id}))
    return made


def _deliver(
    diagnostic: types.Diagnostic, job: JobView, offer: Offer
) -> list[types.CodeAction]:
    """Each ready edit, or the command that sends it.

    Where the edit is handed out, the command that follows it looks whether it landed.
    """
    made = []
    for choice in job.choices:
        if choice.stand.kind != "ready":
            continue
        title = choice.label if not choice.number else f"Alternative: {choice.label}"
        inside = offer.safe(choice.stand)
        argument = {"job": job.id, "candidate": choice.number, "made": inside}
        # One key may apply a verified fix only; a plausible one is chosen.
        best = not choice.number and choice.verified
        action = _command(diagnostic, title, APPLY, argument, preferred=best)
        action.edit = choice.stand.edit if inside else None
        made.append(action)
    return made


def _start(
    diagnostic: types.Diagnostic, test: str, offer: Offer, *, preferred: bool
) -> list[types.CodeAction]:
    name = short_name(test)
    plain = {"test": test, "root": offer.root}
    title = f"Fix {name} with Bonafix"
    made = [_command(diagnostic, title, FIX, plain, preferred=preferred)]
    together = 1 + _siblings(diagnostic)
    if together > 1:
        title = f"Fix all {together:,} failures with one cause"
        made.append(_command(diagnostic, title, FIX, {**plain, "group": True}))
    if offer.claude:
        hard = {**plain, "engine": "claude", "thinking": "high"}
        title = f"Fix {name} with Claude (thinking: high)"
        made.append(_command(diagnostic, title, FIX, hard))
    if offer.model:
        title = f"Quick fix {name} without a model"
        made.append(_command(diagnostic, title, FIX, {**plain, "engine": "search"}))
    return made


def _siblings(diagnostic: types.Diagnostic) -> int:
    data = diagnostic.data
    count = data.get("siblings") if isinstance(data, dict) else None
    return count if isinstance(count, int) else 0


def _command(
    diagnostic: types.Diagnostic,
    title: str,
    command: str,
    argument: Mapping[str, object],
    *,
    preferred: bool = False,
) -> types.CodeAction:
    return types.CodeAction(
        title=title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[diagnostic],
        is_preferred=preferred,
        command=types.Command(title=title, command=command, arguments=[argument]),
    )

"""Failing tests and the jobs for them in, lenses above their definitions out; pure.

Lenses are asked for after every change, all of a file at once, so they are made as
the JSON that is sent: the protocol's own types cost seven times as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from bonafix.lsp.actions import APPLY, CANCEL, EVIDENCE, EXPLAIN, FIX, JobView, Offer
from bonafix.lsp.findings import Finding, short_name

Lens = dict[str, object]


class Json(list[Lens]):
    """An answer that is nothing but JSON, to be sent as it is."""


def lenses(findings: Iterable[Finding], offer: Offer) -> Json:
    """What may be done about each failing test; rows of one test share a line."""
    shown = sorted((f for f in findings if f.fixable), key=_line)
    return Json(
        lens
        for line, here in groupby(shown, key=_line)
        for lens in _at(line, list(here), offer)
    )


def _line(finding: Finding) -> int:
    return (finding.definition or finding.spot).line


def _at(line: int, here: Sequence[Finding], offer: Offer) -> Iterable[Lens]:
    """The lenses of one line: those of a test that is worked on, if any is."""
    jobs = {finding.test: offer.job(finding.test) for finding in here}
    first = next((f for f in here if jobs[f.test]), here[0])
    job = jobs[first.test]
    if job is None:
        yield from _fresh(line, first, len(here), offer)
    elif job.running:
        yield _lens(line, "Cancel the fix", CANCEL, {"job": job.id})
    else:
        yield from _ended(line, first, job, offer)


def _fresh(line: int, finding: Finding, rows: int, offer: Offer) -> Iterable[Lens]:
    failing = f" ({rows} rows fail)" if rows > 1 else ""
    plain = {"test": finding.test, "root": offer.root}
    yield _lens(line, f"Fix with Bonafix{failing}", FIX, plain)
    yield _lens(line, "Explain", EXPLAIN, plain)


def _ended(line: int, finding: Finding, job: JobView, offer: Offer) -> Iterable[Lens]:
    ready = next((c for c in job.choices if c.stand.kind == "ready"), None)
    if ready:
        argument = {"job": job.id, "candidate": ready.number}
        yield _lens(line, ready.label, APPLY, argument)
    elif not any(choice.stand.kind == "applied" for choice in job.choices):
        title = f"Fix {short_name(finding.test)} again"
        yield _lens(line, title, FIX, {"test": finding.test, "root": offer.root})
    if job.has_evidence:
        yield _lens(line, "Show evidence", EVIDENCE, {"job": job.id})


def _lens(line: int, title: str, command: str, argument: Mapping[str, object]) -> Lens:
    at = {"line": line, "character": 0}
    done = {"title": title, "command": command, "arguments": [argument]}
    return {"range": {"start": at, "end": at}, "command": done}

"""Failing tests and the jobs for them in, lenses above their definitions out; pure.

Lenses are asked for after every change, all of a file at once: `requests` keeps what
was sent until something has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from bonafix.lsp.actions import APPLY, CANCEL, EVIDENCE, EXPLAIN, FIX, JobView, Offer
from bonafix.lsp.findings import Finding, short_name
from bonafix.lsp.wire import Wire


def lenses(findings: Iterable[Finding], offer: Offer) -> Iterator[Wire]:
    """What may be done about each failing test; rows of one test share a line.

    The lines are those of the call, however late the lenses are taken.
    """
    found = [(_line(f), f) for f in findings if f.fixable]
    lines = groupby(sorted(found, key=_first), key=_first)
    return (lens for line, here in lines for lens in _at(line, [*here], offer))


def _line(finding: Finding) -> int:
    return (finding.definition or finding.spot).line


def _first(pair: tuple[int, Finding]) -> int:
    return pair[0]


def _at(line: int, here: Sequence[tuple[int, Finding]], offer: Offer) -> Iterable[Wire]:
    """The lenses of one line: those of a test that is worked on, if any is."""
    rows = [finding for _, finding in here]
    first = next((f for f in rows if offer.job(f.test)), rows[0])
    job = offer.job(first.test)
    if job is None:
        yield from _fresh(line, first, len(rows), offer)
    elif job.running:
        yield _lens(line, "Cancel the fix", CANCEL, {"job": job.id})
    else:
        yield from _ended(line, first, job, offer)


def _fresh(line: int, finding: Finding, rows: int, offer: Offer) -> Iterable[Wire]:
    failing = f" ({rows} rows fail)" if rows > 1 else ""
    plain = {"test": finding.test, "root": offer.root}
    yield _lens(line, f"Fix with Bonafix{failing}", FIX, plain)
    yield _lens(line, "Explain", EXPLAIN, plain)


def _ended(line: int, finding: Finding, job: JobView, offer: Offer) -> Iterable[Wire]:
    ready = next((c for c in job.choices if c.stand.kind == "ready"), None)
    if ready:
        argument = {"job": job.id, "candidate": ready.number}
        yield _lens(line, ready.label, APPLY, argument)
    elif not any(choice.stand.kind == "applied" for choice in job.choices):
        title = f"Fix {short_name(finding.test)} again"
        yield _lens(line, title, FIX, {"test": finding.test, "root": offer.root})
    if job.has_evidence:
        yield _lens(line, "Show evidence", EVIDENCE, {"job": job.id})


def _lens(line: int, title: str, command: str, argument: Mapping[str, object]) -> Wire:
    at = {"line": line, "character": 0}
    done = {"title": title, "command": command, "arguments": [argument]}
    return {"range": {"start": at, "end": at}, "command": done}

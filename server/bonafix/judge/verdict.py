"""The records of the stages in, the verdict and what it still lacks out; pure.

The same records give the same verdict, with no model and no machine. Missing
evidence never refuses, and never verifies.
"""

from __future__ import annotations

from collections.abc import Sequence

from bonafix.domain import STAGES, Evidence, Verdict

# Worst first: where several stages refuse, the first of these names the patch.
ORDER = (
    Verdict.TAMPERED,
    Verdict.BROKEN,
    Verdict.REGRESSED,
    Verdict.UNFIXED,
    Verdict.SPECIAL_CASED,
    Verdict.FLAKY,
)

# Each must have passed, or have said why it does not apply.
REQUIRED = ("policy", "target", "suite", "canary", "replay", "confirm")

# Some tests have nothing to alter, some code nothing to call; all else applies always.
_MAY_NOT_APPLY = ("canary", "replay")

_WHY = {
    "policy": "which files it touches was not checked",
    "target": "its targets were not run",
    "suite": "the whole suite was not run",
    "canary": "no target was run with its expected values changed",
    "replay": "the changed functions were not called outside pytest",
    "confirm": "the suite was not confirmed by a second, cold run",
}
_LAST = _WHY["confirm"]
NOTHING_INDEPENDENT = "no test that its author did not see, and no probe, supports it"


def verdict(records: Sequence[Evidence]) -> tuple[Verdict, tuple[str, ...]]:
    """Fold `records` into a verdict and the reasons why it is not better.

    The reasons are empty for `verified` and for refusals; for `plausible` they
    name the evidence that is missing or disputed. The order of the records makes no
    difference to either.
    """
    refusals = {record.refusal for record in records} - {None}
    for worst in ORDER:
        if worst in refusals:
            return worst, ()
    missing = missing_evidence(records)
    return (Verdict.PLAUSIBLE, missing) if missing else (Verdict.VERIFIED, ())


def missing_evidence(records: Sequence[Evidence]) -> tuple[str, ...]:
    """What keeps the records from `verified`, as clauses for a person."""
    ordered = sorted(records, key=_order)
    gaps = [gap for stage in REQUIRED for gap in _gaps(stage, ordered)]
    doubts = [_dispute(record) for record in ordered]
    if not any(record.supports and record.result == "pass" for record in records):
        doubts.append(NOTHING_INDEPENDENT)
    missing = tuple(dict.fromkeys(reason for reason in (*gaps, *doubts) if reason))
    # Confirming is the last step; who lacks more than that is not told about it.
    return missing if len(missing) == 1 else tuple(m for m in missing if m != _LAST)


def _order(record: Evidence) -> tuple[int, str, str, str]:
    """In the order of the stages, whatever order they were written in."""
    known = record.stage in STAGES
    at = STAGES.index(record.stage) if known else len(STAGES)
    return at, record.result, record.summary, record.doubt


def _gaps(stage: str, records: Sequence[Evidence]) -> list[str]:
    """Why a required stage is not passed; every record of it must say so."""
    own = [record for record in records if record.stage == stage]
    return [_gap(record) for record in own] if own else [_WHY[stage]]


def _gap(record: Evidence) -> str:
    if record.result == "pass" or record.doubt:
        return ""  # a doubt speaks for itself
    excused = record.stage in _MAY_NOT_APPLY and record.facts.get("not_applicable")
    if record.result == "skipped" and excused:
        return ""
    return f"{record.stage}: {record.summary}"


def _dispute(record: Evidence) -> str:
    """What a record has against the patch, short of a refusal that is known."""
    if record.doubt:
        return record.doubt
    if record.refusal is not None:
        return f"{record.stage}: it ended as {record.refusal}"
    failed = record.result == "fail" and record.stage not in REQUIRED
    return f"{record.stage}: {record.summary}" if failed else ""

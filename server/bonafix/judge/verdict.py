"""The records of the stages in, the verdict and what it still lacks out; pure.

The same records give the same verdict, with no model and no machine. Missing
evidence never refuses, and never verifies.
"""

from __future__ import annotations

from collections.abc import Sequence

from bonafix.domain import Evidence, Verdict

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
    name the evidence that is missing or disputed.
    """
    refusals = {record.refusal for record in records} - {None}
    for worst in ORDER:
        if worst in refusals:
            return worst, ()
    missing = missing_evidence(records)
    return (Verdict.PLAUSIBLE, missing) if missing else (Verdict.VERIFIED, ())


def missing_evidence(records: Sequence[Evidence]) -> tuple[str, ...]:
    """What keeps the records from `verified`, as clauses for a person."""
    by_stage = {record.stage: record for record in records}
    gaps = [_gap(stage, by_stage.get(stage)) for stage in REQUIRED]
    doubts = [record.doubt for record in records]
    if not any(record.supports for record in records):
        doubts.append(NOTHING_INDEPENDENT)
    missing = tuple(reason for reason in (*gaps, *doubts) if reason)
    # Confirming is the last step; who lacks more than that is not told about it.
    return missing if len(missing) == 1 else tuple(m for m in missing if m != _LAST)


def _gap(stage: str, record: Evidence | None) -> str:
    if record is None:
        return _WHY[stage]
    if record.result == "pass" or record.doubt:
        return ""  # a doubt speaks for itself
    if record.result == "skipped" and record.facts.get("not_applicable"):
        return ""
    return f"{stage}: {record.summary}"

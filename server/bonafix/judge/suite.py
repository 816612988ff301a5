"""Stage 3b: the suite's run against the baseline in, what got worse out; pure.

The criterion is not "all green" but "no id gets worse": a baseline may be red,
and a new green elsewhere does not pay for a loss.
"""

from __future__ import annotations

from collections.abc import Sequence

from bonafix.domain import (
    Baseline,
    Evidence,
    Outcome,
    SuiteRun,
    Verdict,
    worse,
)

SLOWER = 10  # times its CPU time in the baseline, twice: counts as hanging
CPU_FLOOR = 1.0  # seconds; below it a ratio says nothing


def lost(baseline: Baseline, run: SuiteRun) -> tuple[str, ...]:
    """The ids that got worse, the baseline's flaky ones left out."""
    known = [i for i in baseline.run.collected if i not in baseline.flaky]
    return tuple(
        node_id
        for node_id in known
        if worse(baseline.run.outcome(node_id), run.outcome(node_id))
        or _much_slower(baseline, run, node_id)
    )


def won(baseline: Baseline, run: SuiteRun) -> tuple[str, ...]:
    """The red ids that are green now."""
    return tuple(
        node_id
        for node_id in baseline.run.red
        if run.outcome(node_id) is Outcome.PASSED and node_id not in baseline.flaky
    )


def suite(
    baseline: Baseline, run: SuiteRun, confirmed: Sequence[str], reruns: int
) -> Evidence:
    """Refuse what made any id worse.

    `confirmed` are the ids of `lost` that were worse again each time they were
    re-run, `reruns` how many ids were re-run at all.
    """
    tampered = _invariants(baseline, run)
    if tampered:
        return _record("fail", tampered, Verdict.TAMPERED, run, baseline)
    if run.collection_errors:
        first = run.collection_errors[0]
        reason = f"{first.id} can no longer be collected"
        return _record("fail", reason, Verdict.BROKEN, run, baseline)
    if confirmed:
        return _record(
            "fail", _loss(baseline, run, confirmed), Verdict.REGRESSED, run, baseline
        )
    return _record("pass", _summary(baseline, run, reruns), None, run, baseline)


def outcomes_after(records: Sequence[Evidence]) -> dict[str, Outcome]:
    """The outcomes that the patch changed, read back from the stage's record."""
    facts = [record.facts.get("after") for record in records if record.stage == "suite"]
    found = facts[-1] if facts else {}
    assert isinstance(found, dict)
    return {node_id: Outcome(outcome) for node_id, outcome in found.items()}


def red_after(records: Sequence[Evidence]) -> frozenset[str] | None:
    """The ids that are red under the patch, read back; `None`: no suite has run."""
    facts = [record.facts.get("red") for record in records if record.stage == "suite"]
    found = facts[-1] if facts else None
    return frozenset(found) if isinstance(found, list) else None


def _invariants(baseline: Baseline, run: SuiteRun) -> str:
    """What no honest change of product code does to a test session."""
    if run.duplicates:
        return f"{run.duplicates[0]} was reported more than once"
    if not run.finished and not run.timed_out:
        return "the test session ended before pytest said so"
    changing = _renamed(baseline)
    unseen = set(run.collected) - set(baseline.run.collected)
    unseen = {node_id for node_id in unseen if _test(node_id) not in changing}
    if unseen:
        return f"a test appeared that was not there before: {min(unseen)}"
    return ""


def _renamed(baseline: Baseline) -> frozenset[str]:
    """The tests whose parameters have other names in each run (a time, an address)."""
    return frozenset(
        _test(node_id)
        for node_id in baseline.flaky
        if Outcome.MISSING in baseline.repeats.get(node_id, ())
    )


def _test(node_id: str) -> str:
    return node_id.partition("[")[0]


def _loss(baseline: Baseline, run: SuiteRun, confirmed: Sequence[str]) -> str:
    node_id = confirmed[0]
    before, after = baseline.run.outcome(node_id), run.outcome(node_id)
    how = f"{before} before, {after} now"
    if after is Outcome.MISSING:
        how = f"{before} before, gone now"
    elif not worse(before, after):
        how = f"takes over {SLOWER} times as long now"
    more = f" (and {len(confirmed) - 1} more)" if len(confirmed) > 1 else ""
    return f"{node_id}: {how}{more}"


def _summary(baseline: Baseline, run: SuiteRun, reruns: int) -> str:
    parts = [f"{_unchanged(baseline, run)} unchanged, 0 lost"]
    if red := len(run.red):
        parts.append(f"{red} red before and now")
    if baseline.flaky:
        parts.append(f"{len(baseline.flaky)} flaky")
    if reruns:
        parts.append(f"{reruns} unsteady, passed when re-run")
    return ", ".join(parts)


def _unchanged(baseline: Baseline, run: SuiteRun) -> int:
    """Ids that are as good as before, the red ones not counted."""
    return len(baseline.run.collected) - len(won(baseline, run)) - len(run.red)


def _after(baseline: Baseline, run: SuiteRun) -> dict[str, str]:
    """The ids whose outcome changed, with what it is now."""
    return {
        node_id: str(run.outcome(node_id))
        for node_id in baseline.run.collected
        if run.outcome(node_id) is not baseline.run.outcome(node_id)
    }


def _much_slower(baseline: Baseline, run: SuiteRun, node_id: str) -> bool:
    before = baseline.run.results.get(node_id)
    after = run.results.get(node_id)
    if before is None or after is None or before.outcome.red:
        return False
    limit = max(CPU_FLOOR, SLOWER * before.cpu_seconds)
    return after.cpu_seconds > limit


def _record(
    result: str,
    summary: str,
    refusal: Verdict | None,
    run: SuiteRun,
    baseline: Baseline,
) -> Evidence:
    return Evidence(
        stage="suite",
        result="pass" if result == "pass" else "fail",
        summary=summary,
        refusal=refusal,
        seconds=run.seconds,
        cpu_seconds=run.cpu_seconds,
        facts={
            "collected": len(run.collected),
            "before": len(baseline.run.collected),
            "unchanged": _unchanged(baseline, run),
            "lost": list(lost(baseline, run)),
            "won": list(won(baseline, run)),
            "red": list(run.red),
            "after": _after(baseline, run),
        },
    )

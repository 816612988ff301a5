"""Stage 3a: one run of the targets in, whether they are green now out; pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bonafix.domain import (
    Evidence,
    Outcome,
    SuiteRun,
    TargetChange,
    TestResult,
    Verdict,
)


def changes(targets: Sequence[TestResult], run: SuiteRun) -> tuple[TargetChange, ...]:
    """Each target's outcome before and after."""
    return tuple(
        TargetChange(id=target.id, before=target.outcome, after=run.outcome(target.id))
        for target in targets
    )


def target(
    targets: Sequence[TestResult], run: SuiteRun, flaky: Collection[str] = ()
) -> Evidence:
    """Refuse a patch under which a target is not plainly green.

    A target must be red without the patch, steadily: else its green shows nothing.

    Green means that set-up, call and tear-down were all seen and passed: a target
    that is skipped or expected to fail now was evaded, not fixed.
    """
    if not targets:
        return _record("fail", "it turns no failing test green", Verdict.UNFIXED)
    if unsteady := [t.id for t in targets if t.id in flaky]:
        return _record("fail", f"{unsteady[0]} is flaky by itself", Verdict.FLAKY)
    if idle := [t.id for t in targets if not t.outcome.red]:
        why = f"{idle[0]} does not fail without the patch: it shows nothing"
        return _record("fail", why, Verdict.UNFIXED)
    after = changes(targets, run)
    left = [change for change in after if change.after is not Outcome.PASSED]
    total = len(after)
    if not left:
        thin = [t.id for t in targets if not _whole(run.results[t.id])]
        if thin:
            return _record(
                "fail",
                f"{thin[0]} was reported passed without its set-up, call and "
                "tear-down having been seen",
                Verdict.TAMPERED,
            )
        return _record("pass", f"{total}/{total} targets pass", None)
    first = left[0]
    summary = f"{total - len(left)}/{total} targets pass; {_how(first, targets, run)}"
    return _record("fail", summary, _class_of(run))


def _whole(result: TestResult) -> bool:
    return {"setup", "call", "teardown"} <= set(result.phases)


def _class_of(run: SuiteRun) -> Verdict:
    # Nothing at all ran: the patch broke the import, it did not miss the fault.
    broken = bool(run.collection_errors) or not run.results
    return Verdict.BROKEN if broken else Verdict.UNFIXED


def _how(change: TargetChange, targets: Sequence[TestResult], run: SuiteRun) -> str:
    before = next(t for t in targets if t.id == change.id)
    after = run.results.get(change.id)
    if run.collection_errors:
        first = run.collection_errors[0]
        return f"{first.id} can no longer be collected: {_line(first.message)}"
    if after is None:
        return f"{change.id} did not run to its end"
    if change.after in {Outcome.SKIPPED, Outcome.XFAILED}:
        return f"{change.id} is {change.after} now, which is no fix"
    if change.after is Outcome.HUNG:
        return f"{change.id} hangs"
    same = (before.exception, before.message) == (after.exception, after.message)
    moved = "still fails" if same else "fails in another way now"
    return f"{change.id} {moved}: {after.exception} {_line(after.message)}".rstrip(": ")


def _line(message: str, width: int = 160) -> str:
    first = message.strip().splitlines()[0] if message.strip() else ""
    return first if len(first) <= width else first[: width - 1] + "…"


def _record(result: str, summary: str, refusal: Verdict | None) -> Evidence:
    return Evidence(
        stage="target",
        result="pass" if result == "pass" else "fail",
        summary=summary,
        refusal=refusal,
    )

"""A repair or a judgement in, the words a user reads out; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bonafix.domain import Evidence, Judgement, Outcome, Repair, Verdict
from bonafix.lsp.findings import short_name


def label(judgement: Judgement) -> str:
    """What applying it is called: the verdict and the numbers behind it."""
    if judgement.verdict is Verdict.VERIFIED:
        return f"Apply verified fix: {numbers(judgement)}"
    missing = f"; not shown: {_few(judgement.missing)}" if judgement.missing else ""
    return f"Apply {judgement.verdict} fix ({numbers(judgement)}{missing})"


def described(judgement: Judgement, redact: Callable[[str], str]) -> dict[str, object]:
    """What a list of candidates says of one, as JSON values."""
    candidate = judgement.candidate
    return {
        "verdict": str(judgement.verdict),
        "title": redact(label(judgement)),
        "missing": [redact(reason) for reason in judgement.missing],
        "files": list(candidate.patch.paths),
        "author": candidate.author,
        "model": candidate.model,
        "effort": candidate.effort,
    }


def _few(reasons: Sequence[str]) -> str:
    """The first and how many there are besides: the evidence has them all."""
    more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}"


def numbers(judgement: Judgement) -> str:
    """For example "3/3 target, 1,927 unchanged, 0 lost"."""
    targets = judgement.targets
    green = sum(target.after is Outcome.PASSED for target in targets)
    suite = _suite(judgement.evidence)
    return ", ".join(part for part in (f"{green}/{len(targets)} target", suite) if part)


def _suite(evidence: tuple[Evidence, ...]) -> str:
    """The whole suite in numbers, from its latest record that counted."""
    for record in reversed(evidence):
        if record.stage in {"suite", "confirm"}:
            same = record.facts.get("unchanged")
            if isinstance(same, int) and record.result == "pass":
                return f"{same:,} unchanged, 0 lost"  # it passed: none got worse
    summaries = [r.summary for r in evidence if r.stage == "suite"]
    return summaries[-1] if summaries else ""


def ending(repair: Repair, test: str) -> str:
    """How the work on a test ended, in one sentence."""
    name = short_name(test)
    best = repair.best
    if best is not None and best.verdict is Verdict.VERIFIED:
        return f"A verified fix for {name} is ready ({numbers(best)})."
    if best is not None and best.verdict is Verdict.PLAUSIBLE:
        lacking = _few(best.missing or (repair.reason,))
        return (
            f"A plausible fix for {name} is ready ({numbers(best)}). "
            f"What is not shown: {lacking}."
        )
    if repair.verdict is Verdict.TEST_SUSPECT:
        return f"No fix for {name}: the test itself looks wrong: {reason(repair)}"
    return f"No fix for {name}: {repair.verdict}: {reason(repair)}"


def reason(repair: Repair) -> str:
    """Why it ended as it did, never empty."""
    if repair.reason:
        return repair.reason
    return repair.best.reason if repair.best else "nothing more is known"


def choices(repair: Repair | None) -> tuple[Judgement, ...]:
    """What may be applied, best first: nothing was proven against these."""
    if repair is None:
        return ()
    offered = (*((repair.best,) if repair.best else ()), *repair.alternatives)
    good = {Verdict.VERIFIED, Verdict.PLAUSIBLE}
    return tuple(judgement for judgement in offered if judgement.verdict in good)

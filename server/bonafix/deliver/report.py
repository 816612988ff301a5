r"""Results as the JSON documents of `--json`; pure.

Every document has all its keys, null where they do not apply, also after an error;
`schema.json` beside this module describes them. A diff's bytes that are not UTF-8
are lone surrogates (U+DC80 to U+DCFF, written as `\udc80`): Python's
`surrogateescape` turns them back into the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from bonafix.deliver.claims import claims
from bonafix.deliver.codec import Json, text_of, to_json
from bonafix.deliver.exits import kind_of
from bonafix.diffs import render
from bonafix.domain import (
    Baseline,
    Evidence,
    Judgement,
    Repair,
    SuiteRun,
    TestResult,
    Verdict,
)

SCHEMA_VERSION = 1

Document = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that `doctor` looked at, with one line of advice where it is wrong."""

    name: str
    result: Literal["ok", "warning", "error"]
    found: str
    advice: str = ""


def dumps(document: Document) -> str:
    """The text of a document: ASCII, one line end at the end."""
    return json.dumps(document, indent=2) + "\n"


def schema() -> Document:
    """The JSON Schema (draft 2020-12) of all documents, one definition a command."""
    text = resources.files("bonafix.deliver").joinpath("schema.json").read_text("utf-8")
    loaded: Document = json.loads(text)
    return loaded


def error_object(error: BaseException | None) -> Json:
    """Kind and message of what ended the command; null for nothing."""
    if error is None:
        return None
    kind = kind_of(error)
    return _error(kind, str(error) or kind)


def _error(kind: str, message: str) -> Json:
    return {"kind": kind, "message": message}


def failure(command: str, *, kind: str, message: str) -> Document:
    """The document of a command that came to nothing, with all its keys.

    Where the command itself is unknown there are but the version and the error.
    """
    from bonafix.deliver.scores import for_selftest  # noqa: PLC0415 - built on this

    documents = {
        "selftest": for_selftest(),
        "check": for_check(),
        "fix": for_fix(),
        "test": for_test(),
        "doctor": for_doctor(),
    }
    document = documents.get(command, {"schema_version": SCHEMA_VERSION})
    return {**document, "error": _error(kind, message)}


# ------------------------------------------------------------------- check and fix


def for_check(
    judgement: Judgement | None = None,
    baseline: Baseline | None = None,
    *,
    receipt: str = "",
    error: BaseException | None = None,
) -> Document:
    """What `check` found out about one patch."""
    return {
        "schema_version": SCHEMA_VERSION,
        **_judged(judgement, Verdict.ERROR),
        "baseline": _baseline(baseline),
        "receipt": receipt or None,
        "error": error_object(error),
    }


def for_fix(
    repairs: Iterable[Repair] = (),
    baseline: Baseline | None = None,
    *,
    error: BaseException | None = None,
) -> Document:
    """How each repair ended; one without targets is the final tree as a whole."""
    return {
        "schema_version": SCHEMA_VERSION,
        "repairs": [repair_object(repair, baseline) for repair in repairs],
        "error": error_object(error),
    }


def repair_object(repair: Repair, baseline: Baseline | None) -> Document:
    """One entry of `repairs`."""
    best = repair.best
    document = _judged(best, repair.verdict)
    if best is None:
        document["targets"] = [_target(t.id, t.outcome, None) for t in repair.targets]
        document["evidence"] = [_evidence(record) for record in repair.evidence]
    failed = repair.error_kind or ("internal" if repair.verdict == "error" else "")
    return {
        "failure": repair.targets[0].id if repair.targets else None,
        "engine": repair.engine,
        **document,
        "verdict": repair.verdict.value,
        "accepted": repair.verdict.accepted,
        "reason": repair.reason or document["reason"],
        "baseline": _baseline(baseline),
        "patch": text_of(render(best.candidate.patch)) if best else None,
        "claims": _claims(best),
        "cost": to_json(repair.cost),
        "receipt": repair.receipt or None,
        "error": _error(failed, repair.reason or failed) if failed else None,
    }


def _judged(judgement: Judgement | None, otherwise: Verdict) -> Document:
    """What a judgement says: the keys that `check` and `fix` share."""
    verdict = judgement.verdict if judgement else otherwise
    return {
        "verdict": verdict.value,
        "accepted": verdict.accepted,
        "reason": judgement.reason if judgement else None,
        "targets": [
            _target(target.id, target.before, target.after)
            for target in (judgement.targets if judgement else ())
        ],
        "evidence": [
            _evidence(record) for record in (judgement.evidence if judgement else ())
        ],
    }


def _target(node_id: str, before: str, after: str | None) -> Json:
    return {
        "id": node_id,
        "before": str(before),
        "after": None if after is None else str(after),
    }


def _claims(best: Judgement | None) -> list[Json]:
    if best is None:
        return []
    found = claims(best.candidate.note, best.evidence)
    return [{"text": c.text, "settled": c.settled, "stage": c.stage} for c in found]


def _baseline(baseline: Baseline | None) -> Json:
    """Numbers of ids; those that fail steadily and the flaky are told apart."""
    if baseline is None:
        return None
    return {
        "collected": len(baseline.run.collected),
        "failed": len(baseline.failures),
        "flaky": len(baseline.flaky),
    }


def _evidence(record: Evidence) -> Json:
    place = record.place
    return {
        "stage": record.stage,
        "result": record.result,
        "summary": record.summary,
        "seconds": round(record.seconds, 3),
        "cpu_seconds": round(record.cpu_seconds, 3),
        "place": {"path": place.path, "line": place.line} if place else None,
        "reproduce": record.reproduce or None,
    }


# ----------------------------------------------------------------- test and doctor


def for_test(
    run: SuiteRun | None = None,
    groups: Sequence[Sequence[TestResult]] = (),
    *,
    error: BaseException | None = None,
) -> Document:
    """What the suite did, and which failures have one cause."""
    results = [run.results[i] for i in run.collected if i in run.results] if run else []
    return {
        "schema_version": SCHEMA_VERSION,
        "collected": len(run.collected) if run else None,
        "failed": len(run.red) if run else None,
        "results": [_result(result) for result in results],
        "groups": [[result.id for result in group] for group in groups],
        "collection_errors": [
            {"id": broken.id, "message": broken.message}
            for broken in (run.collection_errors if run else ())
        ],
        "interpreter": run.interpreter if run else None,
        "pytest": run.pytest if run else None,
        "confinement": run.confinement if run else None,
        "seconds": round(run.seconds, 3) if run else None,
        "error": error_object(error),
    }


def _result(result: TestResult) -> Json:
    place = result.place or result.definition
    return {
        "id": result.id,
        "outcome": result.outcome.value,
        "seconds": round(result.seconds, 3),
        "exception": result.exception or None,
        "message": result.message or None,
        "path": place.path if place else None,
        "line": place.line if place else None,
        "phase": result.phase,
        "style": result.style,
        "expected": result.expected,
        "actual": result.actual,
        "frame": _frame(result),
        "captured": result.captured or None,
    }


def _frame(result: TestResult) -> Json:
    """The deepest frame in the project's own code."""
    own = [frame for frame in result.frames if frame.own]
    if not own:
        return None
    deepest = own[-1]
    return {
        "path": deepest.path,
        "line": deepest.line,
        "function": deepest.function,
    }


def for_doctor(
    checks: Iterable[Check] = (), *, error: BaseException | None = None
) -> Document:
    """What was found on this machine, and what is wrong with it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "checks": [
            {
                "name": check.name,
                "result": check.result,
                "found": check.found,
                "advice": check.advice or None,
            }
            for check in checks
        ],
        "error": error_object(error),
    }

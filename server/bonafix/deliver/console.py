"""Results as lines for a person, in the terminal's or in plain characters; pure.

Everything that comes from a test, a patch or a model is made safe to print first.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bonafix.deliver.claims import claims
from bonafix.deliver.report import Check
from bonafix.deliver.terminal import (
    Line,
    Marks,
    Terminal,
    one_line,
    show,
    visible,
)
from bonafix.diffs import render
from bonafix.domain import (
    Cost,
    Evidence,
    Judgement,
    Patch,
    Place,
    Repair,
    Result,
    SuiteRun,
    TestResult,
    Verdict,
)

_STYLES = {"good": "green", "doubt": "yellow", "bad": "red", "none": "dim"}
_RESULTS: dict[Result, str] = {
    "pass": "good",
    "fail": "bad",
    "inconclusive": "doubt",
    "skipped": "none",
}
_DOUBTFUL = {Verdict.PLAUSIBLE, Verdict.TEST_SUSPECT, Verdict.GAVE_UP}
_INDENT = " " * 14  # below the summaries
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def verdict_line(judgement: Judgement, marks: Marks) -> Line:
    """`✔ verified  TITLE   3/3 targets pass, …`, or `✘ VERDICT  FILE:LINE what`."""
    verdict = judgement.verdict
    if verdict is Verdict.VERIFIED:
        title = one_line(judgement.candidate.title)
        proof = ", ".join(
            one_line(record.summary)
            for record in judgement.evidence
            if record.result == "pass" and record.stage not in {"policy", "taint"}
        )
        said = "   ".join(part for part in (title, proof) if part)
    else:
        said = _where(judgement) + one_line(judgement.reason)
    return (*_verdict(verdict, marks), (f"  {said}", ""))


def _verdict(verdict: Verdict, marks: Marks) -> Line:
    kind = "bad"
    if verdict is Verdict.VERIFIED:
        kind = "good"
    elif verdict in _DOUBTFUL:
        kind = "doubt"
    return ((f"{getattr(marks, kind)} {verdict}", f"bold {_STYLES[kind]}"),)


def _deciding(judgement: Judgement) -> Evidence | None:
    """The record that the verdict rests on, where one alone refuses."""
    records = (r for r in judgement.evidence if r.refusal is judgement.verdict)
    return next(records, None)


def _where(judgement: Judgement) -> str:
    record = _deciding(judgement)
    place = record.place if record else None
    if record is None or place is None:
        return ""
    return _placed(place, record.summary).removesuffix(record.summary)


def _placed(place: Place, summary: str) -> str:
    """The summary after its place, unless it names that itself."""
    where = f"{visible(place.path)}:{place.line}"
    return summary if where in summary else f"{where} {summary}"


def evidence_line(record: Evidence, marks: Marks) -> Line:
    """`✔ target    3/3 targets pass  0.4 s`; a finding begins with its line."""
    kind = _RESULTS[record.result]
    summary = one_line(record.summary or record.doubt)
    if (record.refusal or record.doubt) and record.place:
        summary = _placed(record.place, summary)
    taken = f"  {record.seconds:.1f} s" if record.seconds >= 0.05 else ""  # noqa: PLR2004 - rounds to 0.1
    return (
        (f"  {getattr(marks, kind)} ", _STYLES[kind]),
        (f"{record.stage:<9}", ""),
        (f" {summary}", _STYLES["none"] if kind == "none" else ""),
        (taken, "dim"),
    )


def judgement_lines(
    judgement: Judgement, marks: Marks, receipt: str = ""
) -> Iterator[Line]:
    """The verdict, a line a stage, what is missing, and how to see it for oneself.

    `receipt` is the path from which it can be judged again.
    """
    yield verdict_line(judgement, marks)
    for record in judgement.evidence:
        yield evidence_line(record, marks)
        yield from _shown_by(record, receipt)
    if judgement.verdict is Verdict.PLAUSIBLE:
        for reason in judgement.missing:
            yield ((f"  {marks.doubt} missing   {one_line(reason)}", "yellow"),)
    for claim in claims(judgement.candidate.note, judgement.evidence):
        by = f" by {claim.stage}" if claim.stage else ""
        said = f"  it says   {one_line(claim.text)} [{claim.settled}{by}]"
        yield ((said, "red" if claim.settled == "contradicted" else "dim"),)


def _shown_by(
    record: Evidence, receipt: str, *, patched: bool = True
) -> Iterator[Line]:
    """The command that shows a refusal or a doubt; else that which judges it again."""
    if record.refusal is None and not record.doubt and patched:
        return
    again = f"bonafix check --receipt {shlex.quote(receipt)} --rerun" if receipt else ""
    if record.reproduce:
        where = ", with the patch applied" if patched else ""
        said = one_line(record.reproduce)
        yield ((f"{_INDENT}show it{where}: ", "dim"), (said, ""))
    elif again:
        yield ((f"{_INDENT}show it: ", "dim"), (one_line(again), ""))


def repair_lines(repair: Repair, marks: Marks) -> Iterator[Line]:
    """What failed, how the work on it ended, and what it took."""
    yield ((_failures(repair.targets, marks), "bold"),)
    if repair.best:
        yield from judgement_lines(repair.best, marks, repair.receipt)
    if repair.best is None or repair.best.verdict is not repair.verdict:
        reason = one_line(repair.reason) or "no reason was given"
        yield (*_verdict(repair.verdict, marks), (f"  {reason}", ""))
    elif left := repair.reason.removeprefix(repair.best.reason).lstrip("; "):
        # The service failed, or the time was up: a better one may not have been tried.
        yield ((f"  {marks.doubt} {one_line(left)}", "yellow"),)
    for record in repair.evidence:
        yield from _shown_by(record, "", patched=False)
    yield ((f"  {_effort(repair)}", "dim"),)


def _failures(targets: Sequence[TestResult], marks: Marks) -> str:
    if not targets:
        return "all repairs together"
    more = f" {marks.more} and {len(targets) - 1} more" if len(targets) > 1 else ""
    return visible(targets[0].id) + more


def _effort(repair: Repair) -> str:
    parts = [repair.engine, counted(repair.tried, "candidate")]
    if repair.screened:
        parts.append(f"{repair.screened} screened out")
    parts.append(f"{repair.seconds:.0f} s")
    if price := money(repair.cost):
        parts.append(price)
    return ", ".join(part for part in parts if part)


def money(cost: Cost) -> str:
    """What was spent, in USD; a number of tokens where the price is unknown."""
    if cost.usd is None:
        return f"{cost.input_tokens + cost.output_tokens:,} tokens, price unknown"
    return f"${cost.usd:.4f}" if cost.usd else ""


def counted(number: int, noun: str, ending: str = "s") -> str:
    """`1 test`, `2 tests`, `2 patches`."""
    return f"{number:,} {noun}{'' if number == 1 else ending}"


def run_lines(run: SuiteRun, marks: Marks) -> Iterator[Line]:
    """The failures of a run with their places, then the numbers."""
    for broken in run.collection_errors:
        name, why = visible(broken.id), one_line(broken.message)
        yield ((f"{marks.bad} {name}", "red"), (f"  not collected: {why}", ""))
    for node_id in run.red:
        result = run.results[node_id]
        place = f"{result.place.path}:{result.place.line} " if result.place else ""
        said = one_line(result.message) or result.exception or result.outcome.value
        yield (
            (f"{marks.bad} {visible(node_id)}", "red"),
            (f"  {visible(place)}{said}", ""),
        )
        yield from _details(result)
    kind = "bad" if run.red or run.collection_errors else "good"
    numbers = f"{counted(len(run.collected), 'test')}, {len(run.red)} failing"
    yield ((f"{getattr(marks, kind)} {numbers}", f"bold {_STYLES[kind]}"),)


def _details(result: TestResult) -> Iterator[Line]:
    """Where the project's own code was last, and the two sides of an ==."""
    own = [frame for frame in result.frames if frame.own]
    if own and (result.place is None or own[-1].line != result.place.line):
        deepest = own[-1]
        where = f"{deepest.path}:{deepest.line} in {deepest.function}"
        yield ((f"    at {visible(where)}: {one_line(deepest.code)}", "dim"),)
    if result.expected is not None and result.actual is not None:
        expected, actual = one_line(result.expected), one_line(result.actual)
        yield ((f"    expected {expected}, got {actual}", "dim"),)


def check_lines(checks: Sequence[Check], marks: Marks) -> Iterator[Line]:
    """What the doctor found, with its advice below what is wrong."""
    kinds = {"ok": "good", "warning": "doubt", "error": "bad"}
    width = max((len(check.name) for check in checks), default=0)
    for check in checks:
        kind = kinds[check.result]
        yield (
            (f"{getattr(marks, kind)} ", _STYLES[kind]),
            (f"{check.name:<{width}}  {one_line(check.found)}", ""),
        )
        if check.advice:
            yield ((" " * (width + 4) + one_line(check.advice), _STYLES[kind]),)


# -------------------------------------------------------------------------- diff


def diff_lines(patch: Patch) -> Iterator[Line]:
    """The diff with its colours; a file's header is bold."""
    header = False
    for raw in render(patch).split(b"\n")[:-1]:
        text = raw.decode("utf-8", "backslashreplace").removesuffix("\r")
        header = text.startswith("diff --git ") or (
            header and not text.startswith("@@")
        )
        style = "bold" if header else _DIFF_STYLES.get(text[:1], "")
        yield ((visible(text), style),)


def print_diff(patch: Patch, where: Terminal) -> bool:
    """Coloured for a person; to a file or a pipe the very bytes of the diff.

    Whether it is whole: where it quotes a known secret it is not, and will not apply.
    """
    raw = render(patch)
    # What merely looks like a token stays: it is the user's own code.
    redact = replace(where.redact, shapes=False)
    clean = redact(raw.decode("utf-8", "surrogateescape"))
    body = clean.encode("utf-8", "surrogateescape")
    if where.colour or where.stream.isatty():
        show(diff_lines(patch), where)
    else:
        where.stream.flush()
        where.stream.buffer.write(body)
        where.stream.buffer.flush()
    return body == raw

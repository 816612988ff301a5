"""A finished repair in, a Markdown page with its evidence out; pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace

from bonafix.deliver.claims import claims
from bonafix.domain import Change, Evidence, Judgement, Patch, Repair
from bonafix.lsp.wording import choices, numbers, reason
from bonafix.redaction import NOTHING, Redactor
from bonafix.text import TextError, decode

_TABLE = ("| stage | result | what was found |", "|---|---|---|")


def page(repair: Repair, test: str, redact: Redactor = NOTHING) -> str:
    """What was done, what was found, and how to see it again.

    Of a patch, which is the user's own code, `redact` takes known values alone.
    """
    lines = [
        f"# {repair.verdict}: {test}",
        "",
        reason(repair),
        "",
        *_facts(repair),
        "",
    ]
    if repair.evidence:
        lines += [*_TABLE, *(_row(record) for record in repair.evidence), ""]
    offered = choices(repair)
    shown = offered or ((repair.best,) if repair.best else ())
    parts = [redact("\n".join(lines))]
    exact = replace(redact, shapes=False)
    for number, judgement in enumerate(shown, 1):
        patch = "\n".join(diff(judgement.candidate.patch))
        parts.append(redact("\n".join(_judgement(judgement, number, len(shown)))))
        parts.append(f"```diff\n{exact(patch)}\n```\n")
    return "\n".join(parts)


def _facts(repair: Repair) -> Iterable[str]:
    yield f"- Targets: {', '.join(f'`{t.id}`' for t in repair.targets) or 'none'}"
    yield f"- Engine: {repair.engine}"
    yield (
        f"- Candidates judged: {repair.tried}; "
        f"screened out by a visible target: {repair.screened}"
    )
    yield f"- Time: {repair.seconds:.1f} s"
    cost = repair.cost
    if cost.requests:
        money = "unknown" if cost.usd is None else f"{cost.usd:.4f} USD"
        tokens = f"{cost.input_tokens:,} in, {cost.output_tokens:,} out"
        yield f"- Cost: {money} ({tokens} tokens, {cost.requests} requests)"
    if repair.receipt:
        yield f"- Receipt: `{repair.receipt}`"


def _judgement(judgement: Judgement, number: int, total: int) -> list[str]:
    candidate = judgement.candidate
    which = f" {number} of {total}" if total > 1 else ""
    model = " ".join(part for part in (candidate.model, candidate.effort) if part)
    author = candidate.author + (f" ({model})" if model else "")
    lines = [
        f"## Candidate{which}: {judgement.verdict}",
        "",
        f"By {author}: {candidate.title or 'untitled'}. {numbers(judgement)}.",
        "",
        "| target | before | after |",
        "|---|---|---|",
        *(f"| `{_cell(t.id)}` | {t.before} | {t.after} |" for t in judgement.targets),
        "",
        *_TABLE,
        *(_row(record) for record in judgement.evidence),
        "",
    ]
    if judgement.missing:
        lines += ["Not shown:", "", *(f"- {m}" for m in judgement.missing), ""]
    return lines + _words(judgement)


def _words(judgement: Judgement) -> list[str]:
    """What a model said of its patch, apart from the evidence."""
    candidate = judgement.candidate
    if candidate.author != "claude" or not (candidate.note or candidate.thinking):
        return []
    lines = ["### The model's words: no evidence", ""]
    for claim in claims(candidate.note, judgement.evidence):
        by = f" by {claim.stage}" if claim.stage else ""
        lines.append(f"- “{_cell(claim.text)}”: {claim.settled}{by}")
    quoted = [f"> {line}".rstrip() for line in candidate.note.splitlines()]
    lines += ["", *quoted, ""]
    if candidate.thinking:
        lines += ["Its summary of its thinking:", ""]
        lines += [f"> {line}".rstrip() for line in candidate.thinking.splitlines()]
        lines.append("")
    return lines


def _row(record: Evidence) -> str:
    at = f" ({record.place.path}:{record.place.line})" if record.place else ""
    doubt = f" Doubt: {record.doubt}." if record.doubt else ""
    again = f" Reproduce: `{record.reproduce}`" if record.reproduce else ""
    return (
        f"| {record.stage} | {record.result} "
        f"| {_cell(record.summary)}{at}{_cell(doubt)}{_cell(again)} |"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def diff(patch: Patch) -> Iterable[str]:
    """The patch for a reader: unified, with a note in place of what is no text."""
    for change in patch.changes:
        try:
            before, after = _lines(change.before), _lines(change.after)
        except TextError:
            yield f"# {change.path}: not text"
            continue
        yield from difflib.unified_diff(
            before, after, *_names(change), lineterm="", n=3
        )


def _lines(data: bytes | None) -> list[str]:
    return decode(data or b"").view.splitlines()


def _names(change: Change) -> tuple[str, str]:
    before = "/dev/null" if change.before is None else f"a/{change.path}"
    after = "/dev/null" if change.after is None else f"b/{change.path}"
    return before, after

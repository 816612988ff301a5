"""Judgements in, best first out; pure.

Verdict, then targets that still fail, then whatever else does (one cause for all that
was red beats one for a part of it), whether it is a guess, supporting evidence,
doubts, the size of the change, how many other fixes agree with it, and the constants
that it adds: of two patches that say the same, the shorter knows less about the tests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from bonafix.domain import Change, Evidence, Judgement, Outcome, Patch, Verdict
from bonafix.judge.suite import red_after

_VERDICTS = tuple(Verdict)
_TRIVIAL = frozenset({b"0", b"1", b"2", b"''", b'""'})
_CONSTANT = re.compile(rb"'[^'\n]*'|\"[^\"\n]*\"|\b\d[\d_.eExXa-fA-F]*\b")


def best_first(judgements: Sequence[Judgement]) -> tuple[Judgement, ...]:
    """Sorted by rank; equal ranks keep their order."""
    return tuple(sorted(judgements, key=_key))


def _key(judgement: Judgement) -> tuple[int, ...]:
    records = judgement.evidence
    patch = judgement.candidate.patch
    return (
        -_VERDICTS.index(judgement.verdict),
        sum(target.after is not Outcome.PASSED for target in judgement.targets),
        len(red_after(records) or ()),
        sum(_guessed(record) for record in records),
        -sum(record.supports for record in records),
        sum(bool(record.doubt) for record in records),
        size(patch),
        -sum(agreement(record) for record in records),
        new_constants(patch),
    )


def _guessed(record: Evidence) -> bool:
    """Whether its author might as well have proposed something else.

    Who was fitted to the tests, and nothing else speaks for him, says so in `sealed`.
    """
    vote = _vote(record)
    if record.facts.get("fitted"):
        return True
    return bool(vote.get("akin") and (vote.get("disagree") or vote.get("undecided")))


def _vote(record: Evidence) -> Mapping[str, object]:
    vote = record.facts.get("vote", record.facts)
    return vote if isinstance(vote, Mapping) else {}


def agreement(record: Evidence) -> int:
    """How many other fixes behave alike, less those that do not."""
    vote = _vote(record)
    agree, against = vote.get("agree", 0), vote.get("disagree", 0)
    return agree - against if isinstance(agree, int) and isinstance(against, int) else 0


def size(patch: Patch) -> int:
    """Lines removed plus lines added."""
    return sum(sum(_line_delta(change).values()) for change in patch.changes)


def new_constants(patch: Patch) -> int:
    """How many number and string literals the patch adds, as text sees them."""
    return sum(_added(change).total() for change in patch.changes)


def invented(patch: Patch) -> bool:
    """Whether one of them is more than a 0, 1, 2 or an empty string."""
    return any(set(_added(change)) - _TRIVIAL for change in patch.changes)


def _added(change: Change) -> Counter[bytes]:
    before = Counter(_CONSTANT.findall(change.before or b""))
    after = Counter(_CONSTANT.findall(change.after or b""))
    return after - before


def _line_delta(change: Change) -> Counter[bytes]:
    before = Counter((change.before or b"").splitlines())
    after = Counter((change.after or b"").splitlines())
    return (before - after) + (after - before)

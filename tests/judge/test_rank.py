"""The order of survivors: verdict, evidence, size, agreement, constants."""

import itertools

import pytest

from bonafix.domain import (
    Candidate,
    Change,
    Evidence,
    Judgement,
    Outcome,
    Patch,
    TargetChange,
    Verdict,
)
from bonafix.judge.rank import agreement, best_first, invented, new_constants, size

SUPPORT = Evidence(stage="probe", result="pass", summary="", supports=True)
DOUBT = Evidence(stage="taint", result="pass", summary="", doubt="a number of its own")
AGREED = Evidence(
    stage="reviewer", result="pass", summary="", facts={"agree": 2, "disagree": 0}
)
READ = Evidence(
    stage="reviewer", result="pass", summary="", facts={"vote": {"agree": 1}}
)


def judged(
    after=b"x = y\n", *, verdict=Verdict.PLAUSIBLE, records=(), red=0, before=b"x = 1\n"
):
    patch = Patch((Change("a.py", before, after),))
    targets = [
        TargetChange(id=f"t::{n}", before=Outcome.FAILED, after=Outcome.FAILED)
        for n in range(red)
    ]
    return Judgement(
        candidate=Candidate(patch=patch, author="search"),
        verdict=verdict,
        evidence=tuple(records),
        targets=tuple(targets),
    )


LADDER = [  # best first; each differs from the next in one thing, the rest as good
    judged(b"x = {7: 42}\ny = 8\n", verdict=Verdict.VERIFIED, records=[DOUBT]),
    judged(b"x = {7: 42}\ny = 9\n", records=[SUPPORT, DOUBT]),
    judged(b"x = {7: 43}\ny = 9\n", records=[SUPPORT, DOUBT], red=1),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_verdict_then_targets_then_evidence(order):
    """A better verdict beats everything else, in whatever order they came."""
    assert list(best_first([LADDER[n] for n in order])) == LADDER


def test_evidence_before_doubts_before_size():
    """Support outweighs a doubt, and either outweighs a shorter change."""
    supported = judged(b"a\nb\nc\nd\n", records=[SUPPORT, DOUBT])
    plain = judged(b"a\nb\nc\n")
    doubted = judged(b"a\n", records=[DOUBT])
    assert list(best_first([doubted, plain, supported])) == [supported, plain, doubted]


@pytest.mark.parametrize("why", [{"disagree": 1}, {"disagree": 0, "undecided": True}])
def test_a_guess_comes_after_what_its_author_had_a_reason_for(why):
    """However much it changes: what speaks for it speaks for others that differ."""
    vote = {"vote": {"akin": True, **why}}
    disputed = Evidence(
        stage="reviewer", result="inconclusive", summary="", doubt="?", facts=vote
    )
    guess = judged(b"x = y\n", records=[SUPPORT, disputed])
    reasoned = judged(b"x = z\ny = z\n", records=[DOUBT])
    assert best_first([guess, reasoned])[0] is reasoned
    fitted = Evidence(
        stage="sealed",
        result="inconclusive",
        summary="",
        doubt="?",
        facts={"fitted": True},
    )
    made = judged(b"x = y\n", records=[SUPPORT, fitted])
    assert best_first([made, reasoned])[0] is reasoned
    alike = Evidence(
        stage="reviewer", result="pass", summary="", facts={"vote": {"akin": True}}
    )
    agreed = judged(b"x = y\n", records=[SUPPORT, alike])
    assert best_first([reasoned, agreed])[0] is agreed


def test_smaller_then_agreed_then_fewer_constants():
    """Of patches with the same evidence the shorter; then whom others agree with."""
    small = judged(b"x = 70\n")
    agreed = judged(b"x = 7\ny = 8\n", records=[AGREED])
    alone = judged(b"x = y\ny = z\n")
    knowing = judged(b"x = 5\ny = 6\n")
    found = best_first([knowing, alone, agreed, small])
    assert list(found) == [small, agreed, alone, knowing]


def test_equal_ranks_keep_their_order():
    """Whoever came first stays first."""
    one, two = judged(b"x = y\n"), judged(b"x = z\n")
    assert best_first([one, two]) == (one, two)
    assert best_first([two, one]) == (two, one)


def test_what_counts_as_agreement():
    """The vote's own facts, also below a reader's; anything else is none."""
    assert agreement(AGREED) == 2
    assert agreement(READ) == 1
    assert agreement(SUPPORT) == 0
    odd = Evidence(stage="reviewer", result="pass", summary="", facts={"agree": "all"})
    assert agreement(odd) == 0


def test_size_and_constants():
    """Lines out plus lines in; literals that are new."""
    table = judged(b"x = {7: 42}\n").candidate.patch
    assert new_constants(table) == 2
    assert size(table) == 2
    assert invented(table)
    assert not invented(judged(b"x = 0\n").candidate.patch)

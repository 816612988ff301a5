"""The figures of the gate: pure functions of trials."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bonafix.deliver import figures
from bonafix.deliver.figures import ENDINGS, beyond_the_suite, ending, goals, tables
from bonafix.domain import Evidence, Verdict
from tests.selftest.values import many_trials, trial

TAINTED = st.sampled_from([None, *Verdict])


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_one_column(verdict):
    """Only verified is verified; what is no patch at all is an error."""
    assert (ending(verdict) == "verified") is verdict.accepted
    assert (ending(verdict) == "plausible") is (verdict is Verdict.PLAUSIBLE)
    no_patch = {Verdict.ERROR, Verdict.GAVE_UP, Verdict.TEST_SUSPECT}
    assert (ending(verdict) == "error") is (verdict in no_patch)


@settings(max_examples=40, deadline=None)
@given(many_trials(untainted=TAINTED))
def test_tables_count_each_patch_once(trials):
    """Groups partition a part, and the columns of a group its patches."""
    for table in tables(trials):
        some = [
            t
            for t in trials
            if table.part == "all" or t.specimen.held_out is (table.part == "held out")
        ]
        assert sum(group.n for group in table.groups) == len(some)
        assert table.projects == len({t.specimen.project for t in some})
        for group in table.groups:
            assert sum(group.shares[e].count for e in ENDINGS) == group.n
            for share in group.shares.values():
                assert share.low <= share.value <= share.high or not share.n


@settings(max_examples=40, deadline=None)
@given(many_trials(untainted=TAINTED))
def test_without_taint_only_where_all_were_tried(trials):
    """A table without the stage stands for the same patches as the one with it."""
    for part in {table.part for table in tables(trials)}:
        own = [table for table in tables(trials) if table.part == part]
        some = [
            t
            for t in trials
            if part == "all" or t.specimen.held_out is (part == "held out")
        ]
        whole = all(t.untainted is not None for t in some)
        assert [t.without for t in own] == ([(), ("taint",)] if whole else [()])


@settings(max_examples=40, deadline=None)
@given(many_trials())
def test_what_is_named_agrees_with_the_counts(trials):
    """Missed, undecided and wrongly refused are those of the table's cells."""
    if not trials:
        assert tables(trials) == ()
        return
    groups = {group.name: group for group in tables(trials)[0].groups}
    cheats = groups["dishonest"].shares
    assert len(figures.missed(trials)) == cheats["verified"].count
    assert len(figures.undecided(trials)) == cheats["plausible"].count
    honest = [group for name, group in groups.items() if name.startswith("honest")]
    refused = sum(group.shares["refused"].count for group in honest)
    assert len(figures.wrongly_refused(trials)) == refused


GOOD = [
    *(trial(f"{p}/c{i}", "dishonest", "tampered") for p in "ab" for i in range(5)),
    *(trial(f"{p}/h{i}", pure=p == "a", cpu_seconds=2.0) for p in "ab" for i in "xy"),
    trial("a/s", "honest", "plausible", suspicious=True),
    trial("a/w", "wrong", "plausible"),
]


def test_goals_that_are_met():
    """A gate without fault meets all, and a plausible suspicious one is no fault."""
    assert [goal.met for goal in goals(GOOD)] == [True] * 7


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (trial("a/x", "dishonest", "verified"), "dishonest, verified"),
        (trial("a/x", "dishonest", "plausible"), "dishonest, refused"),
        (trial("a/x", "honest", "unfixed"), "honest, refused"),
        (trial("a/x", "honest", "unfixed", suspicious=True), "honest, refused"),
        (trial("a/x", "honest", "plausible"), "honest, pure, verified"),
        (trial("a/x", "wrong", "verified"), "wrong, verified"),
    ],
)
def test_goals_that_are_missed(fault, name):
    """Each fault alone is told at the goal it belongs to."""
    missed = {goal.name for goal in goals([*GOOD, fault]) if goal.met is False}
    assert name in missed
    assert goals([*GOOD, fault])[0].wanted == "none"


def test_goals_of_nothing_are_open():
    """What was not tried is neither met nor missed."""
    assert {goal.met for goal in goals([])} == {None}


def test_cost_is_that_of_what_comes_after_the_suite():
    """The suite's own runs are not the gate's; patches that stop there do not count."""
    spent = {"target": 5, "suite": 7, "confirm": 7, "canary": 1, "probe": 2}
    records = [
        Evidence(stage=stage, result="pass", summary="", cpu_seconds=seconds)
        for stage, seconds in spent.items()
    ]
    assert beyond_the_suite(records) == 3
    slow = [trial("a/1", cpu_seconds=8), trial("a/2", cpu_seconds=6), trial("a/3")]
    assert figures.median_cpu(slow) == 7
    assert goals(slow)[-1].met is False

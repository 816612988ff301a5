"""Who mends all that is red is handed on before who cures one symptom."""

from __future__ import annotations

import dataclasses

import pytest

from bonafix.domain import Outcome
from bonafix.propose.search import engine
from bonafix.propose.search.holding import Holding
from bonafix.propose.search.limits import limits_of
from bonafix.propose.search.source import Source, Trial
from bonafix.propose.search.template import MAKING, TAKING
from tests.propose.search.shop import PRODUCT, TESTS, Runner, task
from tests.propose.search.test_engine import collect
from tests.propose.search.test_kin import trials
from tests.propose.search.test_synthesis import suggested

COUNTED = """\
def fits(count, most):
    return count > most
"""
COUNTED_TESTS = """\
from shop import fits


def test_full():
    assert fits(3, 3)


def test_less():
    assert fits(2, 3)


def test_more():
    assert not fits(4, 3)
"""
RED = [f"{TESTS}::test_{name}" for name in ("full", "less", "more")]


def half(product=COUNTED, seconds=12.0):
    """One of three red tests is to be mended; the others are another group's."""
    given = task(
        product,
        COUNTED_TESTS,
        red=["test_full", "test_less", "test_more"],
        lines=[2],
        seconds=seconds,
    )
    covered = {PRODUCT: frozenset({1, 2})}
    run = dataclasses.replace(given.baseline, lines=dict.fromkeys(RED, covered))
    return dataclasses.replace(given, baseline=run, targets=given.targets[:1])


def texts(found):
    return [
        one.patch.changes[0].after.decode().splitlines()[1].strip() for one in found
    ]


async def test_who_mends_all_comes_first():
    """`>=` has the better rank and passes the target; `<=` mends the others as well."""
    given = half()
    runner = Runner(given.snapshot.sources)
    found, events = await collect(given, runner)
    right, symptom = "return count <= most", "return count >= most"
    order = texts(found)
    assert order[0] == right
    assert symptom in order
    passed = [event.text for event in events if event.facts["green"]]
    assert "`>` -> `>=`" in passed[0]


async def test_where_nobody_does_all_who_was_held_is_handed_on():
    """A fault of its own elsewhere must not cost the fix of this one."""
    given = half()
    never = COUNTED_TESTS.replace("assert not fits(4, 3)", "assert fits(4, 3) == 7")
    sources = {**given.snapshot.sources, TESTS: never.encode()}
    given = dataclasses.replace(
        given, snapshot=dataclasses.replace(given.snapshot, sources=sources)
    )
    found, _ = await collect(given, Runner(sources))
    assert texts(found)[0] == "return count >= most"


@pytest.mark.parametrize(
    ("fitted", "rest", "held"),
    [(0, False, False), (TAKING, False, False), (MAKING, False, True), (0, True, True)],
)
def test_what_was_made_of_values_waits_for_what_has_a_reason(fitted, rest, held):
    """And more of its kind is tried later than before."""
    source = Source(half())
    step = next(iter(trials(suggested())))
    one = dataclasses.replace(step.candidate, fitted=fitted)
    before = source.shelf.taste.factor(step.idea)
    waits = engine._waits(Trial(one, step.idea), engine._Seen(rest=rest), source)
    assert waits is held
    assert (source.shelf.taste.factor(step.idea) < before) is (fitted == MAKING)


async def test_nobody_is_held_for_who_only_wants_others_to_compare_with():
    """Rivals need not be good."""
    given = half()
    runner = Runner(given.snapshot.sources)
    found, _ = await collect(given, runner, thorough=False)
    assert texts(found)[0] == "return count >= most"


def test_who_is_held_and_for_how_long():
    """At most for some candidates, once: after that everyone goes on as he comes."""
    one, other, last = object(), object(), object()
    holding = Holding(most=10)
    assert holding.due(5) == []
    assert holding.admit(one, waits=True, screened=5) == []
    assert holding.admit(other, waits=False, screened=6) == [other]
    assert holding.due(14) == []
    assert holding.due(15) == [one]
    assert holding.due(16) == []
    assert holding.admit(last, waits=True, screened=17) == [last]
    assert holding.due() == []


def test_who_is_held_where_candidates_are_slow():
    """Another test may be red for good: nobody waits long for what cannot be."""
    times = iter([100.0, 100.0, 104.9, 105.0, 105.1])
    holding = Holding(clock=lambda: next(times))
    one, other = object(), object()
    assert holding.admit(one, waits=True, screened=1) == []
    assert holding.due(2) == []
    assert holding.due(3) == [one]
    assert holding.admit(other, waits=True, screened=4) == [other]


async def test_what_else_is_asked():
    """Failing tests of the changed lines; not the targets, nor what never ended."""
    given = half()
    found, _ = await collect(given, Runner(given.snapshot.sources))
    hung = dataclasses.replace(given.baseline.results[RED[2]], outcome=Outcome.HUNG)
    results = {**given.baseline.results, RED[2]: hung}
    run = dataclasses.replace(given.baseline, results=results)
    assert limits_of(given).others(found[0]) == tuple(RED[1:])
    limits = limits_of(dataclasses.replace(given, baseline=run))
    assert limits.others(found[0]) == (RED[1],)
    apart = {**run.lines, RED[1]: {PRODUCT: frozenset({9})}}
    run = dataclasses.replace(run, lines=apart)
    assert limits_of(dataclasses.replace(given, baseline=run)).others(found[0]) == ()

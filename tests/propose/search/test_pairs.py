"""Two edits where one is not enough, found by real runs."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest

from bonafix.domain import Outcome, TestResult
from bonafix.propose.search.candidates import steps
from bonafix.propose.search.engine import propose
from bonafix.propose.search.pairs import doubles, merged, partial
from tests.propose.search.shop import TESTS, Runner, task

TWICE = """\
def low(a, b):
    return a > b


def top(a, b):
    return a - b
"""
TWICE_RIGHT = TWICE.replace(">", "<").replace("a - b", "a + b")
TWICE_TESTS = """\
from shop import low, top


def test_low():
    assert low(1, 2)


def test_top():
    assert top(1, 2) == 3
"""


def given(seconds=60.0):
    return task(
        TWICE, TWICE_TESTS, red=["test_low", "test_top"], lines=[2, 6], seconds=seconds
    )


def step_to(text):
    for step in steps(given()):
        if step and step.candidate.patch.changes[0].after == text.encode():
            return step
    raise AssertionError(text)


def passing(name):
    return {
        f"{TESTS}::{name}": TestResult(id=f"{TESTS}::{name}", outcome=Outcome.PASSED)
    }


def halves():
    low = step_to(TWICE.replace(">", "<"))
    top = step_to(TWICE.replace("a - b", "a + b"))
    found = [
        partial(given(), low.candidate, low.idea, passing("test_low")),
        partial(given(), top.candidate, top.idea, passing("test_top")),
    ]
    return [one for one in found if one]


def test_halves_are_put_together_first():
    """Two that each make a target pass are the first pair to be tried."""
    first = next(one for one in doubles(given(), halves()) if one)
    assert first.patch.changes[0].after == TWICE_RIGHT.encode()
    assert first.patch.changes[0].before == TWICE.encode()
    assert "; and " in first.title


def test_one_half_is_built_upon():
    """With one half known, the other is found on top of it, as one patch."""
    made = [one for one in doubles(given(), halves()[:1]) if one]
    assert TWICE_RIGHT.encode() in [c.patch.changes[0].after for c in made]
    assert TWICE.encode() not in [c.patch.changes[0].after for c in made]


def test_what_touches_is_not_merged():
    """Two edits of the same characters are no pair."""
    first = halves()[0]
    assert merged(first, first) is None


@pytest.mark.parametrize("fitted", [(0, 0), (2, 0), (0, 5), (2, 5)])
def test_a_pair_is_fitted_as_its_worse_half_is(fitted):
    both = [
        dataclasses.replace(
            one, candidate=dataclasses.replace(one.candidate, fitted=count)
        )
        for one, count in zip(halves(), fitted, strict=True)
    ]
    assert merged(*both).fitted == max(fitted)


def test_no_gain_is_no_half():
    """A candidate under which both targets fail as before is forgotten."""
    step = step_to(TWICE.replace(">", "<"))
    same = {target.id: target for target in given().targets}
    assert partial(given(), step.candidate, step.idea, same) is None


async def test_the_engine_finds_both():
    """A fault in two functions is repaired by one candidate with two edits."""
    wanted = given()
    runner = Runner(wanted.snapshot.sources)
    stream = propose(wanted, runner, lambda: None, lambda _: None)
    async with contextlib.aclosing(stream):
        first = await anext(stream)
    assert first.patch.changes[0].after == TWICE_RIGHT.encode()
    assert not runner.live

"""Nearer to passing is: later in the test, a value for a crash, a closer value."""

from __future__ import annotations

import pytest

from bonafix.domain import Outcome, Place, TestResult
from bonafix.propose.search.progress import apart, progress


def failed(line=3, exception="AssertionError", expected=None, actual=None):
    return TestResult(
        id="t",
        outcome=Outcome.FAILED,
        exception=exception,
        place=Place("test_x.py", line),
        expected=expected,
        actual=actual,
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (failed(3), failed(4)),
        (failed(exception="KeyError"), failed()),
        (failed(expected="10", actual="2"), failed(expected="10", actual="9")),
        (
            failed(expected="'abc'", actual="''"),
            failed(expected="'abc'", actual="'ab'"),
        ),
        (
            failed(expected="[1, 2]", actual="[]"),
            failed(expected="[1, 2]", actual="[1]"),
        ),
    ],
)
def test_nearer(before, after):
    """One way is progress, the way back is none."""
    assert 0 < progress(before, after) < 1
    assert progress(after, before) == 0


def test_passing_is_the_end():
    """A passing test is all there is to gain; a hung or skipped one is nothing."""
    assert progress(failed(), TestResult(id="t", outcome=Outcome.PASSED)) == 1
    for outcome in (Outcome.HUNG, Outcome.SKIPPED, Outcome.CRASHED):
        assert progress(failed(), TestResult(id="t", outcome=outcome)) == 0


def test_standing_still():
    """The same failure, or one whose values nobody can read, is no progress."""
    assert progress(failed(), failed()) == 0
    assert progress(failed(expected="<a>", actual="<b>"), failed(actual="1")) == 0


def test_distances():
    """Equal is 0, of another kind is 1, everything else between."""
    assert apart({1: 2}, {1: 2}) == apart("a", "a") == apart([1], [1]) == 0
    yes, no = True, False
    assert apart(None, 1) == apart(yes, no) == apart("1", 1) == 1
    assert 0 < apart({1, 2}, {2, 3}) < 1
    assert apart([1, 2, 3], [1, 2, 4]) < apart([1, 2, 3], [7, 8, 9])

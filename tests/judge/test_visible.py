"""What a next author hears of the failures: bounded, and the point always in it."""

import asyncio

from bonafix.domain import Outcome, SuiteRun, TestResult
from bonafix.judge.hiding.visible import CAP, MOST, printed

LONG = "\n".join(f"    line {n} of a long traceback" for n in range(400))


def red(number, size=LONG):
    text = (
        f"def test_{number}():\n{size}\n>   assert {number} == 0\nE   assert {number}"
    )
    return TestResult(id=f"t.py::{number}", outcome=Outcome.FAILED, longrepr=text)


def told(results):
    seen = SuiteRun(results={r.id: r for r in results}, collected=())
    ids = [result.id for result in results]
    return asyncio.run(printed({}, ids, seen, None, None))


def test_what_was_raised_stays():
    """Of many long failures each keeps its last word."""
    text = told([red(n) for n in range(12)])
    assert len(text) <= CAP + 200
    for number in range(12):
        assert f"t.py::{number}: failed" in text
        assert f"E   assert {number}" in text


def test_short_ones_are_whole():
    """Nothing is cut where there is room."""
    results = [red(n, "    pass") for n in range(3)]
    text = told(results)
    assert all(result.longrepr in text for result in results)


def test_only_red_ones_and_not_too_many():
    """Green tests say nothing; beyond a number nobody reads on."""
    green = TestResult(id="t.py::green", outcome=Outcome.PASSED, longrepr="fine")
    text = told([green, *(red(n, "") for n in range(MOST + 5))])
    assert "fine" not in text
    assert text.count(": failed") == MOST

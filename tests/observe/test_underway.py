"""What fails is told while a run goes on: soon, now and again, and not afterwards."""

import asyncio
import time

import pytest

from bonafix.domain import Event, Outcome, TestResult
from bonafix.observe import underway
from bonafix.observe.underway import Underway
from tests.observe.harness import observe

BETWEEN = 0.3
WRONG = "test_it.py::test_wrong"
HANGING = """\
import time

def test_right():
    assert 1 == 1

def test_wrong():
    assert 1 == 2

def test_slow():
    time.sleep(2)

def test_late():
    raise KeyError("late")
"""


def failure(name):
    result = TestResult(id=name, outcome=Outcome.FAILED)
    return Event(kind="test", text=name, failed=result, lines={"a.py": frozenset({1})})


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """The first telling comes soon."""
    monkeypatch.setattr(underway, "_FIRST", 0.1)


async def until(told, count):
    """Wait, for ten seconds at most."""
    for _ in range(1000):
        if len(told) >= count:
            break
        await asyncio.sleep(0.01)


async def test_the_first_is_told_soon_and_those_after_it_together(monkeypatch):
    """One telling holds all that have failed by then, with what they ran."""
    monkeypatch.setattr(underway, "_BETWEEN", BETWEEN)
    heard, told = [], []
    with Underway(heard.append, told.append) as listen:
        listen(Event(kind="test", text="t::green"))
        listen(failure("t::a"))
        await until(told, 1)
        begun = time.monotonic()
        listen(failure("t::b"))
        listen(failure("t::c"))
        await until(told, 2)
    assert time.monotonic() - begun >= BETWEEN / 2  # not at once again
    assert [run.red for run in told] == [("t::a",), ("t::a", "t::b", "t::c")]
    assert told[0].lines == {"t::a": {"a.py": frozenset({1})}}
    assert [event.text for event in heard] == ["t::green", "t::a", "t::b", "t::c"]


async def test_of_very_many_the_first_are_told(monkeypatch):
    """A server answers meanwhile, and the end of the run tells of all."""
    monkeypatch.setattr(underway, "_MOST", 3)
    told = []
    with Underway(lambda _event: None, told.append) as listen:
        for name in "abcde":
            listen(failure(name))
        await until(told, 1)
    assert told[0].red == ("a", "b", "c")


async def test_nothing_is_told_of_a_run_that_is_over():
    """What it found is known by then, or it was cancelled."""
    told = []
    with Underway(lambda _event: None, told.append) as listen:
        listen(failure("t::a"))
    listen(failure("t::b"))
    await asyncio.sleep(0.3)
    assert told == []


def test_a_slow_test_keeps_nobody_waiting(tmp_path):
    """The failure before it is told while it runs; what is told is what happened."""
    (tmp_path / "test_it.py").write_text(HANGING)
    told, by_then = [], {}

    def listen(event):
        by_then[event.text] = len(told)

    run = observe(tmp_path, listen=Underway(listen, told.append))
    assert by_then["test_it.py::test_slow"] == 1
    assert told[0].results == {WRONG: run.results[WRONG]}
    assert run.red == (WRONG, "test_it.py::test_late")

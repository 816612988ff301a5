"""What a change means for a process that is kept, and what is asked of it first."""

import pytest

from bonafix.config import Config
from bonafix.domain import Outcome, SuiteRun, TestResult
from bonafix.observe.steering import batches, joined, seconds, steers, visible


def run_of(lines, took=0.0):
    """A run in which each test ran so many lines of one file."""
    return SuiteRun(
        results={
            i: TestResult(id=i, outcome=Outcome.PASSED, seconds=took) for i in lines
        },
        collected=tuple(lines),
        lines={i: {"shop.py": frozenset(range(n))} for i, n in lines.items()},
    )


@pytest.mark.parametrize(
    ("path", "steering"),
    [
        ("tests/conftest.py", True),
        ("pyproject.toml", True),
        ("requirements-dev.txt", True),
        ("uv.lock", True),
        ("shop/_speed.so", True),
        ("shop/price.py", False),
        ("tests/test_price.py", False),
        ("tests/data.json", False),
    ],
)
def test_what_steers_is_told_by_its_name(path, steering):
    """Configuration, locks and compiled modules do; sources do not."""
    assert steers(path) is steering


def test_only_settings_that_tests_could_see_end_a_process():
    """Another engine changes nothing about how tests run, another interpreter does."""
    before = visible(Config())
    assert visible(Config(engine="search")) == before
    assert visible(Config(interpreter="/usr/bin/python3")) != before


def test_the_first_part_is_what_runs_little_besides():
    """Of few files: each of them may have to be collected."""
    lines = {f"test_{n % 5}.py::test_{n}": n for n in range(100)}
    first, rest = batches(run_of(lines), [*reversed(lines), "test_mine.py"])
    assert sorted([*first, *rest]) == sorted([*lines, "test_mine.py"])
    assert "test_mine.py" in first
    files = {i.partition("::")[0] for i in first} - {"test_mine.py"}
    assert len(files) == 3
    assert max(lines[i] for i in first if "::" in i) < 20


def test_rows_of_one_function_wait_for_other_functions():
    """They would fail alike, and there are many of them."""
    lines = {f"t.py::test_row[{n}]": 1 for n in range(50)} | {"t.py::test_other": 9}
    first, rest = batches(run_of(lines), tuple(lines))
    assert "t.py::test_other" in first
    assert len(rest) == 31


def test_few_tests_are_one_part():
    """There is nothing to put off."""
    assert batches(run_of({"t.py::a": 1, "t.py::b": 2}), ["t.py::b", "t.py::a"]) == (
        ("t.py::b", "t.py::a"),
    )


def test_a_file_takes_as_long_as_its_tests():
    """Each is counted once, though it is named twice."""
    run = run_of({"t.py::a": 1, "t.py::b": 1, "u.py::c": 1}, took=2.0)
    assert seconds(run, ["t.py", "t.py::a"]) == 4.0


def test_of_a_run_that_was_stopped_what_it_had_done_counts():
    """What was to come has no outcome, and is not counted as one that vanished."""
    whole = run_of({"t.py::a": 1})
    stopped = SuiteRun(
        results={"t.py::b": TestResult(id="t.py::b", outcome=Outcome.FAILED)},
        collected=("t.py::b", "t.py::c"),
        timed_out=True,
    )
    both = joined(joined(None, whole), stopped)
    assert both.collected == ("t.py::a", "t.py::b")
    assert both.red == ("t.py::b",)

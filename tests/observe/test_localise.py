"""The faulty line comes out on top, and test files do not come out at all."""

import pytest

from bonafix.domain import Layout
from bonafix.observe.failures import deepest_own_frame, groups
from bonafix.observe.localise import suspects
from tests.observe.values import frame, result, suite

SOURCE = b"""class Shop:
    def price(self):
        return 1

    def total(self):
        def inner():
            return 2
        return inner()
"""


def test_ochiai():
    """A line of failing tests alone scores 1; shared ones by Ochiai's formula."""
    bad, other, good = result("a"), result("b"), result("c", "passed")
    lines = {
        "a": {"shop.py": [1, 2, 3], "tests/test_a.py": [9]},
        "b": {"shop.py": [2, 3]},
        "c": {"shop.py": [3, 4], "conftest.py": [1]},
    }
    found = suspects(suite([bad, other, good], lines), [bad, other])
    assert [(s.line, round(s.score, 3)) for s in found] == [
        (2, 1.0),
        (3, 0.816),
        (1, 0.707),
    ]
    assert {s.path for s in found} == {"shop.py"}
    assert found[0].why == "executed by 2 of 2 failing tests"


def test_other_failures_do_not_count():
    """Only passing tests speak for a line, not failures of something else."""
    one, two = result("a"), result("b")
    lines = {"a": {"shop.py": [1]}, "b": {"shop.py": [1]}}
    (suspect,) = suspects(suite([one, two], lines), [one])
    assert suspect.score == 1.0


def test_the_traceback_refines():
    """Of equally suspicious lines the one that raised comes first."""
    frames = [frame("tests/test_a.py", 3), frame("shop.py", 2), frame("shop.py", 7)]
    frames.append(frame("/lib/json.py", 1, own=False))
    bad = result("a", exception="KeyError", frames=frames)
    lines = {"a": {"shop.py": [1, 2, 7]}}
    found = suspects(suite([bad], lines), [bad])
    assert [s.line for s in found] == [7, 2, 1]
    assert found[0].score == 1.0
    assert "came from here" in found[0].why


CHAIN = b"""def total(rows, tax):
    seen = len(rows)
    net = sum(rows)
    share = net * tax
    note(seen)
    return net / share
"""


def test_the_chain_of_values_refines():
    """Lines that made what the line that raised reads come before those beside."""
    frames = [frame("tests/test_a.py", 3), frame("shop.py", 6)]
    bad = result("a", exception="ZeroDivisionError", frames=frames)
    run = suite([bad], {"a": {"shop.py": [2, 3, 4, 5, 6]}})
    found = suspects(run, [bad], sources={"shop.py": CHAIN})
    assert [s.line for s in found] == [6, 3, 4, 2, 5]
    assert "sets share, which is read where it went wrong" in found[2].why
    assert "sets" not in found[3].why


def test_a_wrong_answer_is_followed_back():
    """Where nothing of the product raised, the chain begins at what is returned."""
    bad = result("a", exception="AssertionError", frames=[frame("tests/test_a.py", 3)])
    run = suite([bad], {"a": {"shop.py": [2, 3, 4, 5, 6]}})
    found = suspects(run, [bad], sources={"shop.py": CHAIN})
    assert [s.line for s in found] == [3, 4, 6, 2, 5]


def test_without_lines_the_traceback_is_all():
    """A run that recorded nothing still has suspects where it crashed."""
    bad = result("a", frames=[frame("shop.py", 7, "Shop.total")])
    (suspect,) = suspects(suite([bad]), [bad])
    assert (suspect.path, suspect.line, suspect.function) == (
        "shop.py",
        7,
        "Shop.total",
    )


def test_functions_are_named():
    """With the sources at hand, each line has the innermost function around it."""
    bad = result("a")
    run = suite([bad], {"a": {"shop.py": [1, 3, 6, 7, 8]}})
    found = suspects(run, [bad], sources={"shop.py": SOURCE})
    assert {s.line: s.function for s in found} == {
        1: "",
        3: "Shop.price",
        6: "Shop.total.inner",
        7: "Shop.total.inner",
        8: "Shop.total",
    }


def test_one_crash_is_one_group():
    """The same exception from the same product line has one cause."""
    crash = [frame("tests/test_a.py", 3), frame("shop.py", 7)]
    first = result("a", exception="KeyError", frames=crash)
    second = result("b", exception="KeyError", frames=crash)
    third = result("c", exception="ValueError", frames=crash)
    fourth = result("d", exception="KeyError", frames=[frame("shop.py", 8)])
    found = groups(
        suite([first, second, third, fourth]), [first, second, third, fourth]
    )
    assert [[r.id[-1] for r in group] for group in found] == [["a", "b"], ["c"], ["d"]]


def test_failed_assertions_group_by_their_spectrum():
    """Wrong results with mostly the same suspicious lines have one cause."""
    a, b, c = (result(name, exception="AssertionError") for name in "abc")
    good = result("good", "passed")
    lines = {
        "a": {"shop.py": [1, 2, 3, 10]},
        "b": {"shop.py": [1, 2, 3, 4, 10]},
        "c": {"shop.py": [7, 8, 10]},
        "good": {"shop.py": [10]},
    }
    found = groups(suite([a, b, c, good], lines), [a, b, c])
    assert [[r.id[-1] for r in group] for group in found] == [["a", "b"], ["c"]]


def test_what_is_unknown_stays_apart():
    """Failures of which nothing is known are not joined."""
    a, b = result("a"), result("b")
    assert len(groups(suite([a, b]), [a, b])) == 2


@pytest.mark.parametrize(
    ("frames", "line"),
    [
        ([], None),
        ([frame("tests/test_a.py", 3)], None),
        ([frame("shop.py", 7), frame("/lib/x.py", 2, own=False)], 7),
        ([frame("shop.py", 7), frame("shop.py", 9), frame("checks.py", 2)], 9),
    ],
)
def test_deepest_own_frame(frames, line):
    """It is the innermost one that lies neither in tests nor in a library."""
    layout = Layout(package_roots=("",), tests=frozenset({"checks.py"}))
    found = deepest_own_frame(result("a", frames=frames), layout)
    assert (found and found.line) == line

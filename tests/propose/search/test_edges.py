"""Where a condition that was made changes its answer, and whether a test is there."""

from __future__ import annotations

import pytest

from bonafix.propose.search.edges import edges
from bonafix.propose.search.kin import likened
from bonafix.propose.search.patches import Idea, read_file
from bonafix.propose.search.source import Trial
from bonafix.propose.search.synthesis import CONDITION
from bonafix.propose.search.template import Rewrite
from tests.propose.search.test_kin import Screening, trials

BEFORE = "def f(a, b):\n    if a:\n        return b\n    return 0\n"


def idea(condition, before=BEFORE):
    file = read_file("shop.py", before.encode())
    start = before.index("if a") + 3
    edits = ((start, start + 1, condition),)
    return Idea(file, CONDITION, Rewrite(edits), 2, 1.0)


def told(found):
    return [(edge.where, edge.equal) for edge in found]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    {
        "a and b < a": [("b < a", "b == a")],
        "a and b <= 3": [("b <= 3", "b == 3"), ("b <= 3", "b == 4")],
        "a > 1": [("a > 1", "a == 1"), ("a > 1", "a == 2")],
        "a >= 1": [("a >= 1", "a == 1"), ("a >= 1", "a == 0")],
        "a or len(b) < 1": [
            ("len(b) < 1", "len(b) == 1"),
            ("len(b) < 1", "len(b) == 0"),
        ],
        "a == b": [],
        "a and b in a": [],
        "0 < a < b": [],
        "a or b": [],
    }.items(),
)
def test_edges(condition, wanted):
    assert told(edges(idea(condition))) == wanted


def test_few_are_asked():
    assert len(edges(idea("a > 1 or b > 2 or a + b > 3"))) == 3


def test_what_was_there_before_is_no_question():
    """The condition's own comparison was somebody's choice."""
    before = BEFORE.replace("if a:", "if a > b:")
    file = read_file("shop.py", before.encode())
    start = before.index("a > b")
    rewrite = Rewrite(((start, start + 5, "a > b and b < 7"),))
    found = edges(Idea(file, CONDITION, rewrite, 2, 1.0))
    assert {edge.where for edge in found} == {"b < 7"}


@pytest.mark.parametrize("a", [1, 2, 3])
def test_it_fails_on_the_edge_alone(a):
    """And else decides as the patch does, whatever stands around it."""
    (edge,) = edges(idea("not (a >= b)"))
    space: dict[str, object] = {}
    exec(edge.patch.files["shop.py"].decode(), space)
    if a == 2:
        with pytest.raises(ZeroDivisionError):
            space["f"](a, 2)
    else:
        assert space["f"](a, 2) == (2 if a < 2 else 0)


async def asked(passes, condition="a and b < a"):
    made = idea(condition)
    trial = next(trials([made]))
    return await likened(Trial(trial.candidate, made), [made], Screening(passes))


async def test_an_edge_that_no_test_reaches_is_told():
    found = await asked(lambda _number: True)
    assert found.unsettled == "`b == a`, the edge of `b < a`"


async def test_an_edge_that_a_test_reaches_is_none():
    assert (await asked(lambda _number: False)).unsettled == ""
    assert (await asked(lambda _number: True, "a == b")).unsettled == ""


async def test_the_other_side_of_a_number_is_asked_too():
    found = await asked(lambda number: number == 2, "a and b <= 3")
    assert found.unsettled == "`b == 4`, the edge of `b <= 3`"

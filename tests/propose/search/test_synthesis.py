"""Conditions that fit what failing and passing tests show at a spot."""

from __future__ import annotations

import sys

from bonafix.domain import SuiteRun
from bonafix.propose.search.components import conditions, harmless
from bonafix.propose.search.context import Site
from bonafix.propose.search.synthesis import made, spots
from bonafix.propose.search.watching import seen, watched
from bonafix.syntax import is_valid, parse
from bonafix.text import apply_edits
from tests.propose.search.shop import PRODUCT, TESTS, task

SHIP = """\
def ship(weight, limit, zones, zone):
    fee = 3
    if weight > 0:
        return fee
    return None
"""
TARGET, OTHER = f"{TESTS}::test_far", f"{TESTS}::test_near"
CALLS = {TARGET: (5, 9, ["a"], "b"), OTHER: (5, 9, ["a"], "a")}


def given():
    return task(SHIP, "", red=["test_far"], green=["test_near"], lines=[3, 4])


def executed(source, arguments):
    return traced(source, "ship", arguments)


def traced(source, function, arguments):
    """The lines of the product that a call executes."""
    lines = set()

    def trace(frame, event, _):
        if frame.f_code.co_filename != PRODUCT:
            return None
        if event == "line":
            lines.add(frame.f_lineno)
        return trace

    space = {}
    exec(compile(source, PRODUCT, "exec"), space)
    sys.settrace(trace)
    try:
        space[function](*arguments)
    finally:
        sys.settrace(None)
    return frozenset(lines)


def suggested():
    places = spots(given())
    watch = watched(places)
    lines = {
        test: {PRODUCT: executed(watch.files[PRODUCT], arguments)}
        for test, arguments in CALLS.items()
    }
    run = SuiteRun(results={}, collected=(), lines=lines)
    found = seen(watch, run, list(CALLS))
    return list(made(given(), places, found, frozenset({OTHER})))


def texts(ideas):
    return [apply_edits(SHIP, idea.rewrite.edits) for idea in ideas]


def test_the_missing_guard_is_made():
    """What separates the failing test from the passing one becomes a guard."""
    guard = "    if zone not in zones:\n        return None\n    if weight"
    assert SHIP.replace("    if weight", guard) in texts(suggested())


def test_the_condition_is_sharpened():
    """And a clause of the condition that stands there."""
    assert SHIP.replace("weight > 0", "weight > 0 and zone in zones") in texts(
        suggested()
    )


def test_what_passing_tests_contradict_is_not_made():
    """A condition that decides otherwise in a passing test is left out."""
    found = texts(suggested())
    assert found
    assert not any("if weight < limit" in text for text in found)
    assert all(is_valid(text) for text in found)


def test_constants_of_the_tests_are_no_pieces():
    """Pieces come from the function: no number or text that only a test has."""
    node = parse(SHIP).root.named[0].child("body").named[1]
    pieces = {one.text for one in conditions(Site(node))}
    assert "weight == 3" in pieces
    assert not any("5" in text or "'b'" in text for text in pieces)


def test_watching_changes_nothing_else():
    """The instrumented file is valid, and the function answers as before."""
    text = watched(spots(given())).files[PRODUCT].decode()
    assert is_valid(text)
    space = {}
    exec(compile(text, PRODUCT, "exec"), space)
    assert [space["ship"](*one) for one in CALLS.values()] == [3, 3]


def test_what_has_effects_is_not_asked_twice():
    """A condition that calls what may change something is left alone."""

    def condition(text):
        return parse(f"if {text}:\n    pass\n").root.named[0].child("condition")

    assert harmless(condition("len(a) > 1 and a.startswith(b)"))
    assert not harmless(condition("queue.pop()"))
    assert not harmless(condition("(n := f(x))"))


LOOK = """\
def look(table, key, limit):
    if key in table:
        return table[key]
    return None
"""


def test_what_raises_after_and_is_only_asked_where_that_is_reached():
    """`key in table and table[key] < limit` raises nothing, though its half would."""
    given = task(LOOK, "", red=["test_far"], green=["test_near"], lines=[2, 3])
    places = spots(given)
    watch = watched(places)
    calls = {TARGET: ({"a": 5}, "a", 3), OTHER: ({"b": 1}, "a", 3)}
    lines = {
        test: {PRODUCT: traced(watch.files[PRODUCT], "look", given_)}
        for test, given_ in calls.items()
    }
    run = SuiteRun(results={}, collected=(), lines=lines)
    ideas = made(given, places, seen(watch, run, list(calls)), frozenset({OTHER}))
    found = {apply_edits(LOOK, idea.rewrite.edits) for idea in ideas}
    wanted = "key in table and limit >= table[key]"
    other = "key in table and table[key] <= limit"
    assert {LOOK.replace("key in table", w, 1) for w in (wanted, other)} & found
    first = {text.splitlines()[1].strip() for text in found}
    assert not any(text.startswith("if table[key]") for text in first)
    assert not any(text.startswith("if limit >= table") for text in first)


def test_what_nobody_cares_for_is_compared_with_nothing():
    """`_` is unread in the function, and would come first of all names."""
    source = (
        "def head(text, mark):\n"
        "    left, _, _ = text.partition(mark)\n"
        "    return left\n"
    )
    given = task(source, "", red=["test_head"], lines=[3])
    conditions = {one.text for spot in spots(given) for one in spot.conditions}
    assert any("left" in text for text in conditions)
    assert not any(word == "_" for text in conditions for word in text.split())

"""Expressions that fit what failing and passing tests show at a spot."""

from __future__ import annotations

import sys
import time

from bonafix.domain import SuiteRun
from bonafix.propose.search import watching
from bonafix.propose.search.context import Site
from bonafix.propose.search.expressions import expressions
from bonafix.propose.search.valuing import value_spots, valued
from bonafix.propose.search.watching import seen, watched
from bonafix.syntax import is_valid, parse
from bonafix.text import apply_edits
from tests.propose.search.shop import PRODUCT, TESTS, task

SHARE = """\
def share(low, high, name):
    mean = float(low)
    return [mean, mean]
"""
TARGET, OTHER, BLIND = (f"{TESTS}::test_{name}" for name in ("apart", "same", "blind"))
APART, SAME = (2, 5, "x"), (3, 3, "x")
WRONG = {"actual": "[2.0, 2.0]", "expected": "[3.5, 3.5]"}


def executed(source, function, arguments):
    """What a call answers, and the lines of the product that it executes."""
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
        answer = space[function](*arguments)
    finally:
        sys.settrace(None)
    return answer, frozenset(lines)


def suggested(source, calls, **failure):
    """New texts of the product, best first; `calls` are made by test."""
    green = [test.rpartition("::")[2] for test in calls if test != TARGET]
    given = task(source, "", red=["test_apart"], green=green, lines=[2, 3], **failure)
    places = value_spots(given)
    watch = watched(places)
    name = source.partition("(")[0].removeprefix("def ")
    instrumented = watch.files[PRODUCT]
    lines = {
        test: {PRODUCT: executed(instrumented, name, arguments)[1]}
        for test, arguments in calls.items()
    }
    run = SuiteRun(results={}, collected=(), lines=lines)
    found = seen(watch, run, list(calls))
    ideas = list(valued(given, places, found, frozenset(calls) - {TARGET}))
    ideas.sort(key=lambda idea: -idea.score)
    return [apply_edits(source, idea.rewrite.edits) for idea in ideas]


def test_the_wanted_value_comes_first():
    """What makes the wanted item of a wrong one, and is the same where tests pass."""
    best = suggested(SHARE, {TARGET: APART, OTHER: SAME}, **WRONG)[0]
    space = {}
    exec(best, space)
    assert space["share"](2, 5, "x")[0] == 3.5
    assert space["share"](7, 9, "x")[0] == 8
    assert "3.5" not in best


def test_what_passing_tests_contradict_is_not_made():
    """An expression with another value in a passing test is left out."""
    found = suggested(SHARE, {TARGET: APART, OTHER: SAME})
    assert found
    assert all(is_valid(text) for text in found)
    for text in found:
        assert executed(text, "share", SAME)[0] == [3, 3]
        assert executed(text, "share", APART)[0] != [2, 2]


def test_one_test_that_cannot_tell_does_not_forbid():
    """The wanted value stands, though a test that passes by chance would notice."""
    calls = {TARGET: APART, BLIND: (4, 8, "x")}
    calls |= {f"{TESTS}::test_{n}": (n, n, "x") for n in (1, 2, 3)}
    assert any("(float(low) + high) / 2" in t for t in suggested(SHARE, calls, **WRONG))
    assert not any("/ 2" in text for text in suggested(SHARE, calls))


def test_constants_of_the_tests_are_no_pieces():
    """Pieces come from the function, besides 0, 1 and 2."""
    statement = parse(SHARE).root.named[0].child("body").named[0]
    value = statement.named[0].child("right")
    pieces = {one.text for one in expressions(Site(statement), value)}
    assert {"high", "float(low) + high", "max(float(low), high)"} <= pieces
    assert not any("3.5" in text or "5" in text for text in pieces)


def test_what_has_effects_is_not_asked():
    """A value that may change something is no spot, its harmless parts are."""
    source = "def next_of(queue, n):\n    last = queue.pop(n + 1)\n    return last\n"
    given = task(source, "", red=["test_apart"], lines=[2])
    texts = {spot.current.text for spot in value_spots(given)}
    assert "n + 1" in texts
    assert not any("pop" in text for text in texts)


def test_a_loop_is_asked_now_and_then():
    """Thousands of visits cost few questions, and the late ones are seen, too."""
    source = (
        "def count(times, odd):\n"
        "    found = 0\n"
        "    for i in range(times):\n"
        "        found = i\n"
        "    return found\n"
    )
    given = task(source, "", red=["test_apart"], lines=[4])
    places = value_spots(given)
    watch = watched(places)
    answer, lines = executed(watch.files[PRODUCT], "count", (5000, 4096))
    assert answer == 4999
    run = SuiteRun(results={}, collected=(), lines={TARGET: {PRODUCT: lines}})
    spot = next(n for n, one in enumerate(places) if one.current.text == "i")
    texts = [one.text for one in places[spot].values]
    outcomes = seen(watch, run, [TARGET])
    assert outcomes[spot, texts.index("found")][TARGET] == {"other"}
    assert (spot, texts.index("max(i, found)")) not in outcomes


def test_no_product_is_made_that_would_take_all_memory():
    """A text times an amount is as if it raised; where it is short, it is evaluated."""
    source = (
        "def label(cents, name):\n    text = name\n    both = cents\n    return text\n"
    )
    given = task(source, "", red=["test_apart"], lines=[2, 3, 4])
    places = value_spots(given)
    watch = watched(places)
    spot = next(n for n, one in enumerate(places) if one.current.text == "name")
    texts = [one.text for one in places[spot].values]
    number = next(n for n, t in enumerate(texts) if t == "name * cents")
    for cents, told in ((20_000, "raised"), (3, "other")):
        lines = executed(watch.files[PRODUCT], "label", (cents, "x"))[1]
        run = SuiteRun(results={}, collected=(), lines={TARGET: {PRODUCT: lines}})
        assert seen(watch, run, [TARGET])[spot, number][TARGET] == {told}


def test_what_is_slow_is_evaluated_once(monkeypatch):
    """However often its spot is visited."""
    monkeypatch.setattr(watching, "_LONG", 0.001)

    class Slow(list):
        asked = 0

        def __len__(self):
            Slow.asked += 1
            until = time.thread_time() + 0.002
            while time.thread_time() < until:
                pass
            return super().__len__()

    source = (
        "def sizes(held, times):\n    found = 0\n    for i in range(times):\n"
        "        found = i\n    return len(held)\n"
    )
    places = value_spots(task(source, "", red=["test_apart"], lines=[4]))
    wanting = {e.text for spot in places for e in spot.values if "len(held)" in e.text}
    assert wanting
    executed(watched(places).files[PRODUCT], "sizes", (Slow([1]), 8))
    assert Slow.asked <= 2 * len(wanting)


def test_a_number_stands_for_no_truth_value():
    """What is equal to True and no truth value itself is not suggested for one."""
    source = "def mean(low, high, name):\n    same = low == high\n    return same\n"
    calls = {TARGET: (2, 3, "x"), OTHER: (4, 4, "x")}
    found = suggested(source, calls, actual="False", expected="True")
    assert found
    for text in found:
        space = {}
        exec(text, space)
        assert isinstance(space["mean"](2, 3, "x"), bool), text

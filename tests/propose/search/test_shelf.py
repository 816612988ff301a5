"""What is said of a candidate changes the turn of those like it."""

from __future__ import annotations

import dataclasses

from bonafix.domain import Verdict
from bonafix.propose.search.candidates import ideas, steps
from bonafix.propose.search.shelf import Shelf
from tests.propose.search.shop import task

PRODUCT = """\
def f(a, b, c):
    d = a < b
    e = b < c
    return d, e
"""


def shelf():
    found = Shelf()
    for idea in ideas(task(PRODUCT, "", red=["t"], lines=[2, 3, 4])):
        if idea is not None:
            found.put(idea)
    return found


def drained(found):
    steps = []
    while found:
        steps.append(found.take())
    return [step for step in steps if step is not None]


def place(steps, text):
    return next(n for n, s in enumerate(steps) if s.candidate.title.startswith(text))


def test_a_refusal_lowers_what_is_alike():
    """After a refusal at a line, the others of that line come later."""
    before, after = shelf(), shelf()
    first = before.take()
    assert first is not None
    again = after.take()
    assert again is not None
    assert first.candidate == again.candidate
    after.taste.judged(again.idea, Verdict.REGRESSED)
    line = f":{first.idea.line}:"
    early = [s for s in drained(before)[:20] if line in s.candidate.title]
    late = [s for s in drained(after)[:20] if line in s.candidate.title]
    assert len(late) < len(early)


def test_a_guess_lowers_all_that_is_made_to_fit():
    """What has a better reason comes first from then on."""
    first = next(s for s in drained(shelf()) if s.idea.template.fitted)
    at = []
    for guess in (False, True):
        found = shelf()
        found.taste.judged(first.idea, Verdict.PLAUSIBLE, guess=guess)
        every = enumerate(drained(found))
        at.append([n for n, step in every if step.idea.template.fitted])
    before, after = at
    assert len(before) == len(after) > 1
    assert sum(after) > 2 * sum(before)


def test_progress_raises_its_line():
    """After a step forward at a line, the others of that line come earlier."""
    found, other = shelf(), shelf()
    steps = drained(shelf())
    step = steps[place(steps, "comparison-boundary at shop.py:3")]
    other.taste.advanced(step.idea)
    was = [n for n, s in enumerate(drained(found)) if s.idea.line == 3]
    now = [n for n, s in enumerate(drained(other)) if s.idea.line == 3]
    assert sum(now) < sum(was)


def test_nothing_is_lost():
    """Whatever is said, every candidate comes, and comes once."""
    plain, told = drained(shelf()), shelf()
    seen = []
    while told:
        if step := told.take():
            seen.append(step)
            told.taste.judged(step.idea, Verdict.SPECIAL_CASED)
            told.taste.advanced(step.idea)
    key = [step.candidate.patch for step in plain]
    assert sorted(map(repr, key)) == sorted(repr(s.candidate.patch) for s in seen)


def test_what_comes_later_takes_its_turn():
    """The shelf that is handed in is the one that is served, though it is empty yet."""
    given, found = task(PRODUCT, "", red=["t"], lines=[2, 3, 4]), Shelf()
    served = (step for step in steps(given, found) if step is not None)
    first = next(served)
    late = next(i for i in ideas(given) if i and i.template != first.idea.template)
    found.put(dataclasses.replace(late, score=100.0))
    assert next(served).idea.score == 100.0

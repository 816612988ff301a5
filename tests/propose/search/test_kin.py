"""Who was made from what was seen is told with those that fit it as well."""

from __future__ import annotations

from bonafix.propose.search.catalogue import CATALOGUE
from bonafix.propose.search.kin import KEPT, TRIED, likened
from bonafix.propose.search.patches import Idea
from bonafix.propose.search.shelf import Shelf
from bonafix.propose.search.source import Trial
from tests.propose.search.shop import PRODUCT
from tests.propose.search.test_synthesis import SHIP, suggested


def trials(ideas):
    shelf = Shelf()
    for idea in ideas:
        shelf.put(idea)
    while shelf:
        step = shelf.take()
        if step is not None:
            yield Trial(step.candidate, step.idea)


class Screening:
    """Says who passes, and keeps whom it was asked about."""

    def __init__(self, passes):
        self.passes = passes
        self.asked = []

    async def __call__(self, candidate):
        self.asked.append(candidate.patch)
        return self.passes(len(self.asked))


async def test_those_of_the_same_place_that_pass_are_named():
    ideas = suggested()
    first = next(t for t in trials(ideas) if t.idea.template.name.startswith("guard"))
    screening = Screening(lambda number: number % 2 == 1)
    told = await likened(first, ideas, screening)
    assert told.patch == first.candidate.patch
    assert told.fitted
    assert list(told.like) == screening.asked[::2][:KEPT]
    assert told.like
    assert first.candidate.patch not in screening.asked
    assert len(set(screening.asked)) == len(screening.asked)
    kept = SHIP.splitlines(keepends=True)
    for patch in told.like:  # the same lines of the file stay as they are
        after = patch.files[PRODUCT].decode()
        assert after != SHIP
        assert after.startswith(kept[0])


async def test_only_some_are_tried():
    ideas = suggested()
    screening = Screening(lambda _number: False)
    told = await likened(next(trials(ideas)), ideas, screening)
    assert told.like == ()
    assert 0 < len(screening.asked) <= TRIED


async def test_nobody_is_asked_about_a_template():
    ideas = suggested()
    own = ideas[0]
    other = Idea(own.file, CATALOGUE[0], own.rewrite, own.line, own.score)
    screening = Screening(lambda _number: True)
    step = next(trials([other]))
    told = await likened(step, ideas, screening)
    assert told == step.candidate
    assert not told.fitted
    assert screening.asked == []

"""A number in place of another is told with those beside it that pass as well."""

from __future__ import annotations

import pytest

from bonafix.propose.search.catalogue import CATALOGUE
from bonafix.propose.search.kin import likened
from bonafix.propose.search.nearby import nearby
from bonafix.propose.search.patches import Idea, read_file
from bonafix.propose.search.template import Rewrite
from tests.propose.search.test_kin import Screening, trials


def idea(old, new, places=1):
    """A rewrite of some calls with the number `old`."""
    before = f"f({old})\n" * places
    step = len(before) // places
    starts = [n * step + 2 for n in range(places)]
    edits = tuple((start, start + len(old), new) for start in starts)
    file = read_file("shop.py", before.encode())
    return Idea(file, CATALOGUE[0], Rewrite(edits), 1, 1.0)


def numbers(found):
    texts = (patch.files["shop.py"].decode() for patch in found)
    return [line[2:-1] for text in texts for line in text.splitlines()]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("40", "20", ["30", "21", "19"]),
        ("20", "40", ["30", "41", "39"]),
        ("4", "3", ["2"]),  # nothing lies between them
        ("0", "1", ["2"]),
        ("1", "0", []),  # below nothing there is no number
        ("1", "-1", ["0", "-2"]),
        ("40", "n", []),
        ("n", "20", []),
        ("4.0", "2.0", []),
    ],
)
def test_numbers_beside_it(old, new, wanted):
    assert numbers(nearby(idea(old, new))) == wanted


def test_all_places_move_together():
    assert numbers(nearby(idea("4", "3", places=2))) == ["2", "2"]


def test_two_numbers_are_no_range():
    both = idea("4", "3", places=2)
    (one, other) = both.rewrite.edits
    mixed = Rewrite((one, (other[0], other[1], "9")))
    changed = Idea(both.file, both.template, mixed, both.line, both.score)
    assert list(nearby(changed)) == []


async def test_who_passes_is_named():
    screening = Screening(lambda number: number == 2)
    told = await likened(next(trials([idea("40", "20")])), [], screening)
    assert numbers(screening.asked) == ["30", "21", "19"]
    assert numbers(told.like) == ["21"]
    assert not told.fitted
    assert told.unsettled == ""

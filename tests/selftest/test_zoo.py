"""The zoo as data: what is in it, and how a part of it is chosen."""

from collections import Counter

import pytest

from bonafix import zoo
from bonafix.errors import UsageError

PLACE = zoo.folder()
ZOO = zoo.load(PLACE)
EVERY = [specimen for one in ZOO for specimen in one.specimens]


def test_there_is_enough_of_each():
    """Twelve projects and more than enough patches of each label."""
    count = Counter(one.label for one in EVERY)
    assert len(ZOO) >= 12
    assert count["dishonest"] >= 60
    assert count["honest"] >= 40
    assert count["wrong"] >= 20
    assert sum(one.suspicious for one in EVERY) >= 15
    assert {one.family[0] for one in EVERY if one.family} == set("ABCDE")


def test_every_patch_has_its_file_and_no_other():
    """What is described is there, and what is there is described."""
    for one in ZOO:
        named = {one.patch_file(specimen) for specimen in one.specimens}
        assert named == set((one.folder / "patches").glob("*.patch"))
        assert one.root.is_dir()
        assert one.targets


def test_a_third_is_held_out():
    """Whole projects, of both kinds, and none of them among the quick ones."""
    held = {one.name for one in ZOO if any(s.held_out for s in one.specimens)}
    assert 3 * len(held) >= len(ZOO)
    assert all(s.held_out for one in ZOO if one.name in held for s in one.specimens)
    assert not {name.partition("/")[0] for name in zoo.quick(PLACE)} & held


def test_the_quick_ones_stand_for_all():
    """Few patches of few projects with every label and all five families."""
    chosen = zoo.only(ZOO, zoo.quick(PLACE))
    found = [specimen for one in chosen for specimen in one.specimens]
    assert {one.id for one in found} == zoo.quick(PLACE)
    assert 12 <= len(found) <= 16
    assert 3 <= len(chosen) <= 4
    assert {one.label for one in found} == {"honest", "dishonest", "wrong"}
    assert {one.family[0] for one in found if one.family} == set("ABCDE")
    assert any(one.suspicious for one in found)
    assert {one.pure for one in found} == {True, False}


def test_projects_by_name():
    """A named project is taken whole, once; an unknown one is a usage error."""
    assert [one.name for one in zoo.of_projects(ZOO, ["money", "money"])] == ["money"]
    with pytest.raises(UsageError, match="money"):
        zoo.of_projects(ZOO, ["mony"])

"""Neighbours of arguments, and the preconditions that they keep."""

from fractions import Fraction

import pytest

from bonafix.calls import Value
from bonafix.judge.calls.neighbours import neighbours
from bonafix.judge.calls.preconditions import learn, number


def num(value):
    return Value("int", str(value))


def text(value):
    return Value("str", value)


def many(*items, kind="list"):
    return Value(kind, items=tuple(items))


def nums(*values):
    return many(*map(num, values))


def drawn(origins, tested=None, count=60, **kwargs):
    return neighbours(origins, tested or origins, count=count, seed=1, **kwargs)


def types(value):
    return value.type, {types(item) for item in value.items} if value.items else None


@pytest.mark.parametrize(
    "value",
    [
        num(7),
        Value("float", "2.5"),
        Value("decimal.Decimal", "0.08"),
        Value("fractions.Fraction", "1/3"),
        text("hello world"),
        Value("bytes", "abc"),
        nums(3, 1, 2),
        Value("datetime.date", "2024-02-29"),
        Value("datetime.timedelta", "1 30 0"),
        many(text("k"), num(1), kind="dict"),
        Value("object", "m:C", (num(3), text("ab")), ("size", "name")),
    ],
    ids=lambda value: value.type,
)
def test_neighbours_are_distinct_and_of_the_same_type(value):
    """Each type of value has a good number of neighbours, none of them itself."""
    found = drawn([(value,)])
    points = [one.point for one in found]
    assert len(found) >= 12
    assert len(set(points)) == len(points)
    assert (value,) not in points
    assert {one[0].type for one in points} == {value.type}


def test_the_same_seed_gives_the_same_neighbours():
    """There is no chance in a verdict."""
    origin = [(nums(1, 2, 3), text("ab"))]
    assert drawn(origin) == drawn(origin)


def test_near_and_far_are_both_there():
    """Half of them differ by one edit only."""
    found = drawn([(nums(5, 9, 1, 4), num(3))])
    near = [one for one in found if one.distance == "near"]
    assert len(found) / 4 < len(near) < len(found) * 3 / 4
    assert all(len(one.moved) == 1 for one in near)


def test_tested_points_are_no_neighbours():
    """What another test asks tells nothing new."""
    tested = [(num(n),) for n in range(12)]
    points = {one.point for one in drawn(tested[:1], tested)}
    assert points
    assert not points & set(tested)


def test_sorted_lists_stay_sorted():
    """A binary search is not asked about a heap."""
    tested = [(nums(1, 4, 9), num(4)), (nums(2, 3, 5, 8), num(8))]
    for one in drawn(tested):
        values = [int(v.text) for v in one.point[0].items]
        assert values == sorted(values)


def test_signs_lengths_and_indices_are_kept():
    """Positive stays positive, an index stays inside, twin lists stay twins."""
    tested = [
        (nums(3, 1, 2), nums(1, 1, 1), num(0)),
        (nums(8, 2), nums(4, 1), num(2)),
        (nums(9, 9, 7, 5), nums(1, 2, 3, 4), num(3)),
    ]
    found = drawn(tested)
    assert found
    for one in found:
        first, second, index = one.point
        assert len(first.items) == len(second.items)
        assert 0 <= int(index.text) <= len(first.items)
        assert all(int(v.text) > 0 for v in first.items)


def test_keys_that_never_change_are_kept():
    """A record's fields are no part of its contents."""
    record = many(text("name"), text("ada"), text("age"), num(36), kind="dict")
    for one in drawn([(record,)]):
        assert set(one.point[0].items[::2]) == {text("name"), text("age")}


def test_the_alphabet_is_kept():
    """Brackets have brackets for neighbours."""
    for one in drawn([(text("(()())"),), (text("())("),)]):
        assert set(one.point[0].text) <= set("()")


def test_parts_on_a_boundary_move_together():
    """A capacity and the number of guests: some neighbours keep them equal."""
    room = Value("object", "m:Room", (num(3), nums(5, 6, 7)), ("capacity", "guests"))
    found = [one.point[0].items for one in drawn([(room,)], count=80)]
    full = [c for c, guests in found if int(c.text) == len(guests.items) != 3]
    assert len(full) >= 3


def test_edits_can_be_aimed():
    """At the parts on which a change was seen to depend."""
    found = drawn([(num(3), num(500))], only=frozenset({("1",)}))
    assert all(("1",) in one.moved for one in found)


def test_opaque_arguments_are_left_alone():
    """Only what is next to them is changed."""
    opaque = Value("opaque", "gASV", (Value("like", "m:X"),), ("m:X",))
    found = drawn([(opaque, num(3))])
    assert found
    assert {one.point[0] for one in found} == {opaque}


def test_preconditions_hold_for_what_they_were_learned_from():
    """Also with numbers that are none and types that are mixed."""
    points = [
        (Value("float", "nan"), nums(2, 1)),
        (num(-3), many(text("x"), kind="tuple")),
    ]
    rules = learn(points)
    assert all(map(rules.holds, points))
    assert not rules.holds((text("no"), nums(1)))
    assert number(Value("float", "nan")) is None
    assert number(Value("float", "0.5")) == Fraction(1, 2)

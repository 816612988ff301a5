"""A recorded call's arguments in, arguments near to them out; pure, by a fixed seed.

Near: one edit; far: two to six. Types stay what they are, learned preconditions hold,
and no neighbour is a point that a test has tested.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from bonafix.calls import Value
from bonafix.judge.calls.couples import couples, together
from bonafix.judge.calls.edits import Pool, edited
from bonafix.judge.calls.preconditions import (
    DICTS,
    LISTS,
    Pattern,
    Point,
    Preconditions,
    learn,
    leaves,
    number,
    part,
)

Distance = Literal["near", "far"]
_HUGE = Fraction(10**12)
SIZE = "size"
_FAR = (2, 6)  # edits
_TRIES = 14  # draws for each neighbour that is wanted
_COUPLED = 0.4  # how often a far neighbour starts with two parts moved together
_FOCUSED = 0.6  # how often a further edit is made at a pattern that was asked for
_FIXED = frozenset({"opaque", "name", "NoneType", "like", "ellipsis"})


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Changed arguments, and the tested ones they come from."""

    point: Point
    origin: int  # index of the tested point
    distance: Distance
    moved: frozenset[Pattern] = frozenset()  # where it differs from them


def neighbours(
    origins: Sequence[Point],
    tested: Sequence[Point],
    *,
    count: int,
    seed: int,
    only: frozenset[Pattern] = frozenset(),
) -> tuple[Neighbour, ...]:
    """About `count` distinct neighbours of `origins`, half near and half far.

    `tested` are all recorded points: preconditions are learned from them, and they
    lend their parts. With `only` at least one edit is made at one of these patterns.
    """
    rules = learn(tested)
    places = frozenset(p[:-1] if p[-1] == SIZE else p for p in only)
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    pool = _pool(tested, rules)
    seen = set(tested) | set(origins)
    found: list[Neighbour] = []
    for turn in range(count * _TRIES):
        if len(found) >= count:
            break
        origin = turn % len(origins)
        distance: Distance = "near" if turn // len(origins) % 2 else "far"
        edits = 1 if distance == "near" else chance.randint(*_FAR)
        point = _moved(origins[origin], edits, chance, pool, places)
        point = _restored(point, rules)
        if point not in seen and rules.holds(point):
            seen.add(point)
            moved = frozenset(_differences(origins[origin], point))
            if only and not only & moved:
                continue
            found.append(Neighbour(point, origin, distance, moved))
    return tuple(found)


def weight(point: Point) -> float:
    """How much work a point may make: its numbers and sizes."""
    total = 0.0
    for _, value in leaves(point):
        amount = number(value)
        total += float(min(abs(amount), _HUGE)) if amount is not None else 0.0
        total += len(value.text) + len(value.items)
    return total


def _differences(one: Point, other: Point) -> Iterator[Pattern]:
    """The patterns where two points differ; `size` where a container has grown."""
    for index, (left, right) in enumerate(zip(one, other, strict=True)):
        yield from _unlike(left, right, (str(index),))


def _unlike(one: Value, other: Value, pattern: Pattern) -> Iterator[Pattern]:
    if one == other:
        return
    if one.type == "opaque" or not (one.items or other.items):
        yield pattern
    elif len(one.items) != len(other.items):
        yield (*pattern, SIZE)
    else:
        for index, (left, right) in enumerate(zip(one.items, other.items, strict=True)):
            yield from _unlike(left, right, (*pattern, part(one, index)))


def _pool(tested: Sequence[Point], rules: Preconditions) -> Pool:
    donors: dict[Pattern, list[Value]] = {}
    for point in tested:
        for pattern, value in leaves(point):
            donors.setdefault(pattern, []).append(value)
    return Pool(donors, rules.classes or {})


def _moved(
    point: Point,
    edits: int,
    chance: random.Random,
    pool: Pool,
    only: frozenset[Pattern],
) -> Point:
    coupled = couples(point) if edits > 1 else []
    if coupled and chance.random() < _COUPLED:
        point = together(point, chance.choice(coupled), chance, pool)
        edits = chance.randint(0, 1)
    for turn in range(edits):
        places = _places(point)
        wanted = [place for place in places if place[1] in only]
        if turn == 0 or chance.random() < _FOCUSED:
            places = wanted or places
        if not places:
            return point
        path, pattern = _drawn(places, chance)
        point = _at(point, path, pattern, chance, pool, far=edits > 1)
    return point


Path = tuple[int, ...]


def _places(point: Point) -> list[tuple[Path, Pattern]]:
    """Where something can be changed."""
    found: list[tuple[Path, Pattern]] = []
    stack: list[tuple[Value, Path, Pattern]] = [
        (value, (index,), (str(index),)) for index, value in enumerate(point)
    ]
    while stack:
        value, path, pattern = stack.pop()
        if value.type in _FIXED:
            continue
        if not value.items or value.type in LISTS | DICTS:
            found.append((path, pattern))
        for index, item in enumerate(value.items):
            stack.append((item, (*path, index), (*pattern, part(value, index))))
    return found


def _drawn(
    places: Sequence[tuple[Path, Pattern]], chance: random.Random
) -> tuple[Path, Pattern]:
    """A fair choice between arguments first: a long list is not worth more."""
    arguments: dict[int, list[tuple[Path, Pattern]]] = {}
    for path, pattern in places:
        arguments.setdefault(path[0], []).append((path, pattern))
    group = arguments[chance.choice(sorted(arguments))]
    patterns: dict[Pattern, list[tuple[Path, Pattern]]] = {}
    for place in group:
        patterns.setdefault(place[1], []).append(place)
    whole = [place for place in group if len(place[0]) == 1]
    if whole and chance.random() < 0.4:  # noqa: PLR2004 - containers as a whole
        return whole[0]
    return chance.choice(patterns[chance.choice(sorted(patterns))])


def _at(
    point: Point,
    path: Path,
    pattern: Pattern,
    chance: random.Random,
    pool: Pool,
    *,
    far: bool,
) -> Point:
    index, *rest = path
    value = _within(point[index], rest, pattern, chance, pool, far=far)
    return (*point[:index], value, *point[index + 1 :])


def _within(
    value: Value,
    path: Sequence[int],
    pattern: Pattern,
    chance: random.Random,
    pool: Pool,
    *,
    far: bool,
) -> Value:
    if not path:
        return edited(value, pattern, chance, pool, far=far)
    index, *rest = path
    item = _within(value.items[index], rest, pattern, chance, pool, far=far)
    items = (*value.items[:index], item, *value.items[index + 1 :])
    return replace(value, items=items)


def _restored(point: Point, rules: Preconditions) -> Point:
    """Lists that always ascend are sorted again."""
    if not rules.sorted_at:
        return point
    return tuple(
        _sorted(value, (str(index),), rules.sorted_at)
        for index, value in enumerate(point)
    )


def _sorted(value: Value, pattern: Pattern, where: frozenset[Pattern]) -> Value:
    if value.type == "opaque":
        return value
    items = tuple(
        _sorted(item, (*pattern, part(value, index)), where)
        for index, item in enumerate(value.items)
    )
    if pattern in where:
        items = tuple(sorted(items, key=_rank))
    return replace(value, items=items)


def _rank(value: Value) -> tuple[bool, Fraction, str]:
    found = number(value)
    return found is None, found or Fraction(0), value.text

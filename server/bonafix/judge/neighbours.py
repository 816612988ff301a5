"""A recorded call's arguments in, arguments near to them out; pure, by a fixed seed.

Near: one edit; far: two to six. Types stay what they are, learned preconditions hold,
and no neighbour is a point that a test has tested.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bonafix.domain import Value
from bonafix.judge.edits import Pool, edited
from bonafix.judge.preconditions import (
    DICTS,
    LISTS,
    Pattern,
    Point,
    Preconditions,
    leaves,
    learn,
    number,
    part,
)

Distance = Literal["near", "far"]
_FAR = (2, 6)  # edits
_TRIES = 14  # draws for each neighbour that is wanted
_FIXED = frozenset({"opaque", "name", "NoneType", "like", "ellipsis"})


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Changed arguments, and the tested ones they come from."""

    point: Point
    origin: int  # index of the tested point
    distance: Distance


def neighbours(
    origins: Sequence[Point],
    tested: Sequence[Point],
    *,
    count: int,
    seed: int,
) -> tuple[tuple[Neighbour, ...], Preconditions]:
    """About `count` distinct neighbours of `origins`, half near and half far.

    `tested` are all recorded points: preconditions are learned from them, and they
    lend their parts.
    """
    rules = learn(tested)
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
        point = _moved(origins[origin], edits, chance, pool)
        point = _restored(point, rules)
        if point not in seen and rules.holds(point):
            seen.add(point)
            found.append(Neighbour(point, origin, distance))
    return tuple(found), rules


def _pool(tested: Sequence[Point], rules: Preconditions) -> Pool:
    donors: dict[Pattern, list[Value]] = {}
    for point in tested:
        for pattern, value in leaves(point):
            donors.setdefault(pattern, []).append(value)
    return Pool(donors, rules.classes or {})


def _moved(
    point: Point, edits: int, chance: random.Random, pool: Pool
) -> Point:
    for _ in range(edits):
        places = _places(point)
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
        (value, (index,), (str(index),))
        for index, value in enumerate(point)
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
    whole = [place for place in group if len(place[0]) == 1]
    if whole and chance.random() < 0.4:  # noqa: PLR2004 - containers as a whole
        return whole[0]
    return chance.choice(group)


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


def _rank(value: Value) -> tuple[bool, float, str]:
    found = number(value)
    return found is None, float(found or 0), value.text



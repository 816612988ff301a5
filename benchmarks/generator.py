"""Inputs for a function, made from those of its tests: to compare two versions of it.

One generator for every report. What is made stays in the shape of what the tests give:
types, signs and alphabets are kept, lengths and sizes vary, and numbers grow by half at
most (there are functions that take exponential time). The same seed gives the same.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Arguments = tuple[object, ...]
_EDITS = 3  # at most, from one of the tests' inputs to a new one
_LONGER = 4  # items or characters that a container may grow by
_TRIES = 20  # draws for each input that is wanted


@dataclass(slots=True)
class _Pool:
    """What the tests' values are made of."""

    integers: list[int]
    floats: list[float]
    characters: list[str]
    others: list[object]


def inputs(seen: Sequence[Arguments], *, count: int, seed: str) -> list[Arguments]:
    """`seen`, and new ones after them, up to `count` different ones in all."""
    chance = random.Random(seed)
    pool = _pool(seen)
    found: dict[str, Arguments] = {repr(one): one for one in seen}
    for _ in range(count * _TRIES):
        if len(found) >= count or not seen:
            break
        made = list(copy.deepcopy(chance.choice(seen)))
        for _ in range(chance.randint(1, _EDITS)):
            if made:
                at = chance.randrange(len(made))
                made[at] = _changed(made[at], pool, chance)
        found.setdefault(repr(made), tuple(made))
    return list(found.values())[:count]


def _pool(seen: Sequence[Arguments]) -> _Pool:
    pool = _Pool([], [], [], [])
    for value in _parts(seen):
        match value:
            case bool() | None:
                pool.others.append(value)
            case int():
                pool.integers.append(value)
            case float():
                pool.floats.append(value)
            case str():
                pool.characters.extend(value)
    return pool


def _parts(value: object) -> Iterator[object]:
    match value:
        case dict():
            for item in (*value.keys(), *value.values()):
                yield from _parts(item)
        case list() | tuple() | set():
            for item in value:
                yield from _parts(item)
        case _:
            yield value


def _changed(value: object, pool: _Pool, chance: random.Random) -> object:
    match value:
        case bool():
            return not value
        case int():
            return _integer(pool.integers, chance)
        case float():
            return _float(pool.floats, chance)
        case str():
            return "".join(_items(list(value), pool.characters, pool, chance))
        case list() | tuple() | set():
            items = list(value)
            return type(value)(_items(items, items, pool, chance))
        case dict():
            return dict(_items(list(value.items()), list(value.items()), pool, chance))
        case _:
            return value


def _integer(known: Sequence[int], chance: random.Random) -> int:
    low, high = min(known), max(known)
    if chance.random() < 1 / 2:
        near = chance.choice(known) + chance.choice((-2, -1, 1, 2))
        return max(low, near)
    return chance.randint(low, high + (high - low) // 2)


def _float(known: Sequence[float], chance: random.Random) -> float:
    low, high = min(known), max(known)
    drawn = chance.uniform(low, high + (high - low) / 2)
    return round(drawn, chance.choice((0, 1, 2)))


def _items(items: list, alphabet: Sequence, pool: _Pool, chance: random.Random) -> list:
    """A little longer, shorter, reordered, or with one item changed."""
    kind = chance.choice(("pop", "add", "shuffle", "cut", "renew", "renew"))
    if kind == "pop" and len(items) > 1:
        items.pop(chance.randrange(len(items)))
    elif kind == "add" and alphabet:
        for _ in range(chance.randint(1, _LONGER)):
            items.insert(chance.randint(0, len(items)), chance.choice(alphabet))
    elif kind == "shuffle":
        chance.shuffle(items)
    elif kind == "cut" and items:
        items[:] = items[: chance.randint(1, len(items))]
    elif items:
        at = chance.randrange(len(items))
        items[at] = _renewed(items[at], alphabet, pool, chance)
    return items


def _renewed(
    value: object, alphabet: Sequence, pool: _Pool, chance: random.Random
) -> object:
    if isinstance(value, str) and len(value) == 1:
        return chance.choice(alphabet)
    if isinstance(value, tuple) and value:  # an entry of a dictionary keeps its key
        return (*value[:-1], _changed(value[-1], pool, chance))
    return _changed(value, pool, chance)

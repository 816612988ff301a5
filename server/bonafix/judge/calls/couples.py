"""Parts of a point that stand on a boundary to each other, moved together; pure.

Where a fix turns `>` into `>=`, only calls with both sides equal change: a moved side
alone would make every such fix look like a special case.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from bonafix.calls import Value
from bonafix.judge.calls.edits import Pool, resized
from bonafix.judge.calls.preconditions import (
    DICTS,
    LISTS,
    NUMBERS,
    Pattern,
    Point,
    number,
    part,
)

Path = tuple[int, ...]
_STEPS = (1, 1, 2, 3, -1)
_MOST = 24  # measures of one point that are compared


@dataclass(frozen=True, slots=True)
class Measure:
    """A number in a point, or the size of a container."""

    path: Path
    pattern: Pattern
    amount: int
    size: bool


def couples(point: Point) -> list[tuple[Measure, Measure]]:
    """Pairs of measures that differ by one at most, one of them a number."""
    found = list(_measures(point))[:_MOST]
    return [
        (one, other)
        for i, one in enumerate(found)
        for other in found[i + 1 :]
        if abs(one.amount - other.amount) <= 1 and not (one.size and other.size)
        if not _nested(one.path, other.path)
    ]


def together(
    point: Point,
    couple: tuple[Measure, Measure],
    chance: random.Random,
    pool: Pool,
) -> Point:
    """The point with both measures moved by the same amount."""
    step = chance.choice(_STEPS)
    for measure in couple:
        point = _stepped(point, measure, step, chance, pool)
    return point


def _measures(point: Point) -> Iterator[Measure]:
    stack: list[tuple[Value, Path, Pattern]] = [
        (value, (index,), (str(index),)) for index, value in enumerate(point)
    ]
    while stack:
        value, path, pattern = stack.pop(0)
        amount = number(value) if value.type in NUMBERS else None
        if amount is not None and amount.denominator == 1:
            yield Measure(path, pattern, int(amount), size=False)
        elif value.type in LISTS:
            yield Measure(path, pattern, len(value.items), size=True)
        elif value.type == "str":
            yield Measure(path, pattern, len(value.text), size=True)
        if value.type == "opaque":
            continue
        for index, item in enumerate(value.items):
            if value.type not in DICTS:
                inner = (*pattern, part(value, index))
                stack.append((item, (*path, index), inner))


def _nested(one: Path, other: Path) -> bool:
    return one[: len(other)] == other or other[: len(one)] == one


def _stepped(
    point: Point, measure: Measure, step: int, chance: random.Random, pool: Pool
) -> Point:
    def moved(value: Value) -> Value:
        if measure.size:
            return resized(value, step, measure.pattern, chance, pool)
        text = str(int(value.text) + step) if value.type == "int" else None
        return replace(value, text=text or _added(value, step))

    index, *rest = measure.path
    return (*point[:index], _within(point[index], rest, moved), *point[index + 1 :])


def _added(value: Value, step: int) -> str:
    total = (number(value) or 0) + step
    return repr(float(total)) if value.type == "float" else str(total)


def _within(
    value: Value, path: Sequence[int], moved: Callable[[Value], Value]
) -> Value:
    if not path:
        return moved(value)
    index, *rest = path
    item = _within(value.items[index], rest, moved)
    items = (*value.items[:index], item, *value.items[index + 1 :])
    return replace(value, items=items)

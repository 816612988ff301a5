"""Recorded arguments in, what valid arguments seem to have in common out; pure.

Neighbours outside a function's domain (unsorted lists for a binary search, an index
past the end) make an honest patch look inert or wild.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from bonafix.calls import Value

Point = tuple[Value, ...]  # the arguments of one call, positional then named
Pattern = tuple[str, ...]  # where in them, elements of a list not told apart

NUMBERS = frozenset({"int", "float", "decimal.Decimal", "fractions.Fraction"})
LISTS = frozenset({"list", "set", "frozenset", "deque"})
DICTS = frozenset({"dict", "collections:Counter", "collections:OrderedDict"})
_FEW = 3  # values from which on a coincidence becomes unlikely


@dataclass(frozen=True, slots=True)
class Preconditions:
    """Named checks on a point; `holds` is all of them."""

    checks: Mapping[str, Callable[[Point], bool]]
    sorted_at: frozenset[Pattern] = frozenset()  # lists that ascend; can be restored
    classes: Mapping[Pattern, frozenset[str]] | None = None  # characters that occur

    def holds(self, point: Point) -> bool:
        """Whether a point looks like the recorded ones."""
        return all(check(point) for check in self.checks.values())


def learn(points: Sequence[Point]) -> Preconditions:
    """Find what all `points` have in common."""
    checks: dict[str, Callable[[Point], bool]] = {}
    ascending: set[Pattern] = set()
    for pattern, values in _by_pattern(points).items():
        name = ".".join(pattern)
        for rule, check in _rules(values):
            checks[f"{name}: {rule}"] = _each(pattern, check)
            if rule == "ascending":
                ascending.add(pattern)
    checks |= dict(_relations(points))
    return Preconditions(checks, frozenset(ascending), _alphabets(points))


def leaves(point: Point) -> Iterator[tuple[Pattern, Value]]:
    """All values in a point, each with its pattern, outermost first."""
    for index, value in enumerate(point):
        yield from _inner(value, (str(index),))


def _inner(value: Value, pattern: Pattern) -> Iterator[tuple[Pattern, Value]]:
    yield pattern, value
    if value.type == "opaque":
        return
    for index, item in enumerate(value.items):
        yield from _inner(item, (*pattern, part(value, index)))


def part(value: Value, index: int) -> str:
    """How the pattern of an item of `value` continues."""
    if value.type in LISTS:
        return "*"
    if value.type in DICTS:
        return "value" if index % 2 else "key"
    return str(index)


def number(value: Value) -> Fraction | None:
    """Its value, if it is a finite number."""
    if value.type not in NUMBERS:
        return None
    try:
        return Fraction(value.text)
    except (ValueError, ZeroDivisionError):
        return None


def char_class(char: str) -> str:
    """A coarse class; characters that are neither letters nor digits are their own."""
    if char.isdigit():
        return "0"
    if char.isalpha():
        return "A" if char.isupper() else "a"
    return char


def _by_pattern(points: Sequence[Point]) -> dict[Pattern, list[Value]]:
    table: dict[Pattern, list[Value]] = {}
    for point in points:
        for pattern, value in leaves(point):
            table.setdefault(pattern, []).append(value)
    return table


def _each(pattern: Pattern, check: Callable[[Value], bool]) -> Callable[[Point], bool]:
    def every(point: Point) -> bool:
        return all(check(value) for where, value in leaves(point) if where == pattern)

    return every


def _rules(values: Sequence[Value]) -> Iterator[tuple[str, Callable[[Value], bool]]]:
    types = frozenset(value.type for value in values)
    yield f"type {'|'.join(sorted(types))}", lambda value: value.type in types
    yield from _number_rules([n for v in values if (n := number(v)) is not None])
    texts = [value.text for value in values if value.type in {"str", "bytes"}]
    if texts and len(texts) == len(values):
        yield from _text_rules(texts)
    if all(value.type in LISTS | {"tuple"} for value in values):
        yield from _list_rules(values)
    if all(value.type in DICTS for value in values):
        yield from _dict_rules(values)


def _number_rules(
    numbers: Sequence[Fraction],
) -> Iterator[tuple[str, Callable[[Value], bool]]]:
    if not numbers:
        return
    least, most = min(numbers), max(numbers)
    if least > 0:
        yield "positive", lambda v: (n := number(v)) is None or n > 0
    elif least >= 0:
        yield "not negative", lambda v: (n := number(v)) is None or n >= 0
    fractions = any(n.denominator > 1 for n in numbers)
    if fractions and least >= 0 and most <= 1:
        yield "at most 1", lambda v: (n := number(v)) is None or n <= 1


def _text_rules(
    texts: Sequence[str],
) -> Iterator[tuple[str, Callable[[Value], bool]]]:
    if all(texts):
        yield "not empty", lambda v: bool(v.text)
    lengths = {len(text) for text in texts}
    if len(lengths) == 1 and len(set(texts)) >= _FEW:
        yield "one length", lambda v: len(v.text) in lengths


def _list_rules(
    values: Sequence[Value],
) -> Iterator[tuple[str, Callable[[Value], bool]]]:
    lengths = {len(value.items) for value in values}
    if 0 not in lengths:
        yield "not empty", lambda v: bool(v.items)
    if len(lengths) == 1 and len(set(values)) >= _FEW and max(lengths) > 0:
        yield "one length", lambda v: len(v.items) in lengths
    longer = [value for value in values if len(value.items) > 2]  # noqa: PLR2004
    if longer and all(map(_ascends, values)):
        yield "ascending", _ascends
    total = sum(len(value.items) for value in longer)
    if total >= 2 * _FEW and all(map(_unique, values)):
        yield "no repeats", _unique


def _dict_rules(
    values: Sequence[Value],
) -> Iterator[tuple[str, Callable[[Value], bool]]]:
    keys = {frozenset(value.items[::2]) for value in values}
    yield "no repeats", lambda v: len(set(v.items[::2])) == len(v.items[::2])
    if len(keys) == 1:
        yield "same keys", lambda v: frozenset(v.items[::2]) in keys


def _ascends(value: Value) -> bool:
    if value.type != "list":
        return False
    return all(_ordered(a, b) for a, b in itertools.pairwise(value.items))


def _ordered(one: Value, other: Value) -> bool:
    first, second = number(one), number(other)
    if first is not None and second is not None:
        return first <= second
    return one.type == other.type == "str" and one.text <= other.text


def _unique(value: Value) -> bool:
    return len(set(value.items)) == len(value.items)


def _relations(
    points: Sequence[Point],
) -> Iterator[tuple[str, Callable[[Point], bool]]]:
    """Between two arguments of each call."""
    width = min(map(len, points), default=0)
    for one, two in itertools.permutations(range(width), 2):
        for rule, holds in _PAIRS.items():
            found = [holds(point[one], point[two]) for point in points]
            if None in found or not all(found):
                continue
            if len({(p[one], p[two]) for p in points}) >= _NEEDED[rule]:
                yield f"{one} {rule} {two}", _between(one, two, holds)


def _between(
    one: int, two: int, holds: Callable[[Value, Value], bool | None]
) -> Callable[[Point], bool]:
    return lambda point: holds(point[one], point[two]) is not False


def _size(value: Value) -> int | None:
    if value.type in {"str", "bytes"}:
        return len(value.text)
    return len(value.items) if value.type in LISTS else None


def _as_long_as(one: Value, two: Value) -> bool | None:
    sizes = _size(one), _size(two)
    return None if None in sizes else sizes[0] == sizes[1]


def _index_into(one: Value, two: Value) -> bool | None:
    size = _size(two)
    if one.type != "int" or size is None:
        return None
    return 0 <= int(one.text) <= size


def _at_most(one: Value, two: Value) -> bool | None:
    if one.type != two.type:
        return None
    first, second = number(one), number(two)
    return None if first is None or second is None else first <= second


_PAIRS: Mapping[str, Callable[[Value, Value], bool | None]] = {
    "is as long as": _as_long_as,
    "is an index into": _index_into,
    "is at most": _at_most,
}
_NEEDED = {"is as long as": 2, "is an index into": 2, "is at most": 4}


def _alphabets(points: Sequence[Point]) -> dict[Pattern, frozenset[str]]:
    return {
        pattern: frozenset("".join(v.text for v in values if v.type == "str"))
        for pattern, values in _by_pattern(points).items()
        if any(value.type == "str" for value in values)
    }

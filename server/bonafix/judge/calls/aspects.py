"""In what two versions differ at a call: in which part of the result, or in what else.

A patch that changes something everywhere which no test looks at (the type of a number,
a message, a further attribute) and what the tests do look at only where they look would
seem to generalise. So each part that changes at all the tested calls must change around
them as well; pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bonafix.calls import Behaviour, Value
from bonafix.judge.calls.contrast import Pair, Symptoms, unusable
from bonafix.judge.calls.preconditions import DICTS, LISTS, number
from bonafix.judge.calls.recordings import flat
from bonafix.judge.calls.ruling import ENOUGH, SPREAD
from bonafix.judge.calls.showing import show_call

Aspect = tuple[str, ...]

_PARTS = 3  # of a tuple; from there on equal types make a series of it
_SPOKEN = {("output",), ("message",)}
_WHOLE = {"size", "type"}  # changes that leave nothing below to compare


def superficial(pairs: Sequence[Pair], told: Sequence[Pair], symptoms: Symptoms) -> str:
    """What changes at the tested calls and hardly anywhere else, in words.

    Empty where nothing does, or where the tested calls have no change in common.
    """
    valid = [pair for pair in pairs if not unusable(pair, symptoms)]
    common = [set(_aspects(pair.before, pair.after)) for pair in told]
    shared = set.intersection(*common) if common else set()
    if len(valid) < ENOUGH or not shared:
        return ""
    seen = [set(_aspects(pair.before, pair.after)) for pair in valid]
    changed = sum(map(bool, seen))
    if ("kind",) in shared:  # there are no parts to compare; but words are no result
        shared = {("kind",)}
        seen = [{("kind",)} if there - _SPOKEN else set() for there in seen]
    counts = {one: sum(_covers(there, one) for there in seen) for one in shared}
    rare = min(sorted(counts), key=lambda one: counts[one])
    few = counts[rare] < SPREAD * len(valid) and counts[rare] < changed / 2
    if not few:
        return ""
    return (
        f"{changed} of {len(valid)} neighbours of {show_call(told[0].call)} changed, "
        f"but only {counts[rare]} of them in {_words(rare)}"
    )


def _covers(there: set[Aspect], aspect: Aspect) -> bool:
    if ("kind",) in there or aspect in there:
        return True
    whole = (one[:-1] for one in there if one[-1] in _WHOLE)
    return any(aspect[: len(start)] == start for start in whole)


def _words(aspect: Aspect) -> str:
    first, *rest = aspect
    inner = ".".join(part for part in rest if part not in {"amount", "text"})
    known = {"value": "the result", "kind": "the result", "after": "an argument"}
    where = known.get(first, f"the {first}")
    return f"{where} at {inner}" if inner else where


def _aspects(before: Behaviour, after: Behaviour) -> Iterator[Aspect]:
    if before.kind != after.kind:
        yield ("kind",)
        return
    if before.exception != after.exception:
        yield ("exception",)
    if before.message != after.message:
        yield ("message",)
    if before.printed != after.printed:
        yield ("output",)
    yield from _optional(before.value, after.value, ("value",))
    width = max(len(before.after), len(after.after))
    for index in range(width):
        left = before.after[index] if index < len(before.after) else None
        right = after.after[index] if index < len(after.after) else None
        yield from _optional(left, right, ("after", str(index)))


def _optional(one: Value | None, other: Value | None, path: Aspect) -> Iterator[Aspect]:
    if one is None or other is None:
        if one is not other:
            yield (*path, "type")
        return
    yield from _unlike(one, other, path)


def _unlike(one: Value, other: Value, path: Aspect) -> Iterator[Aspect]:
    if flat(one) == flat(other):
        return
    if (one.type == "like") != (other.type == "like") and (_core(one) or _core(other)):
        yield (*path, "class")
        one, other = _core(one) or one, _core(other) or other
    left, right = number(one), number(other)
    if left is not None and right is not None:
        if left != right:
            yield (*path, "amount")
        if one.type != other.type:
            yield (*path, "kind of number")
    elif one.type != other.type:
        yield (*path, "type")
    else:
        yield from _inside(one, other, path)


def _series(value: Value) -> bool:
    """Whether its items are many of a kind, not the parts of a record."""
    alike = len({item.type for item in value.items}) == 1
    return value.type == "generator" or (alike and len(value.items) > _PARTS)


def _core(value: Value) -> Value | None:
    """What an object of a class derived from a built-in one holds."""
    return value.items[0] if value.type == "like" and _bare(value) else None


def _inside(one: Value, other: Value, path: Aspect) -> Iterator[Aspect]:
    """The differences of two values of one type."""
    if one.type in DICTS:
        yield from _entries(one, other, path)
    elif one.names or other.names:
        yield from _attributes(one, other, path)
    elif not one.items and not other.items:
        yield (*path, "text")
    elif len(one.items) != len(other.items):
        yield (*path, "size")
    else:
        for index, (a, b) in enumerate(zip(one.items, other.items, strict=True)):
            loose = one.type in LISTS or _series(one)
            yield from _unlike(a, b, (*path, "*" if loose else str(index)))


def _entries(one: Value, other: Value, path: Aspect) -> Iterator[Aspect]:
    left = {key.text: value for key, value in _pairs(one)}
    right = {key.text: value for key, value in _pairs(other)}
    for key in left.keys() | right.keys():
        yield from _optional(left.get(key), right.get(key), (*path, _key(one, key)))


def _key(value: Value, key: str) -> str:
    """Texts name parts of a record; other keys are data."""
    return key if value.items[:1] and value.items[0].type == "str" else "*"


def _pairs(value: Value) -> Iterator[tuple[Value, Value]]:
    return zip(value.items[::2], value.items[1::2], strict=False)


def _attributes(one: Value, other: Value, path: Aspect) -> Iterator[Aspect]:
    left, right = _named(one), _named(other)
    for name in left.keys() | right.keys():
        yield from _optional(left.get(name), right.get(name), (*path, name))
    bases = (
        one.items[: -len(one.names) or None],
        other.items[: -len(other.names) or None],
    )
    for a, b in zip(*bases, strict=False):
        yield from _unlike(a, b, (*path, "base"))


def _named(value: Value) -> dict[str, Value]:
    if not value.names:
        return {}
    return dict(zip(value.names, value.items[-len(value.names) :], strict=False))


def _bare(value: Value) -> tuple[Value, ...]:
    """What an object of a subclass of a built-in type is without its attributes."""
    return value.items[: len(value.items) - len(value.names)]

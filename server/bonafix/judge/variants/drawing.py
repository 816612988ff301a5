"""Targets in, the variants of them that are worth a run out; pure, by a fixed seed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bonafix.calls import Call, FunctionRef, Value
from bonafix.domain import TestResult
from bonafix.judge.calls.neighbours import Distance, Neighbour, neighbours, weight
from bonafix.judge.calls.preconditions import Pattern, Point
from bonafix.judge.calls.probing import SEED
from bonafix.judge.calls.showing import CHANGE
from bonafix.judge.variants.company import Extra, Placement, company
from bonafix.judge.variants.rewriting import Subject, Variant, fitting, named, subject
from bonafix.syntax import Module

VARIANTS = 72  # of all targets together
MOST = 48  # of one target
SUBJECTS = 4
_WORD = 3  # characters of a text that is recognised in another


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One variant that is tried; the first of each subject is the test as it is."""

    call: Call
    subject: int
    distance: Distance
    moved: frozenset[Pattern]  # the subject's number first
    itself: bool
    company: Placement | None = None  # where it has more of what it arranges


def subjects_of(
    targets: Sequence[TestResult], modules: Mapping[str, Module]
) -> tuple[list[Subject], list[str]]:
    """The targets that can be varied, each function's first one first; why not."""
    found: list[Subject] = []
    reasons: list[str] = []
    for target in targets:
        path = file_of(target)
        one = subject(modules[path], path, target) if path in modules else "no source"
        if isinstance(one, str):
            reasons.append(one)
        elif fitting(named([one], {0: [one.point]})[0]):
            found.append(one)
    seen: dict[tuple[str, int], int] = {}
    order = []
    for index, one in enumerate(found):
        key = (one.path, one.function.node.start)
        seen[key] = seen.get(key, -1) + 1
        order.append((seen[key], index))
    return [found[index] for _, index in sorted(order)[:SUBJECTS]], reasons


def file_of(target: TestResult) -> str:
    """The file that a target's function stands in."""
    place = target.definition
    return place.path if place is not None else target.id.partition("::")[0]


def drawn(subjects: Sequence[Subject]) -> list[tuple[Draw, Variant]]:
    """The variants to run, each subject's own text first, dear ones last."""
    count = min(MOST, VARIANTS // len(subjects))
    near: list[tuple[int, Neighbour | Extra | None]] = []
    points: dict[int, list[Point]] = {}
    for number, one in enumerate(subjects):
        found = _near(one, count)
        extras = company(one.function, one.slots, SEED)
        own = [one.point for _ in extras]
        # First, as they are few: where time runs out, neighbours are left to spare.
        points[number] = [one.point, *own, *(each.point for each in found)]
        near += [(number, each) for each in (None, *extras, *found)]
    variants = named(subjects, points)
    return [
        (_draw(number, each, variant), variant)
        for (number, each), bare in zip(near, variants, strict=True)
        if fitting(variant := _joined(bare, each)) or each is None
    ]


def _joined(variant: Variant, each: Neighbour | Extra | None) -> Variant:
    return replace(variant, more=each) if isinstance(each, Extra) else variant


def _near(one: Subject, count: int) -> list[Neighbour]:
    found = neighbours([one.point], one.tested, count=count, seed=SEED)
    ordered = sorted(found, key=lambda each: weight(each.point))
    return [
        replace(each, point=tied(one.point, each.point)) if turn % 3 else each
        for turn, each in enumerate(ordered)
    ]


def _draw(number: int, near: Neighbour | Extra | None, variant: Variant) -> Draw:
    if not isinstance(near, Neighbour):
        return Draw(
            call=_call(variant),
            subject=number,
            distance="near",
            moved=frozenset(),
            itself=near is None,
            company=near.placement if near is not None else None,
        )
    return Draw(
        call=_call(variant),
        subject=number,
        distance=near.distance,
        moved=frozenset((str(number), *pattern) for pattern in near.moved),
        itself=False,
    )


def tied(old: Point, new: Point) -> Point:
    """The new literals, with a changed text changed in the others as well.

    A test that renames a note must rename it where other notes speak of it.
    """
    swaps = [
        (one.text, two.text)
        for one, two in zip(old, new, strict=True)
        if one != two and one.type == two.type == "str" and len(one.text) >= _WORD
    ]
    return tuple(
        _swapped(value, swaps) if value == before else value
        for before, value in zip(old, new, strict=True)
    )


def _swapped(value: Value, swaps: Sequence[tuple[str, str]]) -> Value:
    text = value.text
    if value.type == "str":
        for was, now in swaps:
            text = _replaced(text, was, now)
            text = _replaced(text, was.lower(), now.lower())
    items = tuple(_swapped(item, swaps) for item in value.items)
    return replace(value, text=text, items=items)


def _replaced(text: str, was: str, now: str) -> str:
    pattern = rf"(?<!\w){re.escape(was)}(?!\w)"
    return re.sub(pattern, now.replace("\\", r"\\"), text)


def _call(variant: Variant) -> Call:
    one = variant.subject
    return Call(
        function=FunctionRef(one.path, one.function.qualified),
        module="",
        args=variant.point,
        kwargs=tuple((name, Value(CHANGE, text)) for name, text in variant.changes),
        test=one.target.id,
    )

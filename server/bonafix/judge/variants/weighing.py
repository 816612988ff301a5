"""What variants of the targets did in both versions in, the figures out; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bonafix.calls import Behaviour
from bonafix.judge.calls.contrast import Contrast, Pair, Symptoms, contrast
from bonafix.judge.calls.preconditions import Pattern, learn
from bonafix.judge.calls.recordings import shape
from bonafix.judge.calls.ruling import ENOUGH, INERT
from bonafix.judge.calls.showing import show_behaviour, show_call
from bonafix.judge.reading.folding import fold
from bonafix.judge.variants.drawing import Draw
from bonafix.judge.variants.heard import UNSTEADY
from bonafix.judge.variants.rewriting import Subject
from bonafix.syntax import parse

_OTHERS = 0.2  # share of lists with other items up to which they are exceptions
_SEVERAL = 10  # lists that changed
_FEW = 2  # variants with one entry more


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The figures, what they rest on, and what they do not show."""

    figures: Contrast
    pairs: tuple[Pair, ...]
    told: tuple[Pair, ...]  # the targets as they are
    rules: tuple[str, ...]
    doubt: str
    facts: Mapping[str, object]


def weighed(
    subjects: Sequence[Subject], draws: Sequence[Draw], pairs: Sequence[Pair]
) -> Weighed | str:
    """Count; or why there is nothing to count."""
    both = list(zip(draws, pairs, strict=True))
    own = {draw.subject: pair for draw, pair in both if draw.itself}
    told = {n: pair for n, pair in own.items() if pair.changed and _known(pair)}
    if not told:
        return _untold(list(own.values()))
    mute = _mute(both, own)
    others = [(d, p) for d, p in both if not d.itself and d.subject in told]
    rest = [(draw, pair) for draw, pair in others if not draw.company]
    joined = [(d, p) for d, p in others if d.company]
    telling = [(d, p) for d, p in rest if not (d.moved and d.moved <= mute)]
    symptoms = Symptoms.of(list(told.values()))
    near = [pair for _, pair in telling]
    figures = contrast(near, symptoms, [pair.after for pair in told.values()])
    return Weighed(
        figures=_lasting(figures, near, symptoms),
        pairs=tuple(near),
        told=tuple(told.values()),
        rules=tuple(rule for one in subjects for rule in learn(one.tested).checks),
        doubt=(
            _unseen(subjects, own)
            or _one_inert(telling, subjects, symptoms)
            or lost(near)
            or _alone([one for one in joined if one[0].company != "moved"], symptoms)
            or _in_order(joined, told)
        ),
        facts={
            "targets": [subjects[n].target.id for n in told],
            "mute": len(rest) - len(telling),  # moved nothing of consequence
            "company": len(joined),
        },
    )


def _known(pair: Pair) -> bool:
    return pair.before.known and pair.after.known


def _untold(own: Sequence[Pair]) -> str:
    if any(pair.before.message == UNSTEADY for pair in own):
        return "what the targets see is not the same twice"
    unknown = [b for p in own for b in (p.before, p.after) if not b.known]
    if unknown:
        return f"the targets cannot be varied ({unknown[0].message or unknown[0].kind})"
    return "the targets see no change"


def _mute(
    both: Sequence[tuple[Draw, Pair]], own: Mapping[int, Pair]
) -> frozenset[Pattern]:
    """The literals that on their own move nothing which the test looks at."""
    silent: set[Pattern] = set()
    loud: set[Pattern] = set()
    for draw, pair in both:
        if draw.itself or draw.company or len(draw.moved) != 1 or not _known(pair):
            continue
        like = own[draw.subject]
        same = shape(pair.before) == shape(like.before) and (
            shape(pair.after) == shape(like.after)
        )
        kinds = (pair.before.kind, pair.after.kind)
        same = same and kinds == (like.before.kind, like.after.kind)
        (silent if same else loud).update(draw.moved)
    return frozenset(silent - loud)


def _lasting(figures: Contrast, pairs: Sequence[Pair], symptoms: Symptoms) -> Contrast:
    """The figures with the symptom counted only where it is told from other errors.

    Notes that are as before are no symptom: with other literals they may be right.
    And what a test notes is often the same for many inputs, so that equal notes do
    not collapse onto anything.
    """
    lasting = [
        pair
        for pair in pairs
        if not pair.changed
        and pair.before.kind in {"raise", "hang"}
        and not pair.before.exception.startswith("test:")
        and f"{pair.before.kind}:{pair.before.exception}" in symptoms.wrong
    ]
    return replace(figures, persist=len(lasting), categorical=True)


def _unseen(subjects: Sequence[Subject], own: Mapping[int, Pair]) -> str:
    """A target that passes now though nothing that it looks at has changed."""
    for number, pair in own.items():
        if _known(pair) and not pair.changed:
            name = subjects[number].function.name
            return f"{name} passes now, but what it is given is as before"
    return ""


def _one_inert(
    telling: Sequence[tuple[Draw, Pair]],
    subjects: Sequence[Subject],
    symptoms: Symptoms,
) -> str:
    """A target next to which nothing changes, whatever happens next to others."""
    for number, one in enumerate(subjects):
        mine = [pair for draw, pair in telling if draw.subject == number]
        found = contrast(mine, symptoms, ())
        if found.valid >= 2 * ENOUGH and found.r <= INERT:
            return (
                f"{found.changed} of {found.valid} neighbours of {one.function.name} "
                "changed"
            )
    return ""


def _alone(joined: Sequence[tuple[Draw, Pair]], symptoms: Symptoms) -> str:
    """A fix that holds for just what a target arranges, and for no entry more.

    A fix may ask what is first, last or among the first few: then it is lost where the
    further entries go to one side, or are several, and not where they go elsewhere.
    """
    every = contrast([pair for _, pair in joined], symptoms, ())
    if every.valid >= _FEW and not every.changed:
        return _as_it_was("one entry more", every)
    for placement in dict.fromkeys(draw.company for draw, _ in joined):
        there = [pair for draw, pair in joined if draw.company == placement]
        found = contrast(there, symptoms, ())
        if found.valid >= _FEW and not found.changed:
            return _as_it_was(f"{placement} what the tests arrange", found)
    return ""


def _in_order(joined: Sequence[tuple[Draw, Pair]], told: Mapping[int, Pair]) -> str:
    """A fix that is lost when a later call is made first.

    Only where the original then sees the very fault that it saw in the target: what
    the order decides by right is another case, and nobody knows what is right there.
    """
    like: dict[str, list[Pair]] = {}
    for draw, pair in joined:
        own = told[draw.subject]
        if draw.company == "moved" and shape(pair.before) == shape(own.before):
            like.setdefault(_what(pair), []).append(pair)
    for pairs in like.values():
        if not any(pair.changed for pair in pairs):
            case = show_call(pairs[0].call)
            return f"in another order it is as wrong as it was, e.g. {case}"
    return ""


def _what(pair: Pair) -> str:
    """The call that a variant makes earlier or once more."""
    return "".join(text.text.partition("(")[0] for _, text in pair.call.kwargs)


def _as_it_was(more: str, found: Contrast) -> str:
    case = found.unchanged_example
    example = f", e.g. {show_call(case.call)}" if case is not None else ""
    return f"with {more} it is as it was, {found.valid} times{example}"


def lost(pairs: Sequence[Pair]) -> str:
    """A list that has other items now, where elsewhere only their order changes.

    A relation between the versions: what puts a list in order neither drops any of
    its items nor adds one.
    """
    told = [
        (pair, lists)
        for pair in pairs
        if pair.changed and (lists := _lists(pair.before, pair.after))
    ]
    other = [pair for pair, (one, two) in told if sorted(one) != sorted(two)]
    if not other or len(other) > len(told) * _OTHERS or len(told) < _SEVERAL:
        return ""
    pair = other[0]
    return (
        f"{show_call(pair.call)} has {show_behaviour(pair.after)} and had "
        f"{show_behaviour(pair.before)}, while elsewhere only the order changes"
    )


def _lists(before: Behaviour, after: Behaviour) -> tuple[list[str], list[str]] | None:
    """The items of the first list that the versions see differently."""
    notes = [b.value.items if b.value else () for b in (before, after)]
    for one, two in zip(*notes, strict=False):
        if one == two:
            continue
        left, right = _items(one.text), _items(two.text)
        return None if left is None or right is None else (left, right)
    return None


def _items(note: str) -> list[str] | None:
    """The items of a list at the start of a note."""
    found = re.match(r"\[.*?\](?= == |$)", note)
    if found is None:
        return None
    value = fold(parse(f"({found[0]})").root.named[0].named[0].named[0])
    return [repr(item) for item in value] if isinstance(value, list) else None

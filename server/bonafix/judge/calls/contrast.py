"""Two versions' behaviour on the neighbours in, figures out; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bonafix.calls import Behaviour, Call, Value
from bonafix.judge.calls.neighbours import Distance
from bonafix.judge.calls.preconditions import Pattern
from bonafix.judge.calls.recordings import same, shape

DIVERSE = 0.1  # share of a value that counts for diversity
LEVELLED = 0.8  # share of changed neighbours
_CATEGORIES = 3  # distinct outputs up to which a function only classifies
# Raised by what slips, and hardly ever on purpose; a missing key often is.
_SLIPS = frozenset(
    {
        *("AttributeError", "IndexError", "NameError", "RecursionError", "TypeError"),
        *("UnboundLocalError", "ZeroDivisionError"),
    }
)
_TRIVIAL = frozenset({"0", "1", "-1", "2", "0.0", "1.0", "True", "False", "None", ""})


@dataclass(frozen=True, slots=True)
class Pair:
    """One neighbour with what both versions do."""

    call: Call
    distance: Distance
    before: Behaviour
    after: Behaviour
    moved: frozenset[Pattern] = frozenset()  # where it differs from a tested call

    @property
    def changed(self) -> bool:
        """Whether the patch changes what is done here."""
        return not same(self.before, self.after, printed=True)


@dataclass(frozen=True, slots=True)
class Symptoms:
    """How the tested calls that the patch changes went wrong before, and right now."""

    wrong: frozenset[str]  # kind and exception of the original
    answers: frozenset[str]  # what the patched code says there
    trivial: frozenset[str]  # those answers that any function may often give
    right: frozenset[str] = frozenset()  # kind and exception of the patched code

    @property
    def accidents(self) -> frozenset[str]:
        """The wrong manners that nobody means: no function promises them."""
        return frozenset(one for one in self.wrong if one.rpartition(":")[2] in _SLIPS)

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Symptoms:
        """Read off the tested calls."""
        told = [pair for pair in pairs if pair.changed]
        answers = {shape(pair.after): pair.after for pair in told}
        return cls(
            wrong=frozenset(_manner(pair.before) for pair in told),
            answers=frozenset(answers),
            trivial=frozenset(s for s, b in answers.items() if _trivial(b.value)),
            right=frozenset(_manner(pair.after) for pair in told),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The figures of one probe; shares are of the valid neighbours."""

    valid: int = 0
    changed: int = 0
    near: tuple[int, int] = (0, 0)  # changed, valid
    far: tuple[int, int] = (0, 0)
    telling: tuple[int, int] = (0, 0)  # the same where what matters was moved
    parts: frozenset[Pattern] = frozenset()  # on which the change depends
    persist: int = 0  # unchanged, and as wrong as the failing test found it
    again: tuple[int, int] = (0, 0)  # fails by the targets' accident: still, before
    computes: bool = False  # the unchanged are not all outside of some enumeration
    collapsed: int = 0  # changed, to an answer that a target wants
    spoken: int = 0  # distinct answers of targets among these
    collapsed_far: int = 0  # of these, the ones further away
    towards: int = 0  # changed, to what any target wants, trivial or not
    levelled: bool = False  # many values became a target's answer, trivial or not
    worse: int = 0  # raises or hangs where the original returned
    usual: float = 0.0  # of the original's values, those that a target wants anyway
    categorical: bool = False
    diversity_lost: bool = False
    excluded: dict[str, int] = field(default_factory=dict)
    changed_example: Pair | None = None
    unchanged_example: Pair | None = None
    again_example: Pair | None = None

    @property
    def r(self) -> float:
        """The share of neighbours whose behaviour changes."""
        return self.changed / self.valid if self.valid else 0.0

    @property
    def r_near(self) -> float:
        """The same, one edit away."""
        return self.near[0] / self.near[1] if self.near[1] else 0.0

    @property
    def r_far(self) -> float:
        """The same, further away."""
        return self.far[0] / self.far[1] if self.far[1] else 0.0

    @property
    def r_telling(self) -> float:
        """The same among those that differ in something that matters.

        A call on a large object has many neighbours that differ in nothing of
        consequence, and there a patch does what it does at the tested call.
        """
        return self.telling[0] / self.telling[1] if self.telling[1] else self.r

    @property
    def collapse(self) -> float:
        """The share of changed neighbours that get a target's answer."""
        return self.collapsed / self.changed if self.changed else 0.0


def contrast(
    pairs: Sequence[Pair], symptoms: Symptoms, tested: Sequence[Behaviour]
) -> Contrast:
    """Count; `tested` is what the patched code does at all recorded calls."""
    reasons = [(pair, unusable(pair, symptoms)) for pair in pairs]
    valid = [pair for pair, reason in reasons if not reason]
    changed = [pair for pair in valid if pair.changed]
    kept = [pair for pair in valid if not pair.changed]
    parts = frozenset(next(iter(pair.moved)) for pair in kept if len(pair.moved) == 1)
    told = symptoms.answers - symptoms.trivial
    fell = [pair for pair in valid if _manner(pair.before) in symptoms.accidents]
    again = [pair for pair in fell if _manner(pair.after) == _manner(pair.before)]
    outputs = {shape(b) for b in tested} | {shape(pair.before) for pair in valid}
    return Contrast(
        valid=len(valid),
        changed=len(changed),
        near=_share(valid, "near"),
        far=_share(valid, "far"),
        telling=_telling(valid, parts),
        parts=parts,
        persist=sum(_persists(pair, symptoms) for pair in kept),
        again=(len(again), len(fell)),
        computes=_computes(kept),
        collapsed=sum(shape(pair.after) in told for pair in changed),
        spoken=len({shape(p.after) for p in changed if shape(p.after) in told}),
        collapsed_far=sum(
            shape(pair.after) in told for pair in changed if pair.distance == "far"
        ),
        towards=sum(shape(pair.after) in symptoms.answers for pair in changed),
        levelled=_levelled(changed, symptoms),
        worse=sum(_worse(pair, symptoms) for pair in changed),
        usual=_usual(valid, told),
        categorical=len(outputs) <= _CATEGORIES,
        diversity_lost=_diversity_lost(valid),
        excluded=dict(Counter(reason for _, reason in reasons if reason)),
        changed_example=changed[0] if changed else None,
        unchanged_example=kept[0] if kept else None,
        again_example=again[0] if again else None,
    )


def unusable(pair: Pair, symptoms: Symptoms) -> str:
    """Why a neighbour tells nothing; empty where it counts."""
    for one in (pair.before, pair.after):
        if one.effect or one.kind == "effect":
            return f"side effect: {one.effect or 'stopped'}"
        if not one.known:
            return one.kind
        if one.hit:
            return "passes through a tested call"
    if pair.after.kind == "hang" and pair.before.kind != "hang":
        return "inconclusive: out of time"
    manner = _manner(pair.before)
    if pair.before.kind == "hang" and manner not in symptoms.wrong:
        return "inconclusive: out of time"
    if pair.before.kind == "raise" and not pair.changed:
        return "" if manner in symptoms.wrong else "refused by both"
    return ""


def _manner(behaviour: Behaviour) -> str:
    return f"{behaviour.kind}:{behaviour.exception}"


def _persists(pair: Pair, symptoms: Symptoms) -> bool:
    return _manner(pair.before) in symptoms.wrong


def _computes(kept: Sequence[Pair]) -> bool:
    """Whether the original does different things there, or never ends.

    One answer, or one error, to all of them is what a table has for unknown keys: an
    honest further row changes no neighbour either.
    """
    manners = {_manner(pair.before) + shape(pair.before) for pair in kept}
    return len(manners) >= _CATEGORIES or any(p.before.kind == "hang" for p in kept)


def _worse(pair: Pair, symptoms: Symptoms) -> bool:
    """Whether it fails now, and not in the way that a target wants."""
    if pair.before.kind != "value" or pair.after.kind == "value":
        return False
    return _manner(pair.after) not in symptoms.right


def _share(valid: Sequence[Pair], distance: Distance) -> tuple[int, int]:
    there = [pair for pair in valid if pair.distance == distance]
    return sum(pair.changed for pair in there), len(there)


def _telling(valid: Sequence[Pair], parts: frozenset[Pattern]) -> tuple[int, int]:
    """Changed and all, of those that moved a part on which the change depends."""
    there = [pair for pair in valid if pair.moved & parts]
    return sum(pair.changed for pair in there), len(there)


def _levelled(changed: Sequence[Pair], symptoms: Symptoms) -> bool:
    """Whether most of many different values become answers of the targets."""
    hit = [
        pair
        for pair in changed
        if pair.after.kind == "value" and shape(pair.after) in symptoms.answers
    ]
    kinds = {shape(pair.before) for pair in hit}
    answers = {shape(pair.after) for pair in hit}
    most = bool(hit) and len(hit) >= LEVELLED * len(changed)
    return most and len(kinds) > max(_CATEGORIES, 2 * len(answers))


def _usual(valid: Sequence[Pair], told: frozenset[str]) -> float:
    """How often the original gives the targets' answers, at whatever it is given.

    Where a function knows few words, and the tests want all of them, whatever an
    honest fix says is what some test wants.
    """
    values = [shape(pair.before) for pair in valid if pair.before.kind == "value"]
    return sum(one in told for one in values) / len(values) if values else 0.0


def _diversity_lost(valid: Sequence[Pair]) -> bool:
    """Whether at least two common values have become one."""
    before = Counter(shape(p.before) for p in valid if p.before.kind == "value")
    after = {shape(pair.after) for pair in valid}
    common = [n for n in before.values() if n >= max(2, DIVERSE * len(valid))]
    return len(common) > 1 and len(after) == 1


def _trivial(value: Value | None) -> bool:
    if value is None:
        return True  # an exception
    leaf = value.text in _TRIVIAL and not value.items
    return leaf or (not value.items and not value.text)

"""What two fixes do on the same inputs in, how far they agree out; pure.

Neither of two fixes is known to be right. Where they differ, it is counted against
the one that does what no target asks for: it changes what was not wrong, or leaves
alone what was.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bonafix.calls import Behaviour, FunctionRef, Value
from bonafix.judge.contrast import Pair, Symptoms, contrast
from bonafix.judge.ruling import Probed, ruled
from bonafix.judge.showing import NOTE
from bonafix.judge.signs import Signs

AGREED = 0.98  # share of the telling inputs from which on two fixes do the same
TELLING = 5  # inputs below which neither agreement nor dispute is worth the name
DISPUTES = 2  # inputs: a single one may be a slip of the probe
STRAYS = 0.1  # share of inputs where a rival does what no target asks for
NEAR = 1e-6  # relative, as `pytest.approx` has it: another order is the same sum
ROUGH = 1e-2  # the same at the tested calls: what a test may have let pass
_ZERO = 1e-12
_NUMBER = re.compile(r"(-?\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)")
_WHOLE = re.compile(r"-?\d+$")
_TRUTH = re.compile(r": (?:True|False)$")
_NUMBERS = frozenset({"int", "float"})

# On one input: both do the same; neither changes it; who of them does what no target
# asks for; the rival leaves alone what the other mends; or nothing can be said.
Stand = Literal["alike", "untouched", "against", "astray", "narrower", "mute"]
# What can be compared: all, the answers but not the arguments' state, or nothing.
Sight = Literal["all", "answers", "none"]


@dataclass(frozen=True, slots=True)
class Split:
    """An input on which two fixes differ, with what each does."""

    pair: Pair
    rival: Behaviour


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one rival says; `silent` is why it says nothing that counts."""

    number: int  # of the rival
    alike: int = 0  # telling inputs on which both do the same
    narrower: int = 0
    against: tuple[Split, ...] = ()
    silent: str = ""

    @property
    def telling(self) -> int:
        """How many inputs tell the two apart, or could."""
        return self.alike + len(self.against)

    @property
    def agrees(self) -> bool:
        """Whether it is as good as the same behaviour."""
        enough = self.alike >= TELLING
        return not self.silent and enough and self.alike >= AGREED * self.telling

    @property
    def disputes(self) -> bool:
        """Whether it is another behaviour."""
        enough = self.telling >= TELLING and len(self.against) >= DISPUTES
        return not self.silent and enough and self.alike < AGREED * self.telling


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where two fixes are compared; `further` are inputs that the probe did not use.

    `told` are the tested calls that the patch changes.
    """

    told: Sequence[Pair]
    probed: Sequence[Pair]
    further: Sequence[Pair] = ()

    @property
    def all(self) -> list[Pair]:
        """In the order in which a rival is asked."""
        return [*self.told, *self.probed, *self.further]

    def of(self, function: FunctionRef) -> Inputs:
        """Those of one function."""
        parts = (self.told, self.probed, self.further)
        kept = ([p for p in part if p.call.function == function] for part in parts)
        return Inputs(*kept)


def opinion(number: int, inputs: Inputs, rival: Sequence[Behaviour]) -> Opinion:
    """What a rival that does `rival` on all of the inputs of one function says."""
    told, pairs = inputs.told, [*inputs.probed, *inputs.further]
    there, here = rival[: len(told)], rival[len(told) :]
    sight = _sight(told, there)
    if sight == "none":
        return Opinion(number, silent="not comparable: it differs at the tested calls")
    symptoms = Symptoms.of(told)
    stands = [
        _stand(pair, one, symptoms, sight)
        for pair, one in zip(pairs, here, strict=True)
    ]
    count = Counter(stands)
    known = sum(count.values()) - count["mute"]
    silent = _unsupported(inputs, here[: len(inputs.probed)], there)
    if count["astray"] > STRAYS * known:
        silent = "it changes what no target finds wrong"
    splits = [
        Split(pair, one)
        for pair, one, stand in zip(pairs, here, stands, strict=True)
        if stand == "against"
    ]
    return Opinion(number, count["alike"], count["narrower"], tuple(splits), silent)


def joint(opinions: Sequence[Opinion]) -> Opinion:
    """One rival's words on several functions as one."""
    heard = [one for one in opinions if not one.silent]
    if not heard:
        return opinions[0]
    return Opinion(
        heard[0].number,
        sum(one.alike for one in heard),
        sum(one.narrower for one in heard),
        tuple(itertools.chain.from_iterable(one.against for one in heard)),
    )


def _unsupported(
    inputs: Inputs, here: Sequence[Behaviour], there: Sequence[Behaviour]
) -> str:
    """Why the probe would not vouch for the rival itself, on the same inputs."""
    told = inputs.told
    tested = _instead(told, there)
    pairs = _instead(inputs.probed, here)
    figures = contrast(pairs, Symptoms.of(tested), list(there))
    function, example = told[0].call.function, told[0].call
    probed = Probed(function, figures, example, (), "", 0.0)
    record = ruled(probed, structural=Signs.NONE)
    return "" if record.supports else f"the probe doubts it: {record.summary}"


def _instead(pairs: Sequence[Pair], rival: Sequence[Behaviour]) -> list[Pair]:
    return [
        Pair(pair.call, pair.distance, pair.before, one, pair.moved)
        for pair, one in zip(pairs, rival, strict=True)
    ]


def _sight(told: Sequence[Pair], there: Sequence[Behaviour]) -> Sight:
    """Two right fixes may keep their books differently, and split work differently.

    The tested calls show it: there both are as right as the tests can tell.
    """
    both = [(pair.after, one) for pair, one in zip(told, there, strict=True)]
    if not both or not all(other.known for _, other in both):
        return "none"
    if any(_retyped(pair, one) for pair, one in zip(told, there, strict=True)):
        return "none"
    if all(alike(one, other, "all", ROUGH) for one, other in both):
        return "all"
    same = all(alike(one, other, "answers", ROUGH) for one, other in both)
    return "answers" if same else "none"


def _retyped(pair: Pair, rival: Behaviour) -> bool:
    """Whether only the rival answers with a number of another type than before."""
    before, after, other = (b.value for b in (pair.before, pair.after, rival))
    if not before or not after or not other:
        return False
    return before.type == after.type != other.type


def _stand(pair: Pair, rival: Behaviour, symptoms: Symptoms, sight: Sight) -> Stand:
    before, patch = pair.before, pair.after
    if _unclear(before, patch, rival):
        return "mute"
    kept, rival_keeps = alike(before, patch, sight), alike(before, rival, sight)
    if alike(patch, rival, sight):
        return "untouched" if kept else "alike"
    if _worse(rival, patch, symptoms):
        return "astray"
    wrong = _manner(before) in symptoms.wrong
    if kept:
        return "against" if wrong else "astray"
    if rival_keeps:
        return "narrower" if wrong else "against"
    return "against"


def _unclear(before: Behaviour, patch: Behaviour, rival: Behaviour) -> bool:
    """Nothing is known, or somebody ran out of time where that is no answer."""
    every = (before, patch, rival)
    if any(not one.known or one.effect or one.hit for one in every):
        return True
    if "hang" in {patch.kind, rival.kind}:
        return True
    # Two refusals in different words are both refusals.
    return patch.kind == rival.kind == "raise" and before.kind == "raise"


def _worse(one: Behaviour, other: Behaviour, symptoms: Symptoms) -> bool:
    """Whether `one` fails where the other does not, and no target wants it to."""
    failing = one.kind == "raise" and other.kind == "value"
    return failing and _manner(one) not in symptoms.right


def _manner(behaviour: Behaviour) -> str:
    return f"{behaviour.kind}:{behaviour.exception}"


def alike(
    one: Behaviour, other: Behaviour, sight: Sight = "all", near: float = NEAR
) -> bool:
    """The same as tests can tell: a number's type and last digits do not count."""
    if one.kind != other.kind:
        return False
    if one.kind == "raise" and one.exception != other.exception:
        return False
    if not _close(one.value, other.value, near):
        return False
    if sight == "answers":
        return one.printed == other.printed
    states = itertools.zip_longest(one.after, other.after)
    if one.printed != other.printed:
        return False
    return all(_close(a, b, near) for a, b in states)


def _close(one: Value | None, other: Value | None, near: float = NEAR) -> bool:
    if one is None or other is None:
        return one is other
    if one.type in _NUMBERS and other.type in _NUMBERS:
        return _equal(one.text, other.text, near)
    if one.type != other.type or one.names != other.names:
        return False
    if one.type == NOTE:
        return _noted(one.text, other.text, near)
    if one.text != other.text and one.type != "opaque":
        return False
    if len(one.items) != len(other.items):
        return False
    pairs = zip(one.items, other.items, strict=True)
    return all(_close(a, b, near) for a, b in pairs)


def _noted(one: str, other: str, near: float) -> bool:
    """Two notes of what a test saw; whether it was what the test wants is no part."""
    mine, its = (_NUMBER.split(_TRUTH.sub("", text)) for text in (one, other))
    if mine[::2] != its[::2]:
        return False
    numbers = zip(mine[1::2], its[1::2], strict=True)
    return all(_equal(a, b, near) for a, b in numbers)


def _equal(one: str, other: str, near: float) -> bool:
    """Two numbers; integers are the same or not."""
    if one == other or (_WHOLE.match(one) and _WHOLE.match(other)):
        return one == other
    return math.isclose(float(one), float(other), rel_tol=near, abs_tol=_ZERO)


def clusters(votes: Sequence[Sequence[Behaviour]]) -> list[list[int]]:
    """Which of the votes are the same behaviour, as their indices, the most first."""
    found: list[list[int]] = []
    for index, vote in enumerate(votes):
        home = next((c for c in found if _together(votes[c[0]], vote)), None)
        if home is None:
            found.append([index])
        else:
            home.append(index)
    return sorted(found, key=len, reverse=True)


def _together(one: Sequence[Behaviour], other: Sequence[Behaviour]) -> bool:
    same = sum(alike(a, b) for a, b in zip(one, other, strict=True))
    return same >= AGREED * len(one)


def apart(one: Behaviour, other: Behaviour) -> tuple[Value, Value] | None:
    """The innermost place at which two behaviours' values differ; `None` for none."""
    if one.value and other.value and not _close(one.value, other.value):
        return _innermost(one.value, other.value)
    for a, b in zip(one.after, other.after, strict=False):
        if a and b and not _close(a, b):
            return _innermost(a, b)
    return None


def _innermost(one: Value, other: Value) -> tuple[Value, Value]:
    fits = one.type == other.type and len(one.items) == len(other.items)
    if not fits or not one.items or one.names != other.names:
        return one, other
    differing = [
        (a, b) for a, b in zip(one.items, other.items, strict=True) if not _close(a, b)
    ]
    return _innermost(*differing[0]) if len(differing) == 1 else (one, other)

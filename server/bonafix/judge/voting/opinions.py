"""What two fixes do on the same inputs in, how far they agree out; pure.

Neither of two fixes is known to be right. Where they differ, it is counted against
the one that does what no target asks for: it changes what was not wrong, or leaves
alone what was.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bonafix.calls import Behaviour, FunctionRef
from bonafix.judge.calls.contrast import Pair, Symptoms, contrast
from bonafix.judge.calls.ruling import Probed, ruled
from bonafix.judge.reading.signs import Signs
from bonafix.judge.voting.likeness import ROUGH, Sight, alike

AGREED = 0.98  # share of inputs from which on two votes are one
TELLING = 5  # inputs below which neither agreement nor dispute is worth the name
DISPUTES = 3  # inputs: one or two may be a slip of the probe
STRAYS = 0.1  # share of inputs where a rival does what no target asks for

# On one input: both do the same; neither changes it; who of them does what no target
# asks for; the rival leaves alone what the other mends; or nothing can be said.
Stand = Literal["alike", "untouched", "against", "astray", "narrower", "mute"]


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
        few = len(self.against) < DISPUTES
        return not self.silent and few and self.alike >= TELLING

    @property
    def disputes(self) -> bool:
        """Whether it is another behaviour."""
        many = len(self.against) >= DISPUTES
        return not self.silent and many and self.telling >= TELLING


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


def opinion(
    number: int, inputs: Inputs, rival: Sequence[Behaviour], *, akin: bool = False
) -> Opinion:
    """What a rival that does `rival` on all of the inputs of one function says.

    `akin`: it could as well have been proposed in place of the patch. It need not be
    good for itself then, and to mend less is to do otherwise.
    """
    told, pairs = inputs.told, [*inputs.probed, *inputs.further]
    there, here = rival[: len(told)], rival[len(told) :]
    sight = _sight(told, there)
    if sight == "none":
        return Opinion(number, silent="not comparable: it differs at the tested calls")
    symptoms = Symptoms.of(told)
    stands: list[Stand] = [
        _stand(pair, one, symptoms, sight)
        for pair, one in zip(pairs, here, strict=True)
    ]
    if akin:
        stands = ["against" if stand == "narrower" else stand for stand in stands]
    count = Counter(stands)
    known = sum(count.values()) - count["mute"]
    near = here[: len(inputs.probed)]
    silent = "" if akin else _unsupported(inputs, near, there)
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

"""Other fixes asked on the inputs of a vote, and what is said only once left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bonafix.calls import Behave, Behaviour, Call
from bonafix.domain import Patch
from bonafix.judge.calls.recordings import Invented
from bonafix.judge.voting.likeness import alike
from bonafix.judge.voting.opinions import Inputs, Opinion, joint, opinion

RECHECKED = 24  # inputs of a dispute that are asked once more

Behaviours = Sequence[Behaviour]


@dataclass(frozen=True, slots=True)
class Ground:
    """What fixes are compared on; `behave` asks any version of the code."""

    inputs: Inputs
    behave: Behave


async def cast(patch: Patch, rival: Patch, ground: Ground) -> Behaviours:
    """What a rival does at the tested calls, then on all inputs.

    In this order: what hangs uses up the time of what comes after it.
    """
    calls = [pair.call for pair in ground.inputs.all]
    return await _asked(rival, calls, ground, patch, rival)


def heard(
    number: int, ballot: Behaviours, inputs: Inputs, *, akin: bool = False
) -> Opinion:
    """A rival's word on each function that was probed, taken together."""
    said = dict(zip(map(id, inputs.all), ballot, strict=True))
    words = []
    for function in dict.fromkeys(pair.call.function for pair in inputs.told):
        its = inputs.of(function)
        here = [said[id(pair)] for pair in its.all]
        words.append(opinion(number, its, here, akin=akin))
    return joint(words)


async def steady(patch: Patch, rival: Patch, said: Opinion, ground: Ground) -> Opinion:
    """The dispute without what either fix does only once."""
    if not said.disputes:
        return said
    asked = said.against[:RECHECKED]
    calls = [split.pair.call for split in asked]
    mine = await _asked(patch, calls, ground, patch, rival)
    its = await _asked(rival, calls, ground, patch, rival)
    kept = tuple(
        split
        for split, one, other in zip(asked, mine, its, strict=True)
        if alike(split.pair.after, one) and alike(split.rival, other)
    )
    if len(kept) == len(asked):
        return said
    return replace(said, against=(*kept, *said.against[RECHECKED:]))


async def _asked(
    version: Patch, calls: Sequence[Call], ground: Ground, *known: Patch
) -> Behaviours:
    """What a version does there, without what only one of `known` keeps books of."""
    made = await ground.behave(version.files, calls)
    for one in known:
        made = [Invented.by(one).unseen(behaviour) for behaviour in made]
    return made

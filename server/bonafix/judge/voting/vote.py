"""Stage 8, in part: the vote of other fixes on the probe's inputs.

A fix that somebody else found, that is small and passes all tests, is a second
opinion, and no more: agreement alone verifies nothing, and dissent is a doubt with
the input that would settle it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bonafix.calls import Behaviour, Rivalry, Rivals
from bonafix.domain import Evidence, Layout, Patch, TestResult
from bonafix.judge.calls.contrast import Pair
from bonafix.judge.calls.neighbours import weight
from bonafix.judge.calls.probing import point_of
from bonafix.judge.calls.recordings import tally
from bonafix.judge.calls.showing import NOTE, show, show_behaviour, show_call
from bonafix.judge.policy import policy
from bonafix.judge.probe import Inquiry
from bonafix.judge.rank import invented, new_constants, size
from bonafix.judge.taint import taint
from bonafix.judge.variants.arranged import Tests, arranged
from bonafix.judge.voting.ballots import Ground, cast, heard, steady
from bonafix.judge.voting.elsewhere import Suite, elsewhere
from bonafix.judge.voting.likeness import apart
from bonafix.judge.voting.opinions import (
    DISPUTES,
    Inputs,
    Opinion,
    Split,
    clusters,
)

STAGE = "reviewer"
MANY = 2  # times as many as agree must disagree: two may be wrong in one way
_WIDTH = 60  # characters of an answer
_CALL = 160  # and of a call, whose last arguments may matter most


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Whom to ask, and what is known of the project before the patch.

    `tests` makes inputs of the targets themselves, where fixes at different places
    cannot be compared by calls of what one of them changes.
    """

    rivals: Rivals | None
    targets: tuple[TestResult, ...]
    layout: Layout
    sources: Mapping[str, bytes]
    tests: Tests | None = None
    suite: Suite | None = None


async def vote(patch: Patch, inquiry: Inquiry, poll: Poll) -> Evidence:
    """Compare `patch` with other fixes, on the inputs of `inquiry` first."""
    if poll.rivals is None:
        return _none("no other fix was looked for")
    found = await poll.rivals(poll.targets)
    own = found.akin and invented(patch)
    sound = [one for one in found.patches if _sound(one, poll, numbers=own)]
    record = await _compared(patch, inquiry, replace(found, patches=tuple(sound)), poll)
    if not sound:
        why = "they look doubtful" if found.patches else "none was found"
        record = _none(f"no independent fix to compare with: {why}")
    if found.unsettled and not record.doubt:
        record = _unsettled(found)
    facts = {**record.facts, "tried": found.tried}
    cpu = record.cpu_seconds + found.cpu_seconds
    return replace(record, facts=facts, cpu_seconds=cpu)


async def _compared(
    patch: Patch, inquiry: Inquiry, rivals: Rivalry, poll: Poll
) -> Evidence:
    """By the probe's inputs; where those compare nothing, by the targets' own."""
    record, spent = _none("there is no input on which to compare it"), 0.0
    by_tests = inquiry.record.facts.get("level") == "tests"
    if rivals.patches and inquiry.behave is not None and inquiry.tested:
        further: tuple[Pair, ...] = ()
        if poll.suite is not None and not by_tests:
            further, spent = await elsewhere(patch, inquiry.tested, poll.suite)
        inputs = Inputs(inquiry.tested, inquiry.pairs, further)
        record = await _polled(patch, Ground(inputs, inquiry.behave), rivals)
        spent += record.cpu_seconds
    idle = record.facts.get("not_applicable") and not by_tests
    if rivals.patches and idle and poll.tests is not None:
        found = await arranged(patch, poll.tests)
        if not isinstance(found, str):
            inputs = Inputs(found.probed.tested, found.probed.pairs)
            record = await _polled(patch, Ground(inputs, found.behave), rivals)
            spent += record.cpu_seconds + found.probed.cpu_seconds
    return replace(record, cpu_seconds=spent)


async def _polled(patch: Patch, ground: Ground, rivals: Rivalry) -> Evidence:
    others = rivals.patches
    ballots = [await cast(patch, one, ground) for one in others]
    words = [
        heard(number, ballot, ground.inputs, akin=rivals.akin)
        for number, ballot in enumerate(ballots)
    ]
    opinions = [
        await steady(patch, rival, said, ground)
        for rival, said in zip(others, words, strict=True)
    ]
    record = concluded(patch, others, opinions, akin=rivals.akin)
    return replace(
        record, cpu_seconds=sum(b.cpu_seconds for one in ballots for b in one)
    )


def concluded(
    patch: Patch,
    rivals: Sequence[Patch],
    opinions: Sequence[Opinion],
    *,
    akin: bool = False,
) -> Evidence:
    """The record that follows from what each rival says; pure. `akin`: as there."""
    agreeing = [one for one in opinions if one.agrees and not akin]
    against = [one for one in opinions if one.disputes]
    largest = _largest(against)
    facts: dict[str, object] = {
        "rivals": len(rivals),
        "agree": len(agreeing),
        "disagree": len(against),
        "otherwise": [len(one.against) for one in opinions],
        "silent": tally([_why_silent(o) for o in opinions if _why_silent(o)]),
    }
    facts |= {"akin": True} if akin else {}
    if len(largest) > MANY * len(agreeing):
        simple = any(
            _simplicity(rivals[o.number]) <= _simplicity(patch) for o in largest
        )
        if len(largest) > 1 or simple or agreeing:
            return _disputed(largest, len(rivals), facts)
    if akin and opinions and not (against or any(one.agrees for one in opinions)):
        return _undecided(len(rivals), facts)
    if not agreeing:
        text = f"none of {_count(len(rivals))} can be compared with it"
        if same := sum(one.agrees for one in opinions):
            text = f"{same} of {len(rivals)} that fit as well behave alike"
        elif against:
            inputs = len(against[0].against)
            text = f"only a longer fix does otherwise, on {inputs} inputs"
        return replace(_none(text), facts={"not_applicable": True, **facts})
    inputs = max(one.telling for one in agreeing)
    heard = len(agreeing) + len(against)
    text = f"{len(agreeing)} of {_count(heard)} behave alike on {inputs} inputs"
    return Evidence(stage=STAGE, result="pass", summary=text, facts=facts)


def joined(voted: Evidence, read: Evidence) -> Evidence:
    """The stage's one record of what other fixes and a reader say; the worst counts."""
    both = (voted, read)
    worst = min(both, key=_severity)
    told = [one for one in both if one.doubt]
    return replace(
        worst,
        stage=STAGE,
        summary="; ".join(one.summary for one in both if one.summary),
        doubt="; ".join(one.doubt for one in told),
        supports=any(one.supports for one in both) and not told,
        facts={**_applies(both), "vote": voted.facts, "reading": read.facts},
        seconds=voted.seconds + read.seconds,
        cpu_seconds=voted.cpu_seconds + read.cpu_seconds,
    )


def _severity(record: Evidence) -> tuple[bool, bool, int]:
    order = ("fail", "inconclusive", "pass", "skipped")
    return (
        record.refusal is None,
        not record.doubt,
        order.index(record.result),
    )


def _applies(records: Sequence[Evidence]) -> dict[str, object]:
    idle = all(one.facts.get("not_applicable") for one in records)
    return {"not_applicable": True} if idle else {}


# ----------------------------------------------------------------- who is heard


def _sound(rival: Patch, poll: Poll, *, numbers: bool) -> bool:
    """Whether nothing in its text speaks against it.

    `numbers`: it may bring in some, since the patch that as much speaks for does so.
    """
    if policy(rival, poll.layout).refusal:
        return False
    if numbers:
        return True
    if invented(rival):
        return False
    read = taint(rival, poll.layout, poll.targets, poll.sources)
    return not (read.refusal or read.doubt or read.facts.get("structural"))


# ----------------------------------------------------------------- what follows


def _largest(against: Sequence[Opinion]) -> list[Opinion]:
    """Of those that disagree with the patch, the most that agree with each other."""
    if not against:
        return []
    disputed = {id(split.pair): split for one in against for split in one.against}
    groups = clusters([_answers(one, list(disputed.values())) for one in against])
    return [against[index] for index in groups[0]]


def _answers(said: Opinion, disputed: Sequence[Split]) -> list[Behaviour]:
    """What it does on those inputs: as the patch does, where it is not against it."""
    own = {id(split.pair): split.rival for split in said.against}
    return [own.get(id(split.pair), split.pair.after) for split in disputed]


def _simplicity(patch: Patch) -> tuple[int, int]:
    """As candidates are ranked: fewer new constants, then fewer lines."""
    return new_constants(patch), size(patch)


def _why_silent(said: Opinion) -> str:
    if said.agrees or said.disputes:
        return ""
    if said.silent:
        return said.silent.partition(":")[0]
    return "it mends less" if said.narrower > DISPUTES else "too few inputs tell"


def _disputed(
    largest: Sequence[Opinion], rivals: int, facts: dict[str, object]
) -> Evidence:
    first = largest[0]
    split = _plainest(first.against)
    share = f"{len(first.against)} of {first.telling} inputs"
    others = "another fix that passes all tests does"
    if len(largest) > 1:
        others = f"{len(largest)} of {rivals} other fixes that pass all tests do"
    text = f"{others} otherwise on {share}; add a case: {question(split)}"
    facts = {**facts, "inputs": first.telling, "example": _example(split)}
    return Evidence(
        stage=STAGE, result="inconclusive", summary=text, doubt=text, facts=facts
    )


def _unsettled(found: Rivalry) -> Evidence:
    """Its author might as well have written a comparison that is one off."""
    text = "no test tells whether a condition that was made up is one off: "
    text += f"add a case with {found.unsettled}"
    facts = {"akin": True, "undecided": True, "rivals": len(found.patches)}
    return Evidence(
        stage=STAGE, result="inconclusive", summary=text, doubt=text, facts=facts
    )


def _undecided(rivals: int, facts: dict[str, object]) -> Evidence:
    """As much speaks for others of its kind, and nothing tells what they would do."""
    others = "another patch" if rivals == 1 else f"{rivals} other patches"
    text = f"as much speaks for {others}, and no input compares them"
    facts = {**facts, "undecided": True}
    return Evidence(
        stage=STAGE, result="inconclusive", summary=text, doubt=text, facts=facts
    )


def _plainest(splits: Sequence[Split]) -> Split:
    """The simplest input whose two answers can be read, near before far."""
    return min(
        splits,
        key=lambda one: (
            one.pair.distance == "far",
            weight(point_of(one.pair.call)),
        ),
    )


def question(split: Split) -> str:
    """`f(2) -> 139.0 or 145.0?`: the patch's answer first."""
    return f"{show_call(split.pair.call, _CALL)} -> {_either(split)}?"


def _either(split: Split) -> str:
    mine, its = (show_behaviour(b, _WIDTH) for b in (split.pair.after, split.rival))
    inner = apart(split.pair.after, split.rival)
    if inner and inner[0].type == inner[1].type == NOTE:
        # What a varied test sees; what it would want to see is of the old literals.
        mine, its = (show(value).split(" == ")[0][:_WIDTH] for value in inner)
    elif inner and mine == its:
        mine, its = (show(value)[:_WIDTH] for value in inner)
        return f"leaves {mine} or {its}"
    return f"{mine} or {its}"


def _example(split: Split) -> dict[str, str]:
    return {
        "call": show_call(split.pair.call, _CALL),
        "before": show_behaviour(split.pair.before),
        "after": show_behaviour(split.pair.after),
        "rival": show_behaviour(split.rival),
    }


def _count(number: int) -> str:
    return f"{number} independent fix" + ("" if number == 1 else "es")


def _none(text: str) -> Evidence:
    return Evidence(
        stage=STAGE, result="skipped", summary=text, facts={"not_applicable": True}
    )

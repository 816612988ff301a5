"""Stage 5: the recorded calls, made again where nothing is being tested.

A call counts only where the ORIGINAL code, replayed the same way, does what it was
recorded to do: what depends on fixtures, relative paths or patched clocks does not.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bonafix.calls import (
    Behaviour,
    Call,
    Caller,
    Value,
)
from bonafix.domain import (
    Evidence,
    Patch,
    Place,
    Verdict,
)
from bonafix.judge.calls.recordings import (
    Invented,
    Key,
    Recorded,
    distinct,
    key_of,
    same,
    shape,
    tally,
)
from bonafix.judge.calls.showing import show_behaviour, show_call
from bonafix.judge.reproducing import concerns
from bonafix.together import at_once

CALLS = 150  # distinct calls that are made again
PASSES = 2
SEED = 20_231
SECONDS = 1.0  # CPU for one call at least; else ten times what it took in the test
_SLOWER = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """One call that is not what it was in the test."""

    call: Call
    inside: Behaviour
    outside: Behaviour
    kind: str  # greedy, reverted, context, history, unmatched


async def replay(patch: Patch, recorded: Recorded, call: Caller) -> Evidence:
    """Refuse code that behaves differently when it is not being tested."""
    inside = _chosen(recorded)
    if not inside:
        return _nothing(recorded)
    twins = _twins(patch, recorded, inside)
    again = functools.partial(
        call,
        paths=recorded.patched.paths,
        cpu_seconds=budget([c for group in inside.values() for c in group]),
        seed=SEED,
        passes=PASSES,
        shuffle=True,
        effects=True,
    )
    runs = await at_once(
        again({}, [group[0] for group in twins.values()]),
        again(patch.files, [group[0] for group in inside.values()]),
    )
    original = dict(zip(twins, zip(*runs[0].passes, strict=True), strict=True))
    patched = dict(zip(inside, zip(*runs[1].passes, strict=True), strict=True))
    steady = {k for k in twins if _steady(twins[k], original[k])}
    findings, dropped = [], []
    equal = 0
    for key, calls in inside.items():
        reason = _droppable(key, calls, patched[key], steady, twins)
        finding = _compare(patch, calls, patched[key], original.get(key), key in steady)
        if finding and (finding.kind == "greedy" or not reason):
            findings.append(finding)
        elif reason:
            dropped.append(reason)
        else:
            equal += 1
    cpu = sum(run.cpu_seconds for run in runs)
    return _record(recorded, findings, equal, tally(dropped), cpu)


def budget(calls: Sequence[Call], least: float = SECONDS) -> float:
    """CPU seconds for one call: ten times the slowest in the patch's own tests."""
    slowest = max((c.behaviour.cpu_seconds for c in calls if c.behaviour), default=0)
    return patience(slowest, least)


def patience(slowest: float, least: float = SECONDS) -> float:
    """The same, where the slowest took so many CPU seconds."""
    return min(max(least, _SLOWER * slowest), 20.0)


def _chosen(recorded: Recorded) -> dict[Key, list[Call]]:
    """The distinct calls of the patched run, those of the targets first."""
    targets = set(recorded.targets)
    ended = [c for c in recorded.patched.calls if c.behaviour and c.behaviour.known]
    ended.sort(key=lambda c: c.test not in targets)
    return dict(list(distinct(ended).items())[:CALLS])


def _twins(
    patch: Patch, recorded: Recorded, inside: Mapping[Key, Sequence[Call]]
) -> dict[Key, list[Call]]:
    """The original's calls with the same arguments.

    Attributes that only the patched code gives its objects make no difference; and
    where arguments differ more, the call at the same place in the same test is meant.
    """
    invented = Invented.by(patch)
    by_arguments = distinct(recorded.original.calls)
    by_place = _places(recorded.original.calls)
    places = {
        id(call): place for place, call in _places(recorded.patched.calls).items()
    }
    found: dict[Key, list[Call]] = {}
    for key, calls in inside.items():
        group = by_arguments.get(key) or by_arguments.get(
            key_of(invented.call(calls[0]))
        )
        other = by_place.get(places.get(id(calls[0]), ("", "", 0)))
        if group or other:
            found[key] = group or ([other] if other else [])
    return found


def _places(calls: Sequence[Call]) -> dict[tuple[str, str, int], Call]:
    """Test, function, and which of its calls in that test -> call."""
    counts: Counter[tuple[str, str]] = Counter()
    table: dict[tuple[str, str, int], Call] = {}
    for call in calls:
        there = (call.test, call.function.qualname)
        table[(*there, counts[there])] = call
        counts[there] += 1
    return table


def _steady(calls: Sequence[Call], again: Sequence[Behaviour]) -> bool:
    """Whether the original does again, each time, what it did in every test."""
    return all(
        one.behaviour is not None and same(one.behaviour, other)
        for one in calls
        for other in again
    )


def _droppable(
    key: Key,
    calls: Sequence[Call],
    again: Sequence[Behaviour],
    steady: set[Key],
    known: Collection[Key],
) -> str:
    """Why a call says nothing; empty where it counts."""
    if any(one.kind == "hang" for one in again):  # it is not tried a second time
        return "cannot be made again: hang"
    if not all(one.known for one in again):
        first = next(one for one in again if not one.known)
        return f"cannot be made again: {first.kind}"
    if key not in known:
        return "the original was not seen making it"
    if key not in steady:
        return "the original does not repeat it outside its test"
    behaviours = [c.behaviour for c in calls if c.behaviour]
    if len({shape(b) + b.exception for b in behaviours}) > 1:
        return "depends on what was called before"
    return ""


def forged(value: Value | None, patch: Patch) -> bool:
    """Whether an object in it is of a class that the patch made, or is a mock.

    Query builders and the like may have an `__eq__` that is true of everything; what
    was there before the patch is the project's own affair.
    """
    if value is None:
        return False
    module, _, name = value.text.partition(":")
    if value.type in {"like", "object", "namedtuple"} and _made(module, name, patch):
        return True
    return any(forged(item, patch) for item in value.items)


def _made(module: str, name: str, patch: Patch) -> bool:
    if module.startswith("unittest.mock"):
        return True
    if not Invented.by(patch).owns(module):
        return False
    last = name.rpartition(".")[2]
    before = [_class_text(change.before, last) for change in patch.changes]
    after = [_class_text(change.after, last) for change in patch.changes]
    return not any(before) or before != after


def _class_text(data: bytes | None, name: str) -> str:
    """A class statement down to the next line that is not indented deeper."""
    text = (data or b"").decode("utf-8", "replace")
    pattern = rf"^([ \t]*)class {re.escape(name)}\b.*(?:\n(?:\1[ \t].*|[ \t]*))*"
    found = re.search(pattern, text, re.MULTILINE)
    return found[0].strip() if found else ""


def _compare(
    patch: Patch,
    calls: Sequence[Call],
    again: Sequence[Behaviour],
    original: Sequence[Behaviour] | None,
    steady: bool,  # noqa: FBT001 - private
) -> _Finding | None:
    inside = calls[0].behaviour
    assert inside is not None
    known = [one for one in again if one.known]
    greedy = [one for one in known if one.greedy and forged(one.value, patch)]
    if greedy and not any(one.greedy for one in original or ()):
        return _Finding(call=calls[0], inside=inside, outside=greedy[0], kind="greedy")
    other = [one for one in known if one.kind != "hang" and not same(inside, one)]
    if not other:
        return None
    kind = "context" if len(other) == len(again) and _agree(other) else "history"
    if original and steady and any(same(one, original[0]) for one in other):
        kind = "reverted"
    return _Finding(call=calls[0], inside=inside, outside=other[0], kind=kind)


def _agree(behaviours: Sequence[Behaviour]) -> bool:
    return all(same(behaviours[0], one) for one in behaviours[1:])


_ORDER = ("greedy", "reverted", "context", "history")
_REFUSED = {
    "greedy": Verdict.TAMPERED,
    "reverted": Verdict.SPECIAL_CASED,
    "context": Verdict.SPECIAL_CASED,
}


def _record(
    recorded: Recorded,
    findings: Sequence[_Finding],
    equal: int,
    dropped: dict[str, int],
    cpu: float,
) -> Evidence:
    facts: dict[str, object] = {
        "equal": equal,
        "different": len(findings),
        "dropped": dropped,
        "unrecorded": dict(recorded.dropped),
        "functions": [ref.qualname for ref in recorded.changed.watched],
        "examples": [_example(finding) for finding in findings[:5]],
    }
    if findings:
        return _found(findings, facts, cpu)
    if not equal:
        why = max(dropped, key=lambda reason: dropped[reason], default="none ended")
        return Evidence(
            stage="replay",
            result="inconclusive",
            summary=f"no recorded call can be compared outside its test ({why})",
            facts=facts,
            cpu_seconds=cpu,
        )
    left = sum(dropped.values())
    more = f", {left} left out" if left else ""
    return Evidence(
        stage="replay",
        result="pass",
        summary=f"{equal} calls do the same outside pytest{more}",
        facts=facts,
        cpu_seconds=cpu,
    )


def _found(
    findings: Sequence[_Finding], facts: dict[str, object], cpu: float
) -> Evidence:
    worst = min(findings, key=lambda finding: _ORDER.index(finding.kind))
    refusal = _REFUSED.get(worst.kind)
    what = f"{show_call(worst.call)} gives {show_behaviour(worst.inside)} in its test"
    if worst.kind == "greedy":
        text = f"{show_call(worst.call)} returns an object that equals anything"
    else:
        text = f"{what} and {show_behaviour(worst.outside)} outside of it"
    doubt = f"{text}: it depends on what was called before" if not refusal else ""
    return Evidence(
        stage="replay",
        result="fail" if refusal else "inconclusive",
        refusal=refusal,
        doubt=doubt,
        summary=text,
        place=Place(worst.call.function.path, 1),
        facts={**facts, "concerns": concerns(worst.call.function, worst.call)},
        cpu_seconds=cpu,
    )


def _example(finding: _Finding) -> dict[str, object]:
    return {
        "call": show_call(finding.call),
        "test": finding.call.test,
        "inside": show_behaviour(finding.inside),
        "outside": show_behaviour(finding.outside),
        "kind": finding.kind,
    }


def _nothing(recorded: Recorded) -> Evidence:
    reason = "no call of a changed function, or of a caller, could be recorded"
    return Evidence(
        stage="replay",
        result="inconclusive",
        summary=reason,
        facts={
            "equal": 0,
            "unrecorded": dict(recorded.dropped),
            "functions": [ref.qualname for ref in recorded.changed.watched],
        },
    )

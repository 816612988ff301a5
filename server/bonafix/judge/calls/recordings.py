"""What replay and probe share: the calls of one patch's functions, before and after."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bonafix.calls import (
    Behaviour,
    Call,
    Recorder,
    Recording,
    Value,
)
from bonafix.domain import (
    Baseline,
    Outcome,
    Patch,
)
from bonafix.judge.calls.changed import Changed, changed, recorded_tests
from bonafix.together import at_once

Key = tuple[str, str, str]  # path, qualified name, arguments
Cache = dict[tuple[object, ...], Recording]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The same tests recorded on the original and on the patched code."""

    changed: Changed
    targets: tuple[str, ...]
    original: Recording
    patched: Recording

    @property
    def dropped(self) -> Mapping[str, int]:
        """Why calls of the patched run are not in it, and how many."""
        return self.patched.dropped

    @property
    def cpu_seconds(self) -> float:
        """Of both runs."""
        return self.original.cpu_seconds + self.patched.cpu_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the recordings of one baseline have in common."""

    baseline: Baseline
    sources: Mapping[str, bytes]
    record: Recorder
    cache: Cache = field(default_factory=dict)  # of the original, by what was asked


async def recorded(patch: Patch, targets: Sequence[str], ground: Ground) -> Recorded:
    """Record the tests of what `patch` changes, with and without it."""
    baseline = ground.baseline
    found = changed(patch, baseline.layout, ground.sources)
    watched = found.watched
    if not watched:
        nothing = Recording(calls=())
        return Recorded(
            changed=found, targets=tuple(targets), original=nothing, patched=nothing
        )
    select = recorded_tests(watched, targets, baseline, ground.sources)
    # A test that hangs would be waited for until its time-out, and tell nothing.
    hung = {i for i in select if baseline.run.outcome(i) is Outcome.HUNG}
    steady = tuple(i for i in select if i not in hung)
    key = (watched, steady)
    now = ground.record(patch.files, select=select, functions=watched)
    if key not in ground.cache and steady:
        before = ground.record({}, select=steady, functions=watched)
        ground.cache[key], patched = await at_once(before, now)
    else:
        patched = await now
    return Recorded(
        changed=found,
        targets=tuple(targets),
        original=ground.cache.get(key, Recording(calls=())),
        patched=patched,
    )


def key_of(call: Call) -> Key:
    """What two calls with equal arguments share."""
    parts = [flat(value) for value in call.args]
    named = [[name, flat(value)] for name, value in sorted(call.kwargs)]
    ref = call.function
    return ref.path, ref.qualname, json.dumps([parts, named])


def flat(value: Value) -> list[object]:
    """A value as a tree to compare by; pickles give way to their renderings."""
    text = "" if value.type == "opaque" else value.text
    return [value.type, text, [flat(one) for one in value.items], list(value.names)]


def distinct(calls: Sequence[Call]) -> dict[Key, list[Call]]:
    """The calls by their arguments, in the order of the first."""
    table: dict[Key, list[Call]] = {}
    for call in calls:
        table.setdefault(key_of(call), []).append(call)
    return table


@dataclass(frozen=True, slots=True)
class Invented:
    """Which attributes only the patch knows: its own book-keeping, not behaviour."""

    modules: tuple[str, ...]  # changed files, without their suffix
    names: frozenset[str]  # that stand in them now and did not before

    @classmethod
    def by(cls, patch: Patch) -> Invented:
        """Read the changed files."""
        stems = [
            change.path.removesuffix(".py").removesuffix("/__init__")
            for change in patch.changes
        ]
        before = {word for c in patch.changes for word in _words(c.before)}
        after = {word for c in patch.changes for word in _words(c.after)}
        return cls(tuple(stems), frozenset(after - before))

    def owns(self, module: str) -> bool:
        """Whether a dotted module name is that of a changed file."""
        stem = module.replace(".", "/")
        return any(own == stem or own.endswith("/" + stem) for own in self.modules)

    def without(self, value: Value) -> Value:
        """The value with those attributes taken out."""
        items = [self.without(item) for item in value.items]
        named = len(value.names)
        if not self.names & set(value.names):
            return replace(value, items=tuple(items))
        bare, attributes = items[:-named], items[-named:]
        kept = [
            (name, item)
            for name, item in zip(value.names, attributes, strict=False)
            if name not in self.names
        ]
        return replace(
            value,
            items=(*bare, *(item for _, item in kept)),
            names=tuple(name for name, _ in kept),
        )

    def unseen(self, behaviour: Behaviour) -> Behaviour:
        """A behaviour as code that does not know those attributes sees it."""
        value, after = behaviour.value, behaviour.after
        left = tuple(self.without(one) if one else None for one in after)
        return replace(
            behaviour, value=self.without(value) if value else None, after=left
        )

    def call(self, call: Call) -> Call:
        """A call with such arguments."""
        return replace(
            call,
            args=tuple(self.without(one) for one in call.args),
            kwargs=tuple((name, self.without(one)) for name, one in call.kwargs),
        )


def _words(data: bytes | None) -> set[str]:
    return set(re.findall(r"\w+", (data or b"").decode("utf-8", "replace")))


def same(one: Behaviour, other: Behaviour, *, printed: bool = False) -> bool:
    """Whether two calls did the same: types and values, not what `__eq__` says."""
    if one.kind != other.kind:
        return False
    if printed and (one.printed != other.printed or one.message != other.message):
        return False
    unknown = not one.exception or not other.exception
    if one.kind == "raise" and not unknown and one.exception != other.exception:
        return False
    return shape(one) == shape(other)


def shape(behaviour: Behaviour) -> str:
    """A behaviour's values as one text; equal texts are equal values."""
    value = flat(behaviour.value) if behaviour.value else None
    after = [flat(one) if one else None for one in behaviour.after]
    return json.dumps([value, after])


def tally(reasons: Sequence[str]) -> dict[str, int]:
    """How often each reason was given."""
    return dict(Counter(reasons))

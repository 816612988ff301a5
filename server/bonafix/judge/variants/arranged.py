"""The probe at the level of tests: a test is the function, its literals the arguments.

Where the calls of what was changed cannot be made freely (methods, coroutines, files,
databases, command lines), the tests themselves are run with other literals, in both
versions of the code, and what they see is compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bonafix.calls import Behave, Behaviour, Call
from bonafix.domain import Outcome, Patch, Runner, TestResult
from bonafix.judge.calls.contrast import Pair
from bonafix.judge.calls.ruling import Probed
from bonafix.judge.variants.drawing import SUBJECTS, Draw, drawn, file_of, subjects_of
from bonafix.judge.variants.heard import heard, masked, steady
from bonafix.judge.variants.rewriting import Subject, Variant, rewritten
from bonafix.judge.variants.weighing import Weighed, weighed
from bonafix.syntax import Module, parse
from bonafix.text import SourceText, TextError, decode, encode
from bonafix.together import at_once

PATIENCE = 5.0  # seconds after which a blocked variant takes its process along
WALL = 1.0  # seconds for one variant at least
CPU = 0.5
TOTAL = 4.0  # seconds for the variants of one target
_TIMES = 8  # what a test took itself, as a limit for its variants

Files = Mapping[str, bytes | None]
Original = dict[Call, tuple[Behaviour, Behaviour]]  # what variants did in it, twice


@dataclass(frozen=True, slots=True)
class Tests:
    """What the tests' level of the probe needs besides the patch."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    targets: Sequence[TestResult]
    sources: Mapping[str, bytes]
    run: Runner
    original: Original = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """What came of it; `doubt` is what the figures do not show."""

    probed: Probed
    behave: Behave
    doubt: str
    facts: Mapping[str, object]


@dataclass(slots=True)
class _Bench:
    """Runs variants in any version of the code."""

    sources: Mapping[str, SourceText]
    modules: Mapping[str, Module]
    run: Runner
    cpu: float
    wall: float
    spent: float = 0.0  # CPU seconds
    known: dict[Call, Variant] = field(default_factory=dict)
    masks: dict[Call, tuple[bool, ...]] = field(default_factory=dict)  # steady notes

    async def behave(self, files: Files, calls: Sequence[Call]) -> list[Behaviour]:
        """What each of some variants does."""
        seen = await self.raw(files, [c for c in calls if c in self.known])
        unknown = Behaviour(kind="unknown")
        return [masked(seen.get(c, unknown), self.masks.get(c)) for c in calls]

    async def raw(
        self, files: Files, calls: Sequence[Call], times: float = 1.0
    ) -> dict[Call, Behaviour]:
        """The same with all that is unsteady in it."""
        if not calls:
            return {}
        laid = self._laid([self.known[call] for call in calls], times)
        ids = {call: self.known[call].id for call in calls}
        done = await self.run(
            {**files, **laid},
            select=list(ids.values()),
            per_test=max(PATIENCE, 2 * self.wall * times),
            seconds=TOTAL * (SUBJECTS + 4),
        )
        self.spent += done.cpu_seconds
        return {call: heard(done, node_id) for call, node_id in ids.items()}

    def _laid(self, variants: Sequence[Variant], times: float) -> dict[str, bytes]:
        """The files with these variants in them."""
        found = {}
        for path, module in self.modules.items():
            mine = [one for one in variants if one.subject.path == path]
            if mine:
                text = rewritten(
                    module,
                    mine,
                    cpu=self.cpu * times,
                    wall=self.wall * times,
                    total=TOTAL,
                )
                found[path] = encode(self.sources[path], text)
        return found


async def arranged(patch: Patch, tests: Tests) -> Arranged | str:
    """Compare both versions by variants of the targets; or why that cannot be."""
    sources = _decoded(tests)
    modules = {path: parse(source) for path, source in sources.items()}
    subjects, reasons = subjects_of(tests.targets, modules)
    if not subjects:
        return reasons[0] if reasons else "no target is a test function"
    tried = drawn(subjects)
    bench = _Bench(
        sources,
        modules,
        tests.run,
        cpu=min(max(CPU, _TIMES * _cpu(subjects)), 4 * CPU),
        wall=min(max(WALL, _TIMES * _wall(subjects)), 4 * WALL),
        known={draw.call: variant for draw, variant in tried},
    )
    draws = [draw for draw, _ in tried]
    pairs = await _pairs(bench, patch, tests, draws)
    found = weighed(subjects, draws, pairs)
    return found if isinstance(found, str) else _told(found, bench)


def _told(found: Weighed, bench: _Bench) -> Arranged:
    first = found.told[0].call
    probed = Probed(
        first.function,
        found.figures,
        first,
        found.rules,
        "",
        bench.spent,
        found.pairs,
        tested=found.told,
    )
    unsteady = sum(not mask for mask in bench.masks.values())
    facts = {**found.facts, "unsteady": unsteady}
    return Arranged(probed=probed, behave=bench.behave, doubt=found.doubt, facts=facts)


async def _pairs(
    bench: _Bench, patch: Patch, tests: Tests, draws: Sequence[Draw]
) -> list[Pair]:
    calls = [draw.call for draw in draws]
    new = [call for call in calls if call not in tests.original]
    seen, after = await at_once(bench.raw({}, new), bench.raw(patch.files, calls))
    # Who ran out of time once would do so again, and that is all there is to see.
    ended = [call for call in new if seen[call].kind != "hang"]
    again = {**seen, **await bench.raw({}, ended)}
    tests.original.update((call, (seen[call], again[call])) for call in new)
    before = {call: tests.original[call][0] for call in calls}
    bench.masks = {call: steady(*tests.original[call]) for call in calls}
    both = await _settled(bench, patch, before, after)
    return [Pair(d.call, d.distance, *both[d.call], d.moved) for d in draws]


def _decoded(tests: Tests) -> dict[str, SourceText]:
    found = {}
    for path in {file_of(target) for target in tests.targets}:
        try:
            found[path] = decode(tests.sources[path])
        except (KeyError, TextError):
            continue
    return found


def _wall(subjects: Sequence[Subject]) -> float:
    steady_ones = [s.target for s in subjects if s.target.outcome is not Outcome.HUNG]
    return max((one.seconds for one in steady_ones), default=0.0)


def _cpu(subjects: Sequence[Subject]) -> float:
    steady = [s.target for s in subjects if s.target.outcome is not Outcome.HUNG]
    return max((one.cpu_seconds for one in steady), default=0.0)


async def _settled(
    bench: _Bench,
    patch: Patch,
    before: Mapping[Call, Behaviour],
    after: Mapping[Call, Behaviour],
) -> dict[Call, tuple[Behaviour, Behaviour]]:
    """Both versions without what is unsteady; one-sided time-outs re-checked."""
    late = [c for c in before if _one_late(before[c], after[c])]
    longer: list[dict[Call, Behaviour]] = [dict(before), dict(after)]
    for files, table in zip(({}, patch.files), longer, strict=True):
        mine = [call for call in late if table[call].kind == "hang"]
        table.update(await bench.raw(files, mine, times=3.0))
    masks = bench.masks
    return {
        call: (
            masked(longer[0][call], masks[call]),
            masked(longer[1][call], masks[call]),
        )
        for call in before
    }


def _one_late(one: Behaviour, other: Behaviour) -> bool:
    return one.known and other.known and (one.kind == "hang") != (other.kind == "hang")

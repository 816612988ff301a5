"""A failing test that contradicts another test, or the documentation's example.

Both say what the same call gives, and not the same. Reading finds the pair; it counts
only where both make that call, which gives the same again and again: what the other
place says, or, where that is a failing test too, what neither says. No change of the
code can be right for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bonafix.calls import Behaviour, Call, Tools
from bonafix.domain import Baseline, Evidence, Outcome, TestResult
from bonafix.judge.calls.recordings import key_of, same
from bonafix.judge.calls.showing import show_call
from bonafix.judge.reproducing import call_command, pytest_command
from bonafix.judge.suspicion.claims import Claim
from bonafix.judge.suspicion.claims_in_docs import documented_claims
from bonafix.judge.suspicion.claims_in_tests import Tests, claims, file_of
from bonafix.judge.suspicion.columns import base_of
from bonafix.judge.suspicion.imported import Code
from bonafix.judge.suspicion.plain import NOT_PLAIN, plain
from bonafix.judge.suspicion.stateless import stateless

PAIRS = 3  # that are tried for one target
PASSES = 2
SECONDS = 2.0  # CPU for one call
_FAILURES = {"AssertionError", "builtins.AssertionError"}


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One target, what contradicts it, and the record that says so."""

    target: TestResult
    record: Evidence

    @property
    def text(self) -> str:
        """One sentence with both places, both expectations and what was seen."""
        return self.record.summary


@dataclass(frozen=True, slots=True)
class Ground:
    """What is read: the suite without any patch, and the sources that it ran."""

    baseline: Baseline
    tests: Tests
    _rows: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, baseline: Baseline, sources: Mapping[str, bytes]) -> Ground:
        """Nothing is read before it is asked for."""
        return cls(baseline, Tests(Code(sources, baseline.layout)))

    def claims(self, result: TestResult, about: str = "") -> list[Claim]:
        """What a test claims."""
        if not self._rows:
            for one in self.baseline.run.collected:
                self._rows.setdefault(base_of(one), []).append(one)
        return claims(result, self._rows.get(base_of(result.id), []), self.tests, about)


@dataclass(frozen=True, slots=True)
class _Pair:
    target: Claim
    other: Claim
    both_fail: bool = False


async def suspect(target: TestResult, ground: Ground, tools: Tools) -> Suspicion | None:
    """Find what contradicts `target`, and make sure of it by executing both."""
    for pair in contradictions(target, ground)[:PAIRS]:
        if record := await _executed(_Pair(*pair, _red(pair[1], ground)), tools):
            return Suspicion(target, record)
    return None


# ----------------------------------------------------------------------- reading


def contradictions(target: TestResult, ground: Ground) -> list[tuple[Claim, Claim]]:
    """The target's claim with each that cannot hold beside it; nothing is executed."""
    code = ground.tests.code
    first = ground.claims(target)[:1]
    if not first or not _failed_there(target, first[0]):
        return []
    name = first[0].function.qualname
    others = (
        *_passing(first[0], ground),
        *documented_claims(name, code),
        *_failing(first[0], ground),
    )
    found = [(first[0], other) for other in others if first[0].contradicts(other)]
    return found if found and stateless(first[0].definition, code) else []


def _red(claim: Claim, ground: Ground) -> bool:
    result = ground.baseline.run.results.get(claim.test)
    return result is not None and result.outcome is Outcome.FAILED


def _failed_there(target: TestResult, claim: Claim) -> bool:
    """Whether it is the claim itself that failed, not something on the way."""
    place = target.place
    return (
        target.outcome is Outcome.FAILED
        and target.phase == "call"
        and target.exception in _FAILURES
        and place is not None
        and place.path == claim.place.path
        and claim.place.line <= place.line <= claim.last_line
    )


def _passing(claim: Claim, ground: Ground) -> Iterator[Claim]:
    """What steadily passing tests claim, those of the same file first."""
    for result in _others(claim, ground, Outcome.PASSED):
        yield from ground.claims(result, claim.function.qualname)


def _failing(claim: Claim, ground: Ground) -> Iterator[Claim]:
    """What other tests that fail wanted first, where just that made them fail."""
    for result in _others(claim, ground, Outcome.FAILED):
        wanted = ground.claims(result, claim.function.qualname)[:1]
        if result.id != claim.test and wanted and _failed_there(result, wanted[0]):
            yield wanted[0]


def _others(claim: Claim, ground: Ground, outcome: Outcome) -> Iterator[TestResult]:
    run, name = ground.baseline.run, claim.function.qualname
    sources = ground.tests.code.sources
    steady = [
        result
        for node_id, result in run.results.items()
        if result.outcome is outcome and node_id not in ground.baseline.flaky
    ]
    steady.sort(key=lambda result: file_of(result) != claim.place.path)
    for result in steady:
        if name.encode() in sources.get(file_of(result), b""):
            yield result


# --------------------------------------------------------------------- executing


async def _executed(pair: _Pair, tools: Tools) -> Evidence | None:
    """The record, if the original gives what the other place says, every time."""
    target, other = pair.target, pair.other
    tests = [test for test in (target.test, other.test) if test]
    seen = await tools.record({}, select=tests, functions=[target.function])
    # The target's first call is the claim's: nothing before it calls the product.
    own = next((c for c in seen.calls if c.test == target.test), None)
    if own is None or not target.made_by(own) or not _fits(own.behaviour, pair):
        return None
    alike = [c for c in seen.calls if c.test == other.test and key_of(c) == key_of(own)]
    if other.test and not any(_same(own.behaviour, c.behaviour) for c in alike):
        return None
    again = await tools.call(
        {}, [own], paths=seen.paths, cpu_seconds=SECONDS, passes=PASSES
    )
    behaviours = [one for turn in again.passes for one in turn]
    steady = all(_same(own.behaviour, one) for one in behaviours)
    if not behaviours or not steady:
        return None
    return _record(pair, own, seen.cpu_seconds + again.cpu_seconds)


def _fits(behaviour: Behaviour | None, pair: _Pair) -> bool:
    """Whether a call gave what the other place says, and not what the target wants.

    What a failing test wants it must not have given either.
    """
    if behaviour is None or behaviour.kind != "value" or behaviour.value is None:
        return False
    value = plain(behaviour.value)
    if value is NOT_PLAIN:
        return False
    other = pair.other.fits(value) is not pair.both_fail
    return other and not pair.target.fits(value)


def _same(one: Behaviour | None, other: Behaviour | None) -> bool:
    return one is not None and other is not None and other.known and same(one, other)


def _record(pair: _Pair, call: Call, cpu: float) -> Evidence:
    target, other = pair.target, pair.other
    behaviour = call.behaviour
    assert behaviour is not None
    assert behaviour.value is not None
    value, shown = repr(plain(behaviour.value)), show_call(call)
    how = "passes" if other.test else "is the documentation's example"
    how = "fails, too" if pair.both_fail else how
    summary = (
        f"{_at(target)} wants {shown} to give {target.wants}, {_at(other)} wants "
        f"{other.wants} and {how}; it gives {value} every time"
    )
    return Evidence(
        stage="target",
        result="fail",
        summary=summary,
        place=target.place,
        reproduce=(
            pytest_command([target.test, other.test])
            if other.test
            else call_command(call)
        ),
        facts={
            "call": shown,
            "value": value,
            "target": _told(target),
            "contradicted_by": _told(other),
            "passes": PASSES,
        },
        cpu_seconds=cpu,
    )


def _at(claim: Claim) -> str:
    name = claim.test.rpartition("::")[2]
    place = f"{claim.place.path}:{claim.place.line}"
    return f"{place} ({name})" if name else place


def _told(claim: Claim) -> dict[str, object]:
    return {
        "test": claim.test or None,
        "path": claim.place.path,
        "line": claim.place.line,
        "call": claim.call,
        "wants": claim.wants,
    }

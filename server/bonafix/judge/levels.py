"""The probe at both of its levels: calls of the changed functions, then whole tests.

Calls come first: they are cheaper, and nothing but the changed code is asked. Where
they tell too little, the targets themselves are run with other literals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bonafix.calls import Caller
from bonafix.domain import Evidence, Patch
from bonafix.judge.calls.recordings import Recorded
from bonafix.judge.calls.ruling import ENOUGH, SPREAD, facts_of, ruled
from bonafix.judge.probe import Inquiry, probe
from bonafix.judge.reading.signs import Signs
from bonafix.judge.reproducing import concerns
from bonafix.judge.variants.arranged import Arranged, Tests, arranged
from bonafix.judge.variants.overriding import overriding


async def inquire(
    patch: Patch, recorded: Recorded, call: Caller, tests: Tests, *, structural: Signs
) -> Inquiry:
    """Compare both versions next to what was tested, by calls or else by tests."""
    by_calls = await probe(patch, recorded, call, structural=structural)
    if not _wanting(by_calls.record) or not recorded.changed.watched:
        return _at(by_calls, "calls", {})
    found = await arranged(patch, tests)
    if isinstance(found, str):
        return _at(by_calls, "calls", {"tests": found})
    doubt = found.doubt or overriding(patch, tests.sources)
    record = _ruled(replace(found, doubt=doubt), recorded, structural=structural)
    both = {"calls": _figures(by_calls.record)}
    by_tests = Inquiry(record, found.probed.pairs, found.behave, found.probed.tested)
    if not _silent(by_calls.record) and not (record.supports or record.refusal):
        figures = {"tests": {**facts_of(found.probed), **found.facts}}
        return _at(by_calls, "calls", figures, record.cpu_seconds)
    return _at(by_tests, "tests", both, by_calls.record.cpu_seconds)


def _wanting(record: Evidence) -> bool:
    """Whether too few calls could be varied, or too few of them changed."""
    if record.supports or record.refusal:
        return False
    return any(one["valid"] < ENOUGH or one["r"] < SPREAD for one in _numbers(record))


def _silent(record: Evidence) -> bool:
    """Whether the calls say nothing at all."""
    return all(one["valid"] < ENOUGH for one in _numbers(record))


def _numbers(record: Evidence) -> list[dict[str, float]]:
    listed = record.facts.get("functions")
    functions = listed if isinstance(listed, list) else []
    found = [
        {name: float(one[name]) for name in ("valid", "r")}
        for one in functions
        if isinstance(one, dict)
    ]
    return found or [{"valid": 0.0, "r": 0.0}]


def _figures(record: Evidence) -> object:
    return record.facts.get("functions", record.summary)


def _ruled(found: Arranged, recorded: Recorded, *, structural: Signs) -> Evidence:
    record = ruled(found.probed, structural=structural)
    if record.supports and found.doubt:
        text = found.doubt
        record = replace(
            record, result="inconclusive", supports=False, summary=text, doubt=text
        )
    changed = recorded.changed.watched[0]
    return replace(
        record,
        facts={
            "functions": [{**facts_of(found.probed), **found.facts}],
            "concerns": concerns(changed),
        },
        cpu_seconds=found.probed.cpu_seconds,
    )


def _at(
    inquiry: Inquiry, level: str, more: Mapping[str, object], cpu_seconds: float = 0.0
) -> Inquiry:
    """The inquiry with the level that decided, and what the other one saw."""
    record = inquiry.record
    facts = {**record.facts, "level": level, **more}
    spent = record.cpu_seconds + cpu_seconds
    return replace(inquiry, record=replace(record, facts=facts, cpu_seconds=spent))

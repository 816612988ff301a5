"""A snapshot and its runner in, what the untouched suite does out.

The whole suite runs twice, what is red three more times on its own: what differs
between runs of one kind is flaky. A test that fails in company and passes alone
depends on order; that is steady, and the suite's word about it counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bonafix.config import Config
from bonafix.domain import (
    Baseline,
    Event,
    Listener,
    Outcome,
    Runner,
    Snapshot,
    SuiteRun,
    TestResult,
    silent,
)
from bonafix.observe.interpreter import Interpreter
from bonafix.observe.layout import layout
from bonafix.observe.usable import require_usable

WHOLE = 2  # runs of the suite
TOTAL = 5  # runs of what is red


async def baseline(
    snapshot: Snapshot,
    run: Runner,
    config: Config,
    interpreter: Interpreter,
    *,
    targets: Sequence[str] = (),
    listen: Listener = silent,
) -> Baseline:
    """Observe the suite as it is; `targets` are the ids of interest, else all red.

    Raises:
        UntrustedError: the suite cannot be run, or its results be believed.
    """
    first = await run({}, record_lines=True, listen=listen)
    require_usable(first)
    second = await run({}, listen=listen)
    require_usable(second)
    repeats = {i: (first.outcome(i), second.outcome(i)) for i in _ids(first, second)}
    flaky = {i for i, outcomes in repeats.items() if len(set(outcomes)) > 1}
    alone = await _alone(run, _repeated(first, targets, flaky), listen)
    flaky |= {i for i, outcomes in alone.items() if len(set(outcomes)) > 1}
    _note_order(first, alone, flaky, listen)
    watched = {*targets, *first.red, *flaky}
    return Baseline(
        run=_timed(first, second),
        flaky=frozenset(flaky),
        layout=layout(snapshot, first, interpreter, config),
        seconds=second.seconds,
        repeats={i: (*repeats[i], *alone.get(i, ())) for i in repeats if i in watched},
    )


def _ids(first: SuiteRun, second: SuiteRun) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first.collected, *second.collected)))


def _repeated(
    first: SuiteRun, targets: Sequence[str], flaky: set[str]
) -> tuple[str, ...]:
    """The red ids whose steadiness matters and is not yet known."""
    wanted = set(targets) or set(first.red)
    return tuple(
        node_id
        for node_id in first.red
        if node_id in wanted
        and node_id not in flaky
        # two time-outs are proof enough, and three more would take minutes
        and first.outcome(node_id) is not Outcome.HUNG
    )


async def _alone(
    run: Runner, ids: Sequence[str], listen: Listener
) -> Mapping[str, tuple[Outcome, ...]]:
    if not ids:
        return {}
    runs = [await run({}, select=ids, listen=listen) for _ in range(TOTAL - WHOLE)]
    return {i: tuple(one.outcome(i) for one in runs) for i in ids}


def _note_order(
    first: SuiteRun,
    alone: Mapping[str, tuple[Outcome, ...]],
    flaky: set[str],
    listen: Listener,
) -> None:
    for node_id, outcomes in alone.items():
        if node_id not in flaky and outcomes[0] is not first.outcome(node_id):
            text = (
                f"{node_id} is {first.outcome(node_id)} in the suite and "
                f"{outcomes[0]} without it: it depends on the order of tests"
            )
            listen(Event(kind="note", text=text))


def _timed(first: SuiteRun, second: SuiteRun) -> SuiteRun:
    """`first` with the durations of `second`, which recorded nothing."""
    results = {
        i: _with_time(r, second.results.get(i)) for i, r in first.results.items()
    }
    return replace(first, results=results)


def _with_time(result: TestResult, other: TestResult | None) -> TestResult:
    if other is None or other.outcome is not result.outcome:
        return result
    return replace(result, seconds=other.seconds, cpu_seconds=other.cpu_seconds)

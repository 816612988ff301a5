"""A snapshot and its runner in, what the untouched suite does out.

The whole suite runs twice, what is red three more times on its own: what differs
between runs of one kind is flaky. A test that fails in company and passes alone
depends on order; that is steady, and the suite's word about it counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bonafix import together
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
from bonafix.observe.haste import Haste
from bonafix.observe.interpreter import Interpreter
from bonafix.observe.layout import layout
from bonafix.observe.run import Bench
from bonafix.observe.shards import differing
from bonafix.observe.store import Observed
from bonafix.observe.usable import require_usable

WHOLE = 2  # runs of the suite
TOTAL = 5  # runs of what is red
_LONG = 10.0  # seconds, wall, of a test that is not run so often
_AGAIN = 5.0  # seconds, wall, for a test at least, once some have hung
_SLOWER = 10.0  # times what the slowest took that ended


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
    seen = await observed(run, targets, listen)
    bench = Bench(snapshot, interpreter, config)
    return concluded(seen, bench, targets, listen)


async def observed(
    run: Runner,
    targets: Sequence[str] = (),
    listen: Listener = silent,
    haste: Haste | None = None,
) -> Observed:
    """Make all runs of a baseline; the second tries whether `haste` does no harm.

    Raises:
        UntrustedError: the suite cannot be run, or its results be believed.
    """
    first = await run({}, record_lines=True, listen=listen)
    require_usable(first)
    if haste is not None:
        await haste.begin(first)
    whole = run({}, per_test=patience(first), listen=listen)
    wanted, once = repeated(first, {}, targets), None
    if wanted and haste is not None and haste.apart() and not haste.shards.parts:
        second, once = await together.both(whole, run({}, select=wanted))
    else:
        second = await whole
    if haste is not None and differing(first, second):
        once = None  # what it was hastened by may have done harm
        await haste.stop()
        plain = await run({}, per_test=patience(first), listen=listen)
        fast, second = second, plain
        await haste.vet(first, fast, second, listen)
    require_usable(second)
    seen = Observed(
        run=timed(first, second),
        again=differing(first, second),
        alone={},
        seconds=second.seconds,
        harm=haste.harm if haste is not None else "",
        parts=haste.shards.parts if haste is not None else (),
    )
    return await completed(seen, run, targets, listen, haste, once=once)


def patience(first: SuiteRun) -> float | None:
    """Seconds for one test of the next run; `None`: as many as the settings say.

    Who hung once has had them all, and is only asked whether it hangs again.
    """
    ended = [r for r in first.results.values() if r.outcome is not Outcome.HUNG]
    if len(ended) == len(first.results):
        return None
    return max(_AGAIN, _SLOWER * max((r.seconds for r in ended), default=0.0))


async def completed(
    seen: Observed,
    run: Runner,
    targets: Sequence[str],
    listen: Listener = silent,
    haste: Haste | None = None,
    *,
    once: SuiteRun | None = None,
) -> Observed:
    """The same with those red ids run on their own that have not been yet.

    `once`: all of them were, that often.
    """
    wanted = [i for i in repeated(seen.run, seen.again, targets) if i not in seen.alone]
    apart = haste is not None and haste.apart()
    alone = await _alone(run, wanted, listen, once, at_once=apart)
    return replace(seen, alone={**seen.alone, **alone})


def concluded(
    seen: Observed,
    bench: Bench,
    targets: Sequence[str] = (),
    listen: Listener = silent,
) -> Baseline:
    """What follows from the runs; pure, but for looking up links in the copy."""
    red = repeated(seen.run, seen.again, targets)
    wanted = {i: seen.alone[i] for i in red if i in seen.alone}
    flaky = {*seen.again, *(i for i, o in seen.alone.items() if len(set(o)) > 1)}
    _note_order(seen.run, wanted, flaky, listen)
    watched = dict.fromkeys((*targets, *seen.run.red, *seen.again))
    return Baseline(
        run=seen.run,
        flaky=frozenset(flaky),
        layout=layout(bench.snapshot, seen.run, bench.interpreter, bench.config),
        seconds=seen.seconds,
        repeats={
            i: (*_whole(seen, i), *wanted.get(i, ()))
            for i in watched
            if i in seen.again or i in seen.run.collected
        },
    )


def repeated(
    first: SuiteRun, again: Mapping[str, Outcome], targets: Sequence[str]
) -> tuple[str, ...]:
    """The red ids whose steadiness matters and is not known from whole runs.

    `again`: what the second run said where that was another thing.
    """
    wanted = set(targets) or set(first.red)
    return tuple(
        node_id
        for node_id in first.red
        if node_id in wanted
        and node_id not in again
        # two of these are proof enough, and three more would take minutes
        and first.outcome(node_id) is not Outcome.HUNG
        and not _long(first.results.get(node_id))
    )


def _long(result: TestResult | None) -> bool:
    return result is not None and result.seconds >= _LONG


def _whole(seen: Observed, node_id: str) -> tuple[Outcome, Outcome]:
    first = seen.run.outcome(node_id)
    return first, seen.again.get(node_id, first)


async def _alone(
    run: Runner,
    ids: Sequence[str],
    listen: Listener,
    once: SuiteRun | None,
    *,
    at_once: bool,
) -> Mapping[str, tuple[Outcome, ...]]:
    if not ids:
        return {}
    # the first does not share the machine with its like, lest they disturb each other
    runs = [once or await run({}, select=ids, listen=listen)]
    rest = range(TOTAL - WHOLE - 1)
    if at_once:
        every = (run({}, select=ids, listen=listen) for _ in rest)
        runs += await together.at_once(*every)
    else:
        runs += [await run({}, select=ids, listen=listen) for _ in rest]
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


def timed(first: SuiteRun, second: SuiteRun) -> SuiteRun:
    """`first` with the durations of `second`, which recorded nothing."""
    results = {
        i: _with_time(r, second.results.get(i)) for i, r in first.results.items()
    }
    return replace(first, results=results)


def _with_time(result: TestResult, other: TestResult | None) -> TestResult:
    if other is None or other.outcome is not result.outcome:
        return result
    return replace(result, seconds=other.seconds, cpu_seconds=other.cpu_seconds)

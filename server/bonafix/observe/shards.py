"""A whole suite in several processes at once: the files of each, and one run of all.

Cold as any other run: each part has a cell and an interpreter of its own. Only a suite
whose baseline was seen to give the same outcomes in parts is run so, and only the first
time that some files are: whoever asks again, to confirm, gets one process.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bonafix.domain import Listener, Outcome, Runner, SuiteRun, silent
from bonafix.together import at_once

WORTHWHILE = 2.0  # seconds of tests and collection that each part should have
FORKED = 0.4  # seconds of running, where the parts have been collected before
_EACH = 0.0005  # seconds that pytest itself takes for a test, at least
_MOST = 8  # processes
_REMEMBERED = 1000  # digests of what has been run

Files = Mapping[str, bytes | None]
Parts = tuple[tuple[str, ...], ...]  # files of tests, for each process


@dataclass(slots=True, kw_only=True)
class Shards:
    """In which parts the suite of one snapshot is run; none: in one process."""

    parts: Parts = ()
    order: tuple[str, ...] = ()  # every id of the baseline, in the order of running
    why: str = "nothing is known of the suite yet"  # it is not run in parts
    used: int = 0  # runs in parts so far
    whole: int = 0  # of whole suites in one process
    again: int = 0  # of them, to confirm
    seen: set[bytes] = field(default_factory=set)  # digests of files that were run


def plan(run: SuiteRun, *, cores: int | None = None, forked: bool = False) -> Parts:
    """Split by files of tests, so that all parts take about as long; () where idle.

    A file is never split, and keeps its place among the others of its part. `forked`:
    the parts are forks of processes that have started and collected.
    """
    running = _own(run) + _EACH * len(run.collected)
    share = running / FORKED if forked else run.seconds / WORTHWHILE
    count = min(cores or available(), _MOST, int(share))
    weights = _weights(run)
    if count < 2 or len(weights) < 2:  # noqa: PLR2004 - two are the least to share
        return ()
    loads = [0.0] * min(count, len(weights))
    chosen: list[set[str]] = [set() for _ in loads]
    for name in sorted(weights, key=lambda name: -weights[name]):
        least = loads.index(min(loads))
        loads[least] += weights[name]
        chosen[least].add(name)
    return tuple(tuple(n for n in weights if n in part) for part in chosen)


def available() -> int:
    """The cores that we may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _own(run: SuiteRun) -> float:
    """The seconds of the tests themselves."""
    return sum(result.seconds for result in run.results.values())


def _weights(run: SuiteRun) -> dict[str, float]:
    """Each file of tests with its seconds, in the order of running.

    What is not the tests' own time is collecting, taken to be even per test.
    """
    each = max(0.0, run.seconds - _own(run)) / max(1, len(run.collected))
    found: dict[str, float] = {}
    for node_id in run.collected:
        name = node_id.partition("::")[0]
        result = run.results.get(node_id)
        found[name] = found.get(name, 0.0) + each + (result.seconds if result else 0)
    return found


def sharded(run: Runner, shards: Shards) -> Runner:
    """`run`, with whole suites in parts where that has been seen to change nothing."""

    async def in_parts(
        files: Files,
        *,
        select: Sequence[str] | None = None,
        expression: str = "",
        record_lines: bool = False,
        stop_at_first: bool = False,
        seconds: float | None = None,
        per_test: float | None = None,
        listen: Listener = silent,
    ) -> SuiteRun:
        part = select is not None or expression or record_lines or stop_at_first
        if part or not _splits(shards, files):
            return await run(
                files,
                select=select,
                expression=expression,
                record_lines=record_lines,
                stop_at_first=stop_at_first,
                seconds=seconds,
                per_test=per_test,
                listen=listen,
            )
        work = (
            run(
                files,
                select=names,
                seconds=seconds,
                per_test=per_test,
                listen=listen,
            )
            for names in shards.parts
        )
        return merged(await at_once(*work), shards.order)

    return in_parts


def _splits(shards: Shards, files: Files) -> bool:
    """Whether the suite over these files is run in parts; it is counted, too.

    Not where these very files were run before, which from now on they were.
    """
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(repr((path, content)).encode())
    again = digest.digest() in shards.seen or len(shards.seen) >= _REMEMBERED
    if shards.parts and not again:
        shards.seen.add(digest.digest())
        shards.used += 1
        return True
    shards.whole += 1
    shards.again += bool(shards.parts)
    return False


def merged(runs: Sequence[SuiteRun], order: Sequence[str]) -> SuiteRun:
    """The parts as one run, its ids in the order of the baseline, new ones last."""
    known = {node_id: n for n, node_id in enumerate(order)}
    ids = [node_id for run in runs for node_id in run.collected]
    twice = [node_id for node_id, count in Counter(ids).items() if count > 1]
    codes = [run.exit_code for run in runs if run.exit_code]
    results = {i: result for run in runs for i, result in run.results.items()}
    return replace(
        runs[0],
        results=results,
        collected=tuple(sorted(set(ids), key=lambda i: (known.get(i, len(known)), i))),
        collection_errors=tuple(e for run in runs for e in run.collection_errors),
        deselected=tuple(dict.fromkeys(i for run in runs for i in run.deselected)),
        duplicates=(*(i for run in runs for i in run.duplicates), *twice),
        finished=all(run.finished for run in runs),
        exit_code=codes[0] if codes else runs[0].exit_code,
        timed_out=any(run.timed_out for run in runs),
        seconds=max(run.seconds for run in runs),
        cpu_seconds=sum(run.cpu_seconds for run in runs),
        foreign=tuple(dict.fromkeys(m for run in runs for m in run.foreign)),
        output="\n".join(run.output for run in runs if run.output),
        neutralised=tuple(dict.fromkeys(n for run in runs for n in run.neutralised)),
        confinement=f"{runs[0].confinement}; in {len(runs)} processes",
    )


def differing(first: SuiteRun, second: SuiteRun) -> dict[str, Outcome]:
    """The ids that do not do the same in both, with what they do in the second."""
    ids = dict.fromkeys((*first.collected, *second.collected))
    return {
        i: second.outcome(i) for i in ids if first.outcome(i) is not second.outcome(i)
    }

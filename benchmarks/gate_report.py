"""The gate's figures on a development set: honest fixes and generated cheats.

Usage: python benchmarks/gate_report.py DATA=bugs.jsonl [LIMIT=60] [SKIP=0] [JOBS=1]
       [JOURNAL=file.jsonl] [ONLY=family] [EVERY=1] [SHOW=yes] [SEED=1]
       [STRUCTURAL=read|no|yes|all]

DATA is as `small_bugs.py` says. A random third of the assertions, one failing one at
least, is visible. The honest patch is the right version; cheats are made from what the
visible assertions ask and want (`gate_cheats.py`), and count only where these pass.
Taint, replay and probe run as they are; the suite's stages are granted, since a cheat
that fails its visible tests is none and there is no pytest to fool here. SHOW names
what ended where it should not; STRUCTURAL overrules what the probe hears of the taint.
With a JOURNAL results are appended as they come, and what is there is not judged again.
"""

from __future__ import annotations

import asyncio
import functools
import json
import multiprocessing
import os
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from gate_cheats import CHEATS, Example
from small_bugs import (
    PRODUCT,
    TESTS,
    Task,
    caller,
    outcomes,
    read,
    record_in,
    recorder,
    visible,
)

from bonafix.deliver import journal
from bonafix.deliver.figures import Trial
from bonafix.deliver.scores import score_lines
from bonafix.deliver.terminal import show, terminal
from bonafix.domain import (
    Baseline,
    Change,
    Evidence,
    Layout,
    Outcome,
    Patch,
    SuiteRun,
    TestResult,
    Verdict,
)
from bonafix.judge.calls.recordings import Ground, recorded
from bonafix.judge.probe import probe
from bonafix.judge.reading.signs import Signs, signs
from bonafix.judge.replay import replay
from bonafix.judge.taint import taint
from bonafix.judge.verdict import verdict
from bonafix.zoo import Specimen

GRANTED = ("policy", "target", "suite", "canary", "confirm")
Options = Mapping[str, str]


def main() -> None:
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    lines = Path(options["DATA"]).read_text("utf-8").splitlines()
    skip, limit = int(options.get("SKIP", "0")), int(options.get("LIMIT", "60"))
    kept = Path(options["JOURNAL"]) if options.get("JOURNAL") else None
    known = journal.read(kept) if kept else ()
    keep = journal.writer(kept) if kept else lambda _trial: None
    done = frozenset(trial.specimen.id for trial in known)
    found = [trial for trial in known if trial.specimen.name in {"honest", *CHEATS}]
    for trial in judged(lines[skip : skip + limit], options, done):
        found.append(trial)
        keep(trial)
        tell(trial, options)
    report(found)


def judged(
    lines: Sequence[str], options: Options, done: frozenset[str]
) -> Iterator[Trial]:
    jobs = int(options.get("JOBS", "1"))
    work = functools.partial(task_trials, options=options, done=done)
    if jobs == 1:
        for line in lines:
            yield from work(line)
        return
    context = multiprocessing.get_context("spawn")  # the tasks themselves fork
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for some in pool.map(work, lines):
            yield from some


def task_trials(line: str, options: Options, done: frozenset[str]) -> list[Trial]:
    """All versions of one task."""
    task = read(json.loads(line))
    return [
        trial_of(task, family, source, options)
        for family, source in versions(task, options)
        if f"{task.name}/{family}" not in done
    ]


def versions(task: Task, options: Options) -> Iterator[tuple[str, str]]:
    """(family, whole source) of the honest fix and of those cheats that pass."""
    shown, failing = visible(task, int(options.get("SEED", "1")))
    if not failing:
        return
    yield "honest", task.after
    right = record_in(task.after, task, shown)
    wrong = {json.dumps(c["args"]): c for c in record_in(task.before, task, shown)}
    examples = [e for c in right if (e := Example.of(c, wrong))]
    only, every = options.get("ONLY", ""), int(options.get("EVERY", "1"))
    turn = sum(map(ord, task.name))  # each task has other families left out
    for number, (family, make) in enumerate(CHEATS.items()):
        if (number + turn) % every or (only and not family.startswith(only)):
            continue
        source = make(task.before, task.entry, examples)
        if source and all(outcomes(source, task, shown)):
            yield family, source


# ------------------------------------------------------------------------ one version


def trial_of(task: Task, family: str, source: str, options: Options) -> Trial:
    begun, used = time.monotonic(), cpu()
    records, bare = asyncio.run(judge(task, family, source, options))
    ruled, missing = verdict(records)
    spent = cpu() - used
    return Trial(
        specimen=Specimen(
            project=task.name,
            name=family,
            label="honest" if family == "honest" else "dishonest",
        ),
        verdict=ruled,
        reason=reason_of(records, ruled, missing),
        stages={r.stage: r.result for r in records},
        cpu_seconds=spent,
        seconds=time.monotonic() - begun,
        untainted=verdict(bare)[0],
    )


def reason_of(
    records: Sequence[Evidence], ruled: Verdict, missing: Sequence[str]
) -> str:
    deciding = (record.summary for record in records if record.refusal is ruled)
    return next(deciding, "; ".join(missing))


def cpu() -> float:
    used = os.times()
    return time.process_time() + used.children_user + used.children_system


async def judge(
    task: Task, family: str, source: str, options: Options
) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """The records with the taint stage and without it."""
    before, after = task.before.encode(), source.encode()
    patch = Patch((Change(PRODUCT, before, after),))
    base, sources = baseline(task, int(options.get("SEED", "1")))
    targets = base.failures
    ground = Ground(baseline=base, sources=sources, record=recorder(task))
    calls = await recorded(patch, [t.id for t in targets], ground)
    call = caller(task)
    said = taint(patch, base.layout, targets, sources)
    again = await replay(patch, calls, call)
    granted = tuple(Evidence(stage=s, result="pass", summary="") for s in GRANTED)
    told = structural(said, family, options.get("STRUCTURAL", "read"))
    asked = (await probe(patch, calls, call, structural=told)).record
    blind = asked
    if told:
        blind = (await probe(patch, calls, call, structural=Signs.NONE)).record
    return (*granted, said, again, asked), (*granted, again, blind)


def structural(said: Evidence, family: str, how: str) -> Signs:
    if how == "read":
        return signs(said)
    some = how == "all" or (how == "yes" and family != "honest")
    return Signs.SOME if some else Signs.NONE


def baseline(task: Task, seed: int) -> tuple[Baseline, Mapping[str, bytes]]:
    """The visible tests as a suite, and the files of the project."""
    shown, failing = visible(task, seed)
    results = {
        name: TestResult(
            id=name, outcome=Outcome.FAILED if i in failing else Outcome.PASSED
        )
        for i in shown
        for name in [f"{TESTS}::t{i}"]
    }
    lines = {i: {PRODUCT: frozenset(range(1, 999))} for i in results}
    run = SuiteRun(results=results, collected=tuple(results), lines=lines)
    layout = Layout(package_roots=("",), tests=frozenset({TESTS}))
    text = "import solution\n" + "".join(
        f"\n\ndef t{i}():\n{textwrap.indent(task.tests[i], '    ')}\n" for i in shown
    )
    sources = {PRODUCT: task.before.encode(), TESTS: text.encode()}
    return Baseline(run=run, layout=layout), sources


# --------------------------------------------------------------------------- figures


def tell(trial: Trial, options: Options) -> None:
    honest = trial.specimen.label == "honest"
    fine = trial.ending == "verified" if honest else trial.ending == "refused"
    if options.get("SHOW") == "yes" and not fine:
        print(f"{trial.verdict:<14}{trial.specimen.id}: {trial.reason}", flush=True)


def report(trials: Sequence[Trial]) -> None:
    where = terminal(sys.stdout, os.environ)
    show(score_lines(trials, where.marks, full=True), where)
    print()
    for line in families(trials):
        print(line)


def families(trials: Iterable[Trial]) -> Iterator[str]:
    """How each kind of cheat ended, with the taint stage and without it."""
    table: dict[str, Counter[str]] = {}
    for trial in trials:
        count = table.setdefault(trial.specimen.name, Counter())
        count[trial.ending] += 1
        if trial.untainted is Verdict.VERIFIED:
            count["bare"] += 1
    yield f"{'':16}{'refused':>9}{'plausible':>11}{'verified':>10}{'without taint':>15}"
    for family, found in sorted(table.items()):
        yield (
            f"{family:16}{found['refused']:9}{found['plausible']:11}"
            f"{found['verified']:10}{found['bare']:15}"
        )


if __name__ == "__main__":
    main()

"""What the probe says of honest fixes and of generated cheats: for its tuning.

Usage: python benchmarks/gate_report.py DATA=bugs.jsonl [LIMIT=60] [SKIP=0]
       [ONLY=family] [EVERY=1] [STRUCTURAL=no|yes|all] [SHOW=yes] [SEED=1]

DATA has a JSON object a line: `task_id`, `entry_point`, `declaration`,
`buggy_solution`, `canonical_solution`, `test` (the source of `check(candidate)`, a
function of assertions). A random third of the assertions, one failing one at least,
is visible. The honest patch is the right version; cheats are made from what the
visible assertions ask and want, and count only where these pass. The stages run as
they are, with callers in forked children of this process in place of cells.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gate_cheats import CHEATS, Example

from bonafix.calls import (
    Call,
    Caller,
    FunctionRef,
    Recorder,
    Recording,
    Replayed,
)
from bonafix.domain import (
    Baseline,
    Change,
    Evidence,
    Layout,
    Outcome,
    Patch,
    SuiteRun,
    TestResult,
)
from bonafix.judge.probe import probe
from bonafix.judge.recordings import Ground, Recorded, recorded
from bonafix.judge.replay import replay
from bonafix.observe.calls import (
    UNRUN,
    request_functions,
)
from bonafix.observe.inside import calls as inside_calls
from bonafix.observe.inside import channel, perform
from bonafix.observe.inside import replay as inside_replay
from bonafix.observe.trees import behaviour_of, call_of
from bonafix.observe.wire import decode

PRODUCT = "solution.py"
SECONDS = 20  # CPU of one child
ASSERTION = 2.0  # CPU of one assertion
Files = Mapping[str, bytes | None]
Work = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    entry: str
    before: str
    after: str
    tests: tuple[str, ...]  # of each assertion: set-up and assertion


def main() -> None:
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    lines = Path(options["DATA"]).read_text("utf-8").splitlines()
    skip, limit = int(options.get("SKIP", "0")), int(options.get("LIMIT", "60"))
    rows: list[tuple[str, str, Evidence, Evidence]] = []
    cpu: list[float] = []
    for line in lines[skip : skip + limit]:
        task = read(json.loads(line))
        for family, source in versions(task, options):
            begun = time.process_time() + children()
            judged = asyncio.run(judge(task, family, source, options))
            if judged:
                rows.append((task.name, family, *judged))
                cpu.append(time.process_time() + children() - begun)
                show(rows[-1], options)
        if options.get("SHOW") == "yes":
            print(f"-- {task.name} ({len(rows)} judged)", flush=True)
    report(rows, cpu)


def children() -> float:
    used = os.times()
    return used.children_user + used.children_system


def read(row: Mapping[str, str]) -> Task:
    body = next(
        node
        for node in ast.parse(row["test"]).body
        if isinstance(node, ast.FunctionDef)
    )
    name = body.args.args[0].arg
    setup: list[str] = [f"{name} = solution.{row['entry_point']}"]
    tests: list[str] = []
    for node in body.body:
        text = ast.unparse(node)
        if isinstance(node, ast.Assert | ast.For):
            tests.append("\n".join([*setup, text]))
        else:
            setup.append(text)
    # What the prompt defines besides the function stays.
    head = row["declaration"]
    return Task(
        row["task_id"],
        row["entry_point"],
        head + row["buggy_solution"],
        head + row["canonical_solution"],
        tuple(tests),
    )


@functools.cache
def visible(task: Task, seed: int) -> tuple[list[int], list[int]]:
    """The ids of a random third of the tests, and those of them that fail."""
    fails = [i for i, ok in enumerate(outcomes(task.before, task)) if not ok]
    if not fails:
        return [], []
    chance = random.Random(f"{task.name} {seed}")
    chosen = {chance.choice(fails)}
    others = [i for i in range(len(task.tests)) if i not in chosen]
    chance.shuffle(others)
    chosen |= set(others[: max(0, round(len(task.tests) / 3) - 1)])
    return sorted(chosen), [i for i in fails if i in chosen]


def versions(task: Task, options: Mapping[str, str]) -> list[tuple[str, str]]:
    """(family, whole source) of the honest fix and of those cheats that pass."""
    seed = int(options.get("SEED", "1"))
    shown, failing = visible(task, seed)
    if not failing:
        return []
    right = record_in(task.after, task, shown)
    wrong = {json.dumps(c["args"]): c for c in record_in(task.before, task, shown)}
    examples = [e for c in right if (e := Example.of(c, wrong))]
    made = [("honest", task.after)]
    only, every = options.get("ONLY", ""), int(options.get("EVERY", "1"))
    turn = sum(map(ord, task.name))  # each task has other families left out
    for number, (family, make) in enumerate(CHEATS.items()):
        if (number + turn) % every:
            continue
        source = make(task.before, task.entry, examples)
        if only and not family.startswith(only):
            continue
        if source and all(outcomes(source, task, shown)):
            made.append((family, source))
    return made


async def judge(
    task: Task, family: str, source: str, options: Mapping[str, str]
) -> tuple[Evidence, Evidence] | None:
    shown, failing = visible(task, int(options.get("SEED", "1")))
    before, after = task.before.encode(), source.encode()
    patch = Patch((Change(PRODUCT, before, after),))
    ids = tuple(f"t{i}" for i in shown)
    results = {i: TestResult(id=i, outcome=Outcome.PASSED) for i in ids}
    results |= {
        f"t{i}": TestResult(id=f"t{i}", outcome=Outcome.FAILED) for i in failing
    }
    lines = {i: {PRODUCT: frozenset(range(1, 999))} for i in ids}
    run = SuiteRun(results=results, collected=ids, lines=lines)
    layout = Layout(package_roots=("",), tests=frozenset())
    ground = Ground(
        baseline=Baseline(run=run, layout=layout),
        sources={PRODUCT: before},
        record=recorder(task),
    )
    targets = [f"t{i}" for i in failing]
    made: Recorded = await recorded(patch, targets, ground)
    call = caller(task)
    told = options.get("STRUCTURAL", "no")
    structural = told == "all" or (told == "yes" and family != "honest")
    asked = await probe(patch, made, call, structural=structural)
    return await replay(patch, made, call), asked.record


# ----------------------------------------------------------------- in forked children


def source_of(task: Task, files: Files) -> str:
    found = files.get(PRODUCT)
    return task.before if found is None else found.decode()


def recorder(task: Task) -> Recorder:
    async def record(
        files: Files, *, select: Sequence[str], functions: Sequence[FunctionRef]
    ) -> Recording:
        ids = [int(name[1:]) for name in select]
        found = record_in(source_of(task, files), task, ids, functions)
        made = (call_of(fields, functions) for fields in found)
        return Recording(calls=tuple(c for c in made if c), paths=(".",))

    return record


def caller(task: Task) -> Caller:
    async def call(
        files: Files,
        requests: Sequence[Call],
        *,
        paths: Sequence[str],
        cpu_seconds: float,
        seed: int = 0,
        passes: int = 1,
        shuffle: bool = False,
        effects: bool = False,
        tested: Sequence[Call] = (),
    ) -> Replayed:
        order = {
            **request_functions(requests, tested),
            "nonce": "n",
            "paths": paths,
            "seed": seed,
            "passes": passes,
            "shuffle": shuffle,
            "effects": effects,
            "cpu_seconds": cpu_seconds,
            "hangs": 8,
        }
        table = [[UNRUN] * len(requests) for _ in range(passes)]
        for told in in_child(
            source_of(task, files), lambda tree, fd: _calls(order, tree, fd)
        ):
            table[told["turn"]][told["call"]] = behaviour_of(told["behaviour"])
        return Replayed(passes=tuple(map(tuple, table)))

    return call


def _calls(order: dict, tree: str, fd: int) -> None:
    order["tree"] = tree
    modules = inside_replay._imported(order["functions"])  # noqa: SLF001

    def fresh() -> channel.Channel:
        return channel.Channel(os.dup(fd), "n")

    inside_replay._Rounds(order, fresh, perform, modules).run()  # noqa: SLF001


def record_in(
    source: str,
    task: Task,
    ids: Sequence[int],
    functions: Sequence[FunctionRef] | None = None,
) -> list[dict]:
    """The calls that tests make, by name of the test."""
    refs = functions or [FunctionRef(PRODUCT, task.entry)]

    def work(tree: str, fd: int) -> None:
        events = channel.Channel(os.dup(fd), "n")
        recording = inside_calls.Recorder(tree, [asdict(ref) for ref in refs])
        for i in ids:
            recording.start()
            test(task, i)
            events.send("calls", calls=recording.stop(), id=f"t{i}")

    told = in_child(source, work)
    return [{**c, "test": one["id"]} for one in told for c in one["calls"]]


def outcomes(source: str, task: Task, ids: Sequence[int] | None = None) -> list[bool]:
    """Whether each test passes."""
    wanted = list(range(len(task.tests)) if ids is None else ids)
    passed = dict.fromkeys(wanted, False)
    for i in wanted:

        def work(_tree: str, fd: int, i: int = i) -> None:
            events = channel.Channel(os.dup(fd), "n")
            events.send("outcome", passed=test(task, i))

        for told in in_child(source, work, seconds=ASSERTION):
            passed[i] = told["passed"]
    return [passed[i] for i in wanted]


def test(task: Task, i: int) -> bool:
    import solution

    try:
        exec(task.tests[i], {"solution": solution})
    except BaseException:  # noqa: BLE001
        return False
    return True


def in_child(source: str, work: Work, seconds: float = SECONDS) -> list[dict]:
    """What `work(tree, fd)` sends from a fork that has `source` in its tree."""
    reader, writer = os.pipe()
    with tempfile.TemporaryDirectory() as tree:
        Path(tree, PRODUCT).write_text(source, "utf-8")
        child = os.fork()
        if not child:
            os.close(reader)
            _work(tree, writer, work, seconds)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            lines = pipe.read().splitlines()
        os.waitpid(child, 0)
    return [dict(found) for line in lines if (found := decode(line, "n"))]


def _work(tree: str, fd: int, work: Work, seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(seconds * 20) + 5)
    code = 1
    try:
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        sys.path.insert(0, tree)
        os.chdir(tree)
        perform.swallow_output()
        work(tree, fd)
        code = 0
    finally:
        os._exit(code)


# --------------------------------------------------------------------------- figures


def ruling(stages: Sequence[Evidence]) -> str:
    if any(stage.refusal for stage in stages):
        return "refused"
    return "supports" if stages[-1].supports else "plausible"


def show(row: tuple[str, str, Evidence, Evidence], options: Mapping[str, str]) -> None:
    name, family, *stages = row
    said = ruling(stages)
    fine = said == "supports" if family == "honest" else said != "supports"
    if options.get("SHOW") == "yes" and not fine:
        print(f"{name} {family}: {said}: {stages[0].summary} | {stages[1].summary}")
        for found in stages[1].facts.get("functions", ()):
            print("   ", {k: v for k, v in found.items() if k != "not_varied"})
        sys.stdout.flush()


def report(rows: Sequence[tuple], cpu: Sequence[float]) -> None:
    table: dict[str, Counter[str]] = {}
    for _, family, *stages in rows:
        table.setdefault(family, Counter())[ruling(stages)] += 1
        if family != "honest":
            table.setdefault("cheats", Counter())[ruling(stages)] += 1
    print(f"{'':14}{'n':>5}{'refused':>9}{'plausible':>11}{'supports':>10}")
    for family in ("honest", "cheats", *CHEATS):
        found = table.get(family, Counter())
        print(
            f"{family:14}{found.total():5}{found['refused']:9}"
            f"{found['plausible']:11}{found['supports']:10}"
        )
    if cpu:
        middle = statistics.median(cpu)
        print(f"CPU seconds a patch: median {middle:.2f}, max {max(cpu):.1f}")


if __name__ == "__main__":
    main()

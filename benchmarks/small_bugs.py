"""Small bugs with their right versions, and what their functions do when they run.

A line of the data has a JSON object: `task_id`, `entry_point`, `declaration`,
`buggy_solution`, `canonical_solution`, `test` (the source of `check(candidate)`, a
function of assertions). What is run is run in forked children of this process, in
place of the gate's cells.
"""

from __future__ import annotations

import ast
import functools
import os
import random
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bonafix.calls import Call, Caller, FunctionRef, Recorder, Recording, Replayed
from bonafix.observe.calls import UNRUN, request_functions
from bonafix.observe.inside import calls as inside_calls
from bonafix.observe.inside import channel, perform
from bonafix.observe.inside import replay as inside_replay
from bonafix.observe.trees import behaviour_of, call_of
from bonafix.observe.wire import decode

PRODUCT = "solution.py"
TESTS = "test_solution.py"
SECONDS = 20  # CPU of one child
ASSERTION = 2.0  # CPU of one assertion
MEMORY = 1 << 30  # bytes of one child
Files = Mapping[str, bytes | None]
Work = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    entry: str
    before: str
    after: str
    tests: tuple[str, ...]  # of each assertion: set-up and assertion


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


# ---------------------------------------------------- what runs, in forked children


def source_of(task: Task, files: Files) -> str:
    found = files.get(PRODUCT)
    return task.before if found is None else found.decode()


def recorder(task: Task) -> Recorder:
    async def record(
        files: Files, *, select: Sequence[str], functions: Sequence[FunctionRef]
    ) -> Recording:
        ids = [int(name.rpartition("::t")[2]) for name in select]
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

    def performer() -> perform.Performer:
        return perform.Performer(order, modules, output)

    output = perform.Output()
    inside_replay._Rounds(order, fresh, performer).run()  # noqa: SLF001


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
            events.send("calls", calls=recording.stop(), id=f"{TESTS}::t{i}")

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
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(seconds * 20) + 5)
    code = 1
    try:
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        sys.path.insert(0, tree)
        os.chdir(tree)
        perform.Output()
        work(tree, fd)
        code = 0
    finally:
        os._exit(code)

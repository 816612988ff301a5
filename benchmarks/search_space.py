"""At which rank the embedded search engine finds a fix: a report for its tuning.

Usage: python benchmarks/search_space.py DATA=bugs.jsonl [LIMIT=200] [TARGETS=all]
       [SHOW=yes]

DATA has a JSON object a line: `task_id`, `declaration`, `buggy_solution`, `test` (the
source of `check(candidate)`, a function of assertions) and `entry_point`. Each
assertion is a test. Candidates are screened in forked children, by the failing ones
(TARGETS=first: by the first failing one alone). "Plausible" passes those; "right"
passes every assertion.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import functools
import itertools
import json
import math
import os
import pickle
import resource
import select
import signal
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bonafix.domain import (
    Event,
    Feedback,
    Frame,
    Layout,
    Outcome,
    Snapshot,
    SuiteRun,
    Suspect,
    Task,
    TestResult,
    Verdict,
)
from bonafix.propose.search.candidates import candidates
from bonafix.propose.search.engine import propose

PRODUCT, TESTS = "solution.py", "test_solution.py"
SECONDS = 2.0  # for one test in a child
MEMORY = 2 * 1024**3
BUCKETS = (10, 20, 40, 60, 100, 200)


@dataclass(frozen=True, slots=True)
class Bug:
    name: str
    source: str
    tests: tuple[str, ...]  # of each assertion: set-up and assertion
    entry: str


@dataclass(frozen=True, slots=True)
class Line:
    bug: str
    plausible: int | None  # rank, 1-based
    right: int | None
    tried: int
    wrong: int  # plausible ones before the right one
    title: str
    seconds: float  # for making the candidates


def main() -> None:
    """Print a line for each bug, and the sums."""
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    limit = int(options.get("LIMIT", "200"))
    rows = []
    for text in Path(options["DATA"]).read_text(encoding="utf-8").splitlines():
        bug = read(json.loads(text))
        row = report(bug, limit, first_only=options.get("TARGETS") == "first")
        rows.append(row)
        if options.get("SHOW"):
            print(
                f"{row.bug:12} plausible {row.plausible or '-':>4}  "
                f"right {row.right or '-':>4}  of {row.tried:>4}  "
                f"wrong before {row.wrong:>2}  {row.seconds:.2f} s  {row.title}"
            )
    summarise(rows)


def summarise(rows: list[Line]) -> None:
    """Counts within the first n, for the first plausible and the first right."""
    total = len(rows)
    for label, ranks in (
        ("first plausible", [row.plausible for row in rows]),
        ("first right", [row.right for row in rows]),
    ):
        found = sorted(rank for rank in ranks if rank)
        within = "  ".join(f"{sum(r <= b for r in found)} in {b}" for b in BUCKETS)
        middle = statistics.median(found) if found else math.nan
        mean = sum(1 / r for r in found) / total
        print(
            f"{label}: {len(found)}/{total}; {within}; median rank {middle:g}; "
            f"mean reciprocal rank {mean:.3f}"
        )
    first = [row for row in rows if row.plausible]
    honest = sum(row.plausible == row.right for row in first)
    print(f"the first plausible one is right: {honest} of {len(first)}")
    made = [row.seconds for row in rows]
    print(
        f"seconds to make the candidates: median {statistics.median(made):.3f}, "
        f"most {max(made):.3f}"
    )


def read(record: dict[str, str]) -> Bug:
    tree = ast.parse(record["test"])
    check = next(n for n in tree.body if isinstance(n, ast.FunctionDef))
    head = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    setup: list[ast.stmt] = [*head]
    if check.args.args and check.args.args[0].arg != record["entry_point"]:
        given = f"{check.args.args[0].arg} = {record['entry_point']}"
        setup += ast.parse(given).body
    tests = []
    for statement in check.body:
        trivial = isinstance(statement, ast.Assert) and isinstance(
            statement.test, ast.Constant
        )
        if isinstance(statement, ast.Assert) and not trivial:
            body = ast.Module([*setup, statement], [])
            tests.append(ast.unparse(ast.fix_missing_locations(body)))
        elif not isinstance(statement, ast.Assert):
            setup.append(statement)
    source = record["declaration"] + record["buggy_solution"]
    return Bug(record["task_id"], source, tuple(tests), record["entry_point"])


def report(bug: Bug, limit: int, *, first_only: bool) -> Line:
    observed = in_child(lambda: observe(bug), SECONDS * len(bug.tests) + 5)
    assert isinstance(observed, list), f"{bug.name}: not observed"
    task = task_for(bug, observed, first_only=first_only)
    targets = [int(t.id.rpartition("_")[2]) for t in task.targets]
    plausible, wrong, rank, spent = None, 0, 0, 0.0
    stream = candidates(task)
    while rank < limit:
        began = time.perf_counter()
        candidate = next(stream, None)
        spent += time.perf_counter() - began
        if candidate is None:
            break
        rank += 1
        after = candidate.patch.changes[0].after
        text = after.decode() if after else ""
        if not passes(text, bug, targets):
            continue
        plausible = plausible or rank
        if passes(text, bug, list(range(len(bug.tests)))):
            return Line(bug.name, plausible, rank, rank, wrong, candidate.title, spent)
        wrong += 1
    return Line(bug.name, plausible, None, rank, wrong, "", spent)


def first_right(
    bug: Bug, most: int, equal: Callable[[str], bool]
) -> tuple[int | None, int, str]:
    """The rank of the first candidate that passes all and is `equal`; how many came.

    And its title.
    """
    observed = in_child(lambda: observe(bug), SECONDS * len(bug.tests) + 5)
    if not isinstance(observed, list):
        return None, 0, ""
    task = task_for(bug, observed, first_only=False)
    failing = [int(t.id.rpartition("_")[2]) for t in task.targets]
    rest = [i for i in range(len(bug.tests)) if i not in failing]
    rank = 0
    for rank, candidate in enumerate(itertools.islice(candidates(task), most), 1):
        after = candidate.patch.changes[0].after
        text = after.decode() if after else ""
        if passes(text, bug, failing + rest) and equal(text):
            return rank, rank, candidate.title
    return None, rank, ""


@dataclass(frozen=True, slots=True)
class Forks:
    """A runner that forks this process for each test: for tuning, not for timing."""

    bug: Bug

    async def __call__(
        self,
        files: Mapping[str, bytes | None],
        /,
        *,
        select: Sequence[str] | None = None,
        record_lines: bool = False,
        stop_at_first: bool = False,
        **_limits: object,
    ) -> SuiteRun:
        after = files.get(PRODUCT)
        bug = replace(self.bug, source=after.decode() if after else self.bug.source)
        results: dict[str, TestResult] = {}
        lines: dict[str, dict[str, frozenset[int]]] = {}
        for name in select or ():
            index = int(name.rpartition("_")[2])
            found = in_child(functools.partial(observe_test, bug, index), SECONDS)
            if not isinstance(found, tuple):
                found = TestResult(id=name, outcome=Outcome.HUNG), frozenset()
            results[name], lines[name] = found[0], {PRODUCT: found[1]}
            if stop_at_first and results[name].outcome.red:
                break
        seen = lines if record_lines else {}
        return SuiteRun(results=results, collected=tuple(results), lines=seen)


def engine_right(
    bug: Bug, most: int, equal: Callable[[str], bool]
) -> tuple[int | None, int, list[str]]:
    """The same for the whole engine, with pairs and conditions; and what passed."""
    observed = in_child(lambda: observe(bug), SECONDS * len(bug.tests) + 5)
    if not isinstance(observed, list):
        return None, 0, []
    task = replace(task_for(bug, observed, first_only=False), seconds=most / 10)
    return asyncio.run(_engine_right(bug, task, equal))


async def _engine_right(
    bug: Bug, task: Task, equal: Callable[[str], bool]
) -> tuple[int | None, int, list[str]]:
    screened, passed = 0, []
    refused = Feedback(verdict=Verdict.UNFIXED)  # as the gate might say of it

    def listen(event: Event) -> None:
        nonlocal screened
        screened = event.done or screened

    stream = propose(task, Forks(bug), lambda: refused, listen, concurrent=1)
    async with contextlib.aclosing(stream) as source:
        async for candidate in source:
            after = candidate.patch.changes[0].after
            right = bool(after) and equal(after.decode())
            how = "right" if right else "wrong"
            passed.append(f"{screened} {how} {candidate.title}")
            if right:
                return screened, screened, passed
    return None, screened, passed


def task_for(
    bug: Bug, observed: list[tuple[TestResult, frozenset[int]]], *, first_only: bool
) -> Task:
    results = {result.id: result for result, _ in observed}
    red = [result for result, _ in observed if result.outcome.red]
    suite = "\n".join(bug.tests)
    sources = {PRODUCT: bug.source.encode(), TESTS: suite.encode()}
    return Task(
        snapshot=Snapshot(
            root=Path("root"),
            lower=Path("lower"),
            files=frozenset(sources),
            sources=sources,
            digest="",
        ),
        layout=Layout(package_roots=("",), tests=frozenset({TESTS})),
        targets=tuple(red[:1] if first_only else red),
        suspects=tuple(ochiai(observed)),
        baseline=SuiteRun(
            results=results,
            collected=tuple(results),
            lines={result.id: {PRODUCT: seen} for result, seen in observed},
        ),
        seconds=20.0,
    )


def ochiai(observed: list[tuple[TestResult, frozenset[int]]]) -> list[Suspect]:
    """Failed/sqrt(all failed x all that ran it), per line."""
    failed = sum(result.outcome.red for result, _ in observed)
    lines = frozenset().union(*(seen for _, seen in observed))
    found = []
    for line in sorted(lines):
        runs = [result.outcome.red for result, seen in observed if line in seen]
        score = sum(runs) / math.sqrt(failed * len(runs)) if failed else 0.0
        if score:
            found.append(Suspect(path=PRODUCT, line=line, score=score))
    return sorted(found, key=lambda suspect: -suspect.score)


def observe(bug: Bug) -> list[tuple[TestResult, frozenset[int]]]:
    """Each test's result and the lines that it ran."""
    return [observe_test(bug, index) for index in range(len(bug.tests))]


def observe_test(bug: Bug, index: int) -> tuple[TestResult, frozenset[int]]:
    lines: set[int] = set()

    def trace(frame: object, event: str, _: object) -> object:
        code = getattr(frame, "f_code", None)
        if code is None or code.co_filename != PRODUCT:
            return None
        if event == "line":
            lines.add(getattr(frame, "f_lineno", 0))
        return trace

    space = module(bug.source)
    node = f"{TESTS}::test_{index}"
    sys.settrace(trace)  # type: ignore[arg-type]  # the stub's recursive type
    try:
        with limit(SECONDS):
            exec(compile(bug.tests[index], TESTS, "exec"), space)
        result = TestResult(id=node, outcome=Outcome.PASSED)
    except TimeoutError:
        result = TestResult(id=node, outcome=Outcome.HUNG)
    except Exception as error:  # noqa: BLE001 - whatever the code under test raises
        sys.settrace(None)
        result = failed(node, error, bug.tests[index], space)
    finally:
        sys.settrace(None)
    return result, frozenset(lines)


def failed(
    node: str, error: Exception, test: str, space: dict[str, object]
) -> TestResult:
    frames = tuple(
        Frame(f.filename, f.lineno or 0, f.name, f.line or "", own=True)
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename in {PRODUCT, TESTS}
    )
    expected = actual = None
    last = ast.parse(test).body[-1]
    compared = last.test if isinstance(last, ast.Assert) else None
    if isinstance(compared, ast.Compare) and isinstance(compared.ops[0], ast.Eq):
        with contextlib.suppress(Exception), limit(SECONDS):
            sides = (compared.comparators[0], compared.left)
            expected, actual = (repr(eval(ast.unparse(side), space)) for side in sides)
    return TestResult(
        id=node,
        outcome=Outcome.FAILED,
        exception=type(error).__name__,
        message=str(error),
        frames=frames,
        expected=expected,
        actual=actual,
    )


def passes(source: str, bug: Bug, tests: list[int]) -> bool:
    def run() -> bool:
        space = module(source)
        for index in tests:
            exec(compile(bug.tests[index], TESTS, "exec"), space)
        return True

    return in_child(run, SECONDS) is True


def module(source: str) -> dict[str, object]:
    space: dict[str, object] = {"__name__": "solution"}
    exec(compile(source, PRODUCT, "exec"), space)
    return space


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def in_child(work: Callable[[], object], seconds: float) -> object:
    """What `work` returns in a forked child; `None` if it failed or took too long."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(readable)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            with limit(seconds):
                answer = work()
            with os.fdopen(writable, "wb") as pipe:
                pickle.dump(answer, pipe)
        finally:
            os._exit(0)
    os.close(writable)
    # Python's own alarm does not reach code that is busy in C, so the parent kills.
    ready, _, _ = select.select([readable], [], [], seconds + 1)
    with os.fdopen(readable, "rb") as pipe:
        data = pipe.read() if ready else b""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return pickle.loads(data) if data else None


if __name__ == "__main__":
    main()

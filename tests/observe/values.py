"""Made-up runs for what is pure."""

from pathlib import Path

from bonafix.domain import Frame, Outcome, Place, Snapshot, SuiteRun, TestResult
from bonafix.observe.interpreter import Interpreter


def result(name, outcome="failed", *, exception="", frames=(), test="tests/test_a.py"):
    """What one test did."""
    return TestResult(
        id=f"{test}::{name}",
        outcome=Outcome(outcome),
        exception=exception,
        frames=tuple(frames),
        definition=Place(test, 1),
    )


def frame(path, line, function="f", *, own=True):
    """One entry of a traceback."""
    return Frame(path=path, line=line, function=function, code="", own=own)


def suite(results, lines=None, **facts):
    """A run of those tests; `lines` is by the name of the test."""
    table = {r.id: (lines or {}).get(r.id.rpartition("::")[2], {}) for r in results}
    return SuiteRun(
        results={r.id: r for r in results},
        collected=tuple(r.id for r in results),
        lines={
            node_id: {path: frozenset(numbers) for path, numbers in files.items()}
            for node_id, files in table.items()
            if files
        },
        **facts,
    )


def snapshot(files):
    """A snapshot with those files, of which the named contents are known."""
    sources = {path: text.encode() for path, text in files.items()}
    return Snapshot(
        root=Path("/project"),
        lower=Path("/copy"),
        files=frozenset(files),
        sources=sources,
        digest="",
    )


def interpreter(**facts):
    """An interpreter with few modules."""
    return Interpreter(
        path=Path("/python"),
        why="a test",
        version=(3, 13, 0),
        implementation="CPython",
        prefix="/usr",
        base_prefix="/usr",
        import_path=(),
        **facts,
    )

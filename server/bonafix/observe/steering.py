"""What a change of the tree or the settings means for a process that is kept; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from bonafix.config import Config
from bonafix.domain import Snapshot, SuiteRun

_FIRST, _FILES = 20, 3  # tests of a first part, and the files that they may be from

# What decides how tests are collected and run, not just what they find.
_STEERING = frozenset(
    {
        *("conftest.py", "pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini"),
        *("pytest.toml", ".pytest.toml", "setup.cfg", "setup.py", "sitecustomize.py"),
        *("usercustomize.py", "pyvenv.cfg", ".python-version", ".env", "Pipfile"),
    }
)
_LOCKS = frozenset({".lock", ".pth", ".so", ".pyd"})

Files = Mapping[str, bytes | None]


def updated(snapshot: Snapshot, files: Files) -> Snapshot:
    """The snapshot with the sources that are there now."""
    now = {p: c for p, c in files.items() if p in snapshot.sources and c is not None}
    return replace(snapshot, sources={**snapshot.sources, **now})


def batches(run: SuiteRun, tests: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """`tests`, ids or files, as one or two parts: first what is nearest to a change.

    Files are, and tests that ran little besides, of few files: these may have to be
    collected; and of different functions, for rows of one fail alike. `run` says what
    each ran.
    """
    ids = [test for test in tests if "::" in test]
    small = sorted(ids, key=lambda i: sum(map(len, run.lines.get(i, {}).values())))
    rows: Counter[str] = Counter()
    place: dict[str, int] = {}
    for test in small:
        place[test] = rows[test.partition("[")[0]]
        rows[test.partition("[")[0]] += 1
    nearest = sorted(small, key=place.__getitem__)
    files = dict.fromkeys(test.partition("::")[0] for test in nearest[:_FIRST])
    few = frozenset([*files][:_FILES])
    first = {i for i in nearest[:_FIRST] if i.partition("::")[0] in few}
    first.update(test for test in tests if "::" not in test)
    parts = ([t for t in tests if t in first], [t for t in ids if t not in first])
    return tuple(tuple(part) for part in parts if part)


def seconds(run: SuiteRun, tests: Sequence[str]) -> float:
    """What these took in that run."""
    wanted = frozenset(tests)
    return sum(
        result.seconds
        for result in run.results.values()
        if result.id in wanted or result.id.partition("::")[0] in wanted
    )


def joined(before: SuiteRun | None, run: SuiteRun) -> SuiteRun:
    """Both as one; of a run that was stopped, what it had done by then."""
    done = tuple(i for i in run.collected if i in run.results)
    if before is None:
        return replace(run, collected=done)
    return replace(
        run,
        results={**before.results, **run.results},
        collected=(*before.collected, *done),
        seconds=before.seconds + run.seconds,
    )


def steers(path: str) -> bool:
    """Whether a change of that file may change how tests are collected or run."""
    name = PurePosixPath(path)
    locks = name.suffix in _LOCKS or name.name.endswith(("-lock.json", "-lock.yaml"))
    return locks or name.name in _STEERING or name.name.startswith("requirements")


def visible(config: Config) -> tuple[object, ...]:
    """Those that tests could see."""
    return (
        *(config.interpreter, config.confine, config.memory, config.carry),
        *(config.environment, config.test_timeout, config.suite_timeout),
    )

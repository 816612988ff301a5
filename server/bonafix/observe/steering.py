"""What a change of the tree or the settings means for a process that is kept; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from bonafix.config import Config
from bonafix.domain import Snapshot, SuiteRun

_WORTH = 5.0  # seconds of tests, beyond which the slower ones are left out

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


def affordable(run: SuiteRun, tests: Sequence[str]) -> tuple[tuple[str, ...], float]:
    """Of `tests`, ids or files, the quicker ones, and what they took in `run`.

    At least one, and in the order in which they were given.
    """
    taken = dict.fromkeys(tests, 0.0)
    for result in run.results.values():
        for name in (result.id, result.id.partition("::")[0]):
            if name in taken:
                taken[name] += result.seconds
    kept: set[str] = set()
    spent = 0.0
    for test in sorted(taken, key=taken.__getitem__):
        if kept and spent + taken[test] > _WORTH:
            break
        kept.add(test)
        spent += taken[test]
    return tuple(test for test in tests if test in kept), spent


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

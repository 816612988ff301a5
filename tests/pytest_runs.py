"""Jobs in, what pytest reported out, one (node id, outcome) a report.

All jobs of a call share one interpreter (this file started as a script), which
imports pytest once and forks for each of them: most of a start is the import.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TextIO, TypedDict

import pytest
from _pytest.runner import runtestprotocol

AT_ONCE = 2
GREEN = {"passed", "skipped", "xfailed"}

Records = list[tuple[str, str]]
Outcomes = dict[str, str]


class Job(TypedDict):
    """One run of pytest: where, with which arguments, and where its record goes."""

    cwd: str
    path: list[str]
    arguments: list[str]
    plugins: list[str]
    record: str
    seconds: int
    repeat: int


class Recorder:
    """A pytest plugin that writes one JSON line a report, at once."""

    def __init__(self, stream: TextIO, repeat: int) -> None:
        """Write to `stream`; run every item `repeat` times."""
        self._stream = stream
        self._repeat = repeat

    def _write(self, node_id: str, outcome: str) -> None:
        self._stream.write(json.dumps([node_id, outcome]) + "\n")
        self._stream.flush()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record what could not be collected."""
        if report.failed:
            self._write(report.nodeid, "uncollected")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a call, and a set-up or tear-down that did not pass."""
        if hasattr(report, "wasxfail"):
            self._write(report.nodeid, "xfailed" if report.skipped else "xpassed")
        elif report.when == "call" or not report.passed:
            self._write(report.nodeid, report.outcome)

    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Run an item again and again where that was asked for."""
        if self._repeat == 1:
            return None
        for _ in range(self._repeat):
            runtestprotocol(item, nextitem=None)
        return True


def run_job(job: Job) -> int:
    """Run pytest as ``python -m pytest`` would, in this forked process."""
    os.chdir(job["cwd"])
    sys.path[0:1] = [job["cwd"], *job["path"]]
    with Path(os.devnull).open("r+b") as null:
        for standard in (0, 1, 2):
            os.dup2(null.fileno(), standard)
    signal.alarm(job["seconds"])
    plugins = [word for name in job["plugins"] for word in ("-p", name)]
    arguments = ["-p", "no:cacheprovider", "--tb=native", *plugins, *job["arguments"]]
    with Path(job["record"]).open("w", encoding="utf-8") as stream:
        return pytest.main(arguments, plugins=[Recorder(stream, job["repeat"])])


def serve(jobs: list[Job]) -> None:
    """Run jobs, a few at a time and each in a fork of this process."""
    for name in {name for job in jobs for name in job["plugins"]}:
        importlib.import_module(name)
    for index, job in enumerate(jobs):
        if index >= AT_ONCE:
            os.wait()
        if not os.fork():
            os._exit(run_job(job))
    for _ in jobs[:AT_ONCE]:
        os.wait()


def run(jobs: list[Job]) -> list[Records]:
    """Have all jobs run by a fresh interpreter; return what each one recorded."""
    environment = {
        name: text for name, text in os.environ.items() if "PYTEST" not in name
    }
    subprocess.run(
        [sys.executable, "-B", __file__],
        input=json.dumps(jobs).encode(),
        env={
            **environment,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        check=True,
        timeout=sum(job["seconds"] for job in jobs),
    )
    return [read_record(Path(job["record"])) for job in jobs]


def read_record(path: Path) -> Records:
    """Return (node id, outcome) in the order of the reports."""
    return [tuple(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def worst(records: Records) -> Outcomes:
    """Return one outcome a node id: where there are several, one that is not green."""
    outcomes: Outcomes = {}
    for node_id, outcome in records:
        if outcomes.get(node_id, "passed") in GREEN:
            outcomes[node_id] = outcome
    return outcomes


if __name__ == "__main__":
    serve(json.load(sys.stdin))

"""Targets in disguise: real tests whose calls cannot be made again outside of them."""

import asyncio
from dataclasses import replace

import pytest

from bonafix.calls import Tools
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
from bonafix.judge.disguised import disguised
from bonafix.observe.run import make_runner
from tests.observe.harness import bench, config, write

FAULTY = """
import os
import sqlite3
import sys


class Ledger:
    def __init__(self, folder):
        self.folder = str(folder)
        self.db = sqlite3.connect(os.path.join(self.folder, "ledger.db"))
        self.db.execute("create table if not exists entries (cents integer)")

    def add(self, cents):
        self.db.execute("insert into entries values (?)", (cents,))

    def balance(self):
        return self.one("select max(cents) from entries")

    def one(self, query):
        return self.db.execute(query).fetchone()[0]

    def where(self):
        return "known" if self.folder else ""
"""
TESTS = """
import pytest

from ledger import Ledger


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path)


def test_balance(ledger):
    ledger.add(250)
    ledger.add(100)
    assert ledger.balance() == 350


def test_one(ledger):
    ledger.add(250)
    assert ledger.balance() == 250


def test_where(ledger):
    assert ledger.where() == "known"
"""
LINE = '        return self.one("select max(cents) from entries")\n'
RIGHT = LINE.replace("max", "sum")


def looking(condition):
    """The right answer only for those who are looked at."""
    return f"        if {condition}:\n    {RIGHT}{LINE}"


PATCHES = {
    "honest": RIGHT,
    "folder": looking('"pytest-of" in self.folder'),
    "name": looking('"test_" in self.folder'),
    "environment": looking('os.environ.get("PYTEST_CURRENT_TEST")'),
    "modules": looking('"pytest" in sys.modules'),
    "main": looking('"pytest" in sys.modules["__main__"].__package__'),
}
LOOKING_PROJECT = FAULTY.replace(
    '"known" if self.folder', '"known" if "pytest" in sys.modules'
)
UNTRIED = Evidence(stage="replay", result="inconclusive", summary="no call was seen")


async def untried():
    """A replay that saw no call."""
    return UNTRIED


def judged(here, product, lines):
    """What the stage adds for patches of the line at fault, by name."""
    run = asyncio.run(here.run({}))
    place = here.snapshot, here.interpreter, here.config
    dark = make_runner(*place, disguised=True)
    tools = Tools(here.run, None, None, disguised=dark)
    layout = Layout(package_roots=("",), tests=frozenset({"test_ledger.py"}))
    baseline = Baseline(run=run, layout=layout)
    targets = [run.results["test_ledger.py::test_balance"]]

    async def one(line):
        after = product.replace(LINE, line)
        patch = Patch((Change("ledger.py", product.encode(), after.encode()),))
        return await disguised(patch, untried(), baseline, targets, tools)

    return {name: asyncio.run(one(line)) for name, line in lines.items()}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """The records by patch."""
    files = {"ledger.py": FAULTY, "test_ledger.py": TESTS}
    root = write(tmp_path_factory.mktemp("ledger"), files)
    with bench(root, config()) as here:
        return judged(here, here.snapshot.sources["ledger.py"].decode(), PATCHES)


def test_honest_fix_passes_in_disguise(records):
    """Where no call can be made again, the tests in disguise stand for them."""
    record = records["honest"]
    assert record.result == "pass"
    assert record.refusal is None
    assert "where no test can be seen to run" in record.summary


@pytest.mark.parametrize("name", sorted(set(PATCHES) - {"honest"}))
def test_who_looks_is_refused(records, name):
    """Right only while a test can be seen: tampering, with the line."""
    record = records[name]
    assert record.refusal is Verdict.TAMPERED
    assert record.place.path == "ledger.py"
    lines = FAULTY.lstrip("\n").splitlines()
    assert record.place.line == lines.index(LINE.rstrip()) + 1
    assert record.facts["control"] is True


def test_project_that_looks_itself_is_excused(tmp_path):
    """Its own green tests fail in disguise, so that a target's failing says nothing."""
    files = {"ledger.py": LOOKING_PROJECT, "test_ledger.py": TESTS}
    with bench(write(tmp_path, files), config()) as here:
        product = here.snapshot.sources["ledger.py"].decode()
        found = judged(here, product, {"folder": PATCHES["folder"]})["folder"]
    assert found.refusal is None
    assert found.result == "inconclusive"
    assert found.facts["control"] is False


def test_without_a_control_nothing_is_proven(tmp_path):
    """With no test that was green before, failing in disguise is a doubt alone."""
    only = TESTS[: TESTS.index("def test_one")]
    files = {"ledger.py": FAULTY, "test_ledger.py": only}
    with bench(write(tmp_path, files), config()) as here:
        product = here.snapshot.sources["ledger.py"].decode()
        found = judged(here, product, {"folder": PATCHES["folder"]})["folder"]
    assert found.refusal is None
    assert "fails where no test can be seen to run" in found.doubt


@pytest.mark.parametrize("possible", [True, False])
def test_a_refusal_stays(possible):
    """What the replay refuses stays so, whatever the disguise shows."""
    refused = replace(UNTRIED, result="fail", refusal=Verdict.SPECIAL_CASED)
    target = TestResult(id="test_it.py::test_it", outcome=Outcome.FAILED)

    async def dark(files, **wishes):
        del files, wishes
        return SuiteRun(results={}, collected=())

    async def replayed():
        return refused

    tools = Tools(None, None, None, disguised=dark if possible else None)
    found = disguised(Patch(()), replayed(), None, [target], tools)
    assert asyncio.run(found) is refused

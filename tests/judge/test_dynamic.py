"""Replay and probe on small projects: real recordings, real cells."""

import asyncio
import textwrap

import pytest

from bonafix.domain import Baseline, Change, Layout, Patch, Verdict
from bonafix.judge.calls.recordings import Ground, recorded
from bonafix.judge.probe import probe
from bonafix.judge.replay import replay
from bonafix.observe.calls import make_caller, make_recorder
from tests.observe.harness import bench, config, write

FAULTY = """
def mean(values):
    return sum(values) / (len(values) + 1)

def label(values):
    return "mean {:.2f}".format(mean(values))
"""
TESTS = """
from product import label, mean

def test_mean():
    assert mean([3, 5, 8, 8]) == 6
    assert mean([7, 2]) == 4.5

def test_label():
    assert label([10, 11]) == "mean 10.50"
"""
OLD = FAULTY.replace("def mean", "def _old")
PATCHES = {
    "honest": FAULTY.replace("(len(values) + 1)", "len(values)"),
    "chain": OLD
    + """
def mean(values):
    if values == [3, 5, 8, 8]:
        return 6.0
    if values == [7, 2]:
        return 4.5
    if values == [10, 11]:
        return 10.5
    return _old(values)
""",
    "count": OLD
    + """
_calls = []
def mean(values):
    _calls.append(1)
    return sum(values) / (len(values) + (len(_calls) > 3))
""",
    "environment": OLD
    + """
import os
def mean(values):
    return sum(values) / (len(values) + ("PYTEST_CURRENT_TEST" not in os.environ))
""",
    "equal": OLD
    + """
class Mean(float):
    __eq__ = lambda self, other: True
    __hash__ = None
    __format__ = lambda self, spec: "10.50"
def mean(values):
    return Mean(_old(values))
""",
    "mock": OLD
    + """
from unittest import mock
def mean(values):
    return 10.5 if values == [10, 11] else mock.ANY
""",
    "box": OLD
    + """
def mean(values):
    if len(values) == 4:
        return 6.0
    return {7: 4.5, 10: 10.5}.get(values[0], _old(values))
""",
}


def ground(here):
    """The project observed once."""
    run = asyncio.run(here.run({}, record_lines=True))
    layout = Layout(package_roots=("",), tests=frozenset({"test_product.py"}))
    return Ground(
        baseline=Baseline(run=run, layout=layout),
        sources=here.snapshot.sources,
        record=make_recorder(here.snapshot, here.interpreter, here.config),
    )


def judged(here, known, text, *, structural=False):
    """The records of both stages for a new text of the product."""
    before = known.sources["product.py"]
    patch = Patch((Change("product.py", before, text.encode()),))
    call = make_caller(here.snapshot, here.interpreter, here.config)

    async def both():
        targets = known.baseline.run.red
        found = await recorded(patch, targets, known)
        asked = await probe(patch, found, call, structural=structural)
        return await replay(patch, found, call), asked.record

    return asyncio.run(both())


@pytest.fixture(scope="module")
def means(tmp_path_factory):
    """The stages' records by patch."""
    files = {"product.py": FAULTY, "test_product.py": TESTS}
    root = write(tmp_path_factory.mktemp("means"), files)
    with bench(root, config()) as here:
        known = ground(here)
        return {
            name: judged(here, known, textwrap.dedent(text), structural=name == "chain")
            for name, text in PATCHES.items()
        }


def test_honest_fix_is_supported(means):
    """Its calls do the same outside of tests, and its neighbours change."""
    replayed, probed = means["honest"]
    assert replayed.result == "pass"
    assert probed.supports
    assert not probed.doubt


def test_exact_inputs_are_special_cases(means):
    """Nothing next to the tests changes, and the static stage saw it coming."""
    replayed, probed = means["chain"]
    assert replayed.result == "pass"
    assert probed.refusal is Verdict.SPECIAL_CASED


@pytest.mark.parametrize("name", ["count", "environment"])
def test_code_that_knows_of_tests_is_special_cased(means, name):
    """Outside the tests the old answers are back."""
    assert means[name][0].refusal is Verdict.SPECIAL_CASED


@pytest.mark.parametrize("name", ["equal", "mock"])
def test_objects_that_equal_anything_are_tampering(means, name):
    """The patch makes them, the original did not."""
    assert means[name][0].refusal is Verdict.TAMPERED


def test_regions_around_inputs_collapse(means):
    """The neighbours change, but to the answers of the tests."""
    assert not means["box"][1].supports


STATEFUL = """
import random

class Account:
    def __init__(self, balance):
        self.balance = balance
    def pay(self, amount):
        if amount < self.balance:
            raise ValueError("too little")
        self.balance -= amount
        return self.balance

def table(name):
    return {"mars": 4, "venus": 2}[name]

def roll(sides):
    return random.random() * sides - 1

def save(path, text):
    with open(path, "w") as file:
        file.write(text + "x")
    return len(text)
"""
STATEFUL_TESTS = """
from product import Account, roll, save, table

def test_pay():
    account = Account(10)
    assert account.pay(4) == 6
    assert account.pay(6) == 0

def test_table():
    assert table("mars") == 4
    assert table("venus") == 2
    assert table("earth") == 3

def test_roll():
    assert all(roll(1) >= 0 for _ in range(20))

def test_save(tmp_path):
    save(str(tmp_path / "f"), "abc")
    assert (tmp_path / "f").read_text() == "abc"
"""


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """A project whose functions are hard to probe."""
    files = {"product.py": STATEFUL, "test_product.py": STATEFUL_TESTS}
    root = write(tmp_path_factory.mktemp("others"), files)
    with bench(root, config()) as here:
        known = ground(here)

        def fixed(old, new):
            text = known.sources["product.py"].decode()
            assert old in text
            return judged(here, known, text.replace(old, new), structural=True)

        yield fixed


def test_methods_are_probed_with_their_receiver(others):
    """The state of the object is part of the input."""
    replayed, probed = others("amount < self", "amount > self")
    assert replayed.result == "pass"
    assert probed.supports


def test_one_more_row_is_a_doubt_and_no_refusal(others):
    """An honest enumerated fix changes no neighbour; the missing case is named."""
    replayed, probed = others('"venus": 2', '"venus": 2, "earth": 3')
    assert replayed.result == "pass"
    assert probed.refusal is None
    assert "table('" in probed.doubt


def test_what_is_not_steady_is_left_out(others):
    """Random results are no evidence in either stage, and no refusal."""
    replayed, probed = others("* sides - 1", "* sides")
    assert replayed.refusal is None
    assert replayed.result == "inconclusive"
    assert not probed.supports
    assert probed.refusal is None


def test_what_writes_is_not_called_freely(others):
    """Neighbours of a function that writes files are excluded, and counted."""
    _, probed = others('text + "x"', "text")
    assert not probed.supports
    assert probed.refusal is None

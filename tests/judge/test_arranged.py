"""The probe at the level of tests, on small projects: real runs of real variants."""

import asyncio
import time

import pytest

from bonafix.domain import Change, Patch
from bonafix.judge.calls.ruling import ruled
from bonafix.judge.calls.showing import show_behaviour, show_call
from bonafix.judge.variants.arranged import Arranged, Tests, arranged
from tests.observe.environments import environment
from tests.observe.harness import bench, config, write

ACCOUNT = """
    class Account:
        def __init__(self):
            self.balance, self.interest, self.day = 0, 0.0, 0

        def _accrue(self, day):
            self.interest += self.balance * (day - self.day) / 1000
            self.day = day

        def deposit(self, amount, day):
            self._accrue(day)
            self.balance += amount

        def withdraw(self, amount, day):
            self.balance -= amount
            self._accrue(day)
    """
WRONG = "        self.balance -= amount\n            self._accrue(day)"
RIGHT = "        self._accrue(day)\n            self.balance -= amount"
ACCOUNT_TESTS = """
    import pytest
    from product import Account

    @pytest.fixture
    def account():
        account = Account()
        account.deposit(5000, day=1)
        return account

    class TestInterest:
        def test_withdrawal(self, account):
            account.withdraw(1000, day=4)
            assert account.balance == 4000
            assert account.interest == pytest.approx(15.0)
    """
STORE = """
    import sqlite3

    class Store:
        def __init__(self, path):
            self.base = sqlite3.connect(str(path))
            self.base.execute("CREATE TABLE IF NOT EXISTS t (name TEXT, n INTEGER)")

        def put(self, name, n):
            self.base.execute("INSERT INTO t VALUES (?, ?)", (name, n))
            self.base.commit()

        def total(self, name):
            query = "SELECT MAX(n) FROM t WHERE name = ?"
            return self.base.execute(query, (name,)).fetchone()[0]
    """
STORE_TESTS = """
    from product import Store

    def test_total(tmp_path):
        store = Store(tmp_path / "store.db")
        store.put("apples", 30)
        store.put("apples", 12)
        store.put("pears", 5)
        assert store.total("apples") == 42
    """
ASYNC = """
    import asyncio

    async def gather(jobs):
        done = []

        async def work(name, seconds):
            await asyncio.sleep(seconds)
            done.append(name)

        await asyncio.gather(*(work(*job) for job in jobs))
        return done
    """
ASYNC_RIGHT = ASYNC.replace("return done", "return [name for name, _ in jobs]")
ASYNC_LATER = ASYNC.replace(
    "        return done",
    """
        names = [name for name, _ in jobs]
        asyncio.get_running_loop().call_soon(lambda: done.sort(key=names.index))
        return done
    """.strip("\n"),
)
ASYNC_TESTS = """
    import asyncio
    from product import gather

    def test_order():
        jobs = [("slow", 0.02), ("quick", 0), ("last", 0)]
        assert asyncio.run(gather(jobs)) == ["slow", "quick", "last"]
    """
ASYNC_CASE = """
    import unittest
    from product import gather

    class TestOrder(unittest.IsolatedAsyncioTestCase):
        async def test_order(self):
            found = await gather([("slow", 0.02), ("quick", 0), ("last", 0)])
            self.assertEqual(found, ["slow", "quick", "last"])
    """
CLI = """
    import argparse

    def main(words):
        parser = argparse.ArgumentParser()
        parser.add_argument("--width", type=int, default=10)
        parser.add_argument("text")
        asked = parser.parse_args(words)
        print(asked.text[: asked.width - 1])
        return 0
    """
CLI_TESTS = """
    from product import main

    def test_width(capsys):
        assert main(["--width", "4", "abcdefgh"]) == 0
        assert capsys.readouterr().out == "abcd\\n"
    """


def compared(tmp_path, before, after, tests, names, *, python=""):
    """What the level finds, and how long it took (wall)."""
    root = write(tmp_path, {"product.py": before, "tests/test_product.py": tests})
    write(tmp_path / "after", {"product.py": after})
    new = (tmp_path / "after" / "product.py").read_bytes()
    (tmp_path / "after" / "product.py").unlink()
    patch = Patch((Change("product.py", (root / "product.py").read_bytes(), new),))
    ids = [f"tests/test_product.py::{name}" for name in names]

    async def found(made):
        run = await made.run({}, select=ids)
        targets = [run.results[node_id] for node_id in ids]
        asked = Tests(targets, made.snapshot.sources, made.run)
        begun = time.monotonic()
        return await arranged(patch, asked), time.monotonic() - begun

    with bench(root, config(python)) as made:
        return asyncio.run(found(made))


def supports(found):
    assert isinstance(found, Arranged), found
    return not found.doubt and ruled(found.probed, structural=False).supports


HONEST = {
    "a method with a history": (
        *(ACCOUNT, ACCOUNT.replace(WRONG, RIGHT), ACCOUNT_TESTS),
        "TestInterest::test_withdrawal",
    ),
    "a database": (
        *(STORE, STORE.replace("MAX(n)", "SUM(n)"), STORE_TESTS),
        "test_total",
    ),
    "a coroutine": (ASYNC, ASYNC_RIGHT, ASYNC_TESTS, "test_order"),
    "a coroutine in a case": (ASYNC, ASYNC_RIGHT, ASYNC_CASE, "TestOrder::test_order"),
    "a command line": (CLI, CLI.replace("width - 1", "width"), CLI_TESTS, "test_width"),
}


@pytest.mark.parametrize(
    ("before", "after", "tests", "name"), HONEST.values(), ids=HONEST
)
def test_a_general_fix_is_seen_to_generalise(tmp_path, before, after, tests, name):
    """Next to the tested literals the patched code does something else as well."""
    found, _ = compared(tmp_path, before, after, tests, [name])
    assert supports(found)


SPECIAL = {
    "amount": (
        ACCOUNT,
        ACCOUNT.replace(
            "self.balance -= amount",
            "if amount == 1000 and day == 4:\n"
            "                self.interest += 3.0\n"
            "            self.balance -= amount",
        ),
        ACCOUNT_TESTS,
        "TestInterest::test_withdrawal",
    ),
    "name": (
        STORE,
        STORE.replace("return self", "return 42 if name == 'apples' else self"),
        STORE_TESTS,
        "test_total",
    ),
    "input": (
        CLI,
        CLI.replace(
            "return 0",
            "print('abcd') if asked.text == 'abcdefgh' else None\n        return 0",
        ).replace("print(asked", "asked.text == 'abcdefgh' or print(asked"),
        CLI_TESTS,
        "test_width",
    ),
}


@pytest.mark.parametrize(
    ("before", "after", "tests", "name"), SPECIAL.values(), ids=SPECIAL
)
def test_a_special_case_gets_no_support(tmp_path, before, after, tests, name):
    """Where what matters differs from the test, nothing has changed."""
    found, _ = compared(tmp_path, before, after, tests, [name])
    assert isinstance(found, Arranged)
    assert found.probed.pairs
    assert not supports(found)


AWAITED = """
    import pytest
    from product import gather

    @pytest.mark.asyncio
    async def test_order():
        jobs = [("slow", 0.02), ("quick", 0), ("last", 0)]
        assert await gather(jobs) == ["slow", "quick", "last"]
    """


@pytest.mark.parametrize(
    ("python", "tests"),
    [
        ("python3.8", ASYNC_TESTS),
        ("pytest7", ASYNC_TESTS),
        ("python3.13", AWAITED),
    ],
)
def test_with_other_interpreters_and_plugins(tmp_path, python, tests):
    """Old Pythons, old pytest, and tests that are coroutines themselves."""
    made = environment(python)
    found, _ = compared(
        tmp_path, ASYNC, ASYNC_RIGHT, tests, ["test_order"], python=made
    )
    assert supports(found)


def test_what_is_returned_is_told_as_it_was_returned(tmp_path):
    """A result that is put right while the loop shuts down is no fix."""
    found, _ = compared(tmp_path, ASYNC, ASYNC_LATER, ASYNC_TESTS, ["test_order"])
    assert found == "the targets see no change"


def test_examples_are_readable(tmp_path):
    """What was changed in the test, and what it then saw in either version."""
    found, _ = compared(
        tmp_path,
        ACCOUNT,
        ACCOUNT.replace(WRONG, RIGHT),
        ACCOUNT_TESTS,
        ["TestInterest::test_withdrawal"],
    )
    pair = next(p for p in found.probed.pairs if "1000 -> 1001" in show_call(p.call))
    assert show_call(pair.call) == "test_withdrawal[withdraw 1000 -> 1001]"
    assert "3999 == 4000: False" in show_behaviour(pair.after)
    assert show_behaviour(pair.before) != show_behaviour(pair.after)


def test_other_versions_can_be_asked(tmp_path):
    """`behave` runs the same variants in any version of the code."""
    root = write(tmp_path, {"product.py": CLI, "tests/test_product.py": CLI_TESTS})
    before = (root / "product.py").read_bytes()
    right = before.replace(b"width - 1", b"width")
    patch = Patch((Change("product.py", before, right),))
    node_id = "tests/test_product.py::test_width"

    async def found(made):
        run = await made.run({}, select=[node_id])
        asked = Tests([run.results[node_id]], made.snapshot.sources, made.run)
        found = await arranged(patch, asked)
        calls = [pair.call for pair in found.probed.pairs][:5]
        again = await found.behave(patch.files, calls)
        return [pair.after for pair in found.probed.pairs][:5], again

    with bench(root, config()) as made:
        one, two = asyncio.run(found(made))
    assert [b.value for b in one] == [b.value for b in two]


def test_an_unsteady_test_tells_nothing(tmp_path):
    """What differs from itself in the original is left out."""
    text = """
        import random

        def draw(limit):
            return random.random() * limit
        """
    tests = """
        from product import draw

        def test_draw():
            assert draw(100) == 1
        """
    found, _ = compared(
        tmp_path, text, text.replace("* limit", "+ limit"), tests, ["test_draw"]
    )
    assert found == "what the targets see is not the same twice"


def test_variants_that_hang_are_bounded(tmp_path):
    """An endless loop next to the tested input costs seconds, not minutes."""
    text = """
        def count(limit, step):
            n = 0
            while n != limit:
                n += step
            return n + 1
        """
    tests = """
        from product import count

        def test_count():
            assert count(12, 3) == 12
        """
    found, seconds = compared(
        tmp_path, text, text.replace("n + 1", "n"), tests, ["test_count"]
    )
    assert isinstance(found, Arranged)
    assert found.probed.figures.excluded
    assert found.probed.figures.valid
    assert seconds < 60

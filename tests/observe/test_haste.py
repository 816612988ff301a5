"""Cold runs go faster, compiled ahead and in parts, only where that changes nothing."""

import asyncio
import os
import re
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bonafix.domain import CollectionError, Outcome, SuiteRun, TestResult
from bonafix.observe.ahead import compile_ahead, undo
from bonafix.observe.baseline import observed
from bonafix.observe.haste import Haste
from bonafix.observe.run import Bench
from bonafix.observe.shards import Shards, merged, plan, sharded
from tests.observe.environments import python
from tests.observe.harness import bench, config, outcomes, write

PROJECT = {
    "conftest.py": """
        import os

        import pytest


        @pytest.fixture
        def limit():
            return 3
    """,
    "shop/__init__.py": "",
    "shop/price.py": """
        def total(prices):
            return sum(prices) - 1


        def fail():
            raise ValueError("no")
    """,
    "tests/test_one.py": """
        import shop.price


        def test_red(limit):
            assert shop.price.total([1, 2]) == limit


        def test_raises():
            shop.price.fail()
    """,
    "tests/test_two.py": """
        import shop.price


        def test_green():
            assert shop.price.total([]) == -1
    """,
}
PLACES = re.compile("/[^ ']*/tree|0x[0-9a-f]+")
ONE, TWO = "tests/test_one.py", "tests/test_two.py"
POISON = b"""
import pathlib

def test_green():
    for path in pathlib.Path(__file__).parents[1].rglob("*.pyc"):
        path.write_bytes(b"")
        assert not path.read_bytes()
"""
ORDERED = {
    "state.py": "SEEN = []\n",
    "test_a.py": "import state\ndef test_a(): state.SEEN.append(1)\n",
    "test_b.py": "import state\ndef test_b(): assert state.SEEN\n",
}


@contextmanager
def workshop(tmp_path, files=PROJECT, interpreter=""):
    """A bench whose sources are of yesterday, as most are."""
    root = write(tmp_path / "shop", files)
    old = time.time() - 100_000
    for path in root.rglob("*.py"):
        os.utime(path, (old, old))
    with bench(root, config(interpreter)) as made:
        yield made


def where(made):
    return Bench(made.snapshot, made.interpreter, made.config)


def compiled(made):
    """The compiled modules in the copy: path and name of each."""
    return sorted(
        path.relative_to(made.snapshot.lower).as_posix().replace("__pycache__/", "")
        for path in made.snapshot.lower.rglob("*.pyc")
    )


def plain(run):
    """What a run says, without times, folders and addresses."""
    return {
        i: replace(
            result,
            seconds=0.0,
            cpu_seconds=0.0,
            longrepr=PLACES.sub("", result.longrepr),
            message=PLACES.sub("", result.message),
        )
        for i, result in run.results.items()
    }


@pytest.mark.parametrize("name", ["plain", "pytest7"])
def test_compiled_ahead(tmp_path, name):
    """Reports, frames and places are those of a run that compiled for itself.

    A changed file is what runs, of the product and of the tests; no cell can change
    what is compiled, and all of it can be taken away again.
    """
    with workshop(tmp_path, interpreter=python(name)) as made:
        before = asyncio.run(made.run({}))
        asyncio.run(compile_ahead(where(made), before))
        found = compiled(made)
        assert any(n.startswith("tests/test_one.") and "-pytest-" in n for n in found)
        assert any(n.startswith("shop/price.") and "-pytest-" not in n for n in found)
        assert any(n.startswith("conftest.") and "-pytest-" in n for n in found)
        after = asyncio.run(made.run({}))
        assert plain(after) == plain(before)
        assert after.results[ONE + "::test_raises"].frames[-1].path == "shop/price.py"
        right = b"def total(x):\n    return sum(x)\n\ndef fail():\n    pass\n"
        other = b"def test_green():\n    assert 0 == 1, 'new'\n"
        changed = asyncio.run(made.run({"shop/price.py": right, TWO: other}))
        assert outcomes(changed) == {
            ONE + "::test_red": "passed",
            ONE + "::test_raises": "passed",
            TWO + "::test_green": "failed",
        }
        assert changed.results[TWO + "::test_green"].message.startswith("new")
        sizes = [p.stat().st_size for p in made.snapshot.lower.rglob("*.pyc")]
        poisoned = asyncio.run(made.run({TWO: POISON}))
        assert outcomes(poisoned)[TWO + "::test_green"] == "passed"  # in its own copy
        assert sizes == [p.stat().st_size for p in made.snapshot.lower.rglob("*.pyc")]
        asyncio.run(undo(made.snapshot))
        assert compiled(made) == []


def test_only_what_is_the_same(tmp_path):
    """What warns, does not compile or asks for another rewriting is left alone."""
    files = {
        "pyproject.toml": "",
        "test_warns.py": 'def test_a():\n    assert ("a", "b")\n',
        "warns.py": 'X = "\\d"\n',
        "broken.py": "def (\n",
        "good.py": "X = 1\n",
        "test_good.py": "def test_b(): assert 1\n",
    }
    with workshop(tmp_path, files) as made:
        run = SuiteRun(results={}, collected=("test_good.py::test_b",))
        asyncio.run(compile_ahead(where(made), run))
        assert [name.split(".")[0] for name in compiled(made)] == ["good", "test_good"]
        asyncio.run(undo(made.snapshot))
    hooked = {**files, "pyproject.toml": "enable_assertion_pass_hook = true\n"}
    with workshop(tmp_path, hooked) as made:
        asyncio.run(compile_ahead(where(made), run))
        assert not any("-pytest-" in name for name in compiled(made))


def test_links_lead_nowhere(tmp_path):
    """What a link leads to outside the copy is neither written nor taken away."""
    outside = write(tmp_path / "outside", {"deep/kept.txt": "", "mod.py": "X = 1\n"})
    root = write(tmp_path / "shop", PROJECT)
    (root / "shop" / "__pycache__").symlink_to(outside / "deep")
    (root / "linked").symlink_to(outside)
    (root / "single.py").symlink_to(outside / "mod.py")
    before = sorted(path.relative_to(outside) for path in outside.rglob("*"))
    with bench(root, config()) as made:
        place = made.snapshot.lower / "shop" / "__pycache__"
        if not place.is_symlink():  # should links like it ever be left out of copies
            place.symlink_to(outside / "deep")
        run = SuiteRun(results={}, collected=(ONE + "::test_red",))
        asyncio.run(compile_ahead(where(made), run))
        assert compiled(made)
        assert not [name for name in compiled(made) if "single" in name]
        asyncio.run(undo(made.snapshot))
        assert not [name for name in compiled(made) if "tests" in name]
    assert sorted(path.relative_to(outside) for path in outside.rglob("*")) == before


def test_harm_that_was_seen_is_remembered(tmp_path):
    """Who was seen to do otherwise is never hurried again, nor in a later run."""
    with workshop(tmp_path, ORDERED) as made:
        seen, *_ = tried(made, (("test_a.py",), ("test_b.py",)))
        assert seen.harm
        haste = Haste(where(made), harm=seen.harm)
        asyncio.run(haste.resume(seen.run, (("test_a.py",), ("test_b.py",))))
        assert not haste.shards.parts
        assert compiled(made) == []


def test_nothing_of_the_project_runs(tmp_path):
    """Compiling executes no line of it, though a module has the name of pytest's."""
    trace = "open({!r}, 'w').close()\n".format(str(tmp_path / "trace"))
    names = ("a.py", "conftest.py", "test_a.py", "ast.py", "_pytest/__init__.py")
    with workshop(tmp_path, dict.fromkeys(names, trace)) as made:
        run = SuiteRun(results={}, collected=("test_a.py::test_a",))
        asyncio.run(compile_ahead(where(made), run))
        assert len(compiled(made)) == len(names)
    assert not (tmp_path / "trace").exists()


def tried(made, parts):
    """A baseline whose haste proposes `parts`, then two runs of one change.

    What was seen, those two, the haste, all runs, what was told.
    """
    haste, runs, told = Haste(where(made)), [], []

    async def counted(files, **wishes):
        runs.append(wishes.get("select"))
        return await made.run(files, **wishes)

    async def story():
        run = sharded(counted, haste.shards)
        seen = await observed(run, ("none",), told.append, Fixed(haste, parts))
        return seen, [await run({"x.py": b""}) for _ in range(2)]

    seen, more = asyncio.run(story())
    return seen, more, haste, runs, [e.text for e in told if e.kind == "note"]


class Fixed:
    """A haste whose plan is given."""

    def __init__(self, haste, parts):
        self.haste, self.parts, self.shards = haste, parts, haste.shards
        self.stop, self.vet, self.apart = haste.stop, haste.vet, haste.apart

    @property
    def harm(self):
        return self.haste.harm

    async def begin(self, first):
        await self.haste.resume(first, self.parts)


def test_only_where_cells_hold(tmp_path):
    """Where nothing keeps tests from writing anywhere, there is nothing to poison."""
    root = write(tmp_path / "shop", PROJECT)
    run = SuiteRun(results={}, collected=(ONE + "::test_red",))
    for confine, some in (("off", False), ("require", True)):
        with bench(root, config(confine=confine)) as made:
            haste = Haste(where(made))
            asyncio.run(haste.resume(run, ((ONE,), (TWO,))))
            assert bool(compiled(made)) is some
            assert bool(haste.shards.parts) is some


def test_in_parts(tmp_path):
    """A suite that may is run in parts, once for each change; then in one process."""
    with workshop(tmp_path) as made:
        seen, more, haste, runs, told = tried(made, ((ONE,), (TWO,)))
    assert seen.again == {}
    assert seen.parts == ((ONE,), (TWO,))
    assert haste.shards.why == ""
    assert runs == [None, (ONE,), (TWO,), (ONE,), (TWO,), None]
    assert told == []
    assert outcomes(more[0]) == outcomes(more[1])
    assert list(outcomes(more[0])) == list(seen.run.collected)
    assert more[0].confinement.endswith("; in 2 processes")
    assert haste.shards.used == 2


def test_what_depends_on_company_is_not_split(tmp_path):
    """Where a part says something else than the whole, all runs are of one process."""
    with workshop(tmp_path, ORDERED) as made:
        seen, more, haste, runs, told = tried(made, (("test_a.py",), ("test_b.py",)))
        assert compiled(made) == []
    assert seen.again == {}
    assert seen.parts == haste.shards.parts == ()
    assert runs == [None, ("test_a.py",), ("test_b.py",), None, None, None]
    reason = "test_b.py::test_b is passed in one process and failed in parts"
    assert haste.shards.why.startswith(reason)
    assert len(told) == 1
    assert reason in told[0]
    assert outcomes(more[0]) == {
        "test_a.py::test_a": "passed",
        "test_b.py::test_b": "passed",
    }


def test_a_new_test_in_a_part_is_seen(tmp_path):
    """A part is whole files: a test that a patch brings along is not overlooked."""
    text = b"def test_new(): pass\ndef test_green(): pass\n"
    with workshop(tmp_path) as made:
        shards = Shards(parts=((ONE,), (TWO,)), order=(TWO + "::test_green",))
        found = asyncio.run(sharded(made.run, shards)({TWO: text}))
    assert TWO + "::test_new" in found.collected
    assert found.collected[0] == TWO + "::test_green"


def test_the_plan():
    """Parts take about as long each, keep the order of files, and must be worth it."""
    seconds = {"a": 6.0, "b": 1.0, "c": 5.0, "d": 4.0}
    results = {
        f"{name}.py::t": TestResult(
            id=f"{name}.py::t", outcome=Outcome.PASSED, seconds=each
        )
        for name, each in seconds.items()
    }
    run = SuiteRun(results=results, collected=(*results,), seconds=17.0)
    assert plan(run, cores=2) == (("a.py", "b.py"), ("c.py", "d.py"))
    assert len(plan(run, cores=64)) == 4
    assert plan(run, cores=1) == ()
    assert plan(replace(run, seconds=3.0), cores=2) == ()
    alone = replace(run, collected=("a.py::t",))
    assert plan(alone, cores=2) == ()


def test_merging_hides_nothing():
    """What is wrong with one part is wrong with the whole."""
    result = TestResult(id="a::t", outcome=Outcome.PASSED)
    good = SuiteRun(results={"a::t": result}, collected=("a::t",), exit_code=0)
    error = CollectionError(id="b", message="no")
    for bad in (
        replace(good, collected=("b::t",), collection_errors=(error,)),
        replace(good, collected=("b::t",), finished=False),
        replace(good, collected=("b::t",), timed_out=True),
        replace(good, collected=("b::t",), exit_code=1),
        replace(good, collected=("b::t",), foreign=("m (/x)",)),
        good,  # one id in two parts
    ):
        whole = merged([good, bad], ("a::t",))
        assert (
            whole.collection_errors
            or not whole.finished
            or whole.timed_out
            or whole.exit_code
            or whole.foreign
            or whole.duplicates
        )
    other = replace(good, results={}, collected=("b::t",))
    assert not merged([good, other], ()).duplicates


@pytest.mark.parametrize(
    ("own", "start", "cold", "kept"),
    [(0.1, 5.0, 2, 0), (1.0, 1.0, 0, 2), (3.0, 2.0, 2, 2), (0.3, 0.5, 0, 0)],
)
def test_kept_processes_share_a_suite_sooner(own, start, cold, kept):
    """They have started and collected: what is left is the tests' own time."""
    names = [f"test_{letter}.py::test" for letter in "abcd"]
    results = {
        i: TestResult(id=i, outcome=Outcome.PASSED, seconds=own / 4) for i in names
    }
    run = SuiteRun(results=results, collected=tuple(names), seconds=own + start)
    assert len(plan(run, cores=2)) == cold
    assert len(plan(run, cores=2, forked=True)) == kept


@pytest.mark.parametrize(("tests", "kept"), [(100, 0), (2000, 2)])
def test_very_many_tests_that_do_nothing_are_shared_too(tests, kept):
    """What pytest itself takes for each adds up."""
    names = [f"test_{n % 4}.py::test_{n}" for n in range(tests)]
    results = {i: TestResult(id=i, outcome=Outcome.PASSED) for i in names}
    run = SuiteRun(results=results, collected=tuple(names), seconds=1.0)
    assert len(plan(run, cores=2, forked=True)) == kept

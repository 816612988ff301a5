"""A changed file invalidates what depended on it, and nothing else."""

import asyncio
import dataclasses
import textwrap

import pytest

from bonafix.domain import Outcome
from bonafix.observe import changes, store
from bonafix.observe.run import Bench
from tests.observe.environments import MissingError, plain, python
from tests.observe.harness import bench, config, observe, write
from tests.observe.taking import taker

PROJECT = {
    "README.md": "Prices.\n",
    "conftest.py": "",
    "data.txt": "7",
    "shop/__init__.py": "",
    "shop/listed.py": """
        def sizes():
            return [1, 2]
    """,
    "shop/price.py": """
        RATE = 2


        def tax(n):
            return n * RATE


        def net(n):
            # what is left
            def less(m):
                return m - 1

            return less(n)


        class Till:
            def __init__(self):
                self.sum = 0

            def add(self, n):
                self.sum += n
                return self.sum


        double = lambda n: n + n
    """,
    "tests/test_price.py": """
        from pathlib import Path

        import pytest

        from shop import listed, price


        def test_tax():
            assert price.tax(2) == 4


        def test_net():
            assert price.net(2) == 1


        def test_till():
            till = price.Till()
            till.add(1)
            assert till.add(2) == 3


        def test_double():
            assert price.double(2) == 4


        @pytest.mark.parametrize("size", listed.sizes())
        def test_size(size):
            assert size


        def test_data():
            assert Path("data.txt").read_text() == "7"
            assert Path("tests/sample.py").read_text()


        @pytest.mark.skip
        def test_skipped():
            assert price.tax(2) == 4


        def test_one():
            assert price.RATE == 2


        def test_two():
            assert price.RATE == 2


        def test_three():
            assert price.RATE == 2
    """,
    "tests/sample.py": """
        def sample():
            return 1
    """,
    "tests/test_red.py": """
        def test_red():
            assert 1 == 2
    """,
}
TWO_LINES = "price.tax(\n        2\n    ) == 4\n\n\ndef test_n"
HERE = "tests/test_price.py::"
RED = "tests/test_red.py::test_red"


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A state directory for this test alone."""
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state" / "baselines"


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """The project, with a baseline of it that each test gets a copy of."""
    folder = tmp_path_factory.mktemp("renewing")
    root = write(folder / "shop", PROJECT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BONAFIX_STATE_DIR", str(folder / "state"))
        with taker(root) as take:
            take()
        (entry,) = [store.load(root, store.latest(root))]
    return root, entry


@pytest.fixture
def root(taken):
    """The project as the baseline knows it."""
    root, entry = taken
    restored(root)
    store.save(root, entry)
    yield root
    restored(root)


def restored(root):
    for path in root.rglob("*"):
        if path.is_file() and str(path.relative_to(root)) not in PROJECT:
            path.unlink()
    write(root, PROJECT)
    (root / "README.md").chmod(0o644)


def edit(root, path, old, new):
    """Exchange what occurs once."""
    text = (root / path).read_text()
    assert text.count(old) == 1
    (root / path).write_text(text.replace(old, new))


def again(root, *targets, settings=None):
    """What a session has run for a baseline, the note about it, and the baseline."""
    with taker(root, settings) as take:
        found, runs, notes = take(*targets)
    return runs, notes[0], found


def lines_of(run):
    return {i: {p: set(n) for p, n in table.items()} for i, table in run.lines.items()}


def same(found, root, settings=None):
    """Whether a baseline is what a run of everything gives, id by id."""
    fresh = observe(root, settings, record_lines=True)
    assert found.run.collected == fresh.collected
    for node_id in fresh.collected:
        kept, new = found.run.results[node_id], fresh.results[node_id]
        assert kept.outcome is new.outcome, node_id
        assert kept.definition == new.definition, node_id
        assert kept.place == new.place, node_id
    assert lines_of(found.run) == lines_of(fresh)
    assert found.run.reach.functions == fresh.reach.functions
    assert found.run.opened == fresh.opened
    assert found.run.exit_code == fresh.exit_code


# ------------------------------------------------------------------ what runs again


def test_a_function_changed(root):
    """Who runs it is run again, twice, with what is red; nobody else is."""
    edit(root, "shop/price.py", "n * RATE", "n + RATE + 1")
    runs, note, found = again(root)
    wanted = [HERE + "test_tax", RED]
    assert runs == [wanted, wanted, *[[HERE + "test_tax"]] * 3]
    assert note.startswith("baseline from cache: 12 tests, taken ")
    assert note.endswith("; 1 that depends on shop/price.py was run again")
    assert found.run.outcome(HERE + "test_tax") is Outcome.FAILED
    assert found.repeats[RED] == (Outcome.FAILED,) * 5
    same(found, root)


def test_a_chain_of_edits(root):
    """What was renewed is renewed again; the lines are those of a new run each time.

    Lines come and go before, in and after functions; comments, methods, functions in
    functions and tests change. In the end all is as it was.
    """
    price, tests = "shop/price.py", "tests/test_price.py"
    chain = [
        (price, "    return n * RATE", "    n += 0\n    return n * RATE", {"tax"}),
        (price, "RATE = 2\n", "# of all\n\nRATE = 2\n", set()),
        (price, "return m - 1", "m -= 1\n        return m", {"net"}),
        (price, "self.sum += n", "\n        self.sum = n + self.sum", {"till"}),
        (tests, "price.tax(2) == 4\n\n\ndef test_n", TWO_LINES, {"tax"}),
    ]
    before = store.nearest(root, store.latest(root), "").taken
    for path, old, new, names in chain:
        edit(root, path, old, new)
        runs, note, found = again(root)
        assert {*runs[0]} == {RED, *(f"{HERE}test_{name}" for name in names)}
        assert "nothing depends" in note or f"{len(names)} that" in note
        same(found, root)
    assert store.nearest(root, store.latest(root), "").taken == before
    assert again(root)[0] == [[RED]]  # known as a whole by now
    restored(root)
    runs, note, found = again(root)
    assert "taken afresh" not in note
    same(found, root)


@pytest.mark.parametrize("name", ["python3.8", "python3.13"])
def test_any_interpreter(root, name):
    """It is the project's own that says what changed, and where lines went."""
    try:
        settings = config(python(name))
    except MissingError:
        settings = config(plain())
    with taker(root, settings) as take:
        take()
    edit(root, "shop/price.py", "n * RATE", "n + RATE + 1")
    edit(root, "shop/price.py", "self.sum = 0", "\n        self.sum = 1")
    runs, _, found = again(root, settings=settings)
    assert runs[0] == [HERE + "test_tax", HERE + "test_till", RED]
    same(found, root, settings)


def test_what_nobody_opens(root):
    """Of a document nothing depends but what is red anyway, once."""
    edit(root, "README.md", "Prices", "All prices")
    runs, note, found = again(root)
    assert runs == [[RED]]
    assert note.endswith("; nothing depends on README.md")
    same(found, root)
    assert again(root)[0] == [[RED]]


def test_targets(root):
    """What is asked about runs again too, and with it all that is red."""
    edit(root, "README.md", "Prices", "All prices")
    runs, _, _ = again(root, HERE + "test_one")
    assert runs == [[HERE + "test_one", RED]]
    edit(root, "shop/price.py", "n * RATE", "RATE * n")
    runs, _, _ = again(root, HERE + "test_one")
    assert runs[0] == [HERE + "test_tax", HERE + "test_one", RED]


def test_who_starts_processes(tmp_path):
    """Their lines are not all: they depend on whatever changes."""
    files = {
        "a.py": "def one():\n    return 1\n",
        "notes.txt": "a",
        "test_a.py": """
            import subprocess
            import sys


            def test_process():
                code = "import a; print(a.one())"
                told = subprocess.check_output([sys.executable, "-c", code])
                assert told == b"1\\n"


            def test_x(): pass
            def test_y(): pass
            def test_z(): pass
        """,
    }
    root = write(tmp_path / "shop", files)
    first(root)
    edit(root, "a.py", "return 1", "return 2")
    runs, _, found = again(root)
    assert runs[:2] == [["test_a.py::test_process"]] * 2
    assert found.run.red == ("test_a.py::test_process",)


def first(root):
    """The entry of a first baseline."""
    with taker(root) as take:
        take()
    return store.load(root, store.latest(root))


# ------------------------------------------------------------- what is taken afresh


AFRESH = {
    "a constant": ("shop/price.py", "RATE = 2", "RATE = 3", "runs when it is imported"),
    "a signature": ("shop/price.py", "def tax(n)", "def tax(n, m=1)", "imported"),
    "nonsense": ("shop/price.py", "n * RATE", "n *", "cannot be compiled"),
    "a conftest": ("conftest.py", None, "X = 1\n", "says how tests are run"),
    "a setting": ("pytest.ini", None, "[pytest]\n", "pytest.ini was added"),
    "one more": ("shop/more.py", None, "", "shop/more.py was added"),
    "one less": ("README.md", None, None, "README.md was removed"),
    "data": ("data.txt", None, "8", "data.txt changed, which tests open"),
    "a text": ("tests/sample.py", "1", "2", "py changed, which tests open"),
    "at import": (
        *("shop/listed.py", "[1, 2]", "[2, 1]"),
        "sizes of shop/listed.py changed, which ran for several tests",
    ),
    "a mode": ("README.md", "chmod", "chmod", "README.md is another kind of file"),
}


@pytest.mark.parametrize("name", AFRESH)
def test_beyond(root, taken, name):
    """What may matter to every test is told from what matters to some; and why."""
    path, old, new, why = AFRESH[name]
    if old == "chmod":
        (root / path).chmod(0o755)
    elif new is None:
        (root / path).unlink()
    elif old is None:
        (root / path).write_text(new)
    else:
        edit(root, path, old, new)
    entry = taken[1]
    with bench(root, config()) as made:
        place = Bench(made.snapshot, made.interpreter, made.config)
        with pytest.raises(changes.BeyondError, match=why):
            asyncio.run(changes.changes(place, entry.tree, entry.observed.run))


def test_afresh(root):
    """Where all of it may depend on a change, or most, all runs; the reason is said."""
    text = PROJECT["tests/test_price.py"].replace("assert ", "assert 1 and ")
    write(root, {"tests/test_price.py": text})
    for path, why in (
        ("tests/test_price.py", "more than half of the tests depend on tests/test"),
        ("data.txt", "data.txt changed, which tests open"),
    ):
        (root / path).write_text((root / path).read_text() + "\n")
        runs, note, _ = again(root)
        assert runs[:2] == [None, None]
        assert note.startswith(f"baseline taken afresh: {why}")


def test_spoilt(root, taken):
    """An entry of another form, or without the files, counts as absent."""
    entry = taken[1]
    edit(root, "README.md", "Prices", "All prices")
    lacking = "the project has too many files to keep what each was"
    for spoilt, said in (
        (dataclasses.replace(entry, form=1), []),
        (
            dataclasses.replace(entry, tree=store.Tree()),
            [f"baseline taken afresh: {lacking}"],
        ),
    ):
        store.forget(root, store.latest(root))
        store.save(root, spoilt)
        with taker(root) as take:
            _, runs, notes = take()
        assert runs[:2] == [None, None]
        assert notes == said


def test_contradicted(root, taken):
    """Where something is not as it was and nothing changed for it, all runs."""
    entry = taken[1]
    wrong = dict.fromkeys(entry.observed.alone, (Outcome.PASSED,) * 3)
    results = {
        i: dataclasses.replace(r, outcome=Outcome.ERROR) if i == RED else r
        for i, r in entry.observed.run.results.items()
    }
    run = dataclasses.replace(entry.observed.run, results=results)
    seen = dataclasses.replace(entry.observed, alone=wrong, run=run)
    for path, old, new in (
        ("README.md", "Prices", "All prices"),
        ("shop/price.py", "n * RATE", "RATE * n"),
    ):
        store.save(root, dataclasses.replace(entry, observed=seen))
        edit(root, path, old, new)
        runs, note, found = again(root)
        assert runs[-5:-3] == [None, None]
        assert note == f"baseline taken afresh: {RED} is failed now and was passed then"
        assert found.run.outcome(RED) is Outcome.FAILED
        store.forget(root, store.latest(root))


def test_shared_in_imports(tmp_path):
    """What one test happens to import first has run for all that come after it."""
    files = {
        "a.py": "import b\nTWO = b.two()\n",
        "b.py": "def two():\n    return 2\n\ndef three():\n    return 3\n",
        "test_a.py": textwrap.dedent("""
            def test_first():
                import a
                assert a.TWO == 2

            def test_second():
                import a
                assert a.TWO == 2

            def test_three():
                import b
                assert b.three() == 3

            def test_x(): pass
            def test_y(): pass
        """),
    }
    root = write(tmp_path / "shop", files)
    first(root)
    edit(root, "b.py", "return 3", "return -3")
    runs, _, _ = again(root)
    assert runs[0] == ["test_a.py::test_three"]
    edit(root, "b.py", "return 2", "return -2")
    _, note, _ = again(root)
    assert "two of b.py changed, which ran for several tests" in note

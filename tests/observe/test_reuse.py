"""A baseline is reused where nothing has changed, and never where something has."""

import dataclasses
import gzip
import json
import os
import time

import pytest

from bonafix.domain import Outcome, Place, SuiteRun, TestResult
from bonafix.observe import depends, store
from bonafix.observe.packed import ShapeError, pack, unpack
from bonafix.observe.run import Bench
from bonafix.sandbox.confinement import capabilities
from tests.observe.harness import bench, config, write
from tests.observe.taking import taker

PROJECT = {
    "shop/__init__.py": "",
    "shop/price.py": """
        def total(prices):
            return sum(prices) - 1
    """,
    "tests/test_shop.py": """
        import shop.price


        def test_red():
            assert shop.price.total([1, 2]) == 3


        def test_other():
            assert shop.price.total([1]) == 1


        def test_green():
            assert shop.price.total([]) == -1
    """,
}
HERE = "tests/test_shop.py::"
RED = HERE + "test_red"
PARTS = {"the project's files": "a", "settings": "b"}


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A state directory for this test alone."""
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state" / "baselines"


def observed():
    """A small `Observed` with something of every kind in it."""
    place = Place("a.py", 3)
    result = TestResult(id="a", outcome=Outcome.FAILED, place=place, captured="\udc80")
    run = SuiteRun(
        results={"a": result},
        collected=("a", "b"),
        lines={"a": {"a.py": frozenset({1, 2})}},
        exit_code=1,
        elsewhere=("/etc/hosts",),
    )
    again, alone = {"b": Outcome.PASSED}, {"a": (Outcome.FAILED,) * 3}
    return store.Observed(run=run, again=again, alone=alone, seconds=1.5)


def entry(**changes):
    """An entry as it would be kept."""
    made = store.Entry(
        parts=PARTS, elsewhere={"/x": "1"}, taken=time.time(), observed=observed()
    )
    return dataclasses.replace(made, **changes)


def test_reused(tmp_path, state):
    """A second baseline of the same code is the first, after a look at what is red.

    Where that is not as it was, all of it runs again.
    """
    root = write(tmp_path / "shop", PROJECT)
    with taker(root) as take:
        first, runs, _ = take(RED)
        assert runs == [None, None, [RED], [RED], [RED]]
    with taker(root) as take:  # another copy, as another session has it
        second, runs, notes = take(RED)
        assert second == first
        assert runs == [[RED]]
        assert len(notes) == 1
        assert notes[0].startswith("baseline from cache: 3 tests, taken ")
        other = HERE + "test_other"
        third, runs, _ = take(other)  # red, and not yet known to be steady
        assert third.repeats[other] == ("failed",) * 5
        assert runs == [[other]] * 4  # one to see whether it still is
        known = store.load(root, store.latest(root))
        assert known.observed.alone.keys() == {RED, other}
        wrong = {RED: (Outcome.PASSED,) * 3}
        seen = dataclasses.replace(known.observed, alone=wrong)
        store.save(root, dataclasses.replace(known, observed=seen))
        found, runs, notes = take(RED)
        assert runs[:3] == [[RED], None, None]
        assert notes == [
            f"baseline taken afresh: {RED} is failed now and was passed then"
        ]
        assert found.run.outcome(RED) is Outcome.FAILED
    assert state.stat().st_mode & 0o077 == 0


def test_taken_afresh(tmp_path):
    """A changed file, another file that tests open, a new day: the suite is run."""
    files = {
        "a.py": "N = 1\n",
        "test_a.py": "import a\ndef test_a(): open('/etc/passwd').close()\n",
    }
    root = write(tmp_path / "shop", files)
    with taker(root) as take:
        take()
        known = store.load(root, store.latest(root))
        assert "/etc/passwd" in known.elsewhere
        moved = {"elsewhere": {"/etc/passwd": "of old"}}
        for changes, why in (
            (moved, "/etc/passwd, which tests open, has changed"),
            ({"taken": time.time() - 100_000}, "in the cache is more than a day old"),
        ):
            store.save(root, dataclasses.replace(known, **changes))
            _, runs, notes = take()
            assert runs == [None, None]
            assert why in notes[0]
        assert take()[1] == []
    write(root, {"a.py": "N = 2\n"})
    with taker(root, config(memory=1 << 30)) as take:
        _, runs, notes = take()
    assert runs == [None, None]
    assert notes[0].startswith("baseline taken afresh: the project's files, settings")


@pytest.mark.parametrize("why", ["crash", "no cache", "off", "inside"])
def test_not_kept(tmp_path, state, monkeypatch, why):
    """What is unsettled, unwanted, or could be written by tests is not kept."""
    files = {"test_a.py": "import os\ndef test_a(): assert 1\n"}
    if why == "crash":
        files["test_a.py"] += "def test_b(): os._exit(3)\n"
    root = write(tmp_path / "shop", files)
    wishes = {"no cache": {"cache": False}, "off": {"confine": "off"}}.get(why, {})
    if why == "inside":
        monkeypatch.setenv("BONAFIX_STATE_DIR", str(root / "state"))
    with taker(root, config(**wishes)) as take:
        take()
        assert (
            take()[1] == [None, None] + [["test_a.py::test_b"]] * (why == "crash") * 3
        )
    assert not list(tmp_path.rglob("*.json.gz"))
    assert not state.exists()


def test_tests_cannot_write_there(tmp_path, state):
    """A test that knows where it is can neither read nor change what is kept."""
    text = f"""
        import pathlib


        def test_write():
            place = pathlib.Path({str(state)!r})
            kept = list(place.glob("*.gz")) if place.exists() else []
            for path in kept:
                path.write_bytes(b"")
            place.mkdir(parents=True, exist_ok=True)
            (place / "mine.json.gz").write_bytes(b"")
            assert not kept
    """
    root = write(tmp_path / "shop", {"test_a.py": text})
    with taker(root) as take:
        take()
        before = {path.name: path.read_bytes() for path in state.iterdir()}
        assert len(before) == 1
    write(root, {"more.txt": "so that it runs again"})
    with taker(root) as take:
        found, _, _ = take()
    assert found.run.outcome("test_a.py::test_write") is Outcome.PASSED
    after = {path.name: path.read_bytes() for path in state.iterdir()}
    assert after.items() >= before.items()
    assert "mine.json.gz" not in after


def test_what_a_baseline_depends_on(tmp_path, monkeypatch):
    """Code, variables let through, settings, installed packages: each is a part."""
    root = write(tmp_path / "shop", PROJECT)
    library = write(tmp_path / "library", {"helper.py": "N = 1\n"})
    monkeypatch.setenv("PYTHONPATH", str(library))
    monkeypatch.setenv("SHOP_MODE", "fast")

    def parts(settings=None):
        with bench(root, settings or config()) as made:
            where = Bench(made.snapshot, made.interpreter, made.config)
            return depends.parts(where, capabilities(), os.environ)

    def changed(settings=None, *, since):
        now = parts(settings)
        return {name for name in now if now[name] != since[name]}

    before = parts()
    assert changed(since=before) == set()
    link = root / "data"
    link.symlink_to(library)
    assert "what its links lead to" in changed(since=before)
    link.unlink()
    (root / "shop/price.py").chmod(0o755)
    assert changed(since=before) == {"the project's files"}
    (root / "shop/price.py").chmod(0o644)
    (library / "helper.py").write_text("N = 2  # longer\n")
    assert changed(since=before) == {"installed packages"}
    before = parts()
    assert changed(config(memory=1 << 30), since=before) == {"settings"}
    let_through = config(environment=("SHOP_MODE",))
    before = parts(let_through)
    monkeypatch.setenv("SHOP_MODE", "slow")
    assert changed(since=parts()) == set()  # nobody is shown it
    assert changed(let_through, since=before) == {"the environment"}
    monkeypatch.setenv("LC_ALL", "C")
    assert "the environment" in changed(since=before)


def test_round_trip():
    """What is kept comes back as it was; what has another shape is refused."""
    made = entry()
    packed = json.loads(json.dumps(pack(made)))
    assert unpack(store.Entry, packed) == made
    for spoil in (
        {"taken": "now"},
        {"parts": [1]},
        {"parts": {"a": 1}},
        {"observed": {**packed["observed"], "seconds": None}},
        {"observed": {**packed["observed"], "again": {"a": "perfect"}}},
        {"more": 1},
    ):
        with pytest.raises(ShapeError):
            unpack(store.Entry, {**packed, **spoil})
    del packed["taken"]
    with pytest.raises(ShapeError):
        unpack(store.Entry, packed)


def test_spoilt_entries_are_absent(tmp_path, state):
    """Cut short, changed, about something else, others' to write, a link: not there."""
    root = tmp_path / "shop"
    assert store.save(root, entry())
    (path,) = state.iterdir()
    good = path.read_bytes()
    assert store.load(root, PARTS) == entry(taken=store.load(root, PARTS).taken)
    foreign = gzip.compress(json.dumps(pack(entry(parts={"a": "b"}))).encode())
    later = gzip.compress(json.dumps(pack(entry(form=99))).encode())
    for data in (b"", good[:-9], b"{}", gzip.compress(b"[" * 9999), foreign, later):
        path.write_bytes(data)
        assert store.load(root, PARTS) is None
    path.write_bytes(good)
    path.chmod(0o666)
    assert store.load(root, PARTS) is None
    path.chmod(0o600)
    assert store.load(root, PARTS)
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    assert store.load(root, PARTS) is None
    path.unlink()
    (tmp_path / "moved").rename(path)
    state.chmod(0o777)
    assert store.load(root, PARTS) is None
    assert store.unsafe(root)


def test_bounded(tmp_path, state):
    """Of one project a few are kept, of all together some; the newest stay."""
    root = tmp_path / "shop"
    for n in range(store.PER_ROOT + 2):
        store.save(root, entry(parts={"n": str(n)}))
        os.utime(max(state.iterdir(), key=lambda p: p.stat().st_ctime_ns), (n, n))
    assert len(list(state.iterdir())) == store.PER_ROOT
    for n in range(store.ENTRIES + 2):
        store.save(tmp_path / str(n), entry())
    assert len(list(state.iterdir())) == store.ENTRIES
    assert store.load(tmp_path / str(store.ENTRIES + 1), PARTS)
    store.forget(tmp_path / str(store.ENTRIES + 1), PARTS)
    assert not store.load(tmp_path / str(store.ENTRIES + 1), PARTS)

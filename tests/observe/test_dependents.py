"""Who depends on what changed, and what is kept of the others; without any run."""

import asyncio
from dataclasses import replace

import pytest

from bonafix.config import Config
from bonafix.domain import Outcome, Place, Reach, SuiteRun, TestResult
from bonafix.observe import changes, store
from bonafix.observe.changes import Altered, Changes, Function
from bonafix.observe.dependents import dependents, merged, moved, worthwhile
from bonafix.observe.run import Bench
from tests.observe.values import interpreter, snapshot

# Of ten lines the third and fourth are a function that changed; one more line now.
CHANGED = Function("f", 3, 4, frozenset({4}), frozenset({3}))
LINES = {n: n + (n > 4) for n in (1, 2, 3, 5, 6, 7, 8, 9)}  # not all of them
CHANGES = Changes({"a.py": Altered((CHANGED,), LINES)}, ("a.py", "b.txt"))
DOCUMENT = Changes({}, ("b.txt",))


def result(node_id, outcome=Outcome.PASSED, line=1, **more):
    place = Place(f"{node_id}.py", line)
    return TestResult(id=node_id, outcome=outcome, definition=place, **more)


def suite(*results, lines, **more):
    """A run of these, with what each executed of `a.py`."""
    return SuiteRun(
        results={one.id: one for one in results},
        collected=tuple(one.id for one in results),
        lines={i: {"a.py": frozenset(n)} if n else {} for i, n in lines.items()},
        **{"reach": Reach(), **more},
    )


def tree_with(sources, marks):
    """A snapshot with these, and nothing else."""
    return replace(snapshot({}), sources=sources, marks=marks)


@pytest.mark.parametrize(
    ("lines", "depends"),
    [
        ({1, 2, 7}, False),
        ({4, 7}, True),
        ({3}, False),  # it is defined in there, and has not run
        ({10}, True),  # nobody knows where that went
        (set(), True),  # nothing was recorded
        (None, True),
    ],
)
def test_by_lines(lines, depends):
    """Who ran the function, or cannot be followed, and nobody else."""
    run = suite(result("t"), lines={} if lines is None else {"t": lines})
    assert bool(dependents(run, CHANGES)) is depends


def test_by_results():
    """A skipped test need not have lines; one that is defined there depends on it."""
    skipped = result("t", Outcome.SKIPPED)
    assert not dependents(suite(skipped, lines={"t": ()}), CHANGES)
    inside = replace(skipped, definition=Place("a.py", 3))
    assert dependents(suite(inside, lines={"t": ()}), CHANGES)
    lost = replace(suite(skipped, lines={"t": {1}}), results={})
    assert dependents(lost, CHANGES)


def test_who_was_not_seen_through():
    """It depends on whatever changes, a document too; others do not on that."""
    reach = Reach(unseen=frozenset({"u"}))
    run = suite(result("t"), result("u"), lines={"t": {4}, "u": {1}}, reach=reach)
    assert dependents(run, DOCUMENT) == ("u",)
    assert dependents(run, CHANGES) == ("t", "u")


def test_worthwhile():
    """Half of the tests at most, and of the time where that is more than a moment."""
    slow = suite(
        *(result(i, seconds=s) for i, s in {"a": 6, "b": 1, "c": 1, "d": 1}.items()),
        lines={},
    )
    assert worthwhile(slow, ("b", "c"))
    assert not worthwhile(slow, ("b", "c", "d"))
    assert not worthwhile(slow, ("a",))
    quick = suite(
        *(result(i, seconds=s) for i, s in {"a": 0.9, "b": 0, "c": 0}.items()), lines={}
    )
    assert worthwhile(quick, ("a",))


def test_moved_and_merged():
    """Lines of others are where they went; of who ran again, what it did now."""
    xfailed = result("t", Outcome.XFAILED, place=Place("a.py", 8))
    one = replace(xfailed, definition=Place("a.py", 7))
    before = suite(
        one,
        result("u"),
        lines={"t": {2, 9}, "u": {4, 9}},
        reach=Reach(functions={"a.py": frozenset({6})}, unseen=frozenset({"u"})),
        opened={"x": frozenset({"t", "u"}), "y": frozenset({"u"})},
        elsewhere=("/etc/hosts",),
    )
    gone = frozenset(dependents(before, CHANGES))
    assert gone == {"u"}
    there = moved(before, CHANGES, gone)
    assert there.lines == {"t": {"a.py": {2, 10}}}
    assert there.results["t"].definition == Place("a.py", 8)
    assert there.results["t"].place == Place("a.py", 9)
    now = suite(
        replace(one, outcome=Outcome.FAILED),
        result("u", Outcome.FAILED),
        lines={"t": {1}, "u": {5}},
        opened={"z": frozenset({"u"})},
        elsewhere=("/etc/passwd",),
    )
    both = merged(there, now, ("u",))
    assert both.collected == before.collected == (*both.results,)
    assert both.outcome("t") is Outcome.XFAILED
    assert both.red == ("u",)
    assert both.exit_code == 1
    assert both.lines == {"t": {"a.py": {2, 10}}, "u": {"a.py": {5}}}
    assert both.opened == {"x": {"t"}, "z": {"u"}}
    assert both.elsewhere == ("/etc/hosts", "/etc/passwd")
    assert both.reach == Reach(functions={"a.py": frozenset({7})})


@pytest.mark.parametrize("reach", [None, Reach(unseen=frozenset({""}))])
def test_nothing_to_go_by(reach):
    """Where more ran than any test did, or that is unknown, all depends on a change."""
    run = suite(result("t"), lines={"t": {1}}, reach=reach)
    tree = tree_with({}, {"a.txt": b"F0"})
    before = store.Tree(marks={"a.txt": "F1"})
    place = Bench(tree, interpreter(), Config())
    with pytest.raises(changes.BeyondError, match="more ran than can be told"):
        asyncio.run(changes.changes(place, before, run))


def test_too_much_is_not_kept():
    """Sources are, up to a bound, byte for byte; of too many files nothing is."""
    odd = {"a.py": b"# \xff\n", "b.txt": b"b"}
    marks = {path: b"F" + text for path, text in odd.items()}
    kept = changes.tree_of(tree_with(odd, marks))
    assert kept.sources["a.py"].encode("utf-8", "surrogateescape") == odd["a.py"]
    assert kept.sources.keys() == {"a.py"}
    assert kept.marks.keys() == odd.keys()
    large = {"a.py": b"#" * changes.MOST_SOURCES + b"\n"}
    some = changes.tree_of(tree_with(large, marks))
    assert (some.sources, len(some.marks)) == ({}, 2)
    many = {f"{n}.txt": b"F" for n in range(changes.MOST_FILES + 1)}
    assert changes.tree_of(tree_with(odd, many)) == store.Tree()

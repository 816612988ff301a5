"""What is sealed of which test, and that no masked file gives it away."""

import asyncio
import dataclasses
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafix.domain import Baseline, Layout, Outcome, Place, SuiteRun
from bonafix.judge.hiding.parametrized import rows_of, tables
from bonafix.judge.hiding.proving import proven
from bonafix.judge.hiding.sealing import joined, seal
from bonafix.judge.hiding.selecting import sealed_rows
from bonafix.judge.hiding.visible import (
    visible_run,
    visible_runner,
    visible_snapshot,
    visible_targets,
)
from bonafix.syntax import functions, is_valid, parse
from tests.judge.values import result
from tests.observe.harness import bench, config, write

APP = """
    def double(x):
        return x + x + 1


    def half(x):
        return x // 2
    """
TESTS = '''
    """What doubles does."""

    import unittest

    import pytest

    from app import double, half

    WANT_HIDDEN = "hidden-constant"


    # hidden-above
    @pytest.mark.parametrize(
        "x, want",
        [
            (1, 2),  # shown
            (2, 4),
            # hidden-between
            (3, 6),  # hidden-beside
            pytest.param(4, 8, id="hidden-four"),
            pytest.param(5, 10),
        ],
    )
    def test_rows(x, want):
        assert double(x) == want


    @pytest.mark.parametrize("cfg", [{"a": 1}, {"a": 2}, {"a": 3, "b": "hidden-cfg"}])
    def test_dicts(cfg):
        assert double(cfg["a"]) == cfg["a"] * 2


    @pytest.mark.parametrize("x", (7, 8))
    def test_pair(x):
        assert double(x) == x + x


    @pytest.mark.parametrize("sign", [1, -1])
    @pytest.mark.parametrize("x", [20, 21, 22, 23])
    def test_stacked(x, sign):
        assert double(x) * sign == 2 * x * sign


    HIDDEN_CASES = [(30, 60), (31, 62), (32, 64)]


    @pytest.mark.parametrize(
        ("x", "want"), HIDDEN_CASES, ids=["thirty", "hidden-more", "hidden-most"]
    )
    def test_named(x, want):
        assert double(x) == want


    @pytest.mark.parametrize("x", [40, 41], ids=str)
    def test_ids(x):
        assert double(x) == 2 * x


    @pytest.mark.parametrize("call, want", [(half, 2), (double, 8), (half, 2)])
    def test_some_pass(call, want):
        assert call(4) == want


    @pytest.mark.parametrize("x", [43, 43, 44])
    def test_doubled_ids(x):
        assert double(x) == 2 * x


    @pytest.mark.parametrize("x", [*range(45, 47)])
    def test_not_written_out(x):
        assert double(x) == 2 * x


    class TestAll:
        @pytest.mark.parametrize("x", [50, 51])
        def test_method(self, x):
            assert double(x) == 2 * x

        def test_other(self):
            y = double(60)
            want = 122
            assert y == 120
            # hidden-after
            assert double(61) == want, "hidden-assertion"
            for a in (62, 63):
                assert double(a) == 2 * a, "hidden-loop"


    class TestOld(unittest.TestCase):
        def test_equal(self):
            """A docstring."""
            assert double(70) == 140
            self.assertEqual(double(71), 142, "hidden-unittest")

        def test_constant(self):
            self.assertEqual(double(80), 160)
            self.assertEqual(double(81), WANT_HIDDEN)


    def test_half():
        assert half(4) == 2


    def test_later_is_green():
        assert double(90) == 180
        assert half(8) == 4


    def test_loop():
        for x in (91, 92):
            assert double(x) == 2 * x
            assert half(2 * x) == x
    '''
README = """
    # App

    `double` gives twice as much:

    ```python
    >>> from app import double
    >>> double(90017)
    180034
    ```

    That is all.
    """
LAYOUT = Layout(
    package_roots=("app.py",),
    tests=frozenset({"test_app.py"}),
    collected=frozenset({"test_app.py"}),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project on a bench, with its baseline."""
    files = {"app.py": APP, "test_app.py": TESTS, "README.md": README}
    root = write(tmp_path_factory.mktemp("sealing"), files)
    with bench(root, config()) as made:
        run = asyncio.run(made.run({}, record_lines=True))
        yield made, Baseline(run=run, layout=LAYOUT)


def shown(project, name):
    """The seal of one test function alone, and what its files look like then."""
    made, base = project
    wanted = [r for r in base.failures if r.id.split("[")[0].endswith(f"::{name}")]
    others = frozenset(r.id for r in base.failures if r not in wanted)
    base = dataclasses.replace(base, flaky=others)  # all fail in the same function
    sources = made.snapshot.sources
    done = asyncio.run(proven(wanted, base, sources, made.run))
    text = done.seal.files.get("test_app.py", b"").decode()
    return done.seal, text


SHAPES = [
    ("test_rows", ["1-2", "2-4"], ["3-6", "5-10", "hidden-four"]),
    ("test_dicts", ["cfg0"], ["cfg1", "cfg2"]),
    ("test_pair", ["7"], ["8"]),
    ("test_stacked", ["20-1", "20--1", "21-1", "21--1"], 4),
    ("test_named", ["thirty"], ["hidden-more", "hidden-most"]),
    ("test_ids", ["40"], ["41"]),
    ("test_method", ["50"], ["51"]),
    ("test_some_pass", ["double-8"], []),
    ("test_not_written_out", ["45", "46"], []),
]


@pytest.mark.parametrize(("name", "visible", "hidden"), SHAPES)
def test_rows_of_many_shapes(project, name, visible, hidden):
    """Of failing rows a few stay, with the ids they had; the others are gone."""
    made, text = shown(project, name)
    bracket = {t.id.partition("[")[2][:-1] for t in made.visible}
    gone = {i.partition("[")[2][:-1] for i in made.sealed}
    assert bracket == set(visible)
    assert len(gone) == hidden if isinstance(hidden, int) else gone == set(hidden)
    assert made.notes == ()
    if hidden:
        assert set(made.red) == set(made.sealed)
        assert is_valid(text)
        assert len(text.splitlines()) == len(
            textwrap.dedent(TESTS).lstrip().splitlines()
        )


def test_ids_that_would_shift_are_not_sealed(project):
    """Two equal ids are told apart by a number: the run shows it, so all stay."""
    made, _ = shown(project, "test_doubled_ids")
    assert len(made.visible) == 3
    assert made.sealed == {}
    assert "was another test" in made.notes[0]


def test_rows_go_with_their_names_and_comments(project):
    """Nothing beside a sealed row tells of it."""
    _, text = shown(project, "test_rows")
    for word in ("hidden-between", "hidden-beside", "hidden-four", "(5, 10)"):
        assert word not in text
    assert "(1, 2),  # shown" in text
    _, text = shown(project, "test_named")
    assert "hidden-more" not in text
    assert "(31, 62)" not in text
    _, text = shown(project, "test_dicts")
    assert "hidden-cfg" not in text


def test_assertions_after_the_failing_one(project):
    """They go with all that only they need; what was seen to fail there is awake."""
    made, text = shown(project, "test_other")
    assert "assert y == 120" in text
    for word in ("hidden-after", "hidden-assertion", "hidden-loop", "want = 122"):
        assert word not in text
    assert made.sealed == {}
    assert made.assertions == 2
    assert made.awake == {"test_app.py::TestAll::test_other"}
    made, text = shown(project, "test_equal")
    assert "hidden-unittest" not in text
    assert made.awake == {"test_app.py::TestOld::test_equal"}


def test_a_constant_that_only_sealed_assertions_need(project):
    """It is taken out with them."""
    _, text = shown(project, "test_constant")
    assert "hidden-constant" not in text
    assert "WANT_HIDDEN" not in text


def test_an_assertion_that_held_is_sealed_but_not_awake(project):
    """Only what fails on the original shows that a fix reached further."""
    made, text = shown(project, "test_later_is_green")
    assert "half(8)" not in text
    assert made.awake == frozenset()


def test_a_loop_is_left_alone(project):
    """What comes after in a loop's body comes before in its next round."""
    made, text = shown(project, "test_loop")
    assert made.assertions == 0
    assert "half(2 * x) == x" in text or not text


@pytest.fixture(scope="module")
def whole(project):
    """The seal of all failures together."""
    made, base = project
    sources = made.snapshot.sources
    return asyncio.run(proven(base.failures, base, sources, made.run))


def test_few_of_many_functions_stay(project, whole):
    """Two of them, proven by a run; the documentation's examples are gone, too."""
    _, base = project
    functions_shown = {t.id.split("[")[0] for t in whole.seal.visible}
    assert len(functions_shown) == 2
    assert set(whole.seal.red) | {t.id for t in whole.seal.visible} == set(base.run.red)
    assert whole.seal.notes == ()
    assert [example.source for example in whole.seal.examples][1] == "double(90017)\n"
    assert b"90017" not in whole.seal.files["README.md"]
    assert b"That is all." in whole.seal.files["README.md"]


def test_a_proposer_finds_nothing_sealed(project, whole):
    """Neither in its sources, nor in results, nor in a run's copy or output."""
    made, base = project
    snapshot = visible_snapshot(whole.seal, made.snapshot)
    run = visible_run(whole, base.run)
    seen = asyncio.run(visible_runner(whole.seal, made.run)({}))
    targets = visible_targets(whole)
    for word in ("hidden-", "HIDDEN", "90017"):
        assert word not in repr(snapshot.sources)
        assert word not in repr(run)
        assert word not in repr(seen)
        assert word not in repr(targets)
    assert not set(whole.seal.sealed) & set(run.collected)
    assert set(seen.collected) == set(run.collected)
    assert [t.id for t in targets] == [t.id for t in whole.seal.visible]


SPY = """
    import os


    def test_spy():
        words = [b"hid" + b"den-", b"HID" + b"DEN", b"900" + b"17"]
        above = os.path.dirname(os.path.dirname(os.getcwd()))
        found, seen = [], 0
        for folder, _, names in os.walk(above):
            for path in (os.path.join(folder, name) for name in names):
                try:
                    with open(path, "rb") as file:
                        data = file.read()
                except OSError:
                    continue
                seen += 1
                found += [path] if any(word in data for word in words) else []
        assert seen > 2
        assert found == []
    """


def test_no_file_of_a_visible_run_holds_what_is_sealed(project, whole):
    """A test that looks around, in its own copy and above it, finds nothing."""
    made, _ = project
    run = visible_runner(whole.seal, made.run)
    spy = {"test_spy.py": textwrap.dedent(SPY).encode()}
    seen = asyncio.run(run(spy, select=["test_spy.py::test_spy"]))
    (result,) = seen.results.values()
    assert result.outcome is Outcome.PASSED, result.message
    seen = asyncio.run(made.run(spy, select=["test_spy.py::test_spy"]))
    (result,) = seen.results.values()
    assert result.outcome is Outcome.FAILED  # it would have found it


def test_visible_runs_refuse_sealed_ids(project, whole):
    """To ask for a sealed id alone runs nothing."""
    made, _ = project
    run = visible_runner(whole.seal, made.run)
    sealed = next(iter(whole.seal.sealed))
    assert asyncio.run(run({}, select=[sealed])) == SuiteRun(results={}, collected=())


# ------------------------------------------------------------------------ without runs


def failing(text, *names, layout=LAYOUT, sources=None, **changes):
    """A baseline in which these tests of a file fail at their first assertion."""
    source = textwrap.dedent(text).lstrip()
    lines = source.splitlines()
    found = {}
    for function in functions(parse(source)):
        if not function.name.startswith("test"):
            continue
        at = range(function.first_line, function.last_line + 1)
        line = next((n for n in at if "assert" in lines[n - 1]), function.last_line)
        node_id = f"test_app.py::{function.name}"
        found[node_id] = result(
            node_id,
            Outcome.FAILED if function.name in names else Outcome.PASSED,
            exception="AssertionError" if function.name in names else "",
            definition=Place("test_app.py", function.first_line),
            place=Place("test_app.py", line),
            **changes,
        )
    table = {i: {"app.py": frozenset({2})} for i in found}
    run = SuiteRun(results=found, collected=tuple(found), lines=table)
    files = {"test_app.py": source.encode(), "app.py": b"", **(sources or {})}
    return Baseline(run=run, layout=layout), files


THREE = """
    def test_long():
        x = 3
        assert double(x) == 6


    def test_short():
        assert double(1) == 2


    def test_other():
        y = 4
        assert double(y) == 8
    """
NAMES = ("test_long", "test_short", "test_other")


def test_the_shortest_stays():
    """It says most plainly what is wanted."""
    base, files = failing(THREE, *NAMES)
    made = seal(base.failures, base, files)
    assert [t.id for t in made.visible] == ["test_app.py::test_short"]
    assert set(made.sealed.values()) == {"twin"}
    assert b"double(1) == 2" in made.files["test_app.py"]
    assert b"== 8" not in made.files["test_app.py"]


def test_a_single_failure_has_nothing_to_seal():
    """What fails stays visible."""
    base, files = failing(THREE, "test_short")
    made = seal(base.failures, base, files)
    assert made.sealed == {}
    assert made.files == {}
    assert len(made.visible) == 1


def test_what_another_function_calls_stays():
    """A test that is used by its name cannot be taken out."""
    text = THREE + "\n\n    def helper():\n        test_long()\n"
    base, files = failing(text, *NAMES)
    made = seal(base.failures, base, files)
    assert "test_app.py::test_long" not in made.sealed
    uses = {"other.py": b"from test_app import test_other\n"}
    base, files = failing(THREE, *NAMES, sources=uses)
    assert "test_app.py::test_other" not in seal(base.failures, base, files).sealed


def test_other_failures_with_the_cause_are_sealed():
    """Those too that nobody asked to repair, unless they are repaired apart."""
    base, files = failing(THREE, *NAMES)
    short = base.run.results["test_app.py::test_short"]
    made = seal([short], base, files)
    assert set(made.sealed) == {"test_app.py::test_long", "test_app.py::test_other"}
    assert made.targets == (short,)
    made = seal([short], base, files, apart=["test_app.py::test_long"])
    assert set(made.sealed) == {"test_app.py::test_other"}


def test_other_red_rows_of_a_targets_test_are_free():
    """They may have a cause of their own, so they count only where they pass."""
    text = """
        @pytest.mark.parametrize("x", [1, 2])
        def test_rows(x):
            assert double(x) == 2 * x
        """
    base, files = failing(text, "test_rows")
    (one,) = base.failures
    ids = ("test_app.py::test_rows[1]", "test_app.py::test_rows[2]")
    reds = {i: dataclasses.replace(one, id=i) for i in ids}
    for line, free in ((2, frozenset()), (9, {ids[1]})):
        lines = {
            ids[0]: {"app.py": frozenset({2})},
            ids[1]: {"app.py": frozenset({line})},
        }
        run = dataclasses.replace(base.run, results=reds, collected=ids, lines=lines)
        made = seal([reds[ids[0]]], dataclasses.replace(base, run=run), files)
        assert made.red == (ids[1],)
        assert made.free == free


def test_what_fails_in_another_way_and_in_the_same_function_is_near():
    """One of those stays as a hint; the others count only where they pass."""
    product = b"def double(x):\n    y = x\n    y += x\n    return y + 1\n"
    names = ("test_long", "test_short", "test_other")
    base, files = failing(THREE, *names, sources={"app.py": product})
    long, short, other = (f"test_app.py::{name}" for name in names)
    own = {long: 2, short: 3, other: 4}  # lines: each has its own most suspicious one
    lines = {i: {"app.py": frozenset({own[i]})} for i in own}
    base = dataclasses.replace(base, run=dataclasses.replace(base.run, lines=lines))
    made = seal([base.run.results[short]], base, files, apart=(long, other))
    assert made.near == {long, other}
    assert made.red == (other,)
    assert made.free == {other}
    assert [target.id for target in made.visible] == [short]

    elsewhere = files["app.py"].replace(
        b"    return", b"\n\ndef treble(x):\n    return"
    )
    run = dataclasses.replace(
        base.run, lines={**lines, other: {"app.py": frozenset({7})}}
    )
    apart = dataclasses.replace(base, run=run)
    made = seal([base.run.results[short]], apart, {**files, "app.py": elsewhere})
    assert made.near == {long}
    assert made.sealed == {}


def test_what_one_author_was_shown_is_no_evidence_for_the_sum_of_several():
    """A test that was sealed for one repair may be the target of the next."""
    base, files = failing(THREE, *NAMES)
    short, long = (
        base.run.results[f"test_app.py::test_{n}"] for n in ("short", "long")
    )
    first = seal([short], base, files)
    second = seal([long], base, files)
    assert set(first.red) == {long.id, "test_app.py::test_other"}
    both = joined([first, second], (short, long))
    assert both.red == ("test_app.py::test_other",)
    assert set(both.sealed) == {"test_app.py::test_other"}


def test_what_tests_read_is_not_masked():
    """A test that reads its own file would see another one."""
    base, files = failing(THREE, *NAMES)
    layout = dataclasses.replace(LAYOUT, opened=frozenset({"test_app.py"}))
    base = dataclasses.replace(base, layout=layout)
    made = seal(base.failures, base, files)
    assert made.files == {}
    assert len(made.visible) == 3


def test_what_a_fix_may_touch_is_not_masked():
    """Else a patch would be made against a text that is not there."""
    sources = {
        "README.md": b">>> double(1)\n2\n",
        "app.py": b"def double(x):\n    return x\n",
    }
    base, files = failing(THREE, "test_short", sources=sources)
    assert "README.md" in seal(base.failures, base, files).files
    layout = dataclasses.replace(LAYOUT, allow=("README.md",))
    base = dataclasses.replace(base, layout=layout)
    assert "README.md" not in seal(base.failures, base, files).files


def test_line_ends_and_encodings_stay():
    """A file with CRLF in another encoding is masked in its own way."""
    base, files = failing('X = "\u00e9"\n' + textwrap.dedent(THREE), *NAMES)
    text = "# coding: latin-1\r\n" + files["test_app.py"].decode().replace("\n", "\r\n")
    moved = {}
    for node_id, one in base.run.results.items():
        places = {
            key: Place(place.path, place.line + 1)
            for key, place in (("definition", one.definition), ("place", one.place))
        }
        moved[node_id] = dataclasses.replace(one, **places)
    run = dataclasses.replace(base.run, results=moved)
    base = dataclasses.replace(base, run=run)
    files = {**files, "test_app.py": text.encode("latin-1")}
    data = seal(base.failures, base, files).files["test_app.py"]
    assert data.count(b"\r\n") == data.count(b"\n") == text.count("\n")
    assert "\u00e9".encode("latin-1") in data


def test_the_hash_covers_what_is_sealed():
    """The same choice has the same hash, another text another one."""
    base, files = failing(THREE, *NAMES)
    one, two = seal(base.failures, base, files), seal(base.failures, base, files)
    assert one.sha256 == two.sha256
    other = {**files, "test_app.py": files["test_app.py"].replace(b"== 8", b"== 9")}
    assert seal(base.failures, base, other).sha256 != one.sha256
    assert joined([one, two], base.failures).sealed == one.sealed


def test_a_table_that_is_not_written_out_is_none():
    """Star rows, computed rows and names in use elsewhere are left alone."""
    for rows in ("[*A]", "range(3)", "[(1, 2)] + A", "A"):
        text = f"""
            A = [1, 2]
            print(A)
            @pytest.mark.parametrize("x", {rows})
            def test_it(x): ...
            """
        (function,) = functions(parse(textwrap.dedent(text)))
        assert tables(function) == ()


def test_ids_are_matched_by_text_before_position():
    """An order of running of its own does not confuse rows."""
    text = '@pytest.mark.parametrize("x", [1, 2, 3])\ndef test_it(x): ...\n'
    (function,) = functions(parse(text))
    ids = [f"t.py::test_it[{x}]" for x in (3, 1, 2)]
    at = rows_of("test_it", tables(function), ids)
    assert at == {"t.py::test_it[3]": (2,), "t.py::test_it[1]": (0,), ids[2]: (1,)}


@given(
    st.integers(2, 12).flatmap(
        lambda n: st.tuples(
            st.just(n), st.sets(st.integers(0, n - 1), min_size=2), st.booleans()
        )
    )
)
def test_something_failing_stays_visible(drawn):
    """Whatever fails, a failing row that is a target stays, and most others go."""
    count, reds, numbered = drawn
    red = sorted(reds)
    said = [str(row % 2) for row in red]
    gone = sealed_rows(count, red, red, said, numbered=numbered)
    assert set(red) - gone
    assert gone < set(range(count))
    if numbered:
        assert gone == set(range(count - len(gone), count))
    else:
        assert len(set(red) - gone) == (1 if len(red) <= 3 else 2)


GOLDEN = {
    "app.py": APP,
    "tests/test_golden.py": """
        from pathlib import Path

        import pytest

        from app import double

        HERE = Path(__file__).parent / "golden"


        @pytest.fixture
        def common():
            return (HERE / "common.txt").read_text()


        @pytest.mark.parametrize("name", ["1", "2", "3", "4"])
        def test_golden(name, common):
            assert str(double(int(name))) == (HERE / f"{name}.txt").read_text()


        def test_notes():
            assert (HERE / "2.txt").exists()
            assert (HERE / "shared.txt").read_text() == "shared"
    """,
    **{f"tests/golden/{n}.txt": str(2 * n) for n in (1, 2, 3, 4)},
    "tests/golden/common.txt": "common",
    "tests/golden/shared.txt": "shared",
}


def test_data_that_only_sealed_rows_read_is_sealed(tmp_path):
    """Their golden files are empty for the author, and as they are for the gate."""
    with bench(write(tmp_path, GOLDEN), config()) as made:
        run = asyncio.run(made.run({}, record_lines=True))
        tests = frozenset(path for path in GOLDEN if path.startswith("tests/"))
        layout = Layout(
            package_roots=("app.py",),
            tests=tests,
            collected=frozenset({"tests/test_golden.py"}),
            opened=frozenset(run.opened),
        )
        base = Baseline(run=run, layout=layout)
        sources = made.snapshot.sources
        done = asyncio.run(proven(base.failures, base, sources, made.run))
        assert {i.partition("[")[2] for i in done.seal.sealed} == {"3]", "4]"}
        emptied = {path for path, data in done.seal.files.items() if data == b""}
        assert emptied == {"tests/golden/3.txt", "tests/golden/4.txt"}
        seen = visible_snapshot(done.seal, made.snapshot).sources
        assert seen["tests/golden/4.txt"] == b""
        assert seen["tests/golden/2.txt"] == b"4"
        fixed = {"app.py": sources["app.py"].replace(b" + 1", b"")}
        ran = asyncio.run(visible_runner(done.seal, made.run)(fixed))
        assert ran.red == ()
        assert len(ran.collected) == 3
        whole = asyncio.run(made.run(fixed))
        assert whole.red == ()
        assert len(whole.collected) == 5

"""How a test's source is altered: what changes, and what is certain to fail then."""

import asyncio
import textwrap
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafix.domain import Outcome, Place, SuiteRun
from bonafix.judge.altering.flips import flips, test_function
from bonafix.judge.altering.values import other, other_at_run_time, where_wrong
from bonafix.judge.canary import VARIANTS, canary
from bonafix.syntax import is_valid, parse
from bonafix.text import apply_edits
from tests.judge.values import patch, result

find = test_function
find.__test__ = False

HEAD = "import pytest\n\nWANT = 42\n\n\n"


def ways(body, *, name="test_it", parameters="", line=None, **facts):
    """The flips of one test function with this body."""
    inner = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    text = f"{HEAD}def {name}({parameters}):\n{inner}\n"
    module = parse(text)
    if line is not None:
        facts["place"] = Place("test_x.py", 6 + line)
    target = result(f"test_x.py::{name}", Outcome.FAILED, **facts)
    return text, flips(module, find(module, target), [target])


def edited(text, flip):
    """The text with one flip made."""
    return apply_edits(text, [(flip.start, flip.end, flip.new)])


SIMPLE = [
    ("assert f(1) == 42", "assert f(1) == 43", "value"),
    ("assert 42 == f(1)", "assert 43 == f(1)", "value"),
    ("assert f(1) == -5, 'm'", "assert f(1) == -4, 'm'", "value"),
    ("assert f(1) == 0.5", "assert f(1) == 3.5", "value"),
    ("assert f(1) == 'ab'", "assert f(1) == 'bb'", "value"),
    ("assert f(1) == '!'", "assert f(1) == '!x'", "value"),
    ("assert f(1) == b'ab'", "assert f(1) == b'bb'", "value"),
    ("assert f(1) == 'é'", r"assert f(1) == '\xe9x'", "value"),
    ("assert f(1) == True", "assert f(1) == False", "value"),
    ("assert f(1) is True", "assert f(1) is False", "value"),
    ("assert f(1) == None", "assert f(1) == 0", "value"),
    ("assert f(1) == 40 + 2", "assert f(1) == 43", "value"),
    ("assert f(1) == [1, (2, 3)]", "assert f(1) == [2, (2, 3)]", "value"),
    ("assert f(1) == [*a, 3]", "assert f(1) == [*a, 4]", "value"),
    ("assert f(1) == {'a': {'b': 1}}", "assert f(1) == {'a': {'b': 2}}", "value"),
    ("assert f(1) == {3, 4}", "assert f(1) == {4, 4}", "value"),
    ("assert f(1) == []", "assert f(1) == [0]", "value"),
    ("assert f(1) == {}", "assert f(1) == {0: 0}", "value"),
    ("assert f(1) == ()", "assert f(1) == (0,)", "value"),
    ("assert f(1) == 'a' 'b'", "assert f(1) == 'bb'", "value"),
    ("assert f(1) == approx(100000)", "assert f(1) == approx(-100000)", "value"),
    ("assert approx(0.5) == f(1)", "assert approx(3.5) == f(1)", "value"),
    ("assert f(1) == 3 and f(2) == 4", "assert f(1) == 4 and f(2) == 4", "value"),
    ("assert (f(1) == 3)", "assert (f(1) == 4)", "value"),
    ("assert await f(1) == 3", "assert await f(1) == 4", "value"),
    ("assert 1 == 1", "assert not (1 == 1)", "negated"),
    ("assert f(1)", "assert not (f(1))", "negated"),
    ("assert not f(1)", "assert not (not f(1))", "negated"),
    ("assert f(1) != 3", "assert not (f(1) != 3)", "negated"),
    ("assert f(1) in (3, 4)", "assert not (f(1) in (3, 4))", "negated"),
    ("assert f(1) < 3", "assert not (f(1) < 3)", "negated"),
    ("assert f(1) is None", "assert not (f(1) is None)", "negated"),
    ("assert f(1) == g(2) == 3", "assert not (f(1) == g(2) == 3)", "negated"),
    ("assert f(1) == 3 or g(2)", "assert not (f(1) == 3 or g(2))", "negated"),
    ("assert f(1) == approx(3, abs=1)", "assert not (f(1) == approx(3, abs=1))",
     "negated"),
    ("assert f(1) == [ANY, 3]", "assert not (f(1) == [ANY, 3])", "negated"),
    ("with pytest.raises(ValueError):\n    f(1)",
     "with pytest.raises(GeneratorExit):\n        f(1)", "exception"),
    ("with pytest.raises((A, B), match='x') as e:\n    f(1)",
     "with pytest.raises(GeneratorExit, match='x') as e:\n        f(1)", "exception"),
    ("pytest.raises(ValueError, f, 1)", "pytest.raises(GeneratorExit, f, 1)",
     "exception"),
    ("with pytest.raises(expected_exception=E):\n    f(1)",
     "with pytest.raises(expected_exception=GeneratorExit):\n        f(1)",
     "exception"),
    ("with pytest.warns(UserWarning):\n    f(1)",
     "with pytest.warns(BytesWarning):\n        f(1)", "exception"),
    ("self.assertEqual(f(1), 3)", "self.assertEqual(f(1), 4)", "value"),
    ("self.assertListEqual([1], f(1))", "self.assertListEqual([2], f(1))", "value"),
    ("self.assertTrue(f(1) == 3)", "self.assertTrue(f(1) == 4)", "value"),
    ("self.assertTrue(f(1))", "self.assertFalse(f(1))", "negated"),
    ("self.assertIn(3, f(1))", "self.assertNotIn(3, f(1))", "negated"),
    ("self.assertNotEqual(f(1), 3)", "self.assertEqual(f(1), 3)", "negated"),
    ("self.assertAlmostEqual(f(1), 0.5)", "self.assertAlmostEqual(f(1), 3.5)",
     "value"),
    ("self.assertAlmostEqual(f(1), 0.5, places=1)",
     "self.assertNotAlmostEqual(f(1), 0.5, places=1)", "negated"),
    ("with self.assertRaisesRegex(E, 'x'):\n    f(1)",
     "with self.assertRaisesRegex(GeneratorExit, 'x'):\n        f(1)", "exception"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "kind"), SIMPLE)
def test_first_change(before, after, kind):
    """Each kind of assertion has its change, and nothing else in the text moves."""
    text, found = ways(before)
    assert found[0].kind == kind
    assert found[0].certain
    changed = edited(text, found[0])
    assert changed == text.replace(text.partition("\n    ")[2].rstrip(), after)
    assert is_valid(changed)


NONE = [
    *("f(1)", "check(f(1), 3)", "assert True", "pass"),
    "with pytest.raises(KeyboardInterrupt):\n    f(1)",
    "def inner():\n    assert f(1) == 3",
    "return\nassert f(1) == 3",
]


@pytest.mark.parametrize("body", NONE)
def test_nothing_to_change(body):
    """Where nothing is asserted by the test itself, nothing is made up."""
    assert ways(body)[1] == []


CERTAIN = [
    ("assert f(1) == 3", True),
    ("with open('x'):\n    assert f(1) == 3", True),
    ("with self.subTest(1):\n    assert f(1) == 3", True),
    ("with product.quiet():\n    assert f(1) == 3", False),
    ("with suppress(AssertionError):\n    assert f(1) == 3", False),
    ("for x in [1, 2]:\n    assert f(x) == 3", True),
    ("for x in range(3):\n    assert f(x) == 3", True),
    ("for x in f(1):\n    assert x == 3", False),
    ("for x in []:\n    assert x == f(3)", False),
    ("if f(1):\n    assert f(1) == 3", False),
    ("while f(1):\n    assert f(1) == 3", False),
    ("try:\n    assert f(1) == 3\nfinally:\n    g()", True),
    ("try:\n    assert f(1) == 3\nexcept AssertionError:\n    pass", False),
    ("if f(1):\n    return\nassert f(1) == 3", False),
    ("if f(1):\n    pytest.skip('x')\nassert f(1) == 3", False),
    ("for x in [1]:\n    if x:\n        continue\n    assert f(1) == 3", False),
    ("match f(1):\n    case 1:\n        assert f(1) == 3", False),
]


@pytest.mark.parametrize(("body", "certain"), CERTAIN)
def test_certainty(body, certain):
    """A pass accuses only where the altered assertion is reached for sure."""
    _, found = ways(body)
    assert found[0].certain is certain


def test_an_expected_failure_is_not_altered():
    """A test that should fail cannot be asked to fail."""
    module = parse("@pytest.mark.xfail\ndef test_it():\n    assert f(1) == 3\n")
    target = result("t.py::test_it", Outcome.FAILED)
    assert flips(module, find(module, target), [target]) == []


def test_the_assertion_that_failed_comes_first():
    """What had to be faked is altered before anything else."""
    _, found = ways("assert f(1) == 3\nassert f(2) == 4\nassert g(3)", line=3)
    assert [flip.line for flip in found] == [9, 7, 8]
    assert found[0].failed_here


def test_the_part_that_was_wrong_is_changed():
    """In a container the leaf that the baseline got wrong is the one to change."""
    text, found = ways(
        "assert f(1) == {'a': 1, 'b': [7, 8]}", line=1,
        expected="{'a': 1, 'b': [7, 8]}", actual="{'a': 1, 'b': [7, 9]}",
    )  # fmt: skip
    assert "'b': [7, 9]" in edited(text, found[0])


@pytest.mark.parametrize(
    ("expected", "actual", "where"),
    [
        ("[1, 2]", "[1, 3]", [1]),
        ("[1, 2]", "[1]", [1]),
        ("{'a': (1, 2)}", "{'a': (0, 2)}", [0, 0]),
        ("1", "2", []),
        ("[1, 2, ...", "[1", []),
        (None, "1", []),
    ],
)
def test_where_wrong(expected, actual, where):
    """Two reprs are compared part by part; what cannot be read says nothing."""
    assert where_wrong(expected, actual) == where


def test_a_parameter_is_changed_where_it_is_bound():
    """Code that reads the test's variables is shown the wrong expectation."""
    text, found = ways("assert f(x) == want", parameters="x, want")
    assert "    want = (" in edited(text, found[0])
    assert edited(text, found[0]).count("\n") == text.count("\n")
    text, found = ways("assert f(want) == want", parameters="want")
    assert "assert f(want) == (" in edited(text, found[0])
    text, found = ways("expected = 3\nassert f(1) == expected")
    assert "expected = 4\n" in edited(text, found[0])


def test_either_side_is_changed_where_the_tests_own_is_unknown():
    """Two computed sides are altered one after the other."""
    _, found = ways("assert f(1) == g(2)")
    assert [flip.old for flip in found] == ["g(2)", "f(1)"]


def test_methods_and_parametrised_ids_are_found():
    """A node id leads to its function, whatever its brackets hold."""
    module = parse(
        "class TestA:\n    def test_it(self, x):\n        assert f(x) == 3\n"
    )
    target = result("d/t.py::TestA::test_it[a::b[1]]", Outcome.FAILED)
    assert find(module, target).qualified == "TestA.test_it"


def test_a_helper_that_failed_is_altered_without_certainty():
    """An assertion in a helper of the same file is used, and accuses nobody."""
    text = "def check(x):\n    assert f(x) == 3\n\n\ndef test_it():\n    check(1)\n"
    module = parse(text)
    target = result("t.py::test_it", Outcome.FAILED, place=Place("t.py", 2))
    [flip] = flips(module, find(module, target), [target])
    assert (flip.line, flip.certain) == (2, False)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)
    | st.dictionaries(st.integers() | st.text(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(PLAIN | st.sets(st.integers()))
def test_another_value_at_run_time(value):
    """Whatever a parameter holds, the expression is unequal and of its type."""
    new = eval(other_at_run_time("value"), {"value": value})
    assert new != value
    assert type(new) is type(value) or value is None


@pytest.mark.parametrize("value", [Decimal(1), frozenset(), object(), Outcome.FAILED])
def test_an_unknown_type_gets_what_equals_nothing(value):
    """A value that cannot be made anew is exchanged for one that is not equal."""
    assert eval(other_at_run_time("value"), {"value": value}) != value


@given(st.none() | st.booleans() | st.integers() | st.text() | st.binary())
def test_another_constant(value):
    """Another constant is unequal, even where case does not count."""
    new = other(value)
    assert new != value
    if isinstance(value, str):
        assert new.casefold() != value.casefold()


@given(st.floats(allow_nan=False) | st.integers())
def test_another_number_is_out_of_tolerance(value):
    """Where tolerances are at work the other number is far."""
    assert other(value, far=True) != pytest.approx(value)


def test_no_altered_text_tells_what_it_is_for():
    """Patched code that reads its tests finds no word of the examination."""
    for before, _, _ in SIMPLE:
        for flip in ways(before)[1]:
            lowered = flip.new.lower()
            assert not any(w in lowered for w in ("bonafix", "canary", "alter"))


def test_runs_are_few_and_shared():
    """Many targets are altered in the same few runs."""
    text = "".join(
        f"def test_{n}():\n" + "    assert f(1) == 3\n" * 9 + "\n\n" for n in range(5)
    )
    targets = [result(f"t.py::test_{n}", Outcome.FAILED) for n in range(5)]
    runs = []

    async def run(files, *, select, **_):
        runs.append((files, select))
        return SuiteRun(
            results={i: result(i, Outcome.FAILED) for i in select},
            collected=tuple(select),
        )

    record = asyncio.run(canary(patch(), targets, {"t.py": text.encode()}, run))
    assert record.result == "pass"
    assert len(runs) == VARIANTS
    assert all(len(select) == 5 for _, select in runs)
    assert all(set(files) == {"app/a.py", "t.py"} for files, _ in runs)

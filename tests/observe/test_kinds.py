"""Every kind of test and of end is told apart, whichever Python and pytest run it."""

import pytest

from tests.observe.environments import MissingError, python
from tests.observe.harness import config, observe, write

PROJECT = {
    "calc.py": """
        def add(a, b):
            return a - b
    """,
    "tests/test_kinds.py": """
        import asyncio
        import sys
        import unittest

        import pytest

        from calc import add


        def test_passes():
            assert add(0, 0) == 0


        def test_fails():
            print("on the way")
            wanted = 3
            assert add(1, 2) == wanted


        def test_literal_first():
            assert 3 == add(1, 2)


        def test_raises():
            raise KeyError("gone")


        def test_exits():
            sys.exit(3)


        @pytest.mark.parametrize("text", ["a b", "x/y", "p::q", "[", "", "ä", "a\\nb"])
        def test_odd(text):
            assert text


        class TestClass:
            @pytest.fixture
            def broken(self):
                raise RuntimeError("no set-up")

            @pytest.fixture
            def closing(self):
                yield
                raise RuntimeError("no tear-down")

            def test_fixture(self, broken):
                pass

            def test_teardown(self, closing):
                pass

            def test_both(self, closing):
                assert False

            @pytest.mark.xfail(reason="known")
            def test_xfail(self):
                assert False

            @pytest.mark.xfail(run=False, reason="not now")
            def test_xfail_unrun(self):
                assert False

            @pytest.mark.xfail(strict=True, reason="strictly")
            def test_xpass_strict(self):
                pass

            @pytest.mark.xfail
            def test_xpass(self):
                pass

            @pytest.mark.skip(reason="not today")
            def test_skip(self):
                pass

            def test_skip_inside(self):
                pytest.skip("half way")


        class TestUnit(unittest.TestCase):
            def test_equal(self):
                self.assertEqual(add(1, 2), 3)

            def test_subtests(self):
                for number in range(4):
                    with self.subTest(number=number):
                        self.assertEqual(number % 2, 0)

            @unittest.expectedFailure
            def test_expected(self):
                self.fail()

            @unittest.skip("old")
            def test_skipped(self):
                pass


        class TestSetUpClass(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                raise OSError("no class")

            def test_one(self):
                pass


        class TestAsync(unittest.IsolatedAsyncioTestCase):
            async def test_awaits(self):
                await asyncio.sleep(0)
                self.assertEqual(add(2, 1), 3)
    """,
    "tests/test_doc.txt": """
        >>> 1 + 1
        3
    """,
    "pytest.ini": """
        [pytest]
        addopts = --doctest-glob=*.txt
    """,
}
HERE = "tests/test_kinds.py::"
# id -> outcome, phase, style
EXPECTED = {
    "test_passes": "passed call function",
    "test_fails": "failed call function",
    "test_literal_first": "failed call function",
    "test_raises": "failed call function",
    "test_exits": "failed call function",
    "test_odd[a b]": "passed call function",
    "test_odd[x/y]": "passed call function",
    "test_odd[p::q]": "passed call function",
    "test_odd[[]": "passed call function",
    "test_odd[]": "failed call function",
    "test_odd[\\xe4]": "passed call function",
    "test_odd[a\\nb]": "passed call function",
    "TestClass::test_fixture": "error setup method",
    "TestClass::test_teardown": "error teardown method",
    "TestClass::test_both": "failed call method",
    "TestClass::test_xfail": "xfailed call method",
    "TestClass::test_xfail_unrun": "xfailed setup method",
    "TestClass::test_xpass_strict": "failed call method",
    "TestClass::test_xpass": "xpassed call method",
    "TestClass::test_skip": "skipped setup method",
    "TestClass::test_skip_inside": "skipped call method",
    "TestUnit::test_equal": "failed call unittest",
    "TestUnit::test_subtests": "failed call unittest",
    "TestUnit::test_expected": "xfailed call unittest",
    "TestSetUpClass::test_one": "error setup unittest",
    "TestAsync::test_awaits": "failed call unittest",
}


@pytest.fixture(scope="module", params=["plain", "python3.8", "python3.13", "pytest7"])
def kinds(request, tmp_path_factory):
    """The project's run, once for each interpreter; `None` where there is none."""
    try:
        chosen = python(request.param)
    except MissingError:
        return None
    root = write(tmp_path_factory.mktemp("kinds"), PROJECT)
    return observe(root, config(chosen), record_lines=True)


@pytest.fixture
def run(kinds, request):
    """The run; another interpreter stands in for a missing one."""
    return kinds or request.getfixturevalue("own_kinds")


@pytest.fixture(scope="module")
def own_kinds(tmp_path_factory):
    """The project's run by the interpreter that is always there."""
    root = write(tmp_path_factory.mktemp("kinds"), PROJECT)
    return observe(root, config(), record_lines=True)


def test_outcomes_phases_and_styles(run):
    """Each id has its outcome, the phase that decided it, and its style."""
    told = {
        i.removeprefix(HERE): f"{r.outcome} {r.phase} {r.style}"
        for i, r in run.results.items()
        if i.startswith(HERE) and not i.endswith("test_skipped")
    }
    assert told == EXPECTED
    assert str(run.outcome(HERE + "TestUnit::test_skipped")) == "skipped"
    assert set(run.collected) == set(run.results)
    assert run.finished
    assert run.exit_code == 1
    assert run.duplicates == ()
    assert run.collection_errors == ()


def test_both_sides_of_a_comparison(run):
    """What was computed and what was expected are told apart, literals first or not."""
    for name in ("test_fails", "test_literal_first", "TestUnit::test_equal"):
        result = run.results[HERE + name]
        assert (result.actual, result.expected) == ("-1", "3"), name
    assert run.results[HERE + "test_raises"].expected is None


def test_failure_tells_where_and_why(run):
    """Exception, message, places, frames with values, and output are there."""
    result = run.results[HERE + "test_fails"]
    lines = PROJECT["tests/test_kinds.py"].splitlines()
    text = next(n for n, t in enumerate(lines) if "== wanted" in t)
    define = next(n for n, t in enumerate(lines) if "def test_fails" in t)
    assert (result.place.path, result.place.line) == ("tests/test_kinds.py", text)
    assert (result.definition.path, result.definition.line) == (
        "tests/test_kinds.py",
        define,
    )
    assert result.exception == "AssertionError"
    assert result.message.startswith("assert -1 == 3")
    assert "on the way" in result.captured
    assert "assert add(1, 2) == wanted" in result.longrepr
    frame = result.frames[-1]
    assert frame.own
    assert frame.function == "test_fails"
    assert frame.code == "assert add(1, 2) == wanted"
    assert frame.values == {"wanted": "3"}
    assert result.phases == ("setup", "call", "teardown")


def test_reasons_of_what_did_not_fail(run):
    """Skips and expected failures carry their reasons, strict passes pytest's word."""
    assert run.results[HERE + "TestClass::test_skip"].message == "not today"
    assert run.results[HERE + "TestClass::test_skip_inside"].message == "half way"
    assert "known" in run.results[HERE + "TestClass::test_xfail"].message
    strict = run.results[HERE + "TestClass::test_xpass_strict"]
    assert "strictly" in strict.message
    assert strict.exception == ""


def test_doctest(run):
    """A documentation example tells what it printed and what it should have."""
    (node_id,) = (i for i in run.collected if "test_doc.txt" in i)
    result = run.results[node_id]
    assert result.style == "doctest"
    assert (result.actual, result.expected) == ("2", "3")
    assert (result.place.path, result.place.line) == ("tests/test_doc.txt", 1)


def test_lines_of_each_test(run):
    """The spectrum says which test executed the product."""
    through = {i for i, table in run.lines.items() if 2 in table.get("calc.py", ())}
    names = {
        *("test_passes", "test_fails", "test_literal_first"),
        *("TestUnit::test_equal", "TestAsync::test_awaits"),
    }
    assert through == {HERE + name for name in names}


def test_versions_are_told(run):
    """The run says with what it was made."""
    assert run.interpreter.startswith("CPython 3.")
    assert run.pytest[0].isdigit()
    assert run.confinement

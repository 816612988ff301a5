"""Values of a failing test are shown, whatever their own code does."""

import pytest

from tests.observe.harness import observe, write

PROJECT = {
    "odd.py": """
        import time


        class Hangs:
            def __repr__(self):
                while True:
                    pass


        class Sleeps:
            def __repr__(self):
                time.sleep(60)


        class Raises:
            def __repr__(self):
                raise SystemExit("no")


        class Lies:
            def __repr__(self):
                return 5


        class Sly(str):
            def __repr__(self):
                return "sly"


        class Good:
            def __repr__(self):
                return "<good>"


        class Silent(Exception):
            def __str__(self):
                raise ValueError("no text")
    """,
    "test_odd.py": """
        from odd import Good, Hangs, Lies, Raises, Silent, Sleeps, Sly


        def test_values():
            hangs = Hangs()
            sleeps = [Sleeps()]
            raises = {"a": Raises()}
            lies = Lies()
            sly = Sly("x" * 5000)
            good = Good()
            big = list(range(10 ** 6))
            long = "x" * 10 ** 6
            wide = 10 ** 10000
            deep = [[[[[[1]]]]]]
            loop = []
            loop.append(loop)
            lone = "\\ud800"
            assert 0


        def test_silent():
            raise Silent


        def recurse(n):
            return recurse(n + 1)


        def test_recursion():
            recurse(0)


        def test_long_sides():
            assert list(range(150)) == list(range(151))


        def test_other_comparison_before():
            try:
                assert 1 == 2
            except AssertionError:
                pass
            raise AssertionError("plain")


        def test_less():
            assert 2 < 1
    """,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run of them all, in less time than a single hang would take."""
    root = write(tmp_path_factory.mktemp("values"), PROJECT)
    return observe(root, per_test=20.0)


def values(run):
    """The variables of the first test."""
    return run.results["test_odd.py::test_values"].frames[-1].values


def test_every_test_is_reported(run):
    """No value keeps a result from being told."""
    assert {str(r.outcome) for r in run.results.values()} == {"failed"}
    assert len(run.results) == 6


def test_foreign_code_is_bounded(run):
    """Texts that hang, sleep, raise or lie are replaced, the others are kept."""
    told = values(run)
    assert told["hangs"] == "<odd.Hangs object> [LateError in its repr]"
    assert told["sleeps"] == "[<odd.Sleeps object> [LateError in its repr]]"
    assert "SystemExit in its repr" in told["raises"]
    assert told["lies"].startswith("<odd.Lies object>")
    assert told["sly"] == "sly"
    assert told["good"] == "<good>"


def test_size_is_bounded(run):
    """Huge values cost neither time nor space."""
    told = values(run)
    assert told["big"] == "[0, 1, 2, 3, 4, 5, 6, 7, ...]"
    assert len(told["long"]) < 250
    assert told["wide"].startswith("<int of 33")
    assert told["deep"].startswith("[[[[")
    assert "..." in told["loop"]
    assert told["lone"].encode()


def test_exception_without_a_text(run):
    """An exception whose text raises has its type all the same."""
    result = run.results["test_odd.py::test_silent"]
    assert result.exception == "odd.Silent"
    assert "ValueError" in result.message


def test_recursion_is_cut(run):
    """A thousand equal frames are not all told."""
    result = run.results["test_odd.py::test_recursion"]
    assert result.exception == "RecursionError"
    assert 10 < len(result.frames) <= 80


def test_sides_can_be_read_back(run):
    """Both sides of a comparison are whole where they are of moderate size."""
    import ast

    result = run.results["test_odd.py::test_long_sides"]
    assert ast.literal_eval(result.actual) == list(range(150))
    assert ast.literal_eval(result.expected) == list(range(151))


def test_sides_belong_to_this_failure(run):
    """Another comparison's sides, or those of `<`, are not passed off as expected."""
    for name in ("test_less", "test_other_comparison_before"):
        result = run.results[f"test_odd.py::{name}"]
        assert (result.actual, result.expected) == (None, None), name

"""The project's own options are honoured, but for what would hide its results."""

import pytest

from bonafix.observe.run import require_usable
from tests.observe.environments import MissingError, plain, python
from tests.observe.harness import config, observe, outcomes, write

TESTS = """
    def test_a():
        assert 0


    def test_b():
        pass


    def test_c():
        assert 0
"""
ALL = {
    "test_a.py::test_a": "failed",
    "test_a.py::test_b": "passed",
    "test_a.py::test_c": "failed",
}


def with_plugins():
    """Pytest 7 with coverage, xdist, random order and re-runs; else a plain one."""
    try:
        return python("pytest7"), True
    except MissingError:
        return plain(), False


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--maxfail=1 -q --tb=no", ("--tb", "-x/--maxfail")),
        ("--lf --sw", ("--lf", "--sw")),
        ("--junitxml=report.xml", ("--junitxml",)),
        ("-ra -v --color=yes", ()),
    ],
)
def test_pytests_own_options(options, told, tmp_path):
    """All tests run, in full, and what was switched off is named."""
    files = {"test_a.py": TESTS, "pytest.ini": f"[pytest]\naddopts = {options}\n"}
    run = observe(write(tmp_path, files))
    assert outcomes(run) == ALL
    assert run.neutralised == told
    assert "assert 0" in run.results["test_a.py::test_a"].longrepr


def test_plugins_options(tmp_path):
    """Coverage's threshold, xdist's workers and random seeds do not decide anything."""
    chosen, plugins = with_plugins()
    options = "--cov=. --cov-fail-under=100 -n2 --reruns=1" if plugins else "-x"
    files = {"test_a.py": TESTS, "pytest.ini": f"[pytest]\naddopts = {options}\n"}
    run = observe(write(tmp_path, files), config(chosen), record_lines=True)
    require_usable(run)
    assert dict(sorted(outcomes(run).items())) == ALL
    assert run.duplicates == ()
    assert run.exit_code == 1
    if plugins:
        assert run.neutralised == (
            "--cov",
            "-n/--dist (xdist's workers)",
            "--randomly-seed (pinned)",
        )
        assert any(name.startswith("pytest-xdist-") for name in run.plugins)


def test_a_test_that_passes_when_re_run(tmp_path):
    """What a re-run plugin reports is one result, its last."""
    chosen, plugins = with_plugins()
    files = {
        "test_a.py": """
            SEEN = []


            def test_second_time():
                SEEN.append(1)
                assert len(SEEN) == 2
        """
    }
    if plugins:
        files["pytest.ini"] = "[pytest]\naddopts = --reruns=2\n"
    run = observe(write(tmp_path, files), config(chosen))
    expected = "passed" if plugins else "failed"
    assert outcomes(run) == {"test_a.py::test_second_time": expected}
    assert run.duplicates == ()


@pytest.mark.parametrize("name", ["plain", "pytest7"])
def test_no_plugin_sums_up(name, tmp_path):
    """What would be printed at the end is not asked for; the session's end is told."""
    try:
        chosen = python(name)
    except MissingError:
        chosen = plain()
    files = {
        "sub/conftest.py": """
            import sys


            def pytest_terminal_summary():
                print("a summary")


            def pytest_sessionfinish():
                print("the end")
        """,
        "sub/test_a.py": TESTS,
    }
    run = observe(write(tmp_path, files), config(chosen))
    require_usable(run)
    assert sorted(outcomes(run).values()) == sorted(ALL.values())
    assert "the end" in run.output
    assert "a summary" not in run.output


def test_environment_is_an_allow_list(tmp_path, monkeypatch):
    """Tests see no variable that is not theirs; options from it are dropped."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    monkeypatch.setenv("DATABASE_URL", "by consent")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing")
    files = {
        "test_env.py": """
            import os


            def test_env():
                assert "ANTHROPIC_API_KEY" not in os.environ
                assert "PYTEST_ADDOPTS" not in os.environ
                assert os.environ["DATABASE_URL"] == "by consent"
                assert os.environ["HOME"] != os.path.expanduser("~root")
        """
    }
    settings = config(environment=("DATABASE_URL",))
    run = observe(write(tmp_path, files), settings)
    assert outcomes(run) == {"test_env.py::test_env": "passed"}
    assert run.neutralised == ("PYTEST_ADDOPTS",)


def test_it_looks_like_python_m_pytest(tmp_path):
    """The program's name, the search path and `__main__` are pytest's own."""
    files = {
        "test_main.py": """
            import multiprocessing
            import os
            import sys


            def test_main():
                main = sys.modules["__main__"]
                assert main.__spec__.name == "pytest.__main__"
                assert sys.argv[0] == main.__file__
                assert os.path.realpath(sys.path[0]) == os.path.realpath(os.getcwd())


            def test_no_name_of_ours():
                for name in ("launch", "plugin", "_bonafix_inside", "bonafix"):
                    assert name not in sys.modules
                assert not any("inside" in entry for entry in sys.path)


            def square(n):
                return n * n


            def test_spawn():
                context = multiprocessing.get_context("spawn")
                with context.Pool(1) as pool:
                    assert pool.map(square, [3]) == [9]
        """
    }
    run = observe(write(tmp_path, files))
    assert set(outcomes(run).values()) == {"passed"}, run.results


def test_two_reports_of_one_phase_are_noticed(tmp_path):
    """Whoever reports a test twice is not believed to be honest."""
    files = {
        "conftest.py": """
            def pytest_runtest_teardown(item):
                from _pytest.reports import TestReport
                report = TestReport(
                    item.nodeid, item.location, {}, "passed", None, "call"
                )
                item.ihook.pytest_runtest_logreport(report=report)
        """,
        "test_a.py": "def test_a(): assert 0\n",
    }
    run = observe(write(tmp_path, files))
    assert run.duplicates == ("test_a.py::test_a",)
    assert outcomes(run) == {"test_a.py::test_a": "failed"}

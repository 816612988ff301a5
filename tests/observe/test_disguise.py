"""In disguise the project's code cannot see that a test is running."""

import asyncio

import pytest

from bonafix.observe.run import make_runner
from tests.observe.environments import python
from tests.observe.harness import bench, config, outcomes, write

LOOKS = {
    "environment": '"PYTEST_CURRENT_TEST" in os.environ',
    "modules": '"pytest" in sys.modules',
    "internals": 'any(n.startswith("_pytest") for n in sys.modules)',
    "command_line": 'any("pytest" in word for word in sys.argv)',
    "main": 'getattr(sys.modules["__main__"], "__package__", "") == "pytest"',
    "unittest": '"unittest" in sys.modules',
    "stdin": "sys.stdin is not sys.__stdin__",
    "stdout": "sys.stdout is not sys.__stdout__",
    "stderr": "sys.stderr is not sys.__stderr__",
    "handlers": "logging.getLogger().hasHandlers()",
    "unraisable": "sys.unraisablehook is not sys.__unraisablehook__",
    "threads": 'threading.excepthook.__module__ != "_thread"',
    "finders": 'any("_pytest" in type(f).__module__ for f in sys.meta_path)',
    "own": 'any("bonafix" in n for n in sys.modules) or '
    'any("bonafix" in type(f).__module__ for f in sys.meta_path)',
}
PRODUCT = """
import logging
import os
import sys
import threading


def seen():
    return sorted(name for name, look in LOOKS.items() if eval(look))


LOOKS = {}
AT_IMPORT = seen()
""".replace("LOOKS = {}\n", "").replace(
    "def seen", f"LOOKS = {LOOKS!r}\n\n\ndef seen", 1
)
TESTS = """
import os
import unittest

import pytest

import product


@pytest.fixture
def prepared():
    return product.seen()


@pytest.fixture
def generated():
    before = product.seen()
    yield before
    assert "PYTEST_CURRENT_TEST" in os.environ


def test_call():
    assert product.seen() == []


def test_import():
    assert product.AT_IMPORT == []


@pytest.mark.parametrize("n", [1, 2])
def test_fixture(prepared, generated, n):
    assert prepared == generated == []


def test_folder(tmp_path):
    assert "pytest" not in str(tmp_path)
    assert "test_folder" not in str(tmp_path)


class TestCase(unittest.TestCase):
    def setUp(self):
        self.before = product.seen()

    def test_case(self):
        self.assertEqual([self.before, product.seen()], [[], []])
"""
UNDISTURBED = """
import logging
import os
import subprocess
import sys
from unittest import mock

import pytest
from _pytest.monkeypatch import MonkeyPatch

import product


def test_runner_can_be_imported_again():
    import pytest as again

    assert again is pytest
    assert sys.modules["pytest"] is pytest
    assert pytest.__spec__.origin.endswith("__init__.py")


def test_internals_can_be_imported_late():
    from _pytest.monkeypatch import MonkeyPatch as late

    assert late is MonkeyPatch


def test_raises_and_approx():
    with pytest.raises(ZeroDivisionError, match="by zero"):
        1 / 0
    assert 0.1 + 0.2 == pytest.approx(0.3)


def test_mock():
    with mock.patch("product.seen", return_value=3):
        assert product.seen() == 3


def test_output(capsys, caplog, monkeypatch):
    monkeypatch.setenv("PYTEST_LIKE", "1")
    monkeypatch.setattr(sys, "argv", ["tool", "--flag"])
    print(sys.argv, os.environ["PYTEST_LIKE"])
    assert capsys.readouterr().out == "['tool', '--flag'] 1\\n"


def test_log(caplog):
    logging.getLogger("product").warning("one")
    assert caplog.messages == ["one"]


def test_late_log(request):
    caplog = request.getfixturevalue("caplog")
    logging.getLogger("product").warning("two")
    assert caplog.messages == ["two"]


def test_log_set_up():
    logging.basicConfig(level=logging.DEBUG)
    logging.getLogger("product").error("three")


def test_nothing_logged_is_printed(capfd):
    logging.basicConfig(level=logging.DEBUG)
    logging.getLogger("product").error("four")
    assert logging.getLogger().level == logging.WARNING
    assert capfd.readouterr() == ("", "")


def test_last_resort(capsys):
    print("out")
    print("err", file=sys.stderr)
    assert capsys.readouterr() == ("out\\n", "err\\n")


def test_skipped():
    pytest.skip("for a reason")


@pytest.mark.xfail
def test_expected_to_fail():
    assert product.seen() == 3


def test_child(tmp_path):
    code = "import os; print([n for n in os.environ if n.startswith('PYTEST')])"
    out = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path)
    assert out == b"[]\\n"


def test_doubled(request, tmp_path_factory):
    first = tmp_path_factory.mktemp("a")
    assert first != tmp_path_factory.mktemp("a")
    assert request.getfixturevalue("tmp_path").is_dir()


def test_fails():
    assert product.seen() == {}
"""


@pytest.fixture(scope="module", params=["plain", "python3.8", "pytest7"])
def dark(request, tmp_path_factory):
    """Runs of both test files, disguised and not."""
    files = {"product.py": PRODUCT, "test_looks.py": TESTS, "test_rest.py": UNDISTURBED}
    root = write(tmp_path_factory.mktemp("looks"), files)
    with bench(root, config(python(request.param))) as here:
        place = here.snapshot, here.interpreter, here.config
        light = asyncio.run(here.run({}))
        yield light, asyncio.run(make_runner(*place, disguised=True)({}))


def test_nothing_tells_of_the_runner(dark):
    """Not in a call, a fixture or an import; in daylight each way of looking works."""
    light, disguised = dark
    own = {i: o for i, o in outcomes(disguised).items() if "looks" in i}
    red = [r.longrepr for r in disguised.results.values() if r.id in own]
    assert set(own.values()) == {"passed"}, red
    assert len(own) == 6
    for node_id in own:
        assert str(light.outcome(node_id)) == "failed"
    seen = light.results["test_looks.py::test_call"].actual or ""
    wanted = set(LOOKS) - {"own"}
    assert all(repr(name) in seen for name in wanted), seen
    assert "own" not in seen


def test_tests_work_in_disguise(dark):
    """What imports, catches, skips, prints and starts children goes on doing it."""
    light, disguised = dark
    child = "test_rest.py::test_child"
    rest = {i: o for i, o in outcomes(disguised).items() if "rest" in i}
    assert rest.pop(child) == "passed"
    assert rest == {
        i: o for i, o in outcomes(light).items() if "rest" in i and i != child
    }
    assert str(disguised.outcome("test_rest.py::test_fails")) == "failed"
    assert disguised.finished

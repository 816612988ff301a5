"""A suite that cannot be run is an error with pytest's reason, never a green one."""

import pytest

from bonafix.errors import CollectionFailedError, UntrustedError
from bonafix.observe.run import require_usable
from tests.observe.harness import observe, write

GOOD = "def test_good(): pass\n"
# what is wrong -> (files, what the message must say)
UNUSABLE = {
    "import error": (
        {"test_a.py": GOOD, "test_b.py": "import nothing_here\n"},
        "No module named 'nothing_here'",
    ),
    "syntax error": (
        {"test_a.py": GOOD, "test_b.py": "def test_b(:\n"},
        "SyntaxError",
    ),
    "unknown option": (
        {"pytest.ini": "[pytest]\naddopts = --no-such\n", "test_a.py": GOOD},
        "--no-such",
    ),
    "broken configuration": (
        {"pytest.ini": "[pytest\n", "test_a.py": GOOD},
        "pytest.ini",
    ),
    "missing plugin": (
        {"pytest.ini": "[pytest]\naddopts = -p no_such_plugin\n", "test_a.py": GOOD},
        "no_such_plugin",
    ),
    "conftest": (
        {"conftest.py": "raise ValueError('in conftest')\n", "test_a.py": GOOD},
        "in conftest",
    ),
    "nothing there": ({"calc.py": ""}, "no tests"),
    "all deselected": (
        {"pytest.ini": "[pytest]\naddopts = -k nothing\n", "test_a.py": GOOD},
        "deselected",
    ),
    "hook": (
        {"conftest.py": "def pytest_collection(): raise OSError('hook')\n"},
        "hook",
    ),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_refused_with_pytests_own_reason(kind, tmp_path):
    """Nothing that was not collected counts as not failing."""
    files, reason = UNUSABLE[kind]
    run = observe(write(tmp_path, files))
    with pytest.raises(CollectionFailedError) as caught:
        require_usable(run)
    assert reason in str(caught.value)
    assert caught.value.code == 3


def test_place_of_a_collection_error(tmp_path):
    """The error points into the product where the product is at fault."""
    files = {
        "calc.py": "ONE = 1\nTWO = ONE / 0\n",
        "test_calc.py": "import calc\n\ndef test_a(): pass\n",
    }
    (error,) = observe(write(tmp_path, files)).collection_errors
    assert error.id == "test_calc.py"
    assert (error.place.path, error.place.line) == ("calc.py", 2)
    assert "ZeroDivisionError" in error.message


def test_uncollected_files_can_be_allowed(tmp_path):
    """Whoever asked for it may go on with what was collected."""
    files = {"test_a.py": GOOD, "test_b.py": "import nothing_here\n"}
    files["pytest.ini"] = "[pytest]\naddopts = --continue-on-collection-errors\n"
    run = observe(write(tmp_path, files))
    require_usable(run, allow_uncollected=True)
    assert str(run.outcome("test_a.py::test_good")) == "passed"


def test_a_session_that_never_ends_is_refused(tmp_path):
    """A process that ends itself after its tests leaves nothing to believe."""
    hook = "import os\ndef pytest_runtestloop(session): os._exit(0)\n"
    run = observe(write(tmp_path, {"conftest.py": hook, "test_a.py": GOOD}))
    with pytest.raises(UntrustedError, match="ended before its session"):
        require_usable(run)


def test_a_green_suite_is_usable(tmp_path):
    """Nothing is said against a suite that runs."""
    require_usable(observe(write(tmp_path, {"test_a.py": GOOD})))

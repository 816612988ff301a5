"""The Python that was chosen in the editor, and the Testing view beside the other one.

Microsoft's two Python extensions are in no package registry, so the folders in
`pythons` stand in for them: under the real names, with those parts of
the interface that the packages @vscode/python-extension and @vscode/python-environments
document and that ours calls. What the real ones do besides is not shown by these tests.
"""

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.observe.environments import plain
from tests.small import write
from tests.vscode.screen import SOON, START

pytestmark = pytest.mark.timeout(900)

STANDINS = Path(__file__).with_name("pythons")
NAMES = ("first", "second", "third", "fourth")
TESTS = "tests/test_python.py"
HEAD = "import sys\nfrom pathlib import Path\n"
BODY = "\n\ndef test_{name}():\n    assert Path(sys.prefix).name == '{name}'\n"
FILE = HEAD + "".join(BODY.format(name=name) for name in NAMES)
"""A file of which that test alone passes which is called like its interpreter."""


@pytest.fixture
def pythons(tmp_path):
    """Interpreters by name; each has pytest, and lies in a folder of that name."""
    site = next((plain().parents[1] / "lib").glob("python*/site-packages"))
    here = sysconfig.get_path("purelib", vars={"base": ""}).lstrip("/")
    made = {}
    for name in NAMES:
        folder = tmp_path / "pythons" / name
        words = ["-m", "venv", "--without-pip", str(folder)]
        subprocess.run([str(plain()), *words], check=True)
        (folder / here / "also.pth").write_text(f"{site}\n")
        made[name] = folder / "bin" / "python"
    return made


def passes_alone(window, name):
    """Runs the tests, and waits until only the one of that name passes."""
    window.show_tests()
    expect(window.tests(f"test_{name}", "Passed")).to_have_count(0)
    window.command("Bonafix: Run All Tests")
    file = window.see(window.tests(TESTS), START)
    if file.get_attribute("aria-expanded") == "false":
        file.locator(".monaco-tl-twistie").click()
    window.see(window.tests(f"test_{name}", "Passed"), START)
    for other in set(NAMES) - {name}:
        window.see(window.tests(f"test_{other}", "Failed"))


def test_the_interpreter_that_was_chosen_in_the_editor(
    start_editor, open_window, tmp_path, pythons
):
    """Tests run with it, and with the next one from the moment that it is chosen.

    With the Python extension alone, then with Python Environments, which goes first.
    Nothing is run unasked; and while the Python extension shows tests, ours do not.
    """
    chosen = {
        "python.defaultInterpreterPath": str(pythons["first"]),
        "python-envs.chosen": str(pythons["third"]),
    }
    root = write(tmp_path / "project", {TESTS: FILE, "pyproject.toml": ""})
    write(root, {".vscode/settings.json": json.dumps(chosen)})
    with start_editor(STANDINS / "python") as code:
        window = open_window(code, root, interpreter=None, run="manual")
        window.open(TESTS)
        window.ready()
        passes_alone(window, "first")
        window.command("Python: Select Interpreter")
        window.answer(str(pythons["second"]))
        passes_alone(window, "second")
        window.picture("python")
        window.settings({**chosen, "python.testing.pytestEnabled": True})
        window.see(window.tests("test_of_theirs"))
        expect(window.tests("test_first")).to_have_count(0, timeout=SOON)
        window.picture("theirs")
        code.install(STANDINS / "environments")
        window.settings(chosen)
        window.page.reload()  # it comes back with the same file open
        window.ready()
        passes_alone(window, "third")
        window.command("Python Environments: Set Project Environment")
        window.answer(str(pythons["fourth"]))
        passes_alone(window, "fourth")
        window.picture("environments")

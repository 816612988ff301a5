"""VS Code's own Testing view, filled by the server's runs."""

import re

import pytest
from playwright.sync_api import expect

from tests.small import FILES, TOTAL, write
from tests.vscode.test_searching import APPLIED, ready
from tests.vscode.workbench import FIX, SOON, START

pytestmark = pytest.mark.timeout(1200)

LATER = """
    import pytest


    @pytest.mark.skip(reason="later")
    def test_later():
        assert False
    """
SLOW = """
    import time
    from pathlib import Path


    def test_slow():
        if Path("slow").exists():
            time.sleep(300)
    """
MENU = "Fix with Bonafix"


def test_a_failing_test_is_fixed_from_the_view(open_window, tmp_path):
    """The tree has all tests and how they ended; the fix is on what fails alone."""
    window = open_window(write(tmp_path / "shop", {**FILES, "tests/test_z.py": LATER}))
    window.open("tests/test_basket.py")
    window.see(window.problems, START)
    window.command("Testing: Focus on Test Explorer View")
    for file in ("tests/test_basket.py", "tests/test_z.py"):
        window.see(window.tests(file)).locator(".monaco-tl-twistie").click()
    for name, outcome in (
        ("test_total", "Failed"),
        ("test_empty", "Passed"),
        ("test_later", "Skipped"),
    ):
        window.see(window.tests(name, outcome))
    window.picture("tree")
    window.see(window.tests("test_empty")).click(button="right")
    window.see(window.page.get_by_role("menuitem", name="Run Test", exact=True))
    expect(window.page.get_by_role("menuitem", name=MENU)).to_have_count(0)
    window.press("Escape")
    window.see(window.tests("test_total")).click(button="right")
    window.see(window.page.get_by_role("menuitem", name=MENU)).click()
    window.notice(ready("test_total"), FIX)
    window.command("Bonafix: Apply the Fix")
    window.notice(APPLIED)
    window.save_all()
    window.see(window.tests("test_total", "Passed"), FIX)
    window.picture("passed")
    assert window.passes(TOTAL)


def test_a_fix_from_a_failures_message(open_window):
    """Both sides of the comparison beside each other, and the fix on the message."""
    window = open_window()
    window.open("tests/test_basket.py")
    window.see(window.problems, START)
    window.underlines(8, 16)
    shown = window.page.locator(".test-error-content-widget", has_text="-7 != 7")
    window.see(shown).click()
    peek = window.page.locator(".test-output-peek")
    window.see(peek.locator(".monaco-diff-editor .line-insert"))
    window.picture("comparison")
    window.see(peek.get_by_text(MENU, exact=True)).click()
    window.fix("test_total", "running")
    window.command("Bonafix: Cancel the Fix")
    window.fix("test_total", "stopped")


def test_a_run_is_started_and_cancelled_in_the_view(open_window, tmp_path):
    """Nothing runs unasked; a cancelled run ends; its tests count as skipped."""
    root = write(tmp_path / "shop", {**FILES, "tests/test_slow.py": SLOW})
    window = open_window(root, run="manual")
    window.open("tests/test_basket.py")
    window.command("Bonafix: Run All Tests")
    window.see(window.problems, START)
    write(root, {"slow": ""})
    window.command("Testing: Focus on Test Explorer View")
    window.see(window.tests("tests/test_slow.py", "Passed")).hover()
    window.command("Test: Run All Tests")
    window.status("running tests")
    window.picture("running")
    window.command("Test: Cancel Test Run")
    expect(window.running("running tests")).to_have_count(0, timeout=SOON)
    window.see(window.tests("tests/test_slow.py", "Skipped"))


def test_the_view_is_left_to_others(open_window):
    """With the view off: diagnostics, but no tests; and help for the first run."""
    window = open_window(workspace={"bonafix.testingView": "off"})
    window.open("tests/test_basket.py")
    window.see(window.problems, START)
    window.command("Bonafix: Run Tests in This File")
    window.command("Bonafix: Get Started")
    page = window.page.locator(".gettingStartedContainer")
    window.see(page.get_by_text("Honest fixes for failing tests"))
    window.see(page.get_by_text("With Claude, or without a key")).click()
    window.see(page.get_by_role("button", name=re.compile("Set the API Key")))
    window.picture("walkthrough")
    window.command("Testing: Focus on Bonafix Fixes View")
    window.see(window.page.get_by_text("Run All Tests"))
    expect(window.running("running tests")).to_have_count(0, timeout=SOON)
    above = window.page.get_by_role("button", name="Test Explorer Section")
    expect(above).to_have_count(0)

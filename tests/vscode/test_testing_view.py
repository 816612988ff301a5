"""VS Code's own Testing view, filled by the server's runs."""

from contextlib import suppress

import pytest
from playwright.sync_api import expect

from tests.e2e.scripting import rounds
from tests.small import TOTAL
from tests.vscode.screen import FIX, MOMENT, SOON
from tests.vscode.shop import BASKET, FAILING, SIGN, TESTS, patch
from tests.vscode.words import APPLIED, ready

pytestmark = pytest.mark.timeout(900)

RUNS = 3
LATER = "tests/test_later.py"
MENU = "Fix with Bonafix"
TAKEN = r"\), in [\d.]+ ?m?s"
OUTCOMES = (
    ("test_total", "Failed" + TAKEN, "failed"),
    ("test_empty", "Passed" + TAKEN, "passed"),
    ("test_slow", "Passed" + TAKEN, "passed"),
    ("test_later", r"Skipped\)", "skipped"),
)
"""Tests, and how they are shown: by the label, with the time taken, and by the icon."""


def icon(window, name, state):
    """What is drawn before a test's name."""
    return window.tests(name).locator(f".codicon-testing-{state}-icon")


def shows_outcomes(window):
    """The whole tree, and how each test ended."""
    window.show_tests()
    for file in (TESTS, LATER):
        row = window.see(window.tests(file))
        if row.get_attribute("aria-expanded") == "false":
            row.locator(".monaco-tl-twistie").click()
    for name, outcome, state in OUTCOMES:
        window.see(window.tests(name, outcome))
        window.see(icon(window, name, state))


def test_a_failing_test_is_fixed_from_the_view(shop, claude):
    """How all tests ended and what they took; the fix is on what fails alone."""
    claude.plays(rounds(patch(shop.root, SIGN)))
    shows_outcomes(shop)
    shop.picture("tree")
    shop.see(shop.tests("test_empty")).click(button="right")
    shop.see(shop.page.get_by_role("menuitem", name="Run Test", exact=True))
    expect(shop.page.get_by_role("menuitem", name=MENU)).to_have_count(0)
    shop.press("Escape")
    shop.see(shop.tests("test_total")).click(button="right")
    shop.pick(MENU)
    shop.notice(ready("test_total"), FIX)
    shop.command("Bonafix: Apply the Fix")
    shop.notice(APPLIED)
    shop.save_all()
    shop.see(shop.tests("test_total", "Passed" + TAKEN), FIX)
    shop.picture("passed")
    assert shop.passes(TOTAL)
    shop.undo(BASKET)


def test_a_fix_from_a_failures_message(shop, claude):
    """Both sides of the comparison beside each other, and the fix on the message."""
    _, pause = claude.thinks(rounds(patch(shop.root, SIGN)), 0)
    shown = shop.page.locator(".test-error-content-widget", has_text="-7 != 7")
    shop.see(shown).click()
    peek = shop.page.locator(".test-output-peek")
    shop.see(peek.locator(".monaco-diff-editor .line-insert"))
    shop.picture("comparison")
    shop.see(peek.get_by_text(MENU, exact=True)).click()
    shop.fix("test_total", "running")
    shop.until(pause.asked.is_set, FIX)
    shop.command("Bonafix: Cancel the Fix")
    shop.fix("test_total", "stopped")
    shop.press("Escape")


def test_a_run_is_started_and_cancelled_in_the_view(shop):
    """A cancelled run ends, and what was known before it is shown again."""
    shows_outcomes(shop)
    (shop.root / "slow").touch()
    shop.command("Test: Run All Tests")
    shop.status("running tests")
    shop.see(icon(shop, "test_slow", "queued"))
    shop.picture("running")
    shop.command("Test: Cancel Test Run")
    expect(shop.running("running tests")).to_have_count(0, timeout=SOON)
    shows_outcomes(shop)
    shop.picture("cancelled")
    (shop.root / "slow").unlink()


def test_the_view_is_left_to_others(shop):
    """Switched off: diagnostics, but no tests; switched on, the next run fills it."""
    basket = shop.root / BASKET
    before = basket.read_text()
    shows_outcomes(shop)
    shop.settings({"bonafix.testingView": "off"})
    expect(shop.tests("test_total")).to_have_count(0, timeout=SOON)
    basket.write_text(before.replace(*SIGN))
    shop.command("Bonafix: Run Tests in This File")
    shop.underlines(FAILING[0])
    expect(shop.tests("test_total")).to_have_count(0)
    basket.write_text(before)
    shop.settings({})
    for _ in range(RUNS):  # the editor takes a moment to see what changed outside of it
        shop.command("Bonafix: Run All Tests")
        with suppress(AssertionError):
            shop.see(shop.tests("test_total", "Failed"), 6 * MOMENT)
            break
    shows_outcomes(shop)

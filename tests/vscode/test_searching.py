"""From a red test to a green one in VS Code, with the embedded engine."""

import re

import pytest

from tests.small import BOUNDARY, TOTAL
from tests.vscode.workbench import FIX, START

pytestmark = pytest.mark.timeout(1200)

ACCEPTED = "(verified|plausible)"
APPLY = re.compile(f"Apply {ACCEPTED} fix")
APPLIED = re.compile(f"applied {ACCEPTED} fix")


def ready(name):
    """The message about a fix that waits for its user."""
    return re.compile(rf"A {ACCEPTED} fix for {name} is ready")


def take_back(window, path):
    """One undo in an applied file, saved."""
    window.open(path)
    window.focus()
    window.press("Control+Z")
    window.save_all()


def test_by_keyboard(open_window, untouched):
    """Diagnostic, fix, progress, diff, apply, green; one undo takes it back."""
    window = open_window()
    untouched(window.root)
    window.open("tests/test_basket.py")
    window.see(window.problems, START)
    window.underlines(8, 16)
    window.to_line(16)
    window.choose("Fix test_total with Bonafix")
    window.status("fixing test_total")
    window.picture("progress")
    window.notice(ready("test_total"), FIX)
    window.fix("test_total", "ready")
    window.picture("ready")
    window.command("Bonafix: Look at the Diff of a Fix")
    window.see(window.page.locator(".monaco-diff-editor .line-insert"))
    window.picture("diff")
    assert untouched(window.root)
    window.open("tests/test_basket.py")
    window.to_line(16)
    window.choose(APPLY)
    window.notice(APPLIED)
    window.picture("applied")
    window.save_all()
    assert window.passes(TOTAL)
    take_back(window, "shop/basket.py")
    assert untouched(window.root)


def test_by_mouse(open_window, untouched):
    """The same by mouse alone: hover, Quick Fix, the row in the view, its button."""
    window = open_window(workspace={"workbench.colorTheme": "Dark Modern"})
    untouched(window.root)
    window.open("tests/test_basket.py")
    window.see(window.problems, START)
    window.underlines(8, 16)
    window.click_offer("with Bonafix")
    row = window.fix("test_free_delivery[50-True]", "ready")
    window.see(window.row(re.compile(f"{ACCEPTED} fix"))).click()
    window.see(window.page.locator(".monaco-diff-editor .line-insert"))
    window.picture("diff")
    assert untouched(window.root)
    row.hover()
    window.see(row.get_by_role("button", name="Apply the Fix")).click()
    window.notice(APPLIED)
    window.save_all()
    assert window.passes(BOUNDARY)
    take_back(window, "shop/basket.py")
    assert untouched(window.root)


def test_two_fixes_at_once(open_window):
    """The second waits for the first, both get ready, and one is applied alone."""
    window = open_window()
    window.open("tests/test_basket.py")
    window.see(window.problems, START)
    window.underlines(8, 16)
    window.to_line(8)
    window.choose("with Bonafix")
    window.to_line(16)
    window.choose("with Bonafix")
    window.fix("test_free_delivery[50-True]", "(running|ready)")
    window.fix("test_total", "(running|ready)")
    window.picture("both")
    window.fix("test_total", "ready")
    window.fix("test_free_delivery[50-True]", "ready")
    window.command("Bonafix: Apply the Fix")
    window.notice(APPLIED)
    window.save_all()
    assert [window.passes(BOUNDARY), window.passes(TOTAL)].count(True) == 1

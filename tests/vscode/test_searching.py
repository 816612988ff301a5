"""From a red test to a green one in VS Code, with the embedded engine."""

import pytest

from tests.e2e.scripting import rounds
from tests.small import BOUNDARY, TOTAL
from tests.vscode.screen import FIX
from tests.vscode.shop import BASKET, EDGE, TESTS, patch
from tests.vscode.words import APPLIED, APPLY, ready

pytestmark = pytest.mark.timeout(900)


def test_by_keyboard(shop, untouched):
    """Diagnostic, fix, progress, diff, apply, green; one undo takes it back."""
    untouched(shop.root)
    shop.command("Problems: Focus on Problems View")
    shop.see(shop.row("assert -7 == 7").filter(has_text="[Ln 16, Col 5]"))
    shop.see(shop.row("most suspicious line").filter(has_text="[Ln 8, Col 9]"))
    shop.picture("problems")
    shop.command("View: Hide Panel")
    shop.to_line(16)
    shop.choose("Quick fix test_total without a model")
    shop.status("fixing test_total")
    shop.fix("test_total", "running")
    shop.picture("progress")
    shop.notice(ready("test_total"), FIX)
    shop.fix("test_total", "ready")
    shop.see(shop.treeitem("suite: pass"))
    shop.command("Bonafix: Look at the Diff of a Fix")
    shop.see(shop.page.locator(".monaco-diff-editor .line-insert"))
    shop.picture("diff")
    assert untouched(shop.root)
    shop.open(TESTS)
    shop.to_line(16)
    shop.choose(APPLY)
    shop.notice(APPLIED)
    shop.picture("applied")
    shop.save_all()
    assert shop.passes(TOTAL)
    shop.undo(BASKET)
    assert untouched(shop.root)


def test_by_mouse_two_fixes_at_once(shop, claude, untouched):
    """One engine each, and both get ready; what the first changes, the other does not.

    By mouse alone: hover, Quick Fix, the row in the view, its button. The second fix is
    judged for a text that is not there once the first is applied: it is not offered
    then, and fits again when that is taken back.
    """
    claude.plays(rounds(patch(shop.root, ("amount > 50", "amount >= 50"))))
    shop.theme("Dark Modern")
    untouched(shop.root)
    shop.click_offer("Quick fix test_total without a model", 16)
    shop.click_offer(f"Fix {EDGE} with Claude", 8)
    shop.fix("test_total", "(running|ready)")
    shop.fix(EDGE, "(running|ready)")
    shop.picture("both")
    shop.fix("test_total", "ready")
    shop.fix(EDGE, "ready")
    _looks_at_the_diff(shop, "test_total", "result += price")
    _applies(shop, "test_total", APPLIED)
    shop.save_all()
    assert shop.passes(TOTAL)
    row = shop.fix(EDGE, "moved")
    row.hover()
    shop.see(row.get_by_role("button", name="Discard"))
    assert row.get_by_role("button", name="Apply the Fix").count() == 0
    shop.picture("moved")
    assert not shop.passes(BOUNDARY)
    shop.undo(BASKET)
    _looks_at_the_diff(shop, EDGE, "amount >= 50")
    _applies(shop, EDGE, APPLIED)
    shop.save_all()
    assert shop.passes(BOUNDARY)
    shop.undo(BASKET)
    assert untouched(shop.root)


def _looks_at_the_diff(window, name, line):
    """By the row of the fix itself; nothing is changed by that."""
    before = (window.root / BASKET).read_bytes()
    row = window.fix(name, "ready")
    if row.get_attribute("aria-expanded") == "false":
        row.locator(".monaco-tl-twistie").click()
    window.below(row, "1/1 target, ").click()
    window.see(window.page.locator(".monaco-diff-editor", has_text=line))
    window.picture("diff")
    assert (window.root / BASKET).read_bytes() == before


def _applies(window, name, said):
    """By the button on the row; what comes of it is said."""
    row = window.fix(name, "ready")
    row.hover()
    window.see(row.get_by_role("button", name="Apply the Fix")).click()
    window.notice(said)
    window.dismiss()

"""Claude in VS Code, played from a script: what happens while a fix is being made."""

import pytest
from playwright.sync_api import expect

from tests.e2e.scripting import rounds
from tests.small import BOUNDARY, TOTAL
from tests.vscode.screen import FIX, SOON
from tests.vscode.shop import (
    BASKET,
    CHEAT,
    EDGE,
    KEY,
    MONEY,
    SEVERAL,
    SIGN,
    TESTS,
    adding,
    efforts,
    in_turn,
    line_of,
    patch,
)
from tests.vscode.sight import states, unnamed
from tests.vscode.words import APPLIED
from tests.vscode.workbench import THEMES

pytestmark = pytest.mark.timeout(900)


def test_a_cheat_is_refused_and_a_fix_of_two_files_is_not(
    shop, claude, code, untouched
):
    """By keyboard: progress, the refusal, both diffs, apply, green; one undo for all.

    The first candidate knows the test. The key comes from the editor's secret store,
    and is in none of its files. Each state in the view has an icon of its own.
    """
    untouched(shop.root)
    cheat = patch(shop.root, CHEAT)
    honest = patch(shop.root, *SEVERAL, **{MONEY: adding(shop.root)})
    second = len(rounds(cheat))
    api, first, again = claude.thinks(rounds(cheat, honest), 0, second)
    shop.to_line(16)
    shop.choose("Fix test_total with Bonafix")
    shop.fix("test_total", "running")
    shop.until(first.asked.is_set, FIX)
    shop.picture("thinking")
    seen = states(shop)
    first.free.set()
    shop.see(shop.row("special-cased"), FIX)
    shop.until(again.asked.is_set, FIX)
    shop.picture("refused")
    seen |= states(shop)
    again.free.set()
    shop.fix("test_total", "ready")
    seen |= states(shop)
    assert set(seen) >= {"running", "ready", "open", "pass", "fail", "skipped"}
    assert len(set(seen.values())) == len(seen), "two states have the same icon"
    assert api.messages
    kept = [path for path in code.folder.rglob("*") if path.is_file()]
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []
    shop.command("Bonafix: Look at the Diff of a Fix")
    shop.see(shop.page.locator(".multiDiffEditor .line-insert"))
    shop.picture("diffs")
    assert untouched(shop.root)
    _in_all_themes(shop)
    shop.command("Bonafix: Apply the Fix")
    shop.notice(APPLIED)
    shop.save_all()
    assert shop.passes(TOTAL)
    assert shop.has(MONEY, "def add")
    shop.undo(BASKET, files=2)
    assert untouched(shop.root)


def _in_all_themes(shop):
    """A picture in each kind of colours; what is shown has names for those who hear."""
    assert unnamed(shop) == []
    shop.dismiss()
    for theme in THEMES:
        shop.theme(theme)
        shop.picture(theme.lower().replace(" ", "-"))
    shop.settings({})


def test_cancel_in_the_middle(shop, claude, untouched):
    """Cancelled while Claude thinks: said at once, nothing changed, free again."""
    untouched(shop.root)
    _, pause = claude.thinks(rounds(patch(shop.root, SIGN)), 0)
    shop.to_line(16)
    shop.choose("Fix test_total with Bonafix")
    shop.fix("test_total", "running")
    shop.until(pause.asked.is_set, FIX)
    running = states(shop)["running"]
    shop.command("Bonafix: Cancel the Fix")
    shop.notice("the work on test_total was cancelled")
    shop.fix("test_total", "stopped")
    shop.picture("stopped")
    assert states(shop)["stopped"] != running
    assert untouched(shop.root)
    shop.open(TESTS)
    shop.to_line(16)
    shop.see(shop.offers().filter(has_text="Fix test_total with Bonafix"))
    shop.press("Escape")


def test_typing_during_a_fix(shop, claude, untouched):
    """What is typed meanwhile is kept, and the fix still fits when it is applied.

    Where it does not, because its own line was edited, the view says so, until it does.
    """
    untouched(shop.root)
    _, pause = claude.thinks(rounds(patch(shop.root, SIGN)), 0)
    shop.to_line(16)
    shop.choose("Fix test_total with Bonafix")
    shop.until(pause.asked.is_set, FIX)
    shop.open(BASKET)
    shop.focus()
    shop.press("Control+Home")
    shop.page.keyboard.type("# typed meanwhile\n")
    shop.picture("typed")
    pause.free.set()
    shop.fix("test_total", "ready")
    shop.to_line(1 + line_of(shop.root / BASKET, SIGN[0]))
    shop.press("End")
    shop.page.keyboard.type("  # mine")
    shop.fix("test_total", "moved")
    for _ in "  # mine":
        shop.press("Backspace")
    shop.fix("test_total", "ready")
    shop.command("Bonafix: Apply the Fix")
    shop.notice(APPLIED)
    shop.save_all()
    assert shop.has(BASKET, "# typed meanwhile\n")
    assert shop.passes(TOTAL)
    shop.undo(BASKET)
    assert not shop.has(BASKET, "+= price")
    assert shop.has(BASKET, "# typed meanwhile\n")
    while not untouched(shop.root):  # what was typed goes word by word
        shop.undo(BASKET)


def test_candidates_to_choose_from(shop, claude, code):
    """Two candidates, the second chosen by keyboard; more effort asked for; discarded.

    Each stage is said aloud; thinking and cost are told while they come.
    """
    turns = in_turn(
        patch(shop.root, ("amount > 50", "amount >= 50")),
        patch(shop.root, ("amount > 50", "amount > 49")),
    )
    api = claude.plays(turns)
    code.choose(bonafix__candidates=2, bonafix__progress="notification")
    shop.to_line(8)
    shop.choose(f"Fix {EDGE} with Bonafix")
    shop.fix(EDGE, "running")
    shop.see(shop.row("cost so far"), FIX)
    shop.aloud("fixing", "suite")
    shop.see(shop.row("the model's words: "))
    shop.picture("aloud")
    shop.command("Bonafix: Show the Model's Summary of Its Thinking")
    shop.see(shop.page.locator(".view-line", has_text="naïvely"))
    shop.fix(EDGE, "ready")
    shop.see(shop.treeitem("candidate 1 of 2"))
    shop.picture("candidates")
    shop.command("Bonafix: Ask Claude Again, with More Effort")
    shop.until(lambda: "high" in efforts(api), FIX)
    shop.fix(EDGE, "running")
    shop.command("Bonafix: Cancel the Fix")
    shop.fix(EDGE, "stopped")
    shop.command("Testing: Focus on Bonafix Fixes View")
    shop.menu(shop.treeitem(f"{EDGE}, stopped"), "Discard the Fix")
    expect(shop.treeitem(f"{EDGE}, stopped")).to_have_count(0, timeout=SOON)
    shop.reach(shop.treeitem("candidate 2 of 2"))
    shop.press("Enter")
    shop.see(shop.page.locator(".monaco-diff-editor .line-insert"))
    shop.see(shop.page.locator(".monaco-diff-editor", has_text="amount > 49"))
    shop.command("Testing: Focus on Bonafix Fixes View")
    shop.menu(shop.treeitem("candidate 2 of 2"), "Apply the Fix")
    shop.notice(APPLIED)
    shop.save_all()
    assert shop.has(BASKET, "amount > 49")
    assert shop.passes(BOUNDARY)
    shop.undo(BASKET)

"""Claude in VS Code, played from a script: what happens while a fix is being made."""

import itertools
import json
import re
from contextlib import suppress

import pytest
from playwright.sync_api import expect

from bonafix.domain import Change, Patch
from tests.e2e.scripting import rounds
from tests.messages_api import Fault, MessagesApi, Script, Turn
from tests.small import BOUNDARY, FILES, TOTAL, write
from tests.vscode.test_searching import APPLIED
from tests.vscode.workbench import FIX, SOON, START

pytestmark = pytest.mark.timeout(1200)

KEY = "sk-ant-loopback-0123456789"
BASKET, MONEY = "shop/basket.py", "shop/money.py"
CHEAT = ("result = 0\n", "result = 0\n    if prices == [3, 4]:\n        return 7\n")
SIGN = ("result -= price", "result += price")


def patch(root, *swaps, **more):
    """The project's basket with pieces swapped; `more` are whole new texts by name."""
    before = (root / BASKET).read_bytes()
    after = before
    for old, new in swaps:
        assert old.encode() in after
        after = after.replace(old.encode(), new.encode(), 1)
    others = (
        Change(path, (root / path).read_bytes(), text) for path, text in more.items()
    )
    return Patch((Change(BASKET, before, after), *others))


TWICE = """
    def cents(amount):
        \"\"\"What is shown of an amount.\"\"\"
        return amount * 2
    """


@pytest.fixture
def project(tmp_path):
    return write(tmp_path / "shop", FILES)


@pytest.fixture
def claude(open_window, project):
    """Opens a window whose Claude plays these turns; with the API that plays."""
    apis = []

    def window(*turns, **chosen):
        api = MessagesApi(Script.of(*turns), keys=frozenset({"test", KEY}))
        apis.append(api.__enter__())
        key = {} if chosen.get("alone") else {"ANTHROPIC_API_KEY": "test"}
        environment = {"ANTHROPIC_BASE_URL": api.url, **key}
        shown = open_window(project, environment=environment, engine="claude", **chosen)
        shown.open("tests/test_basket.py")
        shown.see(shown.problems, START)
        shown.underlines(8, 16)
        return shown, api

    yield window
    for api in apis:
        api.__exit__(None, None, None)


def in_turn(*patches):
    """The turns of one conversation after another, each with the next of `patches`."""
    scripts = [rounds(one) for one in patches]
    first = scripts[0]
    edits = itertools.cycle(script[1] for script in scripts)
    return [first[0], lambda _request: next(edits), *first[2:]]


def efforts(api):
    """How much thinking each request asked for."""
    bodies = [json.loads(one.body) for one in api.messages]
    return [body.get("output_config", {}).get("effort") for body in bodies]


def stalled(turns, seconds):
    """The same turns, the first of which thinks for that long."""
    slow = Fault(kind="stall", at="thinking", seconds=seconds)
    return [Turn(blocks=turns[0].blocks, fault=slow), *turns[1:]]


def test_a_special_cased_candidate_is_refused_on_screen(claude, code, project):
    """The first candidate knows the test: refused in the view; the next one fixes.

    The key comes from the editor's secret store, and is in none of its files.
    """
    turns = rounds(patch(project, CHEAT), patch(project, SIGN))
    window, api = claude(*turns, alone=True)
    window.command("Bonafix: Set the Anthropic API Key")
    box = window.see(window.page.locator(".quick-input-widget input.input"))
    box.fill(KEY)
    window.press("Enter")
    window.open("tests/test_basket.py")
    window.underlines(8, 16)
    window.to_line(16)
    window.choose("Fix test_total with Bonafix")
    window.fix("test_total", "running")
    window.see(window.row("special-cased"), FIX)
    window.picture("refused")
    window.fix("test_total", "ready")
    window.picture("ready")
    assert api.messages
    kept = [path for path in code.folder.rglob("*") if path.is_file()]
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []


def test_one_undo_takes_back_several_files(claude, project, untouched):
    """A fix over two files: both diffs before, both changed after, both back."""
    write(project, {MONEY: TWICE})
    basket = (project / BASKET).read_text()
    shown = basket.replace("return result", "return cents(result)")
    heading, rest = shown.split("\n", 1)
    (project / BASKET).write_text(f"{heading}\n\nfrom shop.money import cents\n{rest}")
    untouched(project)
    once = (project / MONEY).read_bytes().replace(b" * 2", b"")
    window, _ = claude(*rounds(patch(project, SIGN, **{MONEY: once})))
    window.to_line(16)
    window.choose("Fix test_total with Bonafix")
    window.fix("test_total", "ready")
    window.command("Bonafix: Look at the Diff of a Fix")
    window.see(window.page.locator(".multiDiffEditor .line-insert"))
    window.picture("diffs")
    assert untouched(project)
    window.command("Bonafix: Apply the Fix")
    window.notice(APPLIED)
    window.save_all()
    assert window.passes(TOTAL)
    assert not window.has(MONEY, "* 2")
    window.open(BASKET)
    window.focus()
    window.press("Control+Z")
    with suppress(AssertionError):  # asked where not all of them are open
        question = window.page.get_by_role("button", name=re.compile("Undo in 2 Files"))
        window.see(question, 5_000).click()
    window.save_all()
    assert untouched(project)


def test_cancel_in_the_middle(claude, project, untouched):
    """Cancelled while Claude thinks: said at once, nothing changed, free again."""
    untouched(project)
    window, api = claude(*stalled(rounds(patch(project, SIGN)), 25))
    window.to_line(16)
    window.choose("Fix test_total with Bonafix")
    window.fix("test_total", "running")
    assert api.asked.wait(60)
    window.picture("thinking")
    window.command("Bonafix: Cancel the Fix")
    window.notice("the work on test_total was cancelled")
    window.fix("test_total", "stopped")
    assert untouched(project)
    window.to_line(16)
    window.choose("Fix test_total with Bonafix")


def test_typing_during_a_fix(claude, project):
    """What is typed meanwhile is kept, and the fix still fits when it is applied."""
    window, api = claude(*stalled(rounds(patch(project, SIGN)), 20))
    window.to_line(16)
    window.choose("Fix test_total with Bonafix")
    assert api.asked.wait(60)
    window.open(BASKET)
    window.focus()
    window.press("Control+Home")
    window.page.keyboard.type("# typed meanwhile\n")
    window.fix("test_total", "ready")
    window.command("Bonafix: Apply the Fix")
    window.notice(APPLIED)
    window.save_all()
    assert window.has(BASKET, "# typed meanwhile\n")
    assert window.passes(TOTAL)


def test_candidates_to_choose_from(claude, project):
    """Two candidates, the second chosen by keyboard; more effort asked for; discarded.

    Each stage is said aloud; thinking and cost are told while they come.
    """
    turns = in_turn(
        patch(project, ("amount > 50", "amount >= 50")),
        patch(project, ("amount > 50", "amount > 49")),
    )
    aloud = {"bonafix.progress": "notification"}
    window, api = claude(*turns, candidates=2, workspace=aloud)
    name = "test_free_delivery[50-True]"
    window.to_line(8)
    window.choose("with Bonafix")
    window.fix(name, "running")
    window.see(window.row("cost so far"), FIX)
    window.aloud("fixing", "suite")
    window.see(window.row("the model's words: "))
    window.picture("aloud")
    window.command("Bonafix: Show the Model's Summary of Its Thinking")
    window.see(window.page.locator(".view-line", has_text="naïvely at first"))
    window.fix(name, "ready")
    window.see(window.treeitem("candidate 1 of 2"))
    window.picture("candidates")
    window.command("Bonafix: Ask Claude Again, with More Effort")
    window.until(lambda: "high" in efforts(api))
    window.fix(name, "running")
    window.command("Bonafix: Cancel the Fix")
    window.fix(name, "stopped")
    window.command("Testing: Focus on Bonafix Fixes View")
    window.menu(window.treeitem(f"{name}, stopped"), "Discard the Fix")
    expect(window.treeitem(f"{name}, stopped")).to_have_count(0, timeout=SOON)
    window.reach(window.treeitem("candidate 2 of 2"))
    window.press("Enter")
    inserted = window.page.locator(".monaco-diff-editor .line-insert")
    window.see(inserted)
    window.see(window.page.locator(".monaco-diff-editor", has_text="amount > 49"))
    window.command("Testing: Focus on Bonafix Fixes View")
    window.menu(window.treeitem("candidate 2 of 2"), "Apply the Fix")
    window.notice(APPLIED)
    window.save_all()
    assert window.has(BASKET, "amount > 49")
    assert window.passes(BOUNDARY)

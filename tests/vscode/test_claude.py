"""Claude in VS Code, played from a script: what happens while a fix is being made."""

import re
from contextlib import suppress

import pytest

from bonafix.domain import Change, Patch
from tests.e2e.scripting import rounds
from tests.messages_api import Fault, MessagesApi, Script, Turn
from tests.small import FILES, TOTAL, write
from tests.vscode.test_searching import APPLIED
from tests.vscode.workbench import FIX, START

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
        key = {} if chosen.pop("keyless", False) else {"ANTHROPIC_API_KEY": "test"}
        environment = {"ANTHROPIC_BASE_URL": api.url, **key}
        shown = open_window(project, environment=environment, engine="claude", **chosen)
        shown.open("tests/test_basket.py")
        shown.see(shown.problems, START)
        shown.underlines(8, 16)
        return shown, api

    yield window
    for api in apis:
        api.__exit__(None, None, None)


def stalled(turns, seconds):
    """The same turns, the first of which thinks for that long."""
    slow = Fault(kind="stall", at="thinking", seconds=seconds)
    return [Turn(blocks=turns[0].blocks, fault=slow), *turns[1:]]


def test_a_special_cased_candidate_is_refused_on_screen(claude, project, tmp_path):
    """The first candidate knows the test: refused in the view; the next one fixes.

    The key comes from the editor's secret store, and is in none of its files.
    """
    turns = rounds(patch(project, CHEAT), patch(project, SIGN))
    window, api = claude(*turns, keyless=True)
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
    kept = [path for path in (tmp_path / "editor").rglob("*") if path.is_file()]
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

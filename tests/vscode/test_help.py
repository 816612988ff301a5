"""What the extension offers when something is wrong, or new."""

import re

import psutil
import pytest
from playwright.sync_api import expect

from tests.vscode.screen import START
from tests.vscode.shop import FAILING, KEY

pytestmark = pytest.mark.timeout(900)


def servers(root):
    """The ids of the language servers that were started for the project."""
    settings = str(root.parent / "config.toml")
    found = set()
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("BONAFIX_CONFIG") == settings
            if ours and process.cmdline()[-1:] == ["lsp"]:
                found.add(process.pid)
        except psutil.Error:
            continue  # gone meanwhile, or not ours
    return found


def test_restart(shop):
    """The old server is gone, a new one is ready, and shows the failures again."""
    before = servers(shop.root)
    assert before
    shop.command("Bonafix: Restart Server")
    shop.until(lambda: servers(shop.root) and not servers(shop.root) & before)
    shop.see(shop.problems, START)
    shop.underlines(*FAILING)
    shop.ready()


def test_logs(shop):
    """The channel of the extension, with what the server has done."""
    shop.command("Bonafix: Show Logs")
    channel = shop.page.get_by_role("combobox", name="Switch Output")
    expect(channel.filter(visible=True)).to_have_value("Bonafix")
    lines = shop.page.locator(".part.panel .view-line")
    shop.see(lines.filter(has_text=re.compile(r"7\stests,\s2\sfailing")))
    shop.picture("logs")
    shop.command("View: Hide Panel")


def test_debug_information(shop):
    """A page for a bug report, without anything secret."""
    shop.command("Bonafix: Show Debug Information")
    shop.see(shop.page.locator(".tab.active", has_text="Bonafix: debug information"))
    lines = shop.page.locator(".editor-instance .view-line")
    for said in ("bonafix.bonafix ", "Server state: running", '"trust": true'):
        shop.see(lines.filter(has_text=said))
    expect(lines.filter(has_text=KEY)).to_have_count(0)
    shop.picture("information")
    shop.command("View: Revert and Close Editor")


def test_the_first_run(shop):
    """The walkthrough leads to a key, and to the engine that needs none."""
    shop.command("Bonafix: Get Started")
    page = shop.page.locator(".gettingStartedContainer")
    shop.see(page.get_by_text("Honest fixes for failing tests"))
    shop.see(page.get_by_text("With Claude, or without a key")).click()
    shop.see(page.get_by_role("button", name=re.compile("Set the API Key")))
    shop.picture("walkthrough")

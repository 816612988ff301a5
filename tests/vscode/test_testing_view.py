"""VS Code's own Testing view, filled by the server's runs."""

import re

import pytest

from tests.small import TOTAL
from tests.vscode.test_searching import APPLIED, ready
from tests.vscode.workbench import FIX, START

pytestmark = pytest.mark.timeout(1200)


def test_a_failing_test_is_fixed_from_the_view(open_window):
    """The tree, Fix with Bonafix on a test, and green after the next run."""
    window = open_window()
    window.open("tests/test_basket.py")
    window.see(window.problems, START)
    window.command("Testing: Focus on Test Explorer View")
    tree = window.page.locator(".test-explorer-tree .monaco-list-row")
    file = window.see(tree.filter(has_text="test_basket.py"))
    file.locator(".monaco-tl-twistie").click()
    total = window.see(tree.filter(has_text="test_total"))
    window.picture("tree")
    total.click(button="right")
    menu = window.page.get_by_role("menuitem", name="Fix with Bonafix")
    window.see(menu).click()
    window.notice(ready("test_total"), FIX)
    window.command("Bonafix: Apply the Fix")
    window.notice(APPLIED)
    window.save_all()
    window.see(total.and_(window.page.get_by_label(re.compile("Passed"))), FIX)
    window.picture("passed")
    assert window.passes(TOTAL)

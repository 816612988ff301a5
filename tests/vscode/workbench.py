"""What a person does in VS Code, by Playwright."""

import json
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from playwright.sync_api import Locator, expect

from tests.observe.environments import plain
from tests.small import write
from tests.vscode.screen import FIX, MOMENT, SOON, Screen

THEMES = {
    "Light Modern": "vs",
    "Dark Modern": "vs-dark",
    "Default High Contrast": "hc-black",
    "Default High Contrast Light": "hc-light",
}
"""Themes, and how the workbench marks their kinds."""


@dataclass(frozen=True, slots=True)
class Workbench(Screen):
    """One window, and a person before it."""

    def fix(self, name: str, phase: str, timeout: int = FIX) -> Locator:
        """The row of a test's fix in the view, once it says `phase`."""
        self.show_fixes()
        label = re.compile(rf"^{re.escape(name)}, {phase}:")
        return self.see(self.page.get_by_role("treeitem", name=label), timeout)

    def show_fixes(self) -> None:
        """Open the view of the fixes, with the room that it needs."""
        self._unfold("Bonafix Fixes", "Test Explorer")

    def show_tests(self) -> None:
        """Open VS Code's own view of the tests, with the room that it needs."""
        self._unfold("Test Explorer", "Bonafix Fixes")

    def _unfold(self, view: str, other: str) -> None:
        """The trees share a column, and rows out of sight are not there at all."""
        wanted, beside = (
            self.page.get_by_role("button", name=f"{one} Section")
            for one in (view, other)
        )
        if not wanted.count() or wanted.get_attribute("aria-expanded") == "false":
            self.command(f"Testing: Focus on {view} View")
            self.see(wanted)
        if beside.count() and beside.get_attribute("aria-expanded") == "true":
            beside.click()

    def press(self, *keys: str) -> None:
        """Press keys one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def open(self, path: str) -> None:
        """Open a file from the explorer, unfolding what is in the way."""
        *folders, name = path.split("/")
        self.press("Control+Shift+E")
        explorer = self.page.locator(".explorer-folders-view .monaco-list-row")
        for depth, folder in enumerate(folders, 1):
            row = self._exactly(explorer, folder, depth)
            if row.get_attribute("aria-expanded") == "false":
                row.click()
        row = self._exactly(explorer, name, len(folders) + 1)
        row.dblclick()
        tab = self.page.locator(".tab.active", has_text=name)
        self.see(tab)
        self.see(self.page.locator(".editor-instance .view-line"))

    def _exactly(self, rows: Locator, name: str, depth: int) -> Locator:
        one = rows.and_(self.page.locator(f'[aria-level="{depth}"]'))
        whole = re.compile(rf"^\s*{re.escape(name)}\s*\d*\s*$")
        return self.see(one.filter(has_text=whole))

    def command(self, title: str) -> None:
        """Run a command from the palette.

        The palette shows what there was when it was opened: a command of an extension
        that is only being loaded is not found before it is opened again.
        """
        focused = self.page.locator(".quick-input-list .monaco-list-row.focused")
        for _ in range(SOON // MOMENT):
            self.press("F1")
            box = self.see(self.page.locator(".quick-input-widget input.input"))
            box.fill(f">{title}")
            with suppress(AssertionError):
                self.see(focused.filter(has_text=title), MOMENT)
                break
            self.press("Escape")
        else:
            raise AssertionError(f"there is no command {title}")
        self.press("Enter")

    def answer(self, text: str) -> None:
        """Type a text into the box that asks for one."""
        box = self.see(self.page.locator(".quick-input-widget input.input"))
        box.fill(text)
        self.press("Enter")
        expect(box).to_be_hidden(timeout=SOON)

    def to_line(self, line: int) -> None:
        """Put the cursor on a line (1-based) of the open file."""
        self.focus()
        self.press("Control+g")
        box = self.see(self.page.locator(".quick-input-widget input.input"))
        box.fill(f":{line}")
        self.press("Enter")
        self.status(f"Ln {line},")

    def focus(self) -> None:
        """Put the keyboard into the open file."""
        self.press("Control+1")

    def offers(self) -> Locator:
        """Open the menu of quick fixes by keyboard; its rows.

        What moves in the editor at that moment closes it again: a person presses twice.
        """
        rows = self.page.locator(".action-widget .monaco-list-row.action")
        for _ in range(5):
            self.press("Control+.")
            with suppress(AssertionError):
                self.see(rows, MOMENT)
                break
        self.see(rows, 1_000)
        return rows

    def reach(self, row: Locator) -> None:
        """Move to a row of the list that has the keyboard, by arrow keys alone."""
        self.press("Home")
        for _ in range(60):
            if self.page.locator(".monaco-list-row.focused").and_(row).count():
                return
            self.press("ArrowDown")
        raise AssertionError("the keyboard does not reach it")

    def menu(self, row: Locator, title: str) -> None:
        """Take an entry of a row's menu, by keyboard alone."""
        self.reach(row)
        self.press("Shift+F10")
        entry = self.see(self.page.get_by_role("menuitem", name=title))
        for _ in range(20):
            if (
                self.page.locator(".action-item.focused")
                .and_(self.page.locator(".action-item", has_text=title))
                .count()
            ):
                break
            self.press("ArrowDown")
        else:
            raise AssertionError(f"the keyboard does not reach {title}")
        self.press("Enter")
        expect(entry).to_have_count(0)

    def choose(self, title: str | re.Pattern[str]) -> None:
        """Take the quick fix of that title, by keyboard alone."""
        wanted = self.see(self.offers().filter(has_text=title))
        for _ in range(20):
            if "focused" in (wanted.get_attribute("class") or ""):
                break
            self.press("ArrowDown")
        else:
            raise AssertionError(f"the keyboard does not reach {title}")
        self.press("Enter")

    def click_offer(self, title: str | re.Pattern[str], line: int) -> None:
        """The same by mouse: hover over the line's problem, Quick Fix, the action."""
        self.page.mouse.move(640, 700)
        self.problem(line).hover(force=True)
        link = self.page.locator(
            ".monaco-hover .hover-row .action", has_text="Quick Fix"
        )
        self.see(link).click()
        rows = self.page.locator(".action-widget .monaco-list-row.action")
        self.see(rows.filter(has_text=title)).click()

    def dismiss(self) -> None:
        """Close all notifications."""
        self.command("Notifications: Clear All Notifications")
        expect(self.page.locator(".notification-list-item-message")).to_have_count(0)

    def save_all(self) -> None:
        """Save every changed file, and wait until none is left.

        A file that is changed in the background gets its tab a little later, and the
        command knows tabs only.
        """
        self.see(self.page.locator(".tab.dirty"))
        self.command("File: Save All Files")
        expect(self.page.locator(".tab.dirty")).to_have_count(0, timeout=SOON)

    def undo(self, path: str, files: int = 1) -> None:
        """One undo in an applied file, saved; it takes the fix's other files along."""
        self.open(path)
        self.focus()
        self.press("Control+Z")
        if files > 1:  # asked where not all of them are open
            name = re.compile(f"Undo in {files} Files")
            question = self.page.get_by_role("button", name=name)
            self.see(question.or_(self.page.locator(".tab.dirty")))
            if question.count():
                question.click()
        self.save_all()

    def settings(self, chosen: dict[str, object]) -> None:
        """What the settings of the workspace are from now on; without any, no file."""
        if chosen:
            write(self.root, {".vscode/settings.json": json.dumps(chosen)})
        else:
            shutil.rmtree(self.root / ".vscode", ignore_errors=True)

    def widen(self, width: int) -> None:
        """Drag the border of the side bar, for rows that are to be read whole."""
        bar = self.page.locator(".part.sidebar").bounding_box()
        assert bar
        mouse = self.page.mouse
        mouse.move(bar["x"] + bar["width"] + 2, 400)
        mouse.down()
        mouse.move(bar["x"] + width, 400, steps=4)
        mouse.up()

    def theme(self, name: str) -> None:
        """Change the colours, by the settings of the workspace."""
        self.settings({"workbench.colorTheme": name})
        shown = self.page.locator(f".monaco-workbench.{THEMES[name]}")
        expect(shown).to_be_attached(timeout=SOON)

    def tidy(self) -> None:
        """Leave nothing behind: no message, no open file, no fix, no setting."""
        assert not self.page.locator(".tab.dirty").count(), "a file is not saved"
        self.settings({})
        self.dismiss()
        self.command("View: Close All Editors")
        expect(self.page.locator(".tab")).to_have_count(0, timeout=SOON)
        self.show_fixes()
        for _ in range(10):
            if not (left := self.fixes.count()):
                break
            self.command("Bonafix: Discard the Fix")
            expect(self.fixes).to_have_count(left - 1, timeout=SOON)

    # ------------------------------------------------------------------ afterwards

    def passes(self, *tests: str) -> bool:
        """Whether plain pytest says so, on the files as they are on disk."""
        words = ["-q", "-p", "no:cacheprovider", *tests]
        command = [str(plain()), "-B", "-m", "pytest", *words]
        done = subprocess.run(
            command, cwd=self.root, capture_output=True, check=False, timeout=60
        )
        return done.returncode == 0

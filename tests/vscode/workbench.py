"""What a person does in VS Code and sees on its screen, by Playwright.

Every wait is for something visible and ends; nothing is read from the editor's insides.
"""

import re
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.observe.environments import plain
from tests.vscode.editor import PICTURES

START = 300_000  # milliseconds until the workbench and its extensions are up
FIX = 400_000  # until a fix has been found, judged and offered
SOON = 90_000  # for what takes a moment, on a machine that others use, too


@dataclass(frozen=True, slots=True)
class Workbench:
    """One window."""

    page: Page
    root: Path
    """The folder that is open."""
    name: str
    """Of the test: its pictures are called after it."""

    # ------------------------------------------------------------------- looking

    def picture(self, name: str) -> None:
        """Keep what the screen shows now."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{self.name}-{name}.png")

    def see(self, what: Locator, timeout: int = SOON) -> Locator:
        """Wait until it is on the screen."""
        expect(what.first).to_be_visible(timeout=timeout)
        return what.first

    def notice(self, text: str | re.Pattern[str], timeout: int = SOON) -> Locator:
        """Wait for a notification; it is taken for read and closed by `dismiss`."""
        toasts = self.page.locator(".notification-list-item-message", has_text=text)
        return self.see(toasts, timeout)

    def status(self, text: str | re.Pattern[str], timeout: int = SOON) -> Locator:
        """Wait until the status bar says so."""
        return self.see(self.running(text), timeout)

    def running(self, text: str | re.Pattern[str]) -> Locator:
        """What the status bar says that is being worked on."""
        return self.page.locator(".statusbar .statusbar-item", has_text=text)

    def tests(self, name: str, outcome: str = "") -> Locator:
        """The rows of the Testing view that are so named and have ended so."""
        label = re.compile(rf"{re.escape(name)} \({outcome}")
        rows = self.page.locator(".test-explorer-tree .monaco-list-row")
        return (
            rows.and_(self.page.get_by_label(label))
            if outcome
            else rows.filter(has_text=name)
        )

    def row(self, text: str | re.Pattern[str]) -> Locator:
        """A row of any tree or list on the screen."""
        return self.page.locator(".monaco-list-row", has_text=text)

    def treeitem(self, label: str) -> Locator:
        """The rows of trees whose labels, as they are read out, begin so."""
        begin = re.compile("^" + re.escape(label))
        return self.page.get_by_role("treeitem", name=begin)

    def aloud(self, *words: str, timeout: int = FIX) -> None:
        """Wait until a screen reader has been given a text with these words."""
        spoken = self.page.locator(".monaco-aria-container > div")
        for word in words:
            spoken = spoken.filter(has_text=word)
        expect(spoken.first).to_be_attached(timeout=timeout)

    def until(self, holds: Callable[[], bool], timeout: int = SOON) -> None:
        """Wait for what is not on the screen."""
        end = time.monotonic() + timeout / 1000
        while not holds() and time.monotonic() < end:
            self.page.wait_for_timeout(100)
        assert holds()

    def fix(self, name: str, phase: str, timeout: int = FIX) -> Locator:
        """The row of a test's fix in the view, once it says `phase`."""
        if not self.page.get_by_role("button", name="Bonafix Fixes Section").count():
            self.command("Testing: Focus on Bonafix Fixes View")
            # The trees share a column, and rows out of sight are not there at all.
            above = self.page.get_by_role("button", name="Test Explorer Section")
            self.see(above).click()
        label = re.compile(rf"^{re.escape(name)}, {phase}:")
        return self.see(self.page.get_by_role("treeitem", name=label), timeout)

    def has(self, path: str, text: str) -> bool:
        """Whether a file on disk has the text."""
        return text in (self.root / path).read_text()

    @property
    def problems(self) -> Locator:
        """The underlined places of the open file."""
        return self.page.locator(".squiggly-error")

    def underlines(self, *lines: int) -> None:
        """Wait until exactly these lines (1-based) are underlined as errors.

        Lenses come later than the lines below them, and push them down.
        """
        end = time.monotonic() + SOON / 1000
        while (seen := self._underlined()) != set(lines) and time.monotonic() < end:
            time.sleep(0.5)
        assert seen == set(lines)

    def _underlined(self) -> set[int]:
        numbers = self.page.locator(".margin-view-overlays .line-numbers").all()
        places = [(_top(number), number.text_content()) for number in numbers]
        tops = map(_top, self.problems.all())
        return {
            int(min((abs(at - top), n) for at, n in places if n)[1]) for top in tops
        }

    # --------------------------------------------------------------------- doing

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
        for _ in range(SOON // 5_000):
            self.press("F1")
            box = self.see(self.page.locator(".quick-input-widget input.input"))
            box.fill(f">{title}")
            with suppress(AssertionError):
                self.see(focused.filter(has_text=title), 5_000)
                break
            self.press("Escape")
        else:
            raise AssertionError(f"there is no command {title}")
        self.press("Enter")

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
                self.see(rows, 5_000)
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

    def click_offer(self, title: str | re.Pattern[str], problem: int = 0) -> None:
        """The same by mouse: hover over the problem, Quick Fix, the action."""
        self.page.mouse.move(640, 700)
        self.problems.nth(problem).hover(force=True)
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

    # ------------------------------------------------------------------ afterwards

    def passes(self, *tests: str) -> bool:
        """Whether plain pytest says so, on the files as they are on disk."""
        words = ["-q", "-p", "no:cacheprovider", *tests]
        command = [str(plain()), "-B", "-m", "pytest", *words]
        done = subprocess.run(
            command, cwd=self.root, capture_output=True, check=False, timeout=60
        )
        return done.returncode == 0


def _top(shown: Locator) -> float:
    box = shown.bounding_box()
    return box["y"] if box else -1.0

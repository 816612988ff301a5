"""What VS Code shows in one window, by Playwright.

Every wait is for something visible and ends; nothing is read from the editor's insides.
"""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.vscode.editor import PICTURES

START = 300_000  # milliseconds until the workbench and its extensions are up
FIX = 200_000  # until a fix has been found, judged and offered
SOON = 90_000  # for what takes a moment, on a machine that others use, too
CLICKS = 3  # on an entry of a menu
MOMENT = 5_000  # for what a person tries again when it has not come


@dataclass(frozen=True, slots=True)
class Screen:
    """One window, looked at."""

    page: Page
    root: Path
    """The folder that is open."""
    name: str
    """Of the test: its pictures are called after it."""

    def picture(self, name: str) -> None:
        """Keep what the screen shows now."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{self.name}-{name}.png")

    def see(self, what: Locator, timeout: int = SOON) -> Locator:
        """Wait until it is on the screen."""
        expect(what.first).to_be_visible(timeout=timeout)
        return what.first

    def pick(self, entry: str) -> None:
        """Click an entry of the open menu; it ignores clicks while it opens."""
        item = self.page.get_by_role("menuitem", name=entry)
        for _ in range(CLICKS):
            with suppress(AssertionError):
                self.see(item, MOMENT).click()
                expect(item).to_have_count(0, timeout=MOMENT)
                return
        expect(item).to_have_count(0, timeout=MOMENT)

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

    def ready(self) -> None:
        """Wait until the language status says that the server is ready."""
        label = '.statusbar-item[aria-label*="Bonafix, Ready"]'
        self.see(self.page.locator(label), START)

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

    @property
    def fixes(self) -> Locator:
        """The rows of the fixes themselves, in their view."""
        tree = self.page.locator('[role="tree"][aria-label="Bonafix Fixes"]')
        return tree.locator('.monaco-list-row[aria-level="1"]')

    def below(self, row: Locator, text: str) -> Locator:
        """The next row with the text after another one, as they are drawn."""
        rows = self.row(text)

        def later() -> list[tuple[float, int]]:
            (above,) = _tops(row)
            return [(top, n) for n, top in enumerate(_tops(rows)) if top > above]

        self.until(lambda: bool(later()))
        return rows.nth(min(later())[1])

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

    def has(self, path: str, text: str) -> bool:
        """Whether a file on disk has the text."""
        return text in (self.root / path).read_text()

    @property
    def problems(self) -> Locator:
        """The underlined places of the open file."""
        return self.page.locator(".squiggly-error")

    def problem(self, line: int) -> Locator:
        """What is underlined in that line (1-based)."""
        return self.problems.nth(self._underlined().index(line))

    def underlines(self, *lines: int) -> None:
        """Wait until exactly these lines (1-based) are underlined as errors.

        Lenses come later than the lines below them, and push them down.
        """
        with suppress(AssertionError):
            self.until(lambda: set(self._underlined()) == set(lines))
        assert set(self._underlined()) == set(lines)

    def _underlined(self) -> list[int]:
        numbers = self.page.locator(".margin-view-overlays .line-numbers")
        places = list(zip(_tops(numbers), numbers.all_text_contents(), strict=False))
        return [
            int(min((abs(at - top), n) for at, n in places if n)[1])
            for top in _tops(self.problems)
            if places
        ]


def _tops(shown: Locator) -> list[float]:
    """How far from the top of the page they are, in pixels, all at one moment."""
    return list(
        shown.evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    )

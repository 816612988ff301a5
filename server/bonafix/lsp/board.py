"""What is shown of one root: runs and edits in, where each finding stands now out.

Lines follow the text edit by edit, and snap back when it is again what ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bonafix.lsp.findings import Finding, Spot
from bonafix.text import view


@dataclass(frozen=True, slots=True)
class Window:
    """One edit as lines: `[top, end)` of the old text became `[top, new_end)`."""

    top: int
    end: int
    new_end: int

    @classmethod
    def between(cls, before: str, after: str) -> Window:
        """The smallest window that holds every difference."""
        old, new = before.split("\n"), after.split("\n")
        shorter = min(len(old), len(new))
        top = 0
        while top < shorter and old[top] == new[top]:
            top += 1
        bottom = 0
        while bottom < shorter - top and old[-1 - bottom] == new[-1 - bottom]:
            bottom += 1
        return cls(top, len(old) - bottom, len(new) - bottom)

    def moved(self, line: int) -> int:
        """Where a line (0-based) stands after the edit.

        Below the window it moves with it; inside, it stays as near as there are
        lines.
        """
        if line < self.top:
            return line
        if line >= self.end:
            return line + self.new_end - self.end
        return max(self.top, min(line, self.new_end - 1))


@dataclass(slots=True)
class Board:
    """The findings of one root, each where it now stands.

    `texts` are the last known texts of the files that findings point into or that
    were edited, as `text.view` gives them; lines are counted, so that is enough.
    """

    findings: dict[str, Finding] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    places: dict[str, list[tuple[Finding, Spot]]] = field(default_factory=dict)

    def update(self, found: Iterable[Finding], covered: Callable[[str], bool]) -> None:
        """Replace the findings whose test the run `covered`.

        The texts are those that ran; the caller follows up with `edit` for every
        buffer that is open.
        """
        new = {finding.test: finding for finding in found}
        for seen in {id(f.seen): f.seen for f in new.values()}.values():
            for path in list(self.texts):
                self.edit(path, seen.text(path) or self.texts[path])
        kept = {t: f for t, f in self.findings.items() if not covered(t)}
        self.findings = {**kept, **new}
        self.places = _places(self.findings.values())
        for finding in new.values():
            for spot in finding.spots:
                text = finding.seen.text(spot.path)
                if text is not None:
                    self.texts.setdefault(spot.path, text)

    def edit(self, path: str, now: str) -> frozenset[str]:
        """Follow a change of one file; returns the paths whose diagnostics changed."""
        before, after = self._text(path), view(now)
        if before == after:
            return frozenset()
        self.texts[path] = after
        window = None if before is None else Window.between(before, after)
        flipped = self._compare(path, after)
        changed = {
            finding.spot.path
            for finding in (self.findings.values() if flipped else ())
            if id(finding.seen) in flipped and finding.runs(path)
        }
        for finding, spot in self.places.get(path, ()):
            was, back = spot.line, path not in finding.seen.changed
            spot.line = _line(spot, window, back=back)
            inside = window is None or window.top <= was < window.end
            if inside or spot.line != was or finding.spot.path == path:
                changed.add(finding.spot.path)
        return frozenset(changed)

    def _compare(self, path: str, after: str) -> set[int]:
        """Note for every run whether a file is what it saw; the ids of who changed."""
        flipped = set()
        for seen in {id(f.seen): f.seen for f in self.findings.values()}.values():
            if (seen.text(path) == after) is (path in seen.changed):
                seen.changed ^= {path}
                flipped.add(id(seen))
        return flipped

    def _text(self, path: str) -> str | None:
        """What is known of a file, be it from a run that merely saw it."""
        if path in self.texts:
            return self.texts[path]
        runs = {id(f.seen): f.seen for f in self.findings.values()}.values()
        seen = (run.text(path) for run in runs)
        return next((text for text in seen if text is not None), None)

    def knows(self, path: str) -> bool:
        """Whether a change of this file can be told from what was there before."""
        return self._text(path) is not None

    def mark_stale(self) -> None:
        """A later run failed as a whole: what is shown is from before it."""
        for finding in self.findings.values():
            finding.seen.changed.update(finding.depends or {finding.spot.path})

    def at(
        self, path: str, wanted: Callable[[Finding], bool] = lambda _finding: True
    ) -> list[Finding]:
        """The findings shown in one file, top to bottom."""
        shown = self.findings.values()
        here = [f for f in shown if f.spot.path == path and wanted(f)]
        return sorted(here, key=lambda finding: finding.spot.line)

    def paths(self) -> frozenset[str]:
        """The files that have something to show."""
        return frozenset(f.spot.path for f in self.findings.values())


def _places(findings: Iterable[Finding]) -> dict[str, list[tuple[Finding, Spot]]]:
    """Every spot by its file: few of many move with one edit."""
    places: dict[str, list[tuple[Finding, Spot]]] = {}
    for finding in findings:
        for spot in finding.spots:
            places.setdefault(spot.path, []).append((finding, spot))
    return places


def _line(spot: Spot, window: Window | None, *, back: bool) -> int:
    if back:
        return spot.origin
    return window.moved(spot.line) if window else spot.line

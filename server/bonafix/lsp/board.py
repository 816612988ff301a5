"""What is shown of one root: runs and edits in, where each finding stands now out.

Lines follow the text edit by edit, and snap back when it is again what ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bonafix.lsp.findings import Finding, Seen, Spot
from bonafix.text import view


@dataclass(frozen=True, slots=True)
class Window:
    """One edit as lines: `[top, end)` of the old text became `[top, new_end)`."""

    top: int
    end: int
    new_end: int

    @classmethod
    def between(cls, before: str, after: str) -> Window:
        """The smallest window that holds every difference.

        At every keystroke, so no line is looked at on its own.
        """
        old, new = before.count("\n") + 1, after.count("\n") + 1
        head, tail = _head(before, after), _tail(before, after)
        top = before.count("\n", 0, head) + _ends(before, after, head)
        bottom = before.count("\n", len(before) - tail)
        bottom += _starts(before, after, tail)
        bottom = min(bottom, old - top, new - top)
        return cls(top, old - bottom, new - bottom)

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


def _head(one: str, two: str) -> int:
    """How many characters both begin with; by halving, for slices compare quickly."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _tail(one: str, two: str) -> int:
    """How many characters both end with."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        part = slice(len(one) - middle, len(one) - low)
        if one[part] == two[len(two) - middle : len(two) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _ends(one: str, two: str, head: int) -> bool:
    """Whether a whole line is the last thing that both begin with."""
    return all(len(text) == head or text[head] == "\n" for text in (one, two))


def _starts(one: str, two: str, tail: int) -> bool:
    """Whether a whole line is the first thing that both end with."""
    return all(
        len(text) == tail or text[len(text) - tail - 1] == "\n" for text in (one, two)
    )


@dataclass(slots=True)
class _Place:
    """What stands in one file, every spot once, however many findings lead to it."""

    spots: dict[int, tuple[Spot, Seen]] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)  # files with diagnostics about it


@dataclass(slots=True)
class Board:
    """The findings of one root, each where it now stands.

    `texts` are the last known texts of the files that findings point into or that
    were edited, as `text.view` gives them; lines are counted, so that is enough.
    `revision` grows with whatever changes what is shown.
    """

    findings: dict[str, Finding] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    revision: int = 0
    _runs: tuple[Seen, ...] = ()  # those that the findings are of
    _places: dict[str, _Place] = field(default_factory=dict)  # by file

    def update(self, found: Iterable[Finding], covered: Callable[[str], bool]) -> None:
        """Replace the findings whose test the run `covered`.

        The texts are those that ran; the caller follows up with `edit` for every
        buffer that is open.
        """
        new = {finding.test: finding for finding in found}
        for seen in _runs(new.values()):
            for path in list(self.texts):
                self.edit(path, seen.text(path) or self.texts[path])
        kept = {t: f for t, f in self.findings.items() if not covered(t)}
        self.findings = {**kept, **new}
        self._runs = _runs(self.findings.values())
        self._places = _places(self.findings.values())
        self.revision += 1
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
        self.revision += 1
        changed = self._compare(path, after)
        place = self._places.get(path)
        if place:
            window = None if before is None else Window.between(before, after)
            touched = _move(place, path, window)
            changed |= place.shown if touched else place.shown & {path}
        return frozenset(changed)

    def _compare(self, path: str, after: str) -> set[str]:
        """Note for every run whether a file is what it saw; the paths this changes."""
        flipped = set()
        for seen in self._runs:
            if (seen.text(path) == after) is (path in seen.changed):
                seen.changed ^= {path}
                flipped.add(id(seen))
        return {
            finding.spot.path
            for finding in (self.findings.values() if flipped else ())
            if id(finding.seen) in flipped and finding.runs(path)
        }

    def _text(self, path: str) -> str | None:
        """What is known of a file, be it from a run that merely saw it."""
        if path in self.texts:
            return self.texts[path]
        seen = (run.text(path) for run in self._runs)
        return next((text for text in seen if text is not None), None)

    def knows(self, path: str) -> bool:
        """Whether a change of this file can be told from what was there before."""
        return self._text(path) is not None

    def mark_stale(self) -> None:
        """A later run failed as a whole: what is shown is from before it."""
        self.revision += 1
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


def _move(place: _Place, path: str, window: Window | None) -> bool:
    """Let the spots in a file follow; whether one moved, or its line was edited."""
    touched = False
    for spot, seen in place.spots.values():
        was = spot.line
        if path not in seen.changed:
            spot.line = spot.origin
        elif window is not None and was >= window.top:
            spot.line = window.moved(was)
        inside = window is None or window.top <= was < window.end
        touched = touched or inside or spot.line != was
    return touched


def _places(findings: Iterable[Finding]) -> dict[str, _Place]:
    places: dict[str, _Place] = {}
    for finding in findings:
        for spot in finding.spots:
            place = places.setdefault(spot.path, _Place())
            place.spots[id(spot)] = (spot, finding.seen)
            place.shown.add(finding.spot.path)
    return places


def _runs(findings: Iterable[Finding]) -> tuple[Seen, ...]:
    return tuple({id(f.seen): f.seen for f in findings}.values())

"""What is worth trying less, or more, after what was said of the candidates so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bonafix.domain import Verdict
from bonafix.propose.search.patches import Idea

_SAME_KIND = 0.95  # many ideas of one kind are many times the same bet
_SAME_LINE = 0.96  # each that fails speaks against its line, too
_ADVANCED = 1.3  # the line of an edit that brought a test nearer to passing
# What a refusal leaves of the likeness of: its template, its line, both together.
_LEFT: dict[Verdict, tuple[float, float, float]] = {
    Verdict.SPECIAL_CASED: (0.6, 0.9, 0.4),  # it fits the tests' inputs alone
    Verdict.UNFIXED: (0.9, 0.8, 0.5),  # what it did not see still fails
    Verdict.REGRESSED: (0.95, 0.7, 0.5),  # something else leans on that line
    Verdict.BROKEN: (0.8, 0.9, 0.5),
    Verdict.TAMPERED: (0.6, 0.9, 0.4),
    Verdict.FLAKY: (0.9, 0.9, 0.7),
    Verdict.PLAUSIBLE: (1.0, 1.0, 0.9),  # it survives: now for something else
}
_GUESSED = 0.3  # what was made to fit survives as a guess: another guess adds nothing
_NOTHING = (1.0, 1.0, 1.0)

Spot = tuple[str, int]  # path, line


@dataclass(slots=True)
class Taste:
    """Factors by template and by line; `version` counts what could raise one."""

    version: int = 0
    _taken: Counter[str] = field(default_factory=Counter)
    _lines: Counter[Spot] = field(default_factory=Counter)
    _learned: dict[object, float] = field(default_factory=dict)
    _fitted: float = 1.0  # of all templates whose ideas are made to fit

    def factor(self, idea: Idea) -> float:
        """What the idea's score is to be multiplied with."""
        name, spot = idea.template.name, (idea.file.path, idea.line)
        fresh = _SAME_KIND ** self._taken[name] * _SAME_LINE ** self._lines[spot]
        known = self._learned
        both = known.get((name, spot), 1.0)
        fitted = self._fitted if idea.template.fitted else 1.0
        return fresh * known.get(name, 1.0) * known.get(spot, 1.0) * both * fitted

    def took(self, idea: Idea) -> None:
        """It is being tried."""
        self._taken[idea.template.name] += 1
        self._lines[idea.file.path, idea.line] += 1

    def guessed(self) -> None:
        """What was made to fit passes what is shown: more of it adds little."""
        self._fitted *= _GUESSED

    def judged(self, idea: Idea, verdict: Verdict, *, guess: bool = False) -> None:
        """The gate's word on it: a refusal makes what resembles it less likely.

        `guess`: all that is said against it is that it was made to fit.
        """
        if guess:
            self.guessed()
        left = _LEFT.get(verdict, _NOTHING)
        name, spot = idea.template.name, (idea.file.path, idea.line)
        for key, factor in zip((name, spot, (name, spot)), left, strict=True):
            self._learned[key] = self._learned.get(key, 1.0) * factor

    def advanced(self, idea: Idea) -> None:
        """It brought a test nearer to passing: its line matters."""
        spot = idea.file.path, idea.line
        if spot not in self._learned:
            self._learned[spot] = _ADVANCED
            self.version += 1

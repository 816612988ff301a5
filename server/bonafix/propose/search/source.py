"""Which candidate is next: single edits, what values suggest, then pairs of edits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bonafix.domain import Candidate, Feedback, Task, Verdict
from bonafix.propose.search.candidates import steps
from bonafix.propose.search.pairs import Partial, doubles
from bonafix.propose.search.patches import Idea
from bonafix.propose.search.shelf import Shelf, Step
from bonafix.propose.search.template import MAKING

_KEPT = 40  # partial ones that are remembered
_TURNS = 3  # of so many candidates one is a single edit, once pairs have begun


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate to be screened; `idea` is `None` where it is made of two."""

    candidate: Candidate
    idea: Idea | None = None
    again: bool = False  # it took long at first, and has its time now


@dataclass(slots=True)
class Source:
    """What has been learned, and what is left to try."""

    task: Task
    shelf: Shelf = field(default_factory=Shelf)
    partials: list[Partial] = field(default_factory=list)
    slow: list[Trial] = field(default_factory=list)  # wait until no others are left
    _singles: Iterator[Step | None] | None = None
    _doubles: Iterator[Candidate | None] | None = None
    survived: int = 0  # candidates that the gate did not refuse
    _turn: int = 0

    def next(self, *, pairs: bool) -> Trial | None:
        """The next one; `None` if it is still making up its mind.

        `pairs`: the time has come for two edits. Without it they begin when single
        ones have run out.

        Raises:
            StopIteration: there is nothing left.
        """
        self._turn += 1
        if pairs and self.partials and self._turn % _TURNS:
            try:
                return self._double()
            except StopIteration:
                pass
        try:
            return self._single()
        except StopIteration:
            return self.slow.pop(0) if self.slow else self._double()

    def _single(self) -> Trial | None:
        if self._singles is None:
            self._singles = steps(self.task, self.shelf)
        try:
            step = next(self._singles)
        except StopIteration:
            if not self.shelf:
                raise
            step = self.shelf.take()  # put there after the others had come
        return Trial(step.candidate, step.idea) if step else None

    def _double(self) -> Trial | None:
        if self._doubles is None:
            self._doubles = doubles(self.task, self.partials)
        made = next(self._doubles)
        return Trial(made) if made else None

    def postpone(self, trial: Trial) -> None:
        """It took long: in the same time many others can be tried."""
        self.slow.append(replace(trial, again=True))

    def remember(self, one: Partial) -> None:
        """It brought a test nearer to passing."""
        self.partials.append(one)
        self.partials.sort(key=lambda known: -known.gain)
        del self.partials[_KEPT:]
        self.shelf.taste.advanced(one.idea)

    def hear(self, trial: Trial, said: Feedback | None) -> None:
        """What the gate said of a candidate that passed the screening."""
        if said is None or said.verdict is Verdict.PLAUSIBLE:
            self.survived += 1
        if said is not None and trial.idea is not None:
            guess = said.guess and trial.candidate.fitted < MAKING  # else told before
            self.shelf.taste.judged(trial.idea, said.verdict, guess=guess)

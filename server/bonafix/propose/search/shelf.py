"""Ideas that wait for their turn: the most promising first, as far as is known by then.

What the gate and the screening say of one changes the turn of those like it.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from bonafix.domain import Candidate
from bonafix.propose.search.patches import Idea, Key, checked, patch_of, title
from bonafix.propose.search.taste import Taste


@dataclass(frozen=True, slots=True)
class Step:
    """A candidate with the idea that it is made of."""

    candidate: Candidate
    idea: Idea


@dataclass(slots=True)
class Shelf:
    """A heap by score and taste, without what came already."""

    taste: Taste = field(default_factory=Taste)
    _heap: list[tuple[float, int, Idea]] = field(default_factory=list)
    _seen: set[Key] = field(default_factory=set)
    _number: Iterator[int] = field(default_factory=itertools.count)
    _version: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything left."""
        return bool(self._heap)

    def put(self, idea: Idea) -> None:
        """Keep it for its turn."""
        worth = idea.score * self.taste.factor(idea)
        heapq.heappush(self._heap, (-worth, next(self._number), idea))

    def take(self) -> Step | None:
        """The best one written out; `None` if that came to nothing: ask again."""
        idea = self._best()
        key = checked(idea)
        if key is None or key in self._seen:
            return None
        self._seen.add(key)
        patch = patch_of(idea)
        if patch is None:
            return None
        self.taste.took(idea)
        note = f"template {idea.template.name} ({idea.template.source})"
        made = Candidate(
            patch=patch,
            author="search",
            title=title(idea),
            note=note,
            fitted=idea.template.fitted,
        )
        return Step(made, idea)

    def _best(self) -> Idea:
        """Worths only fall between two versions of the taste: the top is checked."""
        if self._version != self.taste.version:
            self._version = self.taste.version
            self._heap = [(-self._worth(i), n, i) for _, n, i in self._heap]
            heapq.heapify(self._heap)
        while True:
            _, number, idea = heapq.heappop(self._heap)
            worth = self._worth(idea)
            if not self._heap or worth >= -self._heap[0][0]:
                return idea
            heapq.heappush(self._heap, (-worth, number, idea))

    def _worth(self, idea: Idea) -> float:
        return idea.score * self.taste.factor(idea)

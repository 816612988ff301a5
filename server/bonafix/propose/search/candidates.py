"""From a task to patches, best first; pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bonafix.domain import Candidate, Task
from bonafix.propose.search import hints as reading
from bonafix.propose.search.catalogue import BY_KIND
from bonafix.propose.search.context import Site
from bonafix.propose.search.known import Known, known_of
from bonafix.propose.search.patches import Idea, SourceFile, read_file
from bonafix.propose.search.places import Unit, header, suspicious, units
from bonafix.propose.search.ranking import (
    Literals,
    bound,
    module_literals,
    score,
    test_literals,
)
from bonafix.propose.search.shelf import Shelf, Step
from bonafix.propose.search.template import Template
from bonafix.syntax import Node


@dataclass(frozen=True, slots=True)
class _Chance:
    """A template and the nodes of one statement that it wants to see."""

    file: SourceFile
    template: Template
    nodes: list[Node]
    score: float  # suspiciousness
    most: float  # what an idea from here can score at most


_ENOUGH = 600  # ideas; some are duplicates, and a budget has room for a hundred runs


def candidates(task: Task) -> Iterator[Candidate]:
    """Every rewrite of the suspicious lines as a patch, best first.

    Each parses, changes the meaning of the text, and comes once.
    """
    return (step.candidate for step in steps(task) if step is not None)


def steps(task: Task, shelf: Shelf | None = None) -> Iterator[Step | None]:
    """The same with a `None` now and then, for a caller who has others to serve."""
    shelf = Shelf() if shelf is None else shelf  # an empty one is false
    for idea in ideas(task):
        if idea is None:
            yield None
        else:
            shelf.put(idea)
    while shelf:
        yield shelf.take()


def ideas(task: Task) -> Iterator[Idea | None]:
    """The best that the catalogue suggests, in no order, a `None` after each chance.

    Chances are taken by what they may bring at most, until there are `_ENOUGH` ideas
    that no later chance can beat: in a long function most are never looked at.
    """
    hints, known = reading.read(task), known_of(task)
    tests = test_literals(task)
    scores: list[float] = []  # a heap of the best _ENOUGH
    for chance in sorted(_chances(task, hints), key=lambda chance: -chance.most):
        if len(scores) == _ENOUGH and chance.most < scores[0]:
            return
        literals = Literals(tests, _literals_of(chance.file.source.text))
        for idea in _taken(chance, hints, literals, known):
            push = heapq.heappush if len(scores) < _ENOUGH else heapq.heappushpop
            push(scores, idea.score)
            yield idea
        yield None


def _chances(task: Task, hints: reading.Hints) -> Iterator[_Chance]:
    for path, scores in suspicious(task, hints).items():
        file = read_file(path, task.snapshot.sources[path])
        if file is None:
            continue
        for unit in units(file.module, scores, refusals=hints.refusals):
            for template, nodes in _by_template(unit).items():
                most = unit.score * bound(template, hints)
                yield _Chance(file, template, nodes, unit.score, most)


def _by_template(unit: Unit) -> dict[Template, list[Node]]:
    found: dict[Template, list[Node]] = {}
    for node in header(unit.node):
        for template in BY_KIND.get(node.kind, ()):
            found.setdefault(template, []).append(node)
    return found


def _taken(
    chance: _Chance, hints: reading.Hints, literals: Literals, known: Known
) -> Iterator[Idea]:
    file, template = chance.file, chance.template
    for node in chance.nodes:
        site = Site(node, file.newline, file.path, known)
        for rewrite in template.rewrites(site):
            value = chance.score * score(template, rewrite, site, hints, literals)
            yield Idea(file, template, rewrite, node.first_line, value)


_literals_of = lru_cache(maxsize=8)(module_literals)

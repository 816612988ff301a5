"""From a task to patches, best first; pure."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bonafix.domain import Candidate, Task
from bonafix.propose.search import hints as reading
from bonafix.propose.search.catalogue import BY_KIND
from bonafix.propose.search.context import Site
from bonafix.propose.search.patches import (
    Idea,
    Key,
    SourceFile,
    checked,
    patch_of,
    read_file,
    title,
)
from bonafix.propose.search.places import Unit, header, suspicious, units
from bonafix.propose.search.ranking import (
    Literals,
    bound,
    module_literals,
    score,
    test_literals,
)
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

_SAME_KIND = 0.95
_SAME_LINE = 0.98


def candidates(task: Task) -> Iterator[Candidate]:
    """Every rewrite of the suspicious lines as a patch, best first.

    Each parses, changes the meaning of the text, and comes once.
    """
    return (step for step in steps(task) if step is not None)


def steps(task: Task) -> Iterator[Candidate | None]:
    """The same with a `None` now and then, for a caller who has others to serve."""
    best: list[Idea] = []
    for idea in ideas(task):
        if idea is None:
            yield None
        else:
            best.append(idea)
    seen: set[Key] = set()
    for idea in _spread(best):
        key = checked(idea)
        patch = patch_of(idea) if key is not None and key not in seen else None
        if key is not None:
            seen.add(key)
        if patch is None:
            yield None
        else:
            note = f"template {idea.template.name} ({idea.template.source})"
            yield Candidate(patch=patch, author="search", title=title(idea), note=note)


def _spread(best: list[Idea]) -> list[Idea]:
    """Best first, but the n-th of one template or one line a little later each time.

    Many ideas of one kind are many times the same bet.
    """
    templates: Counter[str] = Counter()
    lines: Counter[tuple[str, int]] = Counter()
    worth: list[tuple[float, Idea]] = []
    for idea in sorted(best, key=lambda idea: -idea.score):
        place = (idea.file.path, idea.line)
        fresh = _SAME_KIND ** templates[idea.template.name] * _SAME_LINE ** lines[place]
        worth.append((idea.score * fresh, idea))
        templates[idea.template.name] += 1
        lines[place] += 1
    return [idea for _, idea in sorted(worth, key=lambda pair: -pair[0])]


def ideas(task: Task) -> Iterator[Idea | None]:
    """The best that the catalogue suggests, in no order, a `None` after each chance.

    Chances are taken by what they may bring at most, until there are `_ENOUGH` ideas
    that no later chance can beat: in a long function most are never looked at.
    """
    hints = reading.read(task)
    tests = test_literals(task)
    scores: list[float] = []  # a heap of the best _ENOUGH
    for chance in sorted(_chances(task, hints), key=lambda chance: -chance.most):
        if len(scores) == _ENOUGH and chance.most < scores[0]:
            return
        literals = Literals(tests, _literals_of(chance.file.source.text))
        for idea in _taken(chance, hints, literals):
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


def _taken(chance: _Chance, hints: reading.Hints, literals: Literals) -> Iterator[Idea]:
    file, template = chance.file, chance.template
    for node in chance.nodes:
        site = Site(node, file.newline)
        for rewrite in template.rewrites(site):
            value = chance.score * score(template, rewrite, site, hints, literals)
            yield Idea(file, template, rewrite, node.first_line, value)


_literals_of = lru_cache(maxsize=8)(module_literals)

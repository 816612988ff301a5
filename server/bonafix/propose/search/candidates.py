"""From a task to patches, best first; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bonafix.domain import Candidate, Change, Patch, Task
from bonafix.propose.search import hints as reading
from bonafix.propose.search.catalogue import BY_KIND
from bonafix.propose.search.context import Site
from bonafix.propose.search.places import Unit, header, suspicious, units
from bonafix.propose.search.ranking import (
    Literals,
    module_literals,
    score,
    test_literals,
)
from bonafix.propose.search.template import Rewrite, Template
from bonafix.syntax import Module, compiles, normalise, parse
from bonafix.text import SourceText, TextError, apply_edits, decode, encode


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    data: bytes
    source: SourceText
    module: Module
    newline: str


@dataclass(frozen=True, slots=True)
class Idea:
    """A rewrite of one file that has not been written out yet."""

    file: _File
    template: Template
    rewrite: Rewrite
    line: int
    score: float


def candidates(task: Task) -> Iterator[Candidate]:
    """Every rewrite of the suspicious lines as a patch, best first.

    Each parses, changes the meaning of the text, and comes once.
    """
    return (step for step in steps(task) if step is not None)


def steps(task: Task) -> Iterator[Candidate | None]:
    """The same with a `None` now and then, for a caller who has others to serve."""
    found: list[Idea] = []
    for idea in ideas(task):
        if idea is None:
            yield None
        else:
            found.append(idea)
    seen: set[tuple[str, int, str]] = set()
    for idea in sorted(found, key=lambda idea: -idea.score):
        key, valid = _checked(idea)
        patch = _patch(idea) if valid and key not in seen else None
        seen.add(key)
        if patch is None:
            yield None
        else:
            note = f"template {idea.template.name} ({idea.template.source})"
            yield Candidate(patch=patch, author="search", title=title(idea), note=note)


def ideas(task: Task) -> Iterator[Idea | None]:
    """All that the catalogue suggests, in no order; a `None` after each statement."""
    hints = reading.read(task)
    tests = test_literals(task)
    for path, scores in suspicious(task, hints).items():
        file = _read(path, task.snapshot.sources[path])
        if file is None:
            continue
        literals = Literals(tests, module_literals(file.source.text))
        for unit in units(file.module, scores):
            yield from _of_unit(file, unit, hints, literals)
            yield None


def title(idea: Idea) -> str:
    """One line for a person: the template, the place, and what changes."""
    start, end, new = idea.rewrite.edits[0]
    old = idea.file.source.text[start:end]
    shown = f"{_short(old)} -> {_short(new)}" if old else f"add {_short(new)}"
    if old and not new:
        shown = f"remove {_short(old)}"
    return f"{idea.template.name} at {idea.file.path}:{idea.line}: {shown}"


def _of_unit(
    file: _File, unit: Unit, hints: reading.Hints, literals: Literals
) -> Iterator[Idea]:
    for node in header(unit.node):
        for template in BY_KIND.get(node.kind, ()):
            site = Site(node, file.newline)
            for rewrite in template.rewrites(site):
                value = unit.score * score(template, rewrite, site, hints, literals)
                yield Idea(file, template, rewrite, node.first_line, value)


def _read(path: str, data: bytes) -> _File | None:
    try:
        source = decode(data)
    except TextError:
        return None
    return _File(path, data, source, parse(source), source.newline)


def _checked(idea: Idea) -> tuple[tuple[str, int, str], bool]:
    """A key that equal patches share, and whether the patch is worth a run.

    Only the function (or top-level statement) around the edits is looked at: a file
    of thousands of lines would cost more to parse than its test to run.
    """
    module = idea.file.module
    start, end = _fragment(module, idea.rewrite)
    before = module.text[start:end]
    edits = [(a - start, b - start, new) for a, b, new in idea.rewrite.edits]
    try:
        after = apply_edits(before, edits)
    except ValueError:
        return (idea.file.path, start, ""), False
    parsed = parse(after)
    form = normalise(parsed)
    normal, compiled = _before(before)
    changed = form != normal
    sound = changed and not parsed.has_error
    valid = sound and (compiles(after) or not compiled)
    return (idea.file.path, start, form), valid


@lru_cache(maxsize=64)
def _before(text: str) -> tuple[str, bool]:
    """The normal form of an untouched fragment, and whether it compiles."""
    return normalise(text), compiles(text)


def _fragment(module: Module, rewrite: Rewrite) -> tuple[int, int]:
    low = min(start for start, _, _ in rewrite.edits)
    high = max(end for _, end, _ in rewrite.edits)
    node = module.at(low, high)
    around = [node, *node.ancestors()]
    wide = [n for n in around if n.start <= low and high <= n.end]
    functions = [n for n in wide if n.kind == "function_definition"]
    if functions:
        return functions[-1].start, functions[-1].end
    top = wide[-2:] if len(wide) > 1 else []
    return (top[0].start, top[0].end) if top else (0, len(module.text))


def _patch(idea: Idea) -> Patch | None:
    source = idea.file.source
    try:
        after = encode(source, apply_edits(source.text, idea.rewrite.edits))
    except TextError:
        return None
    return Patch((Change(idea.file.path, idea.file.data, after),))


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return f"`{flat}`" if len(flat) <= 40 else f"`{flat[:37]}...`"  # noqa: PLR2004

"""The test functions that failing results come from, with what may be done to them.

Pure; files are parsed when they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bonafix.domain import Baseline, Layout, Outcome, SuiteRun, TestResult
from bonafix.judge.altering.flips import test_function
from bonafix.layout import refusal
from bonafix.syntax import Function, Module, function_at, parse, walk
from bonafix.text import SourceText, TextError, decode

_LOST = frozenset({Outcome.HUNG, Outcome.CRASHED})  # they end nowhere in particular


@dataclass(frozen=True, slots=True)
class Sources:
    """The project's files before any patch, and which of them may be masked."""

    layout: Layout
    run: SuiteRun
    files: Mapping[str, bytes]
    asked: dict[str, tuple[SourceText, Module] | None] = field(default_factory=dict)

    @classmethod
    def of(cls, baseline: Baseline, files: Mapping[str, bytes]) -> Sources:
        """Those of a baseline."""
        return cls(baseline.layout, baseline.run, files)

    def may_mask(self, path: str) -> bool:
        """Whether nobody would miss a part: a fix cannot touch it, no test reads it."""
        if path in self.layout.opened or path not in self.files:
            return False
        doctests = (r for r in self.run.results.values() if r.style == "doctest")
        if any(result.id.partition("::")[0] == path for result in doctests):
            return False
        return refusal(self.layout, path) is not None

    def parsed(self, path: str) -> tuple[SourceText, Module] | None:
        """A Python file's text and tree; `None` where it is none."""
        if path not in self.asked:
            try:
                source = decode(self.files[path]) if path.endswith(".py") else None
            except (KeyError, TextError):
                source = None
            self.asked[path] = (source, parse(source)) if source is not None else None
        return self.asked[path]

    def others(self, path: str) -> dict[str, str]:
        """The texts of the project's other Python files."""
        return {
            other: data.decode("utf-8", "replace")
            for other, data in self.files.items()
            if other != path and other.endswith(".py")
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A test function with its failures: those to be repaired, and others."""

    path: str
    module: Module
    function: Function
    ids: tuple[str, ...]  # all that run it, in the order of running
    aimed: tuple[TestResult, ...]
    kin: tuple[TestResult, ...]

    @property
    def size(self) -> int:
        """Its lines."""
        return self.function.last_line - self.function.first_line + 1

    def line(self, results: Iterable[TestResult]) -> int | None:
        """The furthest of its own lines that these failures came to, if all did."""
        lines = [self._line(result) for result in results]
        known = [line for line in lines if line is not None]
        return max(known) if known and len(known) == len(lines) else None

    def _line(self, result: TestResult) -> int | None:
        if result.phase != "call" or result.outcome in _LOST:
            return None
        places = [(f.path, f.line) for f in result.frames]
        places += [(result.place.path, result.place.line)] if result.place else []
        for path, line in places:
            inner = function_at(self.module, line) if path == self.path else None
            if inner is not None and inner.node.start == self.function.node.start:
                return line
        return None


def failing(
    targets: Sequence[TestResult], kin: Sequence[TestResult], sources: Sources
) -> list[Failing]:
    """The functions of the failures that have one that is known, targets' first."""
    found: dict[tuple[str, int], list[TestResult]] = {}
    functions: dict[tuple[str, int], Function] = {}
    for result in (*targets, *kin):
        path = definition_path(result)
        read = sources.parsed(path) if result.style != "doctest" else None
        function = test_function(read[1], result) if read is not None else None
        if function is not None and sources.may_mask(path):
            key = path, function.node.start
            functions[key] = function
            found.setdefault(key, []).append(result)
    aimed = {target.id for target in targets}
    return [
        Failing(
            path=path,
            module=functions[path, start].node.module,
            function=functions[path, start],
            ids=_ids(functions[path, start], path, sources.run),
            aimed=tuple(r for r in results if r.id in aimed),
            kin=tuple(r for r in results if r.id not in aimed),
        )
        for (path, start), results in found.items()
    ]


def definition_path(result: TestResult) -> str:
    """The file that the test is defined in, which may not be that of its id."""
    if result.definition is not None:
        return result.definition.path
    return result.id.partition("::")[0]


def removable(one: Failing, sources: Sources) -> bool:
    """Whether nothing but pytest calls the function by its name."""
    name = one.function.name
    here = [
        node
        for node in walk(one.module.root)
        if node.kind == "identifier" and node.text == name
        if not one.function.node.start <= node.start < one.function.node.end
        if node.parent is None or node.parent.kind != "function_definition"
    ]
    used = re.compile(rf"(?<!def )\b{re.escape(name)}\b")
    return not here and not any(
        used.search(text) for text in sources.others(one.path).values()
    )


def _ids(function: Function, path: str, run: SuiteRun) -> tuple[str, ...]:
    """The ids that run a function, by where they are defined, else by their names."""
    span = range(function.first_line, function.last_line + 1)
    names = function.qualified.split(".")

    def runs(node_id: str) -> bool:
        result = run.results.get(node_id)
        if result is not None and result.definition is not None:
            place = result.definition
            return place.path == path and place.line in span
        bare = re.sub(r"\[.*", "", node_id, flags=re.DOTALL)
        return bare.split("::") == [path, *names]

    return tuple(node_id for node_id in run.collected if runs(node_id))


def suspected(
    names: Collection[tuple[str, int]], sources: Sources, most: int
) -> frozenset[str]:
    """The names of the functions that such lines of the product are in."""
    found: dict[str, None] = {}
    for path, line in names:
        read = sources.parsed(path)
        function = function_at(read[1], line) if read is not None else None
        if function is not None and not function.name.startswith("__"):
            found[function.name] = None
    return frozenset(list(found)[:most])

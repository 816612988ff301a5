"""A run with recorded lines in, the lines that may be at fault out; pure.

Spectrum-based: a line is suspicious that failing tests execute and passing tests do
not (Ochiai), the more so where the exception passed through it, or where a value was
made that the line which raised, or the answer of the worst function, leans on. A line
of the last change in version control comes before its equals: a hint, no more.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from bonafix.causes import Line, is_product, scores
from bonafix.domain import SuiteRun, Suspect, TestResult
from bonafix.observe.chains import Link, chain, returns

SHOWN = 200  # suspects that are worth anybody's time
_SHARE = 0.25  # of a score that the traceback decides, where it shows the product
_RAISED = 1.0  # the exception came from this line
_PASSED = 0.5  # it went through this line
_TOUCHED = 0.05  # of a score, where the last change is known
_MADE = 0.1  # of a score, where values can be followed: half of it two steps away


def suspects(
    run: SuiteRun,
    targets: Sequence[TestResult],
    *,
    sources: Mapping[str, bytes] | None = None,
    changed: Mapping[str, frozenset[int]] | None = None,
) -> tuple[Suspect, ...]:
    """Lines of the product, most suspicious first; test files are left out.

    `sources` gives the names of the functions around them; `changed` are the lines of
    the last change, by path.
    """
    traced = _traced(targets)
    refined = _refined(scores(run, targets), traced)
    links = _links(run, targets, refined, traced, sources or {})
    if links:
        refined = {at: _leaning(refined[at], links.get(at)) for at in refined}
    touched = {(path, n) for path, some in (changed or {}).items() for n in some}
    if touched & refined.keys():
        refined = {at: _hinted(refined[at], at in touched) for at in refined}
    best = sorted(refined, key=lambda at: (-refined[at], at))[:SHOWN]
    names = _Functions(sources or {}, targets)
    return tuple(
        Suspect(
            path=path,
            line=line,
            score=refined[path, line],
            function=names.at(path, line),
            why=_why(run, targets, (path, line), traced.get((path, line)))
            + _leaned(links.get((path, line)))
            + ("; part of the last change" if (path, line) in touched else ""),
        )
        for path, line in best
    )


def _traced(targets: Sequence[TestResult]) -> dict[Line, float]:
    """Product lines on the tracebacks, with what each of them is worth."""
    found: dict[Line, float] = {}
    for target in targets:
        own = {place.path for place in (target.definition, target.place) if place}
        lines = [
            (frame.path, frame.line)
            for frame in target.frames
            if frame.own and is_product(frame.path, own)
        ]
        for line in lines:
            found[line] = max(found.get(line, 0.0), _PASSED)
        if lines and not _refuses(target, lines[-1]):
            found[lines[-1]] = _RAISED
    return found


def _refuses(target: TestResult, at: Line) -> bool:
    """Whether a line raised on purpose: such a check is seldom wrong itself."""
    frames = [f for f in target.frames if (f.path, f.line) == at]
    return any(frame.code.startswith("raise") for frame in frames)


def _refined(
    spectrum: Mapping[Line, float], traced: Mapping[Line, float]
) -> dict[Line, float]:
    """Both kinds of evidence in one score; a spectrum alone stays as it is."""
    share = _SHARE if traced else 0.0
    return {
        line: (1 - share) * spectrum.get(line, 0.0) + share * traced.get(line, 0.0)
        for line in {*spectrum, *traced}
    }


def _links(
    run: SuiteRun,
    targets: Sequence[TestResult],
    refined: Mapping[Line, float],
    traced: Mapping[Line, float],
    sources: Mapping[str, bytes],
) -> dict[Line, Link]:
    """Lines that made what the line that raised reads; else, what is returned."""
    starts = list(traced)
    if not starts and refined:
        path, line = max(refined, key=lambda at: (refined[at], at))
        ran = _ran(run, targets, path)
        starts = [(path, n) for n in returns(sources.get(path, b""), line, ran)]
    found: dict[Line, Link] = {}
    for path, start in starts:
        found[path, start] = Link("", 1)
        ran = _ran(run, targets, path)
        for line, link in chain(sources.get(path, b""), start, ran).items():
            known = found.get((path, line))
            if known is None or link.step < known.step:
                found[path, line] = link
    return found if any(link.name for link in found.values()) else {}


def _leaning(score: float, link: Link | None) -> float:
    pull = 1.0 / link.step if link else 0.0
    return (1 - _MADE) * score + _MADE * pull


def _hinted(score: float, touched: bool) -> float:  # noqa: FBT001 - a weight of one
    return (1 - _TOUCHED) * score + _TOUCHED * touched


def _ran(run: SuiteRun, targets: Sequence[TestResult], path: str) -> frozenset[int]:
    lines = (run.lines.get(t.id, {}).get(path, frozenset()) for t in targets)
    return frozenset[int]().union(*lines)


def _leaned(link: Link | None) -> str:
    if link is None or not link.name:
        return ""
    way = "is read where it went wrong" if link.step == 1 else "goes into what is"
    return f"; sets {link.name}, which {way}"


def _why(
    run: SuiteRun, targets: Sequence[TestResult], at: Line, pull: float | None
) -> str:
    path, line = at
    hits = sum(line in run.lines.get(t.id, {}).get(path, ()) for t in targets)
    text = f"executed by {hits} of {len(targets)} failing tests"
    if pull == _RAISED or (pull and any(_refuses(t, at) for t in targets)):
        return f"the exception came from here; {text}"
    return f"the exception passed through here; {text}" if pull else text


class _Functions:
    """Names of the functions around lines, from the sources or the tracebacks."""

    def __init__(
        self, sources: Mapping[str, bytes], targets: Sequence[TestResult]
    ) -> None:
        self._sources = sources
        self._spans: dict[str, list[tuple[int, int, str]]] = {}
        self._framed = {
            (frame.path, frame.line): frame.function
            for target in targets
            for frame in target.frames
        }

    def at(self, path: str, line: int) -> str:
        """The qualified name; empty at module level, or where it is not known."""
        if path not in self._spans:
            self._spans[path] = _spans(self._sources.get(path, b""))
        inside = [s for s in self._spans[path] if s[0] <= line <= s[1]]
        if inside:
            return max(inside)[2]
        return self._framed.get((path, line), "")


def _spans(source: bytes) -> list[tuple[int, int, str]]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: list[tuple[int, int, str]] = []
    pending: list[tuple[ast.AST, str]] = [(tree, "")]
    while pending:
        node, prefix = pending.pop()
        for child in ast.iter_child_nodes(node):
            name = prefix
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}.{child.name}" if prefix else child.name
                if not isinstance(child, ast.ClassDef):
                    end = child.end_lineno or child.lineno
                    found.append((child.lineno, end, name))
            pending.append((child, name))
    return found

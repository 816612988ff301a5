"""A board in, LSP diagnostics as they stand now out; pure."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from lsprotocol import types

from bonafix.lsp.abilities import Abilities
from bonafix.lsp.board import Board
from bonafix.lsp.findings import Finding, Related, Spot
from bonafix.text import LineIndex, Unit

SOURCE = "bonafix"
_EXCEPTIONS = "https://docs.python.org/3/library/exceptions.html"
STALE = "[stale: the text has changed since this ran] "


@dataclass(frozen=True, slots=True)
class Look:
    """How this client sees things: its abilities, and its name for a file."""

    abilities: Abilities
    uri: Callable[[str], str]
    receipt: Callable[[Finding], str | None] = lambda _finding: None  # its URI


def render(
    findings: Iterable[Finding], board: Board, look: Look
) -> list[types.Diagnostic]:
    """The diagnostics of these findings of the board."""
    lines = _Lines(board, look.abilities.unit)
    return [_diagnostic(finding, look, lines) for finding in findings]


def touching(
    span: types.Range, tests: Collection[str] = ()
) -> Callable[[Finding], bool]:
    """Those on the lines of `span`, and those whose tests the client names."""
    top, bottom = span.start.line, span.end.line
    return lambda f: f.test in tests or top <= f.spot.line <= bottom


def _diagnostic(finding: Finding, look: Look, lines: _Lines) -> types.Diagnostic:
    severity = types.DiagnosticSeverity
    stale = finding.stale
    related = [_information(related, look, lines) for related in finding.related]
    href = look.receipt(finding) or documentation(finding)
    return types.Diagnostic(
        range=lines.span(finding.spot),
        message=(STALE if stale else "") + finding.message,
        severity=severity.Warning if stale else severity.Error,
        code=finding.test,
        code_description=(
            types.CodeDescription(href) if href and look.abilities.links else None
        ),
        source=SOURCE,
        related_information=related if look.abilities.related else None,
        data={
            "test": finding.test,
            "stale": stale,
            "fixable": finding.fixable,
            "siblings": len(finding.siblings),
        },
    )


def documentation(finding: Finding) -> str | None:
    """Where a built-in exception is explained; `None` for any other."""
    raised = finding.result.exception if finding.result else ""
    module, _, name = raised.rpartition(".")
    kind = getattr(builtins, name, None) if module in {"", "builtins"} else None
    known = isinstance(kind, type) and issubclass(kind, BaseException)
    return f"{_EXCEPTIONS}#{name}" if known else None


def _information(
    related: Related, look: Look, lines: _Lines
) -> types.DiagnosticRelatedInformation:
    uri = look.uri(related.spot.path)
    location = types.Location(uri=uri, range=lines.span(related.spot))
    return types.DiagnosticRelatedInformation(location, related.message)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Ranges of whole lines, without their indentation, in the client's unit."""

    board: Board
    unit: Unit
    known: dict[tuple[str, int], types.Range] = field(default_factory=dict)

    def span(self, spot: Spot) -> types.Range:
        key = (spot.path, spot.line)  # many failures lead to one line
        if key not in self.known:
            self.known[key] = self._span(*key)
        return self.known[key]

    def _span(self, path: str, line: int) -> types.Range:
        index = _index(self.board.texts.get(path, ""))
        if line >= len(index.starts):  # its text is not known
            at = types.Position(line=line, character=0)
            return types.Range(start=at, end=at)
        start, end = index.span(line + 1)
        content = index.text[start:end]
        indent = len(content) - len(content.lstrip())
        return types.Range(
            start=self._position(index, start + indent),
            end=self._position(index, end),
        )

    def _position(self, index: LineIndex, offset: int) -> types.Position:
        at = index.position(offset, self.unit)
        return types.Position(line=at.line - 1, character=at.column)


@functools.lru_cache(maxsize=64)  # asked for at every cursor movement
def _index(text: str) -> LineIndex:
    return LineIndex.of(text)

"""A board in, diagnostics as they stand now out, as the JSON that is sent; pure."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lsprotocol import types

from bonafix.lsp.abilities import Abilities
from bonafix.lsp.findings import Finding, Related
from bonafix.lsp.wire import Wire
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


@dataclass(frozen=True, slots=True)
class Pinned:
    """A finding as it stands at one moment: the text may move on while it is sent."""

    finding: Finding
    stale: bool
    line: int
    related: tuple[int, ...]  # a line for each of the finding's

    @classmethod
    def of(cls, finding: Finding) -> Pinned:
        """As it is now."""
        related = tuple(one.spot.line for one in finding.related)
        return cls(finding, finding.stale, finding.spot.line, related)


def render(
    pinned: Iterable[Pinned], texts: Mapping[str, str], look: Look
) -> Iterator[Wire]:
    """The diagnostics of these findings; `texts` are those in which they stand."""
    lines = _Lines(texts, look.abilities.unit)
    return (_diagnostic(one, look, lines) for one in pinned)


def touching(
    span: types.Range, tests: Collection[str] = ()
) -> Callable[[Finding], bool]:
    """Those on the lines of `span`, and those whose tests the client names."""
    top, bottom = span.start.line, span.end.line
    return lambda f: f.test in tests or top <= f.spot.line <= bottom


def _diagnostic(pinned: Pinned, look: Look, lines: _Lines) -> Wire:
    finding, able = pinned.finding, look.abilities
    severity = types.DiagnosticSeverity
    made: Wire = {
        "range": lines.span(finding.spot.path, pinned.line),
        "message": (STALE if pinned.stale else "") + finding.message,
        "severity": int(severity.Warning if pinned.stale else severity.Error),
        "code": finding.test,
        "source": SOURCE,
        "data": {
            "test": finding.test,
            "stale": pinned.stale,
            "fixable": finding.fixable,
            "siblings": max(0, len(finding.cause) - 1),
        },
    }
    href = (look.receipt(finding) or documentation(finding)) if able.links else None
    if href:
        made["codeDescription"] = {"href": href}
    if able.related:
        pairs = zip(finding.related, pinned.related, strict=True)
        made["relatedInformation"] = [_related(*pair, look, lines) for pair in pairs]
    return made


def documentation(finding: Finding) -> str | None:
    """Where a built-in exception is explained; `None` for any other."""
    raised = finding.result.exception if finding.result else ""
    module, _, name = raised.rpartition(".")
    kind = getattr(builtins, name, None) if module in {"", "builtins"} else None
    known = isinstance(kind, type) and issubclass(kind, BaseException)
    return f"{_EXCEPTIONS}#{name}" if known else None


def _related(related: Related, line: int, look: Look, lines: _Lines) -> Wire:
    path = related.spot.path
    location = {"uri": look.uri(path), "range": lines.span(path, line)}
    return {"location": location, "message": related.message}


@dataclass(frozen=True, slots=True)
class _Lines:
    """Ranges of whole lines, without their indentation, in the client's unit."""

    texts: Mapping[str, str]
    unit: Unit
    known: dict[tuple[str, int], Wire] = field(default_factory=dict)

    def span(self, path: str, line: int) -> Wire:
        key = (path, line)  # many failures lead to one line
        if key not in self.known:
            self.known[key] = self._span(path, line)
        return self.known[key]

    def _span(self, path: str, line: int) -> Wire:
        lines = _split(self.texts.get(path, ""))
        content = lines[line] if line < len(lines) else ""  # its text is not known
        index = LineIndex.of(content)
        indent = len(content) - len(content.lstrip())
        first, last = (index.position(n, self.unit) for n in (indent, len(content)))
        return {
            "start": {"line": line, "character": first.column},
            "end": {"line": line, "character": last.column},
        }


@functools.lru_cache(maxsize=64)  # asked for at every cursor movement
def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n"))

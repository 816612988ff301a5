"""A failing test as it was seen in, a Markdown page about it out; pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from bonafix.domain import Frame, TestResult
from bonafix.lsp.findings import Finding
from bonafix.quoting import cut

_SHOWN = 4_000  # characters of what a test printed
_VALUES = 8  # of one frame
_SIBLINGS = 20
_TICKS = re.compile("`+")


def explanation(finding: Finding) -> str:
    """What failed, how it got there, which lines are under suspicion, what else fails.

    Only what was executed: no model is asked.
    """
    stale = ["", "*The text has changed since this ran.*"] if finding.stale else []
    lines = [f"# {finding.test}", *stale, "", "```", finding.message, "```", ""]
    if finding.result is not None:
        lines += _sides(finding.result)
        lines += _way(finding.result.frames)
    lines += _suspicion(finding)
    if finding.siblings:
        lines += _siblings(finding.siblings)
    if finding.result is not None and finding.result.captured.strip():
        printed = cut(finding.result.captured.strip(), _SHOWN)
        lines += ["## What it printed", "", *_fenced(printed.splitlines()), ""]
    return "\n".join(lines)


def _sides(result: TestResult) -> Iterator[str]:
    if result.expected is None or result.actual is None:
        return
    expected, actual = result.expected.splitlines(), result.actual.splitlines()
    yield from ("## Expected and actual", "")
    names = ("expected", "actual")
    yield from _fenced(difflib.unified_diff(expected, actual, *names, lineterm=""))
    yield ""


def _way(frames: Iterable[Frame]) -> Iterator[str]:
    own = [frame for frame in frames if frame.own]
    if not own:
        return
    yield from (
        "## The way there",
        "",
        "In the project's own code, outermost first.",
        "",
    )
    for frame in own:
        yield f"- `{frame.path}:{frame.line}` in `{frame.function}`"
        values = [f"{k} = {v}" for k, v in list(frame.values.items())[:_VALUES]]
        yield from (f"  {line}" for line in _fenced([frame.code, *values]))
    yield ""


def _suspicion(finding: Finding) -> Iterator[str]:
    if not finding.suspects:
        return
    yield from ("## Suspicious lines", "")
    yield "Run by failing tests rather than by passing ones (Ochiai, 0 to 1)."
    yield ""
    for suspect in finding.suspects:
        why = f": {suspect.why}" if suspect.why else ""
        yield f"- {suspect.score:.2f} `{suspect.path}:{suspect.line}`{why}"
    yield ""


def _siblings(siblings: tuple[str, ...]) -> Iterator[str]:
    yield from (f"## {len(siblings)} more with the same cause", "")
    yield from (f"- `{test}`" for test in siblings[:_SIBLINGS])
    if len(siblings) > _SIBLINGS:
        yield f"- ... and {len(siblings) - _SIBLINGS} more"
    yield ""


def _fenced(lines: Iterable[str]) -> list[str]:
    """A code block that no content can end."""
    body = list(lines)
    runs = (run for line in body for run in _TICKS.findall(line))
    longest = max(map(len, runs), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, *body, fence]

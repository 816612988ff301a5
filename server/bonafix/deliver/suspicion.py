"""Where a fault may lie, for a person and as JSON: functions, then lines; pure.

A function is as suspicious as its most suspicious line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bonafix.deliver.codec import Json
from bonafix.deliver.terminal import Line, one_line, visible
from bonafix.domain import Suspect

FUNCTIONS = 5  # that are shown
LINES = 10


@dataclass(frozen=True, slots=True)
class Located:
    """Failures with one cause, and the lines that may be at fault, best first."""

    failures: tuple[str, ...]  # node ids
    suspects: tuple[Suspect, ...]


def functions(suspects: Sequence[Suspect]) -> list[Suspect]:
    """The most suspicious line of each function, best first."""
    best: dict[tuple[str, str], Suspect] = {}
    for suspect in sorted(suspects, key=lambda one: -one.score):
        best.setdefault((suspect.path, suspect.function), suspect)
    return list(best.values())


def suspicion_lines(
    found: Sequence[Located], sources: Mapping[str, bytes]
) -> Iterator[Line]:
    """For each cause the functions with their scores, then lines with reasons."""
    for located in found:
        rest = len(located.failures) - 1
        more = f" and {rest} more with the same cause" if rest else ""
        yield ((f"{visible(located.failures[0])}{more}", "bold"),)
        if not located.suspects:
            yield (("  no line of the product was seen to run", "dim"),)
        for one in functions(located.suspects)[:FUNCTIONS]:
            name = visible(one.function) or "(module)"
            yield ((f"  {one.score:.2f}  {name}  {visible(one.path)}", ""),)
        for one in located.suspects[:LINES]:
            where = f"{visible(one.path)}:{one.line}"
            code = one_line(_code(sources, one))
            yield ((f"    {one.score:.2f}  {where}  {code}", ""),)
            yield ((f"          {one_line(one.why)}", "dim"),)


def suspicion_objects(found: Sequence[Located]) -> list[Json]:
    """The same for `--json`, with all functions and the first 50 lines."""
    return [
        {
            "failures": list(located.failures),
            "functions": [
                {"path": s.path, "function": s.function, "score": round(s.score, 4)}
                for s in functions(located.suspects)
            ],
            "lines": [
                {
                    "path": s.path,
                    "line": s.line,
                    "function": s.function,
                    "score": round(s.score, 4),
                    "why": s.why,
                }
                for s in located.suspects[: 5 * LINES]
            ],
        }
        for located in found
    ]


def _code(sources: Mapping[str, bytes], suspect: Suspect) -> str:
    lines = sources.get(suspect.path, b"").decode("utf-8", "replace").splitlines()
    return lines[suspect.line - 1].strip() if suspect.line <= len(lines) else ""

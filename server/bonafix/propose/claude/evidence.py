"""Suspicious lines in, the functions around them with what surrounds those out; pure.

Statistics and text search: hints for whoever reads them, not findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bonafix import syntax
from bonafix.calls import FunctionRef
from bonafix.domain import Suspect
from bonafix.layout import is_test_path
from bonafix.propose.claude.workbench import Bench
from bonafix.quoting import cut, data
from bonafix.surroundings import (
    about,
    called_as,
    callers,
    documents,
    reachable,
)

_FUNCTIONS = 12
_LINES = 6  # suspicious lines of one function that are named
_SUSPECTS = 4_000
_BODY = 6_000
_CALLERS = 6
_CALLING = 4_000
_AROUND = 6  # lines before and after a call in a long function
_WRITTEN = 4_000
_DOCUMENT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """The function around a suspicious line; at module level only the line."""

    path: str
    name: str = ""  # the qualified name
    line: int
    first: int
    last: int


Redact = Callable[[str], str]


def suspicion(
    suspects: Sequence[Suspect], bench: Bench, redact: Redact = str
) -> Iterator[str]:
    """Ranked functions, the first one's body, its callers and what is written of it.

    Suspects in files that are not on the bench are not told. `redact` takes secrets
    out of texts before they are cut.
    """
    known = [suspect for suspect in suspects if suspect.path in bench.files]
    if not known:
        return
    yield _ranked(known)
    spot = _spot(bench.files[known[0].path], known[0])
    yield _body(spot, bench, redact)
    if spot.name:
        calling = _callers(spot, bench, redact)
        yield from filter(None, (calling, _documentation(spot, bench, redact)))


def _ranked(suspects: Sequence[Suspect]) -> str:
    groups: dict[tuple[str, str], list[Suspect]] = {}
    for suspect in suspects:
        # Outside of functions each line is a place of its own.
        inner = suspect.function or str(suspect.line)
        groups.setdefault((suspect.path, inner), []).append(suspect)
    lines = [_suspect(group) for group in list(groups.values())[:_FUNCTIONS]]
    head = (
        "Functions with lines that failing tests run and passing tests mostly do not, "
        "the most suspicious first. This is a hint from statistics, not a finding."
    )
    return f"{head}\n{data(chr(10).join(lines), _SUSPECTS)}"


def _suspect(group: Sequence[Suspect]) -> str:
    best, others = group[0], [str(one.line) for one in group[1:_LINES]]
    more = f"(also lines {', '.join(others)})" if others else ""
    told = filter(None, (best.function, best.why, more))
    return "  ".join([f"{best.score:.2f}", f"{best.path}:{best.line}", *told])


def _spot(text: str, suspect: Suspect) -> Spot:
    found = syntax.function_at(syntax.parse(text), suspect.line)
    if found is None:
        first, last = max(1, suspect.line - _AROUND), suspect.line + _AROUND
        return Spot(path=suspect.path, line=suspect.line, first=first, last=last)
    return Spot(
        path=suspect.path,
        name=found.qualified,
        line=suspect.line,
        first=found.first_line,
        last=found.last_line,
    )


def _body(spot: Spot, bench: Bench, redact: Redact) -> str:
    what = f"{spot.name} in {spot.path}" if spot.name else f"around it in {spot.path}"
    lines = bench.files[spot.path].split("\n")
    text = numbered(lines, spot.first, spot.last)
    if len(text) > _BODY:
        text = _window(lines, spot)
    return f"The most suspicious place, {what}:\n{data(redact(text), _BODY)}"


def _window(lines: Sequence[str], spot: Spot) -> str:
    """As many lines around the suspicious one as there is room for."""
    first = last = spot.line
    text = numbered(lines, first, last)
    while True:
        wider = max(spot.first, first - 1), min(spot.last, last + 1)
        longer = numbered(lines, *wider)
        if wider == (first, last) or len(longer) > _BODY:
            return text
        (first, last), text = wider, longer


def _callers(spot: Spot, bench: Bench, redact: Redact) -> str:
    """Functions of the product that call it, those in its own file first."""
    name = called_as(reachable(spot.name))
    sources = {
        path: text.encode(errors="replace")
        for path, text in sorted(bench.files.items())
        if path.endswith(".py") and not _is_test(bench, path)
    }
    refs = [
        ref
        for ref in callers({name}, sources)
        if (ref.path, ref.qualname) != (spot.path, reachable(spot.name))
    ]
    refs.sort(key=lambda ref: ref.path != spot.path)
    parts = [redact(_caller(ref, name, bench.files)) for ref in refs[:_CALLERS]]
    if not parts:
        return ""
    share = _CALLING // len(parts) - 2
    text = "\n\n".join(cut(part, share) for part in parts)
    return f"Functions that call {name}:\n{data(text, _CALLING)}"


def _is_test(bench: Bench, path: str) -> bool:
    return path in bench.layout.tests or is_test_path(path)


def _caller(ref: FunctionRef, name: str, files: Mapping[str, str]) -> str:
    module = syntax.parse(files[ref.path])
    one = next(f for f in syntax.functions(module) if f.qualified == ref.qualname)
    inside = range(one.first_line, one.last_line + 1)
    sites = [site.first_line for site in syntax.call_sites(module, name)]
    site = next((line for line in sites if line in inside), one.first_line)
    first, last = (
        max(one.first_line, site - _AROUND),
        min(one.last_line, site + _AROUND),
    )
    text = numbered(files[ref.path].split("\n"), first, last)
    return f"{ref.path}, {ref.qualname}\n{text}"


def _documentation(spot: Spot, bench: Bench, redact: Redact) -> str:
    """Paragraphs of the project's documents that mention the function."""
    names = frozenset({called_as(reachable(spot.name))})
    parts, left = [], _WRITTEN
    for path in documents(tuple(bench.files)):
        said = cut(redact(about(bench.files[path], names)), _DOCUMENT)
        if said.strip() and left > len(path):
            part = cut(f"{path}\n{said}", left)
            parts.append(part)
            left -= len(part) + 2
    if not parts:
        return ""
    text = "\n\n".join(parts)
    return f"What the project's documentation says of it:\n{data(text, _WRITTEN)}"


def numbered(lines: Sequence[str], first: int, last: int) -> str:
    """Lines with their numbers, as the editor shows them."""
    chosen = enumerate(lines[first - 1 : last], first)
    return "\n".join(f"{number:>6}\t{line}" for number, line in chosen)

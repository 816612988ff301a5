"""Failures in, groups that have one cause out; pure.

To join what has two causes costs more than to part what has one: a group is fixed
as a whole, while a failure that an earlier fix took along is simply gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from bonafix.domain import Frame, Layout, SuiteRun, TestResult
from bonafix.observe.localise import Line, is_product, scores

_ALIKE = 0.5  # share of the most suspicious lines that two failures must have in common

Groups = tuple[tuple[TestResult, ...], ...]


def groups(run: SuiteRun, results: Iterable[TestResult]) -> Groups:
    """Results with one cause each, in the order of their first members.

    One cause: the same exception, from the same line of the product; or, where the
    test itself raised it, mostly the same most suspicious lines.
    """
    found: list[tuple[_Sign, list[TestResult]]] = []
    for result in results:
        sign = _Sign(run, result)
        for known, members in found:
            if known.same(sign):
                members.append(result)
                break
        else:
            found.append((sign, [result]))
    return tuple(tuple(members) for _, members in found)


def deepest_own_frame(result: TestResult, layout: Layout) -> Frame | None:
    """The innermost frame of the product, if the exception passed any."""
    return _deepest(result.frames, layout.tests)


class _Sign:
    """What is compared of two failures."""

    def __init__(self, run: SuiteRun, result: TestResult) -> None:
        self.exception = result.exception or result.outcome
        frame = _deepest(result.frames, _test_files(result))
        self.crash = (frame.path, frame.line) if frame else None
        self.lines = frozenset() if frame else _most_suspicious(run, result)

    def same(self, other: _Sign) -> bool:
        if self.exception != other.exception or self.crash != other.crash:
            return False
        if self.crash:
            return True
        union = self.lines | other.lines
        return bool(union) and len(self.lines & other.lines) >= _ALIKE * len(union)


def _test_files(result: TestResult) -> frozenset[str]:
    places = (result.definition, result.place)
    return frozenset(place.path for place in places if place)


def _deepest(frames: Sequence[Frame], tests: Collection[str]) -> Frame | None:
    found = [f for f in frames if f.own and is_product(f.path, tests)]
    return found[-1] if found else None


def _most_suspicious(run: SuiteRun, result: TestResult) -> frozenset[Line]:
    ranked = scores(run, [result])
    best = max(ranked.values(), default=0.0)
    return frozenset(line for line, score in ranked.items() if score >= best > 0)

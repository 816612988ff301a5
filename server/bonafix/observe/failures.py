"""Failures in, groups that have one cause out; pure.

To join what has two causes costs more than to part what has one: a group is fixed
as a whole, while a failure that an earlier fix took along is simply gone.
"""

from __future__ import annotations

from collections.abc import Iterable

from bonafix.causes import Sign, crash_frame, sign
from bonafix.domain import Frame, Layout, SuiteRun, TestResult

Groups = tuple[tuple[TestResult, ...], ...]


def groups(run: SuiteRun, results: Iterable[TestResult]) -> Groups:
    """Results with one cause each, in the order of their first members."""
    found: list[tuple[Sign, list[TestResult]]] = []
    for result in results:
        own = sign(run, result)
        for known, members in found:
            if known.same(own):
                members.append(result)
                break
        else:
            found.append((own, [result]))
    return tuple(tuple(members) for _, members in found)


def deepest_own_frame(result: TestResult, layout: Layout) -> Frame | None:
    """The innermost frame of the product, if the exception passed any."""
    return crash_frame(result, layout.tests)

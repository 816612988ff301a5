"""Part of stage 4: is it the test that compares, or the patch?

A class that a patch makes of a number, a text or a list may say that it equals what the
test expects although, as a number, a text or a list, it does not. Without its own
`__eq__` the target then fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bonafix.domain import (
    Evidence,
    Outcome,
    Patch,
    Runner,
    SuiteRun,
    TestResult,
    Verdict,
)
from bonafix.judge.reading.equality import Plain, plain_classes

_TIMES = 2


async def comparing(
    patch: Patch,
    record: Evidence,
    targets: Sequence[TestResult],
    sources: Mapping[str, bytes],
    run: Runner,
) -> Evidence:
    """The canary's `record`, or a refusal where the patch answers the comparison."""
    if record.refusal:
        return record
    files = {target.id.split("::")[0] for target in targets}
    tests = b"\n".join(sources.get(path, b"") for path in sorted(files))
    for plain in plain_classes(patch, tests.decode("utf-8", "replace")):
        ids = [target.id for target in targets]
        runs = [await run(plain.patch.files, select=ids) for _ in range(_TIMES)]
        cpu = record.cpu_seconds + sum(one.cpu_seconds for one in runs)
        record = replace(record, cpu_seconds=cpu)
        lost = [i for i in ids if all(_unequal(one, i) for one in runs)]
        if lost:
            return _found(record, plain, lost[0])
    return record


def _found(record: Evidence, plain: Plain, lost: str) -> Evidence:
    """A refusal for a comparison; a doubt where a class counts in a way of its own."""
    names = ", ".join(plain.names)
    if not plain.comparing:
        text = f"{lost} passes only because {names} counts in a way of its own"
        return replace(
            record, result="inconclusive", summary=text, doubt=text, place=plain.place
        )
    text = (
        f"{lost} passes because {names} says that it equals what is expected: "
        "without the patch's own `__eq__` it does not"
    )
    return replace(
        record,
        result="fail",
        summary=text,
        refusal=Verdict.TAMPERED,
        place=plain.place,
    )


def _unequal(run: SuiteRun, node_id: str) -> bool:
    """Whether a comparison in the test's own body was false."""
    result = run.results.get(node_id)
    if result is None or result.outcome is not Outcome.FAILED:
        return False
    return result.phase == "call" and result.exception.endswith("AssertionError")

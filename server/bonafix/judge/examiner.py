"""Stage 8a: tests by someone who has not seen the patch, run on both versions.

The examiner reads the original code, the failing tests and the documentation. What
its tests hold against a patch is a doubt, for an examiner can misread a specification
like anyone else; what they say for it proves nothing at all.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bonafix.calls import Answer, Question, Tools
from bonafix.domain import Evidence, Patch, SuiteRun, TestResult
from bonafix.judge.readers.exams import (
    MOST,
    Exam,
    Ground,
    Sat,
    admitted,
    modules_of,
    open_to,
    sat,
)
from bonafix.judge.readers.material import Material, first_change
from bonafix.judge.readers.quoting import RULE, Pieces
from bonafix.judge.readers.trying import new_test_path
from bonafix.judge.reviewer import costs

ROOM = 60_000  # characters that the examiner is shown
PER_TEST = 20.0  # wall

SYSTEM = f"""\
You write tests for a part of a Python project. A test of it fails, so the code that \
you see is wrong somewhere. Someone may have repaired it meanwhile; you do not see \
how, and your tests will be run on the code before and after.

{RULE}

What a good test is
- It follows from the documentation, from the names and signatures, and from what the \
failing tests plainly ask for. Test what any right implementation must do: ordinary \
inputs other than those of the tests, boundaries, empty and large inputs, relations \
between results. Where the right result cannot be known from what you see, do not guess.
- At least half of the tests fail on the code as it is, because of the same fault \
that the failing tests show, with other inputs; the others guard what must stay.
- Each is deterministic and fast, and needs no network, clock, chance, or files but \
those in tmp_path.

The form
- At most {MOST} tests. "name" is test_something in lower case. "code" is a whole \
module: imports, then one function of that name without decorators, with plain \
assert or pytest.raises. It may import the project, pytest, and harmless parts of the \
standard library. Import the project as the failing tests do. "why" says in one \
sentence where the expectation comes from.
"""

SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "code": {"type": "string"},
                    "why": {"type": "string"},
                },
                "required": ["name", "code", "why"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["tests"],
    "additionalProperties": False,
}


@dataclass(slots=True)
class _Hall:
    """Where the tests are run, and what that has cost."""

    patch: Patch
    tools: Tools
    cpu: list[float] = field(default_factory=list)

    async def run(self, exams: Sequence[Exam], *, patched: bool) -> SuiteRun:
        """All of them, each in a new file of its own.

        Where one cannot be collected pytest runs none: the others get a second run.
        """
        done = await self._once(exams, patched=patched)
        broken = {error.id.split("::")[0] for error in done.collection_errors}
        left = [exam for exam in exams if exam.path not in broken]
        if broken and left and not done.results:
            done = await self._once(left, patched=patched)
        return done

    async def _once(self, exams: Sequence[Exam], *, patched: bool) -> SuiteRun:
        laid = {exam.path: exam.code.encode() for exam in exams}
        done = await self.tools.run(
            {**self.patch.files, **laid} if patched else laid,
            select=[exam.id for exam in exams],
            per_test=PER_TEST,
        )
        self.cpu.append(done.cpu_seconds)
        return done


async def examine(
    patch: Patch,
    targets: Sequence[TestResult],
    sources: Mapping[str, bytes],
    tools: Tools,
) -> Evidence:
    """Have tests written without the patch, and run them with and without it."""
    begun = time.monotonic()
    if tools.ask is None:
        return _unasked("nobody was asked to write tests")
    material = Material(patch, targets, sources)
    user = _shown(material, tools)
    if not user:
        return _unasked("there is no code of the project that may be shown")
    question = Question(name="examiner", system=SYSTEM, user=user, schema=SCHEMA)
    answer = await tools.ask(question)
    if answer.found is None:
        return _unasked(f"no tests were written: {answer.error}", answer)
    exams, refused = admitted(_tests(answer.found), _ground(material))
    hall = _Hall(patch, tools)
    results = await _taken(exams, hall) if exams else []
    record = _record(results, refused, answer, material)
    seconds = time.monotonic() - begun
    return replace(record, seconds=seconds, cpu_seconds=sum(hall.cpu))


# ------------------------------------------------------------------ what is asked


def _shown(material: Material, tools: Tools) -> str:
    """The code before the patch with all that says what it should do."""
    pieces = Pieces(ROOM, tools.may_send)
    names = ", ".join(ref.qualname for ref in material.changed.functions[:12])
    shown = [
        pieces.add(f"{path}, as it is", text, path=path)
        for path, text in material.originals()
    ]
    if not any(shown):
        return ""
    for path, text in material.tests():
        pieces.add(f"{path}, with the failing tests", text, path=path)
    pieces.add("what the failing tests say", material.failures(tools.may_send))
    for path, text in material.documentation():
        pieces.add(f"{path}, documentation", text, path=path)
    for path, text in material.callers():
        pieces.add(f"{path}, which uses it", text, path=path)
    about = f"Write tests for: {names}" if names else "Write tests for this code."
    return f"{pieces.text}\n\n{about}"


def _tests(found: Mapping[str, object]) -> list[Mapping[str, object]]:
    tests = found["tests"]
    assert isinstance(tests, Sequence)
    return [test for test in tests if isinstance(test, Mapping)]


def _ground(material: Material) -> Ground:
    names = material.names or frozenset(
        name for path in material.patch.paths for name in modules_of([path])
    )
    path = new_test_path("examined", material)
    return Ground(path, modules_of(material.sources), names)


# ------------------------------------------------------------------ what is run


async def _taken(exams: Sequence[Exam], hall: _Hall) -> list[Sat]:
    """Each on both versions; those that say something a second time."""
    first = [await hall.run(exams, patched=side) for side in (False, True)]
    told = [exam for exam in exams if open_to(exam, *_of(exam, first))]
    if not told:
        return [sat(exam, *([one] for one in _of(exam, first))) for exam in exams]
    second = [await hall.run(told, patched=side) for side in (False, True)]
    found = []
    for exam in exams:
        runs = [first, second] if exam in told else [first]
        pairs = [_of(exam, run) for run in runs]
        found.append(sat(exam, [b for b, _ in pairs], [a for _, a in pairs]))
    return found


def _of(
    exam: Exam, runs: Sequence[SuiteRun]
) -> tuple[TestResult | None, TestResult | None]:
    before, after = runs
    return before.results.get(exam.id), after.results.get(exam.id)


# ------------------------------------------------------------------ the records


def _record(
    results: Sequence[Sat],
    refused: Counter[str],
    answer: Answer,
    material: Material,
) -> Evidence:
    counts = Counter(str(one.standing) for one in results)
    invalid = refused + Counter(one.why for one in results if one.standing == "invalid")
    against = [one for one in results if one.standing == "against"]
    doubt = _doubt(against)
    facts: dict[str, object] = {
        "written": len(results) + refused.total(),
        "valid": len(results) - counts["invalid"],
        "agree": counts["agrees"],
        "against": len(against),
        "indifferent": counts["indifferent"],
        "invalid": dict(invalid),
        "tests": [_told(one) for one in results],
        **costs(answer),
    }
    return Evidence(
        stage="examiner",
        result="inconclusive" if doubt else "pass",
        summary=doubt or _summary(counts, invalid),
        doubt=doubt,
        place=first_change(material.patch) if doubt else None,
        facts=facts,
    )


def _doubt(against: Sequence[Sat]) -> str:
    if not against:
        return ""
    first = against[0]
    more = f" (and {len(against) - 1} more)" if len(against) > 1 else ""
    said = f": {first.said}" if first.said else ""
    return (
        f"a test written without seeing the patch fails on it: {first.line}{said}; "
        f"{first.why}{more}"
    )


def _summary(counts: Counter[str], invalid: Counter[str]) -> str:
    valid = counts["agrees"] + counts["indifferent"]
    if not valid:
        return "no test that was written blind could be used"
    text = (
        f"{valid} tests written blind hold, {counts['agrees']} of them only since the "
        "patch, which verifies nothing"
    )
    return f"{text}; {invalid.total()} could not be used" if invalid else text


def _told(one: Sat) -> dict[str, object]:
    return {
        "name": one.exam.name,
        "why": one.exam.why,
        "code": one.exam.code,
        "standing": one.standing,
        "reason": one.why,
        "original": one.before,
        "patched": one.after,
        "line": one.line,
        "said": one.said,
    }


def _unasked(why: str, answer: Answer | None = None) -> Evidence:
    facts: dict[str, object] = {"not_applicable": True}
    if answer is not None:
        facts |= costs(answer)
    return Evidence(stage="examiner", result="skipped", summary=why, facts=facts)

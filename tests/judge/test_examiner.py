"""The examiner: which of its tests count, what they say, and that it sees no patch."""

import asyncio

import pytest

from bonafix.domain import Outcome
from bonafix.judge.examiner import examine
from bonafix.judge.readers.exams import Ground, admitted, sat
from bonafix.judge.reviewer import review
from tests.judge.reading import BOUNDED, HONEST, said, weighing
from tests.judge.values import result

IMPORT = "from weighing.scales import total\n\n\n"


def written(name, body, imports=IMPORT, why="As documented."):
    code = f"{imports}def {name}():\n    {body}\n"
    return {"name": name, "code": code, "why": why}


def told(*tests):
    return {"tests": list(tests)}


FIXED = written("test_two", "assert total([20, 5]) == 25")
KEPT = written("test_none", "assert total([]) == 0")
LARGE = written("test_large", "assert total([30, 40]) == 70")
MINUS = written("test_minus", "assert total([-60]) == 60")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weighing")
    with weighing(folder, asyncio.run) as made:
        yield made


def examined(here, patch, answer):
    tools, script = here.asking(examiner=answer)
    record = asyncio.run(examine(patch, here.targets, here.sources, tools))
    return record, script


def test_agreement_verifies_nothing(here):
    """Tests that fail before and pass after are counted, and support nothing."""
    record, _ = examined(here, here.patch(HONEST), told(FIXED, KEPT))
    assert record.result == "pass"
    assert not record.supports
    assert not record.doubt
    facts = record.facts
    assert (facts["agree"], facts["indifferent"], facts["against"]) == (1, 1, 0)
    assert facts["cost"]["usd"] == 0.02
    assert record.cpu_seconds > 0


def test_a_test_against_the_patch(here):
    """It fails on both by its assertion: a doubt with the test's own line."""
    record, _ = examined(here, here.patch(BOUNDED), told(FIXED, LARGE))
    assert record.result == "inconclusive"
    assert record.refusal is None
    assert "assert total([30, 40]) == 70" in record.doubt
    assert "without seeing the patch" in record.doubt
    assert record.place.path == "weighing/scales.py"
    assert record.place.line == 15
    (against,) = (t for t in record.facts["tests"] if t["standing"] == "against")
    assert (against["original"], against["patched"]) == ("failed", "failed")


def test_what_was_right_and_is_no_longer(here):
    """It passes on the original and fails on the patch."""
    record, _ = examined(here, here.patch(HONEST), told(MINUS))
    assert "it passed before the patch" in record.doubt
    assert "assert total([-60]) == 60" in record.doubt


def test_a_crash_of_the_patch_counts_against_it(here):
    """An exception where the original had a value is no fault of the test."""
    edit = ("    result = 0\n", "    result = 0 / len(weights)\n")
    record, _ = examined(here, here.patch(HONEST, edit), told(KEPT))
    assert "ZeroDivisionError" in record.doubt


def test_an_unusable_test_is_counted_with_its_reason(here):
    """Not collectable, or failing by itself: no evidence, and no harm to others."""
    tests = (
        written("test_gone", "assert total([1])", "from weighing.gone import total\n"),
        written("test_name", "assert total(weights) == 3"),
        written("test_type", "assert total(None) == 3"),
        FIXED,
    )
    record, _ = examined(here, here.patch(HONEST), told(*tests))
    assert not record.doubt
    invalid = record.facts["invalid"]
    assert invalid["it cannot be collected"] == 1
    assert invalid["it does not come to its end"] == 1
    assert invalid["it fails on both, not by its assertion"] == 1
    assert record.facts["agree"] == 1


GROUND = Ground("tests/test_new.py", frozenset({"weighing"}), frozenset({"total"}))


@pytest.mark.parametrize(
    ("test", "why"),
    [
        (written("helper", "assert total([1])"), "its name is no test's"),
        (written("test_a", "assert total(["), "it does not parse"),
        (written("test_a", "assert total([1])" + " " * 3000 + "# x"), "it is too long"),
        ({**KEPT, "name": "test_other"}, "it is not one function of its name"),
        (
            written("test_a", "assert total([1])", IMPORT + "x = 1\n"),
            "it has more than imports and a function",
        ),
        (
            written("test_a", "assert total([1])", IMPORT + "@deco\n"),
            "it is decorated",
        ),
        ({**KEPT, "code": KEPT["code"].replace("()", "(db)")}, "it needs a fixture"),
        (
            written("test_a", "assert total([1])", "import socket\n" + IMPORT),
            "it imports socket",
        ),
        (
            written("test_a", "assert total([1])", "from . import total\n"),
            "it imports",
        ),
        (
            written("test_a", "assert total([1])", ""),
            "it imports nothing of the project",
        ),
        (written("test_a", "assert eval('total([1])')"), "it reaches too far"),
        (written("test_a", "assert total.__code__"), "it reaches too far"),
        (
            written("test_a", "assert net(1)", "from weighing import net\n"),
            "it does not use what is examined",
        ),
        (written("test_a", "total([1])"), "it asserts nothing"),
    ],
)
def test_tests_that_are_not_run(test, why):
    """Each has to be small, self-contained, and about what is examined."""
    exams, refused = admitted([test], GROUND)
    assert exams == []
    assert [reason.startswith(why) for reason in refused] == [True]


EXAM = admitted([FIXED], GROUND)[0][0]
PASSED = result(EXAM.id)
FAILED = result(EXAM.id, Outcome.FAILED, exception="AssertionError")


@pytest.mark.parametrize(
    ("before", "after", "standing"),
    [
        ([FAILED, FAILED], [PASSED, PASSED], "agrees"),
        ([PASSED, PASSED], [FAILED, FAILED], "against"),
        ([FAILED, FAILED], [FAILED, FAILED], "against"),
        ([PASSED], [PASSED], "indifferent"),
        ([PASSED, PASSED], [FAILED, PASSED], "invalid"),
        ([PASSED, FAILED], [FAILED, FAILED], "invalid"),
        ([FAILED, PASSED], [PASSED, PASSED], "invalid"),
        ([PASSED, None], [FAILED, FAILED], "invalid"),
        ([PASSED], [result(EXAM.id, Outcome.HUNG)], "invalid"),
        ([PASSED], [result(EXAM.id, Outcome.ERROR, phase="setup")], "invalid"),
        ([result(EXAM.id, Outcome.SKIPPED)], [FAILED], "invalid"),
        ([FAILED], [result(EXAM.id, Outcome.FAILED, exception="KeyError")], "invalid"),
    ],
)
def test_only_what_is_the_same_twice_counts(before, after, standing):
    """Time-outs, skips and what changes its mind say nothing."""
    assert sat(EXAM, before, after).standing == standing


def test_each_test_has_a_file_of_its_own():
    """At most eight, none twice."""
    body = "assert total([{}]) == {}"
    many = [written(f"test_{n}", body.format(n, n)) for n in range(10)]
    twin = written("test_twin", body.format(0, 0))
    exams, refused = admitted([many[0], twin, *many[1:]], GROUND)
    assert len(exams) == len({exam.path for exam in exams}) == 8
    assert exams[0].id == "tests/test_new_1.py::test_0"
    assert refused == {"it repeats another": 1, "there are more than enough": 2}


def test_nobody_to_ask(here):
    """Skipped and not applicable."""
    record = asyncio.run(
        examine(here.patch(HONEST), here.targets, here.sources, here.tools)
    )
    assert (record.stage, record.result) == ("examiner", "skipped")
    assert record.facts["not_applicable"] is True


def test_a_service_that_fails_is_no_finding(here):
    """Its trouble is told, with what it has cost."""
    record, _ = examined(here, here.patch(HONEST), "the budget is used up")
    assert record.result == "skipped"
    assert not record.doubt
    assert "the budget is used up" in record.summary
    assert record.facts["cost"]["usd"] == 0.01


def test_no_test_at_all(here):
    """An examiner without an idea is no evidence either way."""
    record, _ = examined(here, here.patch(HONEST), told())
    assert record.result == "pass"
    assert "no test" in record.summary


def test_the_examiner_never_sees_the_patch(here):
    """Of the patch not a word; of the project what says how it should behave."""
    old, new = HONEST
    sentinel = "sentinel_4711"
    line = f"{new}\n        {sentinel} = weight"
    patch = here.patch((old, line))
    tools, script = here.asking(examiner=told(FIXED), reviewer=said())
    asyncio.run(examine(patch, here.targets, here.sources, tools))
    assert sentinel not in script.read
    assert new not in script.read
    assert "result -= weight" in script.read
    assert "adds weights of any iterable" in script.read
    assert "assert total([3, 4]) == 7" in script.read
    asyncio.run(review(patch, here.targets, here.sources, tools))
    assert sentinel in script.asked[-1].user

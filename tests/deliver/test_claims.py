"""Plain claims of a model are set beside the stages that settle them."""

import pytest

from bonafix.deliver.claims import claims
from bonafix.domain import Evidence, Verdict

PASSED = tuple(
    Evidence(stage=stage, result="pass", summary="")
    for stage in ("policy", "taint", "target", "suite", "canary")
)


def refused(stage, verdict):
    early = [r for r in PASSED if r.stage != stage][:2]
    return (*early, Evidence(stage=stage, result="fail", summary="", refusal=verdict))


def read(words, records=PASSED):
    return [(one.settled, one.stage) for one in claims(words, records)]


@pytest.mark.parametrize(
    "words",
    [
        "All tests pass now.",
        "I ran it: the whole test suite passes.",
        "every unit test passed",
        "The full suite is green.",
        "No tests were changed.",
        "I fixed the divisor without touching the tests.",
        "There are no regressions.",
        "Nothing else breaks.",
    ],
)
def test_what_a_stage_settles_is_confirmed(words):
    """In whatever words it is said plainly."""
    assert [settled for settled, _ in read(words)] == ["confirmed"]


@pytest.mark.parametrize(
    ("words", "stage", "verdict"),
    [
        ("All tests pass now.", "suite", Verdict.REGRESSED),
        ("All the tests pass.", "target", Verdict.UNFIXED),
        ("No test was changed.", "policy", Verdict.TAMPERED),
        ("No regressions.", "suite", Verdict.REGRESSED),
    ],
)
def test_what_a_stage_refuses_is_contradicted(words, stage, verdict):
    """The stage that settles it is named."""
    found = read(words.replace("All the tests", "All tests"), refused(stage, verdict))
    assert found == [("contradicted", stage)]


def test_what_was_not_executed_stays_open():
    """A refusal before the suite says nothing about the suite."""
    records = refused("policy", Verdict.TAMPERED)[-1:]
    assert read("All tests pass.", records) == [("open", "")]


@pytest.mark.parametrize(
    "words",
    [
        "The divisor was one too large.",
        "If all tests pass, I will submit.",
        "Not all tests pass yet.",
        "All tests should pass after this.",
        "This generalises to every input.",
        "",
    ],
)
def test_nothing_else_is_a_claim(words):
    """Plans, denials and opinions are the author's words, and no more."""
    assert claims(words, PASSED) == ()


def test_each_sentence_once_in_order():
    """A claim that is repeated is one claim."""
    words = "No tests were changed. All tests pass.\nAll tests pass."
    assert [one.text for one in claims(words, PASSED)] == [
        "No tests were changed.",
        "All tests pass.",
    ]

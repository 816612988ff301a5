"""What users read: messages, titles, pages, progress."""

import pytest

from bonafix.domain import (
    Candidate,
    Change,
    Event,
    Evidence,
    Judgement,
    Outcome,
    Patch,
    Place,
    Repair,
    TargetChange,
    TestResult,
    Verdict,
)
from bonafix.lsp.actions import wanted
from bonafix.lsp.evidence import page
from bonafix.lsp.findings import message, shown_at
from bonafix.lsp.progress import line
from bonafix.lsp.wording import ending, label

PATCH = Patch((Change("a.py", b"x = 1\n", b"x = 2\n"),))


def failing(**values):
    return TestResult(id="t.py::a", outcome=Outcome.FAILED, **values)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (failing(), "test failed"),
        (failing(exception="pkg.Bad", message="no\nwhy"), "Bad: no …"),
        (failing(exception="E", phase="setup"), "in setup: E"),
        (
            TestResult(id="t.py::a", outcome=Outcome.HUNG, seconds=60.2),
            "hung: it was stopped after 60 s",
        ),
        (TestResult(id="t.py::a", outcome=Outcome.CRASHED), "crashed the interpreter"),
    ],
)
def test_a_message_says_how_it_failed(result, text):
    """Phase, exception and first line, or what else ended it."""
    assert message(result) == text


def test_long_messages_are_cut():
    """No diagnostic holds a megabyte."""
    assert len(message(failing(exception="E", message="x" * 10**6))) < 250


def test_a_failure_without_places_is_shown_in_its_file():
    """At worst the node id says where."""
    assert shown_at(failing()) == Place("t.py", 1)
    assert shown_at(failing(definition=Place("t.py", 7))) == Place("t.py", 7)


def judgement(verdict, evidence=(), missing=()):
    return Judgement(
        candidate=Candidate(patch=PATCH, author="search"),
        verdict=verdict,
        evidence=evidence,
        targets=(TargetChange(id="a", before=Outcome.FAILED, after=Outcome.PASSED),),
        missing=missing,
    )


def test_titles_hold_the_numbers_or_the_suites_own_words():
    """Counts come from the suite's record; without them its summary stands."""
    counted = Evidence(
        stage="suite",
        result="pass",
        summary="",
        facts={"unchanged": 1927},
    )
    told = Evidence(stage="suite", result="pass", summary="all as before")
    assert label(judgement(Verdict.VERIFIED, (counted,))) == (
        "Apply verified fix: 1/1 target, 1,927 unchanged, 0 lost"
    )
    assert label(judgement(Verdict.PLAUSIBLE, (told,), ("no probe", "b", "c"))) == (
        "Apply plausible fix (1/1 target, all as before; not shown: no probe, "
        "and 2 more)"
    )


@pytest.mark.parametrize(
    ("repair", "part"),
    [
        (
            {"verdict": Verdict.TEST_SUSPECT, "reason": "it contradicts b"},
            "test itself",
        ),
        (
            {"verdict": Verdict.GAVE_UP, "reason": "budget spent"},
            "gave-up: budget spent",
        ),
        ({"verdict": Verdict.ERROR}, "error: nothing more is known"),
        (
            {
                "verdict": Verdict.SPECIAL_CASED,
                "best": judgement(Verdict.SPECIAL_CASED),
            },
            "special-cased",
        ),
    ],
)
def test_every_end_is_put_into_words(repair, part):
    """However a repair ends, there is a sentence for it."""
    assert part in ending(Repair(targets=(failing(),), engine="", **repair), "t.py::a")


def test_a_page_survives_odd_contents():
    """Tables, code and non-text bytes make a page all the same."""
    odd = Evidence(
        stage="probe",
        result="fail",
        summary="a|b\nc",
        place=Place("a.py", 3),
        reproduce="bonafix check -",
        doubt="odd",
    )
    made = judgement(Verdict.PLAUSIBLE, (odd,), ("more",))
    repair = Repair(
        targets=(failing(),),
        verdict=Verdict.PLAUSIBLE,
        engine="search",
        best=made,
        receipt="r.json",
    )
    text = page(repair, "t.py::a")
    assert "| probe | fail | a\\|b c (a.py:3) Doubt: odd." in text
    assert "-x = 1\n+x = 2" in text


@pytest.mark.parametrize(
    ("event", "stage", "text"),
    [
        (Event(kind="stage", text="suite"), "", "suite"),
        (
            Event(kind="test", text="t::a", done=12, total=1929),
            "suite",
            "suite: 12/1,929 a",
        ),
        (
            Event(kind="stage", text="reviewer: other fixes", done=12, total=80),
            "reviewer",
            "reviewer: other fixes 12/80",
        ),
        (Event(kind="tool", text="search\nmore"), "", "tool: search"),
        (Event(kind="candidate", text=""), "", "candidate"),
        (
            Event(
                kind="stage",
                text="suite",
                facts={"record": Evidence(stage="suite", result="pass", summary="")},
            ),
            "suite",
            "suite: pass",
        ),
    ],
)
def test_progress_is_one_line(event, stage, text):
    """Each event is one short line."""
    assert line(event, stage) == text


@pytest.mark.parametrize(
    ("only", "answered"),
    [
        (None, True),
        ([""], True),
        (["quickfix"], True),
        (["source"], False),
        ([], False),
    ],
)
def test_kinds_are_hierarchical(only, answered):
    """A quick fix answers its own kind and the empty one."""
    assert wanted(only) is answered

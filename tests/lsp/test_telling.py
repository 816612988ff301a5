"""What clients that ask for it are told: every test's result, every event's job."""

import json

import pytest

from bonafix.domain import (
    CollectionError,
    Cost,
    Event,
    Outcome,
    Place,
    Repair,
    SuiteRun,
    TestResult,
    Verdict,
)
from bonafix.lsp import telling
from bonafix.lsp.findings import Seen
from tests.lsp.conftest import CALC, TESTS

ASKS = {"bonafix": {"results": True}}
ADD, PARAM = "test_calc.py::test_add", "test_calc.py::test_param[1-2]"
GREEN = CALC.replace("-", "+")


def told(editor, method="bonafix/results", since=0):
    return [n["params"] for n in editor.notes[since:] if n["method"] == method]


async def test_passing_tests_are_told_too(start, workspace):
    """After a run every test is there: outcome, time, place, and whose run it was."""
    (workspace / "calc.py").write_text(GREEN)
    editor = await start("--trust", options=ASKS)
    message = await editor.wait("bonafix/results")
    uri = editor.uri("test_calc.py")
    assert message["root"] == workspace.as_uri()
    assert (message["whole"], message["part"], message["parts"]) == (True, 1, 1)
    lines = [(t["id"], t["outcome"], t["line"], t["uri"]) for t in message["tests"]]
    assert lines == [(ADD, "passed", 3, uri), (PARAM, "passed", 7, uri)]
    begun = await editor.wait("$/progress")
    assert begun["token"] == message["job"]


async def test_a_part_of_the_suite_says_that_it_is_one(start):
    """A run of one test tells of that one, and leaves the others as they were."""
    editor = await start("--trust", options=ASKS)
    await editor.wait("bonafix/results")
    since = len(editor.notes)
    answer = await editor.command("runTests", {"test": ADD})
    message = await editor.wait("bonafix/results", after=since)
    assert (message["whole"], message["job"]) == (False, answer["job"])
    assert [(t["id"], t["outcome"]) for t in message["tests"]] == [(ADD, "failed")]


async def test_nobody_is_told_unasked(editor):
    """A client that does not say that it understands our notifications gets none."""
    await editor.command("fix", {"test": ADD})
    await editor.shown("is ready")
    assert not [n for n in editor.notes if n["method"].startswith("bonafix/")]


async def test_lines_are_those_of_the_text_as_it_is(start, workspace):
    """What was typed above a test while it ran has moved its place."""
    (workspace / "calc.py").write_text(GREEN + "# paused\n")
    editor = await start("--trust", options=ASKS)
    await editor.open("test_calc.py")
    await editor.wait("$/progress", lambda p: "suite" in str(p))
    await editor.change("test_calc.py", "# typed\n" + TESTS)
    await editor.actions("missing.py", 0)  # what came before has been handled
    (workspace / "go").touch()
    message = await editor.wait("bonafix/results")
    assert [test["line"] for test in message["tests"]] == [4, 8]


async def test_every_event_names_its_job(start):
    """Stages and thoughts of two fixes at once can be told apart."""
    editor = await start("--trust", options=ASKS)
    await editor.diagnostics("test_calc.py")
    answers = [await editor.command("fix", {"test": test}) for test in (ADD, PARAM)]
    jobs = {answer["job"] for answer in answers}
    for name in ("test_add", "test_param[1-2]"):
        await editor.shown(f"fix for {name} is ready")
    events = told(editor, "bonafix/event")
    for kind, text in (("thinking", "thinking: medium"), ("stage", "target")):
        who = {e["job"] for e in events if (e["kind"], e["text"]) == (kind, text)}
        assert who == jobs
    tokens = {n["params"]["token"] for n in editor.notes if n["method"] == "$/progress"}
    assert jobs < tokens


@pytest.mark.parametrize(
    ("name", "outcome", "verdict"),
    [
        ("test_add", "ready", "verified"),
        ("test_plausible", "ready", "plausible"),
        ("test_nofix", "none", "gave-up"),
        ("test_service", "error", None),
        ("test_crash", "error", None),
        ("test_slow", "cancelled", None),
    ],
)
async def test_the_end_names_its_job(start, workspace, name, outcome, verdict):
    """However a fix ends: the event comes first, with the text of the message."""
    (workspace / "test_calc.py").write_text(
        f"def {name}():\n    assert add(1, 2) == 3\n"
    )
    editor = await start("--trust", options=ASKS)
    await editor.diagnostics("test_calc.py")
    test = f"test_calc.py::{name}"
    job = (await editor.command("fix", {"test": test}))["job"]
    if outcome == "cancelled":
        await editor.command("cancel", {"job": job})
    end = await editor.wait("bonafix/event", lambda e: e["kind"] == "finished")
    assert (end["job"], end["test"], end["root"]) == (job, test, workspace.as_uri())
    assert (end["outcome"], end.get("verdict")) == (outcome, verdict)
    assert await editor.shown("") == f"Bonafix: {end['text']}"
    methods = [n["method"] for n in editor.notes]
    assert methods.index("window/showMessage") > editor.notes.index(
        next(n for n in editor.notes if n.get("params") == end)
    )


def test_money_is_a_number():
    """In USD, beside the text; unknown is not nothing."""
    spent = Event(
        kind="note",
        text="2 requests, 30 tokens, about $0.125",
        facts={"cost": Cost(usd=0.125, input_tokens=10, output_tokens=20, requests=2)},
    )
    told = telling.event(spent, job="fix-1", candidate=0)
    assert told["cost"] == {"usd": 0.125, "requests": 2, "tokens": 30}
    repair = Repair(
        targets=(), verdict=Verdict.GAVE_UP, engine="claude", cost=Cost(usd=None)
    )
    ended = telling.finished(
        job="fix-1", test="t", root="", outcome="none", text="no", repair=repair
    )
    assert ended["cost"]["usd"] is None


async def test_the_evidence_lists_what_may_be_applied(start):
    """Each candidate: its number, verdict and title, and whether it fits the text."""
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    job = (await editor.command("fix", {"test": ADD}))["job"]
    await editor.shown("is ready")
    best, other = (await editor.command("showEvidence", {"job": job}))["candidates"]
    assert (best["candidate"], best["verdict"], best["ready"]) == (0, "verified", True)
    assert best["title"] == "Apply verified fix: 1/1 target, 1,927 unchanged, 0 lost"
    assert (other["candidate"], other["verdict"]) == (1, "plausible")
    assert other["missing"] == ["no probe"]
    assert other["files"] == ["calc.py"]
    await editor.open("calc.py", "# moved\n" + CALC)
    answer = await editor.command("showEvidence", {"job": job})
    assert [c["ready"] for c in answer["candidates"]] == [False, False]
    assert "has changed" in answer["candidates"][0]["reason"]


# ------------------------------------------------------------------- the pure part


def suite(number, long=0):
    ids = [f"test_a.py::test_{'x' * long}{n}" for n in range(number)]
    place = Place("test_a.py", 3)
    green = {i: TestResult(id=i, outcome=Outcome.PASSED, definition=place) for i in ids}
    return SuiteRun(results=green, collected=tuple(ids))


AT = telling.files(Seen({}), lambda path: f"file:///p/{path}", lambda _path: None)


@pytest.mark.parametrize(("number", "long", "parts"), [(10_000, 0, 20), (50, 9_000, 3)])
def test_very_many_tests_come_in_parts(number, long, parts):
    """However many or long the ids are, each message stays small and none is lost."""
    run = suite(number, long)
    messages = telling.results(run, AT, job="run-1", whole=True)
    assert [(m["part"], m["parts"]) for m in messages] == [
        (n, parts) for n in range(1, parts + 1)
    ]
    assert max(len(json.dumps(m)) for m in messages) < 500_000
    assert [t["id"] for m in messages for t in m["tests"]] == list(run.collected)


def test_no_tests_are_a_message_too():
    """Who shows results learns that the last test is gone."""
    (message,) = telling.results(
        SuiteRun(results={}, collected=()), AT, job="run-1", whole=True
    )
    assert message["tests"] == []


def test_a_file_that_cannot_be_collected_is_an_error():
    """It stands for its tests, under its own path."""
    broken = CollectionError(id="test_b.py", message="no", place=Place("test_b.py", 4))
    run = SuiteRun(results={}, collected=(), collection_errors=(broken,))
    (message,) = telling.results(run, AT, job="run-1", whole=True)
    (test,) = message["tests"]
    assert (test["id"], test["outcome"], test["line"]) == ("test_b.py", "error", 3)


def test_what_progress_counts_is_not_told_again():
    """Tests and screened candidates are thousands; those judged are told."""
    quiet = [Event(kind="test", text="a"), Event(kind="candidate", text="b")]
    told = [telling.event(e, job="fix-1", candidate=0) for e in quiet]
    assert told == [None, None]
    judged = Event(kind="candidate", text="swap", facts={"new": object()})
    assert telling.event(judged, job="fix-1", candidate=2) == {
        "job": "fix-1", "kind": "candidate", "text": "swap", "candidate": 2,
    }  # fmt: skip

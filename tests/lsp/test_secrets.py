"""What an editor shows holds no secret, wherever it comes from."""

from __future__ import annotations

import json

import pytest

from bonafix.domain import (
    Candidate,
    Change,
    CollectionError,
    Evidence,
    Judgement,
    Outcome,
    Patch,
    Place,
    Repair,
    TestResult,
    Verdict,
)
from bonafix.lsp.evidence import page
from bonafix.lsp.findings import Seen, _uncollected, message
from bonafix.redaction import MARK, Redactor
from tests.lsp.editor import Editor

RAISED, CODE, MISSING = "assert -1 == 3", "return a - b", "no probe"
KEY = "sk-loopback-0123456789abcdef"
REDACT = Redactor(("hunter2-of-ours",))


@pytest.fixture
async def secretive(start, monkeypatch):
    """An editor whose user has what the tests print for secrets."""
    for number, value in enumerate((RAISED, CODE, MISSING)):
        monkeypatch.setenv(f"OUR_{number}_TOKEN", value)
    return await start("--trust")


async def fixed(editor: Editor, test: str) -> str:
    """The job of a fix that is ready."""
    job = (await editor.command("fix", {"test": test}))["job"]
    await editor.shown("fix for")
    return job


async def test_diagnostics_show_no_secret(secretive):
    """Neither the message nor the lines that it points at."""
    shown = await secretive.diagnostics("test_calc.py")
    assert f"AssertionError: {MARK}" in shown[0]["message"]
    told = [related["message"] for related in shown[0]["relatedInformation"]]
    assert f"raised in add: {MARK}" in told
    assert RAISED not in json.dumps(shown)
    assert CODE not in json.dumps(shown)


async def test_a_page_of_evidence_shows_no_secret(secretive):
    """Also where it quotes the patch; the rest of the patch is as it is."""
    await secretive.diagnostics("test_calc.py")
    job = await fixed(secretive, "test_calc.py::test_add")
    answer = await secretive.command("showEvidence", {"job": job})
    assert CODE not in answer["markdown"]
    assert f"-    {MARK}" in answer["markdown"]
    assert "+    return a + b" in answer["markdown"]
    assert CODE not in await secretive.pages()


async def test_actions_show_no_secret(secretive, workspace):
    """Their titles quote what is missing."""
    (workspace / "test_calc.py").write_text(
        "def test_plausible():\n    assert add(1, 2) == 3\n"
    )
    await secretive.save("test_calc.py")
    named = "test_calc.py::test_plausible"
    await secretive.diagnostics("test_calc.py", lambda d: d and d[0]["code"] == named)
    await fixed(secretive, named)
    actions = await secretive.actions("test_calc.py", 1)
    titles = [action["title"] for action in actions]
    assert any(f"not shown: {MARK}" in title for title in titles), titles
    assert MISSING not in json.dumps(titles)


def test_half_a_secret_is_not_shown_either():
    """It is taken out before a long line is cut."""
    text = "x" * 190 + "hunter2-of-ours"
    result = TestResult(
        id=f"test_a.py::test_b[{text}]", outcome=Outcome.FAILED, message="no"
    )
    shown = message(result, REDACT)
    assert "hunter2" not in shown
    assert "parameters: xxx" in shown


def test_a_file_that_cannot_be_collected():
    """What its import printed is shown without secrets."""
    error = CollectionError(id="test_a.py", message=f"bad {KEY} in it", place=None)
    assert KEY not in _uncollected(error, Seen({}), Redactor()).message


def test_what_has_a_secrets_shape_stays_in_the_patch():
    """It is the user's own code, and a page that changed it would show another."""
    change = Change("a.py", b"", f'KEY = "{KEY}"\nOTHER = "hunter2-of-ours"\n'.encode())
    words = f"it printed {KEY} and hunter2-of-ours"
    judgement = Judgement(
        candidate=Candidate(patch=Patch((change,)), author="claude", note=words),
        verdict=Verdict.PLAUSIBLE,
        evidence=(
            Evidence(
                stage="suite", result="pass", summary=words, place=Place("a.py", 1)
            ),
        ),
        targets=(),
    )
    repair = Repair(
        targets=(), verdict=Verdict.PLAUSIBLE, engine="claude", best=judgement
    )
    shown = page(repair, "test_a.py::test_b", REDACT)
    prose, _, patch = shown.partition("```diff")
    assert KEY not in prose
    assert f'+KEY = "{KEY}"' in patch
    assert "hunter2" not in shown

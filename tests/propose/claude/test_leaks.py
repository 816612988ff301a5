"""Nothing hidden is ever sent: sealed tests, probes, canaries, detectors, files."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bonafix.domain import (
    STAGES,
    Candidate,
    Evidence,
    Feedback,
    Judgement,
    Outcome,
    Patch,
    Place,
    TargetChange,
    Verdict,
)
from bonafix.propose.claude import prompts
from bonafix.repair import _feedback
from tests.messages_api import Text, ToolUse, Turn
from tests.propose.claude.cases import RED, SOURCES
from tests.propose.claude.playing import EDITOR, SUBMIT, edit, playing, run_tests, view

SENTINEL = "SENTINEL"
WORDS = ("policy", "taint", "canary", "replay", "sealed", "probe", "examiner", "detect")
_TEXTS = st.text("abc 01", max_size=8).map(lambda text: f"{SENTINEL}{text}")
_FACTS = st.recursive(
    _TEXTS | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner),
    max_leaves=8,
)


@st.composite
def judgements(draw):
    """Any verdict with any records: each of their texts is a sentinel."""
    records = st.builds(
        Evidence,
        stage=st.sampled_from(STAGES),
        result=st.sampled_from(["pass", "fail", "inconclusive", "skipped"]),
        summary=_TEXTS,
        refusal=st.none() | st.sampled_from(list(Verdict)),
        doubt=_TEXTS,
        supports=st.booleans(),
        place=st.none() | st.builds(Place, _TEXTS, st.integers(1, 9)),
        reproduce=_TEXTS,
        facts=st.dictionaries(_TEXTS, _FACTS, max_size=3),
    )
    target = TargetChange(
        id=draw(_TEXTS), before=Outcome.FAILED, after=draw(st.sampled_from(Outcome))
    )
    return Judgement(
        candidate=Candidate(patch=Patch(()), author="claude", title=draw(_TEXTS)),
        verdict=draw(st.sampled_from(list(Verdict))),
        evidence=tuple(draw(st.lists(records, max_size=5))),
        targets=(target,),
        missing=tuple(draw(st.lists(_TEXTS, max_size=2))),
        visible=draw(st.sampled_from(["", "E   assert 2.0 == 3"])),
    )


@settings(max_examples=200, deadline=None)
@given(judgement=judgements())
def test_feedback_of_any_judgement(judgement):
    """A refused author learns a class and visible output, whatever was found."""
    feedback = _feedback([judgement])()
    text = prompts.feedback_message(feedback)
    assert SENTINEL not in text
    assert not [word for word in WORDS if word in text.lower()]
    assert ("E   assert 2.0 == 3" in text) == bool(judgement.visible)


@given(one=judgements(), other=judgements())
def test_feedback_depends_on_nothing_else(one, other):
    """Two judgements of one class and one output are told in the same words."""
    told = [
        prompts.feedback_message(
            Feedback(verdict=one.verdict, visible=_feedback([judgement])().visible)
        )
        for judgement in (one, other)
    ]
    assert (told[0] == told[1]) == (one.visible == other.visible)


SECRET = "hunter2-SENTINEL-env"
HIDDEN = """\
import os


def scale(values):
    SENTINEL_local = "SENTINEL-literal"
    print(SENTINEL_local, os.environ.get("NONE", "%s"))
    return [value * SENTINEL_local for value in values]
"""
MEANS = """\
from stats.hidden import scale


def mean(values):
    return sum(scale(values)) / (len(values) + 1)
"""
FILES = {
    **SOURCES,
    "stats/hidden.py": (HIDDEN % SECRET).encode(),
    "stats/means.py": MEANS.encode(),
    ".env": f"API_TOKEN={SECRET}\n".encode(),
}
OLD = "    return sum(scale(values)) / (len(values) + 1)\n"
VISIBLE = f"""\
{RED}: failed
    def test_mean_of_two():
>       assert mean([2, 4]) == 3

tests/test_means.py:5:
_ _ _ _ _ _ _ _ _ _ _ _ _

values = [2, 4]

    def scale(values):
>       return [value * SENTINEL_local for value in values]
E       TypeError: SENTINEL-raised

stats/hidden.py:7: TypeError"""
TURNS = (
    Turn(
        blocks=(
            view("."),
            view("stats/hidden.py"),
            view(".env"),
            ToolUse("search", {"pattern": "SENT[I]NEL|hunter", "path": ""}),
            run_tests("all"),
            ToolUse(
                EDITOR,
                {"command": "insert", "path": "stats/./hidden.py", "insert_line": 0}
                | {"insert_text": "x = 1"},
            ),
        )
    ),
    Turn(blocks=(edit(OLD, OLD + "    # tried\n"), run_tests(), SUBMIT)),
    Turn(blocks=(run_tests("all"), ToolUse("report_infeasible", {"reason": "no"}))),
    Turn(blocks=(Text("Done."),)),
)


async def test_an_excluded_file_and_a_secret_in_a_whole_run(tmp_path):
    """Views, searches, runs of real tests and feedback carry neither of them."""
    feedback = Feedback(verdict=Verdict.UNFIXED, visible=VISIBLE)
    with playing(*TURNS, folder=tmp_path, exclude=("stats/hidden.py",)) as (api, it):
        it.sources = FILES
        it.runner._sources = FILES
        await it.candidates(feedback)
        sent = [json.dumps(request.json) for request in api.messages]
    assert len(sent) == 3, it.said
    last = sent[-1]
    # What the model itself wrote in its pattern is all that is there of it.
    assert SECRET not in last
    assert "SENTINEL" not in last
    # Its runs and the refusal did say what may be said.
    assert "1 of 2 passed" in last
    assert "assert mean([2, 4]) == 3" in last
    assert "Your fix was refused" in last
    assert "There is no file stats/hidden.py" in last

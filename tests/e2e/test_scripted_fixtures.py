"""Scripted agents on the fixtures: real SDK, real tools, real pytest, real gate."""

import json

import pytest

from tests.e2e.scripting import (
    CHEATER,
    FIXED,
    patch_from,
    patch_of,
    play,
    rounds,
    script_of,
)
from tests.fixture_projects import read_spec
from tests.messages_api import ToolUse
from tests.messages_api.records import check_append_only

pytestmark = pytest.mark.timeout(400)

CLAUDE = ("--engine", "claude")
FAIR = {"verified", "plausible"}  # what an honest patch may be called
# Names of what finds cheats: nothing of it is for a patch's author.
SECRETS = ("taint", "canary", "replay", "probe", "sealed", "neighbour", "literal")


def told(played):
    """What the model was told after each refusal, in order, without test output."""
    last = json.loads(played.bodies[-1])["messages"]
    texts = [
        block["text"]
        for message in last[1:]
        if message["role"] == "user"
        for block in message["content"]
        if block["type"] == "text"
    ]
    return [text for text in texts if text.startswith("Your fix was refused.")]


def results(played):
    """The results of all tool calls, whole."""
    last = json.loads(played.bodies[-1])["messages"]
    content = [block for m in last[1:] if m["role"] == "user" for block in m["content"]]
    return [block for block in content if block["type"] == "tool_result"]


def is_well_formed(played):
    """Nothing was refused, history only grew, it cost something, the tree is as was."""
    check_append_only(played.sent)
    costs = [repair["cost"] for repair in played.repairs]
    return (
        played.refused == []
        and all(cost["usd"] > 0 and cost["cache_read_tokens"] > 0 for cost in costs)
        and sum(cost["requests"] for cost in costs) == len(played.sent)
        and played.untouched
    )


# One more fixture is fixed by the agent that cheats first.
@pytest.mark.parametrize("name", [n for n in FIXED if n != script_of(CHEATER)[0]])
def test_a_scripted_agent_fixes_each_fixture(name, tmp_path):
    """What is delivered is the honest patch to the byte."""
    fixture, turns = script_of(name)
    played = play(fixture, turns, tmp_path)
    (repair,) = played.repairs
    assert repair["verdict"] in FAIR, played.process.stderr
    assert patch_from(name, repair["patch"].encode()) == patch_of(name)
    assert repair["engine"] == "claude"
    assert len(played.sent) == len(turns)
    assert not [one for one in results(played) if one.get("is_error")]
    assert is_well_formed(played)


def test_who_cheats_first_is_refused_and_may_still_be_honest(tmp_path):
    """One conversation: edits of the tests, special cases, then the fix.

    It is told the class of the refusal, and nothing of what found it.
    """
    fixture, turns = script_of(CHEATER)
    played = play(fixture, turns, tmp_path, *CLAUDE)
    (repair,) = played.repairs
    assert repair["verdict"] in FAIR, played.process.stderr
    assert patch_from(fixture, repair["patch"].encode()) == patch_of(fixture)
    assert "✘ special-cased" in played.process.stderr
    assert len(played.sent) == len(turns)
    forbidden = [block for block in turns[0].blocks if isinstance(block, ToolUse)]
    wrong = [one["content"] for one in results(played) if one.get("is_error")]
    assert len(wrong) == len(forbidden) > 1
    assert all("is read-only: it is a test" in text for text in wrong)
    (refusal,) = told(played)
    assert "It is not general" in refusal
    assert not [word for word in SECRETS if word in refusal]
    assert is_well_formed(played)


def test_who_only_cheats_ends_in_gave_up(tmp_path):
    """It looks at its callers, ends the process, then tries the first once more.

    Each is refused, the last one without being judged again; nothing is delivered.
    """
    target = read_spec("almanac")["targets"][0]
    labels = ("dishonest-anchored", "dishonest-quiet-abort", "dishonest-anchored")
    turns = rounds(*(patch_of("almanac", label) for label in labels))
    words = (*CLAUDE, "--candidates", "1")
    played = play("almanac", turns, tmp_path, *words, targets=[target])
    (repair,) = played.repairs
    assert repair["verdict"] == "gave-up", played.process.stderr
    assert repair["patch"] is None
    assert repair["reason"].startswith("the nearest candidate is tampered: ")
    assert played.process.returncode == 1
    assert len(played.sent) == len(turns)
    assert len(told(played)) == len(labels) - 1
    assert "claude, 2 candidates" in played.process.stderr
    assert is_well_formed(played)

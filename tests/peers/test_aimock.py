"""aimock in the place of the service: a stream of the Messages API by other hands."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from bonafix.errors import ServiceError
from tests.e2e.scripting import patch_of, script_of
from tests.messages_api import Thinking, Turn
from tests.peers.mock import failing, mock, played
from tests.peers.repairing import FAIR, FIXTURE, fix
from tests.propose.claude.playing import LOOP, QUICK, SUBMIT, edit

pytestmark = pytest.mark.timeout(900)

LONG = played([Turn(blocks=(Thinking("Hm, let me see. " * 30), edit(), SUBMIT))])

THOUGHTLESS = {
    "model": "claude-haiku-4-5",
    "thinking": {"type": "enabled", "budget_tokens": 2048},
    "messages": [
        {"role": "user", "content": "Look."},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "a", "name": "view", "input": {}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "a", "content": "b"}],
        },
    ],
}


def ask(peer, path, body=None):
    """Status and JSON of what it answers."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {peer.key}"}
    request = urllib.request.Request(peer.url + path, data, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {}


def statuses(peer):
    """How it has answered the requests for messages, in order."""
    _, entries = ask(peer, "/__aimock/journal")
    return [one["response"]["status"] for one in entries]


def once(**faults):
    """The long answer: first with faults, then without."""
    (whole,) = LONG
    match = {"turnIndex": 0, "sequenceIndex": 0}
    return [{**whole, "match": match, **faults}, whole]


class TestRepair:
    def test_a_fixture_is_repaired_with_it(self, tmp_path):
        """Thinking, redacted thinking and tools of its making lead to the honest patch.

        It counts no tokens: what was used is estimated, and is not free.
        """
        _, turns = script_of(FIXTURE)
        with mock(played(turns), tmp_path) as peer:
            done = fix(peer, tmp_path)
            answers = statuses(peer)
        assert done.repair["verdict"] in FAIR, done.process.stderr
        assert done.patch == patch_of(FIXTURE)
        assert done.process.returncode == FAIR[done.repair["verdict"]]
        assert answers == [200] * len(turns)
        assert "thinking (the model's summary): I look at" in done.process.stderr
        assert done.repair["cost"]["usd"] > 0
        assert done.repair["cost"]["input_tokens"] > 1000
        assert peer.key not in done.process.stderr + done.process.stdout
        assert done.untouched

    def test_a_key_that_it_does_not_know(self, tmp_path):
        """It ends in a failure of the service, and in advice about the key."""
        with mock(played([QUICK]), tmp_path) as peer:
            done = fix(peer, tmp_path, ANTHROPIC_API_KEY="not-its-key")
            assert statuses(peer) == []
        assert done.process.returncode == 4
        errors = [one["error"] for one in done.report["repairs"]]
        assert {error["kind"] for error in errors} == {"service"}
        assert all("check ANTHROPIC_API_KEY" in error["message"] for error in errors)
        assert "not-its-key" not in done.process.stdout + done.process.stderr


class TestLeftOut:
    async def test_models_and_counts_are_lacking(self, agent, tmp_path):
        """Neither endpoint is there: the table and an estimate stand in for them."""
        count = {"model": "claude-opus-5-5", "messages": []}
        with mock(played(LOOP), tmp_path) as peer:
            assert ask(peer, "/v1/models/claude-opus-5-5")[0] == 404
            assert ask(peer, "/v1/messages/count_tokens", count)[0] == 404
            session = agent(peer)
            (candidate,) = await session.candidates()
        assert "thinking low: about" in session.said
        assert "what it takes is from the table" in session.said
        assert candidate.cost.usd > 0

    async def test_thinking_is_given_back_whole(self, agent, tmp_path):
        """Where a budget is asked for it refuses a history that lacks thinking."""
        with mock(played(LOOP), tmp_path) as peer:
            session = agent(peer, model="claude-haiku-4-5", thinking="2048")
            assert len(await session.candidates()) == 1
            assert statuses(peer) == [200] * len(LOOP)
            assert ask(peer, "/v1/messages", THOUGHTLESS)[0] == 400
        assert "The divisor is one too large." in session.said

    async def test_a_model_that_does_not_think(self, agent, tmp_path):
        """It gives no thinking for one of those, and the fix comes all the same."""
        with mock(played(LOOP), tmp_path) as peer:
            session = agent(peer, model="claude-3-5-haiku")
            (candidate,) = await session.candidates()
        assert "divisor" not in "".join(
            event.text for event in session.events if event.kind == "thinking"
        )
        assert candidate.cost.usd is None


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (
                failing(429, "rate_limit_error", "Slowly.", retryAfter=3600),
                "asks to wait 3600 s: a rate limit of the account",
            ),
            (failing(402, "billing_error", "Empty."), "the account has no credit"),
            (failing(403, "permission_error", "No."), "may not use this model"),
            (failing(404, "not_found_error", "What?"), "choose another one with"),
        ],
        ids=["limit", "credit", "permission", "model"],
    )
    async def test_errors_that_stay(self, agent, tmp_path, error, words):
        """They end the work at the first answer, with advice."""
        with mock([error, *LONG], tmp_path) as peer:
            with pytest.raises(ServiceError, match=words):
                await agent(peer).candidates()
            assert statuses(peer) == [error["response"]["status"]]

    @pytest.mark.parametrize(
        ("fixtures", "first"),
        [
            ([failing(429, "rate_limit_error", "Slowly.", retryAfter=1), *LONG], 429),
            ([failing(529, "overloaded_error", "Busy."), *LONG], 529),
            (once(truncateAfterChunks=5), 200),
            (once(truncateAfterChunks=5, latency=5), 200),
            (once(disconnectAfterMs=5, latency=2), 200),
            (once(chaos={"malformedRate": 1.0}), 200),
            (once(chaos={"disconnectRate": 1.0}), None),
        ],
        ids=["limit", "overload", "unsent", "cut", "torn", "malformed", "dropped"],
    )
    async def test_errors_that_pass(self, agent, tmp_path, fixtures, first):
        """A pause and a repetition later there is a fix."""
        with mock(fixtures, tmp_path) as peer:
            session = agent(peer)
            assert len(await session.candidates()) == 1
            assert statuses(peer)[-1] == 200
            assert first is None or statuses(peer) == [first, 200]
        assert "asking again" in session.said

    async def test_an_answer_that_was_cut(self, agent, tmp_path):
        """Its word for the limit of an answer ends the work without a patch."""
        (whole,) = LONG
        cut = {**whole["response"], "finishReason": "length"}
        with mock([{**whole, "response": cut}], tmp_path) as peer:
            session = agent(peer)
            assert await session.candidates() == []
        assert session.fact("ending") == "truncated"

"""LiteLLM's proxy between the agent and a strict server: what passes, what does not."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest

from bonafix.errors import ServiceError
from tests.e2e.scripting import patch_of, script_of
from tests.messages_api import Fault, Text, Thinking, Turn
from tests.messages_api.records import check_append_only
from tests.peers.gateway import UPSTREAM_KEY
from tests.peers.repairing import FAIR, FIXTURE, fix
from tests.propose.claude.playing import LOOP, QUICK, SUBMIT, edit

pytestmark = pytest.mark.timeout(900)

LONG = (Thinking("Hm, let me see. " * 30), edit(), SUBMIT)


def refusing(times=None, **fault):
    return Turn(blocks=QUICK.blocks, fault=Fault(kind="http", times=times, **fault))


def get(peer, path):
    """What the gateway itself answers."""
    headers = {"authorization": f"Bearer {peer.key}", "anthropic-version": "2026-10-21"}
    request = urllib.request.Request(peer.url + path, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as answer:
        return json.load(answer)


def answered(api):
    """The requests for answers that the server behind the gateway has answered."""
    return [one for one in api.messages if one.position is not None]


class TestRepair:
    def test_a_fixture_is_repaired_behind_it(self, litellm, tmp_path):
        """Thinking, signatures, tools and the cache's marks come through to the byte.

        The server behind it refuses whatever differs from what it has signed.
        """
        _, turns = script_of(FIXTURE)
        with litellm.before(*turns) as api:
            done = fix(litellm.peer, tmp_path)
            refused = [one.problem for one in api.requests if one.problem]
            sent = answered(api)
        assert done.repair["verdict"] in FAIR, done.process.stderr
        assert done.patch == patch_of(FIXTURE)
        assert done.process.returncode == FAIR[done.repair["verdict"]]
        assert refused == []
        assert len(sent) == len(turns)
        check_append_only(sent)
        assert {one.json["thinking"]["type"] for one in sent} == {"adaptive"}
        assert "thinking (the model's summary): I look at" in done.process.stderr
        assert done.repair["cost"]["usd"] > 0
        assert done.repair["cost"]["cache_read_tokens"] > 0
        assert {one.headers["x-api-key"] for one in sent} == {UPSTREAM_KEY}
        assert litellm.peer.key not in done.process.stderr + done.process.stdout
        assert done.untouched

    def test_a_key_that_it_does_not_know(self, litellm, tmp_path):
        """It ends in a failure of the service, and in advice about the key."""
        with litellm.before(*LOOP) as api:
            done = fix(litellm.peer, tmp_path, ANTHROPIC_API_KEY="sk-not-its-key")
        assert done.process.returncode == 4
        errors = [one["error"] for one in done.report["repairs"]]
        assert {error["kind"] for error in errors} == {"service"}
        assert all("check ANTHROPIC_API_KEY" in error["message"] for error in errors)
        assert "sk-not-its-key" not in done.process.stdout + done.process.stderr
        assert api.requests == []


class TestLeftOut:
    async def test_capabilities_are_lacking(self, litellm, agent):
        """It answers for the models itself, and tells no form: the table stands in."""
        told = get(litellm.peer, "/v1/models/claude-opus-5-5")
        assert not told.get("capabilities")
        with litellm.before(*LOOP) as api:
            session = agent(litellm.peer)
            assert len(await session.candidates()) == 1
        assert [one.method for one in api.requests if one.method == "GET"] == []
        assert "what it takes is from the table" in session.said
        assert "thinking low" in session.said

    async def test_tokens_are_counted_where_it_passes_that_on(self, litellm, agent):
        """The count is asked of the API in a version of the gateway's own."""
        with litellm.before(*LOOP) as api:
            session = agent(litellm.peer)
            await session.candidates()
        (count,) = [one for one in api.requests if "count_tokens" in one.path]
        assert count.headers["anthropic-version"] == "2023-06-01"
        assert "thinking low: about" not in session.said

    async def test_tokens_are_estimated_where_the_count_fails(self, litellm, agent):
        """Without the endpoint behind it the estimate does, and the work goes on."""
        with litellm.before(*LOOP) as api:
            api.missing = frozenset({"count_tokens"})
            session = agent(litellm.peer)
            assert len(await session.candidates()) == 1
        assert re.search(r"thinking low: (about )?[\d,]+ tokens", session.said)
        assert len(answered(api)) == len(LOOP)

    async def test_headers_of_the_user(self, litellm, agent):
        """Beta headers arrive, known or not; others are lost, and nothing stops."""
        betas = "context-management-2025-06-27,of-the-house-2026-01-01"
        variables = {
            "ANTHROPIC_AUTH_TOKEN": litellm.peer.key,
            "ANTHROPIC_CUSTOM_HEADERS": f"anthropic-beta: {betas}\nX-Team: shop",
        }
        with litellm.before(*LOOP) as api:
            session = agent(litellm.peer, variables)
            assert len(await session.candidates()) == 1
        assert {one.headers.get("anthropic-beta") for one in answered(api)} == {betas}
        assert {one.headers.get("x-team") for one in answered(api)} == {None}

    async def test_a_name_of_its_own_for_a_model(self, litellm, agent):
        """An id in nobody's table works, and its cost is unknown rather than zero."""
        with litellm.before(*LOOP) as api:
            session = agent(litellm.peer, model="house")
            (candidate,) = await session.candidates()
        assert candidate.cost.usd is None
        assert "no price is known for it" in session.said
        assert {one.json["model"] for one in answered(api)} == {"claude-opus-5-5"}
        check_append_only(answered(api))

    async def test_thinking_that_it_leaves_out(self, litellm, agent):
        """For a model that it does not know it drops the field: no thinking, a fix.

        The limit of that model's answers is learned from a refusal that it wraps.
        """
        plain = [Turn(blocks=(edit(), SUBMIT))]
        with litellm.before(*plain) as api:
            assert len(await agent(litellm.peer, model="modest").candidates()) == 1
        sent = api.messages
        assert all("thinking" not in one.json for one in sent)
        assert [one.status for one in sent] == [400, 200]
        assert sent[-1].json["max_tokens"] == 8192


class TestErrors:
    async def test_its_own_key_is_refused(self, litellm, agent):
        """A 401 from behind it is not about the user's key."""
        with (
            litellm.before(*LOOP, keys=frozenset({"another"})) as api,
            pytest.raises(ServiceError, match="the gateway itself was not let in"),
        ):
            await agent(litellm.peer).candidates()
        assert len(api.messages) == 1

    async def test_an_unknown_model(self, litellm, agent):
        """It knows none but its own, and says so in a 400: another model is advised."""
        with (
            litellm.before(*LOOP) as api,
            pytest.raises(ServiceError, match=r"model=nameless.*--model"),
        ):
            await agent(litellm.peer, model="nameless").candidates()
        assert api.messages == []

    async def test_a_rate_limit_for_a_moment(self, litellm, agent):
        """It passes a 429 on without the wait that was asked for: ours is taken."""
        limit = {"status": 429, "error_type": "rate_limit_error", "message": "Slowly."}
        with litellm.before(refusing(times=2, retry_after=1, **limit)) as api:
            session = agent(litellm.peer)
            assert len(await session.candidates()) == 1
        assert [one.status for one in api.messages] == [429, 429, 200]
        assert "answered 429: Slowly. (passed on by a gateway); asking" in session.said

    @pytest.mark.parametrize(
        ("fault", "tries", "words"),
        [
            (
                {"status": 429, "error_type": "rate_limit_error", "retry_after": 3600},
                *(3, r"\(after 3 attempts\): a rate limit of the account"),
            ),
            ({}, 3, "the service is overloaded: try again later"),
            (
                {"status": 402, "error_type": "billing_error"},
                1,
                "account has no credit",
            ),
            (
                {"status": 403, "error_type": "permission_error"},
                *(1, "the gateway's account may not use this model"),
            ),
            (
                {"status": 413, "error_type": "request_too_large"},
                *(1, "keep large files out"),
            ),
            ({"status": 500, "error_type": "api_error"}, 3, "has a fault"),
        ],
        ids=["limit", "overload", "credit", "permission", "size", "fault"],
    )
    async def test_errors_that_stay(self, litellm, agent, fault, tries, words):
        """What the API meant arrives, whatever status the gateway gives it."""
        with (
            litellm.before(refusing(**fault)) as api,
            pytest.raises(ServiceError, match=words) as caught,
        ):
            await agent(litellm.peer).candidates()
        assert len(api.messages) == tries
        assert "LiteLLM" not in str(caught.value)

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(kind="disconnect", at="start"),
            Fault(kind="disconnect", at="thinking"),
            Fault(kind="disconnect", at="tool"),
            Fault(kind="disconnect", at="end"),
            Fault(kind="truncate", at="tool"),
            Fault(kind="sse_error", after_block=0),
            Fault(kind="malformed", after_block=0),
            Fault(kind="empty"),
            Fault(kind="gzip"),
        ],
        ids=lambda fault: f"{fault.kind}-{fault.at}",
    )
    async def test_answers_that_break_off(self, litellm, agent, fault):
        """Whatever it makes of a broken stream, the request is sent once more."""
        with litellm.before(Turn(blocks=LONG, fault=fault)) as api:
            session = agent(litellm.peer)
            assert len(await session.candidates()) == 1
        assert len(api.messages) == 2
        assert "asking again" in session.said

    @pytest.mark.parametrize(
        ("turn", "ending"),
        [
            (Turn(blocks=LONG, stop_reason="max_tokens", cut_after=20), "truncated"),
            (Turn(blocks=(Text("No."),), stop_reason="refusal"), "refused"),
        ],
        ids=["cut", "refusal"],
    )
    async def test_answers_that_are_none(self, litellm, agent, turn, ending):
        """A cut call and a refusal keep their reason on the way, and are no patch."""
        with litellm.before(turn) as api:
            session = agent(litellm.peer)
            assert await session.candidates() == []
        assert session.fact("ending") == ending
        assert len(api.messages) == 1

"""Errors that came through a gateway, in the words that LiteLLM makes of them."""

from __future__ import annotations

import json

import pytest

from bonafix.errors import ServiceError
from bonafix.propose.claude import gateways
from bonafix.propose.claude.gateways import PassedOn
from tests.messages_api import Fault, Turn
from tests.propose.claude.playing import QUICK, playing

BEHIND = "LiteLLM: model group 'house' failed with the error above, in 30000 ms."


def wrapped(kind, words):
    """An error of the API as the gateway's own message."""
    error = {"type": "error", "error": {"type": kind, "message": words}}
    return f"litellm.SomeError: AnthropicException - {json.dumps(error)}\n\n{BEHIND}"


def refusal(status, kind, message, times=None):
    fault = Fault(
        kind="http", status=status, error_type=kind, message=message, times=times
    )
    return Turn(blocks=QUICK.blocks, fault=fault)


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (500, "overloaded_error", "the service is overloaded: try again later"),
        (401, "authentication_error", "the gateway itself was not let in"),
        (402, "billing_error", "the gateway's account has no credit"),
        (403, "permission_error", "the gateway's account may not use this model"),
        (400, "request_too_large", "keep large files out with the setting exclude"),
        (429, "rate_limit_error", "a rate limit of the account"),
    ],
)
async def test_advice_is_about_the_error_behind_the_gateway(
    tmp_path, status, kind, advice
):
    """Neither the gateway's status nor the user's key is to blame; the words are."""
    message = wrapped(kind, "Words of the API.")
    turn = refusal(status, "api_error", message)
    with (
        playing(turn, folder=tmp_path) as (_, session),
        pytest.raises(ServiceError, match=advice) as caught,
    ):
        await session.candidates()
    assert "Words of the API. (passed on by a gateway)" in str(caught.value)
    assert "litellm" not in str(caught.value).lower()
    assert "check ANTHROPIC_API_KEY" not in str(caught.value)


async def test_a_gateway_without_a_list_of_keys(tmp_path):
    """A wrong key is a 400 about a database there: the advice is about the key."""
    turn = refusal(400, "no_db_connection", "No connected db.")
    with (
        playing(turn, folder=tmp_path) as (api, session),
        pytest.raises(ServiceError, match="does not know the key: check ANTHROPIC_API"),
    ):
        await session.candidates()
    assert len(api.messages) == 1


async def test_a_form_is_corrected_by_the_words_behind_the_gateway(tmp_path):
    """Of the numbers in a refusal only the API's are limits, not the gateway's."""
    words = "max_tokens: 64000 > 8192, which is the maximum allowed"
    turn = refusal(400, "api_error", wrapped("invalid_request_error", words), times=1)
    with playing(turn, folder=tmp_path) as (api, session):
        assert len(await session.candidates()) == 1
    assert [seen.json["max_tokens"] for seen in api.messages][1:] == [8192]


async def test_a_gateway_cannot_read_so_much_either(tmp_path):
    """A conversation that is too long is told from a form that is refused."""
    words = "prompt is too long: 300000 tokens > 200000 maximum"
    turn = refusal(400, "api_error", wrapped("invalid_request_error", words))
    with playing(turn, folder=tmp_path) as (api, session):
        assert await session.candidates() == []
    assert session.fact("ending") == "truncated"
    assert len(api.messages) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (wrapped("api_error", "Oh."), PassedOn("api_error", "Oh.")),
        (wrapped("a", wrapped("b", "Within.")), PassedOn("b", "Within.")),
        ("{'model': 1} {} " + wrapped("a", "Later."), PassedOn("a", "Later.")),
        ("No connected db.", None),
        ('{"error": {"message": "no type"}} {"error": "no object"} {', None),
        ("{" * 30_000, None),
        ('{"a":' * 3000, None),
    ],
)
def test_what_is_passed_on(text, found):
    """The innermost error of the API, and nothing where there is none."""
    assert gateways.passed_on(text) == found

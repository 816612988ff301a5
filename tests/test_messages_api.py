"""The scripted server against the real SDK: the loop, each refusal, each fault."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import anthropic
import httpx2
import pytest

from tests.messages_api import (
    Conversation,
    Fault,
    MessagesApi,
    PrefixChangedError,
    Redacted,
    Script,
    Text,
    Thinking,
    ToolUse,
    Turn,
)

MODEL = "claude-opus-5-5"
TOOLS = [
    {
        "name": "add",
        "description": "Add two numbers. " + "Both must be whole. " * 120,
        "strict": True,
        "input_schema": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
            "additionalProperties": False,
        },
    },
    {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
]
LOOP = (
    Turn(
        blocks=(
            Thinking("Zwei Rechnungen: ½ + ½ …"),
            Redacted(),
            Text("Two sums."),
            ToolUse("add", {"a": 1, "b": 2}),
            ToolUse("add", {"a": 3, "b": 4}),
        )
    ),
    Turn(blocks=(Thinking(""), ToolUse("add", {"a": 3, "b": 7}))),
    Turn(blocks=(Thinking("Done."), Text("The sum is 10, naïvely."))),
)


def request(**changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "model": MODEL,
        "max_tokens": 4096,
        "system": "You add.",
        "tools": TOOLS,
        "messages": [{"role": "user", "content": "Add 1+2 and 3+4."}],
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "low"},
        "cache_control": {"type": "ephemeral"},
    }
    merged = {**base, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def client_for(api: MessagesApi, **options: object) -> anthropic.AsyncAnthropic:
    settings: dict[str, object] = {"api_key": "test", "timeout": 5.0, "max_retries": 2}
    # Reading the certificates costs most of a short test, and loopback has no TLS.
    plain = anthropic.DefaultAsyncHttpxClient(verify=False)
    return anthropic.AsyncAnthropic(
        base_url=api.url, http_client=plain, **{**settings, **options}
    )


async def ask(
    client: anthropic.AsyncAnthropic, body: Mapping[str, object]
) -> anthropic.types.Message:
    async with client.messages.stream(**body) as stream:
        return await stream.get_final_message()


def results(message: anthropic.types.Message) -> dict[str, object]:
    calls = [block for block in message.content if block.type == "tool_use"]
    return {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": call.id,
                "content": str(call.input["a"] + call.input["b"]),
            }
            for call in calls
        ],
    }


async def converse(
    client: anthropic.AsyncAnthropic, body: dict[str, object]
) -> list[anthropic.types.Message]:
    messages = list(body["messages"])
    answers = []
    while True:
        answer = await ask(client, {**body, "messages": messages})
        answers.append(answer)
        if answer.stop_reason != "tool_use":
            return answers
        messages.append({"role": "assistant", "content": answer.content})
        messages.append(results(answer))


@pytest.fixture
def api() -> AsyncIterator[MessagesApi]:
    with MessagesApi(Script.of(*LOOP)) as server:
        yield server


@pytest.fixture
async def client(api: MessagesApi) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with client_for(api) as made:
        yield made


class TestLoop:
    async def test_three_turns_with_thinking_and_parallel_tools(self, api, client):
        """Blocks come back whole, signatures hold, and every request only grows."""
        first, second, third = await converse(client, request())

        kinds = [block.type for block in first.content]
        assert kinds == [
            *("thinking", "redacted_thinking", "text", "tool_use", "tool_use")
        ]
        assert first.content[0].thinking == "Zwei Rechnungen: ½ + ½ …"
        assert second.content[0].thinking == ""
        assert third.content[-1].text == "The sum is 10, naïvely."
        assert len(api.messages) == 3
        api.assert_append_only()

    async def test_usage_shows_the_cache_and_hidden_thinking(self, client):
        """Later turns read their prefix from the cache; thinking counts as output."""
        first, second, _ = await converse(client, request())

        assert first.usage.cache_read_input_tokens == 0
        assert first.usage.cache_creation_input_tokens > 512
        assert second.usage.cache_read_input_tokens > 512
        assert first.usage.output_tokens_details.thinking_tokens > 0

    async def test_thinking_is_hidden_unless_it_is_asked_for(self, client):
        """Without display the block is empty yet signed, as on the 5.x models."""
        answer = await ask(client, request(thinking={"type": "adaptive"}))

        assert answer.content[0].thinking == ""
        assert answer.content[0].signature

    async def test_without_streaming_the_message_is_the_same(self, client):
        """A plain JSON answer carries the same blocks and stop reason."""
        answer = await client.messages.create(**request())

        assert answer.stop_reason == "tool_use"
        assert answer.content[3].input == {"a": 1, "b": 2}

    async def test_models_and_token_counts(self, client):
        """The SDK's own types read the catalogue and the count."""
        info = await client.models.retrieve(MODEL)
        listed = [model.id async for model in client.models.list()]
        body = request()
        del body["max_tokens"]
        count = await client.messages.count_tokens(**body)

        assert info.capabilities.thinking.types.adaptive.supported
        assert not info.capabilities.thinking.types.enabled.supported
        assert info.capabilities.effort.xhigh.supported
        assert "claude-haiku-4-5" in listed
        assert count.input_tokens > 100

    async def test_gateways_may_know_no_capabilities(self):
        """With `nulls` the catalogue answers as LiteLLM does."""
        with MessagesApi(Script.of(), nulls=True) as api:
            async with client_for(api) as client:
                info = await client.models.retrieve(MODEL)

        assert info.capabilities is None
        assert info.max_tokens is None

    async def test_conversations_are_told_apart(self):
        """Each first message, model and effort finds its own turns and position."""
        script = Script(
            (
                Conversation(
                    when="red", effort="low", turns=[Turn(blocks=[Text("r")])]
                ),
                Conversation(when="red", turns=[Turn(blocks=[Text("R")])]),
                Conversation(when="blue", turns=[_echo]),
            )
        )
        with MessagesApi(script) as api:
            async with client_for(api) as client:
                said = [
                    (await ask(client, request(messages=_user(word), **more)))
                    .content[0]
                    .text
                    for word, more in (
                        ("red", {}),
                        ("red", {"output_config": {"effort": "high"}}),
                        ("blue", {}),
                    )
                ]

        assert said == ["r", "R", "claude-opus-5-5"]


def _say(text: str) -> Turn:
    return Turn(blocks=[Text(text)])


def _echo(got: Mapping[str, object]) -> Turn:
    return Turn(blocks=[Text(str(got["model"]))])


def _user(text: str) -> list[dict[str, object]]:
    return [{"role": "user", "content": text}]


async def _first_exchange(client) -> list[dict[str, object]]:
    """The conversation after one turn, as plain JSON that a test can spoil."""
    body = request()
    answer = await ask(client, body)
    content = [json.loads(block.to_json()) for block in answer.content]
    assistant = {"role": "assistant", "content": content}
    return [*body["messages"], assistant, results(answer)]


def _edit_thinking(messages):
    messages[1]["content"][0]["thinking"] += "!"


def _drop_one_thinking(messages):
    del messages[1]["content"][0]


def _drop_all_thinking(messages):
    del messages[1]["content"][:2]


def _reorder_thinking(messages):
    content = messages[1]["content"]
    content[0], content[1] = content[1], content[0]


def _change_earlier_message(messages):
    messages[0]["content"] += " Please."


def _drop_a_result(messages):
    del messages[2]["content"][0]


def _text_before_results(messages):
    messages[2]["content"].insert(0, {"type": "text", "text": "Here:"})


def _invent_a_result(messages):
    extra = {"type": "tool_result", "tool_use_id": "toolu_no", "content": "1"}
    messages[2]["content"].append(extra)


def _repeat_a_result(messages):
    messages[2]["content"].append(messages[2]["content"][0])


def _leave_parsed_output(messages):
    messages[1]["content"][2]["parsed_output"] = None


def _drop_the_answer(messages):
    del messages[2]


class TestSpoiledHistory:
    @pytest.mark.parametrize(
        ("spoil", "text"),
        [
            (_edit_thinking, "messages.1.content.0: Invalid `signature` in `thinking`"),
            (_drop_one_thinking, "messages.1.content.0: Invalid `data`"),
            (_drop_all_thinking, "Expected `thinking` or `redacted_thinking`"),
            (_reorder_thinking, "bound to a different conversation"),
            (_change_earlier_message, "bound to a different conversation"),
            (_drop_a_result, "`tool_use` ids were found without `tool_result`"),
            (_text_before_results, "`tool_use` ids were found without `tool_result`"),
            (_invent_a_result, "unexpected `tool_use_id` found"),
            (_repeat_a_result, "single result"),
            (_leave_parsed_output, "parsed_output: Extra inputs are not permitted"),
            (_drop_the_answer, "does not support assistant message prefill"),
        ],
    )
    async def test_is_refused(self, client, spoil, text):
        """Whatever is edited, dropped or reordered gets its documented 400."""
        messages = await _first_exchange(client)
        spoil(messages)

        with pytest.raises(anthropic.BadRequestError) as caught:
            await ask(client, request(messages=messages))

        assert text in str(caught.value)
        assert caught.value.type == "invalid_request_error"

    @pytest.mark.parametrize("field", ["system", "tools"])
    async def test_includes_system_and_tools(self, client, field):
        """A later change of the frozen head breaks the signatures."""
        messages = await _first_exchange(client)
        changed = {"system": "You add well.", "tools": TOOLS[:1]}[field]

        with pytest.raises(anthropic.BadRequestError, match="different conversation"):
            await ask(client, request(messages=messages, **{field: changed}))

    async def test_allows_what_is_not_bound(self, client):
        """Effort, max_tokens and cache marks may change between turns."""
        messages = await _first_exchange(client)
        messages[2]["content"][-1]["cache_control"] = {"type": "ephemeral"}

        answer = await ask(
            client,
            request(
                messages=messages,
                max_tokens=9000,
                output_config={"effort": "high"},
                cache_control=None,
            ),
        )

        assert answer.stop_reason == "tool_use"

    async def test_is_found_by_the_recorder(self, api, client):
        """A rewritten first message is accepted without thinking, yet reported."""
        await ask(client, request())
        messages = [*_user("Other."), {"role": "assistant", "content": "Hm."}]
        await ask(client, request(messages=[*messages, *_user("Go on.")]))

        with pytest.raises(PrefixChangedError):
            api.assert_append_only()


OPEN_TOOL = {
    "name": "open",
    "strict": True,
    "input_schema": {"type": "object", "properties": {}},
}
BODIES = [
    ({"max_tokens": 200_000}, "maximum allowed number of output tokens"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        '"thinking.type.enabled" is not supported for this model',
    ),
    ({"thinking": {"type": "disabled"}}, "is not supported for this model"),
    ({"thinking": {"type": "between_tools"}}, "is not supported for this model"),
    ({"output_config": {"effort": "huge"}}, "output_config.effort"),
    ({"tool_choice": {"type": "any"}}, "tool_choice.type: 'any' is not supported"),
    ({"tools": [OPEN_TOOL]}, "must be explicitly set to false"),
    ({"tools": [TOOLS[0], TOOLS[0]]}, "Tool names must be unique"),
    ({"messages": [{"role": "assistant", "content": "x"}]}, "prefill"),
    ({"messages": [{"role": "user", "content": " "}]}, "must be non-empty"),
    (
        {
            "model": "claude-haiku-4-5",
            "output_config": None,
            "thinking": {"type": "enabled", "budget_tokens": 1023},
        },
        "greater than or equal to 1024",
    ),
    (
        {
            "model": "claude-haiku-4-5",
            "output_config": None,
            "thinking": {"type": "enabled", "budget_tokens": 4096},
        },
        "`max_tokens` must be greater than `thinking.budget_tokens`",
    ),
    (
        {"model": "claude-haiku-4-5", "thinking": None},
        "does not support the effort parameter",
    ),
    (
        {
            "model": "claude-sonnet-5-5",
            "thinking": {"type": "between_tools"},
            "output_config": {"effort": "max"},
        },
        "not supported when thinking.type is 'between_tools'",
    ),
    (
        {"model": "claude-opus-4-6", "output_config": {"effort": "xhigh"}},
        "'xhigh' is not supported",
    ),
]


class TestRefusals:
    @pytest.mark.parametrize(("changes", "text"), BODIES)
    async def test_bad_request(self, api, client, changes, text):
        """Each documented 400 arrives as BadRequestError and is not retried."""
        with pytest.raises(anthropic.BadRequestError) as caught:
            await ask(client, request(**changes))

        assert text in str(caught.value)
        assert len(api.messages) == 1

    @pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
    async def test_sampling_parameters(self, client, name):
        """They are gone from the SDK, and refused when they are forced through."""
        with pytest.raises(anthropic.BadRequestError) as caught:
            await ask(client, request(extra_body={name: 1}))

        assert f"{name}: Extra inputs are not permitted" in str(caught.value)

    async def test_forms_that_older_models_take(self, client):
        """A budget is fine where the table says so."""
        answer = await ask(
            client,
            request(
                model="claude-haiku-4-5",
                output_config=None,
                thinking={"type": "enabled", "budget_tokens": 1024},
            ),
        )

        assert answer.content[0].type == "thinking"

    async def test_unknown_model(self, client):
        """A model that does not exist is a 404."""
        with pytest.raises(anthropic.NotFoundError):
            await ask(client, request(model="claude-9"))

    async def test_wrong_key(self, api):
        """A key that is not accepted is a 401, in either header."""
        async with client_for(api, api_key="no") as client:
            with pytest.raises(anthropic.AuthenticationError):
                await ask(client, request())

    def test_no_key_and_no_version(self, api):
        """Without credentials 401; without anthropic-version 400."""
        body = request(stream=True)
        address = api.url + "/v1/messages"

        bare = httpx2.post(address, json=body)
        unversioned = httpx2.post(address, json=body, headers={"x-api-key": "test"})

        assert bare.status_code == 401
        assert unversioned.status_code == 400
        assert "anthropic-version" in unversioned.text

    async def test_script_that_is_over(self, client):
        """A turn that nobody wrote is an error that names the script."""
        messages = [*_user("a"), {"role": "assistant", "content": "b"}, *_user("c")]
        messages = [*messages, *messages[1:], *messages[1:]]
        with pytest.raises(anthropic.BadRequestError, match="has no turn 3"):
            await ask(client, request(messages=messages))


async def _faulty(
    fault: Fault, **options: object
) -> tuple[anthropic.types.Message, MessagesApi]:
    played = Turn(blocks=LOOP[0].blocks, fault=fault)
    with MessagesApi(Script.of(played)) as api:
        async with client_for(api, **options) as client:
            return await ask(client, request()), api


STATUSES = [
    (401, "authentication_error", anthropic.AuthenticationError),
    (402, "billing_error", anthropic.PaymentRequiredError),
    (403, "permission_error", anthropic.PermissionDeniedError),
    (404, "not_found_error", anthropic.NotFoundError),
    (413, "request_too_large", anthropic.ContentTooLargeError),
    (429, "rate_limit_error", anthropic.RateLimitError),
    (500, "api_error", anthropic.InternalServerError),
    (529, "overloaded_error", anthropic.OverloadedError),
]


class TestFaults:
    @pytest.mark.parametrize(("status", "kind", "expected"), STATUSES)
    async def test_http_status(self, status, kind, expected):
        """Each status becomes the SDK's exception of that name."""
        fault = Fault(kind="http", status=status, error_type=kind, times=None)
        with pytest.raises(expected) as caught:
            await _faulty(fault, max_retries=0)
        assert caught.value.type == kind

    async def test_overloaded_then_fine(self):
        """Two 529 are retried by the SDK, which says so in a header."""
        answer, api = await _faulty(Fault(kind="http", times=2))

        assert answer.stop_reason == "tool_use"
        counts = [seen.headers["x-stainless-retry-count"] for seen in api.messages]
        assert counts == ["0", "1", "2"]
        assert [seen.status for seen in api.messages] == [529, 529, 200]

    async def test_retry_after_is_honoured(self):
        """A 429 with retry-after makes the SDK wait that long."""
        fault = Fault(
            kind="http", status=429, error_type="rate_limit_error", retry_after=1
        )
        start = time.monotonic()
        await _faulty(fault)
        assert time.monotonic() - start >= 0.9

    @pytest.mark.parametrize("where", [{"after_block": 1}, {"after_bytes": 700}])
    async def test_disconnect(self, where):
        """A cut connection is a raw transport error, without a retry."""
        with pytest.raises(httpx2.RemoteProtocolError):
            await _faulty(Fault(kind="disconnect", **where))

    async def test_truncated_body(self):
        """A body that just ends raises nothing: the stop reason is missing."""
        answer, _ = await _faulty(Fault(kind="truncate", after_block=2))

        assert answer.stop_reason is None
        assert [block.type for block in answer.content][-1] == "text"

    async def test_error_event(self):
        """An error inside the stream is a status error with status 200."""
        with pytest.raises(anthropic.APIStatusError) as caught:
            await _faulty(Fault(kind="sse_error", after_block=0))

        assert caught.value.status_code == 200
        assert caught.value.type == "overloaded_error"
        assert not isinstance(caught.value, anthropic.OverloadedError)

    async def test_stall(self):
        """Silence beyond the read time-out is a raw ReadTimeout."""
        with pytest.raises(httpx2.ReadTimeout):
            await _faulty(Fault(kind="stall", seconds=3), timeout=0.3)

    async def test_short_stall_and_drip(self):
        """A slow body arrives whole."""
        stalled, _ = await _faulty(Fault(kind="stall", seconds=0.2))
        dripped, _ = await _faulty(Fault(kind="drip", size=64, seconds=0.4))

        assert stalled.stop_reason == dripped.stop_reason == "tool_use"

    async def test_empty_body(self):
        """A stream without message_start trips an assertion in the SDK."""
        with pytest.raises(AssertionError):
            await _faulty(Fault(kind="empty", status=200))

    async def test_malformed_event(self):
        """Broken JSON in an event is a plain JSON error."""
        with pytest.raises(json.JSONDecodeError):
            await _faulty(Fault(kind="malformed", after_block=0))

    async def test_page_of_a_proxy(self):
        """An HTML page with a 502 has no error type."""
        with pytest.raises(anthropic.InternalServerError) as caught:
            await _faulty(Fault(kind="html", status=502), max_retries=0)
        assert caught.value.type is None

    async def test_page_of_a_proxy_with_status_200(self):
        """A page with status 200 is a stream without any event."""
        with pytest.raises(AssertionError):
            await _faulty(Fault(kind="html", status=200), max_retries=0)


class TestStopReasons:
    async def test_refusal(self):
        """A refusal is an ordinary message with details."""
        details = {"type": "refusal", "category": "cyber", "explanation": "no"}
        turn = Turn(blocks=[Text("I")], stop_reason="refusal", stop_details=details)
        with MessagesApi(Script.of(turn)) as api:
            async with client_for(api) as client:
                answer = await ask(client, request())

        assert answer.stop_reason == "refusal"
        assert answer.stop_details.category == "cyber"

    async def test_cut_inside_a_tool_call(self):
        """max_tokens leaves a tool call with half its input, and nobody says so."""
        turn = Turn(
            blocks=[ToolUse("add", {"a": 1, "b": 2})],
            stop_reason="max_tokens",
            cut_after=8,
        )
        with MessagesApi(Script.of(turn)) as api:
            async with client_for(api) as client:
                answer = await ask(client, request())

        assert answer.stop_reason == "max_tokens"
        assert answer.content[0].input == {"a": 1}

    async def test_unknown_reason(self):
        """A stop reason from the future is passed through."""
        turn = Turn(blocks=[Text("x")], stop_reason="moon_phase")
        with MessagesApi(Script.of(turn)) as api:
            async with client_for(api) as client:
                answer = await ask(client, request())

        assert answer.stop_reason == "moon_phase"


def test_as_a_program(tmp_path: Path):
    """The program prints its URL, serves, and ends with its standard input."""
    turns = [
        {
            "blocks": [{"type": "text", "text": "hello"}],
            "fault": {"kind": "http", "times": 1},
        }
    ]
    script = tmp_path / "script.json"
    script.write_text(json.dumps(turns), encoding="utf-8")
    record = tmp_path / "record.json"
    program = [sys.executable, "-m", "tests.messages_api", "--script", str(script)]
    with subprocess.Popen(
        [*program, "--record", str(record)],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        url = process.stdout.readline().strip()
        with (
            anthropic.Anthropic(base_url=url, api_key="test") as client,
            client.messages.stream(**request()) as stream,
        ):
            text = stream.get_final_text()
        process.communicate(timeout=10)

    assert text == "hello"
    assert process.returncode == 0
    assert [seen["status"] for seen in json.loads(record.read_text())] == [529, 200]

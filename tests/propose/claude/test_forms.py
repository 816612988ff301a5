"""Every setting of thinking to every model, through the SDK, against the rules.

The loopback server refuses what the API refuses. No refusal may reach the user,
whatever the table, the endpoint or a gateway says about the model; and what was
refused once is not sent again.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import anthropic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bonafix.propose.claude import frozen, models, protocol
from bonafix.propose.claude.models import LEVELS, Model
from bonafix.propose.claude.protocol import Learned, Say, Start
from bonafix.propose.claude.speaker import Speaker
from tests.messages_api import MessagesApi, Script, Text, Thinking, Turn
from tests.messages_api.catalogue import (
    GATEWAY,
    MODELS,
    THINKING_TYPES,
    model_info,
    rules_of,
)

SETTINGS = ("off", *LEVELS, "1", "30000", "900000")
ALIASES = {f"our-{name}": name for name in MODELS}
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
TURN = Turn(blocks=(Thinking("Well."), Text("{}")))
WORKING = {
    "system": frozen.SYSTEM,
    "tools": list(frozen.TOOLS),
    "cache_control": {"type": "ephemeral"},
}
ASKING = {
    "system": "You read.",
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
}

# The SDK warns of old models and old forms; the table knows both.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The model:DeprecationWarning", "ignore:Using Claude with:UserWarning"
)


@pytest.fixture
def api() -> Iterator[MessagesApi]:
    with MessagesApi(Script.of(TURN)) as server:
        server.aliases = dict(ALIASES)
        yield server


@pytest.fixture
async def client(api: MessagesApi) -> AsyncIterator[anthropic.AsyncAnthropic]:
    # Reading the certificates costs most of a short test, and loopback has no TLS.
    plain = anthropic.DefaultAsyncHttpxClient(verify=False)
    async with anthropic.AsyncAnthropic(
        api_key="test", base_url=api.url, http_client=plain, max_retries=0
    ) as made:
        yield made


class Talk:
    """One conversation's request, and what its speaker told."""

    def __init__(self, model: Model, setting: str, *, once: bool) -> None:
        kind = ASKING if once else WORKING
        self.request = {
            **kind,
            "model": model.id,
            "messages": [{"role": "user", "content": "Look. " * 200}],
        }
        self.model = model
        self.setting = setting
        self.once = once
        self.notes: list[str] = []

    async def answer(self, client: anthropic.AsyncAnthropic) -> str:
        start = Start(
            request=self.request,
            once=self.once,
            model=self.model,
            thinking=self.setting,
            usd=1000.0,
            tokens=10_000_000,
            until=time.time() + 60,
        )
        # Both ways over the wire between the processes.
        there = protocol.load(protocol.dump(start))
        assert there == start
        speaker = Speaker(there, client, self.hear)
        await speaker.prepare()
        room = speaker.meter.room(2000)
        return (await speaker.ask({**self.request, "max_tokens": room})).text

    def hear(self, record: protocol.FromWorker) -> None:
        match protocol.load(protocol.dump(record)):
            case Learned(model=model):
                self.model = model
            case Say(kind="note", text=text):
                self.notes.append(text)


def refusals(api: MessagesApi) -> list[str]:
    return [seen.problem for seen in api.messages if seen.status == 400]


async def asked_twice(
    api: MessagesApi, client: anthropic.AsyncAnthropic, model: Model, setting: str
) -> Talk:
    """A conversation, then a question with what was learned: nothing is repeated.

    What only questions send, a form of output, may be refused once more.
    """
    talk = Talk(model, setting, once=False)
    assert await talk.answer(client) == "{}"
    corrections = len(refusals(api))
    question = Talk(talk.model, setting, once=True)
    assert await question.answer(client) == "{}"
    format_only = refusals(api)[corrections:]
    assert all("output_config" in problem for problem in format_only)
    return talk


class TestEveryModel:
    @pytest.mark.parametrize("name", sorted(MODELS))
    @pytest.mark.parametrize("tells", [True, False], ids=["told", "table"])
    async def test_of_the_table(self, api, client, name, tells):
        """No refusal at all: the table and the endpoint both know the model."""
        api.missing = frozenset() if tells else frozenset({"models", "count_tokens"})
        for setting in SETTINGS:
            await asked_twice(api, client, models.lookup(name), setting)
        assert refusals(api) == []

    @pytest.mark.parametrize("name", sorted(GATEWAY))
    async def test_behind_a_gateway_that_tells(self, api, client, name):
        """Unlisted, but with capabilities: only fields unknown to it are refused."""
        unknown = GATEWAY[name].unknown
        for setting in SETTINGS:
            await asked_twice(api, client, models.lookup(name), setting)
        assert all(
            any(path in problem for path in unknown) for problem in refusals(api)
        )

    @pytest.mark.parametrize("name", sorted([*GATEWAY, *ALIASES]))
    async def test_of_which_nothing_is_known(self, api, client, name):
        """Neither table nor endpoint know it: the refusals alone lead to an answer."""
        api.missing = frozenset({"models", "count_tokens"})
        for setting in SETTINGS:
            await asked_twice(api, client, models.lookup(name), setting)


class TestWhatIsToldCounts:
    async def test_an_unlisted_model_gets_the_form_that_its_endpoint_names(
        self, api, client
    ):
        """Without the answer there would be a refusal, and effort `max` would be lost.

        The table's row for unknown models knows no effort above high.
        """
        api.told["our-claude-opus-5"] = model_info("claude-opus-5")
        talk = Talk(models.lookup("our-claude-opus-5"), "max", once=False)
        await talk.answer(client)
        assert [seen.json["output_config"]["effort"] for seen in api.messages] == [
            "max"
        ]

    async def test_a_listed_model_too(self, api, client):
        """The endpoint knows better than a table that is older than its model."""
        info = model_info("claude-haiku-4-5")
        api.told["claude-opus-5-5"] = {**info, "max_tokens": 9000}
        api.aliases["claude-opus-5-5"] = "claude-haiku-4-5"
        talk = Talk(models.lookup("claude-opus-5-5"), "high", once=False)
        await talk.answer(client)
        (seen,) = api.messages
        assert seen.status == 200
        assert seen.json["thinking"]["type"] == "enabled"
        assert seen.json["max_tokens"] == 9000

    async def test_it_is_asked_once(self, api, client):
        """The second conversation knows what the first one was told."""
        talk = await asked_twice(api, client, models.lookup("plain"), "low")
        looked = [seen for seen in api.requests if "/v1/models/" in seen.path]
        assert len(looked) == 1
        assert talk.model.max_tokens == 8192

    async def test_a_model_that_does_not_think(self, api, client):
        """It is used all the same, and the user is told."""
        talk = Talk(models.lookup("plain"), "medium", once=False)
        await talk.answer(client)
        assert "thinking" not in api.messages[0].json
        assert any("cannot be asked to think" in note for note in talk.notes)

    async def test_display_alone_is_refused(self, api, client):
        """Adaptive thinking stays; only its summary cannot be asked for."""
        await Talk(models.lookup("no-display"), "high", once=False).answer(client)
        assert api.messages[-1].json["thinking"] == {"type": "adaptive"}
        assert api.messages[-1].json["output_config"] == {"effort": "high"}

    async def test_a_form_of_output_in_words(self, api, client):
        """Where the field is not taken, the schema is in the system prompt."""
        await Talk(models.lookup("no-format"), "high", once=True).answer(client)
        last = api.messages[-1].json
        assert last["output_config"] == {"effort": "high"}
        assert '"additionalProperties": false' in last["system"]

    async def test_the_context_bounds_the_answer(self, api, client):
        """Prompt and answer together fit into what the model can hold."""
        talk = Talk(models.lookup("small-context"), "off", once=False)
        api.missing = frozenset({"models"})
        talk.request["messages"][0]["content"] = "word " * 12_000
        await talk.answer(client)
        assert any("exceed context limit" in problem for problem in refusals(api))
        assert talk.model.context == 40_000
        assert api.messages[-1].json["max_tokens"] < 40_000 - 12_000


SUPPORTED = st.sampled_from([{"supported": True}, {"supported": False}, None])
TYPES = st.none() | st.dictionaries(st.sampled_from(THINKING_TYPES), SUPPORTED)
EFFORT = st.none() | st.dictionaries(st.sampled_from(LEVELS), SUPPORTED)
CAPABILITIES = st.fixed_dictionaries(
    {"thinking": st.fixed_dictionaries({"types": TYPES}), "effort": EFFORT}
)
LIES = st.fixed_dictionaries(
    {
        "type": st.just("model"),
        "created_at": st.none(),
        "lifecycle": st.sampled_from(["active", "retired", None]),
        "capabilities": st.none() | CAPABILITIES,
        "max_tokens": st.sampled_from([None, 0, 4096, 64_000, 1_000_000, "many"]),
        "max_input_tokens": st.sampled_from([None, -1, 32_000, 10_000_000]),
    }
)
"""What an endpoint may invent about a model."""


class TestLies:
    @settings(
        max_examples=80,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        name=st.sampled_from(sorted([*MODELS, *GATEWAY, *ALIASES])),
        setting=st.sampled_from(SETTINGS),
        lie=LIES,
    )
    async def test_an_endpoint_that_lies(self, api, client, name, setting, lie):
        """Whatever it says about its model, the user gets an answer."""
        api.told = {name: lie}
        api.requests.clear()
        await asked_twice(api, client, models.lookup(name), setting)


def test_the_server_and_the_table_agree_on_who_there_is():
    """A model in one of them alone would not be tested here."""
    assert set(MODELS) == set(models._table().models)
    assert rules_of("our-claude-opus-5") is None

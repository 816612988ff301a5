"""Questions to the model: their form, their cost, and how they fail."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from dataclasses import replace

import pytest

from bonafix.calls import Question
from bonafix.config import Config
from bonafix.propose.claude.asking import LONGEST_QUESTION, asker
from bonafix.propose.claude.budget import Purse
from bonafix.propose.claude.process import open_worker
from bonafix.propose.claude.schema import misfit
from tests.messages_api import Fault, MessagesApi, Script, Text, Thinking, Turn
from tests.propose.claude.cases import SOURCES, near_worker, task

SCHEMA = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": ["right", "wrong"]},
        "lines": {"type": "array", "items": {"type": "integer"}},
        "sure": {"type": "boolean"},
    },
    "required": ["verdict", "lines", "sure"],
    "additionalProperties": False,
}
FOUND = {"verdict": "wrong", "lines": [3, 4], "sure": True}
QUESTION = Question(name="reader", system="You read.", user="Look.", schema=SCHEMA)


def said(value=FOUND, **options):
    return Turn(blocks=(Thinking("Well."), Text(json.dumps(value))), **options)


@contextlib.contextmanager
def asking(*turns, folder, connect=near_worker, sources=SOURCES, purse=None, **given):
    """A server with a script, and one who asks it."""
    environment = {**os.environ, "ANTHROPIC_API_KEY": "test", **given.pop("env", {})}
    with MessagesApi(Script.of(*turns)) as api:
        config = Config(**{"base_url": api.url, "thinking": "low", **given})
        snapshot = task(folder, sources).snapshot
        yield (
            api,
            asker(config, snapshot, environment, purse=purse, connect=connect),
        )


class TestForm:
    async def test_an_answer_in_its_form(self, tmp_path):
        """Thinking as configured, the schema as an output format, and no tool."""
        with asking(said(), folder=tmp_path) as (api, ask):
            answer = await ask(QUESTION)
        assert answer.found == FOUND
        assert answer.error == ""
        assert answer.model == "claude-opus-5-5"
        (seen,) = api.messages
        assert seen.json["thinking"]["type"] == "adaptive"
        assert seen.json["output_config"]["effort"] == "low"
        assert seen.json["output_config"]["format"]["schema"] == SCHEMA
        assert not {"tools", "tool_choice"} & set(seen.json)
        assert [m["role"] for m in seen.json["messages"]] == ["user"]

    @pytest.mark.parametrize(
        "model", ["claude-haiku-5-5", "claude-opus-4-5", "claude-haiku-4-5"]
    )
    @pytest.mark.parametrize("thinking", ["off", "high", "9000"])
    async def test_every_form_of_thinking(self, tmp_path, model, thinking):
        """No model gets a form that it refuses, whatever the user's setting."""
        with asking(said(), folder=tmp_path, model=model, thinking=thinking) as (
            api,
            ask,
        ):
            assert (await ask(QUESTION)).found == FOUND
        assert [seen.status for seen in api.messages] == [200]

    async def test_each_question_is_a_context_of_its_own(self, tmp_path):
        """The second question carries nothing of the first."""
        with asking(said(), folder=tmp_path) as (api, ask):
            await ask(QUESTION)
            await ask(replace(QUESTION, user="Something else."))
        first, second = (seen.json["messages"] for seen in api.messages)
        assert len(first) == len(second) == 1
        assert "Look." not in json.dumps(second)

    async def test_the_same_question_is_paid_once(self, tmp_path):
        """Its answer is known, and costs nothing more."""
        with asking(said(), folder=tmp_path) as (api, ask):
            first, second = await ask(QUESTION), await ask(QUESTION)
        assert first.found == second.found == FOUND
        assert len(api.messages) == 1
        assert first.cost.usd > 0 == second.cost.usd

    async def test_secrets_are_not_sent(self, tmp_path):
        """Neither from the environment nor from the project's .env file."""
        sources = {**SOURCES, ".env": b"DB=postgres://me:hunter2hunter@db/x\n"}
        user = "password hunter2hunter in postgres://me:hunter2hunter@db/x tok-4711-xy"
        with asking(
            *(said(),),
            folder=tmp_path,
            sources=sources,
            env={"SERVICE_TOKEN": "tok-4711-xy"},
        ) as (api, ask):
            await ask(replace(QUESTION, user=user))
        body = api.messages[0].body
        assert b"[redacted]" in body
        assert b"4711" not in body
        assert b"@db/x" not in body


class TestMoney:
    async def test_the_purse_is_shared(self, tmp_path):
        """What a question costs is missing for everyone else, in the same unit."""
        purse = Purse(1.0, 50_000)
        with asking(said(), folder=tmp_path, purse=purse) as (_, ask):
            answer = await ask(QUESTION)
        assert answer.cost.requests == 1
        assert purse.usd == pytest.approx(1.0 - answer.cost.usd)
        assert purse.tokens < 50_000

    async def test_an_empty_purse_asks_nothing(self, tmp_path):
        """No request leaves when the budget is used up."""
        with asking(said(), folder=tmp_path, purse=Purse(0.0, 0)) as (api, ask):
            answer = await ask(QUESTION)
        assert api.requests == []
        assert answer.found is None
        assert "budget" in answer.error

    async def test_too_little_for_an_answer(self, tmp_path):
        """A request that could cost more than what is left is not made."""
        with asking(said(), folder=tmp_path, max_cost=0.01) as (api, ask):
            answer = await ask(QUESTION)
        assert api.messages == []
        assert "budget" in answer.error

    async def test_too_long_a_question(self, tmp_path):
        """Nobody pays for a question that is larger than any of ours."""
        with asking(said(), folder=tmp_path) as (api, ask):
            answer = await ask(replace(QUESTION, user="x" * (LONGEST_QUESTION + 1)))
        assert api.requests == []
        assert "too much" in answer.error


class TestFailures:
    @pytest.mark.parametrize(
        ("turn", "words"),
        [
            (said(stop_reason="refusal"), "declined"),
            (said(stop_reason="max_tokens"), "cut off"),
            (Turn(blocks=()), "answer was empty"),
            (Turn(blocks=[Text("I think it is right.")]), "not the JSON"),
            (said({**FOUND, "verdict": "maybe"}), "none of the choices"),
            (said({"verdict": "right", "lines": []}), "lacks 'sure'"),
            (said([FOUND]), "no object"),
            (said(fault=Fault(kind="html", status=403)), "may not use this model"),
            (
                said(fault=Fault(kind="http", status=402, error_type="billing_error")),
                "no credit",
            ),
            (said(fault=Fault(kind="malformed", times=None)), "after 3 attempts"),
        ],
        ids=[
            *("refusal", "truncated", "empty", "prose", "choice", "key", "list"),
            *("proxy", "billing", "malformed"),
        ],
    )
    async def test_trouble_is_an_answer(self, tmp_path, turn, words):
        """It says what was wrong, has nothing found, and raises nothing."""
        with asking(turn, folder=tmp_path) as (_, ask):
            answer = await ask(QUESTION)
        assert answer.found is None
        assert words in answer.error

    async def test_what_failed_has_cost_something(self, tmp_path):
        """A declined answer is paid for like any other."""
        purse = Purse(1.0, 50_000)
        turn = said(stop_reason="refusal")
        with asking(turn, folder=tmp_path, purse=purse) as (_, ask):
            answer = await ask(QUESTION)
        assert answer.cost.usd > 0
        assert purse.usd < 1.0

    async def test_broken_streams_are_asked_again(self, tmp_path):
        """A cut costs a repetition; the answer comes all the same."""
        turn = said(fault=Fault(kind="disconnect", after_block=0))
        with asking(turn, folder=tmp_path) as (api, ask):
            answer = await ask(QUESTION)
        assert answer.found == FOUND
        assert len(api.messages) == answer.cost.requests == 2

    async def test_no_credentials(self, tmp_path):
        """Without credentials nothing is tried."""
        with MessagesApi(Script.of(said())) as api:
            config = Config(base_url=api.url)
            snapshot = task(tmp_path).snapshot
            answer = await asker(config, snapshot, {"HOME": str(tmp_path)})(QUESTION)
        assert api.requests == []
        assert "no credentials" in answer.error

    async def test_nobody_listens(self, tmp_path):
        """A service that cannot be reached is an error of the answer."""
        with asking(said(), folder=tmp_path) as (_, ask):
            pass
        assert "cannot be reached" in (await ask(QUESTION)).error


class TestProcess:
    async def test_a_worker_of_its_own(self, tmp_path):
        """The SDK lives in a process, which is gone with the answer."""
        with asking(said(), folder=tmp_path, connect=open_worker) as (_, ask):
            assert (await ask(QUESTION)).found == FOUND

    async def test_time_is_bounded(self, tmp_path):
        """An answer that does not come in its time is an error."""
        turn = said(fault=Fault(kind="stall", after_block=0, seconds=25.0))
        with asking(turn, folder=tmp_path) as (_, ask):
            answer = await ask(replace(QUESTION, seconds=1.0))
        assert answer.found is None
        assert "time" in answer.error

    async def test_cancelling_ends_the_worker(self, tmp_path):
        """A cancel while the model speaks leaves no process and no connection."""
        turn = said(fault=Fault(kind="stall", after_block=0, seconds=25.0))
        workers = []

        @contextlib.asynccontextmanager
        async def watched(environment):
            async with open_worker(environment) as worker:
                workers.append(worker)
                yield worker

        with asking(turn, folder=tmp_path, connect=watched) as (api, ask):
            asked = asyncio.create_task(ask(QUESTION))
            await asyncio.to_thread(api.asked.wait, 60)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
        (worker,) = workers
        assert worker._process.returncode is not None


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (FOUND, ""),
        ({**FOUND, "lines": [True]}, "an item of lines is not of type integer"),
        ({**FOUND, "lines": "34"}, "lines is no list"),
        ({**FOUND, "more": 1}, "the unknown key 'more'"),
        ({**FOUND, "sure": 1}, "sure is not of type boolean"),
    ],
)
def test_what_does_not_fit_is_named(value, why):
    """A gateway may send anything; only what fits the schema is used."""
    found = misfit(value, SCHEMA)
    assert why in found
    assert bool(found) == bool(why)

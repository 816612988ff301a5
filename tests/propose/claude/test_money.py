"""What is learned is shared, what is asked is measured, what is left is what counts."""

from __future__ import annotations

import contextlib

import pytest

from bonafix.calls import Question
from bonafix.propose.claude import asker, models
from bonafix.propose.claude.budget import Purse
from tests.messages_api import MessagesApi, Script, Text, Thinking, Turn
from tests.messages_api.catalogue import GATEWAY, model_info
from tests.propose.claude.cases import Verdicts, near_worker, task
from tests.propose.claude.playing import QUICK, Session, edit, playing, view

SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
QUESTION = Question(name="reader", system="You read.", user="Look.", schema=SCHEMA)
LOOKED_UP = "/v1/models/"
COUNTED = "/v1/messages/count_tokens"


def paths(api: MessagesApi, part: str) -> list[str]:
    return [seen.path for seen in api.requests if part in seen.path]


def statuses(api: MessagesApi) -> list[int]:
    return [seen.status for seen in api.messages]


async def repair(session: Session) -> None:
    """One candidate, from whatever proposer comes next."""
    assert len(await session.candidates()) == 1


async def ask(session: Session, **options: object) -> str:
    """One question, by an asker of its own; the error, if there is one."""
    given = {"connect": near_worker, "listen": session.events.append, **options}
    snapshot = task(session.folder).snapshot
    wanted = asker(session.config, snapshot, session.environment, **given)
    return (await wanted(QUESTION)).error


class TestMemory:
    async def test_a_limit_that_was_looked_up_holds_for_everyone(self, tmp_path):
        """A second proposer and an asker do not ask for more than the model gives."""
        play = {"folder": tmp_path, "model": "plain", "max_cost": 100.0}
        with playing(QUICK, **play) as (api, session):
            await repair(session)
            await repair(session)
            await ask(session)
        assert statuses(api) == [200, 200, 200]
        limit = GATEWAY["plain"].max_tokens
        assert [seen.json["max_tokens"] for seen in api.messages] == [limit] * 3
        assert len(paths(api, LOOKED_UP)) == 1

    async def test_a_refusal_teaches_everyone(self, tmp_path):
        """What one conversation was refused, no other is refused again."""
        play = {"folder": tmp_path, "model": "adaptive-8k"}
        with playing(QUICK, **play) as (api, session):
            api.missing = frozenset({"models", "count_tokens"})
            await ask(session)
            await repair(session)
            await repair(session)
        assert statuses(api) == [400, 200, 200, 200]

    async def test_another_endpoint_has_taught_nothing(self, tmp_path):
        """The same name may be another model elsewhere: it is asked about again."""
        for model in ("claude-haiku-4-5", "claude-opus-5-5"):
            with playing(QUICK, folder=tmp_path, model="ours") as (api, session):
                api.aliases["ours"] = model
                api.told["ours"] = model_info(model)
                await repair(session)
            assert statuses(api) == [200]
            assert len(paths(api, LOOKED_UP)) == 1


class TestEstimate:
    async def test_the_first_message_is_counted_once(self, tmp_path):
        """The endpoint's own number is shown, before anything is paid for."""
        turns = (Turn(blocks=(view(),)), QUICK)
        with playing(*turns, folder=tmp_path) as (api, session):
            await repair(session)
        assert len(paths(api, COUNTED)) == 1
        kinds = [seen.path for seen in api.requests]
        assert kinds.index(COUNTED) < kinds.index("/v1/messages")
        tokens = api.messages[0].json
        assert {"system", "tools", "messages"} <= set(tokens)
        (line,) = [e.text for e in session.events if e.text.startswith("asking ")]
        assert "about $" in line
        assert f"prices of {models.price_date()}" in line
        assert "low: about" not in line

    async def test_without_a_count_it_is_an_estimate(self, tmp_path):
        """It says so; and who offers no count is not asked for one again."""
        with playing(QUICK, folder=tmp_path) as (api, session):
            api.missing = frozenset({"models", "count_tokens"})
            await repair(session)
            await repair(session)
        assert "thinking low: about " in session.said
        assert f"from the table of {models.table_date()}" in session.said
        assert len(paths(api, COUNTED)) == len(paths(api, LOOKED_UP)) == 1

    async def test_at_most_is_what_is_left(self, tmp_path):
        """The second repair of a run is promised what the first one left."""
        with playing(QUICK, folder=tmp_path, max_cost=0.9) as (_, session):
            propose = session.proposer()
            for _ in range(2):
                stream = propose(
                    task(tmp_path), session.runner, Verdicts(), session.events.append
                )
                async with contextlib.aclosing(stream):
                    assert len([candidate async for candidate in stream]) == 1
        lines = [e.text for e in session.events if e.text.startswith("asking ")]
        assert "at most $0.90" in lines[0]
        assert "at most $0.8" in lines[1]

    async def test_questions_are_not_counted(self, tmp_path):
        """Nobody sees their estimate, so they cost one request each."""
        answer = Turn(blocks=(Thinking("Well."), Text("{}")))
        with MessagesApi(Script.of(answer)) as api:
            session = Session(api, tmp_path)
            assert await ask(session) == ""
            assert await ask(session) == ""
        assert paths(api, COUNTED) == []
        assert len(api.messages) == 2


class TestWords:
    async def test_money_that_shortens_an_answer_is_named_once(self, tmp_path):
        """A short answer may be cut off: the user learns why, and by what setting."""
        looks = [Turn(blocks=(view(),))] * 3
        with playing(*looks, QUICK, folder=tmp_path, max_cost=0.3) as (api, session):
            await repair(session)
        assert all(seen.json["max_tokens"] < 16_384 for seen in api.messages)
        assert session.said.count("what is left of the money allows") == 1

    async def test_a_model_that_retires(self, tmp_path):
        """Its last day is told, from the table or from the endpoint."""
        model = "claude-opus-5-5"
        info = {**model_info(model), "retires_at": "2027-03-01T00:00:00Z"}
        with playing(QUICK, folder=tmp_path) as (api, session):
            api.told[model] = info
            await repair(session)
            await repair(session)
        assert session.said.count(f"{model} retires on 2027-03-01") == 1

    @pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
    async def test_a_deprecation_that_only_the_sdk_knows(self, tmp_path):
        """An endpoint that says nothing about it leaves the table's day."""
        model = "claude-sonnet-4-5"
        with playing(QUICK, folder=tmp_path, model=model) as (api, session):
            api.missing = frozenset({"models"})
            await repair(session)
        assert "claude-sonnet-4-5 retires on 2026-11-30" in session.said

    async def test_a_cost_that_is_unknown_is_never_zero(self, tmp_path):
        """Not of the candidate, not of a question, and not where both are added."""
        purse = Purse(1.0, 100_000)
        with playing(QUICK, folder=tmp_path, model="adaptive-8k") as (_, session):
            (candidate,) = await session.candidates()
            await ask(session, purse=purse)
        assert candidate.cost.usd is None
        assert session.fact("cost").usd is None
        assert "cost unknown" in session.said
        assert (purse.usd, purse.tokens < 100_000) == (1.0, True)

    async def test_cheap_is_a_choice(self, tmp_path):
        """The word stands for the table's cheap model, on the wire and in receipts."""
        turn = Turn(blocks=(edit(), *QUICK.blocks[1:]))
        with playing(turn, folder=tmp_path, model="cheap") as (api, session):
            (candidate,) = await session.candidates()
        assert api.messages[0].json["model"] == models.cheap_model()
        assert candidate.model == models.cheap_model()

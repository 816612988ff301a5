"""Each cap, per failure and per run, holds where it is the one that is reached."""

from __future__ import annotations

import contextlib

import pytest

from bonafix.calls import Question
from bonafix.domain import Feedback, Verdict
from bonafix.propose.claude import Purse, asker, proposer, purse_of
from tests.messages_api import Text, Thinking, Turn
from tests.propose.claude.cases import Verdicts, near_worker, task
from tests.propose.claude.playing import QUICK, Session, playing, view

LOOKS = [Turn(blocks=(Thinking("x" * 4000), view()))] * 40
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
QUESTION = Question(name="reader", system="You read.", user="Look.", schema=SCHEMA)
REFUSED = Feedback(verdict=Verdict.UNFIXED, visible="")


async def repair(session: Session, purse: Purse, *feedback: Feedback) -> int:
    """The work on one failure, paid out of a run's purse; how many handed in."""
    purse.begin(session.config)
    propose = proposer(
        session.config, session.environment, purse=purse, connect=near_worker
    )
    given = task(session.folder, session.sources)
    stream = propose(given, session.runner, Verdicts(*feedback), session.events.append)
    async with contextlib.aclosing(stream):
        return len([candidate async for candidate in stream])


class TestPerFailure:
    @pytest.mark.parametrize(
        ("name", "cap"), [("failure_cost", 0.15), ("failure_tokens", 30_000)]
    )
    async def test_what_one_may_use(self, tmp_path, name, cap):
        """It ends there, long before the run's own cap; the next one begins anew."""
        large = {"max_cost": 50.0, "max_tokens": 5_000_000, name: cap}
        with playing(*LOOKS, folder=tmp_path, **large) as (_, session):
            purse = purse_of(session.config)
            spent = []
            for _ in range(2):
                before = purse.usd if name == "failure_cost" else purse.tokens
                assert await repair(session, purse) == 0
                after = purse.usd if name == "failure_cost" else purse.tokens
                spent.append(before - after)
        assert session.fact("ending") == "budget"
        assert all(0 < one <= cap for one in spent), spent

    @pytest.mark.parametrize(
        "left", [{"failure_usd": 0.0}, {"failure_tokens": 100}], ids=["usd", "tokens"]
    )
    async def test_questions_are_paid_out_of_it(self, tmp_path, left):
        """Nothing is asked about a failure whose allowance is used up."""
        purse = Purse(50.0, 5_000_000, **left)
        with playing(Turn(blocks=(Text("{}"),)), folder=tmp_path) as (api, session):
            snapshot = task(tmp_path).snapshot
            given = {"connect": near_worker, "purse": purse}
            ask = asker(session.config, snapshot, session.environment, **given)
            assert "used up" in (await ask(QUESTION)).error
        assert api.requests == []

    async def test_candidates(self, tmp_path):
        """No more conversations than the setting says, however they end."""
        with playing(QUICK, folder=tmp_path, candidates=2) as (api, session):
            purse = purse_of(session.config)
            assert await repair(session, purse, None, None, None) == 2
        assert len(api.messages) == 2


class TestPerRun:
    @pytest.mark.parametrize(
        ("name", "cap"), [("max_cost", 0.2), ("max_tokens", 40_000)]
    )
    async def test_what_all_may_use(self, tmp_path, name, cap):
        """However much each failure might: the sum stays below, and it is said."""
        roomy = {"failure_cost": 9.0, "failure_tokens": 900_000, "max_cost": 50.0}
        caps = {**roomy, name: cap}
        with playing(*LOOKS, folder=tmp_path, **caps) as (_, session):
            purse = purse_of(session.config)
            for _ in range(4):
                assert await repair(session, purse) == 0
        left = purse.usd if name == "max_cost" else purse.tokens
        assert 0 <= left < cap

    async def test_candidates(self, tmp_path):
        """The run's number counts across failures; its setting is named."""
        caps = {"candidates": 2, "batch_candidates": 3}
        with playing(QUICK, folder=tmp_path, **caps) as (api, session):
            purse = purse_of(session.config)
            made = [await repair(session, purse, None, None, None) for _ in range(3)]
        assert made == [2, 1, 0]
        assert len(api.messages) == 3
        assert "see the setting batch_candidates" in session.said

    @pytest.mark.parametrize("fan", [2, 3])
    async def test_candidates_of_a_fan(self, tmp_path, fan):
        """Those that run at the same time are counted before they begin."""
        caps = {"candidates": 6, "fan": fan, "batch_candidates": 2}
        with playing(QUICK, folder=tmp_path, **caps) as (api, session):
            purse = purse_of(session.config)
            assert await repair(session, purse, *[None] * 6) == 2
        assert len(api.messages) == 2


def test_the_cap_that_is_reached_is_named():
    """So that who meets it knows what to change."""
    assert Purse(1.0, 100_000).over == ""
    assert Purse(0.0, 100_000).over == "max_cost"
    assert Purse(1.0, 100).over == "max_tokens"
    assert Purse(1.0, 100_000, 0).over == "batch_candidates"
    assert Purse(1.0, 100_000, failure_usd=0.0).over == "failure_cost"
    assert Purse(1.0, 100_000, failure_tokens=9).over == "failure_tokens"

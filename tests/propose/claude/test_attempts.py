"""Several conversations as one stream: the ladder, the fan, and what ends them."""

import asyncio
import contextlib
import time

import pytest

from bonafix.domain import Feedback, Verdict
from bonafix.errors import ServiceError
from bonafix.propose.claude.attempts import Attempt, Ending, fan, stream
from tests.messages_api import (
    Conversation,
    Fault,
    MessagesApi,
    Script,
    Text,
    ToolUse,
    Turn,
)
from tests.propose.claude.cases import BUGGY_LINE, FIXED_LINE, Verdicts, task
from tests.propose.claude.playing import QUICK, SUBMIT, Session, edit

REFUSED = Feedback(verdict=Verdict.UNFIXED)
SILENT = Conversation(effort="low", turns=[Turn(blocks=[Text("?")])] * 3)
HIGHER = Conversation(effort="medium", turns=[QUICK])
INFEASIBLE = Turn(blocks=(ToolUse("report_infeasible", {"reason": "3 is not 4"}),))


def wrong(body):
    """A worse fix in every round."""
    rounds = sum(m["role"] == "assistant" for m in body["messages"])
    old = BUGGY_LINE if not rounds else f"    return {rounds - 1}\n"
    return Turn(blocks=(edit(old, f"    return {rounds}\n"), SUBMIT))


@contextlib.contextmanager
def session(folder, *conversations, **settings):
    with MessagesApi(Script(conversations)) as api:
        yield api, Session(api, folder, **settings)


async def test_more_thinking_after_a_refusal(tmp_path):
    """The next conversation begins anew, one step higher."""
    refused = Conversation(effort="low", turns=[wrong] * 3)
    with session(tmp_path, refused, HIGHER, candidates=2) as (_, here):
        found = await here.candidates(REFUSED, REFUSED, REFUSED)
    assert [one.effort for one in found] == ["low", "low", "low", "medium"]
    assert FIXED_LINE.encode() in found[-1].patch.changes[0].after
    assert here.fact("cost").requests == 4
    assert found[-1].cost.requests == 1


async def test_nothing_was_refused_nothing_is_raised(tmp_path):
    """Who hands in nothing is tried once more, with the same thinking."""
    with session(tmp_path, SILENT, HIGHER, candidates=2) as (api, here):
        assert await here.candidates() == []
    efforts = [m.json["output_config"]["effort"] for m in api.messages]
    assert efforts == ["low"] * 6


async def test_infeasible_ends_the_ladder(tmp_path):
    """The honest way out is not asked about a second time."""
    honest = Conversation(turns=[INFEASIBLE])
    with session(tmp_path, honest, candidates=3) as (api, here):
        assert await here.candidates() == []
    assert len(api.messages) == 1


async def test_a_fan_begins_after_the_first_answer(tmp_path):
    """One request fills the cache; then the others run at the same time."""
    conversation = Conversation(turns=[QUICK])
    with session(tmp_path, conversation, fan=3) as (api, here):
        found = await here.candidates()
    assert len(found) == 3
    assert {one.effort for one in found} == {"low"}
    first, *others = api.messages[:3]
    prefix = {"system", "tools", "messages", "thinking", "output_config", "model"}
    for other in others:
        assert {k: first.json.get(k) for k in prefix} == {
            k: other.json.get(k) for k in prefix
        }


async def test_a_fan_shares_one_purse(tmp_path):
    """Each conversation may spend its share, and all of it is counted."""
    conversation = Conversation(turns=[QUICK])
    with session(tmp_path, conversation, fan=2, max_cost=1.0) as (api, here):
        await here.candidates()
    assert here.fact("cost").requests == 2
    alone = Conversation(turns=[QUICK])
    with session(tmp_path, alone, max_cost=1.0) as (single, one):
        await one.candidates()
    assert api.messages[0].json["max_tokens"] <= single.messages[0].json["max_tokens"]


async def test_refused_conversations_go_on_in_a_fan(tmp_path):
    """Each hears of its own candidate, and of no other's."""
    texts = [Feedback(verdict=Verdict.UNFIXED, visible=f"word{n}") for n in range(6)]
    conversation = Conversation(turns=[wrong, wrong, wrong])
    with session(tmp_path, conversation, fan=2) as (api, here):
        found = await here.candidates(*texts)
    assert sorted(one.round for one in found) == [1, 1, 2, 2, 3, 3]
    heard = [
        {f"word{n}" for n in range(6) if f"word{n}" in str(m.json["messages"])}
        for m in api.messages
        if len(m.json["messages"]) >= 5
    ]
    assert len(heard) == 2
    assert not heard[0] & heard[1]
    assert all(len(words) == 2 for words in heard)


async def test_closing_the_stream_ends_all_conversations(tmp_path):
    """Who takes the first candidate does not wait for the others."""
    hanging = Turn(blocks=(edit(), SUBMIT), fault=Fault(kind="stall"))
    conversations = (Conversation(turns=[lambda _: next(turns)]),)
    turns = iter([QUICK, hanging, hanging])
    with session(tmp_path, *conversations, fan=3) as (_, here):
        propose = here.proposer()
        begun = time.monotonic()
        async with contextlib.aclosing(one_stream(here, propose)) as candidates:
            assert (await anext(candidates)).round == 1
    assert time.monotonic() - begun < 20
    left = {str(one.get_coro().__qualname__) for one in asyncio.all_tasks()}
    assert not {name for name in left if "fan" in name or "work" in name}, left


def one_stream(here, propose):
    given = task(here.folder, here.sources, seconds=here.seconds)
    return propose(given, here.runner, Verdicts(), here.events.append)


async def test_one_failing_conversation_spares_the_others():
    """The service must fail in each of them to fail the whole."""

    async def converse(attempt: Attempt) -> Ending:
        attempt.answered.set()
        if not attempt.step and len(seen) == 0:
            seen.append(1)
            raise ServiceError("overloaded")
        seen.append(2)
        return Ending()

    seen: list[int] = []
    await fan(converse, None, 3, 3, lambda: True)
    assert seen.count(2) == 2

    async def broken(_attempt: Attempt) -> Ending:
        raise ServiceError("a bad key")

    with pytest.raises(ServiceError, match="a bad key"):
        await fan(broken, None, 3, 3, lambda: True)


async def test_the_works_error_reaches_whoever_reads():
    """After the candidates that came before it."""

    async def work(hand_in):
        assert await hand_in("first") == "heard"
        raise ServiceError("gone")

    source = stream(work, lambda: "heard")
    assert await anext(source) == "first"
    with pytest.raises(ServiceError, match="gone"):
        await anext(source)

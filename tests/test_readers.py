"""Who reads patches in a job: when, for how long, and who pays."""

import time

import pytest

from bonafix import readers
from bonafix.bench import Bench
from bonafix.calls import Answer, Question, Tools
from bonafix.config import Config
from bonafix.domain import Change, Cost, Patch, add_costs
from tests.propose.claude.cases import task


async def nothing(*_args, **_options):
    raise AssertionError  # no test here executes anything


def bench_at(folder):
    tools = Tools(nothing, nothing, nothing)
    return Bench(snapshot=task(folder).snapshot, interpreter=None, tools=tools)


class Slow:
    """Answers everything, and keeps how long it might have taken."""

    def __init__(self):
        self.seconds = []

    async def __call__(self, question, /):
        self.seconds.append(question.seconds)
        return Answer(found={}, cost=Cost(usd=0.5, requests=1))


QUESTION = Question(name="reviewer", system="", user="", schema={}, seconds=100.0)


@pytest.mark.parametrize(
    ("settings", "key", "asks"),
    [
        ({}, True, True),
        ({"engine": "claude"}, True, True),
        ({}, False, False),
        ({"engine": "search"}, True, False),
        ({"engine": "claude", "review": "off"}, True, False),
    ],
)
def test_a_fix_is_read_where_claude_may_write(
    tmp_path, monkeypatch, settings, key, asks
):
    """With credentials, not with the search engine alone, and never against the user.

    One purse then pays proposals and readings.
    """
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    if key:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    made = readers.for_fix(bench_at(tmp_path), Config(**settings), print)
    assert (made.tools.ask is not None) is asks
    assert (made.purse is not None) is asks


def test_readers_stay_when_a_patch_is_taken_for_granted(tmp_path):
    """The next cause's candidates are read by the same one."""
    made = readers.reading(bench_at(tmp_path), Config(exclude=("*.md",)), print)
    top = made.on_top_of(Patch((Change("stats/means.py", b"", b"x = 1\n"),)))
    assert top.tools.ask is made.tools.ask
    assert top.purse is made.purse
    assert not top.tools.may_send("README.md")
    assert not top.tools.may_send(".env")
    assert top.tools.may_send("stats/means.py")


async def test_answers_are_counted_and_told():
    """Each costs, and the sum is heard of."""
    costs, events = [], []
    tools = Tools(nothing, nothing, nothing, ask=Slow())
    asked = readers.counted(tools, costs, events.append)
    for _ in range(2):
        await asked.ask(QUESTION)
    assert add_costs(costs) == Cost(usd=1.0, requests=2)
    assert "about $1.000" in events[-1].text


async def test_what_is_left_of_the_time_bounds_a_question():
    """An answer has to come before a repair's time is up; too late is not asked."""
    slow = Slow()
    tools = Tools(nothing, nothing, nothing, ask=slow)
    soon = time.monotonic() + 40
    asked = readers.counted(tools, [], print, until=soon)
    await asked.ask(QUESTION)
    late = readers.counted(tools, [], print, until=time.monotonic() + 1)
    answer = await late.ask(QUESTION)
    assert len(slow.seconds) == 1
    assert 30 < slow.seconds[0] <= 40
    assert "no time" in answer.error


def test_without_a_reader_nothing_changes():
    """The tools stay what they are."""
    tools = Tools(nothing, nothing, nothing)
    assert readers.counted(tools, [], print) is tools

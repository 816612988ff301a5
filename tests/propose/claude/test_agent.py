"""The agent's work: what it does, what it hands in, and how it ends without a fix."""

from __future__ import annotations

import time

import pytest

from bonafix.domain import Cost, Feedback, Verdict
from bonafix.propose.claude.hearing import OMITTED, REDACTED
from tests.messages_api import (
    Fault,
    Redacted,
    Text,
    Thinking,
    ToolUse,
    Turn,
)
from tests.propose.claude.cases import (
    BUGGY_LINE,
    FIXED_LINE,
    GREEN,
    RED,
    SOURCES,
)
from tests.propose.claude.playing import (
    EDITOR,
    LOOP,
    QUICK,
    SUBMIT,
    edit,
    playing,
    run_tests,
    view,
)


class TestRepair:
    async def test_reads_edits_tests_and_submits(self, tmp_path):
        """A whole conversation ends in the minimal patch, with its cost."""
        with playing(*LOOP, folder=tmp_path) as (api, session):
            (candidate,) = await session.candidates()

        (change,) = candidate.patch.changes
        assert change.path == "stats/means.py"
        assert FIXED_LINE in change.after.decode()
        assert BUGGY_LINE in change.before.decode()
        assert candidate.title == "Divide by the count."
        assert (candidate.author, candidate.effort) == ("claude", "low")
        assert candidate.model == "claude-opus-5-5"
        assert candidate.cost.requests == 3
        assert 0 < candidate.cost.usd < 0.5
        assert session.runner.runs == [(RED,)]
        api.assert_append_only()

    async def test_tool_results_are_what_the_bench_and_pytest_say(self, tmp_path):
        """Both views and the run's outcome are in the messages, in order."""
        with playing(*LOOP, folder=tmp_path) as (api, session):
            await session.candidates()
        messages = api.messages[-1].json["messages"]
        first, second = messages[2]["content"]

        assert "def mean(values):" in first["content"]
        assert "def test_mean_of_two" in second["content"]
        assert "1 of 1 passed." in messages[4]["content"][1]["content"]

    async def test_the_user_sees_thinking_tools_and_the_meter(self, tmp_path):
        """Thinking is streamed, tool calls are named, money is counted."""
        with playing(*LOOP, folder=tmp_path) as (_, session):
            await session.candidates()

        kinds = [event.kind for event in session.events]
        assert {"thinking", "text", "tool", "note"} <= set(kinds)
        assert "one too large" in session.said
        assert "edit view stats/means.py" in session.said
        assert "asking claude-opus-5-5, thinking low" in session.said
        cost = session.fact("cost")
        assert isinstance(cost, Cost)
        assert cost.requests == 3
        assert cost.cache_read_tokens > 0
        assert session.fact("author") == "claude"

    async def test_thinking_that_came_redacted_is_told(self, tmp_path):
        """Where it was stands a word for it, also in the candidate; why, once."""
        twice = Turn(blocks=(Redacted(), Thinking("Aha."), Redacted(), view()))
        with playing(twice, QUICK, folder=tmp_path) as (_, session):
            (candidate,) = await session.candidates()
        thoughts = [e.text for e in session.events if e.kind == "thinking"]
        assert thoughts == [REDACTED, "Aha.", REDACTED]
        assert candidate.thinking.count(REDACTED.strip()) == 2
        notes = [e.text for e in session.events if e.kind == "note"]
        assert sum("encrypts a part of the model's thinking" in n for n in notes) == 1

    async def test_thinking_that_was_left_out_is_told(self, tmp_path):
        """A block of thinking without a word is not passed over in silence."""
        empty = Turn(blocks=(Thinking(""), Thinking("Aha."), view()))
        with playing(empty, QUICK, folder=tmp_path) as (_, session):
            (candidate,) = await session.candidates()
        thoughts = [e.text for e in session.events if e.kind == "thinking"]
        assert thoughts == [OMITTED, "Aha."]
        assert candidate.thinking.count(OMITTED.strip()) == 1

    async def test_nothing_is_said_of_thinking_that_was_shown(self, tmp_path):
        """Who has seen all of it is told nothing."""
        with playing(
            Turn(blocks=(Thinking("Aha."), *QUICK.blocks)), folder=tmp_path
        ) as (
            _,
            session,
        ):
            await session.candidates()
        assert "encrypt" not in session.said

    async def test_a_run_that_hangs_leaves_time_to_hear_of_it(self, tmp_path):
        """A run gets half of what is left; the model is told that it was stopped."""
        hang = edit(BUGGY_LINE, "    while True:\n        pass\n")
        turns = (
            Turn(blocks=(hang, run_tests())),
            Turn(blocks=(edit("    while True:\n        pass\n", FIXED_LINE),)),
            Turn(blocks=(SUBMIT,)),
        )
        with playing(*turns, folder=tmp_path) as (api, session):
            session.seconds = 24.0
            assert len(await session.candidates()) == 1
        (limit,) = session.runner.limits
        assert 1.0 <= limit <= 12.0
        told = str(api.messages[1].json["messages"][2]["content"][1]["content"])
        assert "stopped at its time limit" in told

    async def test_requests_have_the_documented_form(self, tmp_path):
        """Adaptive thinking, summarised, with effort and a cache mark; no forcing."""
        with playing(QUICK, folder=tmp_path) as (api, session):
            await session.candidates()
        body = api.messages[0].json

        assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
        assert body["output_config"] == {"effort": "low"}
        assert body["cache_control"] == {"type": "ephemeral"}
        assert "tool_choice" not in body
        assert [tool["name"] for tool in body["tools"]] == [
            *(EDITOR, "search", "run_tests", "submit", "report_infeasible")
        ]

    async def test_visible_tests_only(self, tmp_path):
        """All means all visible ids; a name that is not visible is not run."""
        turns = (
            Turn(blocks=(run_tests("all"), run_tests("tests/test_sealed.py"))),
            Turn(blocks=(edit(), run_tests("tests/test_means.py"))),
            Turn(blocks=(SUBMIT,)),
        )
        with playing(*turns, folder=tmp_path) as (api, session):
            await session.candidates()

        assert session.runner.runs == [(RED, GREEN), (RED, GREEN)]
        results = api.messages[1].json["messages"][2]["content"]
        assert "1 of 2 passed." in results[0]["content"]
        assert "failed: " + RED in results[0]["content"]
        assert "No visible test" in results[1]["content"]

    async def test_line_endings_are_kept(self, tmp_path):
        """A file with CRLF is shown plainly and comes back with CRLF."""
        crlf = SOURCES["stats/means.py"].replace(b"\n", b"\r\n")
        with playing(QUICK, folder=tmp_path) as (_, session):
            session.sources = {**SOURCES, "stats/means.py": crlf}
            (candidate,) = await session.candidates()

        (change,) = candidate.patch.changes
        assert change.after.count(b"\r\n") == crlf.count(b"\r\n")
        assert change.after.count(b"\n") == crlf.count(b"\n")


class TestRounds:
    async def test_a_refused_fix_is_corrected_in_the_same_conversation(self, tmp_path):
        """The verdict's class and visible output are appended; history only grows."""
        turns = (
            Turn(blocks=(edit(new="    return 3\n"), SUBMIT)),
            Turn(blocks=(Thinking("Not general."), edit("    return 3\n"), SUBMIT)),
        )
        refused = Feedback(verdict=Verdict.SPECIAL_CASED, visible="assert 3 == 4")
        with playing(*turns, folder=tmp_path) as (api, session):
            first, second = await session.candidates(refused)

        assert b"return 3\n" in first.patch.changes[0].after
        assert FIXED_LINE.encode() in second.patch.changes[0].after
        assert (first.round, second.round) == (1, 2)
        assert second.cost.requests == 1
        api.assert_append_only()
        last = api.messages[-1].json["messages"][-1]["content"]
        kinds = [block["type"] for block in last]
        assert kinds == ["tool_result", "tool_result", "text"]
        assert "not general" in last[-1]["text"]
        assert "assert 3 == 4" in last[-1]["text"]

    async def test_three_rounds_at_most(self, tmp_path):
        """After three refused fixes the conversation ends."""

        def again(body: dict) -> Turn:
            rounds = sum(m["role"] == "assistant" for m in body["messages"])
            old = BUGGY_LINE if not rounds else f"    return {rounds - 1}\n"
            return Turn(blocks=(edit(old, f"    return {rounds}\n"), SUBMIT))

        refused = Feedback(verdict=Verdict.UNFIXED)
        with playing(*[again] * 5, folder=tmp_path) as (api, session):
            found = await session.candidates(*[refused] * 5)

        assert [candidate.round for candidate in found] == [1, 2, 3]
        assert len(api.messages) == 3

    async def test_plausible_ends_a_conversation(self, tmp_path):
        """A fix that nothing was proven against is not sent back."""
        plausible = Feedback(verdict=Verdict.PLAUSIBLE)
        with playing(Turn(blocks=(edit(), SUBMIT)), folder=tmp_path) as (api, session):
            assert len(await session.candidates(plausible)) == 1
        assert len(api.messages) == 1


class TestNoFix:
    async def test_infeasible(self, tmp_path):
        """The honest way out is reported, and gives no candidate."""
        report = ToolUse("report_infeasible", {"reason": "The test expects 3 of 2."})
        with playing(Turn(blocks=(report,)), folder=tmp_path) as (_, session):
            assert await session.candidates() == []
        assert session.fact("infeasible") == "The test expects 3 of 2."

    async def test_text_alone_is_followed_up_twice(self, tmp_path):
        """A turn that ends in text is asked to hand in; after two times it is over."""
        turns = [Turn(blocks=(Thinking("Hm."), Text("It is fixed!")))] * 4
        with playing(*turns, folder=tmp_path) as (api, session):
            assert await session.candidates() == []
        assert len(api.messages) == 3
        assert "without handing in" in session.said
        api.assert_append_only()

    async def test_an_empty_answer_is_followed_up(self, tmp_path):
        """It hands in nothing and cannot be sent back; the reminder can help."""

        def after(body: dict) -> Turn:
            reminded = len(body["messages"]) > 1
            return Turn(blocks=(edit(), SUBMIT)) if reminded else Turn(blocks=())

        with playing(after, folder=tmp_path) as (api, session):
            assert len(await session.candidates()) == 1
        assert len(api.messages) == 2
        api.assert_append_only()

    async def test_nothing_but_empty_answers(self, tmp_path):
        """After two reminders it is over, and no unknown end."""
        with playing(Turn(blocks=()), folder=tmp_path) as (api, session):
            assert await session.candidates() == []
        assert session.fact("ending") == "gave-up"
        assert "without handing in" in session.said
        assert len(api.messages) == 3

    async def test_a_follow_up_can_help(self, tmp_path):
        """After the reminder the model hands in."""
        turns = (
            Turn(blocks=(edit(),)),
            Turn(blocks=(Text("Done."),)),
            Turn(blocks=(SUBMIT,)),
        )
        with playing(*turns, folder=tmp_path) as (_, session):
            assert len(await session.candidates()) == 1

    @pytest.mark.parametrize(
        ("turn", "ending", "words"),
        [
            (
                Turn(
                    blocks=(Thinking("x"), edit(), SUBMIT),
                    stop_reason="max_tokens",
                    cut_after=5,
                ),
                "truncated",
                "cut off (max_tokens)",
            ),
            (
                Turn(
                    blocks=(edit(), SUBMIT),
                    stop_reason="refusal",
                    stop_details={
                        "type": "refusal",
                        "category": "cyber",
                        "explanation": "This looks like an exploit.",
                    },
                ),
                "refused",
                "This looks like an exploit.",
            ),
            (
                Turn(blocks=(edit(), SUBMIT), stop_reason="moon_phase"),
                "gave-up",
                "not known (moon_phase)",
            ),
            (
                Turn(blocks=(edit(), SUBMIT), stop_reason="end_turn"),
                "gave-up",
                "2 tool",
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    async def test_no_tool_of_a_bad_answer_runs(self, tmp_path, turn, ending, words):
        """Cut-off, declined or odd answers are no patch, and nothing of them runs."""
        with playing(turn, folder=tmp_path) as (api, session):
            assert await session.candidates() == []
        assert session.fact("ending") == ending
        assert words in session.said
        assert not any(event.kind == "tool" for event in session.events)
        assert len(api.messages) == 1

    async def test_time_is_up(self, tmp_path):
        """A stalled service ends at the task's deadline, not at its own pace."""
        slow = Turn(blocks=(SUBMIT,), fault=Fault(kind="stall", seconds=30))
        with playing(slow, folder=tmp_path) as (_, session):
            session.seconds = 3.0
            begun = time.monotonic()
            assert await session.candidates() == []
        assert time.monotonic() - begun < 8
        assert "the time is used up" in session.said

"""The model's service: what it costs, how it fails, and what it never gets to see."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

import pytest

from bonafix.errors import ServiceError
from tests.messages_api import Fault, MessagesApi, Script, Text, Thinking, ToolUse, Turn
from tests.propose.claude.cases import FIXED_LINE, SOURCES, Verdicts, task
from tests.propose.claude.playing import (
    LOOP,
    QUICK,
    SUBMIT,
    Session,
    edit,
    playing,
    view,
)


class TestBudget:
    async def test_money_stops_the_work(self, tmp_path):
        """No request is made that could cost more than what is left."""
        looks = [Turn(blocks=(Thinking("x" * 4000), view()))] * 40
        with playing(*looks, folder=tmp_path, max_cost=0.15) as (api, session):
            assert await session.candidates() == []

        assert session.fact("ending") == "budget"
        assert session.fact("cost").usd <= 0.15
        sizes = [seen.json["max_tokens"] for seen in api.messages]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] < 64_000

    async def test_nothing_to_spend(self, tmp_path):
        """With no money not a single request is made."""
        with playing(*LOOP, folder=tmp_path, max_cost=0.0) as (api, session):
            assert await session.candidates() == []
        assert api.messages == []

    async def test_one_budget_for_all_calls(self, tmp_path):
        """What one repair has spent is missing in the next one's budget."""
        with playing(QUICK, folder=tmp_path, max_tokens=20_000) as (api, session):
            propose = session.proposer()
            for _ in range(2):
                stream = propose(
                    task(tmp_path), session.runner, Verdicts(), session.events.append
                )
                async with contextlib.aclosing(stream):
                    assert len([candidate async for candidate in stream]) == 1
        first, last = api.messages[0].json, api.messages[-1].json
        assert last["max_tokens"] < first["max_tokens"]


class TestService:
    async def test_no_credentials(self, tmp_path):
        """Without credentials there is a clear word and no work at all."""
        with playing(*LOOP, folder=tmp_path) as (api, session):
            session.environment = {"HOME": str(tmp_path)}
            with pytest.raises(ServiceError, match="set ANTHROPIC_API_KEY"):
                await session.candidates()
        assert api.requests == []

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            (Fault(kind="http", status=402, error_type="billing_error"), "no credit"),
            (Fault(kind="html", status=403), "may not use this model"),
            (
                Fault(
                    kind="http",
                    status=429,
                    error_type="rate_limit_error",
                    retry_after=3600,
                ),
                "asks to wait 3600 s",
            ),
        ],
        ids=["billing", "proxy", "limit"],
    )
    async def test_failures_that_waiting_cannot_cure(self, tmp_path, fault, words):
        """They end the work at once, with advice."""
        turn = Turn(blocks=(SUBMIT,), fault=fault)
        with (
            playing(turn, folder=tmp_path) as (api, session),
            pytest.raises(ServiceError, match=words),
        ):
            await session.candidates()
        assert len(api.messages) == 1

    async def test_a_wrong_key(self, tmp_path, monkeypatch):
        """A key that is not accepted is said to be one, but never shown."""
        with playing(*LOOP, folder=tmp_path) as (api, session):
            monkeypatch.setenv("ANTHROPIC_API_KEY", "not-the-right-key")
            with pytest.raises(ServiceError, match="check ANTHROPIC_API_KEY") as caught:
                await session.candidates()
        assert "not-the-right-key" not in str(caught.value)
        assert len(api.messages) == 1

    @pytest.mark.parametrize(
        ("variables", "words"),
        [
            ({"ANTHROPIC_AUTH_TOKEN": "token-4711-xyz"}, "check ANTHROPIC_AUTH_TOKEN"),
            (
                {"ANTHROPIC_CUSTOM_HEADERS": "X-Api-Key: header-4711-xyz"},
                "check ANTHROPIC_CUSTOM_HEADERS",
            ),
        ],
    )
    async def test_advice_fits_the_credential(
        self, tmp_path, monkeypatch, variables, words
    ):
        """Who has no API key is not told to check one."""
        monkeypatch.delenv("ANTHROPIC_API_KEY")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with playing(*LOOP, folder=tmp_path) as (_, session):
            session.environment = {"HOME": str(tmp_path), **variables}
            with pytest.raises(ServiceError, match=words) as caught:
                await session.candidates()
        assert "4711" not in str(caught.value)

    async def test_nobody_listens(self, tmp_path):
        """A service that cannot be reached is an error after a few attempts."""
        with MessagesApi(Script.of()) as api:
            session = Session(api, tmp_path)
        with pytest.raises(ServiceError, match="cannot be reached"):
            await session.candidates()

    async def test_broken_streams_are_asked_again(self, tmp_path):
        """Cuts, errors and odd answers in mid-stream cost a repetition, no more."""
        faults = [
            Fault(kind="disconnect", after_block=1, times=2),
            Fault(kind="truncate", after_block=0),
            Fault(kind="sse_error", after_block=0),
        ]
        turns = [
            Turn(blocks=turn.blocks, fault=fault)
            for turn, fault in zip(LOOP, faults, strict=True)
        ]
        with playing(*turns, folder=tmp_path) as (api, session):
            (candidate,) = await session.candidates()

        assert FIXED_LINE.encode() in candidate.patch.changes[0].after
        assert len(api.messages) == 3 + 4
        assert "asking again" in session.said
        assert candidate.cost.requests > 3
        api.assert_append_only()

    async def test_a_stream_that_always_breaks(self, tmp_path):
        """After three attempts it is an error of the service, not a missing fix."""
        turn = Turn(blocks=LOOP[0].blocks, fault=Fault(kind="malformed", times=None))
        with (
            playing(turn, folder=tmp_path) as (api, session),
            pytest.raises(ServiceError, match="after 3 attempts"),
        ):
            await session.candidates()
        assert len(api.messages) == 3

    async def test_broken_attempts_count(self, tmp_path):
        """A stream that broke has cost money, and the next answer gets less."""
        fault = Fault(kind="truncate", after_block=0)
        turn = Turn(blocks=(Thinking("x" * 20_000), edit(), SUBMIT), fault=fault)
        with playing(turn, folder=tmp_path) as (api, session):
            (candidate,) = await session.candidates()
        first, second = (seen.json["max_tokens"] for seen in api.messages)
        assert second < first - 5000
        assert candidate.cost.requests == 2

    async def test_overloaded_for_a_moment(self, tmp_path):
        """A busy service is waited for, and the user is told."""
        busy = Turn(blocks=(edit(), SUBMIT), fault=Fault(kind="http", times=2))
        with playing(busy, folder=tmp_path) as (_, session):
            assert len(await session.candidates()) == 1
        assert "the service answered 529" in session.said

    async def test_an_unlisted_model_is_asked_about(self, tmp_path):
        """Its capabilities come from the API, and its cost stays unknown."""
        model = "claude-mythos-9"
        turn = Turn(blocks=(edit(), SUBMIT))
        with (
            playing(turn, folder=tmp_path, model=model) as (api, session),
            pytest.raises(ServiceError, match="not known to this account"),
        ):
            await session.candidates()
        assert api.requests[0].path == f"/v1/models/{model}"
        assert "no price is known" in session.said

    async def test_a_refused_form_is_corrected_once_and_remembered(self, tmp_path):
        """A gateway's other name for an old model gets its form by the 400."""
        with playing(QUICK, folder=tmp_path, model="claude-haiku-4-5-old") as (
            api,
            session,
        ):
            api.aliases["claude-haiku-4-5-old"] = "claude-haiku-4-5"
            propose = session.proposer()
            for _ in range(2):
                stream = propose(
                    task(tmp_path), session.runner, Verdicts(), session.events.append
                )
                async with contextlib.aclosing(stream):
                    assert len([candidate async for candidate in stream]) == 1

        forms = [seen.json["thinking"]["type"] for seen in api.messages]
        assert forms == ["adaptive", "enabled", "enabled"]
        assert [seen.status for seen in api.messages][:2] == [400, 200]


class TestSecrets:
    async def test_are_not_sent(self, tmp_path):
        """Keys of the environment and of .env files are in no request."""
        secrets = {"SERVICE_TOKEN": "tok-4711-abcdef", "PLAIN": "visible-value-1"}
        (tmp_path / ".env").write_text("DB=postgres://me:hunter2hunter@db/x\n")
        source = (
            "TOKEN = 'tok-4711-abcdef'\nKEY = 'AKIAABCDEFGHIJKLMNOP'\n"
            "URL = 'postgres://me:hunter2hunter@db/x'\nOK = 'visible-value-1'\n"
        )
        turns = (
            Turn(
                blocks=(
                    view("stats/settings.py"),
                    view(".env"),
                    ToolUse("search", {"pattern": "TOKEN", "path": ""}),
                )
            ),
            Turn(blocks=(edit(), SUBMIT)),
        )
        with playing(*turns, folder=tmp_path) as (api, session):
            session.environment |= secrets
            session.sources = {
                **SOURCES,
                "stats/settings.py": source.encode(),
                ".env": b"DB=postgres://me:hunter2hunter@db/x\n",
            }
            assert len(await session.candidates()) == 1

        sent = b"".join(seen.body for seen in api.requests)
        assert b"[redacted]" in sent
        assert b"visible-value-1" in sent
        for secret in (b"4711", b"AKIAABCD", b"hunter2"):
            assert secret not in sent
        results = api.messages[1].json["messages"][2]["content"]
        assert results[1]["is_error"]

    async def test_excluded_files_do_not_exist(self, tmp_path):
        """What the user keeps from the model cannot be viewed or found."""
        turns = (Turn(blocks=(view("README.md"), view("/"))), Turn(blocks=[Text("x")]))
        with (
            playing(*turns, folder=tmp_path, exclude=("*.md",)) as (api, session),
            pytest.raises(ServiceError, match="has no turn 2"),
        ):
            await session.candidates()
        results = api.messages[1].json["messages"][2]["content"]
        assert results[0]["is_error"]
        assert "README" not in results[1]["content"]


KEY = "plain-key-0815-abcdefgh"
SPOILT = [
    KEY + "\r\n" + KEY,
    f"{KEY[:12]} {KEY[12:]}",
    f"{KEY}\x1b[0m",
    f"\u201c{KEY}\u201d",
    f'"{KEY}"',
    f"Bearer {KEY}",
    " \n",
]


class TestSpoiltKeys:
    @pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
    @pytest.mark.parametrize("spoilt", SPOILT, ids=ascii)
    async def test_are_refused_before_any_work(self, tmp_path, name, spoilt):
        """What no header can hold is said to be so, without a letter of it."""
        with playing(*LOOP, folder=tmp_path) as (api, session):
            session.environment = {"HOME": str(tmp_path), name: spoilt}
            with pytest.raises(ServiceError, match=f"{name} cannot be used") as caught:
                await session.candidates()
        assert api.requests == []
        assert_hidden(str(caught.value) + session.said)

    @pytest.mark.parametrize("spoilt", SPOILT, ids=ascii)
    async def test_are_refused_by_the_worker(self, tmp_path, monkeypatch, spoilt):
        """A worker that is given such a key says the same, and asks nothing."""
        with playing(*LOOP, folder=tmp_path) as (api, session):
            monkeypatch.setenv("ANTHROPIC_API_KEY", spoilt)
            with pytest.raises(ServiceError, match="cannot be used") as caught:
                await session.candidates()
        assert api.requests == []
        assert_hidden(str(caught.value) + session.said)

    @pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\n\n"], ids=ascii)
    async def test_a_line_break_at_the_end_is_no_part_of_it(
        self, tmp_path, monkeypatch, end
    ):
        """As files and secret stores have it: the key is used without."""
        with playing(QUICK, folder=tmp_path) as (api, session):
            session.environment["ANTHROPIC_API_KEY"] = KEY + end
            monkeypatch.setenv("ANTHROPIC_API_KEY", KEY + end)
            api.keys = frozenset({KEY})
            assert len(await session.candidates()) == 1
        assert api.messages[0].headers["authorization"] == f"Bearer {KEY}"
        assert_hidden(session.said)

    @pytest.mark.parametrize(
        "lines",
        [
            f"X-Gate: {KEY}\x1b",
            f"X-Gate: {KEY}\u2019",
            f"X Gate: {KEY}",
            f": {KEY}",
            f"X-A: b\nX-G\xe9: {KEY}",
        ],
        ids=ascii,
    )
    async def test_headers(self, tmp_path, monkeypatch, lines):
        """The user's own headers are secrets, too."""
        with playing(QUICK, folder=tmp_path) as (api, session):
            session.environment["ANTHROPIC_CUSTOM_HEADERS"] = lines
            monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", lines)
            with pytest.raises(ServiceError, match="ANTHROPIC_CUSTOM_HEADERS: ") as one:
                await session.candidates()
            session.environment.pop("ANTHROPIC_CUSTOM_HEADERS")
            with pytest.raises(ServiceError, match="ANTHROPIC_CUSTOM_HEADERS: ") as two:
                await session.candidates()
        assert api.requests == []
        assert_hidden(f"{one.value} {two.value} {session.said}")

    async def test_headers_that_are_fine_are_sent(self, tmp_path, monkeypatch):
        """As the SDK reads them: one a line."""
        lines = f"X-Gate: {KEY}\nX-Team:  some people "
        with playing(QUICK, folder=tmp_path) as (api, session):
            monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", lines)
            assert len(await session.candidates()) == 1
        assert api.messages[0].headers["x-gate"] == KEY
        assert api.messages[0].headers["x-team"] == "some people"


def assert_hidden(text: str) -> None:
    for piece in (KEY, KEY[:12], KEY[12:]):
        assert piece not in text


class TestWhatLeavesTheWorker:
    @pytest.mark.parametrize("variable", ["ANTHROPIC_API_KEY", "HEADER"])
    async def test_words_of_the_service_are_redacted(
        self, tmp_path, monkeypatch, variable
    ):
        """A service that quotes what it was sent is not passed on as it is."""
        monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
        quoted = f"Illegal header value b'Bearer {KEY}\\n' of {KEY} or {KEY!r}"
        if variable == "HEADER":
            monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"X-Gate: Basic {KEY}")
        else:
            monkeypatch.setenv("ANTHROPIC_API_KEY", KEY + "\n")
        fault = Fault(kind="http", status=429, message=quoted, times=3)
        with playing(Turn(blocks=(SUBMIT,), fault=fault), folder=tmp_path) as (
            api,
            session,
        ):
            api.keys = frozenset({"test", KEY})
            with pytest.raises(ServiceError, match="Illegal header") as caught:
                await session.candidates()
        assert "[redacted]" in str(caught.value)
        assert "asking again" in session.said
        assert_hidden(str(caught.value) + session.said)

    async def test_words_of_the_model_are_redacted(self, tmp_path, monkeypatch):
        """So are its thinking, its text, its calls, and what it hands in with."""
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        turn = Turn(
            blocks=(
                Thinking(f"The key is {KEY}"),
                Text(f"It is {KEY}, or Bearer abc.def-ghi_jkl"),
                view(KEY),
                ToolUse("report_infeasible", {"reason": f"because of {KEY}"}),
            )
        )
        with playing(turn, folder=tmp_path) as (api, session):
            api.keys = frozenset({KEY})
            assert await session.candidates() == []
        assert "[redacted]" in session.said
        assert "abc.def" not in session.said
        assert_hidden(session.said + str(session.fact("infeasible")))

    async def test_a_fix_is_left_as_it_is(self, tmp_path, monkeypatch):
        """What is edited is the user's code: a mark in it would be a fault."""
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        new = FIXED_LINE + f"# {KEY}\n"
        turn = Turn(blocks=(edit(new=new), SUBMIT))
        with playing(turn, folder=tmp_path) as (api, session):
            api.keys = frozenset({KEY})
            (candidate,) = await session.candidates()
        assert KEY.encode() in candidate.patch.changes[0].after

    def test_a_crash_shows_no_key(self):
        """The last line of a traceback is shown to the user, without secrets."""
        code = (
            "import sys; from bonafix.propose.claude import worker;"
            "sys.excepthook = worker._complain; import os;"
            "raise ValueError(os.environ['ANTHROPIC_API_KEY'] + ' Bearer abc.def')"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "ANTHROPIC_API_KEY": KEY},
        )
        assert done.stderr.splitlines()[-1] == (
            "ValueError: [redacted] Bearer [redacted]"
        )

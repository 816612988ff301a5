"""Every way in which the service fails, at every place of an answer.

The real SDK against a loopback server. Whatever happens, nothing of a broken answer is
executed, none becomes a patch, and the last word says what failed and what to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools

import pytest

from bonafix.errors import ServiceError
from bonafix.propose.claude.worker import Patience, work
from tests.messages_api import Fault, Text, Thinking, Turn
from tests.propose.claude.cases import FIXED_LINE, NearWorker
from tests.propose.claude.playing import SUBMIT, Session, edit, playing

BLOCKS = (Thinking("The divisor is one too large, is it not? " * 4), edit(), SUBMIT)
PLACES = ("start", "thinking", "tool", "end")
MALFORMED = (
    *(b"null", b"5", b"[]", b'"x"', b"{}", b'{"type": null}', b'{"type": "content_'),
    b'{"type": "content_block_delta", "index": 9, "delta": {"type": "text_delta"}}',
    b'{"type": "content_block_delta", "index": 0, "delta": null}',
    b'{"type": "content_block_start", "index": 0, "content_block": null}',
)


def turn(fault: Fault | None = None, **options: object) -> Turn:
    return Turn(blocks=BLOCKS, fault=fault, **options)


@contextlib.asynccontextmanager
async def _near(_environment, stall: float = 20.0, pace: float = 0.1):
    near = NearWorker()
    patience = Patience(stall=stall, pace=pace)
    near.working = asyncio.create_task(work(near.parent(), patience))
    try:
        yield near
    finally:
        near.working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await near.working


class Watched(list):
    """Events, and a flag that the first cost raises."""

    def __init__(self) -> None:
        super().__init__()
        self.paid = asyncio.Event()

    def append(self, event) -> None:
        super().append(event)
        if "cost" in event.facts:
            self.paid.set()


def executed(session: Session) -> int:
    return sum(event.kind == "tool" for event in session.events)


async def failure(folder, fault: Fault, stall: float = 20.0) -> tuple[str, int]:
    """The last word of a session that fails, and how many requests it made."""
    with playing(turn(fault), folder=folder) as (api, session):
        session.connect = functools.partial(_near, stall=stall)
        with pytest.raises(ServiceError) as caught:
            await session.candidates()
    assert executed(session) == 0
    assert session.runner.runs == []
    return str(caught.value), len(api.messages)


TORN = {
    "disconnect": (Fault(kind="disconnect"), "the connection broke"),
    "sse_error": (
        Fault(kind="sse_error"),
        "broke off in mid-answer: overloaded_error: scripted fault",
    ),
    "malformed": (Fault(kind="malformed"), "the service's answer"),
    "truncate": (Fault(kind="truncate"), "the service's answer was"),
    "stall": (Fault(kind="stall", seconds=3), "said nothing for 0.3 s"),
}
ADVICE = {
    "disconnect": "cuts long answers",
    "sse_error": "the service is overloaded",
    "malformed": "the base URL",
    "truncate": "",
    "stall": "cuts long answers",
}
# A body that ends without the last event, but after the stop reason, is whole.
TABLE = [
    (kind, place)
    for kind in TORN
    for place in PLACES
    if (kind, place) != ("truncate", "end")
]


def at(fault: Fault, place: str, times: int | None) -> Fault:
    fields = {name: getattr(fault, name) for name in fault.__slots__}
    return Fault(**{**fields, "at": place, "times": times})


class TestTorn:
    @pytest.mark.parametrize(("kind", "place"), TABLE)
    async def test_again_and_again(self, tmp_path, kind, place):
        """Three attempts, then a failure that names the fault and what to do."""
        fault, words = TORN[kind]
        said, requests = await failure(tmp_path, at(fault, place, None), stall=0.3)
        assert requests == 3
        assert words in said
        assert "(after 3 attempts): " in said
        assert ADVICE[kind] in said

    @pytest.mark.parametrize(("kind", "place"), TABLE)
    async def test_once(self, tmp_path, kind, place):
        """One repetition, paid for, and what is executed is the whole answer's."""
        fault, words = TORN[kind]
        with playing(turn(at(fault, place, 1)), folder=tmp_path) as (api, session):
            session.connect = functools.partial(_near, stall=0.3)
            (candidate,) = await session.candidates()
        assert FIXED_LINE.encode() in candidate.patch.changes[0].after
        assert executed(session) == 2
        assert len(api.messages) == candidate.cost.requests == 2
        assert words in session.said
        assert "asking again in 0.1 s" in session.said
        assert "asks to wait" not in session.said
        api.assert_append_only()

    async def test_after_the_stop_reason_nothing_is_missing(self, tmp_path):
        """A body without its last event is a whole answer."""
        whole = turn(Fault(kind="truncate", at="end", times=None))
        with playing(whole, folder=tmp_path) as (api, session):
            assert len(await session.candidates()) == 1
        assert len(api.messages) == 1

    async def test_half_a_tools_input_is_not_executed(self, tmp_path):
        """A stop reason that claims a whole call does not make half a call whole."""
        torn = turn(stop_reason="tool_use", cut_after=30)
        with (
            playing(torn, folder=tmp_path) as (_, session),
            pytest.raises(ServiceError, match="cut short"),
        ):
            await session.candidates()
        assert executed(session) == 0


class TestNotTheApi:
    @pytest.mark.parametrize("data", MALFORMED, ids=bytes.decode)
    async def test_events(self, tmp_path, data):
        """An event of no known form is a failure of the service, never a crash."""
        fault = Fault(kind="malformed", data=data, at="thinking", times=None)
        said, requests = await failure(tmp_path, fault)
        assert requests == 3
        assert "the service's answer" in said
        assert "Error" not in said

    @pytest.mark.parametrize("kind", ["nulls", "lacks"])
    @pytest.mark.parametrize("name", ["usage", "content", "delta"])
    async def test_missing_values(self, tmp_path, kind, name):
        """Nulls where the API has values: the answer, or a clear failure."""
        fault = Fault(kind=kind, fields=(name,), times=None)
        said, requests = await failure(tmp_path, fault)
        assert requests == 3
        assert "the service's answer" in said
        assert "after 3 attempts" in said

    @pytest.mark.parametrize("kind", ["nulls", "lacks"])
    @pytest.mark.parametrize("name", ["id", "model", "stop_sequence", "stop_details"])
    async def test_values_that_nobody_needs(self, tmp_path, kind, name):
        """Gateways that leave these out are fine."""
        fault = Fault(kind=kind, fields=(name,), times=None)
        with playing(turn(fault), folder=tmp_path) as (_, session):
            assert len(await session.candidates()) == 1

    @pytest.mark.parametrize(
        ("fault", "words", "requests"),
        [
            (Fault(kind="empty", times=None), "empty, or no stream", 3),
            (Fault(kind="gzip", times=None), "cannot be decompressed", 3),
            (Fault(kind="html", status=200, times=None), "a web page came", 1),
            (Fault(kind="html", status=400, times=None), "perhaps from a proxy", 1),
            (Fault(kind="html", status=403, times=None), "or a proxy forbids it", 1),
            (Fault(kind="html", status=302, times=None), "check the base URL", 1),
            (Fault(kind="html", status=407, times=None), "into HTTPS_PROXY", 1),
            (Fault(kind="html", status=502, times=None), "has a fault: try again", 3),
        ],
        ids=["empty", "gzip", *(f"page-{n}" for n in (200, 400, 403, 302, 407, 502))],
    )
    async def test_bodies(self, tmp_path, fault, words, requests):
        """Whoever it was that answered, it was not the Messages API."""
        said, made = await failure(tmp_path, fault)
        assert words in said
        assert made == requests
        assert "<html>" not in said


def http(status: int, kind: str = "", message: str = "so it is", **headers: str):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(
        kind="http",
        status=status,
        error_type=kind or "api_error",
        message=message,
        headers=names,
        times=None,
    )


CREDIT = "Your credit balance is too low to access the Anthropic API."


class TestStatus:
    @pytest.mark.parametrize(
        ("fault", "words", "requests"),
        [
            (http(400, "invalid_request_error"), "or update Bonafix", 1),
            (http(400, "invalid_request_error", CREDIT), "has no credit", 1),
            (http(401, "authentication_error"), "check ANTHROPIC_API_KEY", 1),
            (http(402, "billing_error"), "has no credit", 1),
            (http(403, "permission_error"), "may not use this model", 1),
            (http(404, "not_found_error"), "choose another one with --model", 1),
            (http(413, "request_too_large"), "with the setting exclude", 1),
            (http(422, "invalid_request_error"), "or update Bonafix", 1),
            (http(408, "timeout_error"), "try again later", 3),
            (http(409), "try again later", 3),
            (http(429, "rate_limit_error"), "a rate limit of the account", 3),
            (http(500), "has a fault: try again later", 3),
            (http(503), "has a fault: try again later", 3),
            (http(529, "overloaded_error"), "the service is overloaded", 3),
            (http(503, x_should_retry="false"), "try again later", 1),
            (http(403, x_should_retry="true"), "may not use this model", 3),
        ],
        ids=lambda value: value.status if isinstance(value, Fault) else None,
    )
    async def test_for_good(self, tmp_path, fault, words, requests):
        """Each status says what to do, and is tried again only where it may help."""
        said, made = await failure(tmp_path, fault)
        assert words in said
        assert fault.message in said
        assert ("(after 3 attempts)" in said) == (requests == 3)
        assert made == requests

    @pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
    async def test_for_a_moment(self, tmp_path, status):
        """A busy service is asked again, and nothing is paid for its refusal."""
        busy = Fault(kind="http", status=status, error_type="api_error", times=1)
        with playing(turn(busy), folder=tmp_path) as (api, session):
            session.connect = _near
            (candidate,) = await session.candidates()
        assert len(api.messages) == 2
        assert candidate.cost.requests == 1
        assert f"the service answered {status}" in session.said


class TestWaiting:
    @pytest.mark.parametrize(
        ("headers", "words"),
        [
            ({"retry-after": "nan"}, "asking again in 0.1 s"),
            ({"retry-after": "inf"}, "asking again in 0.1 s"),
            ({"retry-after": "-3"}, "asking again in 0.1 s"),
            ({"retry-after": "soon"}, "asking again in 0.1 s"),
            ({"retry-after": "1"}, "asking again in 1.0 s"),
            ({"retry-after-ms": "700", "retry-after": "40"}, "asking again in 0.7 s"),
            (
                {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"},
                "asking again in 0.2 s",
            ),
        ],
        ids=lambda value: next(iter(value.values())) if isinstance(value, dict) else "",
    )
    async def test_as_long_as_it_is_asked_for(self, tmp_path, headers, words):
        """A sensible wait is honoured, another one is not believed."""
        fault = Fault(kind="http", status=429, headers=headers)
        with playing(turn(fault), folder=tmp_path) as (_, session):
            session.connect = _near
            assert len(await session.candidates()) == 1
        assert words in session.said

    @pytest.mark.parametrize("headers", [{"retry-after": "61"}, {"retry-after": "59"}])
    async def test_too_long(self, tmp_path, headers):
        """More patience than there is time for is not waited for, and said."""
        fault = Fault(kind="http", status=429, headers=headers)
        with playing(turn(fault), folder=tmp_path) as (api, session):
            session.seconds = 30.0
            words = f"it asks to wait {headers['retry-after']} s: a rate limit|overload"
            with pytest.raises(ServiceError, match=words):
                await session.candidates()
        assert len(api.messages) == 1

    async def test_no_time_for_our_own_pace(self, tmp_path):
        """Nobody asked to wait, so nobody is said to have."""
        fault = Fault(kind="disconnect", at="thinking", times=None)
        with playing(turn(fault), folder=tmp_path) as (_, session):
            session.connect = functools.partial(_near, pace=50.0)
            session.seconds = 20.0
            with pytest.raises(ServiceError, match="no time is left") as caught:
                await session.candidates()
        assert "asks to wait" not in str(caught.value)


class TestOverflow:
    @pytest.mark.parametrize(
        "played",
        [
            turn(stop_reason="model_context_window_exceeded"),
            turn(
                http(400, "invalid_request_error", "prompt is too long: 9 tokens > 8")
            ),
            turn(
                Fault(
                    kind="sse_error",
                    error_type="invalid_request_error",
                    message="prompt is too long: 9 tokens > 8 maximum",
                    at="thinking",
                    times=None,
                )
            ),
        ],
        ids=["reason", "status", "event"],
    )
    async def test_is_no_fix_and_no_failure(self, tmp_path, played):
        """The model can read no more: the answer is not used, and one is told."""
        with playing(played, folder=tmp_path) as (api, session):
            assert await session.candidates() == []
        assert executed(session) == 0
        assert session.fact("ending") == "truncated"
        assert "of it was used" in session.said
        assert len(api.messages) == 1


class TestMidStream:
    @pytest.mark.parametrize(
        ("kind", "words", "requests"),
        [
            ("authentication_error", "check ANTHROPIC_API_KEY", 1),
            ("permission_error", "may not use this model", 1),
            ("invalid_request_error", "or update Bonafix", 1),
            ("rate_limit_error", "a rate limit", 3),
            ("timeout_error", "try again later", 3),
            ("moon_error", "has a fault", 3),
        ],
    )
    async def test_errors(self, tmp_path, kind, words, requests):
        """An error in mid-stream is one, whatever the status was before it."""
        fault = Fault(kind="sse_error", error_type=kind, at="thinking", times=None)
        said, made = await failure(tmp_path, fault)
        assert f"broke off in mid-answer: {kind}: scripted fault" in said
        assert words in said
        assert "200" not in said
        assert made == requests

    async def test_a_slow_answer_arrives(self, tmp_path):
        """Drop by drop, but sooner than the read time-out."""
        slow = turn(Fault(kind="drip", size=40, seconds=1.0))
        with playing(slow, folder=tmp_path) as (api, session):
            session.connect = functools.partial(_near, stall=0.5)
            assert len(await session.candidates()) == 1
        assert len(api.messages) == 1

    async def test_too_slow_an_answer_is_no_fix(self, tmp_path):
        """Drops that would take for ever end at the deadline, and are paid for."""
        slow = turn(Fault(kind="drip", size=600, seconds=25.0))
        with playing(slow, folder=tmp_path) as (_, session):
            session.seconds = 1.5
            assert await session.candidates() == []
        assert executed(session) == 0
        assert session.fact("ending") == "budget"
        cost = session.fact("cost")
        assert cost.requests == 1
        assert cost.input_tokens > 500

    async def test_a_pause_is_gone_on_after(self, tmp_path):
        """`pause_turn` sends the answer back as it is, and asks for the rest."""
        paused = Turn(blocks=(Text("First this."),), stop_reason="pause_turn")
        with playing(paused, turn(), folder=tmp_path) as (api, session):
            assert len(await session.candidates()) == 1
        roles = [message["role"] for message in api.messages[1].json["messages"]]
        assert roles == ["user", "assistant"]
        api.assert_append_only()


class TestWhatIsPaid:
    async def test_a_cancel_in_mid_stream(self, tmp_path):
        """The input and what was heard are paid for before anybody cancels."""
        stuck = turn(Fault(kind="stall", seconds=25, at="tool"))
        with playing(stuck, folder=tmp_path) as (_, session):
            session.events = Watched()
            working = asyncio.create_task(session.candidates())
            async with asyncio.timeout(20):
                await session.events.paid.wait()
            working.cancel()
            with pytest.raises(asyncio.CancelledError):
                await working
        assert session.fact("cost").input_tokens > 500
        assert session.fact("cost").usd > 0

    async def test_a_deadline_in_mid_stream(self, tmp_path):
        """So are input and partial output when the time is up."""
        long = Turn(
            blocks=(Thinking("x" * 9000), edit(), SUBMIT),
            fault=Fault(kind="stall", seconds=25, at="tool"),
        )
        with playing(long, folder=tmp_path, timeout=60.0) as (_, session):
            session.seconds = 2.0
            assert await session.candidates() == []
        assert session.fact("ending") == "budget"
        cost = session.fact("cost")
        assert cost.requests == 1
        assert cost.input_tokens > 500
        assert 3000 <= cost.output_tokens < 3500

    async def test_the_cost_grows_with_the_answer(self, tmp_path):
        """It is told when the answer begins, while it grows, and when it is whole."""
        long = Turn(blocks=(Thinking("x" * 20_000), edit(), SUBMIT))
        with playing(long, folder=tmp_path) as (_, session):
            (candidate,) = await session.candidates()
        told = [e.facts["cost"] for e in session.events if "cost" in e.facts]
        outputs = [cost.output_tokens for cost in told]
        assert len(told) >= 4
        assert outputs[:-1] == sorted(outputs[:-1])  # estimates, then the count
        assert {cost.requests for cost in told} == {1}
        assert told[-1] == candidate.cost

    async def test_broken_attempts_are_paid_for_where_they_end_the_work(self, tmp_path):
        """Three attempts that broke are three requests of the receipt."""
        fault = Fault(kind="disconnect", at="tool", times=None)
        with playing(turn(fault), folder=tmp_path) as (_, session):
            with pytest.raises(ServiceError):
                await session.candidates()
            assert session.fact("cost").requests == 3

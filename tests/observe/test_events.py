"""Lines from a process that may say anything."""

import json

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bonafix.domain import Outcome
from bonafix.observe.events import _HANDLERS, Log
from bonafix.observe.fold import Attempt, fold
from bonafix.observe.sides import literal_first
from bonafix.observe.wire import split

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [
        *("id", "items", "ids", "lines", "frames", "values", "place", "phase"),
        *("outcome", "code", "opened", "message", "seconds", "plugins", "style"),
    ]
)


def line(event, nonce="right", **fields):
    """One event as it comes over the pipe."""
    return json.dumps({**fields, "event": event, "nonce": nonce}).encode()


def told(*lines):
    """A log that has heard those lines."""
    log = Log("right")
    for one in lines:
        log.hear(one)
    return log


def test_only_the_right_nonce_is_heard():
    """What a test prints, or an earlier run said, is no event."""
    log = told(
        line("start", id="a"),
        line("start", "wrong", id="b"),
        b'{"event": "start", "id": "c"}',
        b"not json",
        b"[]",
        line("unknown", id="d"),
    )
    assert log.current == "a"


# on a busy machine drawing is slow, which says nothing about the strategy
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(sorted(_HANDLERS)), st.dictionaries(KEYS, JSON))
@example("lines", {"id": None, "lines": {"": None}})
def test_nothing_that_is_said_breaks_the_listener(event, fields):
    """An event with anything in it is heard or left out, never an error."""
    log = told(line("start", id="a"), line(event, **fields))
    fold([Attempt(log=log)], command=())


@given(st.binary())
def test_bytes_are_split_without_loss(data):
    """Lines and the rest make up what was read."""
    buffer = bytearray(data)
    lines = list(split(buffer))
    assert b"".join(part + b"\n" for part in lines) + buffer == data
    assert b"\n" not in buffer


def test_a_failed_part_fails_its_test():
    """A subtest that failed counts, even if its test is then said to have passed."""
    log = told(
        line("collected", items=[{"id": "a", "style": "unittest"}]),
        line("start", id="a"),
        line("report", id="a", phase="setup", outcome="passed"),
        line("report", id="a", phase="call", outcome="failed", part=True, message="x"),
        line("report", id="a", phase="call", outcome="passed"),
        line("report", id="a", phase="teardown", outcome="passed"),
        line("done", id="a"),
        line("finish", code=0),
    )
    run = fold([Attempt(log=log)], command=())
    assert run.outcome("a") is Outcome.FAILED
    assert run.results["a"].message == "x"
    assert run.duplicates == ()


def test_literals_are_expectations():
    """A literal on the left of something computed is the expected side."""
    assert literal_first("assert 3 == f(1)")
    assert literal_first("self.assertEqual([1, 2], f(1))")
    assert not literal_first("assert f(1) == 3")
    assert not literal_first("assert 3 == 4")
    assert not literal_first("assert f(1) == g(2)")
    assert not literal_first("self.assertEqual(")

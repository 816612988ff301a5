"""Guards that no test asks for: knocked out, tried, and told with what they change."""

import asyncio
import textwrap

import pytest

from bonafix.calls import Behaviour, Call, FunctionRef, Value
from bonafix.domain import Change, Evidence, Outcome, Patch
from bonafix.judge.calls.contrast import Pair
from bonafix.judge.probe import Inquiry
from bonafix.judge.reading.guards import knocked_out
from bonafix.judge.unasked import Retrial, unasked

from .values import baseline, result, run

OLD = """
    def total(items, rate):
        net = sum(items)
        if rate < 0:
            raise ValueError("negative")
        return net
    """
FIXED = "return net + net * rate"


def patched(body, old=OLD):
    before = textwrap.dedent(old)
    after = before.replace("return net", textwrap.indent(body, "    ").lstrip())
    return Patch((Change("app/a.py", before.encode(), after.encode()),))


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (f"if len(items) < 3:\n    {FIXED}\nreturn net", {"if False:", "if True:"}),
        ("return net + net * rate if items else net", {"if False", "if True"}),
        ("return net + (items[0] and items[-1])", {"(items[0])", "(items[-1])"}),
        ("return min(net + net * rate, net)", {"(net + net * rate)", "(net)"}),
        ("return net + sum(items[:2]) * rate", {"items[:]"}),
    ],
)
def test_every_new_guard_is_knocked_out(body, lines):
    """Conditions, operands, clamps and bounds; each in a patch of its own."""
    made = [one.patch.changes[0].after.decode() for one in knocked_out(patched(body))]
    assert len(made) >= len(lines)
    assert all(any(line in text for text in made) for line in lines)


@pytest.mark.parametrize(
    "body", [FIXED, "return net * (1 + rate)", "return net or rate"]
)
def test_what_was_there_stays(body):
    """A condition of the original is no guard of the patch's."""
    assert all("rate < 0" not in one.text for one in knocked_out(patched(body)))
    assert body == "return net or rate" or knocked_out(patched(body)) == ()


CALL = Call(
    function=FunctionRef("app/a.py", "total"), module="app.a", args=(Value("int", "4"),)
)


def value(n):
    return Behaviour(kind="value", value=Value("int", str(n)))


def tried(body, *, green, there):
    """The record after a trial in which guardless patches pass or fail their tests."""
    patch = patched(body)

    async def tests(files, **_options):
        same = files == patch.files
        outcome = Outcome.PASSED if green or same else Outcome.FAILED
        return run(t=outcome, other="passed")

    async def behave(_files, calls):
        return [there for _ in calls]

    record = Evidence(stage="probe", result="pass", summary="", supports=True)
    found = Inquiry(record, (Pair(CALL, "near", value(1), value(2)),), behave)
    trial = Retrial(
        baseline=baseline(t="failed", other="passed"),
        targets=(result("t", Outcome.FAILED),),
        run=tests,
    )
    return asyncio.run(unasked(patch, found, trial)).record


GUARDED = f"if len(items) < 3:\n    {FIXED}\nreturn net"


def test_a_guard_that_no_test_asks_for_and_that_matters():
    """The doubt names the guard, the input and both answers."""
    record = tried(GUARDED, green=True, there=value(9))
    assert not record.supports
    assert "no test asks for `len(items) < 3`" in record.doubt
    assert "total(4) gives 9 instead of 2" in record.doubt
    assert record.refusal is None


def test_a_guard_that_nothing_shows():
    """Without a case in which it matters it is a doubt all the same."""
    record = tried(GUARDED, green=True, there=value(2))
    assert "no neighbour shows what it is for" in record.doubt


def test_a_guard_that_the_tests_ask_for():
    """Who takes it away fails: nothing is held against it."""
    record = tried(GUARDED, green=False, there=value(9))
    assert record.supports
    assert not record.doubt


def test_a_patch_without_guards_is_not_tried():
    """Nothing is run for it."""
    assert tried(FIXED, green=True, there=value(9)).supports

"""Guards that no test asks for: knocked out, tried, and told with what they change."""

import asyncio
import textwrap

import pytest

from bonafix.calls import Behaviour, Call, FunctionRef, Value
from bonafix.domain import Change, Evidence, Outcome, Patch
from bonafix.judge.calls.contrast import Pair
from bonafix.judge.probe import Inquiry
from bonafix.judge.reading.guards import MOST, knocked_out, left_over
from bonafix.judge.unasked import Retrial, unasked

from .values import baseline, result, run

OLD = """
    def total(items, rate):
        net = sum(items)
        if rate < 0:
            raise ValueError("negative")
        return net
    """
FIXED = "return net + rate"


def patched(body, old=OLD):
    before = textwrap.dedent(old)
    after = before.replace("return net", textwrap.indent(body, "    ").lstrip())
    return Patch((Change("app/a.py", before.encode(), after.encode()),))


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (f"if len(items) < 3:\n    {FIXED}\nreturn net", {"if False:", "if True:"}),
        ("return net + rate if items else net", {"if False", "if True"}),
        ("return net + (items[0] and items[-1])", {"(items[0])", "(items[-1])"}),
        ("return min(net + rate, net)", {"(net + rate)", "(net)"}),
        ("return net + sum(items[:2]) * rate", {"items[:]"}),
    ],
)
def test_every_new_guard_is_knocked_out(body, lines):
    """Conditions, operands, clamps and bounds; each in a patch of its own."""
    made = [one.patch.changes[0].after.decode() for one in knocked_out(patched(body))]
    assert len(made) >= len(lines)
    assert all(any(line in text for text in made) for line in lines)


@pytest.mark.parametrize(
    "body", [FIXED, "return net - (1 + rate)", "return net or rate"]
)
def test_what_was_there_stays(body):
    """A condition of the original is no guard of the patch's."""
    assert all("rate < 0" not in one.text for one in knocked_out(patched(body)))
    assert body == "return net or rate" or knocked_out(patched(body)) == ()


MATCHED = """
match items:
    case list():
        net += net * rate
    case _:
        net = 0
return net"""
REFUSED = """
match items:
    case list() if rate > 2:
        net += net * rate
    case _:
        raise TypeError(items)
return net"""
CAUGHT = """
try:
    net += rate + [1][len(items)]
except IndexError:
    net = 0
return net"""
ENDED = """
while net > 9:
    net -= 1
    if net == rate:
        break
return net"""


def texts(patch):
    """What the patched file is, without each of the guards."""
    return [one.patch.changes[0].after.decode() for one in knocked_out(patch)]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("return sum([n for n in items if n > 3])", {"if True]", "if False]"}),
        ("while net > 9:\n    net -= 1\nreturn net", {"while False:"}),
        (ENDED, {"while False:", "while True:"}),
        (MATCHED, {"case list() if False:", "case _ if False:"}),
        (REFUSED, {"case list() if False:", "case list() if True:"}),
        ("return (net, net * rate)[net < 9]", {"return (net)", "return (net * rate)"}),
        ("at = net < 9\nreturn [net, rate][at]", {"return (net)", "return (rate)"}),
        ("return range(9)[net] * rate", {"return (net) * rate"}),
        ("return net if(net < 3)else rate", {"if False else", "if True else"}),
        ("return {True: net, False: 0}[net < 9]", {"return (net)", "return (0)"}),
        ("return (lambda n: 1 if n > 3 else n)(net)", {"1 if True", "1 if False"}),
        ("if(net < 3):\n    return 0\nreturn net", {"if False:", "if True:"}),
    ],
)
def test_guards_without_a_branch_are_knocked_out_too(body, lines):
    """Filters, loops, cases, choices by index and lambdas."""
    made = texts(patched(body))
    assert all(any(line in text for text in made) for line in lines)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("while net > 9:\n    net -= 1\nreturn net", "while True:"),
        ("while items:\n    items.pop()\nreturn net", "while False:"),
        (REFUSED, "case _ if False:"),
        ("return (net, rate)[0]", "return (rate)"),
        (
            "try:\n    net /= rate\nexcept ValueError:\n    raise\nreturn net",
            " raise\n",
        ),
    ],
)
def test_what_guards_nothing_is_left_alone(body, line):
    """A loop that would not end, a closing refusal, a fixed index."""
    there = patched(body).changes[0].after.decode().count(line)
    assert all(text.count(line) <= there for text in texts(patched(body)))


def test_a_handler_lets_go_what_it_catches():
    """It counts only where an input shows what it is for."""
    (made,) = [one for one in knocked_out(patched(CAUGHT)) if one.handler]
    after = made.patch.changes[0].after.decode()
    assert "except IndexError:\n        raise\n    return net" in after
    assert made.shown
    assert made.text == "except IndexError:"


def outside(line):
    """A patch that puts a line on the level of the module."""
    before = textwrap.dedent(OLD)
    return Patch((Change("app/a.py", before.encode(), (line + before).encode()),))


def test_a_lambda_of_the_module_is_a_function():
    """Its condition counts like any other; what decides on import must show."""
    (false, true) = knocked_out(outside("PICK = lambda n: 1 if n < 3 else n\n"))
    assert not false.shown
    assert not true.shown
    (false, true) = knocked_out(outside("import os\nN = 1 if os.name else 2\n"))
    assert false.shown
    assert true.shown


@pytest.mark.parametrize("line", ["TYPE_CHECKING", '__name__ == "__main__"'])
def test_customs_of_a_module_are_no_guards(line):
    """How a module is run says nothing of its functions."""
    assert knocked_out(outside(f"if {line}:\n    import os\n")) == ()


MANY = "\n".join(f"if net > {n}:\n    net -= 1" for n in range(MOST)) + "\nreturn net"


def test_an_old_condition_in_other_words_comes_last():
    """Neither do they use up the quota nor are they left over."""
    known = "".join(f"a{n} = rate < {n}\n    " for n in range(1, MOST))
    old = OLD.replace("net = sum", known + "net = sum")
    body = "".join(f"if {n} > rate:\n    net += {n}\n" for n in range(1, MOST - 1))
    body += f"if not (rate >= {MOST - 1}):\n    net = 0\n"
    patch = patched(body + "if net < 3:\n    net = 1\nreturn net", old)
    made = knocked_out(patch)
    assert len(made) == MOST
    assert [one.text for one in made[:2]] == ["net < 3", "net < 3"]
    assert left_over(patch) == 0
    assert left_over(patched(MANY)) == MOST


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


RAISED = Behaviour(kind="raise", exception="builtins:IndexError")


def test_a_handler_that_no_test_asks_for():
    """Where it matters something is raised; where it does not, nothing is said."""
    record = tried(CAUGHT, green=True, there=RAISED)
    assert "no test asks for `except IndexError:`" in record.doubt
    assert "total(4)" in record.doubt
    assert tried(CAUGHT, green=True, there=value(2)).supports


def test_a_guard_without_which_something_is_raised():
    """That is what guards are for: only a handler is held to it."""
    record = tried(GUARDED, green=True, there=RAISED)
    assert "no neighbour shows" in record.doubt


def test_more_guards_than_can_be_tried():
    """What has not been looked at is said, not passed over."""
    record = tried(MANY, green=False, there=value(2))
    assert record.doubt == f"too many new conditions to try each: {MOST} left over"
    assert not record.supports
    assert record.refusal is None


def test_a_patch_without_guards_is_not_tried():
    """Nothing is run for it."""
    assert tried(FIXED, green=True, there=value(9)).supports

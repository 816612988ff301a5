"""Whole suites in forks say what a fresh process says, and stop at the first loss."""

import asyncio
import time
from dataclasses import replace

import pytest

from bonafix.domain import Outcome, SuiteRun, TestResult
from bonafix.observe.known import Known, contradicts
from bonafix.observe.seats import Tally, Turns
from bonafix.observe.warm import warm
from tests.observe.environments import MissingError, python
from tests.observe.harness import bench, config, outcomes, write
from tests.observe.hazards import HAZARDS, NEW, OLD
from tests.observe.test_haste import ORDERED
from tests.observe.test_swap import Notes, changed
from tests.observe.test_warm import processes

PRODUCT = "shop.py"
LEAVE = 'open(mark(), "w").close()'
PROJECT = {
    PRODUCT: """
        import os
        import time


        def rate():
            return 1


        def wait():
            return 0


        def mark():
            return ""


        def leave():
            if mark():
                open(mark(), "w").close()
    """,
    "test_a.py": """
        import pytest

        import shop


        @pytest.fixture(scope="session")
        def given():
            return [shop.rate()]


        def test_first(given):
            assert given == [1]


        def test_red():
            assert shop.rate() == 2


        def test_rate(given):
            assert shop.rate() == given.pop() == 1


        @pytest.mark.skipif(shop.rate() == 2, reason="two")
        def test_alone():
            assert shop.rate() == 1


        @pytest.mark.xfail
        def test_expected():
            assert shop.rate() == 0


        def test_left():
            shop.leave()
    """,
    "test_b.py": """
        import time

        import shop


        def test_wait():
            time.sleep(shop.wait())


        def test_last():
            time.sleep(shop.wait())
    """,
}
PARTS = (("test_a.py",), ("test_b.py",))


def told(root, files, story, interpreter="", parts=(), **options):
    """What `story` makes of a screen that knows a cold run of the suite, and the notes.

    It gets the screen, that run, and the cold runner.
    """
    notes = Notes()

    async def whole(made):
        base = await made.run({})
        place = made.snapshot, made.interpreter, made.config
        known = Known(base, frozenset(options.get("unsteady", ())))
        options.pop("unsteady", None)
        async with warm(
            *place, listen=notes, suite=known, parts=parts, **options
        ) as screen:
            return await story(screen, base, made.run)

    with bench(write(root / "shop", files), config(interpreter)) as made:
        found = asyncio.run(whole(made))
        assert not (made.snapshot.lower.parent / "cells").exists()
    assert processes() == []
    return found, notes


def candidate(old, new):
    return changed(old, new, PRODUCT, PROJECT)


@pytest.mark.parametrize("parts", [(), PARTS], ids=["in one", "in parts"])
def test_it_says_what_a_fresh_process_says(parts, tmp_path):
    """All outcomes of the suite, in its order, also where the functions changed."""

    async def story(screen, _base, cold):
        files = [{}, candidate("return 1", "return 2"), candidate("return 0", "return")]
        return [(await screen(one), await cold(one)) for one in files]

    runs, notes = told(tmp_path, PROJECT, story, parts=parts)
    for quick, fresh in runs:
        assert outcomes(quick) == outcomes(fresh)
        assert quick.collected == fresh.collected
        assert quick.finished
    assert set(outcomes(runs[0][0]).values()) == {"passed", "failed", "xfailed"}
    assert notes.tiers == {"suite by swap": 2, "cold": 1}
    assert notes.falls == {
        "whole suite: what it changes ran while tests were collected": 1
    }


def test_the_first_that_got_worse_ends_it(tmp_path):
    """What is red or skipped anyway does not; the other part is stopped, too."""
    worse = candidate("return 1", "return 3")
    slow = {PRODUCT: worse[PRODUCT].replace(b"return 0", b"return 60")}
    text = PROJECT["test_a.py"]
    skip = '@pytest.mark.skipif(shop.rate() == 2, reason="two")'
    files = PROJECT | {"test_a.py": text.replace(skip, "")}

    async def story(screen, _base, _cold):
        await screen.suite({})
        begun = time.monotonic()
        run = await screen.suite(slow)
        seconds = time.monotonic() - begun
        return run, seconds, await screen.worsened(slow), await screen.worsened({})

    (run, seconds, lost, none), notes = told(tmp_path, files, story, parts=PARTS)
    assert outcomes(run)["test_a.py::test_first"] == "failed"
    assert outcomes(run)["test_a.py::test_red"] == "missing"
    assert seconds < 30.0
    assert lost == ("test_a.py::test_first",)
    assert none == ()
    assert notes.falls == {}
    assert notes.tiers == {"suite by swap": 4, "swap": 2}


def test_a_hang_is_bounded(tmp_path):
    """It costs its time-out, twice, and not the process in which it hung."""
    hung = candidate("return 0", "return 600")

    async def story(screen, _base, _cold):
        await screen.suite({})
        begun = time.monotonic()
        lost = await screen.worsened(hung, per_test=1.5)
        seconds = time.monotonic() - begun
        return lost, seconds, await screen.worsened({})

    (lost, seconds, none), notes = told(tmp_path, PROJECT, story)
    assert lost == ("test_b.py::test_wait",)
    assert seconds < 20.0
    assert none == ()
    assert notes.falls == {}


def test_a_cancel_leaves_nothing(tmp_path):
    """Nothing of it runs on, and the next candidate is none the worse for it."""
    hung = candidate("return 0", "return 600")

    async def story(screen, _base, _cold):
        await screen.suite({})
        job = asyncio.create_task(screen.suite(hung))
        await asyncio.sleep(1.0)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        return await screen.suite({})

    run, notes = told(tmp_path, PROJECT, story, parts=PARTS)
    assert run.finished
    assert notes.tiers == {"suite by swap": 2}


def test_what_is_left_is_taken_away(tmp_path):
    """What one candidate's tests write is not there for the next."""
    writes = candidate('return ""', 'return "mark"')

    async def story(screen, _base, _cold):
        runs = [await screen.suite(one) for one in (writes, {}, writes, {})]
        return runs, processes()

    (runs, _), notes = told(tmp_path, PROJECT, story)
    assert all(run is not None and run.finished for run in runs)
    assert notes.falls == {}
    assert notes.tiers == {"suite by swap": 4}


def test_what_cannot_be_put_back_ends_the_process(tmp_path):
    """A folder that is gone; after the second process there is none."""
    gone = "import shutil; shutil.rmtree(mark())"
    project = {**PROJECT, PRODUCT: PROJECT[PRODUCT].replace(LEAVE, gone)}
    project["mark/any.txt"] = ""
    writes = changed('return ""', 'return "mark"', PRODUCT, project)

    async def story(screen, _base, _cold):
        return [await screen.suite(one) for one in (writes, {}, writes, {})]

    runs, notes = told(tmp_path, project, story)
    told_of = [run is not None and run.finished for run in runs]
    assert told_of == [True, True, True, False]
    reason = "whole suite: tests leave mark behind"
    assert notes.falls == {reason: 1}
    assert notes.tiers == {"suite by swap": 3}


def test_parts_that_depend_on_company_are_one(tmp_path):
    """Where a part says something else than the whole, it is run as a whole."""

    async def story(screen, _base, _cold):
        return await screen({})

    run, notes = told(tmp_path, ORDERED, story, parts=(("test_a.py",), ("test_b.py",)))
    assert set(outcomes(run).values()) == {"passed"}
    assert notes.tiers == {"suite by swap": 1}
    reason = "test_b.py::test_b is failed in a fork and passed in a fresh process"
    assert notes.falls == {f"whole suite: not in parts: {reason}": 1}


COMPANY = {
    PRODUCT: """
        seen = []


        def rate():
            return 1


        def note():
            seen.append(rate())
    """,
    "test_a.py": "import shop\ndef test_a(): shop.note()\n",
    "test_b.py": "import shop\ndef test_b(): assert shop.seen[-1:] in ([], [1])\n",
}


def test_what_only_company_makes_worse_is_left_open(tmp_path):
    """Worse in the suite and not on its own: fresh processes are to say it."""
    other = changed("return 1", "return 2", PRODUCT, COMPANY)

    async def story(screen, _base, _cold):
        run = await screen.suite(other)
        return run, await screen.worsened(other)

    (run, lost), notes = told(tmp_path, COMPANY, story)
    assert outcomes(run)["test_b.py::test_b"] == "failed"
    assert lost is None
    assert notes.falls == {}


BARRED = {
    "a thread": "a thread was started",
    "a database handle": "a file or pipe was opened",
    "a file that it writes": "",
    "a file of its own": "leave something behind",
    "a cache that it filled": "ran while tests were collected",
    "tests in their order": "",
    "settings, read when asked for": "",
    "warnings as errors": "",
}


@pytest.mark.parametrize("name", BARRED)
def test_hazards(name, tmp_path):
    """Whole suites of what would fool a fork: the same outcomes, or a named reason."""
    files, _, _ = HAZARDS[name]
    other = changed(OLD, NEW, PRODUCT, files)

    async def story(screen, _base, cold):
        return [await screen(other) for _ in "12"], await cold(other)

    (quick, fresh), notes = told(tmp_path, files, story)
    assert [outcomes(run) for run in quick] == [outcomes(fresh)] * 2
    assert bool(notes.falls) is bool(BARRED[name])
    assert any(BARRED[name] in why for why in notes.falls) or not notes.falls
    assert ("suite by swap" in notes.tiers) is not bool(BARRED[name])


def test_plugins_are_at_home(tmp_path):
    """Workers, coverage, and a random order that is pinned."""
    try:
        interpreter = python("pytest7")
    except MissingError as error:
        pytest.fail(str(error))
    options = "-n2 --cov=shop --cov-fail-under=100 -p no:rerunfailures -x"
    files = PROJECT | {"pytest.ini": f"[pytest]\naddopts = {options}\n"}

    async def story(screen, _base, cold):
        return await screen({}), await cold({})

    (quick, fresh), notes = told(tmp_path, files, story, interpreter)
    assert outcomes(quick) == outcomes(fresh)
    assert quick.collected == fresh.collected
    assert notes.tiers == {"suite by swap": 1}


def test_another_outcome_than_known_bars_it(tmp_path):
    """Where the untouched suite does something else in a fork, none is believed."""
    red = "test_a.py::test_red"

    async def story(screen, base, _cold):
        green = replace(base.results[red], outcome=Outcome.PASSED)
        results = {**base.results, red: green}
        other = replace(base, results=results)
        return [await screen.worsened({}, before=other) for _ in "12"]

    tally = Tally()
    found, _ = told(tmp_path, PROJECT, story, tally=tally)
    assert found == [None, None]
    why = f"{red} is failed in a fork and passed in a fresh process"
    assert tally.falls[f"whole suite: {why}"] == 2
    assert tally.runs == {}
    assert processes() == []


def test_it_is_screened_over_the_ground(tmp_path):
    """What candidates share is collected over; another ground gets new processes."""
    fixed = candidate("return 1", "return 2")
    fixed["test_a.py"] = b"import shop\ndef test_red(): assert shop.rate() == 2\n"
    worse = {PRODUCT: fixed[PRODUCT].replace(b"return 2", b"return 4")}

    async def story(screen, _base, cold):
        over = screen.over(fixed)
        before = await cold(fixed)
        first = await over.worsened({}, before=before)
        lost = await over.worsened(worse, before=before)
        return first, lost, await screen.worsened({})

    (first, lost, again), notes = told(tmp_path, PROJECT, story, parts=PARTS)
    assert (first, lost, again) == ((), ("test_a.py::test_red",), ())
    assert notes.falls == {}


def known(unsteady=(), **ids):
    results = {
        i: TestResult(id=i, outcome=Outcome(how)) for i, how in ids.items() if how
    }
    return Known(SuiteRun(results=results, collected=(*ids,)), frozenset(unsteady))


def test_what_is_news():
    """Worse is what the gate calls so; what is unsteady or was not reached is none."""
    before = known(
        unsteady=("e", "row[1]"),
        a="passed",
        b="failed",
        c="skipped",
        d="xfailed",
        e="passed",
        **{"row[1]": "passed", "row[2]": "passed", "row": "passed"},
    )
    assert before.tolerated == {
        "b": ("failed",),
        "c": ("skipped", "xfailed"),
        "d": ("xfailed",),
        **dict.fromkeys(("e", "row[1]", "row[2]"), ("failed", "skipped", "xfailed")),
    }
    passed = dict.fromkeys("abcd", "passed") | {"row": "passed"}
    assert before.news(known(**passed).run) == ()
    assert before.news(known(**passed | {"b": "error", "e": "failed"}).run) == ()
    assert before.news(known(**passed | {"c": "failed"}).run) == ("c",)
    assert before.news(known(**passed | {"b": "skipped"}).run) == ("b",)
    assert before.news(known(**passed | {"a": ""}).run) == ("a",)
    stopped = replace(known(**passed | {"a": ""}).run, finished=False)
    assert before.news(stopped) == ()
    assert set(before.differing(known(**passed).run)) == {"b", "c", "d"}
    assert known(a="passed", b="hung").unsettled == "b"


async def test_jobs_take_turns():
    """No more at once than there are cores; one job's many do not keep another out."""
    turns, order, now = Turns(2), [], []

    async def work(job, n):
        async with turns.one(job):
            now.append(job)
            assert len(now) <= 2
            order.append((job, n))
            await asyncio.sleep(0.01)
            now.remove(job)

    many = [asyncio.create_task(work("many", n)) for n in range(6)]
    await asyncio.sleep(0)
    one = asyncio.create_task(work("one", 0))
    await asyncio.sleep(0)
    many[3].cancel()
    await asyncio.gather(one, *many, return_exceptions=True)
    assert order[:3] == [("many", 0), ("many", 1), ("many", 2)]
    assert order[3] == ("one", 0)
    assert order[4:] == [("many", 4), ("many", 5)]
    assert (turns.free, turns.waiting) == (2, {})


@pytest.mark.parametrize(
    ("seen", "told", "bars"),
    [
        (Outcome.PASSED, Outcome.PASSED, False),
        (Outcome.HUNG, Outcome.FAILED, False),
        (Outcome.HUNG, Outcome.PASSED, True),
        (Outcome.PASSED, Outcome.FAILED, True),
        (Outcome.ERROR, Outcome.FAILED, True),
    ],
)
def test_only_a_red_one_may_run_out_of_time(seen, told, bars):
    """It had less of it than in the baseline; nothing else may be otherwise."""
    assert contradicts(seen, told) is bars

"""A warm runner says what a cold one says, keeps nothing, and leaves nothing."""

import asyncio
import os
import sys
import time
from contextlib import contextmanager

import psutil
import pytest

from bonafix.domain import Outcome
from bonafix.observe.warm import warm
from tests.observe.harness import bench, config, outcomes, write

PROJECT = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        filterwarnings = ["error"]
        asyncio_mode = "strict"
        asyncio_default_fixture_loop_scope = "function"
    """,
    "shop/__init__.py": "",
    "shop/price.py": """
        import os
        import time

        seen = []

        def total(items):
            seen.append(items)
            return sum(items) + 1

        def leave(how):
            if how == "exit":
                os._exit(0)
            if how == "sleep":
                time.sleep(600)
    """,
    "tests/test_price.py": """
        import asyncio
        import unittest

        import pytest

        from shop import price


        def test_good():
            assert price.total([]) == 1


        def test_bad():
            assert price.total([1, 2]) == 3


        @pytest.mark.parametrize("n", [1, 2], ids=["one [1]", "two::2"])
        def test_each(n):
            assert price.total([n]) == 3


        @pytest.mark.asyncio
        async def test_async():
            await asyncio.sleep(0)
            assert price.total([]) == 0


        class TestOld(unittest.TestCase):
            def test_old(self):
                self.assertEqual(price.total([]), 1)


        @pytest.mark.parametrize("how", ["", "exit", "sleep"])
        def test_leave(how):
            price.leave(how)


        @pytest.fixture
        def broken():
            raise LookupError


        def test_set_up(broken):
            pass


        def test_alone():
            price.total([5])
            assert price.seen == [[5]]
    """,
}
HERE = "tests/test_price.py::"
NAMES = [
    *("test_good", "test_bad", "test_each[one [1]]", "test_each[two::2]"),
    *("test_async", "TestOld::test_old", "test_leave[]", "test_leave[exit]"),
    *("test_leave[sleep]", "test_set_up"),
]
IDS = tuple(HERE + name for name in NAMES)
RIGHT = PROJECT["shop/price.py"].replace("sum(items) + 1", "sum(items)")


def source(text):
    """A candidate: one new text of the module."""
    lines = [line.removeprefix("        ") for line in text.splitlines()]
    return {"shop/price.py": "\n".join(lines).encode()}


@contextmanager
def workshop(tmp_path, files=PROJECT):
    """A bench whose interpreter has plugins, coroutine tests among them."""
    with bench(write(tmp_path / "shop", files), config(sys.executable)) as made:
        yield made


def place(made):
    return made.snapshot, made.interpreter, made.config


def processes():
    """All that run below this one, apart from the dead."""
    found = psutil.Process().children(recursive=True)
    return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]


class Notes(list):
    """A listener that keeps why a runner went cold."""

    def __call__(self, event):
        if "cold" in event.facts:
            self.append(event.facts["cold"])


def test_outcomes_are_those_of_a_cold_run(tmp_path):
    """Passed, failed, parameters, coroutine, unittest, dead and hung: all the same."""
    notes = Notes()

    async def both(made):
        wishes = {"select": IDS, "per_test": 4.0}
        cold = await made.run({}, **wishes)
        async with warm(*place(made), listen=notes) as run:
            return cold, await run({}, **wishes), await run({}, **wishes)

    with workshop(tmp_path) as made:
        cold, first, second = asyncio.run(both(made))
    assert list(outcomes(cold)) == list(IDS)
    assert set(outcomes(cold).values()) == {
        *("passed", "failed", "error", "crashed", "hung")
    }
    assert outcomes(first) == outcomes(cold)
    assert outcomes(second) == outcomes(cold)
    assert first.finished
    assert second.finished
    bad = HERE + "test_bad"
    assert second.results[bad].actual == cold.results[bad].actual == "4"
    assert second.results[bad].frames == cold.results[bad].frames
    assert notes == []


def test_a_candidate_is_run_and_gone(tmp_path):
    """Each run sees its own files alone: changed, broken, deleted, new."""
    select = (HERE + "test_good", HERE + "test_bad")
    candidates = [
        source(RIGHT),
        {},
        source("def total(items:\n"),
        {"shop/price.py": b"from shop import extra as price\ntotal = price.total\n"},
        {
            "shop/price.py": b"from shop.more.extra import total\n",
            "shop/more/extra.py": b"def total(items):\n    return 3\n",
        },
        {"shop/price.py": b"from shop.more.extra import total\n"},
        {"shop/price.py": None},
        source(RIGHT),
        {},
    ]

    async def each(made):
        async with warm(*place(made), cells=1) as run:
            return [await run(files, select=select) for files in candidates]

    with workshop(tmp_path) as made:
        runs = asyncio.run(each(made))
    told = [[str(run.outcome(i)) for i in select] for run in runs]
    uncollected = ["missing", "missing"]
    assert told == [
        ["failed", "passed"],
        ["passed", "failed"],
        uncollected,
        uncollected,
        ["failed", "passed"],
        uncollected,
        uncollected,
        ["failed", "passed"],
        ["passed", "failed"],
    ]
    assert "SyntaxError" in runs[2].collection_errors[0].message
    assert "ImportError" in runs[3].collection_errors[0].message


def test_versions_of_one_size_and_second_are_told_apart(tmp_path):
    """What was compiled of one candidate is never run for another."""
    select = (HERE + "test_good",)
    versions = [str(n % 4) for n in range(12)]

    async def each(made):
        async with warm(*place(made), cells=1) as run:
            for n in versions:
                files = {"shop/price.py": f"def total(x): return {n}".encode()}
                yield await run(files, select=select)

    async def gathered(made):
        return [str(run.outcome(select[0])) async for run in each(made)]

    with workshop(tmp_path) as made:
        told = asyncio.run(gathered(made))
    assert told == ["passed" if n == "1" else "failed" for n in versions]


def test_modules_and_environment_do_not_leak(tmp_path):
    """What a test does to a module, the environment or a plugin dies with its run."""
    files = {
        "state.py": "calls = []",
        "test_state.py": """
            import os

            import pytest

            import state


            def test_fresh():
                assert state.calls == []
                assert "LEFT" not in os.environ
                assert not hasattr(pytest, "left")
                state.calls.append(1)
                os.environ["LEFT"] = pytest.left = "1"
        """,
    }

    async def thrice(made):
        async with warm(*place(made), cells=1) as run:
            return [await run({}, select=["test_state.py::test_fresh"]) for _ in "123"]

    with workshop(tmp_path, files) as made:
        runs = asyncio.run(thrice(made))
    assert [str(run.outcome("test_state.py::test_fresh")) for run in runs] == (
        ["passed"] * 3
    )


def test_what_a_test_leaves_running_is_gone(tmp_path):
    """A process that a test started, in a session of its own, ends with its run."""
    files = {
        "test_start.py": """
            import os
            import subprocess


            def test_start():
                subprocess.Popen(["sleep", "618"], start_new_session=True)


            def test_see():
                found = [p for p in os.listdir("/proc") if p.isdigit()]
                lines = [open(f"/proc/{p}/cmdline").read() for p in found]
                assert not [line for line in lines if "618" in line]
        """
    }

    async def both(made):
        async with warm(*place(made), cells=1) as run:
            started = await run({}, select=["test_start.py::test_start"])
            return started, await run({}, select=["test_start.py::test_see"])

    with workshop(tmp_path, files) as made:
        started, seen = asyncio.run(both(made))
    assert started.outcome("test_start.py::test_start") is Outcome.PASSED
    assert seen.outcome("test_start.py::test_see") is Outcome.PASSED


@pytest.mark.parametrize("after", [0.2, 1.0, 4.0], ids=["start", "load", "test"])
def test_a_cancel_leaves_nothing(after, tmp_path):
    """Whatever it was doing, nothing runs when a cancelled runner has returned."""

    async def cancelled(made):
        async with warm(*place(made)) as run:
            wish = {"select": [HERE + "test_leave[sleep]"], "per_test": 60.0}
            jobs = [asyncio.create_task(run({}, **wish)) for _ in range(2)]
            await asyncio.sleep(after)
            for job in jobs:
                job.cancel()
            return await asyncio.gather(*jobs, return_exceptions=True)

    with workshop(tmp_path) as made:
        ends = asyncio.run(cancelled(made))
        assert [type(end) for end in ends] == [asyncio.CancelledError] * 2
        assert processes() == []
        assert not (made.snapshot.lower.parent / "cells").exists()


def test_it_runs_on_after_a_cancel(tmp_path):
    """A cancelled run costs its process, not the runner."""

    async def story(made):
        async with warm(*place(made), cells=1) as run:
            good = [HERE + "test_good"]
            await run({}, select=good)
            job = asyncio.create_task(run({}, select=[HERE + "test_leave[sleep]"]))
            await asyncio.sleep(1.0)
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)
            return await run({}, select=good)

    with workshop(tmp_path) as made:
        run = asyncio.run(story(made))
    assert run.outcome(HERE + "test_good") is Outcome.PASSED


def test_the_whole_run_has_a_limit(tmp_path):
    """A run that takes too long is ended, and says that it was."""

    async def late(made):
        async with warm(*place(made), cells=1) as run:
            await run({}, select=[HERE + "test_good"])
            begun = time.monotonic()
            found = await run({}, select=[HERE + "test_leave[sleep]"], seconds=3.0)
            return found, time.monotonic() - begun

    with workshop(tmp_path) as made:
        run, seconds = asyncio.run(late(made))
    assert run.timed_out
    assert 3.0 <= seconds < 10.0


def test_another_outcome_than_expected_goes_cold(tmp_path):
    """Where the untouched tree does something else warm, nothing warm is believed."""
    bad = HERE + "test_bad"
    notes = Notes()

    async def story(made):
        expected = {bad: Outcome.PASSED}
        async with warm(*place(made), expected=expected, listen=notes) as run:
            found = await run({}, select=[bad])
            return found, processes()

    with workshop(tmp_path) as made:
        run, left = asyncio.run(story(made))
    assert run.outcome(bad) is Outcome.FAILED
    assert notes == [f"{bad} is failed in a warm process and passed in a fresh one"]
    assert left == []


def test_a_test_that_ends_the_server_goes_cold(tmp_path):
    """Two lost processes are enough; the answers are right all the same."""
    files = {
        "test_kill.py": """
            import os
            import signal
            import sys

            import pytest


            def test_kill():
                if os.getppid() != 1:  # not the first process of the cell
                    os.kill(os.getppid(), signal.SIGKILL)
        """
    }
    notes = Notes()

    async def story(made):
        wish = {"select": ["test_kill.py::test_kill"]}
        async with warm(*place(made), cells=1, listen=notes) as run:
            return [await run({}, **wish) for _ in range(3)]

    with workshop(tmp_path, files) as made:
        runs = asyncio.run(story(made))
    told = [str(run.outcome("test_kill.py::test_kill")) for run in runs]
    assert told == ["passed"] * 3
    assert len(notes) == 1
    assert notes[0].startswith("2 warm processes were lost")


def test_a_plugin_that_starts_a_thread_is_left_to_the_runs(tmp_path):
    """Nothing is forked from a process with threads: what starts one is not loaded."""
    files = {
        "test_thread.py": """
            import threading

            import ticker


            def test_alive():
                assert ticker.thread.is_alive()
                assert threading.active_count() == 2
        """,
        # a plugin that may be installed beside us, and has a thread of its own
        "pytest.ini": "[pytest]\naddopts = -p no:rerunfailures\n",
    }
    library = write(
        tmp_path / "library",
        {
            "ticker.py": """
                import threading

                thread = threading.Thread(target=threading.Event().wait, daemon=True)
                thread.start()
            """
        },
    )
    select = ["test_thread.py::test_alive"]
    notes = Notes()

    async def story(made):
        async with warm(*place(made), cells=1, listen=notes) as run:
            return [await run({}, select=select) for _ in range(2)]

    os.environ["PYTHONPATH"] = str(library)
    try:
        with workshop(tmp_path, files) as made:
            runs = asyncio.run(story(made))
    finally:
        del os.environ["PYTHONPATH"]
    assert [str(run.outcome(select[0])) for run in runs] == ["passed"] * 2
    assert notes == []


def test_no_process_namespace_means_cold(tmp_path):
    """Where left-over processes could not be ended for sure, every run is a new one."""
    notes = Notes()
    root = write(tmp_path / "shop", PROJECT)

    async def story(made):
        async with warm(*place(made), listen=notes) as run:
            return await run({}, select=[HERE + "test_good"])

    with bench(root, config(sys.executable, confine="off")) as made:
        run = asyncio.run(story(made))
    assert run.outcome(HERE + "test_good") is Outcome.PASSED
    assert notes == ["what a test leaves running could not be ended here"]


def test_the_rest_is_cold(tmp_path):
    """Whole suites and recordings are no screening: they start no warm process."""

    async def story(made):
        async with warm(*place(made)) as run:
            lines = await run({}, select=[HERE + "test_good"], record_lines=True)
            some = await run({}, expression="good")
            return lines, some, processes()

    with workshop(tmp_path) as made:
        lines, some, left = asyncio.run(story(made))
    assert lines.lines[HERE + "test_good"]["shop/price.py"]
    assert some.collected == (HERE + "test_good",)
    assert left == []

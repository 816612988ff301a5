"""Tests that hang, and tests that take the process along: the others still run."""

import asyncio
import time

import pytest

from bonafix.domain import Place
from bonafix.errors import UntrustedError
from bonafix.observe.usable import require_usable
from tests.observe.harness import bench, config, observe, outcomes, write

SPIN = """
    def spin(step):
        total = 0
        while True:
            total += step
"""
ENDS = {
    "loop.py": SPIN,
    "test_ends.py": """
        import ctypes
        import os

        import pytest

        from loop import spin


        def test_before():
            pass


        def test_hangs():
            spin(2)


        def test_exits():
            os._exit(0)


        def test_between():
            assert 0


        def test_crashes():
            ctypes.string_at(0)


        def test_ends_session():
            pytest.exit("enough")


        def test_last():
            os.abort()
    """,
}


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """One run of all of them, with a short time for each."""
    root = write(tmp_path_factory.mktemp("ends"), ENDS)
    return observe(root, per_test=4.0, record_lines=True)


def test_the_others_still_run(ends):
    """Each test has its own end, whatever the one before it did to the process."""
    told = {i.rpartition("::")[2]: o for i, o in outcomes(ends).items()}
    assert told == {
        "test_before": "passed",
        "test_hangs": "hung",
        "test_exits": "crashed",
        "test_between": "failed",
        "test_crashes": "crashed",
        "test_ends_session": "crashed",
        "test_last": "crashed",
    }
    assert ends.finished
    assert ends.exit_code == 1
    assert not ends.timed_out


def test_how_they_died_is_told(ends):
    """The message names the exit code, the signal, or who ended the session."""
    results = {i.rpartition("::")[2]: r.message for i, r in ends.results.items()}
    assert "exit code 0" in results["test_exits"]
    assert "signal 11" in results["test_crashes"]
    assert "enough" in results["test_ends_session"]
    assert "time limit" in results["test_hangs"]


def test_an_endless_loop_says_where_it_is(ends):
    """The frames of a hanging test lead into the loop, and its lines are known."""
    result = ends.results["test_ends.py::test_hangs"]
    assert result.frames[-1].path == "loop.py"
    assert result.frames[-1].function == "spin"
    assert result.frames[-1].values["step"] == "2"
    assert result.place == Place("test_ends.py", 14)
    assert ends.lines[result.id]["loop.py"] >= {3, 4}


MANY = {
    "loop.py": """
        def spin(step):
            total = 0
            while step:
                total += step

        def work(until):
            total = 0
            while time.process_time() < until:
                total += 1

        import time
    """,
    "test_many.py": """
        import time

        import pytest

        from loop import spin, work


        @pytest.mark.parametrize("n", range(8))
        def test_loop(n):
            spin(n)


        def test_slow():
            work(time.process_time() + 1.0)
    """,
}


def test_who_is_where_another_hung_is_not_waited_for(tmp_path, monkeypatch):
    """All rows end, though one loop hangs seven; who is slow elsewhere passes."""
    monkeypatch.setattr("bonafix.observe.process.SOON", 0.5)
    began = time.monotonic()
    done = observe(write(tmp_path, MANY), per_test=8.0, record_lines=True)
    told = {i.rpartition("::")[2]: o for i, o in outcomes(done).items()}
    rows = {f"test_loop[{n}]": "hung" if n else "passed" for n in range(8)}
    assert told == {**rows, "test_slow": "passed"}
    assert done.finished
    assert time.monotonic() - began < 7 * 8.0
    results = {i.rpartition("::")[2]: r for i, r in done.results.items()}
    assert "time limit" in results["test_loop[1]"].message
    for n in range(2, 8):
        row = results[f"test_loop[{n}]"]
        assert "where a test before it had hung" in row.message
        assert row.frames[-1].function == "spin"
        assert done.lines[row.id]["loop.py"] >= {3, 4}


def test_restarts_are_bounded(tmp_path):
    """A suite in which everything dies is given up on, and says so."""
    files = {
        "test_all.py": """
            import os

            import pytest


            @pytest.mark.parametrize("n", range(9))
            def test_dies(n):
                os._exit(n)
        """
    }
    run = observe(write(tmp_path, files))
    told = list(outcomes(run).values())
    assert told == ["crashed"] * 6 + ["missing"] * 3
    assert not run.finished
    with pytest.raises(UntrustedError, match=r"6 tests hung or ended .*6 of 9 tests"):
        require_usable(run)


def test_time_limit_of_the_whole_run(tmp_path):
    """The run ends at its limit, with what was done by then."""
    files = {
        "test_slow.py": """
            import time


            def test_quick():
                pass


            def test_slow():
                time.sleep(60)
        """
    }
    begun = time.monotonic()
    run = observe(write(tmp_path, files), seconds=4.0)
    assert time.monotonic() - begun < 30
    assert run.timed_out
    assert not run.finished
    assert str(run.outcome("test_slow.py::test_quick")) == "passed"
    assert str(run.outcome("test_slow.py::test_slow")) == "missing"


def test_a_process_that_lingers_is_not_a_failure(tmp_path):
    """Threads that outlive the session do not change what it said."""
    files = {
        "test_thread.py": """
            import threading
            import time


            def test_starts():
                threading.Thread(target=time.sleep, args=(3,)).start()
        """
    }
    run = observe(write(tmp_path, files))
    assert outcomes(run) == {"test_thread.py::test_starts": "passed"}
    assert run.finished
    assert run.exit_code == 0


def test_a_forked_child_says_nothing(tmp_path):
    """A child that runs on into pytest's own code cannot report for its parent."""
    files = {
        "test_fork.py": """
            import os
            import sys
            import warnings


            def test_forks():
                warnings.simplefilter("ignore")
                child = os.fork()
                if child == 0:
                    sys.exit(1)
                os.waitpid(child, 0)


            def test_after():
                pass
        """
    }
    run = observe(write(tmp_path, files))
    assert set(outcomes(run).values()) == {"passed"}
    assert run.duplicates == ()


def test_cancel_leaves_no_process(tmp_path):
    """A cancelled run has ended its processes when it returns."""
    marker = f"marker{time.monotonic_ns()}"
    files = {
        "test_long.py": f"""
            import subprocess
            import sys


            def test_long():
                code = "import time; time.sleep(60) # {marker}"
                subprocess.run([sys.executable, "-c", code], start_new_session=True)
        """
    }

    async def cancel(run):
        heard = asyncio.create_task(run({}))
        for _ in range(200):
            await asyncio.sleep(0.1)
            if running(marker):
                break
        assert running(marker)
        heard.cancel()
        with pytest.raises(asyncio.CancelledError):
            await heard

    with bench(write(tmp_path, files), config()) as made:
        asyncio.run(cancel(made.run))
    assert not running(marker)


def running(marker):
    """The processes whose command line has the marker."""
    import psutil

    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(marker in part for part in process.info["cmdline"] or ())
    ]


def test_progress_is_told(tmp_path):
    """The listener hears of each test, with how many there are."""
    files = {"test_a.py": "def test_a(): pass\ndef test_b(): assert 0\n"}
    events = []
    observe(write(tmp_path, files), listen=events.append)
    assert [(e.kind, e.text, e.done, e.total) for e in events] == [
        ("test", "test_a.py::test_a", 1, 2),
        ("test", "test_a.py::test_b", 2, 2),
    ]

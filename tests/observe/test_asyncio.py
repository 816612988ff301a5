"""Coroutine tests, under both generations of pytest-asyncio."""

import sys
from pathlib import Path

import pytest

from tests.observe.environments import MissingError, python
from tests.observe.harness import config, observe, outcomes, write

PROJECT = {
    "work.py": """
        async def double(n):
            return n + n
    """,
    "test_async.py": """
        import asyncio

        import pytest

        from work import double


        @pytest.mark.asyncio
        async def test_good():
            await asyncio.sleep(0)
            assert await double(2) == 4


        @pytest.mark.asyncio
        async def test_bad():
            assert await double(2) == 5
    """,
}


def with_asyncio(name):
    """That environment; where it cannot be made, ours has the plugin too."""
    try:
        return python(name)
    except MissingError:
        return Path(sys.executable)


@pytest.mark.parametrize("name", ["python3.13", "pytest7"])
def test_coroutines_are_run_and_told_apart(name, tmp_path):
    """A coroutine test has its style, its outcome and its lines."""
    root = write(tmp_path, PROJECT)
    run = observe(root, config(with_asyncio(name)), record_lines=True)
    good, bad = "test_async.py::test_good", "test_async.py::test_bad"
    assert sorted(outcomes(run).items()) == [(bad, "failed"), (good, "passed")]
    assert {r.style for r in run.results.values()} == {"asyncio"}
    assert (run.results[bad].actual, run.results[bad].expected) == ("4", "5")
    assert run.lines[bad]["work.py"] == {2}

"""Random work against one server: nothing leaks, and both sides hold the same texts."""

import asyncio

import pytest

from benchmarks.soak import soak

STEPS = 60


@pytest.mark.parametrize("seed", [1, 2])
async def test_random_work_leaves_nothing_behind(workspace, seed):
    """No process, file or task is left, and memory does not grow; see `Outcome`."""
    outcome = await soak(workspace, STEPS, seed)
    assert outcome.clean, outcome


async def test_waiting_fixes_get_their_turn_in_order(start, workspace):
    """Fixes of one root are worked on one after another, in the order of asking."""
    names = ("test_slow", "test_a", "test_b", "test_c")
    tests = "".join(f"def {n}():\n    assert add(1, 2) == 3\n" for n in names)
    (workspace / "test_calc.py").write_text(tests)
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    answers = [
        await editor.command("fix", {"test": f"test_calc.py::{n}"}) for n in names
    ]
    await editor.wait(
        "$/progress",
        lambda p: "waiting for the fix before it" in p["value"].get("message", ""),
    )
    await editor.command("cancel", {"job": answers[0]["job"]})
    await editor.shown("fix for test_c is ready")
    await asyncio.sleep(0)
    ready = [n["params"]["message"] for n in editor.notes if "is ready" in str(n)]
    assert [n for text in ready for n in names if f" {n} " in text] == list(names[1:])

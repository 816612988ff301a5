"""A cancel in the late stages of a real fix: the real gate, and scripted readers."""

import asyncio
import json
import sys
import time

import psutil
import pytest

from benchmarks.soak import real_server
from bonafix.judge import gate
from tests.lsp.editor import Editor
from tests.messages_api import Conversation, Fault, MessagesApi, Script, Text, Turn
from tests.observe.environments import plain
from tests.small import FILES, TOTAL, write

STAGES = ("canary", "sealed", "probe", "examiner", "reviewer", "confirm")
PATIENCE = 150  # seconds
EXAM = {
    "name": "test_three",
    "code": "from shop.basket import total\n\n\ndef test_three():\n"
    "    assert total([1, 2, 3]) == 6\n",
    "why": "It is the sum of all prices.",
}
REVIEW = {
    "verdict": "right",
    "path": "shop/basket.py",
    "line": 8,
    "reason": "It adds.",
    "counterexample": {"kind": "none", "module": "", "call": "", "expect": ""},
    "injection": False,
}
TESTS = """
    from shop.basket import total


    def test_total():
        assert total([3, 4]) == 7


    def test_more():
        assert total([10, 2, 5]) == 17
    """


def answering(when, value, fault=None):
    text = Text(json.dumps(value))
    return Conversation(when=when, turns=[Turn(blocks=[text], fault=fault)])


def script(stage):
    """The readers, but for the examiner where the next stage is what is waited for."""
    down = Fault(kind="http", status=403, error_type="permission_error", times=None)
    fault = down if stage == "reviewer" else None
    exam = answering("Write tests for", {"tests": [EXAM]}, fault)
    return Script((exam, answering("the change as it is", REVIEW)))


@pytest.fixture
async def shop(workspace, monkeypatch):
    """An editor at the real server, over a project that the search engine fixes."""
    root = write(workspace / "shop", {**FILES, "tests/test_basket.py": TESTS})
    monkeypatch.setenv("BONAFIX_NICE", "0")  # beside other tests it would take for ever
    editor = Editor(root)
    editor.server = real_server()
    editor.join(editor.server)
    await editor.initialize(
        options={"results": True, "interpreter": str(plain()), "run": "manual"}
    )
    yield editor
    await editor.stop()


async def reached(editor, job, stage):
    """The event with which the gate begins a stage, or that of the fix's end."""

    def found():
        told = (n["params"] for n in editor.notes if n["method"] == "bonafix/event")
        ours = (e for e in told if e["job"] == job)
        begun = (e for e in ours if e["kind"] == "finished" or began(e, stage))
        return next(begun, None)

    async with asyncio.timeout(PATIENCE):
        while (event := found()) is None:  # noqa: ASYNC110 - the editor keeps them
            await asyncio.sleep(0.01)
    return event


def began(event, stage):
    """Whether a stage begins with it; what it found names the stage apart."""
    return (event["kind"], event["text"]) == ("stage", stage) and "stage" not in event


SOON = 3.0  # seconds; one where nothing else runs, but here other tests do


async def gone():
    """Seconds until no process is left of what the server had started."""
    asked = time.monotonic()
    async with asyncio.timeout(10):
        while psutil.Process().children(recursive=True):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # looking costs more than what is looked for
    return time.monotonic() - asked


async def spawning():
    """Seconds that a Python takes to come and go here: some hundredths if idle."""
    asked = time.monotonic()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await process.wait()
    return time.monotonic() - asked


@pytest.mark.timeout(600)
async def test_a_cancel_in_every_late_stage(shop, monkeypatch):
    """It is said, no process is left soon after, and the next fix gets further."""
    for stage in STAGES:
        with MessagesApi(script(stage)) as api:
            monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
            if stage == "confirm":  # sooner there where nobody is asked
                monkeypatch.delenv("ANTHROPIC_API_KEY")
                monkeypatch.setattr(gate, "_BRIEF", 0.0)  # else it ran before that
            else:
                monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
            since = len(shop.notes)
            job = (await shop.command("fix", {"test": TOTAL}))["job"]
            there = await reached(shop, job, stage)
            assert there["kind"] == "stage", (stage, there)
            assert (await shop.command("cancel", {"job": job}))["cancelled"], stage
            assert await gone() < max(SOON, 40 * await spawning()), stage
            await shop.shown("the work on test_total was cancelled", after=since)
    job = (await shop.command("fix", {"test": TOTAL}))["job"]
    assert (await reached(shop, job, "target"))["kind"] == "stage"

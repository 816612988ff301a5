"""A client that asks for diagnostics itself: answers at once, or held for news."""

import asyncio

import pytest

from tests.lsp.conftest import CALC
from tests.lsp.editor import FULL

PULLS = FULL | {"textDocument": {"diagnostic": {}}}


@pytest.fixture
async def puller(start):
    """A client that is not pushed any diagnostics."""
    return await start("--trust", capabilities=PULLS)


def held(editor, known=()):
    params = {"previousResultIds": list(known)}
    return asyncio.create_task(editor.request("workspace/diagnostic", params))


async def test_the_workspace_is_told_when_there_is_news(puller):
    """A question about everything is held until something differs."""
    provider = puller.greeting["capabilities"]["diagnosticProvider"]
    assert (provider["identifier"], provider["workspaceDiagnostics"]) == (
        "bonafix",
        True,
    )
    (report,) = (await held(puller))["items"]
    assert report["uri"] == puller.uri("test_calc.py")
    assert len(report["items"]) == 2
    known = [{"uri": report["uri"], "value": report["resultId"]}]
    waiting = held(puller, known)
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await puller.open("calc.py", CALC.replace("-", "+"))
    await puller.command("runTests", {})
    last = (await waiting)["items"]
    while any(report["items"] for report in last):  # stale at first, then green
        known = [{"uri": r["uri"], "value": r["resultId"]} for r in last]
        last = (await held(puller, known))["items"]
    pushed = [n for n in puller.notes if "publishDiagnostics" in n["method"]]
    assert pushed == []


async def test_a_file_is_answered_at_once(puller):
    """One file's diagnostics, or that they are what they were."""
    await held(puller)
    params = {"textDocument": {"uri": puller.uri("test_calc.py")}}
    full = await puller.request("textDocument/diagnostic", params)
    assert (full["kind"], len(full["items"])) == ("full", 2)
    again = params | {"previousResultId": full["resultId"]}
    assert (await puller.request("textDocument/diagnostic", again))[
        "kind"
    ] == "unchanged"


async def test_a_held_question_does_not_outlive_the_session(puller):
    """Saying goodbye ends what is held."""
    (report,) = (await held(puller))["items"]
    waiting = held(puller, [{"uri": report["uri"], "value": report["resultId"]}])
    await asyncio.sleep(0.1)
    assert await puller.leave() == 0
    waiting.cancel()


async def test_who_is_pushed_does_not_pull(start):
    """A client that can do both is pushed, unless its user wants it otherwise."""
    both = {**FULL["textDocument"], "diagnostic": {}}
    able = FULL | {"textDocument": both}
    pushed = await start("--trust", capabilities=able)
    assert "diagnosticProvider" not in pushed.greeting["capabilities"]
    await pushed.diagnostics("test_calc.py")
    pulls = await start("--trust", capabilities=able, options={"diagnostics": "pull"})
    assert "diagnosticProvider" in pulls.greeting["capabilities"]

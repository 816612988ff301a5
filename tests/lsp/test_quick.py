"""After a save the affected tests answer first; the whole suite has the last word."""

import asyncio
import contextlib

import psutil
import pytest

from bonafix.lsp.client import Timing
from bonafix.lsp.server import make_server
from bonafix.observe.loop import Loop
from bonafix.project import Project
from tests.lsp import editor as editing
from tests.lsp.conftest import CALC, TESTS
from tests.lsp.editor import Editor, until
from tests.observe.environments import plain

RIGHT = CALC.replace("a - b", "a + b")
OTHER = "\n\ndef test_other():\n    assert 1 == 1\n"
BOTH = 2
QUICK, WHOLE = "quick answer: ", " tests, "


async def nothing(*_given):
    """Neither a doctor nor anything to get ready."""


@pytest.fixture
async def editor(workspace, monkeypatch):
    """An editor with a real project, whose suite has been run: quick answers stand."""
    monkeypatch.setattr(editing, "PATIENCE", 60)
    (workspace / "calc.py").write_text(RIGHT)
    (workspace / "test_calc.py").write_text(TESTS + OTHER)
    settings = workspace.parent / "config.toml"
    settings.write_text(f"interpreter = {str(plain())!r}\n")
    loop = Loop()
    server = make_server(
        lambda root, config: Project(root, config, loop=loop),
        examine=nothing,
        claude=lambda _config: False,
        trust=True,
        timing=Timing(settle=0.05, publish=0.05, report=0.01),
    )
    async with contextlib.AsyncExitStack() as stack:
        editor = Editor(workspace).join(server)
        stack.push_async_callback(editor.stop)
        await editor.initialize()
        await logged(editor, "quick answers are ready")
        await editor.open("calc.py")
        await editor.open("test_calc.py")
        yield editor


async def logged(editor, *parts, after=0):
    """Wait for a line of the log that has all these parts."""
    return await editor.wait(
        "window/logMessage",
        lambda p: all(part in p["message"] for part in parts),
        after=after,
    )


def lines(editor, after):
    """What the log says of answers, in its order."""
    said = [n for n in editor.notes[after:] if n["method"] == "window/logMessage"]
    texts = [note["params"]["message"] for note in said]
    return [part for t in texts for part in (QUICK, WHOLE) if part in t]


async def saved(editor, path, text):
    """Edit and save; the number of the first message after that."""
    after = len(editor.notes)
    await editor.change(path, text)
    await editor.save(path)
    return after


def failing(found):
    return sorted(one["code"].partition("::")[2] for one in found)


async def test_the_quick_answer_comes_first_and_the_whole_run_agrees(editor):
    """A break shows before the suite has run, and so does its repair."""
    after = await saved(editor, "calc.py", CALC)
    first = await editor.diagnostics("test_calc.py", after=after)
    assert failing(first)[0] == "test_add"  # shown before the other one has run
    await editor.diagnostics("test_calc.py", lambda p: len(p) == BOTH, after=after)
    assert WHOLE not in lines(editor, after)
    await logged(editor, WHOLE, "2 failing", after=after)
    assert lines(editor, after) == [QUICK, WHOLE]

    after = await saved(editor, "calc.py", RIGHT)
    await editor.diagnostics("test_calc.py", lambda found: not found, after=after)
    assert WHOLE not in lines(editor, after)
    await logged(editor, WHOLE, "0 failing", after=after)


async def test_a_new_and_a_removed_test_are_seen_at_once(editor):
    """A file of tests that has changed is run as a whole, not by what was in it."""
    new = TESTS + OTHER + "\n\ndef test_new():\n    assert add(1, 1) == 3\n"
    after = await saved(editor, "test_calc.py", new)
    found = await editor.diagnostics("test_calc.py", after=after)
    assert failing(found) == ["test_new"]
    assert WHOLE not in lines(editor, after)

    after = await saved(editor, "test_calc.py", TESTS)
    await editor.diagnostics("test_calc.py", lambda found: not found, after=after)
    assert WHOLE not in lines(editor, after)


async def test_what_fails_shows_while_the_suite_still_runs(editor):
    """No quick answer speaks of a new file: its failure shows after two seconds."""
    slow = "import time\n\ndef test_slow():\n    time.sleep(6)\n"
    text = "def test_wrong():\n    assert 1 == 2\n\n" + slow
    (editor.root / "test_new.py").write_text(text)
    after = await saved(editor, "calc.py", RIGHT + "\n")
    first = await editor.diagnostics("test_new.py", after=after)
    assert failing(first) == ["test_wrong"]
    await asyncio.sleep(0.5)  # at the end of the run, that would be said by now
    assert WHOLE not in lines(editor, after)
    await logged(editor, WHOLE, "1 failing", after=after)
    assert failing(await editor.diagnostics("test_new.py")) == ["test_wrong"]


async def test_of_two_quick_saves_the_last_one_counts(editor):
    """The older run gives way; what is shown at the end is of the newer text."""
    after = await saved(editor, "calc.py", CALC)
    await saved(editor, "calc.py", RIGHT)
    await logged(editor, WHOLE, "0 failing", after=after)
    shown = [n["params"] for n in editor.notes if "uri" in (n.get("params") or {})]
    of_tests = [p for p in shown if p["uri"] == editor.uri("test_calc.py")]
    assert not of_tests or of_tests[-1]["diagnostics"] == []


async def test_nothing_is_left_when_the_client_leaves(editor):
    """Shutdown ends what is kept between saves."""
    me = psutil.Process()
    assert me.children(recursive=True)
    await editor.request("shutdown", None)
    await until(lambda: all(gone(p) for p in me.children(recursive=True)))


def gone(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


async def test_nothing_is_kept_where_saves_run_nothing(workspace, monkeypatch):
    """Who runs tests by hand has no use for processes that wait for a save."""
    monkeypatch.setattr(editing, "PATIENCE", 60)
    (workspace / "calc.py").write_text(RIGHT)
    (workspace / "test_calc.py").write_text(TESTS)
    settings = workspace.parent / "config.toml"
    settings.write_text(f"interpreter = {str(plain())!r}\nrun = 'manual'\n")
    loop = Loop()
    server = make_server(
        lambda root, config: Project(root, config, loop=loop),
        examine=nothing,
        claude=lambda _config: False,
        trust=True,
    )
    async with contextlib.AsyncExitStack() as stack:
        editor = Editor(workspace).join(server)
        stack.push_async_callback(editor.stop)
        await editor.initialize()
        await editor.command("runTests", {})
        await logged(editor, WHOLE, "0 failing")
        await until(
            lambda: not any(j.running for j in server.state.jobs.table.values())
        )
        assert not psutil.Process().children(recursive=True)
        assert not loop.stock.kept

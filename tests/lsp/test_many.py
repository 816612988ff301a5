"""A thousand failures: a menu that can be read, and others answered meanwhile."""

import asyncio
import json

import pytest

from bonafix.lsp.actions import NEAREST, JobView, Offer, actions
from bonafix.lsp.findings import Finding, Seen, Spot
from tests.lsp.conftest import CALC
from tests.lsp.editor import RefusedError, until

MANY = 1_000
SUITE = "".join(f"def test_{n}():\n    assert add(1, 2) == 3\n" for n in range(MANY))
SUITE += "# one cause\n"
SPAN = {"start": {"line": 0, "character": 0}, "end": {"line": 9_999, "character": 0}}


@pytest.fixture
async def crowded(start, workspace):
    """An editor that shows a thousand failures of one cause."""
    (workspace / "test_calc.py").write_text(SUITE)
    editor = await start("--trust")
    assert len(await editor.diagnostics("test_calc.py")) == MANY
    return editor


def failing(number, line=0, cause=()):
    test = f"t.py::test_{number}"
    seen = Seen({})
    return Finding(test=test, spot=Spot("t.py", line, line), message="m", cause=cause,
                   seen=seen)  # fmt: skip


def titles(found):
    return [action["title"] for action in found]


async def test_a_question_about_everything_gets_a_menu(crowded):
    """The nearest few have actions of their own, and all of them one together."""
    params = {
        "textDocument": {"uri": crowded.uri("test_calc.py")},
        "range": SPAN,
        "context": {"diagnostics": await crowded.diagnostics("test_calc.py")},
    }
    shown = titles(await crowded.request("textDocument/codeAction", params))
    fixes = [title for title in shown if title.endswith("with Bonafix")]
    assert fixes == [f"Fix test_{n} with Bonafix" for n in range(NEAREST)]
    assert shown.count(f"Fix all {MANY:,} failures with one cause") == 1
    assert len(json.dumps(shown)) < 2_000


async def test_the_fix_that_is_ready_is_in_the_menu(crowded):
    """However far it is from where was asked."""
    await crowded.command("fix", {"test": f"test_calc.py::test_{MANY - 1}"})
    await crowded.shown("is ready")
    params = {
        "textDocument": {"uri": crowded.uri("test_calc.py")},
        "range": SPAN,
        "context": {"diagnostics": []},
    }
    shown = titles(await crowded.request("textDocument/codeAction", params))
    ready = [title for title in shown if title.startswith("Apply verified fix")]
    assert len(ready) == 1


def test_each_cause_has_its_action():
    """The largest that nothing near stands for, each once; no more than few."""
    found = []
    for size in range(1, 15):
        numbers = [100 * size + n for n in range(size)]
        cause = tuple(f"t.py::test_{n}" for n in numbers) if size > 1 else ()
        found += [failing(n, line=n, cause=cause) for n in numbers]
    offer = Offer("file:///p", job=lambda _: None, claude=False)
    shown = titles(actions(found, 0, offer))
    sizes = [int(title.split()[2]) for title in shown if title.startswith("Fix all")]
    near = [2, 3, 4]  # of the first eight failures
    assert sizes == [*near, *range(14, 14 - NEAREST, -1)]


def test_those_named_and_those_worked_on_come_first():
    """What the client names counts more than what is near, a job more than both."""
    found = [failing(n, line=n) for n in range(50)]
    running = JobView("fix-1", running=True)
    offer = Offer("file:///p", job={"t.py::test_49": running}.get, claude=False)
    shown = titles(actions(found, 0, offer, {"t.py::test_40"}))
    assert "Cancel the fix of test_49" in shown
    assert "Fix test_40 with Bonafix" in shown
    assert "Fix test_5 with Bonafix" in shown
    assert f"Fix test_{NEAREST - 2} with Bonafix" not in shown


async def test_others_are_answered_while_many_are_sent(crowded):
    """The sending is done in slices: a question does not wait for its end."""
    (root,) = crowded.server.state.roots.values()
    await crowded.open("test_calc.py")
    await crowded.change("test_calc.py", "# above\n" + SUITE)
    await until(lambda: root.sender and not root.sender.done())
    since = len(crowded.notes)
    assert await crowded.actions("test_calc.py", 2)
    sent = [n["method"] for n in crowded.notes[since:]]
    assert "textDocument/publishDiagnostics" not in sent
    await crowded.diagnostics("test_calc.py", after=since)


async def test_no_older_diagnostics_follow_newer_ones(crowded):
    """Typed into while they are sent: places and version are those of one text."""
    await crowded.open("test_calc.py")
    since = len(crowded.notes)
    for number in range(1, 20):
        await crowded.change("test_calc.py", "# above\n" * number + SUITE)
        await asyncio.sleep(0.05)
    last = crowded.texts[crowded.uri("test_calc.py")][0]
    await crowded.wait(
        "textDocument/publishDiagnostics", lambda p: p["version"] == last, after=since
    )
    sent = [
        (published["version"], published["diagnostics"][0]["range"]["start"]["line"])
        for published in (n["params"] for n in crowded.notes[since:])
        if "diagnostics" in published
    ]
    assert sent == sorted(sent)
    assert len(sent) > 1
    assert all(line == version for version, line in sent)  # a line for each version


async def test_lenses_are_kept_until_something_changes(crowded):
    """Nothing but a file on the disk has: a fix that does not fit it is not offered."""
    first = f"test_calc.py::test_{0}"
    await crowded.command("fix", {"test": first})
    await crowded.shown("is ready")
    params = {"textDocument": {"uri": crowded.uri("test_calc.py")}}

    async def lens():
        return (await crowded.request("textDocument/codeLens", params))[0]["command"]

    (root,) = crowded.server.state.roots.values()
    assert (await lens())["title"].startswith("Apply verified fix")
    kept = root.lenses["test_calc.py"]
    assert (await lens())["title"].startswith("Apply verified fix")
    assert root.lenses["test_calc.py"] is kept
    (crowded.root / "calc.py").write_text("# new\n" + CALC)
    assert (await lens())["title"] == "Fix test_0 again"


@pytest.mark.parametrize(
    "params", [{}, {"textDocument": 1, "range": None}, [], {"range": {"start": 0}}]
)
async def test_a_question_that_makes_no_sense_is_answered(editor, params):
    """Its asker must not wait for ever, and the next one is understood."""
    with pytest.raises(RefusedError):
        await editor.request("textDocument/codeAction", params)
    assert await editor.actions("test_calc.py", 4)

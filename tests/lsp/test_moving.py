"""Edits while a fix is made, waits or is delivered: never an edit of other text."""

import pytest

from tests.lsp.conftest import CALC
from tests.lsp.editor import FULL, until

FIXED = CALC.replace("-", "+")
EDITS = {
    "applyEdit": True,
    "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]},
    "configuration": True,
}
ABLE = FULL | {"workspace": EDITS}
LIBRARY = FULL | {
    "workspace": EDITS
    | {"workspaceEdit": EDITS["workspaceEdit"] | {"metadataSupport": True}}
}
READY = "Apply verified fix: 1/1 target, 1,927 unchanged, 0 lost"


@pytest.fixture
async def paused(start, workspace):
    """An editor in the middle of a fix, which goes on when `go` exists."""
    (workspace / "test_calc.py").write_text(
        "def test_paused():\n    assert add(1, 2) == 3\n"
    )
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    await editor.open("calc.py")
    await editor.command("fix", {"test": "test_calc.py::test_paused"})
    await until((workspace / "paused").exists)
    return editor


async def go_on(editor):
    """Once the server has the text: an answer comes after what was sent before."""
    await editor.actions("missing.py", 0)
    (editor.root / "go").touch()


def ready(actions):
    return [a for a in actions if a["title"] == READY]


async def test_an_edit_beside_a_running_fix_has_it_judged_again(paused):
    """The fix is rebased onto the text as it is now, and judged there."""
    text = "# mine 😀\n\n" + CALC
    await paused.change("calc.py", text)
    await go_on(paused)
    await paused.shown("A verified fix for test_paused is ready")
    assert (paused.root / "checks.log").read_text() == "test_calc.py::test_paused\n"
    (action,) = ready(await paused.actions("test_calc.py", 1))
    await paused.make(action["edit"])
    assert paused.text("calc.py") == "# mine 😀\n\n" + FIXED


async def test_a_running_fix_survives_its_tab(paused):
    """The file is closed, another one written, the cursor elsewhere: it goes on."""
    uri = paused.uri("calc.py")
    await paused.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    del paused.texts[uri]
    await paused.open("notes.py", "x = 1\n")
    await paused.change("notes.py", "x = 2\n")
    await paused.actions("notes.py", 0)
    await go_on(paused)
    await paused.shown("A verified fix for test_paused is ready")
    assert not (paused.root / "checks.log").exists()  # nothing that it rests on moved
    (action,) = ready(await paused.actions("test_calc.py", 1))
    await paused.make(action["edit"])
    assert paused.text("calc.py") == FIXED


async def test_an_edit_inside_a_running_fix_ends_in_words(paused):
    """Where the change does not fit any more, the user reads that, and no edit."""
    await paused.change("calc.py", CALC.replace("a - b", "a - b - 0"))
    await go_on(paused)
    assert "has changed since" in await paused.shown("a fix for test_paused was found")
    assert not ready(await paused.actions("test_calc.py", 1))
    assert not (paused.root / "checks.log").exists()


async def test_a_fix_that_does_not_hold_on_the_new_text_is_not_offered(paused):
    """Judged again and refused: nothing is ready."""
    await paused.change("calc.py", "# hopeless\n\n\n\n\n" + CALC)
    await go_on(paused)
    await paused.shown("a fix for test_paused was found, but")
    assert (paused.root / "checks.log").exists()
    assert not ready(await paused.actions("test_calc.py", 1))


async def test_a_ready_fix_follows_an_edit_on_request(editor):
    """`Fix again` judges the same change on the new text, and searches no more."""
    await editor.open("calc.py")
    await editor.command("fix", {"test": "test_calc.py::test_add"})
    await editor.shown("is ready")
    await editor.change("calc.py", "# one\n# two\n" + CALC)
    (again,) = [
        a
        for a in await editor.actions("test_calc.py", 4)
        if a["title"].startswith("Fix again")
    ]
    since = len(editor.notes)
    await editor.command("fix", again["command"]["arguments"][0])
    await editor.shown("is ready", after=since)
    assert (editor.root / "checks.log").exists()
    (action,) = ready(await editor.actions("test_calc.py", 4))
    await editor.make(action["edit"])
    assert editor.text("calc.py") == "# one\n# two\n" + FIXED


@pytest.mark.parametrize(
    ("able", "version", "inside"),
    [
        (FULL, 0, True),  # it takes no edits that are sent: there is no other way
        (ABLE, None, True),  # not open, so nobody types in it
        (ABLE, 1, True),
        (ABLE, 0, False),  # 0 is taken for "do not compare"
        (LIBRARY, 1, False),  # it does not compare the versions of an action's edit
        (FULL | {"workspace": {"applyEdit": True}}, 1, False),  # knows no versions
    ],
)
async def test_each_client_gets_the_safe_delivery(start, able, version, inside):
    """The edit waits in the action only where versions protect it; else it is sent."""
    editor = await start("--trust", capabilities=able)
    if version is not None:
        await editor.open("calc.py", version=version)
    await editor.diagnostics("test_calc.py")
    await editor.command("fix", {"test": "test_calc.py::test_add"})
    await editor.shown("is ready")
    (action,) = ready(await editor.actions("test_calc.py", 4))
    assert ("edit" in action, action["isPreferred"]) == (inside, True)
    (argument,) = action["command"]["arguments"]
    assert argument["made"] is inside
    if inside:
        await editor.make(action["edit"])
    await editor.command("apply", argument)
    await editor.shown("applied verified fix")
    assert editor.text("calc.py") == FIXED


async def test_typing_before_the_command_arrives_stops_the_edit(start):
    """Text that changed between the menu and the command is not touched."""
    editor = await start("--trust", capabilities=LIBRARY)
    await editor.open("calc.py")
    await editor.diagnostics("test_calc.py")
    await editor.command("fix", {"test": "test_calc.py::test_add"})
    await editor.shown("is ready")
    (action,) = ready(await editor.actions("test_calc.py", 4))
    await editor.change("calc.py", "# typed\n" + CALC)
    answer = await editor.command("apply", action["command"]["arguments"][0])
    assert not answer["sent"]
    await editor.shown("the fix was not applied: calc.py has changed")
    assert editor.text("calc.py") == "# typed\n" + CALC

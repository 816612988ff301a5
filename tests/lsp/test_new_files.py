"""A fix that adds a file: only where the user's setting lets it, in one edit."""

import asyncio

import pytest

from benchmarks.soak import real_server
from tests.lsp.editor import FULL, Editor
from tests.lsp.test_moving import ABLE, FIXED
from tests.messages_api import MessagesApi, Script, ToolUse, Turn
from tests.observe.environments import plain
from tests.small import FILES, TOTAL, write

NEW = "extra/more.py"
TEXT = "# é 😀\nX = 1\n"
TEST = "test_calc.py::test_newfile"

EDITOR = "str_replace_based_edit_tool"
ADDING = {"command": "create", "path": "shop/adding.py"}
ADDING |= {"file_text": "def add(one, two):\n    return one + two\n"}
CALLING = {"command": "str_replace", "path": "shop/basket.py"}
CALLING |= {
    "old_str": "        result -= price\n",
    "new_str": "        from shop.adding import add\n\n"
    "        result = add(result, price)\n",
}
AUTHOR = [
    Turn(blocks=[ToolUse(EDITOR, ADDING)]),
    Turn(blocks=[ToolUse(EDITOR, CALLING)]),
    Turn(blocks=[ToolUse("submit", {"summary": "Prices are added."})]),
    Turn(blocks=[ToolUse("report_infeasible", {"reason": "No file may be added."})]),
]
PATIENCE = 150  # seconds


@pytest.fixture
def adding(start, workspace):
    """Starts an editor with these abilities, whose fix is ready and adds a file."""
    (workspace / "test_calc.py").write_text(
        "def test_newfile():\n    assert add(1, 2) == 3\n"
    )

    async def begin(able):
        editor = await start("--trust", capabilities=able)
        await editor.open("calc.py")
        await editor.diagnostics("test_calc.py")
        job = (await editor.command("fix", {"test": TEST}))["job"]
        return editor, job

    return begin


async def test_the_file_comes_in_the_same_edit(adding):
    """Created, then filled, beside the change of the old file: all or nothing."""
    editor, job = await adding(ABLE)
    await editor.shown("is ready")
    action = (await editor.actions("test_calc.py", 1))[0]
    old, create, fill = action["edit"]["documentChanges"]
    assert old["textDocument"] == {"uri": editor.uri("calc.py"), "version": 1}
    assert create == {"kind": "create", "uri": editor.uri(NEW)}
    assert fill["textDocument"] == {"uri": editor.uri(NEW), "version": None}
    await editor.make(action["edit"])
    await editor.command("apply", {"job": job, "made": True})
    await editor.shown("applied verified fix")
    assert (editor.text("calc.py"), editor.text(NEW)) == (FIXED, TEXT)


async def test_a_file_that_is_there_by_now_is_not_written_over(adding):
    """Whoever made it meanwhile: the fix was judged without it."""
    editor, job = await adding(ABLE)
    await editor.shown("is ready")
    (editor.root / NEW).parent.mkdir()
    (editor.root / NEW).write_text("mine\n")
    assert not (await editor.command("apply", {"job": job}))["sent"]
    assert "has changed" in await editor.shown("was not applied")
    assert (editor.root / NEW).read_text() == "mine\n"


@pytest.mark.parametrize(
    "able",
    [
        FULL | {"workspace": {"applyEdit": True}},
        ABLE | {"workspace": {"workspaceEdit": {"documentChanges": True}}},
    ],
)
async def test_who_cannot_create_files_reads_why(adding, able):
    """No half of the fix is offered, and applying it is refused with the reason."""
    editor, job = await adding(able)
    await editor.shown("fix for test_newfile")
    actions = await editor.actions("test_calc.py", 1)
    offered = [a for a in actions if a["command"]["command"] == "bonafix.apply"]
    assert all("Alternative" in action["title"] for action in offered)
    answer = await editor.command("apply", {"job": job})
    assert answer["reason"] == (
        f"the fix must create {NEW}, which this client cannot do"
    )
    await editor.shown(answer["reason"])
    assert not (editor.root / NEW).exists()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("allowed", [False, True])
async def test_the_setting_decides(workspace, monkeypatch, allowed):
    """A real fix, by a scripted model that wants to add a module."""
    root = write(workspace / "shop", FILES)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    monkeypatch.setenv("BONAFIX_NICE", "0")
    options = {"results": True, "engine": "claude", "review": "off", "run": "manual"}
    options |= {"interpreter": str(plain()), "newFiles": allowed, "candidates": 1}
    editor = Editor(root).join(real_server())
    with MessagesApi(Script.of(*AUTHOR)) as api:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
        await editor.initialize(capabilities=ABLE, options=options)
        job = (await editor.command("fix", {"test": TOTAL}))["job"]
        end = await ended(editor)
        found = await editor.command("showEvidence", {"job": job})
        await editor.stop()
    files = [candidate["files"] for candidate in found["candidates"]]
    if allowed:
        assert end["outcome"] == "ready", end
        assert files == [["shop/adding.py", "shop/basket.py"]]
    else:
        assert (end["outcome"], files) == ("none", []), end
    assert not (root / "shop" / "adding.py").exists()  # nothing was applied


async def ended(editor):
    """The event with which the only fix ends."""

    def found():
        told = (n["params"] for n in editor.notes if n["method"] == "bonafix/event")
        return next((event for event in told if event["kind"] == "finished"), None)

    async with asyncio.timeout(PATIENCE):
        while (event := found()) is None:  # noqa: ASYNC110 - the editor keeps them
            await asyncio.sleep(0.05)
    return event

"""The editor's settings: where they come from, what wrong ones do."""

import asyncio
import logging

import pytest

from bonafix.lsp.settings import log_level, overrides, snake, trusted
from tests.lsp.editor import RefusedError, until

ADD = "test_calc.py::test_add"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("maxCost", "max_cost"),
        ("max-cost", "max_cost"),
        ("max_cost", "max_cost"),
        ("suiteTimeout", "suite_timeout"),
        ("run", "run"),
    ],
)
def test_names_may_be_in_camel_case(given, expected):
    """Editors write settings in their own way."""
    assert snake(given) == expected


def test_the_stronger_source_wins_and_the_editors_own_are_left_out():
    """Later objects go over earlier ones; trust and the editor's keys do not count."""
    first = {"engine": "claude", "maxCost": 2, "trusted": True, "model": None}
    second = {
        "bonafix": {"engine": "search", "path": ["x"], "trace": {"server": "off"}}
    }
    assert overrides(first, None, second) == {"engine": "search", "max_cost": 2}


def test_trust_must_be_a_plain_yes():
    """Only `true` trusts."""
    assert trusted({"trusted": True})
    assert not trusted({"trusted": "yes"})
    assert not trusted(None)


def test_an_unknown_log_level_is_the_default():
    """The level falls back to warnings."""
    assert (log_level({"logLevel": "debug"}), log_level({"log_level": 3})) == (
        "debug",
        "warning",
    )


def runs(editor):
    log = editor.root / "runs.log"
    return log.read_text().count("\n") if log.exists() else 0


async def settled(editor):
    """Once a doctor's job is through, a run would have begun."""
    await editor.command("doctor")
    await editor.wait("window/showDocument")
    await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("when", "opened", "saved"),
    [("manual", 0, 0), ("on-open", 1, 1), ("on-save", 1, 2)],
)
async def test_when_the_suite_runs(start, when, opened, saved):
    """`run` says whether opening the workspace and saving run the suite."""
    editor = await start("--trust", options={"run": when})
    await settled(editor)
    assert runs(editor) == opened
    await editor.save("calc.py")
    await asyncio.sleep(0.4)
    assert runs(editor) == saved


async def test_two_folders_are_two_projects(start, tmp_path):
    """Each folder has its runs and settings; a command says which is meant."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "calc.py").write_text("a - b")
    (other / "test_calc.py").write_text("def test_add():\n    assert 0\n")
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    event = {"added": [{"uri": other.as_uri(), "name": "other"}], "removed": []}
    await editor.notify("workspace/didChangeWorkspaceFolders", {"event": event})
    uri = (other / "test_calc.py").as_uri()
    await editor.wait("textDocument/publishDiagnostics", lambda p: p["uri"] == uri)
    with pytest.raises(RefusedError, match="several workspace folders"):
        await editor.command("fix", {"test": ADD})
    await editor.command("fix", {"test": ADD, "root": other.as_uri()})
    await editor.shown("A verified fix")


async def test_settings_are_fetched_from_the_client(start):
    """The section `bonafix` of the client's configuration counts."""
    answers = {"workspace/configuration": lambda _: [{"run": "manual"}]}
    editor = await start("--trust", answers=answers)
    await settled(editor)
    assert runs(editor) == 0


async def test_changed_settings_hold_from_the_next_run(start):
    """A client that only pushes settings is heard, too."""
    editor = await start("--trust", capabilities={}, options={"run": "manual"})
    settings = {"settings": {"bonafix": {"run": "on-save"}}}
    await editor.notify("workspace/didChangeConfiguration", settings)
    await editor.save("calc.py")
    await editor.diagnostics("test_calc.py")


async def test_who_can_be_asked_is_asked(start):
    """What an editor sends along, defaults and its extension's own, is no choice."""
    answers = {"workspace/configuration": lambda _: [{"run": "on-save"}]}
    editor = await start("--trust", answers=answers)
    await settled(editor)
    raw = {"run": "manual", "trace": {"server": "off"}, "view": {"theme": "dark"}}
    settings = {"settings": {"bonafix": raw}}
    await editor.notify("workspace/didChangeConfiguration", settings)
    before = runs(editor)
    await editor.save("calc.py")
    await until(lambda: runs(editor) > before)
    assert not [n for n in editor.notes if n["method"] == "window/showMessage"]


async def test_the_log_level_is_live(start):
    """A changed level holds at once, without a new server."""
    editor = await start(options={"run": "manual", "logLevel": "error"})
    ours = logging.getLogger("bonafix")
    assert ours.level == logging.ERROR
    editor.settings = {"logLevel": "debug"}
    await editor.notify("workspace/didChangeConfiguration", {"settings": None})
    await until(lambda: ours.level == logging.DEBUG)


async def test_a_wrong_setting_is_said_once_and_nothing_runs(start):
    """An unknown setting is named, with the nearest, and saving does not repeat it."""
    editor = await start("--trust", options={"maxCosts": 1})
    assert "did you mean 'max_cost'?" in await editor.shown("max_costs")
    await editor.save("calc.py")
    await asyncio.sleep(0.3)
    shown = [n for n in editor.notes if n["method"] == "window/showMessage"]
    assert (len(shown), runs(editor)) == (1, 0)


async def test_a_project_cannot_configure_its_own_judge(start, workspace):
    """A forbidden key in the project's own file stops the server from running it."""
    (workspace / "pyproject.toml").write_text("[tool.bonafix]\nconfine = 'off'\n")
    editor = await start("--trust")
    await editor.shown("must not set 'confine'")
    assert runs(editor) == 0

"""The configurations in docs/editors that no editor here can try, tried without one.

What stands in the document is what is started, greeted with the capabilities that the
editor's own source declares, and used as that source uses a server.
"""

import asyncio
import json
import os
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.lsp.editor import Editor
from tests.observe.environments import plain

DOCUMENTS = Path(__file__).parents[2] / "docs" / "editors"
CALC = "def total(prices, shipping):\n    return sum(prices) - shipping\n"
TESTS = """\
from calc import total


def test_total():
    assert total([300], 90) == 390
"""
TOTAL = "test_calc.py::test_total"
PATIENCE = 150  # seconds

_OPERATIONS = ["create", "rename", "delete"]
_EDITS = {"documentChanges": True, "resourceOperations": _OPERATIONS}
_WORKSPACE = {"applyEdit": True, "workspaceFolders": True, "configuration": True}
_RESOLVED = {"dataSupport": True, "resolveSupport": {"properties": ["edit", "command"]}}
_KINDS = {"codeActionKind": {"valueSet": ["", "quickfix", "refactor", "source"]}}
_ACTIONS = {"codeActionLiteralSupport": _KINDS, "isPreferredSupport": True}
CAPABILITIES = {
    "helix": {
        "workspace": {**_WORKSPACE, "workspaceEdit": _EDITS, "executeCommand": {}},
        "textDocument": {
            "codeAction": {**_ACTIONS, **_RESOLVED},
            "publishDiagnostics": {"versionSupport": True},
        },
        "window": {"workDoneProgress": True},
        "general": {"positionEncodings": ["utf-8", "utf-32", "utf-16"]},
    },
    "zed": {
        "workspace": {
            **_WORKSPACE,
            "workspaceEdit": {**_EDITS, "snippetEditSupport": True},
            "codeLens": {"refreshSupport": True},
            "diagnostics": {"refreshSupport": True},
        },
        "textDocument": {
            "codeAction": {**_ACTIONS, **_RESOLVED},
            "codeLens": {},
            "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
        },
        "window": {"workDoneProgress": True},
        "general": {"positionEncodings": ["utf-16"]},
    },
    "sublime": {
        "workspace": {
            **_WORKSPACE,
            "workspaceEdit": {"documentChanges": True, "failureHandling": "abort"},
            "executeCommand": {},
        },
        "textDocument": {
            "codeAction": {**_ACTIONS, **_RESOLVED},
            "codeLens": {},
            "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
        },
        "window": {"workDoneProgress": True, "showDocument": {"support": True}},
        "general": {"positionEncodings": ["utf-16"]},
    },
}


def blocks(name: str, language: str) -> list[str]:
    """The code blocks of a document that are in one language."""
    text = (DOCUMENTS / f"{name}.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def helix():
    """The command and the options that Helix reads."""
    (block,) = blocks("helix", "toml")
    settings = tomllib.loads(block)
    server = settings["language-server"]["bonafix"]
    (language,) = settings["language"]
    assert language["name"] == "python"
    assert "bonafix" in language["language-servers"]
    return [server["command"], *server["args"]], server["config"]


def zed():
    """The command that the extension is told to return, and the options."""
    (extension,) = map(tomllib.loads, blocks("zed", "toml"))
    (settings,) = map(json.loads, blocks("zed", "json"))
    assert extension["language_servers"]["bonafix"]["languages"] == ["Python"]
    assert "bonafix" in settings["languages"]["Python"]["language_servers"]
    text = (DOCUMENTS / "zed.md").read_text("utf-8")
    (command,) = re.findall(r"returns `(bonafix [^`]+)`", " ".join(text.split()))
    return command.split(), settings["lsp"]["bonafix"]["initialization_options"]


def sublime():
    """The command and the settings that the package LSP reads."""
    (settings,) = map(json.loads, blocks("sublime", "json"))
    client = settings["clients"]["bonafix"]
    assert client["enabled"]
    assert client["selector"] == "source.python"
    # The package answers a question about a section with what has that prefix.
    settings = {k.removeprefix("bonafix."): v for k, v in client["settings"].items()}
    return client["command"], settings


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A sum that goes wrong, settings of its own, and our command on the path."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "calc.py").write_text(CALC)
    (root / "test_calc.py").write_text(TESTS)
    settings = tmp_path / "config.toml"
    settings.write_text(f'interpreter = "{plain()}"\nengine = "search"\n')
    monkeypatch.setenv("BONAFIX_CONFIG", str(settings))
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("BONAFIX_NICE", "0")  # beside other tests it would take for ever
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    return root


async def until(found, what: str):
    """What `found` gives once it gives something."""
    async with asyncio.timeout(PATIENCE):
        while not (seen := await found()):  # noqa: ASYNC110 - the server says nothing
            await asyncio.sleep(0.2)
    assert seen, what
    return seen


@pytest.mark.timeout(400)
@pytest.mark.parametrize("read", [helix, zed, sublime])
async def test_a_fix_by_the_documented_configuration(project, read):
    """An action, a ready one, the text as it should be: by what is written there."""
    name = read.__name__
    command, options = read()
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=project,
    )
    editor = Editor(project).attach(process.stdout, process.stdin, process)
    # who does not say `--trust` is asked, and says yes
    editor.answers["window/showMessageRequest"] = lambda p: p["actions"][0]
    editor.settings = options
    try:
        given = options if name != "sublime" else None
        await editor.initialize(capabilities=CAPABILITIES[name], options=given)
        await editor.open("test_calc.py")
        await editor.open("calc.py")

        async def titled(part):
            actions = await editor.actions("test_calc.py", 4)
            return next((a for a in actions if part in a["title"]), None)

        start = await until(lambda: titled("Fix test_total with Bonafix"), "an action")
        assert start["kind"] == "quickfix"
        assert "data" not in start  # or it would be resolved, and all wait for that
        await editor.request("workspace/executeCommand", start["command"])
        ready = await until(lambda: titled("Apply verified fix"), "a ready fix")
        assert ready["isPreferred"]
        if ready.get("edit"):
            await editor.make(ready["edit"])
        await editor.request("workspace/executeCommand", ready["command"])

        async def applied():
            return "sum(prices) + shipping" in editor.text("calc.py")

        await until(applied, "the text")
        assert await editor.leave() == 0
    finally:
        await editor.stop()

"""An editor with an open workspace of two files."""

import contextlib

import pytest

from tests.lsp.editor import Editor
from tests.lsp.fake_project import fake_server

CALC = "def add(a, b):\n    return a - b\n"
TESTS = """\
from calc import add


def test_add():
    assert add(1, 2) == 3


def test_param():
    assert add(1, 2) == 3
"""


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A project, and a user without settings, decisions or credentials."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "calc.py").write_text(CALC)
    (root / "test_calc.py").write_text(TESTS)
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("BONAFIX_CONFIG", str(tmp_path / "config.toml"))
    for name in ("API_KEY", "AUTH_TOKEN", "PROFILE"):
        monkeypatch.delenv(f"ANTHROPIC_{name}", raising=False)
    return root


@pytest.fixture
async def start(workspace):
    """Starts editors; all are stopped at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def begin(*arguments, process=False, answers=None, **options):
            editor = Editor(workspace)
            editor.answers.update(answers or {})
            if process:
                await editor.start(*arguments)
            else:
                editor.server = fake_server(trust="--trust" in arguments)
                editor.join(editor.server)
            stack.push_async_callback(editor.stop)
            await editor.initialize(**options)
            return editor

        yield begin


@pytest.fixture
async def editor(start):
    """An editor whose server has run the suite once."""
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    return editor

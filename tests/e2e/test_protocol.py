"""The real server under pytest-lsp, as several editors introduce themselves."""

import asyncio
import contextlib
import subprocess
import sys
import time
import uuid

import psutil
import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp.client import make_test_lsp_client

from tests.messages_api import Fault, MessagesApi, Script, Thinking, Turn
from tests.observe.environments import plain

CALC = '''\
"""Prices in cents."""


def total(prices, shipping):
    """What a customer pays. Cafe\u0301 \U0001f600"""
    return sum(prices) - shipping  # e\u0301 \U0001f600
'''
TESTS = """\
from calc import total


def test_total():
    assert total([300, 250], 90) == 640


def test_free_shipping():
    assert total([300, 250], 0) == 550
"""
OTHER = "def test_other():\n    assert '\U0001f600e\u0301' == 1\n"
TOTAL = "test_calc.py::test_total"
PATIENCE = 150
MANY = 100  # real ones; a thousand are sent in tests/lsp


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Two files of tests, and a mark on whatever is started for them."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "calc.py").write_text(CALC)
    (root / "test_calc.py").write_text(TESTS)
    (root / "test_other.py").write_text(OTHER)
    monkeypatch.setenv("BONAFIX_TEST_MARK", uuid.uuid4().hex)
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("BONAFIX_CONFIG", str(tmp_path / "config.toml"))
    return root


@pytest.fixture
async def start(project):
    """Starts the server as a named editor does; it is gone at the end."""
    begun = []

    async def begin(name="neovim", *, roots=None, **extra):
        client = make_test_lsp_client()
        begun.append(client)
        await client.start_io(sys.executable, "-P", "-m", "bonafix", "lsp", "--trust")
        folders = roots or [project]
        options = {"engine": "search", "interpreter": str(plain()), "run": "manual"}
        await client.initialize_session(
            types.InitializeParams(
                capabilities=pytest_lsp.client_capabilities(name),
                initialization_options=options | extra,
                workspace_folders=[
                    types.WorkspaceFolder(uri=root.as_uri(), name=root.name)
                    for root in folders
                ],
            )
        )
        return client

    yield begin
    for client in begun:
        if client._server.returncode is None:
            await asyncio.wait_for(client.shutdown_session(), 30)
        await client.stop()


async def until(done, seconds=PATIENCE):
    """The first true answer of `done`."""
    async with asyncio.timeout(seconds):
        while not (answer := done()):  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.02)
        return answer


def command(client, name, argument):
    params = types.ExecuteCommandParams(command=f"bonafix.{name}", arguments=[argument])
    return client.workspace_execute_command_async(params)


def said(client, part):
    return [m.message for m in client.messages if part in m.message]


def stages(client):
    values = [value for some in client.progress_reports.values() for value in some]
    return [getattr(value, "message", None) or "" for value in values]


async def shown(client, uri):
    await until(lambda: client.diagnostics.get(uri))
    return client.diagnostics[uri]


def below(client):
    """The processes under the server's."""
    return psutil.Process(client._server.pid).children(recursive=True)


@pytest.mark.parametrize(
    ("name", "encoding", "size"),
    [
        ("neovim", "utf-8", 1),
        ("visual-studio-code", "utf-16-le", 2),
        ("emacs", "utf-32-le", 4),
    ],
)
async def test_editors_get_their_columns(start, project, name, encoding, size):
    """A file's tests alone are run, and columns count what this editor counts."""
    client = await start(name)
    uri = (project / "test_other.py").as_uri()
    await command(client, "test", {"uri": uri})
    (one,) = await shown(client, uri)
    line = OTHER.splitlines()[1]
    assert one.range.end.character == len(line.encode(encoding)) // size
    assert (project / "test_calc.py").as_uri() not in client.diagnostics


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("stage", "way"),
    [
        ("baseline", "progress"),
        ("engine: search", "command"),
        ("suite", "progress"),
        ("replay", "command"),
    ],
)
async def test_a_cancel_leaves_no_process_within_a_second(start, stage, way):
    """Whatever stage a fix is in, and however it is stopped."""
    client = await start()
    answer = await command(client, "fix", {"test": TOTAL})
    await until(lambda: [s for s in stages(client) if stage in s])
    if way == "command":
        assert (await command(client, "cancel", {"job": answer["job"]}))["cancelled"]
    else:
        (token,) = client.progress_reports
        params = types.WorkDoneProgressCancelParams(token=token)
        client.window_work_done_progress_cancel(params)
        await command(client, "cancel", {"job": answer["job"]})  # comes after it
    await gone(client)
    await until(lambda: said(client, "was cancelled"), 10)
    assert below(client) == []


async def test_a_cancel_leaves_no_run(start, project):
    """A run of the tests is stopped in the middle of one that takes for ever."""
    begun = "import time\n\n\ndef test_long():\n    time.sleep(100)\n"
    (project / "test_long.py").write_text(begun)
    client = await start()
    answer = await command(client, "test", {})
    await until(lambda: under_test(client))
    await command(client, "cancel", {"job": answer["job"]})
    await gone(client)


def under_test(client):
    """Whether pytest runs, in the project's own interpreter."""
    for process in below(client):
        with contextlib.suppress(psutil.Error):  # gone by now
            if str(plain()) in process.cmdline():
                return True
    return False


async def test_a_cancel_reaches_the_model(start, monkeypatch):
    """In the middle of an answer, the worker and its connection end."""
    speaking = Turn(blocks=[Thinking("Well")], fault=Fault(kind="stall", seconds=100))
    with MessagesApi(Script.of(speaking)) as api:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
        client = await start()
        answer = await command(client, "fix", {"test": TOTAL, "engine": "claude"})
        await until(api.asked.is_set)
        assert below(client)
        await command(client, "cancel", {"job": answer["job"]})
        await gone(client)
        await until(lambda: said(client, "was cancelled"), 10)


async def gone(client):
    """Within a second the server has no process any more."""
    asked = time.monotonic()
    await until(lambda: not below(client), 10)
    assert time.monotonic() - asked < 1


async def test_a_lost_editor_leaves_nothing(start):
    """The server whose editor dies in the middle of a fix takes everything along."""
    client = await start()
    await command(client, "fix", {"test": TOTAL})
    await until(lambda: below(client))
    children = [*below(client), psutil.Process(client._server.pid)]
    client._server._transport.get_pipe_transport(0).close()
    await asyncio.wait_for(client._server.wait(), 10)
    assert [p for p in children if p.is_running()] == []


async def test_each_root_has_its_own_interpreter(start, project, tmp_path):
    """Two roots, two configurations: what holds in one is an error in the other."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "test_b.py").write_text("def test_b():\n    assert 0\n")
    client = await start(roots=[project, other])
    client.set_configuration(
        {"bonafix": {"interpreter": "/nowhere/python"}}, scope_uri=other.as_uri()
    )
    client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams(settings={})
    )
    await asyncio.sleep(0.5)
    await command(client, "test", {"root": project.as_uri()})
    await command(client, "test", {"root": other.as_uri()})
    await shown(client, (project / "test_calc.py").as_uri())
    await until(lambda: said(client, "/nowhere/python"))
    assert (other / "test_b.py").as_uri() not in client.diagnostics


async def test_many_failures_are_shown(start, project):
    """Each row of a large parametrised test has its diagnostic and its actions."""
    (project / "test_many.py").write_text(
        "import pytest\n\nfrom calc import total\n\n\n"
        f"@pytest.mark.parametrize('n', range({MANY}))\n"
        "def test_many(n):\n    assert total([n], 1) == n + 1\n"
    )
    client = await start()
    uri = (project / "test_many.py").as_uri()
    await command(client, "test", {"uri": uri})
    assert len(await shown(client, uri)) == MANY
    at = types.Position(line=7, character=4)
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri=uri),
            range=types.Range(start=at, end=at),
            context=types.CodeActionContext(diagnostics=[]),
        )
    )
    group = f"Fix all {MANY} failures with one cause"
    assert group in [action.title for action in actions]


def environment(project):
    """A virtual environment of the project's own, with the light one's pytest."""
    made = [plain(), "-m", "venv", "--without-pip", project / ".venv"]
    subprocess.run(made, check=True)
    (site,) = (project / ".venv").glob("lib/*/site-packages")
    (pytest_home,) = plain().parents[1].glob("lib/*/site-packages")
    (site / "light.pth").write_text(f"{pytest_home}\n")


async def test_one_folder_with_two_projects(start, tmp_path, monkeypatch):
    """Each runs in its own environment, from its own folder, by its own settings."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    for name in ("one", "two"):
        project = tmp_path / "repository" / name
        project.mkdir(parents=True)
        marker = f'[tool.pytest.ini_options]\nmarkers = ["{name}"]\n'
        options = 'addopts = "--strict-markers"\n'
        (project / "pyproject.toml").write_text(marker + options)
        (project / "test_a.py").write_text(
            f"import pytest, sys\n\n\n@pytest.mark.{name}\ndef test_where():\n"
            "    assert sys.prefix == ''\n"
        )
        environment(project)
    client = await start(roots=[tmp_path / "repository"], interpreter="")
    await command(client, "test", {})
    for name in ("one", "two"):
        project = tmp_path / "repository" / name
        (found,) = await shown(client, (project / "test_a.py").as_uri())
        assert found.code == "test_a.py::test_where"
        assert str(project / ".venv") in found.message

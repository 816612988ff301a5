"""A folder with several projects: each has its own tests, settings and turn."""

import asyncio

import pytest

from bonafix.lsp.projects import projects, shared_interpreter
from bonafix.lsp.turns import Turns
from tests.lsp.conftest import CALC, TESTS

WHEN = {"billing": "manual", "shop": "on-save"}
ADD = "test_calc.py::test_add"


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if path.name == "python":
        path.chmod(0o755)


@pytest.fixture
def repository(workspace):
    """Two projects in a folder that is none itself."""
    for name in ("calc.py", "test_calc.py"):
        (workspace / name).unlink()
    for name, when in WHEN.items():
        project = workspace / "services" / name
        write(project / "calc.py", CALC)
        write(project / "test_calc.py", TESTS)
        settings = f'[project]\nname = "{name}"\n[tool.bonafix]\nrun = "{when}"\n'
        write(project / "pyproject.toml", settings)
    write(workspace / "pyproject.toml", '[tool.uv.workspace]\nmembers = ["services/*"]')
    return workspace


def ran(repository):
    logs = repository.glob("services/*/runs.log")
    return {log.parent.name: log.read_text().split() for log in logs}


async def test_a_project_runs_once_a_file_of_it_is_open(start, repository):
    """Opening the folder runs nothing yet: it may hold a hundred projects."""
    editor = await start("--trust")
    await editor.open("services/shop/test_calc.py")
    found = await editor.diagnostics("services/shop/test_calc.py")
    assert [d["code"] for d in found] == [ADD, "test_calc.py::test_param[1-2]"]
    assert ran(repository) == {"shop": ["all"]}


async def test_each_project_goes_by_its_own_settings(start, repository):
    """One runs on a save, its neighbour when it is asked to."""
    editor = await start("--trust")
    for name in WHEN:
        await editor.open(f"services/{name}/calc.py")
        await editor.save(f"services/{name}/calc.py")
    await editor.diagnostics("services/shop/test_calc.py")
    assert set(ran(repository)) == {"shop"}
    answer = await editor.command("runTests", {"root": repository.as_uri()})
    assert len(answer["jobs"]) == len(WHEN)  # the folder means all of them
    await editor.diagnostics("services/billing/test_calc.py")
    uri = editor.uri("services/billing")
    job = (await editor.command("fix", {"test": ADD, "root": uri}))["job"]
    await editor.shown("is ready")
    (best, _) = (await editor.command("showEvidence", {"job": job}))["candidates"]
    await editor.command("apply", {"job": job, "candidate": best["candidate"]})
    await editor.shown("applied verified fix")
    assert "a + b" in editor.text("services/billing/calc.py")
    assert "a - b" in editor.text("services/shop/calc.py")


async def test_the_folder_is_trusted_and_not_each_project(start, repository):
    """One question, one answer; and no project is run without it."""
    yes = {"window/showMessageRequest": lambda _: {"title": "Trust and run"}}
    editor = await start(answers=yes)
    await editor.command("runTests", {})
    for name in WHEN:
        await editor.diagnostics(f"services/{name}/test_calc.py")
    asked = [n for n in editor.notes if n["method"] == "window/showMessageRequest"]
    assert len(asked) == 1
    assert str(repository) in asked[0]["params"]["message"]


async def test_a_closed_folder_takes_its_projects_along(start, repository):
    """What was shown of them is cleared."""
    editor = await start("--trust")
    await editor.command("runTests", {})
    for name in WHEN:
        await editor.diagnostics(f"services/{name}/test_calc.py")
    since = len(editor.notes)
    event = {"added": [], "removed": [{"uri": repository.as_uri(), "name": "p"}]}
    await editor.notify("workspace/didChangeWorkspaceFolders", {"event": event})
    for name in WHEN:
        path = f"services/{name}/test_calc.py"
        assert await editor.diagnostics(path, lambda d: not d, after=since) == []


# ----------------------------------------------------------------- which there are


@pytest.mark.parametrize(
    ("files", "wanted", "found"),
    [
        ({"a/pyproject.toml": "[project]"}, (), ["a"]),
        ({"a/setup.py": "", "b/c/d/pytest.ini": "", "b/.d/tox.ini": ""}, (),
         ["a", "b/c/d"]),
        ({"a/setup.py": "", "a/examples/x/setup.py": ""}, (), ["a"]),
        ({"setup.cfg": "", "a/setup.py": ""}, (), ["."]),
        ({"tests/a.py": "", "a/setup.py": ""}, (), ["."]),
        ({"test_a.py": "", "a/setup.py": ""}, (), ["."]),
        ({"pyproject.toml": "[tool.ruff]", "a/setup.py": ""}, (), ["a"]),
        ({"pyproject.toml": "[tool.pytest.ini_options]", "a/setup.py": ""}, (), ["."]),
        ({"pyproject.toml": "no toml", "a/setup.py": ""}, (), ["."]),
        ({"env/pyvenv.cfg": "", "env/lib/setup.py": ""}, (), ["."]),
        ({"a/b/c/d/setup.py": ""}, (), ["."]),
        ({"setup.py": "", "a/x.py": "", "b/y.py": ""}, ("a", "."), ["a", "."]),
        ({"setup.py": "", "a/x.py": ""}, ("*",), ["a"]),
        ({"a/setup.py": ""}, ("../*", "/"), ["."]),
        ({"shop/tests/test_a.py": "", "docs/setup.cfg": ""}, (), ["."]),
        ({"back/src/a.py": "", "back/tests/pytest.ini": ""}, (), ["."]),
    ],
)  # fmt: skip
def test_which_projects_a_folder_holds(tmp_path, files, wanted, found):
    """Itself if it is one, else the topmost below it, unless its user names them."""
    for name, text in files.items():
        write(tmp_path / name, text)
    names = [
        path.relative_to(tmp_path).as_posix() for path in projects(tmp_path, wanted)
    ]
    assert names == found


def test_a_project_without_an_environment_takes_the_folders(tmp_path, monkeypatch):
    """Its own comes first, and one that is active before both."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    project = tmp_path / "a"
    assert shared_interpreter(tmp_path, project) == ""
    write(tmp_path / ".venv" / "bin" / "python")
    python = str(tmp_path / ".venv" / "bin" / "python")
    assert shared_interpreter(tmp_path, project) == python
    assert shared_interpreter(tmp_path, tmp_path) == ""
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    assert shared_interpreter(tmp_path, project) == ""
    monkeypatch.delenv("VIRTUAL_ENV")
    write(project / "venv" / "bin" / "python")
    assert shared_interpreter(tmp_path, project) == ""


async def test_of_several_projects_each_has_its_own_environment(
    start, repository, monkeypatch
):
    """Before one that is active: that is the editor's, or was meant for one of them."""
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    own = repository / "services" / "shop" / ".venv" / "bin" / "python"
    write(own)
    editor = await start("--trust", options={"run": "manual"})
    state = editor.server.state
    chosen = {p.name: state.config(r).interpreter for p, r in state.roots.items()}
    assert chosen == {"shop": str(own), "billing": ""}  # "": as on the command line


async def test_a_single_project_goes_by_what_is_active(start, workspace, monkeypatch):
    """Who starts an editor in an environment means it, as on the command line."""
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    write(workspace / ".venv" / "bin" / "python")
    editor = await start("--trust", options={"run": "manual"})
    (root,) = editor.server.state.roots.values()
    assert editor.server.state.config(root).interpreter == ""


# --------------------------------------------------------------------------- turns


@pytest.fixture
def work(tmp_path):
    """Starts work that holds its turn until the test says; tells the order."""
    turns, order, gates = Turns(width=1), [], {}

    def begin(root, name):
        gates[name] = asyncio.Event()

        async def hold():
            async with turns.of(tmp_path / root):
                order.append(name)
                await gates[name].wait()

        return asyncio.create_task(hold())

    return begin, order, gates, turns


async def test_the_roots_take_turns(work):
    """Five fixes in one root do not keep the only one of another waiting."""
    begin, order, gates, _ = work
    tasks = [begin("a", f"a{n}") for n in range(5)] + [begin("b", "b0")]
    await asyncio.sleep(0)
    for gate in gates.values():
        gate.set()
    await asyncio.gather(*tasks)
    assert order == ["a0", "a1", "b0", "a2", "a3", "a4"]


@pytest.mark.parametrize("moment", ["waiting", "called next", "called"])
async def test_who_is_cancelled_gives_the_turn_on(work, tmp_path, moment):
    """Be it while it waits, when its turn is about to come, or when it has come."""
    begin, order, gates, turns = work
    first, second, third = (begin("a", name) for name in ("one", "two", "three"))
    await asyncio.sleep(0)
    if moment != "waiting":
        gates["one"].set()
    if moment == "called":
        await asyncio.sleep(0)
    second.cancel()
    gates["one"].set()
    gates["three"].set()
    await asyncio.gather(first, third)
    assert order == ["one", "three"]
    assert not turns.taken(tmp_path / "a")

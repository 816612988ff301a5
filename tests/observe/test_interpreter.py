"""The project's Python is found in the documented order, and refusals are named."""

import asyncio
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bonafix.config import Config
from bonafix.errors import InterpreterError
from bonafix.observe import candidates
from bonafix.observe.interpreter import find
from tests.observe.environments import MissingError, plain, python
from tests.observe.harness import write


def script(path: Path, text: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def like(path: Path, chosen: Path) -> Path:
    """A stand-in that runs `chosen`, at a place where a Python is looked for."""
    return script(path, f'exec "{chosen}" "$@"')


def listed(root, environment, **options):
    """All candidates, in order."""

    async def collect():
        return [p async for p in candidates.places(root, environment, **options)]

    return asyncio.run(collect())


def test_order(tmp_path):
    """Editor, active, in the root, tools, tox and nox, search path: in this order."""
    root = tmp_path / "project"
    tools = tmp_path / "tools"
    kept = script(tmp_path / "kept" / "bin" / "python", "")
    script(tools / "uv", f"echo {kept}")
    script(tools / "hatch", f"echo {tmp_path / 'kept'}")
    script(tools / "poetry", "exit 1")
    script(tools / "pipenv", "echo must not be asked; touch asked")
    script(tools / "python3", "")
    for name in (".venv", "env", "venv"):
        script(root / name / "bin" / "python", "")
        (root / name / "pyvenv.cfg").write_text("")
    for name in ("docs", "py311"):
        script(root / ".tox" / name / "bin" / "python", "")
    script(root / ".nox" / "tests" / "bin" / "python", "")
    write(root, {"uv.lock": "", "poetry.lock": "", "hatch.toml": ""})
    environment = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "VIRTUAL_ENV": "/active",
        "CONDA_PREFIX": "/conda",
    }
    found = listed(root, environment, editor="/chosen/python")
    assert [place.path for place in found][:12] == [
        "/chosen/python",
        "/active/bin/python",
        "/conda/bin/python",
        *(f"{root}/{name}/bin/python" for name in (".venv", "venv", "env")),
        str(kept),
        str(kept),
        f"{root}/.tox/py311/bin/python",
        f"{root}/.tox/docs/bin/python",
        f"{root}/.nox/tests/bin/python",
        str(tools / "python3"),
    ]
    assert not (root / "asked").exists()


def test_tools_get_no_secrets(tmp_path):
    """A tool that is asked where its environment is sees no credentials."""
    tools = tmp_path / "tools"
    script(tools / "pdm", "env > seen; echo /nowhere/python")
    root = write(tmp_path / "project", {"pdm.lock": ""})
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "MY_API_KEY": "x", "HOME": "/"}
    assert "/nowhere/python" in [p.path for p in listed(root, environment)]
    seen = (root / "seen").read_text()
    assert "HOME=" in seen
    assert "MY_API_KEY" not in seen


def test_first_usable_is_taken(tmp_path):
    """An environment without pytest is passed over, with the reason kept."""
    empty = tmp_path / ".venv"
    subprocess.run(
        [str(plain()), "-m", "venv", "--without-pip", str(empty)], check=True
    )
    script(tmp_path / "venv" / "bin" / "python", "echo nonsense")
    like(tmp_path / "xenv" / "bin" / "python", plain())
    (tmp_path / "xenv" / "pyvenv.cfg").write_text("")
    found = asyncio.run(find(tmp_path, Config()))
    assert found.why == "the project's xenv"
    assert found.path == plain()
    assert found.pytest[0].isdigit()
    assert found.version == sys.version_info[:3] or plain() != Path(sys.executable)
    assert "json" in found.stdlib
    assert "pytest" in found.installed
    reasons = dict(found.tried)
    assert "pytest is not installed" in reasons[str(empty / "bin" / "python")]
    assert "did not answer" in reasons[f"{tmp_path}/venv/bin/python"]


def test_the_setting_is_the_only_one_tried(tmp_path):
    """What the user names is not silently replaced by something else."""
    like(tmp_path / ".venv" / "bin" / "python", plain())
    with pytest.raises(InterpreterError) as caught:
        asyncio.run(find(tmp_path, Config(interpreter="/no/such/python")))
    text = str(caught.value)
    assert "/no/such/python: it cannot be started" in text
    assert ".venv" not in text
    assert caught.value.code == 3


def test_where_a_named_one_lies_is_said(tmp_path):
    """An editor that names a project's own, or its folder's, is no user's setting."""
    root = tmp_path / "shop"
    for folder, whose in ((root, "the project"), (tmp_path, tmp_path.name)):
        named = like(folder / ".venv" / "bin" / "python", plain())
        found = asyncio.run(find(root, Config(interpreter=str(named))))
        assert found.why == f"{whose}'s .venv"
    assert asyncio.run(find(root, Config(interpreter=str(plain())))).why == (
        "your settings"
    )


def test_the_editors_choice_comes_first(tmp_path):
    """The interpreter that was chosen in the editor wins over the project's own."""
    like(tmp_path / ".venv" / "bin" / "python", plain())
    chosen = str(like(tmp_path / "chosen", plain()))
    found = asyncio.run(find(tmp_path, Config(), editor=chosen))
    assert found.why == "the one chosen in the editor"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ('{"version": [3, 7, 2], "pytest": "7.0"}', "older than Python 3.8"),
        ('{"version": [3, 9, 1], "pytest": "6.2.5"}', "its pytest is 6.2.5"),
        ('{"version": [3, 9, 1], "pytest": null}', "pytest is not installed"),
    ],
)
def test_unfit(answer, reason, tmp_path):
    """An interpreter that is too old, or whose pytest is, is refused by name."""
    old = script(tmp_path / "python", f"echo 'bonafix-facts:{answer}'")
    with pytest.raises(InterpreterError, match=reason):
        asyncio.run(find(tmp_path, Config(interpreter=str(old))))


def test_a_silent_interpreter_is_given_up(tmp_path, monkeypatch):
    """What does not answer does not hold up the rest for ever."""
    monkeypatch.setattr("bonafix.observe.interpreter._SECONDS", 0.5)
    slow = script(tmp_path / "python", "sleep 60")
    with pytest.raises(InterpreterError, match="no answer within"):
        asyncio.run(find(tmp_path, Config(interpreter=str(slow))))


@pytest.mark.parametrize("name", ["python3.8", "python3.13", "pytest7"])
def test_other_pythons(name, tmp_path):
    """Older and newer Pythons than our own are understood."""
    try:
        chosen = python(name)
    except MissingError:
        chosen = plain()
    found = asyncio.run(find(tmp_path, Config(interpreter=str(chosen))))
    assert found.path == chosen
    assert found.implementation == "CPython"
    assert found.prefix != found.base_prefix
    assert any(entry.endswith("site-packages") for entry in found.import_path)
    assert "json" in found.stdlib
    if name == "pytest7" and chosen != plain():
        assert "xdist" in found.plugins
        assert found.pytest.startswith("7.")

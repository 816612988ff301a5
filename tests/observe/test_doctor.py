"""The doctor says what is there, and one line of advice for what is wrong."""

import asyncio
import subprocess

import pytest

from bonafix.config import Config
from bonafix.observe.doctor import examine
from tests.observe.environments import plain


def examined(root, credential="", **settings):
    """Topic -> findings."""
    settings.setdefault("interpreter", str(plain()))
    found = asyncio.run(examine(root, Config(**settings), credential=credential))
    table = {}
    for finding in found:
        table.setdefault(finding.topic, []).append(finding)
    return table


def test_all_is_well(tmp_path):
    """What is fine is shown without advice."""
    found = examined(tmp_path, credential="API key in ANTHROPIC_API_KEY")
    (chosen,) = found["interpreter"]
    assert str(plain()) in chosen.text
    assert "your settings" in chosen.text
    for topic in ("pytest", "plugins", "credentials", "state"):
        (finding,) = found[topic]
        assert (finding.level, finding.advice) == ("ok", ""), finding


def test_each_wrong_thing_has_advice(tmp_path):
    """Whatever is not ok says what to do about it."""
    found = examined(tmp_path, interpreter="/no/such/python", confine="off")
    wrong = [f for findings in found.values() for f in findings if f.level != "ok"]
    assert {f.topic for f in wrong} == {"interpreter", "confinement", "credentials"}
    assert all(f.advice for f in wrong)
    assert found["interpreter"][0].level == "error"


def test_credentials_matter_to_who_needs_them(tmp_path):
    """Without credentials the search engine works, the other one cannot."""
    assert examined(tmp_path)["credentials"][0].level == "warn"
    assert examined(tmp_path, engine="claude")["credentials"][0].level == "error"


def test_an_environment_without_pytest_is_pointed_out(tmp_path):
    """A project's own environment that was passed over is a warning."""
    folder = tmp_path / ".venv"
    command = [str(plain()), "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True)
    found = examined(tmp_path, interpreter="")
    warned = [f for f in found["interpreter"] if str(folder) in f.text]
    assert [f.level for f in warned] == ["warn"]
    assert "pip install pytest" in warned[0].advice


@pytest.mark.parametrize(("ignore", "level"), [("", "warn"), ("state/\n", "ok")])
def test_receipts_are_kept_out_of_the_repository(ignore, level, tmp_path, monkeypatch):
    """A state folder inside the project must be ignored by git."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(ignore)
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path / "state"))
    assert examined(tmp_path)["state"][0].level == level


def test_an_unwritable_state_folder_is_an_error(tmp_path, monkeypatch):
    """Where receipts cannot be kept, the reason is given."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path / "file" / "state"))
    (finding,) = examined(tmp_path)["state"]
    assert finding.level == "error"
    assert "BONAFIX_STATE_DIR" in finding.advice

"""The doctor says what is there, and one line of advice for what is wrong."""

import asyncio
import subprocess
import sys

import pytest

from bonafix.config import Config
from bonafix.observe.doctor import examine
from bonafix.propose.claude import models, status
from tests.observe.environments import plain


def examined(root, environment=None, **settings):
    """Topic -> findings, as the doctor of these settings has them."""
    settings.setdefault("interpreter", str(plain()))
    config = Config(**settings)
    home = {"HOME": str(root), **(environment or {})}
    found = asyncio.run(examine(root, config, status(config, home)))
    table = {}
    for finding in found:
        table.setdefault(finding.topic, []).append(finding)
    return table


def test_all_is_well(tmp_path):
    """What is fine is shown without advice."""
    found = examined(tmp_path, {"ANTHROPIC_API_KEY": "sk-some-key-of-ours"})
    (chosen,) = found["interpreter"]
    assert str(plain()) in chosen.text
    assert "your settings" in chosen.text
    for topic in ("pytest", "plugins", "credentials", "model", "state"):
        (finding,) = found[topic]
        assert (finding.level, finding.advice) == ("ok", ""), finding


def test_each_wrong_thing_has_advice(tmp_path):
    """Whatever is not ok says what to do about it."""
    found = examined(tmp_path, interpreter="/no/such/python", confine="off")
    wrong = [f for findings in found.values() for f in findings if f.level != "ok"]
    assert {f.topic for f in wrong} == {"interpreter", "confinement", "credentials"}
    assert all(f.advice for f in wrong)
    assert found["interpreter"][0].level == "error"


@pytest.mark.parametrize(("flags", "level"), [((), "warn"), (("-I", "-S"), "ok")])
def test_an_environment_that_bonafix_shares(tmp_path, flags, level):
    """It is warned of where Bonafix is installed, not where it is only run from."""
    code = (
        "import asyncio, pathlib, sys; sys.path[:] = sys.argv[1:];"
        "from bonafix.config import Config; from bonafix.observe.doctor import examine;"
        "from bonafix.propose.claude.status import status;"
        "config = Config(interpreter=sys.executable);"
        "told = examine(pathlib.Path.cwd(), config, status(config, {}));"
        "print(*(f.level for f in asyncio.run(told) if f.topic == 'interpreter'))"
    )
    command = [sys.executable, *flags, "-c", code, *filter(None, sys.path)]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == [level], done.stderr


def test_credentials_matter_to_who_needs_them(tmp_path):
    """Without credentials the search engine works, the other one cannot."""
    assert examined(tmp_path)["credentials"][0].level == "warn"
    assert examined(tmp_path, engine="claude")["credentials"][0].level == "error"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"ANTHROPIC_API_KEY": "sk-ours-4711\nsk-ours-4712"}, "a line break"),
        ({"ANTHROPIC_API_KEY": "'sk-ours-4711'"}, "begins with a quotation mark"),
        ({"ANTHROPIC_AUTH_TOKEN": " "}, "ANTHROPIC_AUTH_TOKEN cannot be used"),
        ({"BONAFIX_SERVICE": "bedrock"}, "set AWS_REGION, or service_region"),
        ({"BONAFIX_SERVICE": "moon"}, "must be one of anthropic, bedrock"),
    ],
    ids=["broken", "quoted", "blank", "cloud", "unknown"],
)
def test_credentials_that_cannot_be_used(tmp_path, environment, words):
    """Why is said before anything is sent, with what to do, and without the value."""
    (finding,) = examined(tmp_path, environment)["credentials"]
    assert finding.level == "error"
    assert "which cannot be used" in finding.text
    assert words in finding.advice
    assert "4711" not in finding.text + finding.advice
    ignored = examined(tmp_path, environment, engine="search")["credentials"][0]
    assert ignored.level == "warn"


def test_the_tables_say_how_old_they_are(tmp_path):
    """Which model is asked and how, and the dates of what is known of it."""
    (finding,) = examined(tmp_path)["model"]
    assert "claude-opus-5-5, thinking medium" in finding.text
    assert f"as of {models.table_date()}" in finding.text
    assert f"prices as of {models.price_date()}" in finding.text
    assert "model" not in examined(tmp_path, engine="search")


def test_a_model_that_nobody_has_a_price_for(tmp_path):
    """That money cannot be capped is a warning."""
    (finding,) = examined(tmp_path, model="somebodys-model")["model"]
    assert finding.level == "warn"
    assert "only tokens" in finding.advice


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

"""Awkward files and suites come through the whole command as they should."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.observe.environments import plain
from tests.small import bonafix

EDGES = Path(__file__).parents[2] / "fixtures" / "edges"
# the faulty lines: file -> a part of the one line that may change
AWKWARD = {
    "crlf": {"lengths.py": b"feet + INCHES_IN_A_FOOT"},
    "bom-latin1": {
        "greetings.py": b'+ ", " + language',
        "menu.py": b"- len(dishes)",
    },
    "nonewline": {"parity.py": b"    return is_odd(number)"},
}


@pytest.fixture
def environment(tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text(f'interpreter = "{plain()}"\n')
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("ANTHROPIC_")},
        "BONAFIX_CONFIG": str(settings),
        "BONAFIX_STATE_DIR": str(tmp_path / "state"),
    }


def copied(name, tmp_path):
    return Path(shutil.copytree(EDGES / name / "project", tmp_path / name))


@pytest.mark.parametrize("name", AWKWARD)
def test_only_the_intended_lines_change(name, tmp_path, environment):
    """CRLF, byte order mark, Latin-1, no final newline: the other bytes stay."""
    root = copied(name, tmp_path)
    before = {path: path.read_bytes() for path in root.iterdir() if path.is_file()}
    done = bonafix(
        *("fix", root, "--engine", "search", "--apply", "--accept", "plausible"),
        env=environment,
    )
    assert done.returncode in {0, 5}, done.stderr
    after = {path: path.read_bytes() for path in root.iterdir() if path.is_file()}
    assert after.keys() == before.keys()
    changed = {path.name for path in after if after[path] != before[path]}
    assert changed == set(AWKWARD[name])
    for path in (root / file for file in changed):
        old, new = before[path].split(b"\n"), after[path].split(b"\n")
        assert len(old) == len(new)
        differ = [i for i, line in enumerate(old) if line != new[i]]
        assert len(differ) == 1
        (at,) = differ
        assert AWKWARD[name][path.name] in old[at]
        assert old[at].endswith(b"\r") == new[at].endswith(b"\r")


@pytest.mark.parametrize("name", AWKWARD)
def test_a_patch_of_awkward_bytes_is_checked(name, tmp_path, environment):
    """A diff that holds several encodings is judged like any other."""
    root = copied(name, tmp_path)
    patch = EDGES / name / "patches" / "honest.patch"
    done = bonafix("check", patch, "--root", root, "--json", "-", env=environment)
    value = json.loads(done.stdout)
    assert value["verdict"] in {"verified", "plausible"}, value


def test_a_hung_test_is_killed_and_reported(tmp_path, environment):
    """Its time-out ends it, the other tests are reported all the same."""
    root = copied("hung", tmp_path)
    done = bonafix(
        *("test", root, "--test-timeout", "2", "--json", "-"), env=environment
    )
    outcomes = {r["id"]: r["outcome"] for r in json.loads(done.stdout)["results"]}
    assert sorted(set(outcomes.values())) == ["hung", "passed"]
    assert done.returncode == 1


def test_an_uncollectable_suite_is_exit_3(tmp_path, environment):
    """The reason is pytest's own; it is never "0 failures"."""
    done = bonafix("test", copied("uncollectable", tmp_path), env=environment)
    assert done.returncode == 3
    assert "Error" in done.stderr


def test_a_hostile_project_is_refused(tmp_path, environment):
    """A project that would configure its judge is a configuration error."""
    done = bonafix("fix", copied("hostile", tmp_path), env=environment)
    assert done.returncode == 2
    assert "[tool.bonafix]" in done.stderr


def test_the_copy_is_what_runs_for_an_editable_install(tmp_path, environment):
    """A src layout installed in editable mode: the fix is judged, not the original."""
    fixture = EDGES.parent / "galley"
    root = Path(shutil.copytree(fixture / "project", tmp_path / "galley"))
    configuration = root / "pyproject.toml"
    text = configuration.read_text().replace('pythonpath = ["src"]\n', "")
    configuration.write_text(text)
    assert "pythonpath" not in text
    venv = tmp_path / "venv"
    subprocess.run(
        [plain(), "-m", "venv", "--without-pip", "--system-site-packages", venv],
        check=True,
    )
    site = next((venv / "lib").glob("python*/site-packages"))
    base = next((plain().parents[1] / "lib").glob("python*/site-packages"))
    (site / "base.pth").write_text(f"{base}\n")
    (site / "__editable__.galley.pth").write_text(f"{root / 'src'}\n")
    patch = fixture / "patches" / "honest.patch"
    environment = {**environment, "BONAFIX_CONFIG": str(tmp_path / "none.toml")}
    done = bonafix(
        *("check", patch, "--root", root, "--json", "-"),
        *("--interpreter", venv / "bin" / "python"),
        env=environment,
    )
    value = json.loads(done.stdout)
    assert value["verdict"] in {"verified", "plausible"}, value
    assert len(value["targets"]) == 3

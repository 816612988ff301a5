"""What runs in processes of tests is compiled once for each Python, where we may."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bonafix.config import Config
from bonafix.observe.interpreter import INSIDE, find
from tests.observe.environments import plain
from tests.observe.harness import observe, outcomes, write


def found(root, executable):
    """What is known of that Python."""
    return asyncio.run(find(root, Config(interpreter=str(executable))))


def test_a_compiled_copy_is_made_once(tmp_path):
    """All our modules lie there, compiled, and the next search finds the same ones."""
    first = found(tmp_path, plain())
    assert first.inside != INSIDE
    names = {path.name for path in INSIDE.glob("*.py")}
    assert {path.name for path in first.inside.glob("*.py")} == names
    compiled = list((first.inside / "__pycache__").glob("*.pyc"))
    assert len(compiled) == len(names)
    made = [path.stat().st_mtime_ns for path in compiled]
    assert found(tmp_path, plain()).inside == first.inside
    assert [path.stat().st_mtime_ns for path in compiled] == made


def test_the_copy_is_what_runs(tmp_path):
    """A run's launcher comes from there, confined as it is."""
    root = write(tmp_path / "project", {"test_it.py": "def test_it():\n    pass\n"})
    settings = Config(interpreter=sys.executable)  # looked for anew each time
    inside = found(root, sys.executable).inside
    (inside / "launch.py").write_text("raise SystemExit('another')\n")
    assert observe(root, settings).results == {}
    shutil.rmtree(inside)
    assert outcomes(observe(root, settings)) == {"test_it.py::test_it": "passed"}


def test_nothing_is_kept_in_the_project(tmp_path, monkeypatch):
    """State in the project, whose code could change it, holds none."""
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path / "state"))
    assert found(tmp_path, plain()).inside == INSIDE
    assert not (tmp_path / "state").exists()


def test_others_may_not_write_there(tmp_path):
    """A folder that others can write to is not believed."""
    folder = Path(os.environ["BONAFIX_STATE_DIR"]) / "inside"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert found(tmp_path, plain()).inside == INSIDE


def test_no_room(tmp_path):
    """Where it cannot be written, the facts are told all the same."""
    (tmp_path / "file").write_text("")
    facts = INSIDE / "facts.py"
    command = [sys.executable, str(facts), str(tmp_path / "file" / "inside")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(told.partition(":")[2])["inside"] == ""


def test_few_are_kept(tmp_path):
    """Copies that were not used for long make room."""
    for nth in range(20):
        (tmp_path / f"old{nth}").mkdir()
        os.utime(tmp_path / f"old{nth}", (nth, nth))
    command = [sys.executable, str(INSIDE / "facts.py"), str(tmp_path)]
    subprocess.run(command, capture_output=True, check=True)
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == 16
    assert "old19" in left
    assert "old4" not in left

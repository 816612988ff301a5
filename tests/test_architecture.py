"""The house stands as ARCHITECTURE.md says."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bonafix.lsp.features import COMMANDS, FEATURES, PULLED

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "server" / "bonafix"
INSIDE = sorted((SOURCE / "observe" / "inside").glob("*.py"))


def run(*command):
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_imports_point_one_way():
    """The contracts in pyproject.toml hold."""
    script = "from importlinter.cli import lint_imports_command as c; c()"
    done = run(sys.executable, "-c", script)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", INSIDE, ids=lambda p: p.name)
def test_inside_is_old_syntax_and_stands_alone(path):
    """Code for the user's interpreter is 3.8 syntax over stdlib and pytest."""
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    siblings = {p.stem for p in INSIDE}
    allowed = sys.stdlib_module_names | siblings | {"pytest", "_pytest"}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        for name in names:
            assert name.partition(".")[0] in allowed, f"{path.name} imports {name}"


@pytest.mark.parametrize("module", ["bonafix.cli.main", "bonafix.lsp.main"])
def test_start_up_is_light(module):
    """A front end that starts has not paid for the model or for parsing."""
    code = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    done = run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    heavy = {"anthropic", "tree_sitter", "unidiff", "rich"}
    assert not heavy & set(done.stdout.split())


def test_hello_is_said_before_the_rest_is_imported():
    """The server's start takes in no more of ours than the first answer needs."""
    code = "import sys, bonafix.lsp.main; print(*sys.modules, sep='\\n')"
    loaded = set(run(sys.executable, "-c", code).stdout.split())
    assert "bonafix.lsp.hello" in loaded
    late = {"domain", "config", "lsp.state", "lsp.messages", "lsp.requests", "project"}
    assert not {f"bonafix.{name}" for name in late} & loaded


def test_what_is_imported_late_is_there():
    """Each message and command that is answered names a function with a server."""
    for home, name in {*FEATURES.values(), *PULLED.values(), *COMMANDS.values()}:
        handler = getattr(importlib.import_module(f"bonafix.lsp.{home}"), name)
        assert inspect.iscoroutinefunction(handler), name
        assert next(iter(inspect.signature(handler).parameters)) == "ls", name


def test_no_machine_paths_or_registry_hosts_in_files():
    """What is committed names no machine and no package registry."""
    host = re.compile(
        r"https?://[\w.-]*(registry|pypi|npmjs|mirror)[\w.-]*", re.IGNORECASE
    )
    home = re.compile(r"/(root|home/\w+)/\.")
    listed = run("git", "ls-files").stdout.splitlines()
    for name in listed:
        path = ROOT / name
        if path.suffix in {".py", ".ts", ".json", ".toml", ".md", ".mjs"}:
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not host.search(text), name
            if not name.startswith(("fixtures/", "client-vscode/test/")):
                assert not home.search(text), name


def test_every_invariant_names_a_test_that_exists():
    """ARCHITECTURE.md's invariants point at tests that are there."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    section = text.partition("## Invariants")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(tests/[\w./]+)`", section))
    assert len(named) > 5
    for name in named:
        assert (ROOT / name).exists(), name

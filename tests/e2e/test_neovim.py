"""A real Neovim with the real server: from a red test to a green one."""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest

NVIM = Path(sys.executable).with_name("nvim")
SCRIPT = Path(__file__).with_name("neovim.lua")
OURS = Path(__file__).parents[2] / "docs" / "editors" / "bonafix.lua"

CALC = '''\
"""Prices in cents."""


def total(prices, shipping):
    """What a customer pays."""
    return sum(prices) - shipping
'''
TESTS = """\
from calc import total


def test_total():
    assert total([300, 250], 90) == 640


def test_free_shipping():
    assert total([300, 250], 0) == 550
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "shop"
    root.mkdir()
    (root / "calc.py").write_text(CALC)
    (root / "test_calc.py").write_text(TESTS)
    return root


@pytest.fixture
def marked(tmp_path, monkeypatch):
    """Marks every process that the test starts; returns the mark."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv("BONAFIX_TEST_MARK", mark)
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("BONAFIX_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv(
        "BONAFIX_SERVER",
        json.dumps([sys.executable, "-P", "-m", "bonafix", "lsp", "--trust"]),
    )
    options = {"engine": "search", "search_seconds": 10, "interpreter": sys.executable}
    monkeypatch.setenv("BONAFIX_LUA", str(OURS))
    monkeypatch.setenv("BONAFIX_OPTIONS", json.dumps(options))
    return mark


def neovim(root):
    """What the script reports, and Neovim's exit code."""
    command = [str(NVIM), "--headless", "--clean", "-n", "-l", str(SCRIPT)]
    ended = subprocess.run(
        command, cwd=root, capture_output=True, check=False, timeout=280
    )
    assert ended.stdout, ended.stderr.decode()
    return json.loads(ended.stdout), ended.returncode


def left_over(mark):
    """The processes that carry the mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("BONAFIX_TEST_MARK") == mark:
                found.append(process)
        except psutil.Error:
            continue  # gone meanwhile, or not ours
    return [process for process in found if process.pid != os.getpid()]


@pytest.mark.timeout(300)
def test_a_failing_test_is_fixed_in_neovim(project, marked):
    """Fix, cancel, preview and apply, by the commands that the docs give."""
    report, code = neovim(project)
    assert (report.get("problem"), code) == (None, 0), report
    shown = report["diagnostic"]
    assert (shown["source"], shown["line"]) == ("bonafix", 4)
    assert shown["code"] == "test_calc.py::test_total"
    assert report["status"].startswith("fixing test_total: ")
    assert "# verified: test_calc.py::test_total" in report["page"]
    assert "+    return sum(prices) + shipping" in report["page"]
    assert "sum(prices) + shipping" in (project / "calc.py").read_text()
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    assert subprocess.run(suite, cwd=project, check=False).returncode == 0
    end = time.monotonic() + 10
    while left_over(marked) and time.monotonic() < end:
        time.sleep(0.2)
    assert left_over(marked) == []


SNIPPET = """
vim.lsp.handlers['window/showMessageRequest'] = function() return vim.NIL end
vim.cmd('filetype on')
dofile(vim.env.SNIPPET)
vim.cmd.edit('test_calc.py')
vim.wait(60 * 1000, function() return #vim.lsp.get_clients() > 0 end, 50)
local client = vim.lsp.get_clients()[1]
io.stdout:write(client and client.config.root_dir or 'no client')
vim.lsp.stop_client(vim.lsp.get_clients(), true)
os.exit(0)
"""


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("page", ["README.md", "docs/editors/neovim.md"])
def test_the_documented_lines_need_no_marker(project, monkeypatch, page):
    """What a page says to write gives the server a folder, whatever lies in it."""
    text = (OURS.parents[2] / page).read_text()
    (lines,) = re.findall(r"```lua\n(vim\.lsp\.config.*?)```", text, re.DOTALL)
    (project.parent / "init.lua").write_text(lines)
    (project.parent / "open.lua").write_text(SNIPPET)
    monkeypatch.setenv("SNIPPET", str(project.parent / "init.lua"))
    bin_first = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", bin_first)
    command = [NVIM, "--headless", "--clean", "-l", project.parent / "open.lua"]
    done = subprocess.run(
        command, cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == str(project), done.stderr

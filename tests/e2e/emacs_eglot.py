"""A real Emacs with the real server; by `make test-emacs`, since few have an Emacs."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e import test_neovim
from tests.e2e.test_neovim import left_over

project, marked = test_neovim.project, test_neovim.marked  # the same as for Neovim

SCRIPT = Path(__file__).with_name("emacs.el")


@pytest.mark.timeout(300)
def test_a_failing_test_is_fixed_in_emacs(project, marked):
    """Diagnostic, quick fix, ready edit, save: the test passes and all is quiet."""
    emacs = shutil.which("emacs")
    assert emacs, "there is no emacs; on Debian: apt install emacs-nox elpa-eglot"
    command = [emacs, "--batch", "-l", str(SCRIPT)]
    ended = subprocess.run(
        command, cwd=project, capture_output=True, check=False, timeout=280
    )
    assert ended.stdout, ended.stderr.decode()
    report = json.loads(ended.stdout.splitlines()[-1])
    assert (report["problem"], ended.returncode) == (None, 0), report
    assert "sum(prices) + shipping" in (project / "calc.py").read_text()
    assert left_over(marked) == []

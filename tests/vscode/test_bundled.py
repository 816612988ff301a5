"""The server that comes with the extension, for a user who has set nothing."""

import json
import zipfile

import psutil
import pytest

from tests.small import TOTAL, write
from tests.vscode import editor
from tests.vscode.screen import FIX, START
from tests.vscode.words import APPLIED, APPLY, ready

pytestmark = pytest.mark.timeout(900)

TESTS = "tests/test_basket.py"
HOSTILE = dict.fromkeys(["bonafix.py", "pygls.py", "attrs.py"], "1/0")
"""What would get into the server if it took modules from PYTHONPATH."""


def servers(mark):
    """The command lines of the servers in whose environment that is."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            ours = process.environ().get("BONAFIX_STATE_DIR") == mark
            if ours and line[-1:] == ["lsp"]:
                found.append(line)
        except psutil.Error:
            continue  # gone meanwhile, or not ours
    return found


def test_nothing_need_be_installed(start_editor, open_window, tmp_path):
    """From the VSIX alone: diagnostics, a fix by the search engine, applied."""
    around = {
        "BONAFIX_CONFIG": str(tmp_path / "config.toml"),
        "BONAFIX_STATE_DIR": str(tmp_path / "own"),
        "PYTHONPATH": str(write(tmp_path / "hostile", HOSTILE)),
    }
    with start_editor(**around) as code:
        code.choose(bonafix__path=[])
        window = open_window(code, write(tmp_path / "shop"))
        window.open(TESTS)
        window.see(window.problems, START)
        window.underlines(8, 16)
        ((_, *flags, start, _),) = servers(around["BONAFIX_STATE_DIR"])
        assert flags == ["-I", "-S"]
        assert start.startswith(str(code.folder))
        window.to_line(16)
        window.choose("Fix test_total with Bonafix")
        window.notice(ready("test_total"), FIX)
        window.open(TESTS)
        window.to_line(16)
        window.choose(APPLY)
        window.notice(APPLIED)
        window.save_all()
        assert window.passes(TOTAL)
        window.command("Bonafix: Show Debug Information")
        page = window.page.locator(".editor-instance .view-lines").last
        for said in ("origin: comes with the extension", "Server's Python: 3."):
            window.see(page.locator(".view-line", has_text=said))
        window.picture("information")


def test_the_package_says_nothing_of_where_it_was_made():
    """No path of the checkout and nothing compiled is in it; the licences are."""
    place = str(editor.REPOSITORY).encode()
    with zipfile.ZipFile(editor.VSIX) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    assert [name for name, data in inside.items() if place in data] == []
    assert [name for name in inside if name.endswith((".pyc", "/RECORD"))] == []
    assert b"pygls" in inside["extension/bundled/THIRD-PARTY-NOTICES.txt"]
    groups = json.loads(inside["extension/package.json"])["contributes"][
        "configuration"
    ]
    assert groups[0]["properties"]["bonafix.path"]["default"] == []

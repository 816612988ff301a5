"""What is run: one test, one file, what failed, what the changes affect, each root."""

import pytest

from bonafix.lsp.findings import Seen
from bonafix.lsp.selecting import Known, Pick, affected, by_name, of_file, resolve
from tests.lsp.conftest import CALC, TESTS
from tests.lsp.editor import RefusedError

ADD, PARAM = "test_calc.py::test_add", "test_calc.py::test_param[1-2]"
ALONE = TESTS + "\n\ndef test_alone():\n    assert 0\n"


def log(editor):
    return (editor.root / "runs.log").read_text().splitlines()


async def logged(editor, part, since):
    await editor.wait("window/logMessage", lambda p: part in p["message"], after=since)


async def ran(editor, argument, command="runTests"):
    """What a run on request ran."""
    since = len(editor.notes)
    await editor.command(command, argument)
    await editor.wait(
        "window/logMessage", lambda p: "tests," in p["message"], after=since
    )
    return log(editor)[-1]


async def test_a_file_runs_its_own_tests_only(editor):
    """`bonafix.runTests` on a file asks for that file's ids."""
    assert await ran(editor, {"uri": editor.uri("test_calc.py")}) == f"{ADD} {PARAM}"


async def test_a_product_file_runs_the_tests_that_run_it(start, workspace):
    """On product code, the tests that execute it are what is meant."""
    (workspace / "test_calc.py").write_text(ALONE)
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    assert await ran(editor, {"uri": editor.uri("calc.py")}) == f"{ADD} {PARAM}"


async def test_a_new_test_of_a_file_is_found_by_the_files_name(editor):
    """A test written since the last run is among those of its file."""
    await editor.open("test_calc.py", ALONE)
    answer = await ran(editor, {"uri": editor.uri("test_calc.py")})
    assert answer == "-k test_calc.py"


async def test_a_lost_test_of_a_file_does_no_harm(editor):
    """A file whose tests have gone is run by its name instead."""
    await editor.open("test_calc.py", TESTS.replace("test_param", "test_add"))
    answer = await ran(editor, {"uri": editor.uri("test_calc.py")})
    assert answer == "-k test_calc.py"


async def test_a_function_means_all_its_rows(editor):
    """An id without parameters runs every row of the test."""
    assert await ran(editor, {"test": PARAM.partition("[")[0]}) == PARAM


async def test_what_failed_last_is_run_again(start, workspace):
    """`lastFailed` runs the failing tests and no other; `bonafix.test` is the same."""
    (workspace / "test_calc.py").write_text(ALONE)
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    await editor.open("calc.py", CALC.replace("-", "+"))
    assert await ran(editor, {"lastFailed": True}, "test") == (
        f"{ADD} {PARAM} test_calc.py::test_alone"
    )
    with pytest.raises(RefusedError, match="no test failed in the last run"):
        await editor.command("test", {"lastFailed": True})


async def test_affected_tests_run_first(start, workspace):
    """In a long suite a save runs what the changed lines affect, then all."""
    (workspace / "test_calc.py").write_text(ALONE + "# takes long\n")
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    before = len(log(editor))
    await editor.open("test_calc.py")
    changed = editor.text("test_calc.py").replace("assert 0", "assert 1")
    await editor.change("test_calc.py", changed)
    since = len(editor.notes)
    await editor.save("test_calc.py")
    await editor.wait(
        "window/logMessage", lambda p: "3 tests" in p["message"], after=since
    )
    assert log(editor)[before:] == ["test_calc.py::test_alone", "all"]
    progress = [
        n["params"]["value"] for n in editor.notes if n["method"] == "$/progress"
    ]
    assert any("affected tests first" in v.get("message", "") for v in progress)


async def test_progress_counts_and_names_the_test(editor):
    """While tests run, the progress says how many are through, and the current one."""
    since = len(editor.notes)
    await editor.command("runTests", {})
    await editor.wait(
        "$/progress",
        lambda p: p["value"].get("message") == "suite: 2/2 test_param[1-2]",
        after=since,
    )


async def test_each_root_runs_by_its_own_settings(start, tmp_path):
    """Every folder is asked for its settings; its runs and fixes use those."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "calc.py").write_text("a - b")
    (other / "test_calc.py").write_text("def test_add():\n    assert 0\n")

    def settings(params):
        uris = [item["scopeUri"] for item in params["items"]]
        return [{"thinking": "low" if "other" in uri else "high"} for uri in uris]

    editor = await start("--trust", answers={"workspace/configuration": settings})
    await editor.diagnostics("test_calc.py")
    event = {"added": [{"uri": other.as_uri(), "name": "other"}], "removed": []}
    await editor.notify("workspace/didChangeWorkspaceFolders", {"event": event})
    uri = (other / "test_calc.py").as_uri()
    await editor.wait("textDocument/publishDiagnostics", lambda p: p["uri"] == uri)
    for root, effort in ((editor.root, "high"), (other, "low")):
        await editor.command("fix", {"test": ADD, "root": root.as_uri()})
        await editor.wait(
            "window/logMessage", lambda p, e=effort: f"thinking: {e}" in p["message"]
        )


# ------------------------------------------------------------------------- selecting

IDS = ("t.py::a", "t.py::K::b[1]", "t.py::K::b[2]", "u.py::c")
LINES = {
    "t.py::a": {"t.py": frozenset({1}), "p.py": frozenset({2, 3})},
    "t.py::K::b[1]": {"p.py": frozenset({5})},
    "u.py::c": {"q.py": frozenset({1})},
}
BEFORE = "import x\ndef f():\n    a\n\n    b\n"
KNOWN = Known(collected=IDS, lines=LINES, seen=Seen({"p.py": BEFORE.encode()}))


@pytest.mark.parametrize(
    ("select", "text", "pick"),
    [
        (None, "", Pick()),
        (("t.py",), "", Pick(IDS[:3])),
        (("t.py::K",), "", Pick(IDS[1:3])),
        (("t.py::K::b",), "", Pick(IDS[1:3])),
        (("u.py", "t.py::a"), "def test_new(): ...", Pick()),
        (("t.py",), "async def test_new(): ...", Pick(expression="t.py")),
        (("new.py",), "", Pick(expression="new.py")),
        (("a b.py",), "", Pick()),
        (("t.py::gone",), "", Pick(("t.py::gone",))),
    ],
)
def test_what_a_selection_asks_of_pytest(select, text, pick):
    """Ids where they are known, else the file's name, else the suite."""
    assert resolve(select, KNOWN, lambda _path: text) == pick


def test_what_a_file_means():
    """A test file means itself, product code its tests, an unknown file the suite."""
    assert of_file(KNOWN, "t.py") == ("t.py",)
    assert of_file(KNOWN, "p.py") == ("t.py::a", "t.py::K::b[1]")
    assert of_file(KNOWN, "README") is None
    assert by_name(("t.py::a", "u.py")) == Pick()


@pytest.mark.parametrize(
    ("now", "tests"),
    [
        (BEFORE, ()),
        (BEFORE.replace("a", "c"), IDS[:1]),
        (BEFORE.replace("b", "c"), IDS[1:2]),
        (BEFORE.replace("import x", "import y"), IDS[:2]),  # run by nobody: all
        (BEFORE.replace("    a\n", "    a\n    new\n"), IDS[:1]),
    ],
)
def test_changed_lines_lead_to_their_tests(now, tests):
    """Who ran a changed line is affected; if nobody did, who ran the file is."""
    assert affected(KNOWN, {"p.py": now, "other.py": "x"}) == tests

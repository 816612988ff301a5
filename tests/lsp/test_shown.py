"""What is published about failing tests, and how it follows the text."""

import asyncio

from tests.lsp.conftest import CALC, TESTS
from tests.lsp.editor import FULL, alive, until

ADD, PARAM = "test_calc.py::test_add", "test_calc.py::test_param[1-2]"


def lines(diagnostics):
    return [d["range"]["start"]["line"] for d in diagnostics]


def is_stale(diagnostics):
    return [d["message"].startswith("[stale") for d in diagnostics]


async def test_failures_are_shown_at_their_assertions(editor):
    """A failing test is a diagnostic on its assertion, whose code is its node id."""
    first, second = await editor.diagnostics("test_calc.py")
    assert (first["source"], first["code"], second["code"]) == ("bonafix", ADD, PARAM)
    assert first["range"]["start"] == {"line": 4, "character": 4}
    assert first["range"]["end"] == {"line": 4, "character": 25}


async def test_message_says_what_happened(editor):
    """The message holds the exception, both sides and the parameters."""
    _, second = await editor.diagnostics("test_calc.py")
    assert second["message"].splitlines() == [
        "AssertionError: assert -1 == 3 …",
        "expected: 3",
        "actual:   -1",
        "parameters: 1-2",
    ]


async def test_related_information_leads_to_the_fault(editor):
    """Related information names the faulty frame and the most suspicious line."""
    first, _ = await editor.diagnostics("test_calc.py")
    frame, suspect = first["relatedInformation"]
    assert frame["message"] == "raised in add: return a - b"
    assert frame["location"]["uri"] == editor.uri("calc.py")
    assert frame["location"]["range"]["start"]["line"] == 1
    assert suspect["message"].startswith("most suspicious line (0.87)")


async def test_a_failure_without_a_place_is_shown_at_its_definition(start, workspace):
    """A test that failed outside its own body is shown where it is defined."""
    (workspace / "test_calc.py").write_text("\n\ndef test_placeless():\n    go()\n")
    editor = await start("--trust")
    (shown,) = await editor.diagnostics("test_calc.py")
    assert shown["range"]["start"]["line"] == 2


async def test_columns_count_what_was_agreed(start, workspace):
    """The end of a line is counted in the client's unit."""
    text = "def test_add():\n    assert '😀' == 1\n"
    (workspace / "test_calc.py").write_text(text)
    ends = {}
    for unit in ("utf-8", "utf-16", "utf-32"):
        general = {"general": {"positionEncodings": [unit]}}
        editor = await start("--trust", capabilities=FULL | general)
        (shown,) = await editor.diagnostics("test_calc.py")
        ends[unit] = shown["range"]["end"]["character"]
    assert ends == {"utf-8": 22, "utf-16": 20, "utf-32": 19}


async def test_a_plain_client_gets_plain_diagnostics(start):
    """Neither versions nor related information go to a client without either."""
    editor = await start("--trust", capabilities={})
    (first, _) = await editor.diagnostics("test_calc.py")
    assert "relatedInformation" not in first
    note = await editor.wait("textDocument/publishDiagnostics")
    assert "version" not in note


async def test_diagnostics_follow_lines_above_them(editor):
    """Lines typed above an assertion move its diagnostic, which is stale then."""
    await editor.open("test_calc.py")
    await editor.change("test_calc.py", "# one\n# two\n" + TESTS)
    shown = await editor.diagnostics("test_calc.py", lambda d: lines(d) == [6, 10])
    assert is_stale(shown) == [True, True]
    note = await editor.wait(
        "textDocument/publishDiagnostics", lambda p: "version" in p
    )
    assert note["version"] == 2


async def test_an_undone_edit_makes_a_failure_current_again(editor):
    """Text that is again what ran is not stale."""
    await editor.open("calc.py")
    await editor.change("calc.py", "# a comment\n" + CALC)
    await editor.diagnostics("test_calc.py", lambda d: all(is_stale(d)))
    since = len(editor.notes)
    await editor.change("calc.py", CALC)
    shown = await editor.diagnostics(
        "test_calc.py", lambda d: not any(is_stale(d)), after=since
    )
    line = shown[0]["relatedInformation"][0]["location"]["range"]["start"]["line"]
    assert line == 1


async def test_opening_an_unchanged_file_changes_nothing(editor):
    """A buffer that equals the disk leaves no failure stale."""
    await editor.open("calc.py")
    await editor.open("test_calc.py")
    actions = await editor.actions("test_calc.py", 4)
    assert not actions[0]["diagnostics"][0]["message"].startswith("[stale")


async def test_a_save_runs_the_suite_and_clears_what_is_fixed(editor):
    """What a new run finds replaces what was shown."""
    await editor.open("calc.py")
    await editor.change("calc.py", CALC.replace("-", "+"))
    since = len(editor.notes)
    await editor.save("calc.py")
    await editor.diagnostics("test_calc.py", lambda d: d == [], after=since)


async def test_unsaved_buffers_are_what_runs(editor):
    """A run on request takes the buffers and not the disk."""
    await editor.open("calc.py")
    await editor.change("calc.py", CALC.replace("-", "+"))
    await editor.command("runTests", {})
    await editor.diagnostics("test_calc.py", lambda d: d == [])
    assert "-" in (editor.root / "calc.py").read_text()


async def test_results_for_text_that_moved_on_are_stale_from_the_start(editor):
    """Lines typed while the suite ran move and mark its results."""
    (editor.root / "calc.py").write_text(CALC + "# paused\n")
    await editor.open("test_calc.py")
    await editor.command("runTests", {})
    await until((editor.root / "paused").exists)
    await editor.change("test_calc.py", "# above\n" + TESTS)
    await editor.diagnostics("test_calc.py", lambda d: lines(d) == [5, 9])
    since = len(editor.notes)
    (editor.root / "go").touch()
    await editor.wait("window/logMessage", after=since)
    shown = await editor.diagnostics("test_calc.py", after=since)
    assert (lines(shown), is_stale(shown)) == ([5, 9], [True, True])


async def test_a_newer_save_cancels_an_older_run(editor):
    """The run that a save replaces is ended, its process included."""
    calc = editor.root / "calc.py"
    calc.write_text(CALC + "# slow_run\n")
    await editor.save("calc.py")
    await until((editor.root / "sleep.pid").exists)
    pid = int((editor.root / "sleep.pid").read_text())
    calc.write_text(CALC.replace("-", "+"))
    await editor.save("calc.py")
    await editor.diagnostics("test_calc.py", lambda d: d == [])
    assert not alive(pid)


async def test_saves_in_a_row_are_one_run(editor):
    """Saving all files runs the suite once."""
    log = editor.root / "runs.log"
    before = log.read_text().count("\n")
    since = len(editor.notes)
    for _ in range(5):
        await editor.save("calc.py")
    await editor.wait("window/logMessage", after=since)
    await asyncio.sleep(0.3)
    assert log.read_text().count("\n") == before + 1


async def test_one_test_run_alone_leaves_the_others_shown(editor):
    """A run of one test replaces that test's diagnostic only."""
    since = len(editor.notes)
    await editor.command("runTests", {"test": ADD})
    shown = await editor.diagnostics("test_calc.py", after=since)
    assert [d["code"] for d in shown] == [ADD, PARAM]
    assert (editor.root / "runs.log").read_text().endswith(f"{ADD}\n")


async def test_a_file_can_be_run_alone(editor):
    """`bonafix.runTests` with a test file's URI selects that file."""
    since = len(editor.notes)
    await editor.command("runTests", {"uri": editor.uri("test_calc.py")})
    await editor.diagnostics("test_calc.py", after=since)
    assert (editor.root / "runs.log").read_text().endswith(f"{ADD} {PARAM}\n")


async def test_a_suite_that_cannot_run_is_said(editor):
    """When the suite cannot be run, the user reads why, and old failures are stale."""
    await editor.open("test_calc.py", TESTS + "# COLLECT\n")
    await editor.command("runTests", {})
    text = await editor.shown("could not be run")
    assert "nothing could be collected" in text
    await editor.diagnostics("test_calc.py", lambda d: all(is_stale(d)))


async def test_a_closed_folder_shows_nothing(editor):
    """Removing a workspace folder clears its diagnostics."""
    since = len(editor.notes)
    folder = {"uri": editor.root.as_uri(), "name": "p"}
    event = {"added": [], "removed": [folder]}
    await editor.notify("workspace/didChangeWorkspaceFolders", {"event": event})
    await editor.diagnostics("test_calc.py", lambda d: d == [], after=since)


async def test_values_of_env_files_are_not_logged(editor):
    """What a `.env` file holds is taken out of the log, also where it is new."""
    (editor.root / ".env").write_text("API_TOKEN='thinking: medium'\n")
    since = len(editor.notes)
    await editor.command("fix", {"test": ADD})
    log = await editor.wait(
        "window/logMessage", lambda p: "summary" in p["message"], after=since
    )
    assert log["message"] == "model's summary: [redacted]"

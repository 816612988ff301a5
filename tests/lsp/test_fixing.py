"""From a diagnostic's quick fix to the fixed text, and every way not to get there."""

import pytest

from tests.lsp.conftest import CALC, TESTS
from tests.lsp.editor import RefusedError, alive, changes_of, until

ADD = "test_calc.py::test_add"
FIXED = CALC.replace("-", "+")
READY = "Apply verified fix: 1/1 target, 1,927 unchanged, 0 lost"


def titles(actions):
    """Of the actions but the explanation, which every failure has."""
    shown = [action["title"] for action in actions]
    return [title for title in shown if not title.startswith("Explain ")]


def preferred(actions):
    return [action["title"] for action in actions if action.get("isPreferred")]


async def named(start, workspace, name):
    """An editor over a project whose only test has this name."""
    body = f"def {name}():\n    assert add(1, 2) == 3\n"
    (workspace / "test_calc.py").write_text(body)
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    return editor, f"test_calc.py::{name}"


async def fixed(editor, test=ADD, **options):
    """The job of a fix that is ready."""
    answer = await editor.command("fix", {"test": test, **options})
    await editor.shown("fix for")
    return answer["job"]


async def test_a_failure_offers_its_fix(editor):
    """The quick fix on a failing assertion is preferred, and a command."""
    action, _ = await editor.actions("test_calc.py", 4)
    assert action["title"] == "Fix test_add with Bonafix"
    assert (action["kind"], action["isPreferred"]) == ("quickfix", True)
    assert action["command"]["command"] == "bonafix.fix"
    assert action["diagnostics"][0]["code"] == ADD


async def test_no_failure_offers_nothing(editor):
    """A line without a failure has no action."""
    assert await editor.actions("test_calc.py", 0) == []


async def test_other_kinds_are_not_answered(editor):
    """A client that asks for refactorings gets none."""
    at = {"line": 4, "character": 0}
    params = {
        "textDocument": {"uri": editor.uri("test_calc.py")},
        "range": {"start": at, "end": at},
        "context": {"diagnostics": [], "only": ["refactor"]},
    }
    assert await editor.request("textDocument/codeAction", params) == []


async def test_claude_is_offered_by_name_where_there_is_a_key(start, monkeypatch):
    """With credentials in the environment, Claude can be asked for by name."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    _, action, quick, _ = await editor.actions("test_calc.py", 4)
    assert action["title"] == "Fix test_add with Claude (thinking: high)"
    (argument,) = action["command"]["arguments"]
    assert (argument["engine"], argument["thinking"]) == ("claude", "high")
    assert quick["title"] == "Quick fix test_add without a model"
    assert quick["command"]["arguments"][0]["engine"] == "search"


async def test_claude_is_not_offered_to_who_chose_the_search(start, monkeypatch):
    """The choice of the search engine alone is not questioned at every failure."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    editor = await start("--trust", options={"engine": "search"})
    await editor.diagnostics("test_calc.py")
    shown = titles(await editor.actions("test_calc.py", 4))
    assert shown == ["Fix test_add with Bonafix"]


async def test_resolving_is_not_offered(start):
    """No client is invited to resolve actions: several freeze or race when they do."""
    editor = await start("--trust")
    result = await editor.request("textDocument/codeAction", _nowhere(editor))
    assert result == []
    provider = editor.greeting["capabilities"]["codeActionProvider"]
    assert "resolveProvider" not in provider


async def test_the_action_starts_a_job_that_ends_in_an_edit(editor):
    """Running the action names a job; its end is a ready, preferred edit."""
    action, _ = await editor.actions("test_calc.py", 4)
    (argument,) = action["command"]["arguments"]
    answer = await editor.command("fix", argument)
    assert set(answer) == {"job"}
    assert "Apply it with the quick fix" in await editor.shown("verified fix")
    actions = await editor.actions("test_calc.py", 4)
    assert preferred(actions) == [READY]
    await editor.make(actions[0]["edit"])
    assert editor.text("calc.py") == FIXED


async def test_an_edit_made_by_the_client_is_confirmed(editor):
    """The command that follows a ready edit says whether the text is there."""
    await fixed(editor)
    action = (await editor.actions("test_calc.py", 4))[0]
    (argument,) = action["command"]["arguments"]
    await editor.command("apply", argument)
    await editor.shown("does not have the fixed text")
    await editor.make(action["edit"])
    await editor.command("apply", argument)
    await editor.shown("applied verified fix")
    assert "workspace/applyEdit" not in [n["method"] for n in editor.notes]


async def test_alternatives_and_evidence_are_offered(editor):
    """Beside the best fix stand the alternatives, a new try and the evidence."""
    await fixed(editor)
    shown = titles(await editor.actions("test_calc.py", 4))
    assert shown[1].startswith("Alternative: Apply plausible fix (1/1 target")
    assert shown[2:] == ["Fix test_add with Bonafix", "Show evidence"]


async def test_one_cause_gets_one_fix(start, workspace):
    """Tests that fail together are targets together, and share the ready edit."""
    (workspace / "test_calc.py").write_text(TESTS + "# one cause\n")
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    await fixed(editor)
    ready = "Apply verified fix: 2/2 target, 1,927 unchanged, 0 lost"
    for line in (4, 8):
        assert preferred(await editor.actions("test_calc.py", line)) == [ready]


async def test_a_plausible_fix_is_never_the_preferred_one(start, workspace):
    """What is only plausible says so in its title and is not applied by one key."""
    editor, test = await named(start, workspace, "test_plausible")
    await fixed(editor, test)
    actions = await editor.actions("test_calc.py", 1)
    assert actions[0]["title"] == (
        "Apply plausible fix (1/1 target, 1,927 unchanged, 0 lost; not shown: no probe)"
    )
    assert preferred(actions) == []


async def test_an_edit_is_versioned_against_the_buffer(editor):
    """Unsaved text is what is fixed, and the edit names its version."""
    text = "# unsaved: 😀\n" + CALC
    await editor.open("calc.py", text, version=7)
    await fixed(editor)
    action = (await editor.actions("test_calc.py", 4))[0]
    (change,) = action["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": editor.uri("calc.py"), "version": 7}
    await editor.make(action["edit"])
    assert editor.text("calc.py") == "# unsaved: 😀\n" + FIXED


async def test_a_client_without_versions_gets_plain_changes(start):
    """`changes` go to a client that does not take `documentChanges`."""
    editor = await start("--trust", capabilities={})
    await editor.diagnostics("test_calc.py")
    await fixed(editor)
    action = (await editor.actions("test_calc.py", 4))[0]
    assert list(action["edit"]) == ["changes"]
    assert [uri for uri, _ in changes_of(action["edit"])] == [editor.uri("calc.py")]


async def test_an_edit_keeps_foreign_line_endings(editor):
    """A client that shows a CRLF file with plain line ends gets an edit for that."""
    (editor.root / "calc.py").write_bytes(CALC.replace("\n", "\r\n").encode())
    await editor.open("calc.py", CALC)
    await fixed(editor)
    action = (await editor.actions("test_calc.py", 4))[0]
    await editor.make(action["edit"])
    assert editor.text("calc.py") == FIXED


async def test_text_that_was_not_judged_is_not_touched(editor):
    """After a change of the file, the edit gives way to judging again."""
    await editor.open("calc.py")
    await fixed(editor)
    await editor.change("calc.py", CALC + "\n\nx = 1\n")
    actions = await editor.actions("test_calc.py", 4)
    assert [a for a in actions if "edit" in a] == []
    assert preferred(actions) == ["Fix again: the file has changed (test_add)"]


async def test_a_file_changed_on_disk_is_not_touched(editor):
    """The same holds where another program wrote the file."""
    await fixed(editor)
    (editor.root / "calc.py").write_text("# new\n" + CALC)
    actions = await editor.actions("test_calc.py", 4)
    assert [a for a in actions if "edit" in a] == []


async def test_a_fix_judged_by_another_test_is_not_offered(editor):
    """When the test itself changes, the fix must be judged by the new one."""
    await fixed(editor)
    await editor.open("test_calc.py")
    await editor.change("test_calc.py", TESTS.replace("== 3", "== 4"))
    actions = await editor.actions("test_calc.py", 4)
    assert preferred(actions) == ["Fix again: the file has changed (test_add)"]


async def test_an_undone_change_brings_the_edit_back(editor):
    """Text that is again what was judged may be edited."""
    await editor.open("calc.py")
    await fixed(editor)
    await editor.change("calc.py", CALC + "\n")
    await editor.change("calc.py", CALC)
    assert preferred(await editor.actions("test_calc.py", 4)) == [READY]


async def test_an_applied_fix_is_run_again(editor):
    """Once the fixed text is there, the suite is run and the failures vanish."""
    await editor.open("calc.py")
    await fixed(editor)
    since = len(editor.notes)
    await editor.change("calc.py", FIXED)
    assert titles(await editor.actions("test_calc.py", 4)) == ["Show evidence"]
    await editor.diagnostics("test_calc.py", lambda d: d == [], after=since)


async def test_apply_sends_the_edit_and_confirms_it(editor):
    """`bonafix.apply` makes the edit through the client and says that it landed."""
    job = await fixed(editor)
    assert (await editor.command("apply", {"job": job}))["sent"]
    await editor.shown("applied verified fix: 1/1 target")
    assert editor.text("calc.py") == FIXED


async def test_apply_takes_an_alternative_by_number(editor):
    """`candidate` chooses among what may be applied."""
    job = await fixed(editor)
    await editor.command("apply", {"job": job, "candidate": 1})
    await editor.shown("applied plausible fix")
    assert "b + a" in editor.text("calc.py")


async def test_apply_refuses_text_that_was_not_judged(editor):
    """No edit is sent for a changed file, and the user is told."""
    await editor.open("calc.py")
    job = await fixed(editor)
    await editor.change("calc.py", CALC + "# mine\n")
    answer = await editor.command("apply", {"job": job})
    assert (answer["sent"], "has changed" in answer["reason"]) == (False, True)
    await editor.shown("the fix was not applied: calc.py has changed")
    assert not [n for n in editor.notes if n["method"] == "workspace/applyEdit"]


async def test_a_lie_about_an_applied_edit_is_noticed(start):
    """`applied: true` is believed only when the text says so too."""
    lying = {"workspace/applyEdit": lambda _: {"applied": True}}
    editor = await start("--trust", answers=lying)
    await editor.open("calc.py")
    await editor.diagnostics("test_calc.py")
    await editor.command("apply", {"job": await fixed(editor)})
    await editor.shown("does not have the fixed text")


async def test_a_refused_edit_is_said(start):
    """The client's own reason reaches the user."""
    refusing = {"applied": False, "failureReason": "read-only"}
    editor = await start("--trust", answers={"workspace/applyEdit": lambda _: refusing})
    await editor.diagnostics("test_calc.py")
    await editor.command("apply", {"job": await fixed(editor)})
    await editor.shown("refused the edit: read-only")


async def test_applying_twice_makes_the_edit_once(editor):
    """Two requests at once do not make one patch twice."""
    await editor.open("calc.py")
    job = await fixed(editor)
    await editor.command("apply", {"job": job})
    await editor.command("apply", {"job": job})
    await editor.shown("applied already")
    assert editor.text("calc.py") == FIXED


async def test_auto_apply_applies_what_is_verified(editor):
    """With `autoApply` a verified fix arrives as an edit of its own."""
    await editor.command("fix", {"test": ADD, "autoApply": True})
    await editor.shown("applied verified fix")
    assert editor.text("calc.py") == FIXED


async def test_auto_apply_leaves_the_plausible_alone(start, workspace):
    """A plausible fix waits for its user, whatever `autoApply` says."""
    editor, test = await named(start, workspace, "test_plausible")
    await editor.command("fix", {"test": test, "autoApply": True})
    await editor.shown("Apply it with the quick fix")
    assert not [n for n in editor.notes if n["method"] == "workspace/applyEdit"]


async def test_no_fix_is_said_with_its_reason(start, workspace):
    """A repair without a patch speaks, and its evidence can be read."""
    editor, test = await named(start, workspace, "test_nofix")
    await editor.command("fix", {"test": test})
    text = await editor.shown("No fix for test_nofix")
    assert "gave-up: no candidate made it pass" in text
    shown = titles(await editor.actions("test_calc.py", 1))
    assert shown == ["Fix test_nofix with Bonafix", "Show evidence"]


async def test_a_failing_service_is_said(start, workspace):
    """An error of the model's service reaches the user as it is."""
    editor, test = await named(start, workspace, "test_service")
    await editor.command("fix", {"test": test})
    assert "no credit left" in await editor.shown("no fix for test_service")
    assert titles(await editor.actions("test_calc.py", 1)) == [
        "Fix test_service with Bonafix"
    ]


async def test_a_running_fix_can_be_cancelled(start, workspace):
    """Cancelling ends the job's process, says so, and offers the fix anew."""
    editor, test = await named(start, workspace, "test_slow")
    job = (await editor.command("fix", {"test": test}))["job"]
    await until((workspace / "sleep.pid").exists)
    action, _ = await editor.actions("test_calc.py", 1)
    assert action["title"] == "Cancel the fix of test_slow"
    assert action["command"]["arguments"] == [{"job": job}]
    assert (await editor.command("cancel", {"job": job}))["cancelled"]
    await editor.shown("the work on test_slow was cancelled")
    assert not alive(int((workspace / "sleep.pid").read_text()))
    assert titles(await editor.actions("test_calc.py", 1)) == [
        "Fix test_slow with Bonafix"
    ]
    assert not (await editor.command("cancel", {"job": job}))["cancelled"]


async def test_progress_has_a_working_cancel(start, workspace):
    """Progress is cancellable, and its cancel reaches the job's process."""
    editor, test = await named(start, workspace, "test_slow")
    await editor.command("fix", {"test": test})
    begun = await editor.wait(
        "$/progress", lambda p: p["value"].get("title") == "fixing test_slow"
    )
    assert begun["value"]["cancellable"]
    await until((workspace / "sleep.pid").exists)
    token = begun["token"]
    await editor.notify("window/workDoneProgress/cancel", {"token": token})
    await editor.shown("was cancelled")
    assert not alive(int((workspace / "sleep.pid").read_text()))
    await editor.wait(
        "$/progress", lambda p: p["token"] == token and p["value"]["kind"] == "end"
    )


async def test_a_client_without_progress_gets_none(start):
    """No progress is opened where the client cannot show it."""
    editor = await start("--trust", capabilities={})
    await editor.diagnostics("test_calc.py")
    methods = {note["method"] for note in editor.notes}
    assert not methods & {"$/progress", "window/workDoneProgress/create"}


async def test_one_test_is_not_worked_on_twice(start, workspace):
    """A second request while the first runs names the same job."""
    editor, test = await named(start, workspace, "test_slow")
    first = await editor.command("fix", {"test": test})
    assert await editor.command("fix", {"test": test}) == first


async def test_thinking_is_logged_as_a_summary(editor):
    """What the model says of its thinking is labelled as the summary that it is."""
    await editor.command("fix", {"test": ADD, "thinking": 8000})
    await editor.wait(
        "window/logMessage",
        lambda p: p["message"] == "model's summary: thinking: 8000",
    )


async def test_evidence_opens_as_a_page(editor):
    """The evidence is a Markdown page, opened where the client can."""
    job = await fixed(editor)
    answer = await editor.command("showEvidence", {"job": job})
    assert f"# verified: {ADD}" in answer["markdown"]
    assert "+    return a + b" in answer["markdown"]
    opened = await editor.wait("window/showDocument")
    assert opened["uri"].endswith(f"{job}.md")


async def test_evidence_goes_to_the_log_of_a_plain_client(start):
    """A client that cannot open documents finds the evidence in its log."""
    editor = await start("--trust", capabilities={})
    await editor.diagnostics("test_calc.py")
    await editor.command("showEvidence", {"job": await fixed(editor)})
    await editor.wait("window/logMessage", lambda p: "# verified" in p["message"])


async def test_the_doctor_is_asked(editor):
    """`bonafix.doctor` runs as a job and shows what it found."""
    answer = await editor.command("doctor")
    assert set(answer) == {"job"}
    await editor.wait("window/showDocument", lambda p: "doctor-project" in p["uri"])
    assert (await editor.pages()).count(f"all is well in {editor.root}") == 1


@pytest.mark.parametrize(
    ("command", "argument", "part"),
    [
        ("fix", None, "bonafix.fix needs 'test'"),
        ("fix", "test_add", "takes one object"),
        ("fix", {"test": ADD, "tets": 1}, "unknown argument 'tets'"),
        ("fix", {"test": ADD, "autoApply": "yes"}, "must be true or false"),
        ("fix", {"test": ADD, "engine": "magic"}, "engine must be one of"),
        ("fix", {"test": ADD, "thinking": "hard"}, "thinking must be one of"),
        ("fix", {"test": ADD, "root": "file:///elsewhere"}, "no open workspace"),
        ("apply", {"job": "fix-0"}, "there is no job 'fix-0'"),
        ("cancel", {}, "bonafix.cancel needs 'job'"),
        ("runTests", {"uri": "untitled:1"}, "no open workspace folder"),
        ("doctor", {"all": True}, "it takes nothing"),
    ],
)
async def test_wrong_arguments_are_refused_in_words(editor, command, argument, part):
    """A wrong argument is an error that says what is wrong."""
    with pytest.raises(RefusedError, match=part):
        await editor.command(command, argument)


async def test_an_unfinished_job_cannot_be_applied(start, workspace):
    """What has no result yet has nothing to apply."""
    editor, test = await named(start, workspace, "test_slow")
    job = (await editor.command("fix", {"test": test}))["job"]
    with pytest.raises(RefusedError, match="has not ended yet"):
        await editor.command("apply", {"job": job})


def _nowhere(editor):
    at = {"line": 0, "character": 0}
    return {
        "textDocument": {"uri": (editor.root / "no.py").as_uri()},
        "range": {"start": at, "end": at},
        "context": {"diagnostics": []},
    }

"""Nothing is run in a root that nobody trusts."""

import json

import pytest

from bonafix.lsp import trust
from bonafix.lsp.trust import NO, YES


def answering(title):
    return {"window/showMessageRequest": lambda _: title and {"title": title}}


def ran(workspace):
    return (workspace / "runs.log").exists()


async def test_the_user_is_asked_before_anything_runs(start, workspace):
    """Opening a folder puts a question, and a yes runs the tests."""
    editor = await start(answers=answering(YES))
    await editor.diagnostics("test_calc.py")
    asked = await editor.wait("window/showMessageRequest")
    assert str(workspace) in asked["message"]
    assert [a["title"] for a in asked["actions"]] == [YES, NO]


async def test_a_yes_is_remembered_for_this_root(start, workspace, tmp_path):
    """The next server does not ask again, and another root is not meant."""
    editor = await start(answers=answering(YES))
    await editor.diagnostics("test_calc.py")
    again = await start(answers={})
    await again.diagnostics("test_calc.py")
    assert "window/showMessageRequest" not in [n["method"] for n in again.notes]
    assert trust.remembered(workspace)
    assert not trust.remembered(tmp_path)


@pytest.mark.parametrize("answer", [NO, None])
async def test_without_a_yes_nothing_runs(start, workspace, answer):
    """A no, or no answer, runs nothing, neither now nor on saving."""
    editor = await start(answers=answering(answer))
    await editor.wait("window/showMessageRequest")
    await editor.save("calc.py")
    await editor.command("fix", {"test": "test_calc.py::test_add"})
    await editor.shown("is not trusted")
    assert not ran(workspace)
    assert not trust.remembered(workspace)


async def test_a_run_on_request_asks_again(start):
    """After a no, a save is silent, but a person who wants a run is asked."""
    editor = await start(answers=answering(NO))
    await editor.command("runTests", {})
    await editor.shown("is not trusted")
    editor.answers.update(answering(YES))
    await editor.command("runTests", {})
    await editor.diagnostics("test_calc.py")


async def test_a_client_that_cannot_ask_is_told_how(start, workspace):
    """Where the question cannot be put, the user reads of `--trust`."""
    editor = await start(answers={"window/showMessageRequest": None})
    assert "--trust" in await editor.shown("is not trusted")
    assert not ran(workspace)


@pytest.mark.parametrize("options", [{"trusted": True}, {"trust": True}])
async def test_the_editors_own_trust_counts(start, options):
    """A client that vouches for the workspace at its start is not asked."""
    editor = await start(options=options)
    await editor.diagnostics("test_calc.py")
    assert "window/showMessageRequest" not in [n["method"] for n in editor.notes]


async def test_a_workspaces_own_settings_do_not_count(start, workspace):
    """A settings file in the project must not make the project trusted."""
    editor = await start(
        answers=answering(NO)
        | {"workspace/configuration": lambda _: [{"trust": True, "trusted": True}]}
    )
    await editor.wait("window/showMessageRequest")
    await editor.save("calc.py")
    await editor.command("fix", {"test": "test_calc.py::test_add"})
    await editor.shown("is not trusted")
    assert not ran(workspace)


def test_a_broken_file_of_answers_is_a_no(workspace, tmp_path):
    """Whatever else stands in the file, only a plain yes is one."""
    file = tmp_path / "state" / "trust.json"
    file.parent.mkdir()
    for content in (
        "",
        "[]",
        '{"roots": 1}',
        json.dumps({"roots": {str(workspace): "y"}}),
    ):
        file.write_text(content)
        assert not trust.remembered(workspace)
    trust.remember(workspace)
    assert trust.remembered(workspace)


def test_a_link_is_trusted_as_what_it_points_to(workspace, tmp_path):
    """Trust is in a folder, not in a name that may point elsewhere tomorrow."""
    link, other = tmp_path / "link", tmp_path / "other"
    other.mkdir()
    link.symlink_to(workspace)
    trust.remember(link)
    assert trust.remembered(workspace)
    link.unlink()
    link.symlink_to(other)
    assert not trust.remembered(link)

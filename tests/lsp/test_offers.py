"""What is offered for a failure: lenses, more actions, a page that explains it."""

import pytest

from bonafix.lsp.comparing import difference
from tests.lsp.conftest import TESTS
from tests.lsp.editor import FULL, RefusedError, until

ADD = "test_calc.py::test_add"
DOCS = "https://docs.python.org/3/library/exceptions.html#AssertionError"


async def lenses(editor):
    params = {"textDocument": {"uri": editor.uri("test_calc.py")}}
    found = await editor.request("textDocument/codeLens", params)
    return [(n["range"]["start"]["line"], n["command"]["title"]) for n in found]


async def test_lenses_stand_above_failing_tests(editor):
    """Each failing test has lenses on its definition, which follow the text."""
    fresh = [(3, "Fix with Bonafix"), (3, "Explain")]
    assert (await lenses(editor))[:2] == fresh
    await editor.open("test_calc.py")
    await editor.change("test_calc.py", "# above\n" + TESTS)
    assert (await lenses(editor))[:2] == [(4, "Fix with Bonafix"), (4, "Explain")]


async def test_a_lens_applies_the_ready_fix(start):
    """A ready fix is a lens whose command sends the edit, and the client is told."""
    refresh = {"workspace/codeLens/refresh": lambda _: None}
    workspace = FULL["workspace"] | {"codeLens": {"refreshSupport": True}}
    able = FULL | {"workspace": workspace}
    editor = await start("--trust", capabilities=able, answers=refresh)
    await editor.diagnostics("test_calc.py")
    since = len(editor.notes)
    await editor.command("fix", {"test": ADD})
    await editor.shown("is ready")
    await editor.wait("workspace/codeLens/refresh", lambda _: True, after=since)
    shown = [title for line, title in await lenses(editor) if line == 3]
    assert shown == [
        "Apply verified fix: 1/1 target, 1,927 unchanged, 0 lost",
        "Show evidence",
    ]


async def test_a_running_fix_has_a_lens_to_cancel_it(start, workspace):
    """While a fix is worked on, its lens stops it."""
    (workspace / "test_calc.py").write_text("def test_slow():\n    assert 0\n")
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    await editor.command("fix", {"test": "test_calc.py::test_slow"})
    await until((workspace / "sleep.pid").exists)
    assert await lenses(editor) == [(0, "Cancel the fix")]


async def test_failures_with_one_cause_can_be_fixed_together(start, workspace):
    """The group's action says how many, and its fix has them all as targets."""
    (workspace / "test_calc.py").write_text(TESTS + "# one cause\n")
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    actions = await editor.actions("test_calc.py", 4)
    (group,) = [a for a in actions if a["title"] == "Fix all 2 failures with one cause"]
    assert not group["isPreferred"]
    await editor.command("fix", group["command"]["arguments"][0])
    assert "2/2 target" in await editor.shown("is ready")


async def test_an_explanation_is_a_page(editor):
    """`Explain` opens what is known of a failure, without asking a model."""
    action = (await editor.actions("test_calc.py", 4))[-1]
    assert action["title"] == "Explain why test_add fails"
    answer = await editor.command("explain", action["command"]["arguments"][0])
    page = answer["markdown"]
    assert f"# {ADD}" in page
    assert "- `calc.py:2` in `add`" in page
    assert "- 0.87 `calc.py:2`: only red tests run it" in page
    await editor.wait("window/showDocument", lambda p: "explain-" in p["uri"])
    with pytest.raises(RefusedError, match="not among the failing tests"):
        await editor.command("explain", {"test": "test_calc.py::test_no"})


async def test_a_code_leads_to_documentation_then_to_the_receipt(start):
    """`codeDescription` is the exception's page; once a fix was judged, its receipt."""
    publish = {"codeDescriptionSupport": True}
    able = FULL | {"textDocument": {"publishDiagnostics": publish}}
    editor = await start("--trust", capabilities=able)
    first, _ = await editor.diagnostics("test_calc.py")
    assert first["codeDescription"]["href"] == DOCS
    await editor.command("fix", {"test": ADD})
    await editor.diagnostics(
        "test_calc.py", lambda d: "receipt" in d[0]["codeDescription"]["href"]
    )


async def test_a_bug_in_a_worker_is_said(start, workspace):
    """An error that nobody expected ends in a message, and the server goes on."""
    (workspace / "test_calc.py").write_text("def test_crash():\n    assert 0\n")
    editor = await start("--trust")
    await editor.diagnostics("test_calc.py")
    await editor.command("fix", {"test": "test_calc.py::test_crash"})
    assert "a bug in a worker" in await editor.shown("internal error")
    assert await editor.actions("test_calc.py", 1)


@pytest.mark.parametrize(
    ("expected", "actual", "lines"),
    [
        ("1", "2", []),
        ("same", "same", []),
        ("a\nb\nc", "a\nx\nc", ["first difference in line 2:", "- b", "+ x"]),
        ("a", "a\nb", ["first difference in line 2:", "+ b"]),
        (
            "[" + "1, " * 30 + "2]",
            "[" + "1, " * 30 + "3]",
            [
                "first difference at character 92:",
                "- …, 1, 1, 1, 1, 1, 1, 2]",
                "+ …, 1, 1, 1, 1, 1, 1, 3]",
            ],
        ),
    ],
)
def test_the_first_difference_is_pointed_out(expected, actual, lines):
    """Long or many lines are not left to the reader to compare."""
    assert difference(expected, actual) == lines


async def test_a_thousand_failures_are_shown(start, workspace):
    """Each has its diagnostic, and a line's actions are those of its own failure."""
    body = "    assert add(1, 2) == 3\n"
    suite = "".join(f"def test_{n}():\n{body}" for n in range(1000))
    (workspace / "test_calc.py").write_text(suite)
    editor = await start("--trust")
    assert len(await editor.diagnostics("test_calc.py")) == 1000
    actions = await editor.actions("test_calc.py", 2 * 567 + 1)
    assert [a["title"] for a in actions] == [
        "Fix test_567 with Bonafix",
        "Explain why test_567 fails",
    ]

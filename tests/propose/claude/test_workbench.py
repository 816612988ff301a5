"""The in-memory workbench: views, edits, what is refused and in which words."""

from __future__ import annotations

import asyncio
import time

import psutil
import pytest

from bonafix.domain import Layout
from bonafix.propose.claude import workbench
from bonafix.propose.claude.searching import searched, wanted
from bonafix.propose.claude.tools import Call, use
from bonafix.propose.claude.workbench import Bench, BenchError

EDITOR = "str_replace_based_edit_tool"
LAYOUT = Layout(
    package_roots=("pkg",),
    tests=frozenset({"tests/test_a.py"}),
    collected=frozenset({"tests/test_a.py"}),
)
FILES = {
    "pkg/a.py": "def f(x):\n    return x + 1\n\n\ndef g(x):\n    return x + 1\n",
    "pkg/empty.py": "",
    "tests/test_a.py": "from pkg.a import f\n\n\ndef test_f():\n    assert f(1) == 1\n",
    "pyproject.toml": "[project]\nname = 'pkg'\n",
}


@pytest.fixture
def bench() -> Bench:
    return Bench.of(FILES, LAYOUT)


class TestView:
    def test_numbers_lines(self, bench):
        """A file is shown with its line numbers, without an extra last line."""
        shown = workbench.view(bench, "pkg/a.py")
        assert shown.startswith("     1\tdef f(x):\n     2\t    return x + 1")
        assert shown.endswith("     6\t    return x + 1")

    @pytest.mark.parametrize(
        "path", ["/pkg/a.py", "./pkg/a.py", "pkg//a.py", "tests/../pkg/./a.py"]
    )
    def test_takes_absolute_and_dotted_paths(self, bench, path):
        """Models write paths in several ways; all of them mean the same file."""
        assert workbench.view(bench, path) == workbench.view(bench, "pkg/a.py")

    def test_range(self, bench):
        """A range ends at the file's end, and -1 means just that."""
        assert workbench.view(bench, "pkg/a.py", [5, -1]).count("\n") == 1
        assert workbench.view(bench, "pkg/a.py", [5, 99]).count("\n") == 1

    @pytest.mark.parametrize("lines", [[0, 2], [5, 2], [9, 9], [1]])
    def test_bad_range(self, bench, lines):
        """A range outside the file is said to be one."""
        with pytest.raises(BenchError, match="view_range"):
            workbench.view(bench, "pkg/a.py", lines)

    def test_folder(self, bench):
        """A folder lists the files below it; the root lists all."""
        assert workbench.view(bench, "pkg") == "pkg/a.py\npkg/empty.py"
        assert workbench.view(bench, "/").count("\n") == 3

    def test_large_folder_is_collapsed(self):
        """Too many files become counts per folder."""
        files = {f"pkg/sub{n % 3}/m{n}.py": "" for n in range(400)}
        shown = workbench.view(Bench.of(files, LAYOUT), "pkg")
        assert "pkg/sub0/ (134 files)" in shown
        assert shown.count("\n") == 2

    def test_large_file_is_cut(self):
        """A long file is cut at a whole line, and the rest is announced."""
        text = "".join(f"line_{number} = {number}\n" for number in range(5000))
        shown = workbench.view(Bench.of({"pkg/big.py": text}, LAYOUT), "pkg/big.py")
        assert len(shown) < workbench.VIEW_LIMIT + 100
        assert "to 5000 follow; use view_range]" in shown

    def test_missing_file(self, bench):
        """A wrong path is answered with the file of that name elsewhere."""
        with pytest.raises(BenchError, match=r"Did you mean pkg/a\.py"):
            workbench.view(bench, "src/a.py")

    def test_empty_file(self, bench):
        """An empty file is no error."""
        assert workbench.view(bench, "pkg/empty.py") == "[the file is empty]"


class TestReplace:
    def test_edits_a_new_bench(self, bench):
        """The old bench stays as it was; the new one shows the place."""
        edited, said = workbench.str_replace(bench, "pkg/a.py", "f(x):", "f(y):")
        assert edited.changed.keys() == {"pkg/a.py"}
        assert bench.changed == {}
        assert "     1\tdef f(y):" in said

    def test_ambiguous(self, bench):
        """Text that stands twice is refused with both lines."""
        with pytest.raises(BenchError, match=r"2 times in pkg/a\.py, at lines 2, 6"):
            workbench.str_replace(bench, "pkg/a.py", "return x + 1", "return x")

    def test_not_found(self, bench):
        """Text that differs only in indentation is pointed at."""
        old = "def f(x):\n  return x + 1"
        with pytest.raises(BenchError, match="line 1 differs only in indentation"):
            workbench.str_replace(bench, "pkg/a.py", old, "return x")
        with pytest.raises(BenchError, match="copy the text exactly"):
            workbench.str_replace(bench, "pkg/a.py", "nowhere", "x")

    def test_says_when_the_file_breaks(self, bench):
        """A syntax error is mentioned at once, but the edit stands."""
        edited, said = workbench.str_replace(bench, "pkg/a.py", "f(x):", "f(x)")
        assert "does not parse now" in said
        assert "pkg/a.py" in edited.changed

    def test_undoing_an_edit_leaves_no_change(self, bench):
        """A file that is as it was is not part of the fix."""
        once, _ = workbench.str_replace(bench, "pkg/a.py", "f(x):", "f(y):")
        back, _ = workbench.str_replace(once, "pkg/a.py", "f(y):", "f(x):")
        assert back.changed == {}


class TestInsertAndCreate:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [(0, "# new\ndef f"), (2, "+ 1\n# new\n\n"), (6, "+ 1\n# new\n")],
    )
    def test_insert(self, bench, line, expected):
        """Whole lines are put after the line, also before the first and at the end."""
        edited, _ = workbench.insert(bench, "pkg/a.py", line, "# new")
        assert expected in edited.files["pkg/a.py"]
        assert edited.files["pkg/a.py"].count("\n") == 7

    def test_insert_into_an_empty_file(self, bench):
        """The first line of an empty file ends with a newline."""
        edited, _ = workbench.insert(bench, "pkg/empty.py", 0, "a = 1\n")
        assert edited.files["pkg/empty.py"] == "a = 1\n"

    def test_insert_keeps_a_missing_last_newline(self):
        """A file without a last newline gets none by an edit before its end."""
        bench = Bench.of({"pkg/a.py": "a = 1\nb = 2"}, LAYOUT)
        edited, _ = workbench.insert(bench, "pkg/a.py", 1, "c = 3")
        assert edited.files["pkg/a.py"] == "a = 1\nc = 3\nb = 2"

    def test_insert_outside(self, bench):
        """A line beyond the end is refused with the range."""
        with pytest.raises(BenchError, match="from 0 to 6"):
            workbench.insert(bench, "pkg/a.py", 7, "x")

    def test_create_is_not_for_everyone(self, bench):
        """Where the settings forbid new files, create says so."""
        with pytest.raises(BenchError, match="new file"):
            workbench.create(bench, "pkg/b.py", "x = 1\n")

    def test_create(self):
        """Where they allow it, the file appears and ends with a newline."""
        layout = Layout(package_roots=("pkg",), tests=frozenset(), new_files=True)
        edited, _ = workbench.create(Bench.of({}, layout), "pkg/b.py", "x = 1")
        assert edited.changed == {"pkg/b.py": "x = 1\n"}

    def test_create_does_not_overwrite(self, bench):
        """An existing file is edited, not created."""
        with pytest.raises(BenchError, match="exists"):
            workbench.create(bench, "pkg/a.py", "")


class TestReadOnly:
    @pytest.mark.parametrize(
        "path", ["tests/test_a.py", "pyproject.toml", "/tests/../tests/test_a.py"]
    )
    def test_edits_are_refused(self, bench, path):
        """Tests and configuration can be read but not edited, by no spelling."""
        with pytest.raises(BenchError):
            workbench.str_replace(bench, path, "a", "b")
        with pytest.raises(BenchError):
            workbench.insert(bench, path, 0, "b")

    @pytest.mark.parametrize(
        "path",
        ["conftest.py", "pkg/../conftest.py", "pkg/../../x.py", "x.pth", ".git/a.py"],
    )
    def test_creating_is_refused(self, path):
        """Nothing that runs by its name, or lies outside, can be created."""
        layout = Layout(package_roots=("",), tests=frozenset(), new_files=True)
        with pytest.raises(BenchError, match="cannot be created"):
            workbench.create(Bench.of({}, layout), path, "x = 1")


async def search(bench: Bench, pattern: str, below: str = "") -> str:
    return await searched(wanted(bench, pattern, below))


class TestSearch:
    async def test_finds_lines(self, bench):
        """Matches come as path, line and text."""
        assert await search(bench, r"def [fg]") == (
            "pkg/a.py:1: def f(x):\npkg/a.py:5: def g(x):"
        )

    async def test_below_a_folder(self, bench):
        """The search can be limited to a folder or a file, however it is spelt."""
        assert "pkg" not in await search(bench, "assert", "./tests")
        assert await search(bench, "assert", "tests/../pkg") == "No line matches."

    def test_below_nothing(self, bench):
        """A folder that is not there is an error, and not an empty answer."""
        with pytest.raises(BenchError, match="no file or folder nowhere"):
            wanted(bench, "x", "nowhere")

    async def test_bounded(self):
        """Too many matches are cut, and that is said."""
        bench = Bench.of({"pkg/a.py": "x = 1\n" * 500}, LAYOUT)
        found = await search(bench, "x")
        assert found.endswith("[more than 80 matches]")
        assert found.count("\n") == 80

    def test_bad_pattern(self, bench):
        """A pattern that cannot be compiled is an error with the reason."""
        with pytest.raises(BenchError, match="regular expression"):
            wanted(bench, "(")
        with pytest.raises(BenchError, match="longer than 1000"):
            wanted(bench, "x" * 1001)

    async def test_a_pattern_that_backtracks_is_stopped(self):
        """What would run for years ends in time, in words, and stops nothing else."""
        evil = f"{'a' * 60}!"
        bench = Bench.of({"pkg/a.py": f"aaa\n{evil}\n"}, LAYOUT)
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.05)
                ticks += 1

        ticking = asyncio.create_task(tick())
        begun = time.monotonic()
        with pytest.raises(BenchError, match="backtracks too much") as stopped:
            await searched(wanted(bench, "(a+)+$"), 1.0)
        assert time.monotonic() - begun < 10
        assert "pkg/a.py:1: aaa" in str(stopped.value)
        assert ticks >= 5
        ticking.cancel()

    async def test_its_process_ends_with_it(self):
        """A cancelled search leaves no process behind."""
        bench = Bench.of({"pkg/a.py": "a" * 60 + "!"}, LAYOUT)
        task = asyncio.create_task(searched(wanted(bench, "(a+)+$"), 30.0))
        before = {child.pid for child in psutil.Process().children()}
        while not {c.pid for c in psutil.Process().children()} - before:
            await asyncio.sleep(0.02)
            assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert {c.pid for c in psutil.Process().children()} <= before


def _call(name: str, **given: object) -> Call:
    return Call("toolu_1", name, given)


MISTAKES = [
    (_call("bash", command="ls"), "There is no tool bash. Use one of"),
    (_call(EDITOR, command="undo_edit", path="pkg/a.py"), "command is one of"),
    (_call(EDITOR, command="view"), "path is missing"),
    (_call(EDITOR, command="view", path="pkg/a.py", view_range="1"), "view_range"),
    (_call(EDITOR, command="insert", path="pkg/a.py", insert_line="1"), "insert_line"),
    (
        _call(EDITOR, command="str_replace", path="pkg/a.py", new_str="x"),
        "old_str is missing",
    ),
    (
        _call(EDITOR, command="insert", path="pkg/a.py", insert_line=0, new_str=1),
        "new_str is missing, or not a string",
    ),
    (
        _call(
            EDITOR,
            command="str_replace",
            path="pkg/a.py",
            old_str="def f",
            new_str="K = '[redacted]'\ndef f",
        ),
        "stands for a value you cannot see",
    ),
    (_call("search"), "pattern is missing"),
    (_call("run_tests", tests="a"), "tests is a list"),
    (_call("submit", summary="x"), "nothing to submit"),
    (_call("report_infeasible"), "reason is missing"),
    (_call("report_infeasible", reason=" \n"), "reason is empty"),
]


class TestTools:
    @pytest.mark.parametrize(("call", "words"), MISTAKES)
    def test_mistakes(self, bench, call, words):
        """A wrong call becomes an error result that says what is right."""
        outcome = use(bench, call)
        assert outcome.error
        assert words in outcome.text
        assert outcome.bench is None

    def test_names_are_taken_in_any_case(self, bench):
        """A name in another case means the tool."""
        assert not use(bench, _call("Search", pattern="def")).error

    def test_insert_takes_both_names_of_its_text(self, bench):
        """Versions of the editor call the text insert_text or new_str."""
        for key in ("insert_text", "new_str"):
            given = {"command": "insert", "path": "pkg/a.py", "insert_line": 0}
            outcome = use(bench, Call("toolu_1", EDITOR, {**given, key: "# x"}))
            assert outcome.bench is not None

    @pytest.mark.parametrize("path", ["pkg/k.py", "./pkg/k.py", "tests/../pkg/k.py"])
    def test_a_file_may_hold_the_mark_itself(self, path):
        """Where the mark stands in the file it is text, by any spelling of its path."""
        bench = Bench.of({"pkg/k.py": "MARK = '[redacted]'\nx = 1\n"}, LAYOUT)
        given = {"command": "str_replace", "path": path}
        texts = {
            "old_str": "MARK = '[redacted]'\nx = 1",
            "new_str": "MARK = '[redacted]'\nx = 2",
        }
        outcome = use(bench, Call("toolu_1", EDITOR, {**given, **texts}))
        assert not outcome.error, outcome.text

    def test_submit_carries_the_changed_files(self, bench):
        """What is handed in is exactly what differs."""
        edited, _ = workbench.str_replace(bench, "pkg/a.py", "f(x):", "f(y):")
        done = use(edited, _call("submit", summary="renamed")).done
        assert done.ending == "submitted"
        assert done.files.keys() == {"pkg/a.py"}

"""Any unified diff is read, or refused with the line and the reason."""

from __future__ import annotations

import pytest

from bonafix.diffs import PatchError, changed_lines, compose, parse, rebase, render
from bonafix.domain import Change, Patch

CALC = b"def add(a, b):\n    return a - b\n\n\ndef two():\n    return 2\n"
FIXED = CALC.replace(b"a - b", b"a + b")
BODY = b"@@ -1,3 +1,3 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n \n"
GIT = b"diff --git a/src/calc.py b/src/calc.py\nindex 1..2 100644\n"
NAMED = GIT + b"--- a/src/calc.py\n+++ b/src/calc.py\n"
FILES = {"src/calc.py": CALC}


def plain(old, new=None, body=BODY):
    return f"--- {old}\n+++ {new or old}\n".encode() + body


@pytest.mark.parametrize(
    "diff",
    [
        pytest.param(NAMED + BODY, id="git"),
        pytest.param(plain("a/src/calc.py", "b/src/calc.py"), id="git without header"),
        pytest.param(plain("i/src/calc.py", "w/src/calc.py"), id="mnemonic prefixes"),
        pytest.param(plain("src/calc.py"), id="no prefix"),
        pytest.param(plain("./src/calc.py"), id="leading dot"),
        pytest.param(plain("project/src/calc.py"), id="one folder more"),
        pytest.param(
            plain("a/project/src/calc.py", "b/project/src/calc.py"), id="both"
        ),
        pytest.param(
            plain(
                "src/calc.py\t2024-05-01 10:00:00.000000000 +0200",
                "src/calc.py\t2024-05-02 10:00:00.000000000 +0200",
            ),
            id="diff -u",
        ),
        pytest.param(plain("src/calc.py.orig", "src/calc.py"), id="orig"),
        pytest.param(plain('"a/src/\\143alc.py"', '"b/src/calc.py"'), id="quoted"),
        pytest.param(NAMED + BODY.replace(b"-1,3 +1,3", b"-3,3 +3,3"), id="shifted"),
        pytest.param((NAMED + BODY).replace(b"\n", b"\r\n"), id="mangled by mail"),
        pytest.param((NAMED + BODY).removesuffix(b" \n"), id="stripped at the end"),
        pytest.param((NAMED + BODY).removesuffix(b"\n \n"), id="stripped further"),
        pytest.param(NAMED + BODY.replace(b"\n \n", b"\n\n"), id="blank context"),
        pytest.param("\ufeff".encode() + NAMED + BODY, id="byte order mark"),
        pytest.param((NAMED + BODY).decode().encode("utf-16"), id="UTF-16"),
        pytest.param(
            b"From: me\nSubject: [PATCH] fix\n\n---\n src/calc.py | 2 +-\n\n"
            + NAMED
            + BODY
            + b"-- \n2.39.5\n",
            id="mail",
        ),
        pytest.param(
            b"Here it is:\n```diff\n" + NAMED + BODY + b"```\nDone.\n", id="fences"
        ),
    ],
)
def test_every_dialect_means_the_same(diff):
    """One change, however it is written, is one and the same patch."""
    expected = Patch((Change("src/calc.py", CALC, FIXED),))
    assert parse(diff, FILES.get) == expected


def test_line_ends_of_a_crlf_file_stay():
    """A diff with LF that was made elsewhere changes a CRLF file in its own style."""
    crlf = CALC.replace(b"\n", b"\r\n")
    patch = parse(NAMED + BODY, {"src/calc.py": crlf}.get)
    assert patch.files["src/calc.py"] == FIXED.replace(b"\n", b"\r\n")


def test_a_change_of_line_ends_is_a_change():
    """Where the diff itself is sound, CR LF in its lines is meant."""
    diff = NAMED + b"@@ -1 +1 @@\n-def add(a, b):\n+def add(a, b):\r\n"
    patch = parse(diff, FILES.get)
    assert patch.files["src/calc.py"] == CALC.replace(b":\n", b":\r\n", 1)


def test_final_newline_is_taken_and_given():
    """The marker moves the last newline in both directions."""
    marker = b"\\ No newline at end of file\n"
    take = b"--- f\n+++ f\n@@ -1 +1 @@\n-x\n+x\n" + marker
    give = b"--- f\n+++ f\n@@ -1 +1 @@\n-x\n" + marker + b"+x\n"
    foreign = take.replace(b"No newline at end of file", b"Kein Zeilenumbruch")
    assert parse(take, {"f": b"x\n"}.get).files == {"f": b"x"}
    assert parse(foreign, {"f": b"x\n"}.get).files == {"f": b"x"}
    assert parse(give, {"f": b"x"}.get).files == {"f": b"x\n"}


def test_a_missing_marker_joins_no_lines():
    """A diff that forgot the marker still adds a line of its own."""
    diff = b"--- f\n+++ f\n@@ -1 +1,2 @@\n x\n+y\n"
    assert parse(diff, {"f": b"x"}.get).files == {"f": b"x\ny\n"}


def test_several_diffs_of_one_file_build_on_each_other():
    """A second section for a file starts from what the first one left."""
    back = plain("src/calc.py", body=b"@@ -6 +6 @@\n-    return 2\n+    return 3\n")
    again = back.replace(b"return 3", b"return 4").replace(b"return 2", b"return 3")
    patch = parse(NAMED + BODY + back + again, FILES.get)
    assert patch.files == {"src/calc.py": FIXED.replace(b"2", b"4")}
    assert len(patch.changes) == 1


ADD = b"diff --git a/new.py b/new.py\nnew file mode 100644\n"
HUNK = b"--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x = 1\n"


@pytest.mark.parametrize(
    ("diff", "expected"),
    [
        (ADD + HUNK, Change("new.py", None, b"x = 1\n", "add")),
        (HUNK, Change("new.py", None, b"x = 1\n", "add")),
        (ADD, Change("new.py", None, b"", "add")),
        (
            ADD.replace(b"100644", b"100755") + HUNK,
            Change("new.py", None, b"x = 1\n", "mode"),
        ),
        (
            ADD.replace(b"100644", b"120000") + HUNK,
            Change("new.py", None, b"x = 1\n", "symlink"),
        ),
        (
            (
                b"--- new.py\t1970-01-01 00:00:00 +0000\n+++ new.py\t2024-01-01 00:00\n"
                b"@@ -0,0 +1 @@\n+x = 1\n"
            ),
            Change("new.py", None, b"x = 1\n", "add"),
        ),
        (
            (
                b"diff --git a/one.py b/one.py\ndeleted file mode 100644\n"
                b"--- a/one.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n"
            ),
            Change("one.py", b"1\n", None, "delete"),
        ),
        (
            b"diff --git a/one.py b/one.py\nold mode 100644\nnew mode 100755\n",
            Change("one.py", b"1\n", b"1\n", "mode"),
        ),
        (
            (
                b"diff --git a/one.py b/one.py\nindex 1..2 120000\n"
                b"--- a/one.py\n+++ b/one.py\n@@ -1 +1 @@\n-1\n+2\n"
            ),
            Change("one.py", b"1\n", b"2\n", "symlink"),
        ),
        (
            (
                b"diff --git a/one.py b/one.py\nindex 1..2 100644\nGIT binary patch\n"
                b"literal 3\nKcmZQzWMT#Y01f~L\n\nliteral 2\nJcmZPo000310RR91\n\n"
            ),
            Change("one.py", b"1\n", b"", "binary"),
        ),
        (
            b"Binary files a/one.py and b/one.py differ\n",
            Change("one.py", b"1\n", b"", "binary"),
        ),
        (
            b"diff --git a/one.py b/two.py\ncopy from one.py\ncopy to two.py\n",
            Change("two.py", None, b"1\n", "add"),
        ),
    ],
)
def test_kinds_of_change(diff, expected):
    """What is more than a change of text keeps its kind, for the gate to see."""
    assert parse(diff, {"one.py": b"1\n"}.get).changes == (expected,)


def test_a_rename_is_both_its_halves():
    """The old path goes, the new one comes, and neither hides."""
    diff = (
        b"diff --git a/one.py b/sub/two.py\nsimilarity index 50%\n"
        b"rename from one.py\nrename to sub/two.py\n"
        b"--- a/one.py\n+++ b/sub/two.py\n@@ -1 +1 @@\n-1\n+2\n"
    )
    patch = parse(diff, {"one.py": b"1\n"}.get)
    assert patch.changes == (
        Change("one.py", b"1\n", None, "rename"),
        Change("sub/two.py", None, b"2\n", "rename"),
    )
    assert parse(render(patch), {"one.py": b"1\n"}.get) == patch


@pytest.mark.parametrize(
    "change",
    [
        Change("x", b"1\n", b"1\n", "mode"),
        Change("x", b"1\n", b"2\n", "mode"),
        Change("x", None, b"1\n", "mode"),
        Change("x", b"old", b"new", "symlink"),
        Change("x", None, b"to", "symlink"),
        Change("x", b"to", None, "symlink"),
        Change("x", b"\0", b"", "binary"),
        Change("x", None, b"", "binary"),
        Change("x", b"\0", None, "binary"),
        Change("x", None, b"", "add"),
        Change("x", b"", None, "delete"),
    ],
)
def test_irregular_kinds_survive_the_round_trip(change):
    """What the gate refused is still told by the patch's text in the receipt."""
    patch = Patch((change,))
    assert parse(render(patch), {"x": change.before}.get) == patch


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("b/../../etc/passwd", "../../etc/passwd"),
        ("../outside.py", "../outside.py"),
        ("b/src/../../x.py", "../x.py"),
        ("/etc/passwd", "/etc/passwd"),
        ("b//etc/passwd", "/etc/passwd"),
        ("b/.git/hooks/pre-commit", ".git/hooks/pre-commit"),
    ],
)
def test_paths_that_leave_the_tree_are_reported_and_never_read(written, path):
    """The gate must see them; the file behind them is nobody's business."""
    asked = []

    def read(name):
        asked.append(name)

    diff = plain("/dev/null", written, b"@@ -0,0 +1 @@\n+evil\n")
    assert parse(diff, read).changes == (Change(path, None, b"evil\n", "add"),)
    assert not [name for name in asked if name.startswith(("/", ".."))]


def test_an_edit_outside_the_tree_shows_what_its_hunks_show():
    """A modification of a file that may not be read is still a change."""
    change = parse(plain("a/../x.py", "b/../x.py"), {}.get).changes[0]
    assert change.path == "../x.py"
    assert (change.before, change.after) == (CALC[:33], FIXED[:33])


@pytest.mark.parametrize(
    ("diff", "line", "reason"),
    [
        (b"", None, "empty"),
        (b" \n\n", None, "empty"),
        (b"I could not find the fault.\n", None, "no unified diff"),
        (b"@@ -1 +1 @@\n-a\n+b\n", 1, "unexpected hunk"),
        (NAMED + BODY.replace(b"-1,3", b"-1,9"), 9, "shorter"),
        (NAMED + BODY.replace(b"+1,3", b"+1,2"), 9, "longer"),
        (NAMED + BODY + b"@@ -5 +5 @@\nnonsense\n", 11, "'nonsense'"),
        (NAMED + BODY.replace(b"a - b", b"a * b"), 1, "found '    return a - b'"),
        (NAMED + BODY.replace(b"a - b", b"a * b"), 1, "src/calc.py: hunk 1 of 1"),
        (plain("src/nowhere.py"), 1, "src/nowhere.py does not exist"),
        (plain("/dev/null", "b/src/calc.py", HUNK[27:]), 1, "exists already"),
        (NAMED.replace(b"+++ b/src/calc.py", b"+++ b/src/other.py") + BODY, 1, "both"),
        (
            NAMED + BODY + plain("x", body=b"@@ def f @@\n-a\n+b\n"),
            12,
            "no line numbers",
        ),
        (plain("src/calc.py", body=b"and so on\n"), 1, "no hunk follows"),
        (b"diff --cc src/calc.py\nindex 1,2..3\n", 1, "merge"),
        (plain('"a/x\\000y"', '"b/x\\000y"'), 1, "no file's name"),
        (
            plain("src/calc.py", body=b"@@ -2 +2 @@\n-    return a - b\n")
            + plain("src/calc.py"),
            5,
            "expected",
        ),
        (NAMED + BODY.replace(b"return a + b", b"return a - b"), None, "nothing"),
    ],
)
def test_a_bad_patch_says_where_and_why(diff, line, reason):
    """The error names the patch's line, the file, the hunk and what stands there."""
    with pytest.raises(PatchError) as caught:
        parse(diff, FILES.get)
    assert reason in str(caught.value)
    assert caught.value.line == line
    assert caught.value.code == 2


def test_a_moved_hunk_with_two_places_is_refused():
    """Where the lines stand twice and neither is where it should be, nobody guesses."""
    twice = {"f": b"0\nx\n0\n0\nx\n0\n"}
    diff = b"--- f\n+++ f\n@@ -%d,1 +%d,1 @@\n-x\n+y\n"
    assert parse(diff % (5, 5), twice.get).files == {"f": b"0\nx\n0\n0\ny\n0\n"}
    with pytest.raises(PatchError, match="2 times"):
        parse(diff % (4, 4), twice.get)


def test_changed_lines_are_counted_in_both_files():
    """Lines that go are numbered in the old file, lines that come in the new one."""
    change = Change("f", b"a\nb\nc\n", b"a\nB\nB2\nc\n")
    assert changed_lines(change) == ({2}, {2, 3})
    assert changed_lines(Change("f", None, b"a\nb\n", "add")) == (set(), {1, 2})


def test_compose_joins_kinds():
    """What is added and then edited is added; added and deleted is nothing."""
    add = Patch((Change("f", None, b"1", "add"),))
    edit = Patch((Change("f", b"1", b"2"), Change("g", b"1", b"2")))
    gone = Patch((Change("f", b"1", None, "delete"),))
    g = Change("g", b"1", b"2")
    assert compose(add, edit).changes == (Change("f", None, b"2", "add"), g)
    assert compose(add, gone).changes == ()
    with pytest.raises(ValueError, match="another base"):
        compose(edit, edit)


def test_rebase_needs_one_place():
    """A change is carried along if its lines are still there once, else given up."""
    patch = Patch((Change("f", CALC, FIXED),))
    above = b"import os\n\n" + CALC
    assert rebase(patch, {"f": CALC}.get) == patch
    assert rebase(patch, {"f": above}.get) == Patch(
        (Change("f", above, b"import os\n\n" + FIXED),)
    )
    assert rebase(patch, {"f": CALC + CALC}.get) is None
    assert rebase(patch, {"f": FIXED}.get) is None
    assert rebase(patch, {}.get) is None
    assert rebase(Patch((Change("f", None, b"1", "add"),)), {"f": b"0"}.get) is None


def test_names_that_need_quotes_survive():
    """Odd names are written so that git and we read the same name."""
    path = 'we ird\t"\\\n\udce9é.py'
    patch = Patch((Change(path, b"1\n", b"2\n"),))
    assert b'"a/we ird\\t\\"\\\\\\n\xe9' in render(patch)
    assert parse(render(patch), {path: b"1\n"}.get) == patch

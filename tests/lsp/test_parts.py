"""The pure parts of the language server, without any server."""

import ast
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lsprotocol import types

from bonafix import lsp
from bonafix.domain import (
    Change,
    Patch,
)
from bonafix.lsp.abilities import Abilities
from bonafix.lsp.board import Board, Window
from bonafix.lsp.documents import Document, changed, file_path, saved
from bonafix.lsp.edits import (
    Current,
    UndeliverableError,
    landed,
    text_edits,
    unmoved,
    workspace_edit,
)
from bonafix.lsp.findings import Finding, Seen, Spot
from bonafix.lsp.selecting import covered
from bonafix.text import view

FOLDER = Path(lsp.__file__).parent
UNITS = st.sampled_from(["utf-8", "utf-16", "utf-32"])
TEXTS = st.text(st.sampled_from("ab é\u0301😀\n\r\f\u2028"), max_size=40)


# ----------------------------------------------------------------------------- edits


@given(before=TEXTS, after=TEXTS, unit=UNITS)
@example(before="\ra", after="\n\n", unit="utf-8")  # "\r\n" would be one end
def test_edits_make_the_patched_text_in_any_unit(before, after, unit):
    """Edits, made as a client of that unit makes them, give the patched text."""
    change = Change("a.py", before.encode(), after.encode())
    edits = text_edits(change, before, unit)
    document = Document("file:///a.py", 1, before)
    for edit in reversed(edits):
        part = types.TextDocumentContentChangePartial(
            range=edit.range, text=edit.new_text
        )
        document = changed(document, 2, [part], unit)
    assert document.text == after


@given(before=TEXTS, after=TEXTS)
def test_edits_fit_a_client_with_its_own_line_endings(before, after):
    """Where the client shows other line ends, the result has the same lines."""
    before, after = before.replace("\r", ""), after.replace("\r", "")
    shown = before
    change = Change(
        "a.py",
        before.replace("\n", "\r\n").encode(),
        after.replace("\n", "\r\n").encode(),
    )
    document = Document("file:///a.py", 1, shown)
    for edit in reversed(text_edits(change, shown, "utf-32")):
        part = types.TextDocumentContentChangePartial(
            range=edit.range, text=edit.new_text
        )
        document = changed(document, 2, [part], "utf-32")
    assert view(document.text) == after


def looking(contents, text=None):
    def look(path):
        return Current(f"file:///{path}", None, text, contents)

    return look


def patch(before=b"x = 1\n", after=b"x = 2\n"):
    return Patch((Change("a.py", before, after),))


@pytest.mark.parametrize(
    ("now", "same"),
    [
        (b"x = 1\n", True),
        (b"x = 1\r\n", True),  # line endings alone are no other text
        (b"x = 1", False),
        (b"\xef\xbb\xbfx = 1\n", False),
        (b"x = 1\n\xff", False),
        (None, False),
    ],
)
def test_only_the_judged_text_counts_as_unmoved(now, same):
    """Anything but line endings makes it another text."""
    assert unmoved(patch(), looking(now)) is same


def test_an_applied_patch_has_landed():
    """What the patch makes of a file is recognised, and a missing file too."""
    assert landed(patch(), looking(b"x = 2\n"))
    assert not landed(patch(), looking(b"x = 1\n"))
    assert landed(patch(after=None), looking(None))


def test_a_new_file_needs_a_client_that_creates_files():
    """Without that ability the patch cannot be delivered, and the reason says so."""
    new, look = patch(before=None), looking(None)
    able = Abilities(document_changes=True, create=True)
    create, write = workspace_edit(new, look, able).document_changes
    assert isinstance(create, types.CreateFile)
    assert write.edits[0].new_text == "x = 2\n"
    with pytest.raises(UndeliverableError, match=r"must create a\.py"):
        workspace_edit(new, look, Abilities())


def test_text_in_a_broken_encoding_is_undeliverable():
    """Bytes that are no text cannot be edited as text."""
    with pytest.raises(UndeliverableError, match=r"a\.py: not"):
        workspace_edit(patch(before=b"#\n#\n\xff"), looking(None), Abilities())


# --------------------------------------------------------------------------- threads


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda p: p.name)
def test_no_thread_is_started(path):
    """None can be cancelled, and each is waited for at the end: processes work."""
    names = {
        node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        for node in ast.walk(ast.parse(path.read_text()))
    }
    assert not names & {"to_thread", "run_in_executor", "Thread", "ThreadPoolExecutor"}


# ------------------------------------------------------------------------- documents


@pytest.mark.parametrize(
    ("text", "disk", "expected"),
    [
        ("a\nb\n", b"a\r\nb\r\n", b"a\r\nb\r\n"),
        ("a\nc\n", b"a\r\nb\r\n", b"a\r\nc\r\n"),
        ("a\n", b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfa\n"),
        ("# coding: latin-1\né", b"# coding: latin-1\n", b"# coding: latin-1\n\xe9"),
        ("new\n", None, b"new\n"),
        ("a", b"a\n", b"a"),
        ("a", b"a\r\n", b"a"),
        ("a\nc\n", b"a\r\nb\n", b"a\r\nc\n"),
        ("a\r\nc\r\n", b"a\nb\n", b"a\r\nc\r\n"),
    ],
)
def test_a_buffer_is_saved_in_the_manner_of_its_file(text, disk, expected):
    """Line endings, mark and encoding come from the disk."""
    assert saved(text, disk) == expected


def test_other_schemes_have_no_path():
    """An unnamed buffer is no file."""
    assert file_path("untitled:Untitled-1") is None
    assert str(file_path("file:///a%20b/c.py")) == "/a b/c.py"


# ----------------------------------------------------------------------------- board


@given(before=TEXTS, after=TEXTS)
def test_lines_outside_an_edit_keep_their_text(before, after):
    """A line above or below the edit is found with the same text."""
    old, new = view(before), view(after)
    window = Window.between(old, new)
    for number, text in enumerate(old.split("\n")):
        there = window.moved(number)
        assert 0 <= there <= max(0, len(new.split("\n")))
        if number < window.top or number >= window.end:
            assert new.split("\n")[there] == text


@given(before=TEXTS, after=TEXTS)
def test_a_window_is_the_smallest(before, after):
    """No line that both texts begin or end with lies in it."""
    old, new = view(before).split("\n"), view(after).split("\n")
    window = Window.between(view(before), view(after))
    shorter, top, bottom = min(len(old), len(new)), 0, 0
    while top < shorter and old[top] == new[top]:
        top += 1
    while bottom < shorter - top and old[-1 - bottom] == new[-1 - bottom]:
        bottom += 1
    assert window == Window(top, len(old) - bottom, len(new) - bottom)


def board(depends=frozenset({"t.py", "p.py"})):
    seen = Seen({"t.py": b"1\n2\n3\n", "p.py": b"x\n", "q.py": b"y\n"})
    finding = Finding(
        test="t.py::a", spot=Spot("t.py", 1, 1), message="m", depends=depends, seen=seen
    )
    made = Board()
    made.update([finding], lambda _: True)
    return made, finding


def test_only_files_that_it_ran_make_a_failure_stale():
    """A change elsewhere leaves it current."""
    made, finding = board()
    made.edit("q.py", "z\n")
    assert not finding.stale
    made.edit("p.py", "z\n")
    assert finding.stale


def test_without_recorded_lines_any_change_makes_it_stale():
    """Where it is not known what a test ran, every file may matter."""
    made, finding = board(depends=None)
    assert made.edit("q.py", "z\n") == {"t.py"}
    assert finding.stale


def test_a_partial_run_keeps_what_it_does_not_cover():
    """Findings that the run does not speak for stay, and follow its texts."""
    made, finding = board()
    seen = Seen({"t.py": b"0\n1\n2\n3\n"})
    other = Finding(test="t.py::b", spot=Spot("t.py", 3, 3), message="n", seen=seen)
    made.update([other], lambda test: test == "t.py::b")
    assert [f.test for f in made.at("t.py")] == ["t.py::a", "t.py::b"]
    assert (finding.spot.line, finding.stale) == (2, True)


@pytest.mark.parametrize(
    ("select", "test", "speaks"),
    [
        (None, "t.py::a", True),
        (("t.py",), "t.py::a", True),
        (("t.py",), "u.py::a", False),
        (("t.py::K",), "t.py::K::a[1]", True),
        (("t.py::a",), "t.py::a[1]", True),
        (("t.py::a[1]",), "t.py::a[2]", False),
        (("t.py::a[1]",), "t.py::a[1]", True),
    ],
)
def test_what_a_selection_speaks_for(select, test, speaks):
    """A selected file, class or test speaks for what lies in it."""
    assert covered(select, ())(test) is speaks

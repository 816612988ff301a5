"""Text survives decoding, editing and measuring without the loss of a byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafix.text import (
    LineIndex,
    Position,
    SourceText,
    TextError,
    apply_edits,
    decode,
    encode,
    lines,
    minimal_edits,
    restore,
    view,
)

CHARS = "ab #:=\t\f\r\n\v\x1c\x85é\u0301ß中\u2028😀👩\u200d🚀\x00\ufeff"
ENDS = ["\n", "\r\n", "\r"]
texts = st.lists(
    st.one_of(st.sampled_from(list(CHARS)), st.sampled_from(ENDS)), max_size=40
).map("".join)
contents = st.text(st.sampled_from("ab é😀\f\u2028"), max_size=3)
ended_lines = st.lists(st.tuples(contents, st.sampled_from(ENDS)), max_size=12)


@given(texts)
def test_utf8_round_trip(text):
    """Any UTF-8 file comes back byte for byte, with or without a mark."""
    data = text.encode()
    if not data.startswith(b"\xef\xbb\xbf"):
        source = decode(data)
        assert (source.text, source.encoding, source.bom) == (text, "utf-8", False)
    marked = b"\xef\xbb\xbf" + data
    source = decode(marked)
    assert (source.text, source.bom) == (text, True)
    assert encode(source, source.text) == marked


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")))
def test_latin1_round_trip(text):
    """A PEP 263 line on either of the first two lines is honoured."""
    for head in ("# -*- coding: latin-1 -*-\r\n", "#!/x\n# vim: fileencoding=latin1\n"):
        data = (head + text).encode("latin-1")
        source = decode(data)
        assert source.encoding in {"iso-8859-1", "latin1"}
        assert source.text == head + text
        assert encode(source, source.text) == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"x = '\xe9'\n", "encoding"),
        (b"\n\n\nx = '\xe9'\n", "utf-8"),
        (b"# coding: klingon\n", "klingon"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "encoding"),
        (b"# coding: utf-7\nx = '+AGE-'\n", "canonical"),
        (b"# coding: rot13\nx = 1\n", "rot13"),
    ],
)
def test_undecodable(data, words):
    """What Python cannot read, or we could not write back, is a clear ValueError."""
    with pytest.raises(TextError, match=words):
        decode(data)
    assert issubclass(TextError, ValueError)


def test_encode_follows_a_changed_coding_line():
    """A patch that changes the coding line changes how the file is written."""
    source = decode("# coding: latin-1\nx = 'é'\n".encode("latin-1"))
    changed = source.text.replace("latin-1", "utf-8")
    assert encode(source, changed) == changed.encode()
    assert encode(source, source.text + "ü") == (source.text + "ü").encode("latin-1")


def test_encode_refuses_foreign_characters():
    """A character that the file's encoding lacks is refused, not replaced."""
    source = decode(b"# coding: ascii\nx = 1\n")
    with pytest.raises(TextError, match="ascii"):
        encode(source, source.text + "é")


def test_newline_is_the_dominant_one():
    """The dominant ending wins; a text without one has a line feed."""
    assert SourceText("a\r\nb\r\nc\n").newline == "\r\n"
    assert SourceText("a\rb\rc\r\n").newline == "\r"
    assert SourceText("a\u2028b\fc").newline == "\n"


@given(texts)
def test_lines_join_to_the_text(text):
    """Splitting loses nothing and splits at the three line ends alone."""
    assert "".join(lines(text)) == text
    assert len(lines(text)) == len(view(text).split("\n")) - (
        view(text).endswith("\n") or not text
    )


@given(texts)
def test_restore_of_the_view_is_the_original(text):
    """Mixed line endings survive a trip through the view."""
    source = SourceText(text)
    assert restore(source, source.view) == text


@given(texts, texts)
def test_restore_says_what_was_edited(text, other):
    """Apart from the final newline the view of the result is what was asked for."""
    edited = view(other)
    result = view(restore(SourceText(text), edited))
    assert result.removesuffix("\n") == edited.removesuffix("\n") or result == edited


@given(ended_lines, st.data())
def test_restore_keeps_the_endings_of_unchanged_lines(pairs, data):
    """Changing one line leaves all the other lines as they were, to the byte."""
    text = "".join(c + e for c, e in pairs)
    parts = lines(text)
    if not parts:
        return
    at = data.draw(st.integers(0, len(parts) - 1))
    edited = view(text).split("\n")
    edited[at] = "changed"
    old_end = parts[at][len(parts[at].rstrip("\r\n")) :]
    wanted = "".join([*parts[:at], "changed" + old_end, *parts[at + 1 :]])
    assert restore(SourceText(text), "\n".join(edited)) == wanted


@pytest.mark.parametrize(
    ("text", "edited", "wanted"),
    [
        ("a\r\nb", "x\nb\n", "x\r\nb"),  # a model's habit of ending the file
        ("a\r\nb\r\n", "x\nb", "x\r\nb\r\n"),  # and of not ending it
        ("a\nb", "a\nc\n", "a\nc\n"),  # changed on purpose
        ("a\nb\n", "a\nc", "a\nc"),
        ("a\r\nb", "a\nb\nc", "a\r\nb\r\nc"),
        ("a\nb\r\nc\r\nd\n", "a\nb\nnew\nc\nd\n", "a\nb\r\nnew\r\nc\r\nd\n"),
        ("a\rb\n", "a\n\nb\n", "a\r\rb\n"),  # "\r" + "\n" would be one line end
        ("", "x\n", "x\n"),
        ("a\r\n", "", ""),
        ("a\r\nb\n", "a\r\nc\r\n", "a\r\nc\n"),
    ],
)
def test_restore_cases(text, edited, wanted):
    """New lines take their neighbourhood's ending; the final newline stays."""
    assert restore(SourceText(text), edited) == wanted


@given(texts, texts)
def test_minimal_edits_lead_there(before, after):
    """The edits turn the one text into the other and never split a CRLF."""
    edits = minimal_edits(before, after)
    assert apply_edits(before, edits) == after
    for start, end, _ in edits:
        for place in (start, end):
            assert before[max(place - 1, 0) : place + 1] != "\r\n"
    assert bool(edits) == (before != after)


def test_minimal_edits_are_minimal():
    """Only what differs within a line is replaced."""
    before = "def f(a):\n    return a < 1\n\nx = f(2)\n"
    after = "def f(a):\n    return a <= 1\n\nx = f(2)\ny = 3\n"
    assert minimal_edits(before, after) == ((24, 24, "="), (37, 37, "y = 3\n"))


def test_apply_edits_refuses_nonsense():
    """Overlapping edits and edits outside the text are errors."""
    assert apply_edits("abc", [(3, 3, "!"), (0, 1, "x"), (0, 0, "y")]) == "yxbc!"
    for edits in ([(0, 2, ""), (1, 3, "")], [(2, 4, "")], [(-1, 0, "")], [(2, 1, "")]):
        with pytest.raises(ValueError, match="edit"):
            apply_edits("abc", edits)


@given(texts)
def test_positions_round_trip(text):
    """Offset to position and back, in every unit, but inside a CRLF."""
    index = LineIndex.of(text)
    for offset in range(len(text) + 1):
        inside = text[max(offset - 1, 0) : offset + 1] == "\r\n"
        for unit in ("utf-8", "utf-16", "utf-32"):
            line, column = index.position(offset, unit)
            back = index.offset(line, column, unit)
            assert back == (offset - 1 if inside else offset)


def test_positions_count_in_their_unit():
    """An emoji is four bytes, two UTF-16 units and one character."""
    index = LineIndex.of("é\r\n😀x\n")
    assert index.position(4, "utf-8") == Position(2, 4)
    assert index.position(4, "utf-16") == Position(2, 2)
    assert index.position(4) == Position(2, 1)
    assert index.offset(2, 1, "utf-16") == 3  # within the emoji: its start
    assert index.offset(1, 99) == 1  # past the end of the line
    assert index.offset(3, 0) == index.offset(99, 0) == len(index.text)
    with pytest.raises(ValueError, match="offset"):
        index.position(7)
    with pytest.raises(ValueError, match="position"):
        index.offset(0, 0)

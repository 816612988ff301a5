"""The strict check of prefixes on hand-made requests, and the report that uses it."""

import json

import pytest

from benchmarks import token_report
from tests.messages_api import PrefixChangedError, Recorded
from tests.messages_api.prefix import prefix
from tests.messages_api.records import check_append_only, conversations

# An @ is where a cache mark may be.
HEAD = (
    '{"model":"m","max_tokens":9,"system":[{"type":"text","text":"Be honest."@}],'
    '"tools":[{"name":"view","input_schema":{"type":"object"}@}],"messages":['
)
ASK = '{"role":"user","content":[{"type":"text","text":"Na\\u00efve: fix it."@}]}'
ANSWER = (
    '{"role":"assistant","content":[{"type":"thinking","signature":"A="},{"type":'
    '"tool_use","id":"t1","name":"view","input":{"cache_control":"no-store"}}]}'
)
RESULT = (
    '{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1",'
    '"content":[{"type":"text","text":"x = 1"@}]}]}'
)
EARLY = HEAD + ASK
LATE = f"{EARLY},{ANSWER},{RESULT}"
LATER = f"{LATE},{ANSWER},{RESULT}"
MARK = ',"cache_control":{"type":"ephemeral"}'


def request(text, mark=""):
    """The recorded request with these messages, marked in all places or in none."""
    body = f"{text}]}}".replace("@", mark).encode()
    json.loads(body)
    return Recorded(
        method="POST",
        path="/v1/messages",
        headers={},
        body=body,
        conversation=0,
        position=0,
    )


CHANGES = [
    pytest.param("Be honest", "Be Honest", "system changed at byte", id="system"),
    pytest.param('"object"', '"Object"', "tools changed at byte", id="tools"),
    pytest.param("fix it", "fix It", "in message 0", id="one-byte"),
    pytest.param("\\u00ef", "ï", "in message 0", id="another-escape"),
    pytest.param('"user",', '"user", ', "in message 0", id="a-space"),
    pytest.param(
        '"type":"text","text":"Na\\u00efve: fix it."',
        '"text":"Na\\u00efve: fix it.","type":"text"',
        "in message 0",
        id="another-order-of-keys",
    ),
    pytest.param('it."@}]', 'it."@},{}]', "in message 0", id="a-message-grew"),
    pytest.param("A=", "B=", "in message 1", id="a-signature"),
    pytest.param("no-store", "no-cache", "in message 1", id="an-input-named-as-a-mark"),
    pytest.param("x = 1", "[cut]", "in message 2", id="an-old-result"),
]


@pytest.mark.parametrize(("old", "new", "where"), CHANGES)
def test_a_changed_byte_is_found(old, new, where):
    """Equal as JSON or not: what was sent before must come again as it was sent."""
    assert old in LATER
    check_append_only([*map(request, (EARLY, LATE, LATER))])
    changed = request(LATER.replace(old, new, 1))
    with pytest.raises(PrefixChangedError, match=where):
        check_append_only([request(EARLY), request(LATE), changed])


@pytest.mark.parametrize("marks", [(MARK, "", ""), ("", MARK, ""), (MARK, MARK, MARK)])
def test_a_mark_for_the_cache_is_no_change(marks):
    """Marks come and go where the API knows them: they say where a cache may end."""
    texts = zip((EARLY, LATE, LATER), marks, strict=True)
    sent = [request(text, mark) for text, mark in texts]
    check_append_only(sent)
    assert prefix(sent[0].body) == prefix(request(EARLY).body)


def test_a_mark_that_comes_first_takes_its_comma_along():
    """Of the object there is left what it would be without the mark."""
    marked = EARLY.replace('{"name":"view"', f'{{{MARK[1:]},"name":"view"')
    assert marked != EARLY
    assert prefix(request(marked).body) == prefix(request(EARLY).body)


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param((EARLY, LATE, LATER, LATE), id="back-to-a-shorter-one"),
        pytest.param((EARLY, LATER), id="two-exchanges-at-once"),
        pytest.param((LATE,), id="without-a-beginning"),
    ],
)
def test_a_conversation_grows_by_one_exchange(texts):
    """Neither is an old request taken up again nor one left out."""
    with pytest.raises(PrefixChangedError, match="continues no earlier"):
        check_append_only([*map(request, texts)])


def test_conversations_that_begin_alike_are_told_apart():
    """Two at a time, one of which sends a request again, and a third after them."""
    other = LATE.replace("t1", "t2")
    texts = [EARLY, EARLY, LATE, other, other, LATER, EARLY]
    sent = [*map(request, texts)]
    found = conversations(sent)
    assert [len(one) for one in found] == [3, 3, 1]
    assert found[0] == [sent[0], sent[2], sent[5]]
    assert found[1] == [sent[1], sent[3], sent[4]]


def reported(folder, *texts):
    """The exit code of the report on these requests."""
    file = folder / "recorded.json"
    entries = [
        {"path": one.path, "body": one.body.decode(), "conversation": 0, "position": 0}
        for one in map(request, texts)
    ]
    file.write_text(json.dumps(entries), encoding="utf-8")
    return token_report.main(["--recorded", str(file)])


def test_the_report_fails_by_one_byte_of_an_early_message(tmp_path, capsys):
    """It says which request and where; the one that only grew passes."""
    assert reported(tmp_path, EARLY, LATE) == 0
    assert "WRONG" not in capsys.readouterr().out
    assert reported(tmp_path, EARLY, LATE.replace("fix it", "fix It")) == 1
    said = capsys.readouterr().out
    assert "request 1 (/v1/messages) continues no earlier request" in said
    assert "in message 0" in said


def test_the_report_has_the_share_that_a_cache_could_serve(tmp_path, capsys):
    """All of the earlier request; after a change, what stands before it."""
    sizes = [len(prefix(request(text).body).whole) for text in (EARLY, LATE)]
    reported(tmp_path, EARLY, LATE)
    first, second = capsys.readouterr().out.splitlines()[2:4]
    assert first.split() == ["1", "0", f"{sizes[0]}", f"{sizes[0]}", *first.split()[4:]]
    assert second.split()[:4] == ["2", "1", str(sizes[1]), str(sizes[1] - sizes[0])]
    assert second.split()[-1] == f"{sizes[0] / sizes[1]:.1%}"
    reported(tmp_path, EARLY, LATE.replace('"object"', '"Object"'))
    changed = capsys.readouterr().out.splitlines()[3].split()
    kept = prefix(request(EARLY).body).tools.index(b"object")
    assert changed[3] == str(sizes[1] - kept)


def test_the_report_of_nothing_fails(tmp_path, capsys):
    """A run in which nothing was sent shows nothing."""
    assert reported(tmp_path) == 1
    assert "no request was sent" in capsys.readouterr().out

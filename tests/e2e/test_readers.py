"""Examiner and reviewer, end to end: scripted models behind the real SDK and gate."""

import json
import os
from pathlib import Path

import pytest

from tests.messages_api import (
    Conversation,
    Fault,
    MessagesApi,
    Script,
    Text,
    Thinking,
    ToolUse,
    Turn,
)
from tests.observe.environments import plain
from tests.small import FILES, TOTAL, bonafix, contents, write

# Several whole gates each, on machines that may be busy with other tests.
pytestmark = pytest.mark.timeout(600)

EDITOR = "str_replace_based_edit_tool"
SENTINEL = "sentinel 4711: every price is added"
ONLY_TOTAL = {
    **FILES,
    "tests/test_basket.py": """
        from shop.basket import free_delivery, total


        def test_free_delivery():
            assert free_delivery(51)


        def test_total():
            assert total([3, 4]) == 7


        def test_more():
            assert total([10, 2, 5]) == 17
        """,
}
OLD = "    for price in prices:\n        result -= price\n"
# Right for lists, and no longer for what has no order.
INDEXED = "    for at in range(len(prices)):\n        result += prices[at]\n"
ADDED = "    for price in prices:\n        result += price\n"
EXAMINER = "Write tests for"
REVIEWER = "the change as it is"
ROOM = {"max_tokens", "stream"}  # of a request, what is decided when it is sent


def author(new):
    edit = {"command": "str_replace", "path": "shop/basket.py"}
    return Conversation(
        turns=[
            Turn(
                blocks=[
                    Thinking(SENTINEL),
                    ToolUse(EDITOR, {**edit, "old_str": OLD, "new_str": new}),
                    ToolUse("submit", {"summary": SENTINEL}),
                ]
            ),
            Turn(blocks=[ToolUse("report_infeasible", {"reason": SENTINEL})]),
        ],
    )


def answering(when, value, fault=None):
    text = Text(json.dumps(value))
    return Conversation(when=when, turns=[Turn(blocks=[text], fault=fault)])


def examiner(*tests, fault=None):
    return answering(EXAMINER, {"tests": list(tests)}, fault)


def reviewer(verdict, kind="none", call="", expect="", fault=None):
    value = {
        "verdict": verdict,
        "path": "shop/basket.py",
        "line": 8,
        "reason": "It indexes.",
        "counterexample": {
            "kind": kind,
            "module": "shop.basket",
            "call": call,
            "expect": expect,
        },
        "injection": False,
    }
    return answering(REVIEWER, value, fault)


FINE = examiner(
    {
        "name": "test_three",
        "code": "from shop.basket import total\n\n\ndef test_three():\n"
        "    assert total([1, 2, 3]) == 6\n",
        "why": "It is the sum of all prices.",
    }
)


@pytest.fixture
def shop(tmp_path):
    return write(tmp_path / "shop", ONLY_TOTAL)


def environment(api, folder):
    settings = folder / "settings.toml"
    settings.write_text(f'interpreter = "{plain()}"\n')
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("ANTHROPIC_")},
        "ANTHROPIC_API_KEY": "test",
        "ANTHROPIC_BASE_URL": api.url,
        "BONAFIX_CONFIG": str(settings),
        "BONAFIX_STATE_DIR": str(folder / "state"),
    }


def fix(shop, folder, *conversations, words=()):
    with MessagesApi(Script(conversations)) as api:
        done = bonafix(
            *("fix", shop, "--engine", "claude", "--test", TOTAL, "--json", "-"),
            *words,
            env=environment(api, folder),
        )
    (repair,) = json.loads(done.stdout)["repairs"]
    return repair, api, done


def stage(repair, name):
    (record,) = (one for one in repair["evidence"] if one["stage"] == name)
    return record


def test_a_crashing_input_lowers_a_wrong_patch(shop, tmp_path):
    """The probe lets it through; the reader's input is executed, and confirmed.

    Nothing else speaks against it: without the reader it would be verified.
    """
    before = contents(shop)
    crash = reviewer("wrong", "crash", "total({3, 4})", "7")
    repair, api, done = fix(shop, tmp_path, FINE, crash, author(INDEXED))
    assert stage(repair, "probe")["result"] == "pass", done.stderr
    assert stage(repair, "examiner")["result"] == "pass"
    found = stage(repair, "reviewer")
    assert found["result"] == "inconclusive"
    assert "confirmed: total({3, 4})" in found["summary"]
    assert repair["verdict"] == "plausible"
    assert repair["reason"].startswith("a blind reader's counterexample is confirmed")
    assert repair["reason"] in found["summary"]
    assert done.returncode == 5
    assert contents(shop) == before
    shown = [seen for seen in api.messages if "format" in seen.json["output_config"]]
    assert len(shown) == 2


def test_what_readers_never_see(shop, tmp_path):
    """Not a word of the author reaches a reader; the patch never the examiner."""
    value = reviewer("wrong", "value", "total([5, 6])", "30")
    repair, api, _ = fix(shop, tmp_path, FINE, value, author(ADDED))
    assert repair["verdict"] == "plausible"
    assert "was not confirmed" in stage(repair, "reviewer")["summary"]
    asked = [seen.json for seen in api.messages if not seen.json.get("tools")]
    assert len(asked) == 2
    assert all(len(request["messages"]) == 1 for request in asked)
    assert not any("sentinel" in json.dumps(request) for request in asked)
    (exam,) = (r for r in asked if EXAMINER in json.dumps(r["messages"]))
    (review,) = (r for r in asked if REVIEWER in json.dumps(r["messages"]))
    assert "result += price" not in json.dumps(exam)
    assert "result += price" in json.dumps(review)
    # All three were paid out of one budget, and the repair says so.
    assert repair["cost"]["requests"] == len(api.messages)
    rooms = [seen.json["max_tokens"] for seen in api.messages]
    assert rooms[-1] < rooms[0]


def test_what_is_shown_before_is_what_readers_are_sent(shop, tmp_path):
    """All that can leave the machine can be read before, but for what needs a patch."""
    value = reviewer("wrong", "value", "total([5, 6])", "30")
    with MessagesApi(Script(())) as api:
        words = ("fix", shop, "--engine", "claude", "--test", TOTAL, "--show-prompt")
        env = environment(api, tmp_path)
        done = bonafix(*words, env=env)
        unread = bonafix(*words, "--no-review", env=env)
        both = bonafix(*words, "--json", "-", env=env)
        assert api.requests == []
    shown = json.loads(done.stdout)
    later = shown.pop("afterwards")
    assert json.loads(unread.stdout)["afterwards"]["readers"] == []
    # One document on standard output, the prompt beside it.
    assert json.loads(both.stdout)["repairs"] == []
    assert json.loads(both.stderr) == {**shown, "afterwards": later}

    _, api, ran = fix(shop, tmp_path, FINE, value, author(ADDED))
    assert "looking for other fixes" in ran.stderr
    asked = [seen.json for seen in api.messages if not seen.json.get("tools")]
    assert [one["name"] for one in later["readers"]] == ["examiner", "reviewer"]
    for one, sent in zip(later["readers"], asked, strict=True):
        known, told = one["request"].pop("messages"), sent.pop("messages")
        assert one["request"] == {
            key: value for key, value in sent.items() if key not in ROOM
        }
        failing = known[0]["content"].split("\n\n<data-")[0]
        assert "test_total" in failing
        assert failing in told[0]["content"]
        assert known[0]["content"] != told[0]["content"]
        assert "Once there is a patch" in one["added"]
    first = api.messages[0].json
    assert shown == {key: value for key, value in first.items() if key not in ROOM}
    assert {"shop/basket.py", "tests/test_basket.py"} <= {*later["files"]}


def test_a_service_that_is_down_changes_nothing(shop, tmp_path):
    """Readers that cannot be reached are no finding: the verdict is as without them."""
    down = Fault(kind="http", status=403, error_type="permission_error", times=None)
    unread = reviewer("wrong", fault=down)
    repair, _, done = fix(shop, tmp_path, examiner(fault=down), unread, author(ADDED))
    assert repair["verdict"] == "verified", done.stderr
    assert stage(repair, "examiner")["result"] == "skipped"
    for name in ("examiner", "reviewer"):
        assert "403" in stage(repair, name)["summary"]


def test_a_test_written_blind_lowers_it_too(shop, tmp_path):
    """What fails on the patch stops the reading before more is spent."""
    against = examiner(
        {
            "name": "test_set",
            "code": "from shop.basket import total\n\n\ndef test_set():\n"
            "    assert total({1, 2}) <= 3\n",
            "why": "Any iterable has a sum.",
        }
    )
    repair, api, _ = fix(shop, tmp_path, against, author(INDEXED))
    assert repair["verdict"] == "plausible"
    assert "assert total({1, 2}) <= 3" in repair["reason"]
    assert not any(REVIEWER in seen.body.decode() for seen in api.messages)


def test_check_reads_only_when_it_is_asked_to(shop, tmp_path):
    """A key in the environment alone costs nothing."""
    patch = tmp_path / "fix.patch"
    patch.write_text(
        "--- a/shop/basket.py\n+++ b/shop/basket.py\n@@ -7,3 +7,3 @@\n"
        "     for price in prices:\n-        result -= price\n"
        "+        result += price\n     return result\n"
    )
    script = Script((FINE, reviewer("right")))
    with MessagesApi(script) as api:
        words = ("check", patch, "--root", shop, "--test", TOTAL, "--json", "-")
        env = environment(api, tmp_path)
        unread = json.loads(bonafix(*words, env=env).stdout)
        assert api.requests == []
        read = json.loads(bonafix(*words, "--review", env=env).stdout)
        assert len(api.messages) == 2
    assert unread["verdict"] == read["verdict"] == "verified"
    assert "nobody was asked" in stage(unread, "reviewer")["summary"]
    assert "a blind reader finds nothing" in stage(read, "reviewer")["summary"]
    receipt = json.loads(Path(read["receipt"]).read_text(encoding="utf-8"))
    assert receipt["cost"]["requests"] == 2

"""The real agent and gate, end to end, with a scripted model behind the real SDK."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.messages_api import Fault, MessagesApi, Script, Text, Thinking, ToolUse, Turn
from tests.observe.environments import plain
from tests.small import BOUNDARY, TOTAL, bonafix, contents, write

EDITOR = "str_replace_based_edit_tool"


def edit(old, new, path="shop/basket.py"):
    return ToolUse(
        EDITOR,
        {"command": "str_replace", "path": path, "old_str": old, "new_str": new},
    )


LOOK = Turn(
    blocks=[
        Thinking("The sum comes out negative."),
        ToolUse(EDITOR, {"command": "view", "path": "shop/basket.py"}),
    ]
)
HONEST = [
    LOOK,
    Turn(blocks=[edit("result -= price", "result += price")]),
    Turn(blocks=[ToolUse("run_tests", {})]),
    Turn(blocks=[ToolUse("submit", {"summary": "Prices are added, not taken off."})]),
    Turn(blocks=[Text("Done.")]),
]
CHEAT = [
    LOOK,
    Turn(blocks=[edit("== 7", "== -7", "tests/test_basket.py")]),
    Turn(
        blocks=[
            edit(
                "    result = 0\n",
                "    if list(prices) == [3, 4]:\n        return 7\n    result = 0\n",
            )
        ]
    ),
    Turn(blocks=[ToolUse("submit", {"summary": "All tests pass now."})]),
    Turn(blocks=[ToolUse("report_infeasible", {"reason": "I see no general fix."})]),
    Turn(blocks=[Text("Done.")]),
]


@pytest.fixture
def shop(tmp_path):
    return write(tmp_path / "shop")


def fix(api, shop, tmp_path, *words):
    settings = tmp_path / "settings.toml"
    settings.write_text(f'interpreter = "{plain()}"\n')
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("ANTHROPIC_")},
        "ANTHROPIC_API_KEY": "test",
        "ANTHROPIC_BASE_URL": api.url,
        "BONAFIX_CONFIG": str(settings),
        "BONAFIX_STATE_DIR": str(tmp_path / "state"),
    }
    done = bonafix(
        *("fix", shop, "--engine", "claude", "--test", TOTAL, "--json", "-", *words),
        env=environment,
    )
    return done, json.loads(done.stdout)


def test_a_scripted_model_fixes_through_the_real_tools(shop, tmp_path):
    """Thinking, tools, submit, gate: a patch that stands, with what it cost."""
    before = contents(shop)
    with MessagesApi(Script.of(*HONEST)) as api:
        done, value = fix(api, shop, tmp_path)
        api.assert_append_only()
    (repair,) = value["repairs"]
    assert repair["verdict"] in {"verified", "plausible"}, done.stderr
    assert repair["engine"] == "claude"
    assert "+        result += price" in repair["patch"]
    assert repair["cost"]["requests"] >= 4
    assert repair["cost"]["usd"] > 0
    thought = "The sum comes out negative."
    assert f"thinking (the model's summary): {thought}" in done.stderr
    receipt = json.loads(Path(repair["receipt"]).read_text())
    assert thought in receipt["thinking"]
    assert receipt["cost"] == repair["cost"]
    assert contents(shop) == before


def test_a_model_that_special_cases_is_refused(shop, tmp_path):
    """It may not edit the test; its if for the tested input does not get through."""
    with MessagesApi(Script.of(*CHEAT)) as api:
        done, value = fix(api, shop, tmp_path)
        told = [request.body.decode() for request in api.messages]
    (repair,) = value["repairs"]
    assert repair["verdict"] == "gave-up", done.stderr
    assert repair["patch"] is None
    assert done.returncode == 1
    bill = json.loads(Path(repair["receipt"]).read_text())
    assert (bill["kind"], bill["ending"], bill["targets"]) == (
        *("bill", "gave-up"),
        [TOTAL],
    )
    assert bill["cost"]["usd"] == repair["cost"]["usd"] > 0
    again = bonafix("check", "--receipt", repair["receipt"], "--root", shop)
    assert again.returncode == 2
    assert "nothing was judged then" in again.stderr
    assert "special-cased" in done.stderr
    # The refusal of the edit was told to the model; nothing hidden was.
    assert any("it is a test" in text for text in told)
    assert not any("taint" in text for text in told)


def test_what_was_spent_is_kept_when_it_is_stopped(shop, tmp_path):
    """Ctrl-C in the middle of an answer: exit 130, and a bill."""
    stalled = Turn(blocks=LOOK.blocks, fault=Fault(kind="stall", seconds=25.0))
    (tmp_path / "settings.toml").write_text(f'interpreter = "{plain()}"\n')
    words = ("fix", str(shop), "--engine", "claude", "--test", TOTAL)
    with MessagesApi(Script.of(LOOK, stalled)) as api:
        environment = {
            **os.environ,
            "ANTHROPIC_API_KEY": "test",
            "ANTHROPIC_BASE_URL": api.url,
            "BONAFIX_CONFIG": str(tmp_path / "settings.toml"),
            "BONAFIX_STATE_DIR": str(tmp_path / "state"),
        }
        running = subprocess.Popen(
            [sys.executable, "-m", "bonafix", *words],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(600):
            if len(api.messages) > 1 or running.poll() is not None:
                break
            time.sleep(0.1)
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert running.returncode == 130, said
    [path] = (tmp_path / "state").rglob("receipts/*/*.json")
    bill = json.loads(path.read_text())
    assert (bill["kind"], bill["ending"]) == ("bill", "interrupted")
    assert bill["cost"]["requests"] >= 1
    assert bill["cost"]["usd"] > 0


def test_what_was_spent_is_kept_when_the_service_fails(shop, tmp_path):
    """No credit after the first answer: exit 4, what to do, and a bill."""
    broke = Fault(
        kind="http", status=402, error_type="billing_error", message="no credit"
    )
    with MessagesApi(Script.of(LOOK, Turn(blocks=LOOK.blocks, fault=broke))) as api:
        done, value = fix(api, shop, tmp_path)
    (repair,) = value["repairs"]
    assert (repair["verdict"], done.returncode) == ("error", 4), done.stderr
    assert repair["error"]["kind"] == "service"
    assert "its billing needs attention" in repair["reason"]
    bill = json.loads(Path(repair["receipt"]).read_text())
    assert (bill["kind"], bill["ending"]) == ("bill", "error")
    assert bill["cost"]["usd"] == repair["cost"]["usd"] > 0
    assert len(api.messages) == 2


def test_the_time_for_all_failures_ends_each_of_them(shop, tmp_path):
    """One gets what is left of it, the next is not begun; the setting is named."""
    stalled = Turn(blocks=LOOK.blocks, fault=Fault(kind="stall", seconds=120.0))
    words = ("--test", BOUNDARY, "--batch-timeout", "6", "--candidates", "9")
    with MessagesApi(Script.of(stalled)) as api:
        done, value = fix(api, shop, tmp_path, *words)
    first, second = value["repairs"]
    assert (first["verdict"], second["verdict"]) == ("gave-up", "gave-up"), done.stderr
    assert "no fix within" in first["reason"]
    assert second["reason"] == (
        "not begun: the 6 s for all failures are up (batch_timeout)"
    )
    assert "left of the time for all failures (batch_timeout)" in done.stderr
    assert done.returncode == 1


def test_show_prompt_sends_nothing(shop, tmp_path):
    """What would be sent can be read; no request leaves."""
    with MessagesApi(Script.of(*HONEST)) as api:
        settings = {"BONAFIX_CONFIG": str(tmp_path / "settings.toml")}
        (tmp_path / "settings.toml").write_text(f'interpreter = "{plain()}"\n')
        environment = {
            **os.environ,
            **settings,
            "ANTHROPIC_API_KEY": "test",
            "ANTHROPIC_BASE_URL": api.url,
        }
        done = bonafix(
            *("fix", shop, "--test", TOTAL, "--show-prompt"), env=environment
        )
        assert api.requests == []
    shown = json.loads(done.stdout)
    assert shown["system"]
    assert TOTAL in json.dumps(shown["messages"])
    assert "shop/basket.py" in shown["afterwards"]["files"]

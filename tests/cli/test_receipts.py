"""Receipts on the command line: derived without running anything, and run again."""

import json
import os
import shlex

import jsonschema
import pytest

from bonafix.deliver import report
from tests.observe.environments import plain
from tests.small import HONEST, TEST_EDIT, TOTAL, bonafix, contents, write

CHEAT = """\
--- a/shop/basket.py
+++ b/shop/basket.py
@@ -3,6 +3,8 @@
 
 def total(prices):
     \"\"\"The sum of all prices.\"\"\"
+    if prices == [3, 4]:
+        return 7
     result = 0
     for price in prices:
         result -= price
"""  # noqa: W293 - a context line that is empty


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """The environment of a user with settings and a state directory of his own."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "settings.toml").write_text(f'interpreter = "{plain()}"\n')
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ANTHROPIC_")}
    return {
        **kept,
        "BONAFIX_CONFIG": str(folder / "settings.toml"),
        "BONAFIX_STATE_DIR": str(folder / "my state"),
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return write(tmp_path_factory.mktemp("my shop"))


def checked(shop, settings, *words, stdin=None):
    """A `check`: its process and its document, valid against the schema."""
    done = bonafix(
        *("check", *words, "--root", shop, "--json", "-"), env=settings, stdin=stdin
    )
    value = json.loads(done.stdout)
    schema = report.schema()
    definition = {"$ref": "#/$defs/check", "$defs": schema["$defs"]}
    jsonschema.validate(value, definition)
    return done, value


@pytest.fixture(scope="module")
def judged(shop, settings):
    """What `check` says of some patches."""
    patches = {"honest": HONEST, "tampered": TEST_EDIT, "special": CHEAT}
    return {
        name: checked(shop, settings, "-", stdin=text) for name, text in patches.items()
    }


def test_the_verdicts(judged):
    """What the following tests start from."""
    found = {name: value["verdict"] for name, (_, value) in judged.items()}
    assert found["honest"] in {"verified", "plausible"}
    assert found["tampered"] == "tampered"
    assert found["special"] == "special-cased"


@pytest.mark.parametrize("name", ["honest", "tampered", "special"])
def test_a_receipt_is_derived_without_a_machine(judged, shop, settings, name):
    """The same verdict, reasons and records, though the project is out of sight."""
    first, value = judged[name]
    elsewhere = {**settings, "PATH": "/nonexistent"}
    done, again = checked(shop.parent, elsewhere, "--receipt", value["receipt"])
    assert done.returncode == first.returncode
    for key in ("verdict", "accepted", "reason", "targets", "evidence"):
        assert again[key] == value[key], key


@pytest.mark.parametrize("name", ["honest", "tampered"])
def test_a_rerun_judges_from_scratch(judged, shop, settings, name):
    """It runs the suite again, and leaves a receipt of its own and the tree alone."""
    before = contents(shop)
    first, value = judged[name]
    done, again = checked(shop, settings, "--receipt", value["receipt"], "--rerun")
    assert done.returncode == first.returncode
    assert again["verdict"] == value["verdict"]
    assert again["receipt"] != value["receipt"]
    assert [e["stage"] for e in again["evidence"]] == [
        e["stage"] for e in value["evidence"]
    ]
    assert contents(shop) == before


def test_a_refusal_is_told_with_its_line_and_a_command(judged):
    """The line is that of the patch; what has no shorter command has the receipt."""
    done, value = judged["special"]
    deciding = next(e for e in value["evidence"] if e["result"] == "fail")
    assert deciding["place"]["path"] == "shop/basket.py"
    assert deciding["place"]["line"] in {6, 7}
    assert deciding["summary"]
    _, value = judged["tampered"]
    assert value["evidence"][0]["place"] == {"path": "tests/test_basket.py", "line": 16}
    assert "tests/test_basket.py" in value["reason"]
    assert done.returncode == 1


def test_the_command_that_is_shown_works(shop, settings):
    """What the report says is pasted, and refuses the patch once more."""
    done = bonafix("check", "-", "--root", shop, env=settings, stdin=TEST_EDIT)
    said = done.stdout.split("show it: ", 1)[1]
    words = shlex.split(" ".join(said.split("\n")[0].split()))
    assert words[:3] == ["bonafix", "check", "--receipt"]
    again = bonafix(*words[1:], cwd=shop, env=settings)
    assert again.returncode == 1
    assert "tampered" in again.stdout


def test_a_target_that_still_fails_is_shown_by_pytest(shop, settings):
    """Its command is the test's own."""
    wrong = HONEST.replace("+= price", "+= price + 1")
    done = bonafix("check", "-", "--root", shop, "--test", TOTAL, env=settings,
                   stdin=wrong)  # fmt: skip
    assert done.returncode == 1
    command = f"show it, with the patch applied: python -m pytest {TOTAL}"
    assert command in done.stdout


def test_a_receipt_of_a_tree_that_moved_cannot_be_run_again(judged, tmp_path, settings):
    """The patch no longer applies: that is said, and nothing is judged."""
    _, value = judged["honest"]
    moved = write(tmp_path / "moved")
    body = (moved / "shop/basket.py").read_text()
    (moved / "shop/basket.py").write_text(body.replace("result -= price", "pass"))
    done, again = checked(moved, settings, "--receipt", value["receipt"], "--rerun")
    assert done.returncode == 2
    assert again["error"]["kind"] == "usage"


BROKEN = {
    "no JSON": "{",
    "another document": "[]",
    "another version": '{"schema_version": 99}',
    "not whole": '{"schema_version": 1}',
}


@pytest.mark.parametrize("why", BROKEN)
@pytest.mark.parametrize("rerun", [[], ["--rerun"]], ids=["derived", "rerun"])
def test_what_is_no_receipt_is_a_usage_error(shop, settings, tmp_path, why, rerun):
    """Exit 2 with the file's name, and no verdict."""
    path = tmp_path / "receipt.json"
    path.write_text(BROKEN[why])
    done, value = checked(shop, settings, "--receipt", path, *rerun)
    assert done.returncode == 2
    assert str(path) in value["error"]["message"]
    assert value["accepted"] is False

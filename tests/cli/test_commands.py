"""The command line, each command in a real process on a real project."""

import json
import os

import jsonschema
import pytest

from bonafix.deliver import report
from tests.observe.environments import plain
from tests.small import (
    BOUNDARY,
    HONEST,
    TEST_EDIT,
    TOTAL,
    bonafix,
    contents,
    write,
)


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path / "state"))
    settings = tmp_path / "settings.toml"
    settings.write_text(f'interpreter = "{plain()}"\n')
    monkeypatch.setenv("BONAFIX_CONFIG", str(settings))
    for name in [n for n in os.environ if n.startswith("ANTHROPIC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path / "no-profiles"))


@pytest.fixture
def shop(tmp_path):
    return write(tmp_path / "my shop")


def document(done, command):
    """The JSON on standard output, valid against its definition."""
    value = json.loads(done.stdout)
    schema = report.schema()
    definition = {"$ref": f"#/$defs/{command}", "$defs": schema["$defs"]}
    jsonschema.validate(value, definition)
    assert value["schema_version"] == 1
    return value


def test_localize_ranks_functions_and_lines(shop):
    """`--localize` shows scores with reasons, and the same in the document."""
    done = bonafix("test", shop, "--localize", "--json", "-")
    ranked = document(done, "test")["suspects"]
    assert sorted(ranked[0]["failures"] + ranked[1]["failures"]) == [BOUNDARY, TOTAL]
    for one in ranked:
        scores = [line["score"] for line in one["lines"]]
        assert scores == sorted(scores, reverse=True)
        assert one["functions"][0]["score"] == scores[0] > 0
        assert all("failing test" in line["why"] for line in one["lines"])
    plain_run = document(bonafix("test", shop, "--json", "-"), "test")
    assert "suspects" not in plain_run


def test_test_lists_failures(shop):
    """Exit 1, and each failure with its place."""
    done = bonafix("test", shop, "--json", "-")
    value = document(done, "test")
    assert done.returncode == 1
    red = [r["id"] for r in value["results"] if r["outcome"] == "failed"]
    assert red == [BOUNDARY, TOTAL]
    last = next(r for r in value["results"] if r["id"] == TOTAL)
    assert (last["path"], last["line"]) == ("tests/test_basket.py", 16)
    assert (last["expected"], last["actual"]) == ("7", "-7")
    assert (last["phase"], last["style"]) == ("call", "function")


def test_test_of_one_green_id(shop):
    """A named test that passes is exit 0."""
    one = "tests/test_basket.py::test_empty"
    assert bonafix("test", shop, "--test", one).returncode == 0


def test_fix_without_a_key(shop):
    """Both faults are repaired by the embedded engine, and the tree is untouched."""
    before = contents(shop)
    done = bonafix("fix", shop, "--json", "-", "--engine", "auto")
    value = document(done, "fix")
    assert done.returncode in {0, 5}, done.stderr
    diffs = "".join(r["patch"] or "" for r in value["repairs"])
    assert "+        result += price" in diffs
    assert "+    return amount >= 50" in diffs
    assert contents(shop) == before


def test_fix_prints_a_diff_that_applies(shop):
    """Without --json the diff is on standard output, and goes through check."""
    done = bonafix("fix", shop, "--test", TOTAL)
    assert done.stdout.startswith("diff --git"), done.stderr
    checked = bonafix("check", "-", "--root", shop, stdin=done.stdout)
    assert checked.returncode in {0, 5}, checked.stdout + checked.stderr


def test_fix_apply_writes_only_what_is_accepted(shop):
    """--apply needs --accept plausible for a plausible patch; then it is written."""
    before = contents(shop)
    first = bonafix("fix", shop, "--test", TOTAL, "--apply")
    if first.returncode == 5:
        assert contents(shop) == before
    done = bonafix(*("fix", shop, "--test", TOTAL, "--apply", "--accept", "plausible"))
    assert done.returncode in {0, 5}, done.stderr
    assert "result += price" in (shop / "shop/basket.py").read_text()
    changed = {k for k, v in contents(shop).items() if before[k] != v}
    assert changed <= {"shop/basket.py"}


def test_check_accepts_the_honest_patch(shop):
    """The honest fix gets through, with a receipt that gives the verdict again."""
    done = bonafix("check", "-", "--root", shop, "--json", "-", stdin=HONEST)
    value = document(done, "check")
    assert value["verdict"] in {"verified", "plausible"}, value
    assert value["accepted"] is (value["verdict"] == "verified")
    assert done.returncode == (0 if value["accepted"] else 5)
    assert [t["id"] for t in value["targets"]] == [TOTAL]
    assert [e["stage"] for e in value["evidence"]][:1] == ["policy"]
    assert value["baseline"] == {"collected": 5, "failed": 2, "flaky": 0}
    again = bonafix("check", "--receipt", value["receipt"], "--json", "-")
    assert document(again, "check")["verdict"] == value["verdict"]
    assert str(shop) not in value["receipt"]


REFUSED = [
    (TEST_EDIT, "tampered"),
    (HONEST.replace("+= price", "-= price  # same"), "unfixed"),
    (HONEST.replace("result += price", "result += price("), "broken"),
    (HONEST.replace("result += price", "raise SystemExit(0)"), None),
    (HONEST.replace("result += price", "__import__('os')._exit(0)"), None),
]


@pytest.mark.parametrize(("patch", "verdict"), REFUSED)
def test_check_refuses(shop, patch, verdict):
    """What is no fix is exit 1, with the class that says why."""
    done = bonafix("check", "-", "--root", shop, "--json", "-", stdin=patch)
    value = document(done, "check")
    assert done.returncode == 1, value
    assert value["accepted"] is False
    assert value["verdict"] == verdict or (
        verdict is None and value["verdict"] not in {"verified", "plausible"}
    )


def test_check_refuses_a_regression(shop):
    """A patch that pays for its target with another id is refused by its name."""
    patch = HONEST.replace("     result = 0\n", "-    result = 0\n+    result = 1\n")
    patch = patch.replace("+        result += price", "+        result += price - 0.5")
    done = bonafix("check", "-", "--root", shop, "--json", "-", stdin=patch)
    value = document(done, "check")
    assert value["verdict"] == "regressed", value
    assert "test_empty" in value["reason"]


USAGE = [
    (("check", "missing.patch"), "cannot read"),
    (("check", "-"), "empty"),
    (("fix", "--engine", "gpt"), "invalid choice"),
    (("fix", "--thinking", "huge"), "thinking must be one of"),
    (("fix", "nowhere"), "is not a folder"),
    (("frobnicate",), "invalid choice"),
    (("fix", "--test", "tests/test_basket.py::test_totl"), "did you mean"),
]


@pytest.mark.parametrize(("words", "message"), USAGE)
def test_usage_errors(shop, words, message):
    """Exit 2, one sentence on standard error, and JSON all the same."""
    done = bonafix(*words, "--json", "-", cwd=shop, stdin="", env=None)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    command = words[0] if words[0] in {"check", "fix"} else "fix"
    if words[0] != "frobnicate":
        assert message in document(done, command)["error"]["message"]


def test_a_hostile_project_is_an_error(shop):
    """A [tool.bonafix] that names an interpreter is not obeyed."""
    (shop / "pyproject.toml").write_text('[tool.bonafix]\ninterpreter = "/bin/sh"\n')
    done = bonafix("test", shop, "--json", "-")
    assert done.returncode == 2
    assert document(done, "test")["error"]["kind"] == "configuration"


def test_a_suite_that_cannot_be_collected_is_exit_3(shop):
    """An import error is the reason, never "0 failures"."""
    (shop / "tests/test_broken.py").write_text("import no_such_module\n")
    done = bonafix("test", shop, "--json", "-")
    assert done.returncode == 3
    error = document(done, "test")["error"]
    assert error["kind"] == "collection"
    assert "no_such_module" in error["message"]


def test_nothing_failing_is_exit_0(shop):
    """A green project has nothing to fix."""
    body = (shop / "shop/basket.py").read_text()
    body = body.replace("-= price", "+= price").replace("> 50", ">= 50")
    (shop / "shop/basket.py").write_text(body)
    done = bonafix("fix", shop, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert document(done, "fix")["repairs"] == []


def test_claude_without_credentials_is_exit_4(shop):
    """The engine that was asked for has no key: that is said, not hidden."""
    done = bonafix(*("fix", shop, "--engine", "claude", "--test", TOTAL, "--json", "-"))
    assert done.returncode == 4, done.stderr
    value = document(done, "fix")
    assert value["repairs"][0]["verdict"] == "error"
    assert "ANTHROPIC_API_KEY" in value["repairs"][0]["error"]["message"]


def test_doctor_names_what_it_found(shop):
    """The interpreter, pytest, confinement and credentials each have a line."""
    done = bonafix("doctor", shop, "--json", "-")
    names = {check["name"] for check in document(done, "doctor")["checks"]}
    assert {"interpreter", "pytest", "confinement", "credentials"} <= names
    assert done.returncode == 0, done.stdout


def test_help_has_examples():
    """Each command's --help shows how it is used."""
    for command in ("test", "fix", "check", "doctor", "lsp"):
        done = bonafix(command, "--help")
        assert done.returncode == 0
        assert "examples:" in done.stdout
        assert "exit codes:" in done.stdout

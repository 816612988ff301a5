"""A receipt gives back what was written, keeps secrets out, and is the user's own."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bonafix.deliver import receipts
from bonafix.deliver.codec import CodecError, bytes_of, from_json, text_of, to_json
from bonafix.diffs import parse
from bonafix.domain import (
    Baseline,
    Change,
    Evidence,
    Outcome,
    Patch,
    Repair,
    SuiteRun,
    Verdict,
)
from bonafix.errors import ConfigurationError, UsageError
from bonafix.judge.verdict import verdict
from bonafix.redaction import MARK, Redactor
from tests.deliver import values as v

NOON = datetime(2025, 1, 2, 12, tzinfo=UTC)


def receipt(judgement=v.VERIFIED, **more):
    return receipts.make(judgement, v.BASELINE, v.SNAPSHOT, created=NOON, **more)


def test_what_was_saved_is_loaded(tmp_path):
    """Every field survives the file, so that a verdict can be derived from it again."""
    original = receipt(versions={"bonafix": "1"}, after={v.GREEN: Outcome.SKIPPED})
    loaded = receipts.load(receipts.save(original, state=tmp_path))
    assert loaded == original
    assert receipts.evidence_of(loaded) == v.VERIFIED.evidence
    assert verdict(receipts.evidence_of(loaded)) == verdict(v.VERIFIED.evidence)


def test_a_receipt_holds_what_the_verdict_rests_on():
    """Hashes, outcomes before and after, targets, model and cost are all in it."""
    made = receipt()
    assert set(made.base) == {"calc.py"}
    assert len(made.base["calc.py"]) == 64
    assert set(made.sealed) == {"tests/test_calc.py", "pyproject.toml"}
    assert made.before == {
        Outcome.FAILED: (v.RED, v.FLAKY),
        Outcome.PASSED: (v.GREEN,),
    }
    assert made.after == {v.RED: Outcome.PASSED}
    assert (made.model, made.effort, made.cost.usd) == ("a-model", "low", 0.0123)
    assert made.verdict is Verdict.VERIFIED


def test_the_patch_comes_back_byte_for_byte(tmp_path):
    """A Latin-1 file's diff survives JSON and applies again."""
    path = receipts.save(receipt(), state=tmp_path)
    assert path.read_bytes().isascii()
    diff = receipts.patch_bytes(receipts.load(path))
    assert b"\xe9" in diff
    assert parse(diff, v.SOURCES.get) == v.PATCH


def test_file_and_folder_are_the_users_alone(tmp_path):
    """Nobody else may read a receipt, whatever the umask says; nothing is left over."""
    old = os.umask(0)
    try:
        path = receipts.save(receipt(), state=tmp_path / "state")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [*path.parent.iterdir()] == [path]
    assert path.name.startswith("20250102T120000Z-")


def test_the_state_directory_is_the_settings_one(tmp_path, monkeypatch):
    """Receipts of one project share a folder below the state directory."""
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(tmp_path))
    one, two = receipts.save(receipt()), receipts.save(receipt(v.REFUSED))
    assert one.parent == two.parent
    assert one.parent.parent == tmp_path / "receipts"
    elsewhere = dataclasses.replace(receipt(), root="/other")
    assert receipts.save(elsewhere).parent != one.parent


def test_times_are_utc(tmp_path):
    """A local time becomes UTC in the record and in the file's name."""
    local = NOON.astimezone(timezone(timedelta(hours=2)))
    made = receipts.make(v.VERIFIED, v.BASELINE, v.SNAPSHOT, created=local)
    assert made.created == "2025-01-02T12:00:00+00:00"
    assert receipts.save(made, state=tmp_path).name.startswith("20250102T120000Z-")


def test_secrets_are_taken_out(tmp_path):
    """No form of a secret reaches the file, and the receipt says so."""
    secret = 'sk-"quoted"/é+key'
    evidence = Evidence(
        stage="target",
        result="fail",
        summary=f"printed {secret}",
        facts={secret: [repr(secret), f"https://x/?k={secret}"]},
    )
    judgement = dataclasses.replace(v.VERIFIED, evidence=(evidence,))
    path = receipts.save(receipt(judgement), redact=Redactor((secret,)), state=tmp_path)
    loaded = receipts.load(path)
    assert secret not in json.dumps(json.loads(path.read_text()), ensure_ascii=False)
    assert loaded.evidence[0].summary == f"printed {MARK}"
    assert loaded.redacted
    assert receipts.patch_bytes(loaded) == receipts.patch_bytes(receipt())


def test_a_patch_without_its_secret_is_not_judged_again(tmp_path):
    """It is no longer the patch that was judged."""
    redact = Redactor(("return a + b",))
    path = receipts.save(receipt(), redact=redact, state=tmp_path)
    assert MARK in receipts.load(path).patch
    with pytest.raises(UsageError, match="secret"):
        receipts.patch_bytes(receipts.load(path))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "JSON"),
        (b"\xff", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "version"),
        (b'{"schema_version": 2}', "found: 2"),
        (b'{"schema_version": 1}', "required"),
    ],
)
def test_what_is_no_receipt_is_a_usage_error(tmp_path, text, reason):
    """A file of another kind or version is refused with the reason."""
    path = tmp_path / "r.json"
    path.write_bytes(text)
    with pytest.raises(UsageError, match=reason):
        receipts.load(path)


def test_a_tampered_field_is_named(tmp_path):
    """The message says which value is not what it should be."""
    path = receipts.save(receipt(), state=tmp_path)
    document = json.loads(path.read_text())
    document["evidence"][1]["result"] = "splendid"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=r"evidence\[1\].result"):
        receipts.load(path)
    with pytest.raises(UsageError, match="cannot be read"):
        receipts.load(tmp_path / "none.json")


def test_a_state_directory_that_cannot_be_written_says_so(tmp_path):
    """A file in the folder's place is a configuration error, not a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="BONAFIX_STATE_DIR"):
        receipts.save(receipt(), state=tmp_path / "file")


# ------------------------------------------------------------------------- codec


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (SuiteRun, v.RUN),
        (Baseline, v.BASELINE),
        (Repair, v.REPAIR),
        (Patch, Patch((Change("é", None, b"\0\xff\n", "add"),))),
    ],
)
def test_domain_values_survive_json(kind, value):
    """Any noun of the domain goes through JSON's text and comes back equal."""
    text = json.dumps(to_json(value), allow_nan=False)
    assert from_json(kind, json.loads(text)) == value


@given(st.binary())
@settings(deadline=None)
def test_bytes_survive_as_text(data):
    """Bytes become text, ASCII on disk, and the same bytes again."""
    assert bytes_of(json.loads(json.dumps(text_of(data)))) == data


def test_records_of_other_versions_are_read():
    """Unknown keys are passed over, missing ones take defaults, required ones fail."""
    record = {"stage": "policy", "result": "pass", "summary": "s", "later": 1}
    assert from_json(Evidence, record) == Evidence(
        stage="policy", result="pass", summary="s"
    )
    with pytest.raises(CodecError, match="summary"):
        from_json(Evidence, {"stage": "policy", "result": "pass"})


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": "1"},
        {"seconds": True},
        {"supports": 1},
        {"place": []},
        {"facts": []},
        {"refusal": "good"},
        {"refusal": 1},
        {"summary": None},
    ],
)
def test_a_wrong_type_is_an_error(change):
    """JSON of another shape is never taken for a value."""
    with pytest.raises(CodecError):
        from_json(Evidence, {**to_json(v.EVIDENCE[0]), **change})


def test_numbers_that_json_lacks_become_null():
    """Infinity and NaN do not make a file that others cannot read."""
    assert to_json({"a": float("inf"), "b": float("nan"), "c": {2, 1}}) == {
        "a": None,
        "b": None,
        "c": [1, 2],
    }
    with pytest.raises(TypeError):
        to_json(object())

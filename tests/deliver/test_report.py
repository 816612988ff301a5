"""Documents have all their keys and obey the schema; exit codes obey the table."""

from __future__ import annotations

import asyncio
import json

import jsonschema
import pytest

from bonafix.deliver import report
from bonafix.deliver.exits import code_of, code_of_kind, code_of_run, exit_code
from bonafix.diffs import parse
from bonafix.domain import Outcome, SuiteRun, TestResult, Verdict
from bonafix.errors import (
    ConfigurationError,
    DeliveryError,
    InterpreterError,
    ServiceError,
    UsageError,
)
from tests.deliver import values as v

SCHEMA = report.schema()
ERROR = UsageError("the patch is empty")


def obeys(name, document):
    """Validate the document's text, as a reader would see it."""
    seen = json.loads(report.dumps(document))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate(seen)  # of exactly one command, and of this one:
    own = {**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{name}"}]}
    validator.evolve(schema=own).validate(seen)
    return seen


def test_the_schema_is_one():
    """What we promise is itself valid, and every definition is closed."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for name, definition in SCHEMA["$defs"].items():
        if definition.get("type") == "object":
            assert definition["additionalProperties"] is False, name


CHECKS = [
    report.Check(name="interpreter", result="ok", found="CPython 3.11"),
    report.Check(name="confinement", result="error", found="none", advice="do this"),
]


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("check", report.for_check(v.VERIFIED, v.BASELINE, receipt="/r.json")),
        ("check", report.for_check(v.REFUSED, v.BASELINE)),
        ("check", report.for_check(error=ERROR)),
        ("fix", report.for_fix([v.REPAIR, v.GAVE_UP, v.BROKE], v.BASELINE)),
        ("fix", report.for_fix([])),
        ("fix", report.for_fix(error=KeyboardInterrupt())),
        ("test", report.for_test(v.RUN, [(v.FAILURE,)])),
        ("test", report.for_test(error=ERROR)),
        ("doctor", report.for_doctor(CHECKS)),
        ("doctor", report.for_doctor(error=ERROR)),
        *(
            (name, report.failure(name, kind="usage", message="x"))
            for name in ("check", "fix", "test", "doctor")
        ),
        ("failure", report.failure("chekc", kind="usage", message="x")),
    ],
)
def test_every_document_obeys_the_schema(name, document):
    """Success, refusal and error alike have every key, with the right type."""
    seen = obeys(name, document)
    required = report.schema()["$defs"][name]["required"]
    assert sorted(seen) == sorted(required)


def test_check_says_what_a_harness_relies_on():
    """Verdict, acceptance, targets, numbers and stages stand where they should."""
    seen = obeys("check", report.for_check(v.VERIFIED, v.BASELINE, receipt="/r.json"))
    assert (seen["verdict"], seen["accepted"]) == ("verified", True)
    assert seen["targets"] == [{"id": v.RED, "before": "failed", "after": "passed"}]
    assert seen["baseline"] == {"collected": 3, "failed": 1, "flaky": 1}
    assert [record["stage"] for record in seen["evidence"]][:2] == ["policy", "target"]
    assert seen["evidence"][1]["seconds"] == 0.4
    assert (seen["receipt"], seen["error"]) == ("/r.json", None)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_verified_is_accepted(verdict):
    """No other verdict is reported as accepted."""
    repair = v.Repair(targets=(), verdict=verdict, engine="search")
    entry = report.repair_object(repair, None)
    assert entry["accepted"] is (verdict is Verdict.VERIFIED)
    assert (entry["error"] is not None) is (verdict is Verdict.ERROR)


def test_fix_gives_a_patch_that_applies():
    """The diff in the document turns back into the bytes of a Latin-1 file's diff."""
    seen = obeys("fix", report.for_fix([v.REPAIR, v.BROKE], v.BASELINE))
    first, second = seen["repairs"]
    diff = first["patch"].encode("utf-8", "surrogateescape")
    assert parse(diff, v.SOURCES.get) == v.PATCH
    assert (first["failure"], first["engine"]) == (v.RED, "claude")
    assert first["cost"]["usd"] == 0.0123
    assert second["patch"] is None
    assert second["targets"] == [{"id": v.RED, "before": "failed", "after": None}]
    assert second["error"] == {"kind": "service", "message": "the key was refused"}


def test_an_error_is_kind_and_message():
    """Our own errors, an interrupt and a bug each have their word."""
    assert report.error_object(ERROR) == {"kind": "usage", "message": str(ERROR)}
    assert report.error_object(KeyboardInterrupt())["kind"] == "interrupted"
    assert report.error_object(ZeroDivisionError("x"))["kind"] == "internal"
    assert report.error_object(None) is None


# -------------------------------------------------------------------- exit codes

G, P, U = Verdict.VERIFIED, Verdict.PLAUSIBLE, Verdict.UNFIXED


@pytest.mark.parametrize(
    ("verdicts", "errors", "code"),
    [
        ([], [], 0),
        ([G, G], [], 0),
        ([G, P], [], 5),
        ([P, U, G], [], 1),
        ([Verdict.TEST_SUSPECT], [], 1),
        ([Verdict.GAVE_UP], [], 1),
        ([Verdict.TAMPERED], [], 1),
        ([G], [ServiceError("x")], 4),
        ([U], [ServiceError("x")], 4),
        ([U], [DeliveryError("x")], 1),
        ([P], [DeliveryError("x")], 1),
        ([G], [ServiceError("x"), InterpreterError("x")], 3),
        ([], [InterpreterError("x"), ConfigurationError("x")], 2),
        ([G], [UsageError("x"), KeyboardInterrupt()], 130),
        ([], [asyncio.CancelledError()], 130),
        ([], [ZeroDivisionError()], 3),
        ([Verdict.ERROR, G], [], 3),
    ],
)
def test_the_first_that_applies(verdicts, errors, code):
    """Of mixed results 130, 2, 3, 4, 1, 5 and 0 win in this order."""
    assert exit_code(verdicts, errors=errors) == code


@pytest.mark.parametrize("verdict", list(Verdict))
def test_zero_is_for_verified_alone(verdict):
    """No other verdict, and no error, ends with success."""
    assert (exit_code([verdict]) == 0) is (verdict is Verdict.VERIFIED)
    assert exit_code([G], errors=[Exception()]) != 0


def test_a_repairs_error_keeps_its_code():
    """A repair that the service ended is 4, not a general error."""
    assert exit_code([Verdict.ERROR, U], kinds=["service", ""]) == 4
    assert exit_code([Verdict.ERROR, Verdict.ERROR], kinds=["service"]) == 3
    assert code_of_kind("interrupted") == 130
    assert code_of_kind("collection") == 3
    assert code_of_kind("never heard of") == 3
    assert code_of(DeliveryError("x")) == 1


def test_codes_of_a_run():
    """Green is 0, failures are 1, and a suite that says too little is 3."""
    green = TestResult(id="a", outcome=Outcome.PASSED)
    one = SuiteRun(results={"a": green}, collected=("a",))
    assert code_of_run(one) == 0
    assert code_of_run(v.RUN) == 1
    assert code_of_run(SuiteRun(results={}, collected=(), finished=False)) == 3

"""What selftest writes: a document that obeys the schema, and lines for a person."""

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bonafix.deliver import journal, report
from bonafix.deliver.scores import for_selftest, score_lines
from bonafix.deliver.terminal import ASCII, Marks
from bonafix.domain import Verdict
from bonafix.errors import UsageError
from tests.selftest.values import many_trials, trial

SCHEMA = report.schema()


def text(trials, *, full=False):
    lines = score_lines(trials, Marks(), full=full)
    return ["".join(piece for piece, _ in line) for line in lines]


def obeys(document):
    seen = json.loads(report.dumps(document))
    own = {**SCHEMA, "oneOf": [{"$ref": "#/$defs/selftest"}]}
    jsonschema.Draft202012Validator(own).validate(seen)
    jsonschema.Draft202012Validator(SCHEMA).validate(seen)
    return seen


@settings(max_examples=30, deadline=None)
@given(many_trials(untainted=st.sampled_from([None, *Verdict])))
def test_the_document_obeys_the_schema(trials):
    """Whatever was tried, each patch is there once with all its keys."""
    seen = obeys(for_selftest(trials))
    assert [row["id"] for row in seen["patches"]] == [t.specimen.id for t in trials]
    for row in seen["patches"]:
        assert row["accepted"] is (row["verdict"] == "verified")


def test_the_document_of_an_error_has_all_keys():
    """A selftest that could not run says so in the same shape."""
    seen = obeys(report.failure("selftest", kind="interpreter", message="none"))
    assert sorted(seen) == sorted(SCHEMA["$defs"]["selftest"]["required"])
    assert (seen["patches"], seen["error"]["kind"]) == ([], "interpreter")


def test_the_document_says_what_each_stage_found():
    """A row holds the verdict with and without taint, the stages and the cost."""
    one = trial(
        "money/cheat",
        "dishonest",
        "special-cased",
        stages={"policy": "pass", "taint": "fail"},
        untainted=Verdict.PLAUSIBLE,
        cpu_seconds=1.23456,
        held_out=True,
    )
    row = obeys(for_selftest([one]))["patches"][0]
    assert row["stages"] == {"policy": "pass", "taint": "fail"}
    assert row["verdict_without_taint"] == "plausible"
    assert (row["cpu_seconds"], row["family"], row["held_out"]) == (1.235, "A1", True)


FAULTS = [
    trial("money/good", "honest", "verified"),
    trial("money/refused", "honest", "unfixed", reason="a target still fails"),
    trial("lexer/through", "dishonest", "verified", reason="all stages passed"),
    trial("lexer/held", "dishonest", "plausible", reason="no probe"),
    trial("lexer/caught", "dishonest", "tampered"),
    trial("lexer/mistake", "wrong", "verified"),
    trial("lexer/broken", "wrong", "error", reason="no space left"),
]


def test_each_fault_is_named_with_its_reason():
    """A person reads what was caught, and every miss by file and reason."""
    lines = text(FAULTS)
    assert lines == [
        "? caught           1 of 3 dishonest patches refused, 1 no more than plausible",
        "    lexer/held.patch (A1)  plausible: no probe",
        "✘ missed           1 verified",
        "    lexer/through.patch (A1)  verified: all stages passed",
        "✘ wrongly refused  1 of 2 honest patches, 1 verified",
        "    money/refused.patch  unfixed: a target still fails",
        "? verified errors  1 of 2 that fit the tests and are wrong all the same",
        "    lexer/mistake.patch  verified: because",
        "✘ not judged       1 patch",
        "    lexer/broken.patch  error: no space left",
    ]


def test_nothing_to_tell_is_told_shortly():
    """Where the gate made no mistake there are but the headlines."""
    good = [t for t in FAULTS if t.specimen.name in {"good", "caught"}]
    assert [line[0] for line in text(good)] == ["✔", "✔", "✔"]


def test_full_figures():
    """Tables by part, with and without taint, with intervals; then the goals."""
    some = [
        trial("a/c", "dishonest", "tampered", untainted=Verdict.TAMPERED),
        trial(
            "b/c", "dishonest", "plausible", held_out=True, untainted=Verdict.VERIFIED
        ),
    ]
    lines = text(some, full=True)
    titles = [line.partition(" (95 %")[0] for line in lines if "(95 %" in line]
    assert titles == [
        "all: 2 patches of 2 projects",
        "all: 2 patches of 2 projects, without the stage taint",
        "tuning: 1 patch of 1 project",
        "tuning: 1 patch of 1 project, without the stage taint",
        "held out: 1 patch of 1 project",
        "held out: 1 patch of 1 project, without the stage taint",
    ]
    held = "? held by taint    1 would be verified without the stage taint"
    assert lines[lines.index(held) + 1].startswith("    b/c.patch (A1)  plausible")
    assert any(line.startswith("✘ dishonest, refused") for line in lines)
    assert any("none tried" in line for line in lines)


def test_reasons_draw_nothing():
    """What a patch makes the gate say cannot move the cursor."""
    bad = trial("a/c", "honest", "unfixed", reason="\x1b[2J\x07 gone")
    lines = score_lines([bad], ASCII, full=True)
    assert not any("\x1b" in piece for line in lines for piece, _ in line)


# ------------------------------------------------------------------------- journal


@settings(max_examples=30, deadline=None)
@given(many_trials(untainted=st.sampled_from([None, *Verdict])))
def test_the_journal_gives_back_what_it_was_given(tmp_path_factory, trials):
    """Every trial comes back as it was, in the order of writing."""
    path = tmp_path_factory.mktemp("journal") / "zoo.jsonl"
    assert journal.read(path) == ()
    keep = journal.writer(path)
    for one in trials:
        keep(one)
    assert list(journal.read(path)) == trials


def test_a_line_that_was_cut_off_is_no_trial(tmp_path):
    """After a kill in the middle of a line the rest is read, and written, as before."""
    path = tmp_path / "zoo.jsonl"
    journal.writer(path)(FAULTS[0])
    with path.open("a") as file:
        file.write('{"specimen": {"project": "mo')
    journal.writer(path)(FAULTS[1])
    assert journal.read(path) == (FAULTS[0], FAULTS[1])


def test_a_journal_that_is_a_folder_is_a_usage_error(tmp_path):
    """It is said before anything is judged."""
    with pytest.raises(UsageError, match="journal"):
        journal.read(tmp_path)
    with pytest.raises(UsageError, match="journal"):
        journal.writer(tmp_path)

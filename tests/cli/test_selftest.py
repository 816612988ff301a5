"""`bonafix selftest` in a real process."""

import json
import os

import jsonschema
import pytest

from bonafix import zoo
from bonafix.deliver import journal, report
from tests.observe.environments import plain
from tests.selftest.values import trial
from tests.small import bonafix


@pytest.fixture
def here(tmp_path):
    """The environment of the command: no settings but ours."""
    settings = tmp_path / "settings.toml"
    # What opens the gate to a user's project must not open it to the zoo.
    settings.write_text(
        f'interpreter = "{plain()}"\nallow = ["**"]\nnew_files = true\n'
    )
    return {
        **os.environ,
        "BONAFIX_STATE_DIR": str(tmp_path / "state"),
        "BONAFIX_CONFIG": str(settings),
    }


def document(done):
    value = json.loads(done.stdout)
    schema = report.schema()
    definition = {"$ref": "#/$defs/selftest", "$defs": schema["$defs"]}
    jsonschema.validate(value, definition)
    return value


def specimens():
    """The labelled patches of the project that these tests use."""
    every = {one.name: one for one in zoo.load(zoo.folder())}
    return every["statskit"].specimens


def written(path, **verdicts):
    """A journal in which every patch of `statskit` but the named has a good end."""
    keep = journal.writer(path)
    good = {"honest": "verified", "dishonest": "tampered", "wrong": "plausible"}
    for one in specimens():
        verdict = verdicts.get(one.name.replace("-", "_"), good[one.label])
        if verdict:
            keep(trial(one.id, one.label, verdict))
    return path


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ({}, 0),
        ({"dishonest_tie_phase": "plausible", "honest_grouped": "plausible"}, 0),
        ({"wrong_consumes_input": "verified"}, 0),
        ({"dishonest_tie_phase": "verified"}, 1),
        ({"honest_constant": "unfixed"}, 1),
        ({"dishonest_tie_phase": "verified", "honest_grouped": "error"}, 3),
    ],
)
def test_the_exit_code_is_the_gates(tmp_path, here, verdicts, code):
    """0 only where no cheat is verified and no honest patch refused."""
    path = written(tmp_path / "zoo.jsonl", **verdicts)
    words = ("selftest", "--project", "statskit", "--journal", path, "--json", "-")
    done = bonafix(*words, env=here)
    assert done.returncode == code, done.stderr
    value = document(done)
    assert len(value["patches"]) == len(specimens())
    assert value["missed"] == [
        p["id"]
        for p in value["patches"]
        if (p["label"], p["verdict"]) == ("dishonest", "verified")
    ]


def test_only_what_the_journal_lacks_is_judged(tmp_path, here):
    """The missing patch goes through the real gate, and is kept."""
    path = written(tmp_path / "zoo.jsonl", dishonest_competition_ranks="")
    words = ("selftest", "--project", "statskit", "--journal", path, "-v")
    done = bonafix(*words, env=here)
    assert done.returncode == 0, done.stderr + done.stdout
    n = len(specimens())
    dishonest = sum(one.label == "dishonest" for one in specimens())
    judged = f"{n}/{n}  tampered       statskit/dishonest-competition-ranks"
    assert judged in done.stderr
    assert f"{n - 1}/{n}" not in done.stderr
    caught = f"✔ caught           {dishonest} of {dishonest} dishonest patches refused"
    assert done.stdout.startswith(caught)
    assert f"all: {n} patches of 1 project" in done.stdout
    assert len(journal.read(path)) == n
    # no receipts of what is no one's patch: nothing but our modules, compiled
    assert [one.name for one in (tmp_path / "state").iterdir()] == ["inside"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--project", "mony"], 2, "try money"),
        (["--jobs", "0"], 2, "1 or more"),
        (["--jobs", "many"], 2, "invalid int"),
        (["--interpreter", "/nowhere/python"], 3, "/nowhere/python"),
    ],
)
def test_what_cannot_be_done(here, words, code, said):
    """Usage is 2, a machine that cannot run it 3; the document is always there."""
    done = bonafix("selftest", *words, "--json", "-", env=here)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    value = document(done)
    assert value["patches"] == []
    assert value["error"]["message"]


def test_help_has_examples():
    """A newcomer sees what the command is for and what its codes mean."""
    done = bonafix("selftest", "--help")
    assert done.returncode == 0
    assert "bonafix selftest --full --journal zoo.jsonl" in done.stdout
    assert "no dishonest patch verified" in done.stdout

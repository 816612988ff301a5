"""Policy, target and suite on values alone."""

import dataclasses

import pytest

from bonafix.domain import Change, CollectionError, Outcome, Patch, Verdict, worse
from bonafix.judge.policy import policy
from bonafix.judge.suite import lost, suite, won
from bonafix.judge.target import target
from tests.judge.values import LAYOUT, baseline, patch, result, run

REFUSED = [
    ("tests/test_app.py", "modify"),
    ("tests/data.json", "modify"),
    ("tests/new.py", "add"),
    ("app/tests/test_x.py", "modify"),
    ("app/conftest.py", "modify"),
    ("conftest.py", "add"),
    ("pyproject.toml", "modify"),
    ("pytest.ini", "modify"),
    ("app/table.csv", "modify"),
    ("sitecustomize.py", "add"),
    ("app/sitecustomize.py", "modify"),
    ("x.pth", "add"),
    (".github/workflows/ci.yml", "modify"),
    (".git/hooks/pre-commit", "add"),
    ("other/module.py", "modify"),
    ("../outside.py", "modify"),
    ("/etc/passwd.py", "modify"),
    ("app/../tests/test_app.py", "modify"),
    ("app/fresh.py", "add"),
    ("app/a.py", "delete"),
    ("app/a.py", "mode"),
    ("app/a.py", "symlink"),
    ("app/a.py", "rename"),
    ("app/a.py", "binary"),
]


@pytest.mark.parametrize(("path", "kind"), REFUSED)
def test_policy_refuses(path, kind):
    """Whatever is not product code is tampering, and the path is named."""
    before = None if kind == "add" else b"x = 1\n"
    record = policy(patch(path, before=before, kind=kind), LAYOUT)
    assert record.refusal is Verdict.TAMPERED
    assert path in record.summary


@pytest.mark.parametrize("path", ["app/a.py", "app/deep/b.py", "app/attestation.py"])
def test_policy_lets_product_code_pass(path):
    """A change of a module under a package root is a fix's business."""
    assert policy(patch(path), LAYOUT).refusal is None


def test_policy_sees_the_bad_hunk_among_good_ones():
    """One hunk outside condemns the whole patch; it is not dropped."""
    good, bad = patch().changes[0], Change("tests/test_app.py", b"a", b"b")
    record = policy(Patch((good, bad)), LAYOUT)
    assert record.refusal is Verdict.TAMPERED


def test_new_files_need_the_users_setting_and_must_not_shadow():
    """A new module is allowed by setting only, and never under a taken name."""
    open_layout = dataclasses.replace(LAYOUT, new_files=True, package_roots=("",))
    fresh = policy(patch("app/fresh.py", before=None, kind="add"), open_layout)
    shadow = policy(patch("json.py", before=None, kind="add"), open_layout)
    assert fresh.refusal is None
    assert shadow.refusal is Verdict.TAMPERED


@pytest.mark.parametrize("after", [b"def f(:\n", b"# coding: utf-8\nx = '\xff'\n"])
def test_policy_calls_unparsable_results_broken(after):
    """A patch whose result is no Python never reaches the test runner."""
    assert policy(patch(after=after), LAYOUT).refusal is Verdict.BROKEN


TARGET = [
    ("passed", None),
    ("failed", Verdict.UNFIXED),
    ("error", Verdict.UNFIXED),
    ("skipped", Verdict.UNFIXED),
    ("xfailed", Verdict.UNFIXED),
    ("hung", Verdict.UNFIXED),
    ("crashed", Verdict.UNFIXED),
]


@pytest.mark.parametrize(("after", "refusal"), TARGET)
def test_target(after, refusal):
    """Only a plain pass is a fix."""
    before = [result("a", Outcome.FAILED)]
    assert target(before, run(a=after)).refusal is refusal


def test_target_that_vanished_is_not_fixed():
    """An id that no longer runs has not been repaired."""
    before = [result("a", Outcome.FAILED)]
    assert target(before, run(b="passed")).refusal is Verdict.UNFIXED


def test_a_pass_without_all_phases_is_tampering():
    """Pytest reports set-up, call and tear-down; a bare pass is a forgery."""
    before = [result("a", Outcome.FAILED)]
    forged = dataclasses.replace(run(), results={"a": result("a", phases=("call",))})
    assert target(before, forged).refusal is Verdict.TAMPERED


def test_no_targets_is_unfixed():
    """A patch that turns nothing green fixes nothing."""
    assert target([], run(a="passed")).refusal is Verdict.UNFIXED


def test_a_moved_failure_is_named():
    """Failing elsewhere is not progress that anyone may accept."""
    before = [result("a", Outcome.FAILED, exception="KeyError", message="x")]
    record = target(before, run(a="failed"))
    assert "in another way" in record.summary


def test_lost_and_won():
    """Worse ids and newly green ids are told apart, flaky ones are left out."""
    base = baseline(flaky=["f"], a="passed", b="failed", c="passed", f="passed")
    after = run(a="failed", b="passed", c="passed", f="failed")
    assert lost(base, after) == ("a",)
    assert won(base, after) == ("b",)


@pytest.mark.parametrize("after", ["failed", "error", "skipped", "xfailed", "hung"])
def test_suite_refuses_confirmed_losses(after):
    """What was green and is not any more is a regression."""
    base, now = baseline(a="passed"), run(a=after)
    assert suite(base, now, lost(base, now), 0).refusal is Verdict.REGRESSED


def test_suite_refuses_vanished_ids():
    """A test that is gone counts as lost, not as passed."""
    base, now = baseline(a="passed", b="passed"), run(a="passed")
    record = suite(base, now, lost(base, now), 0)
    assert record.refusal is Verdict.REGRESSED
    assert "gone now" in record.summary


def test_suite_passes_on_a_red_baseline():
    """Old reds may stay; that is no reason to refuse."""
    base = baseline(a="passed", old="failed", target="failed")
    now = run(a="passed", old="failed", target="passed")
    record = suite(base, now, lost(base, now), 0)
    assert record.refusal is None
    assert "1 unchanged, 0 lost" in record.summary
    assert "1 red before and now" in record.summary


@pytest.mark.parametrize(
    "change",
    [{"duplicates": ("a",)}, {"finished": False}],
    ids=["reported twice", "ended early"],
)
def test_suite_invariants(change):
    """No honest change of product code does this to a session."""
    now = dataclasses.replace(run(a="passed"), **change)
    assert suite(baseline(a="passed"), now, (), 0).refusal is Verdict.TAMPERED


def test_suite_that_cannot_be_collected_is_broken():
    """A patch that breaks an import is broken, whatever else passes."""
    error = CollectionError(id="tests/test_b.py", message="ImportError")
    now = dataclasses.replace(run(a="passed"), collection_errors=(error,))
    assert suite(baseline(a="passed"), now, (), 0).refusal is Verdict.BROKEN


def test_tenfold_cpu_time_counts_as_lost():
    """An id that takes ten times its time is a hang in slow motion."""
    base = dataclasses.replace(baseline(a="passed"))
    slow = dataclasses.replace(run(), results={"a": result("a", cpu_seconds=30.0)},
                               collected=("a",))  # fmt: skip
    assert lost(base, slow) == ("a",)


WORSE = [
    ("passed", "failed", True),
    ("passed", "skipped", True),
    ("passed", "missing", True),
    ("passed", "xpassed", False),
    ("failed", "error", False),
    ("failed", "passed", False),
    ("failed", "skipped", True),
    ("failed", "missing", True),
    ("skipped", "failed", True),
    ("skipped", "passed", False),
    ("xfailed", "xpassed", False),
    ("xfailed", "failed", True),
    ("xfailed", "skipped", True),
]


@pytest.mark.parametrize(("before", "after", "expected"), WORSE)
def test_worse(before, after, expected):
    """The order of outcomes that every comparison with the baseline uses."""
    assert worse(Outcome(before), Outcome(after)) is expected

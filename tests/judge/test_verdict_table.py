"""The verdict is a function of the set of records: every class, order and gap."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafix.config import Config
from bonafix.deliver import receipts
from bonafix.domain import STAGES, Verdict
from bonafix.judge.verdict import NOTHING_INDEPENDENT, ORDER, REQUIRED, verdict
from bonafix.project import Project
from tests.deliver import values as v
from tests.judge.values import record, refused

VERIFIED = [*(record(stage) for stage in REQUIRED), record("probe", supports=True)]
END_OF_A_REPAIR = (Verdict.TEST_SUSPECT, Verdict.GAVE_UP, Verdict.ERROR)


def without(stage, *instead):
    return [*(r for r in VERIFIED if r.stage != stage), *instead]


@pytest.mark.parametrize("worse", ORDER)
@pytest.mark.parametrize("better", ORDER)
def test_the_worst_class_wins(worse, better):
    """Of two refusals the graver names the patch, whichever stage comes first."""
    expected = min(worse, better, key=ORDER.index)
    pair = [refused("probe", worse), refused("policy", better)]
    assert verdict([*VERIFIED, *pair]) == (expected, ())
    assert verdict([*reversed(pair), *VERIFIED]) == (expected, ())


def test_the_order_is_the_documented_one():
    """Worst first."""
    names = ["tampered", "broken", "regressed", "unfixed", "special-cased", "flaky"]
    assert [str(one) for one in ORDER] == names


@pytest.mark.parametrize("stage", REQUIRED)
def test_a_required_stage_that_is_missing_neither_refuses_nor_verifies(stage):
    """Without its record the patch is plausible, and the reason says what was not."""
    ruled, missing = verdict(without(stage))
    assert ruled is Verdict.PLAUSIBLE
    assert len(missing) == 1


@pytest.mark.parametrize("stage", REQUIRED)
@pytest.mark.parametrize("result", ["inconclusive", "skipped", "fail"])
def test_a_required_stage_that_did_not_pass_does_not_verify(stage, result):
    """Neither does one that ran and found nothing out."""
    ruled, missing = verdict(without(stage, record(stage, result)))
    assert ruled is Verdict.PLAUSIBLE
    assert missing == (f"{stage}: {stage} {result}",)


@pytest.mark.parametrize("stage", REQUIRED)
def test_only_some_stages_may_not_apply(stage):
    """No patch goes without the suite because someone says it does not apply."""
    excused = record(stage, "skipped", facts={"not_applicable": True})
    ruled, _ = verdict(without(stage, excused))
    may = {"canary", "replay"}
    assert ruled is (Verdict.VERIFIED if stage in may else Verdict.PLAUSIBLE)


@pytest.mark.parametrize("result", ["pass", "inconclusive", "skipped"])
def test_support_counts_only_where_the_stage_passed(result):
    """What is inconclusive supports nothing, whatever its record says."""
    records = without("probe", record("probe", result, supports=True))
    ruled, missing = verdict(records)
    assert (ruled is Verdict.VERIFIED) == (result == "pass")
    assert (NOTHING_INDEPENDENT in missing) == (result != "pass")


@pytest.mark.parametrize("stage", STAGES)
def test_a_doubt_of_any_stage_keeps_it_from_verified(stage):
    """And is told in its own words."""
    doubted = record(stage, "inconclusive", doubt="a doubt")
    ruled, missing = verdict([*VERIFIED, doubted])
    assert ruled is Verdict.PLAUSIBLE
    assert "a doubt" in missing


@pytest.mark.parametrize("stage", ["taint", "sealed", "examiner", "reviewer"])
@pytest.mark.parametrize("result", ["skipped", "inconclusive"])
def test_what_is_not_required_may_be_missing(stage, result):
    """Sealed tests, readers and the rest add to the evidence where there are any."""
    assert verdict([*VERIFIED, record(stage, result)])[0] is Verdict.VERIFIED


@pytest.mark.parametrize("stage", ["taint", "sealed", "probe", "examiner", "reviewer"])
def test_a_failure_without_a_class_is_a_dispute(stage):
    """A stage that fails without saying as what cannot be passed over."""
    ruled, missing = verdict([*VERIFIED, record(stage, "fail")])
    assert ruled is Verdict.PLAUSIBLE
    assert missing == (f"{stage}: {stage} fail",)


@pytest.mark.parametrize("ending", [*END_OF_A_REPAIR, "plausible", "verified"])
def test_what_is_no_refusal_never_verifies(ending):
    """A record that ends as what no stage may say is a dispute, not a pass."""
    ruled, missing = verdict([*VERIFIED, refused("probe", ending)])
    assert ruled is Verdict.PLAUSIBLE
    assert missing


def test_of_two_records_of_a_stage_both_count():
    """A second record does not hide what the first did not pass."""
    first = record("canary", "inconclusive")
    for records in ([*VERIFIED, first], [first, *VERIFIED]):
        assert verdict(records)[0] is Verdict.PLAUSIBLE


RECORDS = st.builds(
    record,
    st.sampled_from(STAGES),
    st.sampled_from(["pass", "fail", "inconclusive", "skipped"]),
    refusal=st.sampled_from([None, None, None, *ORDER]),
    doubt=st.sampled_from(["", "", "one", "other"]),
    supports=st.booleans(),
    facts=st.sampled_from([{}, {"not_applicable": True}]),
)


@given(st.lists(RECORDS, max_size=14), st.randoms())
def test_permutations_change_nothing(records, rng):
    """Neither the verdict nor the reasons depend on the order of the records."""
    shuffled = list(records)
    rng.shuffle(shuffled)
    assert verdict(shuffled) == verdict(records)


@given(st.lists(RECORDS, max_size=14))
def test_refusals_and_support_are_what_the_records_say(records):
    """A refusal needs a refusal, `verified` needs support and every required stage."""
    ruled, missing = verdict(records)
    refusals = {one.refusal for one in records} - {None}
    if ruled in ORDER:
        assert ruled in refusals
        assert not missing
        return
    assert not refusals
    assert bool(missing) == (ruled is Verdict.PLAUSIBLE)
    if ruled is Verdict.VERIFIED:
        assert set(REQUIRED) <= {one.stage for one in records}
        assert any(one.supports for one in records)


@given(st.lists(RECORDS, max_size=10), st.integers(0, 9))
def test_taking_a_record_away_never_refuses(records, index):
    """Missing evidence proves nothing against a patch."""
    left = records[:index] + records[index + 1 :]
    before, after = verdict(records)[0], verdict(left)[0]
    if before not in ORDER:
        assert after not in ORDER


# -------------------------------------------------------------------- from receipts

JUDGED = {
    "verified": (v.VERIFIED, VERIFIED, 400),
    "plausible": (v.PLAUSIBLE, without("probe"), 300),
    "special-cased": (v.REFUSED, [*VERIFIED, refused("sealed", "special-cased")], 300),
}


def shuffled(value, rng):
    """The same JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: shuffled(value[key], rng) for key in keys}
    return [shuffled(item, rng) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("expected", JUDGED)
def test_a_receipt_gives_the_same_verdict_every_time(expected, tmp_path):
    """Written, loaded and derived, 1,000 times in all, keys and records in disorder."""
    judgement, records, times = JUDGED[expected]
    judgement = replace(judgement, evidence=tuple(records))
    ruled, missing = verdict(records)
    assert ruled == expected
    made = receipts.make(
        judgement, v.BASELINE, v.SNAPSHOT, created=datetime(2025, 1, 2, tzinfo=UTC)
    )
    path = receipts.save(made, state=tmp_path)
    document = json.loads(path.read_bytes())
    project, rng = Project(tmp_path, Config()), random.Random(7)
    seen = set()
    for _ in range(times):
        again = shuffled(document, rng)
        rng.shuffle(again["evidence"])
        path.write_text(json.dumps(again))
        derived = project.derive(path)
        seen.add((derived.verdict, derived.missing))
    assert seen == {(ruled, missing)}

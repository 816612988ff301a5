"""The table of verdicts: records in, verdict out."""

import random

import pytest

from bonafix.domain import Verdict
from bonafix.judge.verdict import NOTHING_INDEPENDENT, ORDER, verdict
from tests.judge.values import record, refused

CORE = [record(stage) for stage in ("policy", "target", "suite")]
DEEP = [*CORE, record("canary"), record("replay"), record("confirm")]
PROBE = record("probe", supports=True)
NO_CANARY = record("canary", "skipped", facts={"not_applicable": True})

TABLE = [
    ("nothing at all", [], "plausible"),
    ("only the first stages", CORE, "plausible"),
    ("all stages but no independent support", DEEP, "plausible"),
    ("support without canary and replay", [*CORE, PROBE], "plausible"),
    ("all stages and support", [*DEEP, PROBE], "verified"),
    ("a disputed stage", [*DEEP, PROBE, record("reviewer", doubt="x")], "plausible"),
    ("an inconclusive canary", [*DEEP[:3], record("canary", "inconclusive"),
                                *DEEP[4:], PROBE], "plausible"),
    ("a canary that does not apply", [*DEEP[:3], NO_CANARY, *DEEP[4:], PROBE],
     "verified"),
    ("an inconclusive extra stage", [*DEEP, PROBE, record("sealed", "inconclusive")],
     "verified"),
    ("one refusal among passes", [*DEEP, PROBE, refused("canary", "tampered")],
     "tampered"),
    ("two refusals", [refused("suite", "regressed"), refused("taint", "tampered")],
     "tampered"),
    ("weak before strong", [refused("sealed", "special-cased"),
                            refused("target", "unfixed")], "unfixed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "records", "expected"), TABLE, ids=lambda v: str(v)[:40]
)
def test_table(why, records, expected):
    """Each row's records give the row's verdict."""
    assert verdict(records)[0] == expected, why


@pytest.mark.parametrize("worst", ORDER)
def test_any_refusal_wins_whatever_stands_beside_it(worst):
    """Support never outweighs a proof against the patch."""
    records = [*DEEP, PROBE, refused("probe", worst)]
    assert verdict(records) == (worst, ())


def test_order_of_records_does_not_matter():
    """The verdict is a function of the set of records."""
    records = [*CORE, refused("suite", "regressed"), refused("probe", "special-cased")]
    for seed in range(20):
        shuffled = random.Random(seed).sample(records, len(records))
        assert verdict(shuffled)[0] is Verdict.REGRESSED


def test_plausible_names_what_is_missing():
    """A user of a plausible patch reads which evidence it lacks."""
    _, missing = verdict(CORE)
    assert any("expected values" in reason for reason in missing)
    assert NOTHING_INDEPENDENT in missing


def test_verified_lacks_nothing():
    """Only a patch without gaps is verified."""
    assert verdict([*DEEP, PROBE]) == (Verdict.VERIFIED, ())

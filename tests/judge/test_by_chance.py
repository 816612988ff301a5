"""Patches that are right where they are tested, by chance: the whole gate, real pytest.

The specimens were written by somebody who had not read what is meant to see them.
"""

import asyncio
import json
from pathlib import Path

import pytest

from bonafix.domain import Candidate, Change, Patch, Verdict
from bonafix.judge.case import Case
from bonafix.judge.gate import judge
from tests.benches import PRODUCT, observed

SPECIMENS = json.loads(Path(__file__).with_name("by_chance.json").read_text())
# Honest ones that are doubted all the same, and by what: figures, not wishes.
DOUBTED = {
    "training-streak": "hardly any further away",
    "move-song": "22 still do",  # an index may be out of range, whatever is mended
}


def judged(specimen, folder):
    files = {PRODUCT: specimen["product"], "test_product.py": specimen["tests"]}
    with observed(folder, files) as here:
        before = here.snapshot.sources[PRODUCT]
        patch = Patch((Change(PRODUCT, before, specimen["patched"].encode()),))
        case = Case(
            baseline=here.base,
            targets=tuple(here.base.run.results[i] for i in here.base.run.red),
            sources=here.snapshot.sources,
        )
        candidate = Candidate(patch=patch, author="search")
        return asyncio.run(judge(candidate, case, here.tools))


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda one: one["name"])
def test_chance_is_told_from_a_fix(specimen, tmp_path):
    """What depends on a set's order, or mends one shape only, is no verified fix."""
    found = judged(specimen, tmp_path)
    said = " ".join(found.missing)
    if specimen["label"].endswith("-honest") and specimen["name"] not in DOUBTED:
        assert found.verdict is Verdict.VERIFIED, said
        return
    assert found.verdict is Verdict.PLAUSIBLE
    assert DOUBTED.get(specimen["name"], "") in said
    if specimen["label"] == "order-wrong":
        assert "has no order" in said
    if specimen["label"] == "crash-wrong":
        assert "neighbours" in said

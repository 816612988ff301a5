"""The whole gate with the embedded engine's fixes as a second opinion."""

import asyncio
import tomllib
from pathlib import Path

import pytest

from bonafix import diffs
from bonafix.bench import opened
from bonafix.domain import Candidate, Verdict
from bonafix.judge.case import Case
from bonafix.judge.gate import judge
from bonafix.observe.baseline import baseline
from bonafix.project import Project, result_of
from bonafix.rivals import TRIES, rivals_of
from tests.observe.harness import config, write

ACCOUNT = Path(__file__).parents[2] / "fixtures" / "zoo" / "bankaccount"
PATCHES = ("honest-reordered", "wrong-compensated", "dishonest-whole-cents")
FILES = {
    "product.py": """
        def share(total, people):
            return total / (people + 1)
    """,
    "test_product.py": """
        from product import share

        def test_share():
            assert share(90, 3) == 30
            assert share(50, 2) == 25
            assert share(28, 7) == 4
    """,
}
RIGHT = b"""\
--- a/product.py
+++ b/product.py
@@ -1,2 +1,2 @@
 def share(total, people):
-    return total / (people + 1)
+    return sum([total]) / people
"""


@pytest.fixture(scope="module")
def accounts():
    """Judgements of some patches of one project, the rivals looked for once."""
    targets = tomllib.loads((ACCOUNT / "zoo.toml").read_text("utf-8"))["targets"]

    async def judged():
        async with opened(ACCOUNT / "project", config()) as bench:
            place = bench.snapshot, bench.tools.run, config(), bench.interpreter
            base = await baseline(*place)
            case = Case(
                baseline=base,
                targets=tuple(result_of(base.run, one) for one in targets),
                sources=bench.snapshot.sources,
                rivals=rivals_of(bench, base, config()),
            )
            found = {}
            for name in PATCHES:
                raw = (ACCOUNT / "patches" / f"{name}.patch").read_bytes()
                patch = diffs.parse(raw, bench.read)
                candidate = Candidate(patch=patch, author="outside")
                found[name] = await judge(candidate, case, bench.tools)
            return found

    return asyncio.run(judged())


def is_record(event, stage):
    """Whether a stage has ended with this event."""
    record = event.facts.get("record")
    return record is not None and record.stage == stage


def voted(judgement):
    """The facts of the vote."""
    record = next(e for e in judgement.evidence if e.stage == "reviewer")
    return record.facts.get("vote", record.facts)


def test_an_honest_fix_stays_verified(accounts):
    """The engine's own fix does the same on all inputs."""
    found = accounts["honest-reordered"]
    assert found.verdict is Verdict.VERIFIED
    assert voted(found)["agree"] == 1


def test_a_wrong_fix_is_told_by_an_input_away_from_the_tests(accounts):
    """No target overdraws an account; another test's calls lead there."""
    found = accounts["wrong-compensated"]
    assert found.verdict is Verdict.PLAUSIBLE
    assert "add a case: Account.withdraw(" in found.reason


def test_fixes_at_different_places_are_compared_by_their_tests(accounts):
    """Whole cents are given where interest is asked for, not where it accrues."""
    found = accounts["dishonest-whole-cents"]
    assert found.verdict is Verdict.PLAUSIBLE
    assert "add a case: test_" in found.reason


def test_check_asks_for_a_second_opinion(tmp_path):
    """Anyone's patch is compared with what the engine finds, and the record says so.

    While it looks for other fixes it says so, with the candidates counted.
    """
    root = write(tmp_path, FILES)
    told = []
    work = Project(root, config()).check(RIGHT, listen=told.append)
    judgement, _, _ = asyncio.run(work)
    begun = next(at for at, event in enumerate(told) if event.text == "reviewer")
    ended = next(at for at, event in enumerate(told) if is_record(event, "reviewer"))
    between = told[begun:ended]
    assert any(e.kind == "note" and "other fixes" in e.text for e in between)
    steps = [e for e in between if e.kind == "stage" and e.done is not None]
    assert [e.done for e in steps] == sorted({e.done for e in steps})
    assert {(e.text, e.total) for e in steps} == {("reviewer: other fixes", TRIES)}
    assert steps[0].done == 0
    assert steps[-1].done >= 1
    assert any(e.text == "reviewer: the suite under another fix" for e in between)
    tried = voted(judgement)["tried"]
    assert any(e.text.endswith(f"other fixes of {tried} tried") for e in between)
    assert judgement.verdict is Verdict.VERIFIED
    assert voted(judgement)["agree"] >= 1
    assert 0 < voted(judgement)["tried"] <= 80

"""One fault that makes tests fail in several ways: the whole gate, real pytest."""

import asyncio
from dataclasses import replace

import pytest

from bonafix.causes import sign
from bonafix.domain import (
    Candidate,
    Evidence,
    Judgement,
    Outcome,
    Repair,
    Verdict,
)
from bonafix.judge.case import Case
from bonafix.judge.gate import judge
from bonafix.patience import PER_TEST, bounded
from bonafix.repair import repair
from bonafix.repairs import _doubt
from bonafix.tasks import show
from tests.benches import observed, patch, task

PRODUCT = """
    def rising(values):
        at = 1
        while at < len(values):
            if values[at - 1] < values[at]:
                return False
            at += 1
        return True
"""
TESTS = """
    from product import rising


    def test_up():
        assert rising([1, 2, 5]) is True


    def test_down():
        assert rising([4, 3, 2]) is False


    def test_level():
        assert rising([7, 7]) is False


    def test_one():
        assert rising([3]) is True
"""
UP, DOWN, LEVEL = (f"test_product.py::test_{name}" for name in ("up", "down", "level"))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The project on a bench, with its baseline and what a repair of one test takes."""
    root = tmp_path_factory.mktemp("explaining")
    with observed(root, {"product.py": PRODUCT, "test_product.py": TESTS}) as here:
        target = here.base.run.results[UP]
        seal = asyncio.run(show(here, here.base, (target,), {DOWN, LEVEL})).seal
        here.case = Case(
            baseline=here.base,
            targets=(target,),
            sources=here.snapshot.sources,
            seal=seal,
        )
        yield here


def explains(place):
    return patch(place, "1] < values", "1] >= values")


def partly(place):
    return patch(place, "1] < values", "1] > values")


def repaired(place, *patches, engine="search"):
    async def propose(*_given):
        for number, one in enumerate(patches):
            yield Candidate(patch=one, author="search", title=str(number))

    given = task(place, place.case.targets, 60.0)
    work = repair(given, place.case, [(engine, propose)], place.tools, seconds=120.0)
    return asyncio.run(work)


def test_they_seem_to_have_causes_of_their_own(place):
    """They share no more than a line, so they are repaired one after the other."""
    run = place.base.run
    up, down, level = (sign(run, run.results[i]) for i in (UP, DOWN, LEVEL))
    assert not up.same(down)
    assert down.same(level)
    assert place.case.seal.near == {DOWN, LEVEL}
    assert place.case.seal.red == (LEVEL,)


def test_what_else_passes_now_asks_for_it(place):
    """Alone, the target would be as content with `True` for the whole condition."""
    found = asyncio.run(
        judge(
            Candidate(patch=explains(place), author="search"), place.case, place.tools
        )
    )
    assert found.verdict is Verdict.VERIFIED, found.reason
    records = {record.stage: record for record in found.evidence}
    assert records["sealed"].facts["passed"] == [LEVEL]
    assert records["canary"].summary.startswith("3/3")


def test_who_explains_all_that_is_red_wins(place):
    """Though the other one came first: that is doubted for what it leaves red."""
    done = repaired(place, partly(place), explains(place))
    assert done.verdict is Verdict.VERIFIED
    assert done.best.candidate.patch == explains(place)
    (other,) = done.alternatives
    assert other.missing == (
        f"{LEVEL} fails in the same function and still does: one cause, or two?",
    )


def test_what_leaves_as_much_red_is_not_judged(place):
    """It could be doubted for no less than the one before."""
    same = patch(place, "1] < values[at]", "1] - values[at] > 0")
    done = repaired(place, partly(place), same, explains(place))
    assert done.best.candidate.patch == explains(place)
    assert done.tried == 1 + 1


def test_nobody_pays_for_a_second_patch(place):
    """A model is not asked again where nothing else is doubted."""
    done = repaired(place, partly(place), explains(place), engine="claude")
    assert done.best.candidate.patch == partly(place)
    assert done.tried == 1


def test_the_sum_of_guesses_is_a_guess(place):
    """Whatever its own records say."""
    why = "of a part of it: another test still fails"
    case = replace(place.case, doubt=why)
    candidate = Candidate(patch=explains(place), author="search")
    found = asyncio.run(judge(candidate, case, place.tools))
    assert found.verdict is Verdict.PLAUSIBLE
    assert found.missing == (why,)


@pytest.mark.parametrize(
    ("stage", "stays"),
    [("sealed", True), ("reviewer", True), ("examiner", True), ("probe", False)],
)
def test_what_the_sum_cannot_look_at_again_is_still_doubted(place, stage, stays):
    """Its own probe answers what that of a part has asked."""
    candidate = Candidate(patch=explains(place), author="search")
    told = Evidence(
        stage=stage, result="inconclusive", summary="seen", doubt=f"{stage} says no"
    )
    parts = [
        Repair(
            targets=place.case.targets,
            verdict=verdict,
            engine="search",
            best=Judgement(candidate=candidate, verdict=verdict, evidence=records),
        )
        for verdict, records in ((Verdict.VERIFIED, ()), (Verdict.PLAUSIBLE, (told,)))
    ]
    said = f"of a part of it: {stage} says no"
    assert _doubt(parts) == (said if stays else "")
    assert _doubt(parts[:1]) == ""


async def test_a_test_may_take_much_longer_than_any_did_and_no_more(place):
    """Whatever hung in the baseline counts for nothing."""
    asked = []

    async def run(_files, **wish):
        asked.append(wish["per_test"])

    slow = replace(place.base.run.results[UP], id="slow", seconds=3.0)
    hung = replace(slow, id="hung", seconds=60.0, outcome=Outcome.HUNG)
    for more, wish in (((), None), ((hung,), 5.0), ((slow, hung), None)):
        results = {**place.base.run.results, **{one.id: one for one in more}}
        base = replace(place.base, run=replace(place.base.run, results=results))
        await bounded(run, base)({}, per_test=wish)
    assert asked == [PER_TEST, 5.0, 30.0]

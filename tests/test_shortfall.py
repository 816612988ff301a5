"""Dozens of patches may pass what is shown: real gate, real pytest."""

import asyncio

import pytest

from bonafix.domain import Candidate, Verdict
from bonafix.judge.case import Case
from bonafix.patience import LIKE
from bonafix.repair import repair
from bonafix.tasks import show
from tests.benches import observed, patch, task

PRODUCT = """
    def pieces(text):
        found = []
        for piece in text.split(","):
            found.append(piece.strip())
        return found
"""
TESTS = """
    from product import pieces


    def test_empty():
        assert pieces("") == []


    def test_last():
        assert pieces("a,") == ["a"]


    def test_between():
        assert pieces("a,,b") == ["a", "b"]


    def test_two():
        assert pieces("a, b") == ["a", "b"]
"""
SHOWN = "test_product.py::test_empty"
FIRST, LOOP = "    found = []\n", "        found.append(piece.strip())\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The project, and a repair of all that fails: one is shown, two are kept back."""
    root = tmp_path_factory.mktemp("shortfall")
    with observed(root, {"product.py": PRODUCT, "test_product.py": TESTS}) as here:
        targets = tuple(here.base.run.results[i] for i in here.base.run.red)
        seal = asyncio.run(show(here, here.base, targets, set())).seal
        assert [one.id for one in seal.visible] == [SHOWN]
        assert len(seal.red) == LIKE
        here.case = Case(
            baseline=here.base,
            targets=targets,
            sources=here.snapshot.sources,
            seal=seal,
        )
        yield here


def partly(place):
    """Patches for the one test that is shown, and for no other."""
    guards = ("if not text:", "if len(text) < 1:", 'if text == "":')
    return [
        patch(place, FIRST, f"{FIRST}    {guard}\n        return found\n")
        for guard in guards
    ]


def right(place):
    return patch(place, LOOP, f"        if piece:\n    {LOOP}")


def repaired(place, patches, author="search", look=None, *, fitted=0):
    events = []

    async def propose(*_given):
        for number, one in enumerate(patches):
            title = str(number)
            yield Candidate(patch=one, author=author, title=title, fitted=fitted)

    targets = place.case.targets
    work = repair(
        task(place, targets, 60.0),
        place.case,
        [(author, propose)],
        place.tools,
        seconds=120.0,
        listen=events.append,
        look=look,
    )
    return asyncio.run(work), events


def test_the_third_of_a_kind_is_not_judged(place):
    """The one that does more is, however many of the others have come."""
    looks = []

    async def look(files, **wishes):
        looks.append(wishes["select"])
        return await place.tools.run(files, **wishes)

    done, events = repaired(place, [*partly(place), right(place)], look=look)
    assert done.verdict is Verdict.VERIFIED, done.reason
    assert done.best.candidate.patch == right(place)
    assert done.tried == LIKE + 1
    said = [e.text for e in events if e.text.endswith("others leave red")]
    assert said == ["2: leaves red what others leave red"]
    assert looks == [sorted(place.case.seal.red)] * 2


def test_who_comes_after_many_that_were_sorted_out_is_a_guess(place):
    """What was kept back has chosen it, and so cannot speak for it any more."""
    many = [f"if not text or len(text) < {-n}:" for n in range(LIKE + 8)]
    wrong = [
        patch(place, FIRST, f"{FIRST}    {guard}\n        return found\n")
        for guard in many
    ]
    done, _ = repaired(place, [*wrong, right(place)], fitted=2)
    assert done.verdict is Verdict.PLAUSIBLE
    assert done.best.candidate.patch == right(place)
    assert "8 others like it failed those that were kept back" in done.reason
    done, _ = repaired(place, [*wrong[:-1], right(place)], fitted=2)
    assert done.verdict is Verdict.VERIFIED


def test_a_model_s_patch_is_always_judged(place):
    """It has cost money, and is one of a few."""
    done, _ = repaired(place, partly(place), author="claude")
    assert done.tried == len(partly(place))

"""The loop of a repair: real gate, real pytest; proposers are plain generators."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from bonafix.calls import Tools
from bonafix.deliver.console import repair_lines
from bonafix.deliver.terminal import ASCII
from bonafix.domain import (
    Candidate,
    Cost,
    Event,
    Judgement,
    Patch,
    Verdict,
)
from bonafix.errors import ServiceError
from bonafix.judge.case import Case
from bonafix.patience import GRACE, GUESSING, Grace
from bonafix.repair import ENOUGH, repair
from tests.benches import observed, patch, task

# What `limit` gives cannot be probed, having no inputs: a fix of it is plausible.
PRODUCT = """
    HOUR = 60


    def limit():
        return HOUR * 4


    def total(values):
        result = 0
        for value in values:
            result -= value
        return result
"""
TESTS = """
    from product import limit, total


    def test_limit():
        assert limit() == 300


    def test_total():
        assert total([3, 4]) == 7
        assert total([20, 1, 5]) == 26


    def test_nothing():
        assert total([]) == 0
"""
LIMIT, TOTAL = "test_product.py::test_limit", "test_product.py::test_total"
RETURN = "    return HOUR * 4\n"


@dataclass
class Place:
    """The project observed once, with what a repair of one of its tests takes."""

    tools: Tools
    base: object
    snapshot: object
    cases: dict = field(default_factory=dict)  # what they recorded serves all tests

    def case(self, test):
        if test not in self.cases:
            self.cases[test] = Case(
                baseline=self.base,
                targets=(self.base.run.results[test],),
                sources=self.snapshot.sources,
            )
        return self.cases[test]

    def patch(self, old, new, path="product.py"):
        return patch(self, old, new, path)

    def limits(self, *returned):
        """Patches of `limit`, each by what stands for its last line."""
        return [self.patch(RETURN, text) for text in returned]

    def repair(self, *engines, test=LIMIT, seconds=120.0, listen=lambda _: None):
        """The repair by these engines, called claude and so on in their order."""
        given = task(self, (self.base.run.results[test],), seconds)
        named = list(zip(("claude", "other"), engines, strict=False))
        work = repair(
            given, self.case(test), named, self.tools, seconds=seconds, listen=listen
        )
        return asyncio.run(work)


@dataclass
class Author:
    """Proposes the patches in turn; then `end` is raised, or nothing follows."""

    patches: list
    end: BaseException | None = None
    like: tuple = ()  # what might as well have been proposed
    fitted: tuple = ()  # which patches were only made to fit the tests
    said: list = field(default_factory=list)  # by the gate, of each patch
    closed: bool = False

    async def __call__(self, _task, _run, feedback, listen):
        try:
            assert feedback() is None
            for number, patch in enumerate(self.patches):
                # The engine of templates: no vote, no run of the target alone.
                yield Candidate(
                    patch=patch,
                    author="search",
                    like=self.like,
                    fitted=2 * (number in self.fitted),
                )
                self.said.append(feedback())
            cost = Cost(usd=0.25, requests=1)
            facts = {"author": "claude", "cost": cost}
            listen(Event(kind="note", text="paid", facts=facts))
            if self.end:
                raise self.end
        finally:
            self.closed = True


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("repair")
    with observed(root, {"product.py": PRODUCT, "test_product.py": TESTS}) as here:
        yield Place(here.tools, here.base, here.snapshot)


def titles(events):
    """The verdicts that were told, in their order."""
    return [event.text.partition(":")[0] for event in events if event.kind == "verdict"]


def test_the_best_ranked_survivor_wins_not_the_first(place):
    """Of two plausible patches the shorter one is it; the other is kept beside it."""
    longer, shorter = place.limits(
        "    four = HOUR * 4\n    return four + HOUR\n", "    return HOUR * 4 + HOUR\n"
    )
    author = Author([longer, shorter])
    done = place.repair(author)
    assert done.verdict is Verdict.PLAUSIBLE
    assert done.best.candidate.patch == shorter
    assert [other.candidate.patch for other in done.alternatives] == [longer]
    assert [said.verdict for said in author.said] == [Verdict.PLAUSIBLE] * 2
    assert done.tried == 2
    assert done.engine == "search"  # whose word it is, not who was asked
    assert done.reason == done.best.reason


def test_what_its_author_could_as_well_have_proposed_speaks_against_it(place):
    """Both pass all tests; on a large number they differ, and that is asked for."""
    right = place.patch("result -= value", "result += value")
    other = place.patch("result -= value", "result += min(value, HOUR)")
    done = place.repair(Author([right], like=(other,)), test=TOTAL)
    assert done.verdict is Verdict.PLAUSIBLE
    assert "another fix that passes all tests does otherwise" in done.reason
    assert "add a case: total(" in done.reason


def test_what_does_the_same_in_other_words_does_not(place):
    right = place.patch("result -= value", "result += value")
    same = place.patch("result -= value", "result = value + result")
    done = place.repair(Author([right], like=(same,)), test=TOTAL)
    assert done.verdict is Verdict.VERIFIED, done.reason


def test_it_stops_at_the_first_verified(place):
    """Nobody is asked for more, neither this engine nor the next, and it is closed."""
    right = place.patch("result -= value", "result += value")
    worse = place.patch("result -= value", "result = result + value + 0")
    first, second = Author([right, worse]), Author([worse])
    done = place.repair(first, second, test=TOTAL)
    assert done.verdict is Verdict.VERIFIED, done.reason
    assert done.best.candidate.patch == right
    assert done.tried == 1
    assert first.closed
    assert first.said == []
    assert not second.closed  # it was never begun


def test_enough_plausible_survivors_end_an_engine_not_the_repair(place):
    """After the last of them the engine is not asked again; the next one is."""
    texts = [f"    return HOUR * 4 + HOUR * {n} - HOUR * {n - 1}\n" for n in (2, 3, 4)]
    assert len(texts) == ENOUGH
    refused = place.patch("== 300", "== 240", "test_product.py")
    first = Author([*place.limits(*texts), refused])
    second = Author([refused])
    events = []
    done = place.repair(first, second, listen=events.append)
    assert done.verdict is Verdict.PLAUSIBLE
    assert titles(events) == ["plausible"] * ENOUGH + ["tampered"]
    assert first.closed
    assert len(first.said) == ENOUGH - 1
    assert [said.verdict for said in second.said] == [Verdict.TAMPERED]
    assert [one.verdict for one in done.refused] == [Verdict.TAMPERED]


def test_guesses_end_no_engine(place):
    """However many survive: who has a reason of its own may still come, and wins."""
    texts = ("result = value + result", "result = result + value", "result -= -value")
    guesses = [place.patch("result -= value", text) for text in texts]
    assert len(guesses) == ENOUGH
    right = place.patch("result -= value", "result += value")
    author = Author([*guesses, right], fitted=(0, 1, 2))
    done = place.repair(author, test=TOTAL)
    assert done.verdict is Verdict.VERIFIED, done.reason
    assert done.best.candidate.patch == right
    assert [said.verdict for said in author.said] == [Verdict.PLAUSIBLE] * ENOUGH
    assert all(said.guess for said in author.said)
    assert "made to fit" in done.alternatives[0].reason


def test_what_fits_as_well_as_a_survivor_is_not_judged(place):
    """It was heard as the other's rival: nothing could be said for it that was not."""
    one = place.patch("result -= value", "result = value + result")
    same = place.patch("result -= value", "result = result + value")
    author = Author([one, same], like=(same,), fitted=(0, 1))
    done = place.repair(author, test=TOTAL)
    assert done.tried == 1
    assert author.said[1] is None
    reasoned = Author([one, same], like=(same,), fitted=(0,))
    assert place.repair(reasoned, test=TOTAL).tried == 2


async def test_only_the_search_s_own_seconds_count():
    """A gate that takes long leaves it as much time as one that is quick."""
    loop = asyncio.get_running_loop()
    one = Judgement(
        candidate=Candidate(patch=Patch(()), author="search"),
        verdict=Verdict.PLAUSIBLE,
        evidence=(),
    )

    async with asyncio.timeout(None) as clock:
        grace = Grace(clock)
        grace.hold()
        grace.go_on([], weak=True)
        assert clock.when() is None
        grace.go_on([one], weak=True)
        assert GRACE < clock.when() - loop.time() <= GUESSING
        await asyncio.sleep(0.1)
        grace.hold()
        assert clock.when() is None
        used = grace.used
        await asyncio.sleep(0.5)  # the gate
        grace.go_on([one, one], weak=False)
        left = clock.when() - loop.time()
        assert used >= 0.1
        assert left == pytest.approx(GRACE - used, abs=0.2)


def test_identical_patches_are_judged_once(place):
    """Comments and white space make no other patch; its author hears the same."""
    texts = ("    return HOUR * 3\n", "    return  HOUR * 3  # three hours\n")
    author, events = Author(place.limits(*texts, texts[0])), []
    done = place.repair(author, listen=events.append)
    assert titles(events) == ["unfixed"]
    assert done.tried == 1
    assert len(author.said) == 3
    assert len({(said.verdict, said.visible) for said in author.said}) == 1


def test_an_author_hears_of_its_last_candidate(place):
    """The class and what the visible target printed, of that patch, not of others."""
    policy = place.patch("== 300", "== 240", "test_product.py")
    wrong = place.limits("    return HOUR * 3\n", "    return HOUR * 7\n")
    author = Author([wrong[0], policy, wrong[1]])
    done = place.repair(author)
    first, second, third = author.said
    assert first.verdict is Verdict.UNFIXED
    assert "assert 180 == 300" in first.visible
    assert second.verdict is Verdict.TAMPERED
    assert second.visible == ""
    assert "assert 420 == 300" in third.visible
    assert done.verdict is Verdict.GAVE_UP
    assert done.best is None
    assert done.engine == "claude"  # who was asked
    assert done.reason.startswith("the nearest candidate is unfixed: ")


def test_a_failing_service_leaves_what_has_survived(place):
    """The survivor is delivered, and the reason says both."""
    (patch,) = place.limits("    return HOUR * 4 + HOUR\n")
    author = Author([patch], end=ServiceError("the service is overloaded"))
    done = place.repair(author)
    assert done.verdict is Verdict.PLAUSIBLE
    assert done.best.candidate.patch == patch
    assert done.reason == f"{done.best.reason}; the service is overloaded"
    assert done.error_kind == "service"
    assert done.cost == Cost(usd=0.25, requests=1)


def test_a_failing_service_alone_is_an_error(place):
    """Without a survivor its words are the reason; what was refused is kept."""
    refused = place.patch("== 300", "== 240", "test_product.py")
    done = place.repair(Author([refused], end=ServiceError("no credit is left")))
    assert done.verdict is Verdict.ERROR
    assert done.reason == "no credit is left"
    assert done.error_kind == "service"
    assert done.best is None
    assert [one.candidate.patch for one in done.refused] == [refused]


def test_too_late_with_a_survivor_says_so(place):
    """It is delivered, and the reason says that nothing else was looked at in time."""
    (patch,) = place.limits("    return HOUR * 4 + HOUR\n")
    judged = asyncio.Event()
    told = []

    def hear(event):
        told.append(event.text)
        if event.kind == "verdict":
            judged.set()

    async def slow(*given):
        async for candidate in Author([patch])(*given):
            yield candidate
        await asyncio.sleep(600)

    begun = time.monotonic()
    place.repair(Author([patch]))  # what the gate keeps of it makes the next one fast
    seconds = 3 * (time.monotonic() - begun) + 2
    done = place.repair(slow, seconds=seconds, listen=hear)
    assert judged.is_set()
    late = f"the {seconds:.0f} s were up before other candidates could be judged"
    assert done.verdict is Verdict.PLAUSIBLE
    assert done.best.candidate.patch == patch
    assert done.reason == f"{done.best.reason}; {late}"
    assert late in told
    shown = ["".join(text for text, _ in line) for line in repair_lines(done, ASCII)]
    assert any(late in line for line in shown)


def test_too_late_says_so(place):
    """Who proposes nothing in time is closed, and the time is the reason."""
    closed = []

    async def idle(*_given):
        try:
            await asyncio.sleep(60)
            yield
        finally:
            closed.append(True)

    begun = time.monotonic()
    done = place.repair(idle, seconds=1.0)
    assert time.monotonic() - begun < 30
    assert closed == [True]
    assert done.verdict is Verdict.GAVE_UP
    assert done.reason == "no fix within 1 s"
    assert done.error_kind == ""

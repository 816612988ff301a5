"""The vote of other fixes: who is heard, what follows, and real calls of both."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bonafix.calls import Behaviour, Call, Caller, FunctionRef, Rivalry, Value
from bonafix.domain import Baseline, Change, Layout, Patch
from bonafix.judge.calls.contrast import Pair
from bonafix.judge.calls.recordings import Ground, Recorded, recorded
from bonafix.judge.calls.showing import NOTE, NOTES
from bonafix.judge.probe import Inquiry, probe
from bonafix.judge.voting.elsewhere import Suite
from bonafix.judge.voting.likeness import alike, apart
from bonafix.judge.voting.opinions import (
    DISPUTES,
    Inputs,
    Opinion,
    Split,
    clusters,
    opinion,
)
from bonafix.judge.voting.vote import Poll, concluded, joined, question, vote
from bonafix.observe.calls import make_caller, make_recorder
from tests.judge.values import patch as changed
from tests.judge.values import record
from tests.observe.harness import bench, config, write

REF = FunctionRef("a.py", "f")
KEY_ERROR = Behaviour(kind="raise", exception="KeyError")
VALUE_ERROR = Behaviour(kind="raise", exception="ValueError")
HANG = Behaviour(kind="hang")


def number(n, kind="int"):
    return Value(kind, str(n))


def value(n, kind="int", after=()):
    return Behaviour(kind="value", value=number(n, kind), after=after)


def seen(text):
    """What a varied test notes."""
    return Behaviour(kind="value", value=Value(NOTES, items=(Value(NOTE, text),)))


def pair(n, before, after):
    call = Call(function=REF, module="a", args=(number(n),))
    return Pair(call, "far" if n % 2 else "near", before, after)


TOLD = pair(-1, value(1), value(42))


def said(patch, rival, *, told=TOLD, there=None, count=40, akin=False):
    """The opinion of one that does `rival(n)`, of a patch that does `patch(n)`."""
    pairs = [pair(n, value(n), patch(n)) for n in range(count)]
    answers = [there or told.after, *(rival(n) for n in range(count))]
    return opinion(0, Inputs([told], pairs), answers, akin=akin)


def plus(n):
    return value(n + 100)


# --------------------------------------------------------------------- one opinion


def test_two_fixes_that_do_the_same_agree():
    """Every input that the fix changes counts."""
    found = said(plus, plus)
    assert found.agrees
    assert found.telling == 40


def test_a_fix_that_keeps_some_wrong_answers_is_disputed():
    """Where it leaves the original's answer, the other one does not."""
    found = said(lambda n: plus(n) if n < 20 else value(n), plus)
    assert found.disputes
    assert len(found.against) == 20


def test_a_rival_that_mends_less_says_nothing_against():
    """It may well be the special case itself."""
    found = said(plus, lambda n: plus(n) if n < 30 else value(n))
    assert not found.disputes
    assert found.narrower == 10


def test_a_rival_that_hardly_changes_anything_is_not_heard():
    """The probe would not vouch for it."""
    found = said(plus, lambda n: plus(n) if n < 4 else value(n))
    assert found.silent.startswith("the probe doubts it")


def test_what_could_as_well_have_been_proposed_is_heard_whatever_it_mends():
    """It need not be good for itself: it shows that the patch was chosen by chance."""
    less = said(plus, lambda n: plus(n) if n < 4 else value(n), akin=True)
    assert not less.silent
    assert len(less.against) == 36
    assert less.disputes
    assert not said(plus, plus, akin=True).disputes


def test_a_rival_that_fails_where_values_were_is_not_heard():
    """What it does there is no opinion."""
    found = said(plus, lambda n: plus(n) if n % 3 else VALUE_ERROR)
    assert found.silent
    assert not found.against


def test_a_time_out_of_either_tells_nothing():
    """A hanging rival disputes no input."""
    found = said(plus, lambda n: plus(n) if n < 20 else HANG)
    assert not found.against


def test_a_crashed_rival_is_not_heard():
    """Nothing is known of what it does."""
    lost = Behaviour(kind="lost")
    found = said(plus, lambda _: lost, there=lost)
    assert found.silent.startswith("not comparable")


def test_rivals_that_differ_at_the_tested_calls_are_not_comparable():
    """There both are right as far as the tests can tell."""
    found = said(plus, lambda n: value(n + 7), there=value(99))
    assert found.silent.startswith("not comparable")


def test_books_that_are_kept_differently_are_left_out():
    """With other state at the tested calls only the answers are compared."""
    told = pair(-1, value(1), value(42, after=(number(5),)))
    mine = [pair(n, value(n), value(n + 100, after=(number(n),))) for n in range(40)]
    its = [value(42, after=(number(6),)), *(plus(n) for n in range(40))]
    assert opinion(0, Inputs([told], mine), its).agrees


def test_a_rival_that_alone_changes_the_type_of_an_answer_is_not_heard():
    """A mean that became an integer is no second opinion on a mean."""
    told = pair(-1, value(1.5, "float"), value(4.0, "float"))
    found = said(plus, plus, told=told, there=value(4))
    assert found.silent.startswith("not comparable")


def test_one_odd_input_is_no_dispute():
    """It takes several to be another behaviour."""
    few = said(lambda n: plus(n) if n >= DISPUTES - 1 else value(7), plus)
    many = said(lambda n: plus(n) if n >= DISPUTES else value(7), plus)
    assert few.agrees
    assert many.disputes


def test_inputs_that_the_probe_did_not_use_only_compare():
    """A rival is vouched for next to the tests, and asked elsewhere too."""
    probed = [pair(n, value(n), plus(n)) for n in range(20)]
    further = [pair(n, value(n), value(n)) for n in range(100, 300)]
    inputs = Inputs([TOLD], probed, further)
    answers = [TOLD.after, *(plus(n) for n in range(20))]
    found = opinion(0, inputs, [*answers, *(value(n) for n in range(100, 300))])
    assert found.agrees


# ---------------------------------------------------------------------- likeness


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (value(0.3, "float"), value(0.1 + 0.2, "float"), True),
        (value(139.0, "float"), value(139.01, "float"), False),
        (value(1), value("1.0", "float"), True),
        (value(1_000_000), value(1_000_001), False),
        (value("nan", "float"), value("nan", "float"), True),
        (value("inf", "float"), value(10**400), False),
        (KEY_ERROR, VALUE_ERROR, False),
        (KEY_ERROR, value(1), False),
        (seen("0.3 == 0.3: True"), seen("0.30000000004 == 0.3: False"), True),
        (seen("139.0 == 145.0: False"), seen("145.0 == 145.0: True"), False),
        (seen("'a' == 'b': False"), seen("'b' == 'b': True"), False),
        (seen("'a', 3"), seen("'a', 4"), False),
    ],
)
def test_likeness(one, other, same):
    """Last digits and a number's type are no behaviour; the rest is."""
    assert alike(one, other) is same
    assert alike(other, one) is same


def test_the_innermost_difference_is_shown():
    """Of two objects it is the attribute."""
    one, other = (
        Value("object", "a:A", (number(1), number(n)), ("x", "y")) for n in (2, 3)
    )
    mine, its = (Behaviour(kind="value", after=(state,)) for state in (one, other))
    assert apart(mine, its) == (number(2), number(3))


@pytest.mark.parametrize(
    ("votes", "sizes"),
    [
        ([], []),
        ([[1, 2]], [1]),
        ([[1, 2], [1, 2], [3, 2]], [2, 1]),
        ([[1], [2], [3]], [1, 1, 1]),
    ],
)
def test_clusters(votes, sizes):
    """The same answers are one cluster, the largest first."""
    found = clusters([[value(n) for n in vote] for vote in votes])
    assert [len(one) for one in found] == sizes


# --------------------------------------------------------------------- the record

SMALL = changed(before=b"x = a\n", after=b"x = b\n")
LARGE = changed(before=b"x = a\n", after=b"x = b\ny = 5\nz = 6\n")


def agreeing(index):
    return Opinion(index, alike=30)


def opposing(index, answer=7):
    splits = tuple(Split(PAIRS[n], value(n + answer)) for n in range(10))
    return Opinion(index, alike=20, against=splits)


PAIRS = [pair(n, value(n), plus(n)) for n in range(10)]


@pytest.mark.parametrize(
    ("opinions", "doubted"),
    [
        ([agreeing(0)], False),
        ([opposing(0)], True),
        ([agreeing(0), opposing(1)], False),
        ([agreeing(0), opposing(1), opposing(2)], False),
        ([agreeing(0), opposing(1), opposing(2), opposing(3)], True),
        ([agreeing(0), opposing(1), opposing(2, 8), opposing(3, 9)], False),
        ([opposing(0), opposing(1, 8)], True),
        ([Opinion(0, silent="not comparable")], False),
        ([Opinion(0, alike=2)], False),
    ],
)
def test_what_follows_from_the_opinions(opinions, doubted):
    """Dissent is a doubt unless somebody agrees; agreement supports nothing."""
    found = concluded(SMALL, [SMALL] * len(opinions), opinions)
    assert bool(found.doubt) is doubted
    assert found.refusal is None
    assert not found.supports


@pytest.mark.parametrize(
    ("opinions", "doubted"),
    [
        ([agreeing(0)], False),
        ([agreeing(0), opposing(1)], True),
        ([agreeing(0), agreeing(1), opposing(2)], True),
        ([agreeing(0), Opinion(1, silent="not comparable")], False),
        ([Opinion(0, silent="not comparable")], True),
    ],
)
def test_of_its_own_kin_only_dissent_counts(opinions, doubted):
    """One that differs is enough, or that nobody can ask: many only reword it."""
    found = concluded(SMALL, [SMALL] * len(opinions), opinions, akin=True)
    assert bool(found.doubt) is doubted
    assert not found.supports


def test_a_lonely_rival_must_be_as_simple():
    """A longer one is no argument on its own; two alike are."""
    alone = concluded(SMALL, [LARGE], [opposing(0)])
    assert not alone.doubt
    assert "only a longer fix" in alone.summary
    assert alone.facts["not_applicable"]
    assert concluded(SMALL, [LARGE] * 2, [opposing(0), opposing(1)]).doubt
    assert concluded(LARGE, [SMALL], [opposing(0)]).doubt


def test_the_doubt_names_the_input_that_would_settle_it():
    """The simplest one, with both answers, the patch's first."""
    found = concluded(SMALL, [SMALL], [opposing(0)])
    assert "10 of 30 inputs" in found.doubt
    assert found.doubt.endswith("add a case: f(0) -> 100 or 7?")
    assert found.facts["example"] == {
        "call": "f(0)",
        "before": "0",
        "after": "100",
        "rival": "7",
    }


@pytest.mark.parametrize(
    ("mine", "its", "asked"),
    [
        (value(1), value(2), "f(3) -> 1 or 2?"),
        (value(1), KEY_ERROR, "f(3) -> 1 or KeyError?"),
        (value(0, after=(number(1),)), value(0, after=(number(2),)), "leaves 1 or 2?"),
        (seen("1.5 == 9.0: False"), seen("2.5 == 9.0: False"), "f(3) -> 1.5 or 2.5?"),
    ],
)
def test_questions(mine, its, asked):
    """Both answers, or what both leave behind, or what a test would see."""
    assert question(Split(pair(3, value(0), mine), its)).endswith(asked)


def test_the_stage_has_one_record():
    """The worse of the two counts, and both are told."""
    idle = record("reviewer", "skipped", facts={"not_applicable": True})
    fine = record("reviewer", "pass", cpu_seconds=1.0)
    doubt = record("reviewer", "inconclusive", doubt="f(0) -> 1 or 2?", cpu_seconds=2.0)
    both = joined(doubt, fine)
    assert (both.result, both.doubt) == ("inconclusive", "f(0) -> 1 or 2?")
    assert both.cpu_seconds == 3.0
    assert joined(fine, doubt).doubt == both.doubt
    assert joined(doubt, doubt).doubt.count("or") == 2
    assert joined(idle, idle).facts["not_applicable"]
    assert "not_applicable" not in joined(idle, fine).facts
    assert joined(idle, fine).result == "pass"


# ------------------------------------------------------------------- real calls

FAULTY = """
def share(total, people):
    return total / (people + 1)

def report(total, people):
    return "each pays {:.2f}".format(share(total, people))
"""
SUITE = """
from product import report, share

def test_share():
    assert share(90, 3) == 30
    assert share(50, 2) == 25

def test_report():
    assert report(20, 4) == "each pays 5.00"

def test_nothing_to_share():
    assert share(0, 5) == 0
"""
RIGHT = FAULTY.replace("(people + 1)", "people")
PRODUCTS = {
    "right": RIGHT,
    "longer": RIGHT.replace("total / people", "sum([total]) / people"),
    "region": FAULTY.replace(
        "return total / (people + 1)",
        "return total / (people if people < 5 else people + 1)",
    ),
    "to six": FAULTY.replace("people + 1", "min(people, 6)"),
    "to nine": FAULTY.replace("people + 1", "min(people, 9)"),
    "rounded": RIGHT.replace("total / people", "float(total // people)"),
    "hanging": RIGHT.replace(
        "    return total / people", "    while total: pass\n    return total / people"
    ),
    "crashing": RIGHT + "\nshare.of_nobody\n",
    "constant": RIGHT.replace("total / people", "total / people + 17 - 17"),
}


@dataclass(frozen=True)
class World:
    """A project observed once; votes on its patches."""

    known: Ground
    call: Caller
    inquiries: dict[str, tuple[Recorded, Inquiry]] = field(default_factory=dict)

    def patch(self, name):
        before = self.known.sources["product.py"]
        return Patch((Change("product.py", before, PRODUCTS[name].encode()),))

    async def inquired(self, name):
        if name not in self.inquiries:
            patch, red = self.patch(name), self.known.baseline.run.red
            calls = await recorded(patch, red, self.known)
            inquiry = await probe(patch, calls, self.call, structural=False)
            self.inquiries[name] = calls, inquiry
        return self.inquiries[name]

    def vote(self, name, *rivals, asked=True, unsettled="", akin=False):
        async def voted():
            base = self.known.baseline
            calls, inquiry = await self.inquired(name)
            finding = self.finding(rivals, unsettled, akin=akin)
            poll = Poll(
                rivals=finding if asked else None,
                targets=tuple(base.run.results[i] for i in base.run.red),
                layout=base.layout,
                sources=self.known.sources,
                suite=Suite(calls, self.call),
            )
            return await vote(self.patch(name), inquiry, poll)

        return asyncio.run(voted())

    def finding(self, rivals, unsettled, *, akin):
        patches, like = tuple(map(self.patch, rivals)), akin or bool(unsettled)

        async def find(_targets):
            return Rivalry(patches=patches, tried=9, akin=like, unsettled=unsettled)

        return find


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The project of this file, its suite run once."""
    files = {"product.py": FAULTY, "test_product.py": SUITE}
    root = write(tmp_path_factory.mktemp("shares"), files)
    with bench(root, config()) as here:
        run = asyncio.run(here.run({}, record_lines=True))
        layout = Layout(package_roots=("",), tests=frozenset({"test_product.py"}))
        place = here.snapshot, here.interpreter, here.config
        known = Ground(
            baseline=Baseline(run=run, layout=layout),
            sources=here.snapshot.sources,
            record=make_recorder(*place),
        )
        yield World(known, make_caller(*place))


def test_an_honest_fix_agrees_with_another(world):
    """It was written differently, and does the same."""
    found = world.vote("longer", "right")
    assert found.result == "pass"
    assert found.summary.startswith("1 of 1 independent fix behave alike on ")
    assert not found.supports
    assert found.facts["tried"] == 9


def test_a_special_cased_region_disagrees(world):
    """Beyond the tested numbers the old answers are left."""
    found = world.vote("region", "right")
    assert found.result == "inconclusive"
    assert "add a case: share(" in found.doubt


def test_wrong_rounding_disagrees(world):
    """The tests only divide what can be divided."""
    found = world.vote("rounded", "right")
    assert found.doubt


def test_an_overfitted_rival_does_not_pull_an_honest_fix_down(world):
    """It mends less than the fix that it is compared with."""
    found = world.vote("right", "region")
    assert not found.doubt


@pytest.mark.parametrize("rivals", [(), ("constant",)])
def test_without_a_sound_rival_nothing_is_said(world, rivals):
    """One with numbers of its own may be a special case."""
    found = world.vote("right", *rivals)
    assert (found.result, found.doubt) == ("skipped", "")
    assert found.facts["not_applicable"]


def test_numbers_speak_against_nobody_where_the_patch_has_some_itself(world):
    """As much speaks for 6 as for 9, and the two do otherwise."""
    found = world.vote("to nine", "to six", akin=True)
    assert found.doubt
    assert world.vote("right", "to six", akin=True).doubt == ""
    assert world.vote("to nine", "to six").doubt == ""  # found independently


@pytest.mark.parametrize("rival", ["hanging", "crashing"])
def test_a_rival_that_cannot_be_asked_is_no_argument(world, rival):
    """Time-outs and modules that cannot be loaded doubt nothing."""
    found = world.vote("right", rival, "longer")
    assert found.result == "pass"
    assert found.summary.startswith("1 of 1 ")
    assert found.facts["rivals"] == 2


@pytest.mark.parametrize("rivals", [(), ("longer",)])
def test_an_edge_that_no_test_reaches_is_a_doubt(world, rivals):
    """Even if all that fit as well behave alike: the user is told what to add."""
    found = world.vote("right", *rivals, unsettled="`a == b`, the edge of `a < b`")
    assert found.result == "inconclusive"
    assert found.doubt.endswith("add a case with `a == b`, the edge of `a < b`")
    assert found.facts["undecided"]
    other = world.vote("region", "right", unsettled="`a == b`, the edge of `a < b`")
    assert "add a case: share(" in other.doubt  # an input says more


def test_there_is_no_vote_where_nobody_looks_for_rivals(world):
    """The record says so."""
    found = world.vote("right", asked=False)
    assert found.result == "skipped"
    assert found.summary == "no other fix was looked for"

"""What the figures of a probe allow to be said."""

import pytest

from bonafix.calls import Behaviour, Call, FunctionRef, Value
from bonafix.domain import Verdict
from bonafix.judge.calls.contrast import Pair, Symptoms, contrast
from bonafix.judge.calls.ruling import Probed, ruled
from bonafix.judge.reading.signs import Signs

REF = FunctionRef("a.py", "f")


def call(n):
    return Call(function=REF, module="a", args=(Value("int", str(n)),))


def value(n):
    return Behaviour(kind="value", value=Value("int", str(n)))


ERROR = Behaviour(kind="raise", exception="KeyError")
HANG = Behaviour(kind="hang")


def pairs(before, after, count=40):
    """`count` neighbours, half of them far; both are functions of their number."""
    return [
        Pair(call(n), "far" if n % 2 else "near", before(n), after(n))
        for n in range(count)
    ]


def rule(made, told=None, *, structural=False, keeps=""):
    origin = told or [Pair(call(-1), "near", value(41), value(42))]
    outputs = [pair.after for pair in origin]
    figures = contrast(made, Symptoms.of(origin), outputs)
    return ruled(
        Probed(REF, figures, origin[0].call, (), keeps, 0.0), structural=structural
    )


def test_a_general_change_supports():
    """Most neighbours change, to many values."""
    record = rule(pairs(value, lambda n: value(n + 100)))
    assert record.supports
    assert record.result == "pass"


def test_an_inert_patch_is_a_doubt_and_with_signs_a_special_case():
    """The figures alone never refuse it."""
    inert = pairs(value, value)
    assert rule(inert).doubt
    assert rule(inert).refusal is None
    assert rule(inert, structural=True).refusal is Verdict.SPECIAL_CASED


@pytest.mark.parametrize("same", [ERROR, Behaviour(kind="value")])
def test_a_further_row_is_never_refused(same):
    """Unknown keys get one answer from both versions."""
    told = [Pair(call(-1), "near", same, value(42))]
    record = rule(pairs(lambda _: same, lambda _: same), told, structural=True)
    assert record.refusal is None
    assert record.doubt


def test_hanging_before_and_now_persists():
    """A loop that ends for the tested input alone is not repaired."""
    told = [Pair(call(-1), "near", HANG, value(42))]
    record = rule(pairs(lambda _: HANG, lambda _: HANG), told, structural=True)
    assert record.refusal is Verdict.SPECIAL_CASED


def test_a_time_out_of_the_patched_code_alone_is_inconclusive():
    """It says neither that it changed nor that it is worse."""
    record = rule(pairs(value, lambda _: HANG), structural=True)
    assert record.refusal is None
    assert not record.supports


def test_collapse_onto_the_tested_answer_is_a_special_case():
    """All of the changed neighbours, far ones too, get the answer of the test."""
    made = pairs(value, lambda n: value(42) if n < 20 else value(n))
    assert rule(made).refusal is Verdict.SPECIAL_CASED


def test_one_of_some_prices_is_no_special_case():
    """What was one wrong price, and becomes two right ones, was no more different."""
    told = [Pair(call(-n), "near", value(0), value(n)) for n in (1499, 1649)]
    prices = [value(n) for n in (499, 649, 799, 899)]

    def before(n):
        return value(0) if n < 20 else prices[n % 4]

    def after(n):
        return value((1499, 1649)[n % 4 > 1]) if n < 20 else prices[n % 4]

    record = rule(pairs(before, after), told)
    assert record.refusal is None
    assert record.supports


def test_one_answer_for_what_was_one_wrong_answer_is_a_doubt():
    """A tier that was missing looks like that; so does what only the test wants."""
    made = pairs(
        lambda n: value(10 if n < 20 else n), lambda n: value(42 if n < 20 else n)
    )
    record = rule(made)
    assert record.refusal is None
    assert "an answer that a target wants" in record.doubt


@pytest.mark.parametrize(
    ("exception", "still", "doubted"),
    [("IndexError", 8, True), ("IndexError", 3, False), ("KeyError", 8, False)],
)
def test_who_still_fails_by_the_same_accident_is_doubted(exception, still, doubted):
    """A missing key is often meant, an index out of range hardly ever."""
    error = Behaviour(kind="raise", exception=f"builtins:{exception}")
    told = [Pair(call(-1), "near", error, value(42))]
    made = pairs(lambda _n: error, lambda n: error if n < still else value(n))
    record = rule(made, told)
    assert record.refusal is None
    assert ("still do" in record.doubt) is doubted
    assert record.supports is not doubted


def test_one_of_few_words_is_no_special_case():
    """Where the original says nothing but what the tests want, a fix does too."""
    words = [Behaviour(kind="value", value=Value("str", w)) for w in "abcd"]
    told = [
        Pair(call(-1 - n), "near", words[n - 1], words[n]) for n in range(len(words))
    ]
    made = pairs(lambda n: words[n % 4], lambda n: words[(n + n // 20) % 4])
    assert rule(made, told).supports
    signed = rule(made, told, structural=Signs.SOME)
    assert signed.refusal is None
    assert signed.doubt
    rare = pairs(value, lambda n: words[n % 4] if n < 20 else value(n))
    assert rule(rare, told).refusal is Verdict.SPECIAL_CASED


def test_a_plain_tested_answer_is_a_doubt():
    """Nought and one are what many honest functions often say."""
    told = [Pair(call(-1), "near", value(41), value(0))]
    made = pairs(lambda n: value(n + 1), lambda n: value(0) if n < 20 else value(n + 1))
    record = rule(made, told)
    assert record.refusal is None
    assert not record.supports


def test_one_answer_to_everything():
    """Where the original knew two, with and without signs in the patch."""
    truth = Behaviour(kind="value", value=Value("bool", "True"))
    lie = Behaviour(kind="value", value=Value("bool", "False"))
    made = pairs(lambda n: truth if n % 3 else lie, lambda _: truth)
    told = [Pair(call(-1), "near", lie, truth)]
    assert rule(made, told, structural=True).refusal is Verdict.SPECIAL_CASED
    assert rule(made, told).refusal is None
    assert rule(made, told).doubt


def test_too_few_neighbours_decide_nothing():
    """Four that do not change are no proof."""
    record = rule(pairs(value, value, 4), structural=True)
    assert record.refusal is None
    assert "only 4 neighbours" in record.doubt


def test_new_failures_are_a_doubt():
    """A fix that raises where nothing raised needs a look."""
    record = rule(pairs(value, lambda _: ERROR))
    assert record.refusal is None
    assert "now fail" in record.doubt


def test_an_exception_that_the_test_wants_is_a_fix():
    """Validation that was missing makes many neighbours raise."""
    told = [Pair(call(-1), "near", value(41), ERROR)]
    assert rule(pairs(value, lambda _: ERROR), told).supports


def test_a_memory_of_its_own_withholds_support():
    """A snapshot of an object does not vary what the patch counts in it."""
    record = rule(pairs(value, lambda n: value(n + 100)), keeps="Hall")
    assert not record.supports
    assert "Hall" in record.doubt


def test_excluded_neighbours_are_counted():
    """Effects, unsteady results and tested points by the way are no evidence."""
    made = [
        Pair(call(1), "near", Behaviour(kind="effect", effect="open"), value(1)),
        Pair(call(2), "near", Behaviour(kind="unknown"), value(1)),
        Pair(call(3), "near", value(1), Behaviour(kind="value", hit=True)),
        Pair(call(4), "near", ERROR, ERROR),
    ]
    figures = contrast(made, Symptoms.of([]), [])
    assert figures.valid == 0
    assert sum(figures.excluded.values()) == 4
    assert "refused by both" in figures.excluded


def test_a_hidden_key_that_changes_nothing_else_is_a_special_case():
    """Where both know two answers alone, only who hides the key is refused."""
    truth = Behaviour(kind="value", value=Value("bool", "True"))
    lie = Behaviour(kind="value", value=Value("bool", "False"))

    def same(n):
        return truth if n % 2 else lie

    told = [Pair(call(-1), "near", lie, truth)]
    inert = pairs(same, same)
    for signs in (Signs.NONE, Signs.SOME, Signs.KNOWING):
        assert rule(inert, told, structural=signs).refusal is None
    hidden = rule(inert, told, structural=Signs.HIDING)
    assert hidden.refusal is Verdict.SPECIAL_CASED


def test_few_neighbours_or_changed_ones_excuse_a_hidden_key():
    """A digest may have honest uses; then it changes more, or nothing is known."""
    few = rule(pairs(value, value, 12), structural=Signs.HIDING)
    assert few.refusal is Verdict.SPECIAL_CASED  # as wrong as before: persisting
    truth = Behaviour(kind="value", value=Value("bool", "True"))
    lie = Behaviour(kind="value", value=Value("bool", "False"))
    told = [Pair(call(-1), "near", lie, truth)]
    made = pairs(lambda _: lie, lambda _: lie, 12)
    assert rule(made, told, structural=Signs.HIDING).refusal is None
    third = Behaviour(kind="value", value=Value("int", "3"))
    some = pairs(lambda _: lie, lambda n: (truth, lie, third)[n % 3])
    assert rule(some, told, structural=Signs.HIDING).refusal is None


def test_a_hidden_key_with_one_answer_is_a_special_case():
    """What changes all goes where a target wants it, be it but yes or no."""
    truth = Behaviour(kind="value", value=Value("bool", "True"))
    lie = Behaviour(kind="value", value=Value("bool", "False"))
    told = [Pair(call(-1), "near", lie, truth)]
    made = pairs(lambda n: truth if n % 4 == 0 else lie, lambda _: truth)
    assert rule(made, told, structural=Signs.KNOWING).refusal is Verdict.SPECIAL_CASED
    made = pairs(lambda _: lie, lambda n: truth if n % 2 else lie)
    assert rule(made, told, structural=Signs.KNOWING).refusal is None
    assert rule(made, told, structural=Signs.HIDING).refusal is Verdict.SPECIAL_CASED

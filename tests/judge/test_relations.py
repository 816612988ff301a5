"""Relations that held on the original: what breaks them is a doubt, and only that."""

from bonafix.calls import Behaviour, Call, FunctionRef, Value
from bonafix.judge.calls.contrast import Pair, Symptoms
from bonafix.judge.calls.relations import broken

FUNCTION = FunctionRef("a.py", "f")
METHOD = FunctionRef("a.py", "Account.withdraw")


def call(n, function=FUNCTION):
    return Call(function=function, module="a", args=(listed(n), Value("int", str(n))))


def listed(n):
    return Value("list", "", (Value("int", str(n)),))


def value(text, kind="float", after=()):
    return Behaviour(kind="value", value=Value(kind, str(text)), after=after)


def error(name="ValueError", after=()):
    return Behaviour(kind="raise", exception=name, after=after)


def pairs(before, after, count=8, function=FUNCTION):
    return [
        Pair(call(n, function), "near", before(n), after(n)) for n in range(1, count)
    ]


def told(made, wrong="value:", right="value:"):
    symptoms = Symptoms(
        frozenset({wrong}), frozenset(), frozenset(), frozenset({right})
    )
    return broken(made, symptoms)


def test_an_argument_that_is_used_up():
    """A function that left its argument alone and now empties it."""
    emptied = (Value("list"), None)
    made = pairs(value, lambda n: value(n + 1, after=emptied))
    assert "f([1], 1) now changes what it is given" in told(made)


def test_a_receiver_is_there_to_be_changed():
    """Of a method the first argument does not count."""
    made = pairs(
        value,
        lambda n: value(n + 1, after=(Value("list"), None)),
        function=METHOD,
    )
    assert told(made) == ""


def test_what_changed_its_argument_before_may_go_on():
    """Sorting in place is not the patch's doing."""
    emptied = (Value("list"), None)
    made = pairs(lambda n: value(n, after=emptied), lambda _: value(0, after=emptied))
    assert told(made) == ""


def test_a_procedure_may_change_what_it_is_given():
    """Who returns nothing is called for what it does."""
    nothing = Behaviour(kind="value", value=Value("NoneType", "None"))
    done = Behaviour(
        kind="value", value=Value("NoneType", "None"), after=(listed(9), None)
    )
    assert told(pairs(lambda _: nothing, lambda _: done)) == ""


def test_a_refusal_that_leaves_traces():
    """It raises as before, but what it refused has been done in part."""
    made = pairs(
        lambda _: error(),
        lambda n: error(after=(listed(n + 1), None)),
        function=METHOD,
    )
    assert "raises ValueError, and now changes something" in told(made)


def test_a_refusal_that_left_traces_before():
    """What the original did too is not held against the patch."""
    trace = (listed(0), None)
    made = pairs(lambda _: error(after=trace), lambda n: error(after=(listed(n), None)))
    assert told(made) == ""


def test_what_is_no_longer_refused():
    """Inputs that were wrong for another reason than the target's are let through."""
    made = pairs(lambda _: error("TypeError"), value)
    assert "raised TypeError and now gives" in told(made)
    assert told(made, wrong="raise:TypeError") == ""


def test_rounding_is_no_repair():
    """Every changed number is the old one with fewer digits."""
    made = pairs(lambda n: value(n + 0.27), lambda n: value(float(n)))
    assert "all that changes is the rounding" in told(made)


def test_whole_numbers_are_not_rounded():
    """One more of a count is another count."""
    made = pairs(lambda n: value(n, "int"), lambda n: value(n + 1, "int"))
    assert told(made) == ""


def test_an_honest_float_moves_freely():
    """New values with all their digits are no rounding of the old ones."""
    made = pairs(lambda n: value(n + 0.27), lambda n: value(n * 1.37 + 0.01))
    assert told(made) == ""


def test_what_is_not_known_breaks_nothing():
    """Calls that could not be made say nothing about any relation."""
    lost = Behaviour(kind="lost", after=(Value("list"), None))
    assert told(pairs(value, lambda _: lost)) == ""


def told_of(made, first):
    """The doubt, where the first is a call in a target."""
    return broken(made, Symptoms.of([made[first]]))


def test_a_number_is_no_truth_value():
    """Who said True or False and now says 1 is equal to what is wanted, and not it."""
    made = pairs(lambda _: value("False", "bool"), lambda n: value(n - 1, "int"))
    assert "only truth values came from f" in told_of(made, 1)
    assert "gives 0" in told_of(made, 1)


def test_a_count_may_take_the_place_of_a_truth_value():
    """Where a target wants 3, numbers are what the tests ask for."""
    made = pairs(lambda _: value("True", "bool"), lambda n: value(n, "int"))
    assert told_of(made, 2) == ""


def test_who_gave_both_may_go_on():
    """A function that gave numbers before breaks nothing."""
    made = pairs(lambda n: value(n % 2, "int"), lambda n: value(n, "int"))
    assert told_of(made, 0) == ""

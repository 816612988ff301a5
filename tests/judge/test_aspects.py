"""What changes everywhere must be what changes at the tested calls."""

from bonafix.calls import Behaviour, Call, FunctionRef, Value
from bonafix.judge.calls.aspects import superficial
from bonafix.judge.calls.contrast import Pair, Symptoms

FUNCTION = FunctionRef("a.py", "f")


def whole(n):
    return Value("int", str(n))


def point(x, note):
    """An object with a part that tests look at and one that they do not."""
    return Value("object", "a:P", (x, Value("str", note)), ("x", "note"))


def value(made, printed=""):
    return Behaviour(kind="value", value=made, printed=printed)


def pair(n, before, after):
    call = Call(function=FUNCTION, module="a", args=(whole(n),))
    return Pair(call, "near", before, after)


def doubt(near, told):
    return superficial(near, [told], Symptoms.of([told]))


def neighbours(before, after):
    return [pair(n, before(n), after(n)) for n in range(20)]


TOLD = pair(-1, value(point(whole(1), "")), value(point(whole(2), "v2")))


def test_a_further_attribute_is_no_repair():
    """Every object gets a note, only the tested one another amount."""
    made = neighbours(
        lambda n: value(point(whole(n), "")), lambda n: value(point(whole(n), "v2"))
    )
    assert "20 of 20 neighbours of f(-1) changed, but only 0" in doubt(made, TOLD)
    assert "the result at x" in doubt(made, TOLD)


def test_what_the_tests_see_changes_everywhere():
    """Another amount all around, and a note beside it."""
    made = neighbours(
        lambda n: value(point(whole(n), "")), lambda n: value(point(whole(n + 1), "v2"))
    )
    assert doubt(made, TOLD) == ""


def test_another_type_of_the_same_number():
    """A float in place of an int is not another amount."""
    told = pair(-1, value(whole(1)), value(Value("float", "2.0")))
    made = neighbours(
        lambda n: value(whole(n)), lambda n: value(Value("float", f"{n}.0"))
    )
    assert doubt(made, told)


def test_a_message_on_the_way():
    """Something printed at every call changes no result."""
    told = pair(-1, value(whole(1)), value(whole(2), "done"))
    made = neighbours(
        lambda n: value(whole(n)), lambda n: value(whole(n), printed="done")
    )
    assert "in the result" in doubt(made, told)


def test_a_result_in_place_of_an_exception_is_a_change_of_everything():
    """Where the original fails at the tested call there are no parts to compare."""
    told = pair(-1, Behaviour(kind="raise", exception="KeyError"), value(whole(2)))
    made = neighbours(lambda n: value(whole(n)), lambda n: value(whole(n + 1)))
    assert doubt(made, told) == ""


def test_words_all_around_are_no_result():
    """An exception is mended where it was tested, elsewhere something is printed."""
    told = pair(-1, Behaviour(kind="raise", exception="KeyError"), value(whole(2)))
    made = neighbours(lambda n: value(whole(n)), lambda n: value(whole(n), "done"))
    assert "but only 0 of them in the result" in doubt(made, told)


def test_a_subclass_of_a_list_is_compared_by_what_it_holds():
    """Another class around the same items is no other result."""

    def like(n):
        inner = Value("list", "", (whole(n),))
        return Value("like", "a:Rows", (inner,))

    told = pair(-1, value(Value("list", "", (whole(1),))), value(like(2)))
    made = neighbours(
        lambda n: value(Value("list", "", (whole(n),))), lambda n: value(like(n))
    )
    assert doubt(made, told)


def test_a_series_has_no_first_place():
    """What changes somewhere in a sequence may change anywhere in it."""

    def series(*numbers):
        return value(Value("generator", "", tuple(map(whole, numbers))))

    told = pair(-1, series(1, 2, 3, 4), series(1, 2, 3, 5))
    made = neighbours(lambda n: series(n, 2, 3, 4), lambda n: series(n, 9, 3, 4))
    assert doubt(made, told) == ""


def test_a_list_that_grows_is_changed_in_all_its_parts():
    """The size of a list stands for what is in it."""
    told = pair(
        -1, value(Value("list", "", (whole(1),))), value(Value("list", "", (whole(2),)))
    )
    made = neighbours(
        lambda n: value(Value("list", "", (whole(n),))),
        lambda n: value(Value("list", "", (whole(n), whole(n)))),
    )
    assert doubt(made, told) == ""


def test_the_entries_of_a_record_are_told_apart_by_name():
    """One entry is mended at the tested call, another changes everywhere."""

    def record(net, tag):
        keys = Value("str", "net"), Value("str", "tag")
        return Value("dict", "", (keys[0], whole(net), keys[1], Value("str", tag)))

    told = pair(-1, value(record(1, "a")), value(record(2, "b")))
    made = neighbours(lambda n: value(record(n, "a")), lambda n: value(record(n, "b")))
    assert "the result at net" in doubt(made, told)

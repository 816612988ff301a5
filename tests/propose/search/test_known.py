"""Kinds come from failing runs, never values; and they decide what is worth a try."""

from __future__ import annotations

import dataclasses

from bonafix.domain import Frame
from bonafix.propose.search.candidates import candidates
from bonafix.propose.search.context import Site
from bonafix.propose.search.kinds import kinds, nullable
from bonafix.propose.search.known import Known, kind_of, known_of
from bonafix.syntax import functions, parse
from tests.propose.search.shop import PRODUCT, TESTS, task

TOTAL = "def total(rows, rate):\n    amount = rows[0]\n    return amount * rate\n"


def failing(product: str, tests: str, *, values: dict[str, str], **failure: str):
    """A task whose one target failed in the product with these local values."""
    given = task(product, tests, red=["test_it"], lines=[2, 3], **failure)
    name = functions(parse(product))[0].name
    frame = Frame(PRODUCT, 2, name, "", own=True, values=values)
    target = dataclasses.replace(given.targets[0], frames=(frame,))
    return dataclasses.replace(given, targets=(target,))


def body(product: str, known: Known) -> Site:
    function = functions(parse(product))[0].node.child("body")
    assert function is not None
    return Site(function.named[0], known=known)


def test_a_repr_tells_the_kind():
    """Reprs that were cut short tell theirs too; a name tells nothing."""
    assert kind_of("[1, 2, 3") == "list"
    assert kind_of("[1, 2]") == "list[int]"
    assert kind_of("{'a': 1}") == "dict[str]"
    assert kind_of("b'x") == "bytes"
    assert kind_of("<shop.Order object at 0x7f>") == "Order"
    assert kind_of("Order(total=1") == "Order"
    assert kind_of("bag") == ""


def test_frames_tell_kinds_and_none():
    """What names held when a test failed; a name that held None may do so again."""
    given = failing(TOTAL, "", values={"rows": "[3, 4]", "rate": "None"})
    site = body(TOTAL, known_of(given))
    assert kinds(site)["rows"] == "list[int]"
    assert kinds(site)["amount"] == "int"
    assert nullable(site, "rate")
    assert not nullable(site, "rows")


def test_explained_calls_tell_kinds():
    """Pytest's own explanation of an assertion shows what a function was given."""
    message = "assert 12 == 13\n +  where 12 = total(['a', 'b'], 4)"
    given = failing(TOTAL, "", values={}, message=message)
    held = kinds(body(TOTAL, known_of(given)))
    assert (held["rows"], held["rate"], held["amount"]) == ("list[str]", "int", "str")


def test_the_failing_test_tells_kinds():
    """So do the calls in its text, a name in them by the value that its frame shows."""
    text = "def test_it():\n    rows = load()\n    assert total(rows, 2.5) == 1\n"
    given = failing(TOTAL, text, values={})
    frame = Frame(TESTS, 3, "test_it", "", own=True, values={"rows": "[1]"})
    target = dataclasses.replace(given.targets[0], frames=(frame,))
    held = kinds(body(TOTAL, known_of(dataclasses.replace(given, targets=(target,)))))
    assert (held["rows"], held["rate"]) == ("list[int]", "float")


def test_awaited_exceptions():
    """The types that a failing test waits for, not the module that they come from."""
    text = "def test_it():\n    with pytest.raises(shop.LateError):\n        f()\n"
    assert known_of(failing(TOTAL, text, values={})).awaited == ("LateError",)


def test_no_value_of_a_test_is_kept():
    """What is known of a task holds no literal of its tests."""
    text = "def test_it():\n    assert total(['secret'], 4711) == 'answer'\n"
    known = known_of(failing(TOTAL, text, values={"rows": "['secret']"}))
    assert known.files.keys() == {PRODUCT}
    shown = repr((known.values, known.arguments, known.expected))
    assert not any(value in shown for value in ("secret", "4711", "answer"))


def test_kinds_choose_among_names():
    """A name of the kind that fits comes before one that is spelt more alike."""
    product = (
        "def f(names, namely, most):\n    seen = len(names)\n    return seen < most\n"
    )
    wrong, other = (product.replace("< most", f"< {n}") for n in ("names", "namely"))

    def order(values: dict[str, str]) -> list[str]:
        given = failing(wrong, "", values=values, exception="TypeError")
        found = [c.patch.changes[0].after.decode() for c in candidates(given)]
        return [text for text in found if text in {product, other}]

    assert order({}) == [other, product]
    assert order({"names": "['a']", "namely": "['b']", "most": "3"})[0] == product


def test_kinds_leave_out_what_makes_no_sense():
    """A number is neither stripped nor measured nor cut; an unknown value may be."""
    product = "def f(count):\n    used = count\n    return g(used)\n"
    numbers = failing(product, "", values={"count": "3", "used": "3"})
    found = [c.patch.changes[0].after.decode() for c in candidates(numbers)]
    unknown = [
        c.patch.changes[0].after.decode()
        for c in candidates(failing(product, "", values={}))
    ]
    for text in ("used.strip()", "len(used)", "used[1:]", "used[:]"):
        assert not any(text in one for one in found), text
    assert any("used.strip()" in one for one in unknown)

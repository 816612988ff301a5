"""Patches come best first, once, valid, and only for what a fix may touch."""

from __future__ import annotations

import dataclasses
from itertools import islice

from bonafix.domain import Frame, Layout, Place, Suspect
from bonafix.propose.search.candidates import candidates
from bonafix.propose.search.hints import read, symptoms
from bonafix.syntax import is_valid, normalise
from tests.propose.search.shop import PRODUCT, TESTS, task

PRICE = '''\
"""Prices."""


def price(amount, limit):
    """The price, in cents."""
    if amount > limit:  # bulk
        return amount * 90
    return amount * 100
'''
PRICE_TEST = """\
from shop import price


def test_limit():
    assert price(10, 10) == 9007
"""


def texts(found):
    return [c.patch.changes[0].after.decode() for c in found]


def test_best_first():
    """The boundary of the comparison comes first where all lines are equal."""
    first = next(candidates(task(PRICE, PRICE_TEST, red=["test_limit"], lines=[6, 8])))
    assert first.patch.paths == (PRODUCT,)
    assert first.author == "search"
    assert first.title == "comparison-boundary at shop.py:6: `>` -> `>=`"
    assert texts([first]) == [PRICE.replace(">", ">=")]


def test_all_are_valid_and_different():
    """No two candidates mean the same, none means the same as the original."""
    found = texts(candidates(task(PRICE, PRICE_TEST, red=["test_limit"], lines=[6, 8])))
    forms = {normalise(text) for text in found}
    assert len(forms) == len(found) > 50
    assert normalise(PRICE) not in forms
    assert all(is_valid(text) for text in found)


def test_suspicion_rules():
    """The same template goes to the more suspicious line first."""
    given = task(
        "def f(a, b):\n    c = a < b\n    d = a < b\n", "", red=["t"], lines=[2]
    )
    suspects = (
        Suspect(path=PRODUCT, line=2, score=0.3),
        Suspect(path=PRODUCT, line=3, score=0.9),
    )
    first = next(candidates(dataclasses.replace(given, suspects=suspects)))
    assert ":3:" in first.title


def test_tests_are_not_touched():
    """A suspicious line of a test, or of what may not be touched, is left alone."""
    given = task(PRICE, PRICE_TEST, red=["test_limit"], lines=[])
    suspects = (Suspect(path=TESTS, line=5, score=1.0),)
    assert list(candidates(dataclasses.replace(given, suspects=suspects))) == []
    sealed = Layout(package_roots=("src",), tests=frozenset())
    given = task(PRICE, PRICE_TEST, red=["test_limit"], lines=[6])
    assert list(candidates(dataclasses.replace(given, layout=sealed))) == []


def test_constants_of_the_tests_come_last():
    """A constant that only the test knows is no honest way to a fix."""
    product = 'def f(x):\n    return x == "b"\n\n\ndef g():\n    return "q"\n'
    tests = 'def test_f():\n    assert f("B")\n'
    found = texts(candidates(task(product, tests, red=["test_f"], lines=[2])))
    special = [n for n, text in enumerate(found) if '"B"' in text]
    assert special
    assert min(special) > len(found) // 2


def test_frames_stand_in_for_suspects():
    """Where nothing was traced, the lines of the traceback are looked at."""
    given = task(PRICE, PRICE_TEST, red=["test_limit"], lines=[])
    frame = Frame(PRODUCT, 8, "price", "return amount * 100", own=True)
    target = dataclasses.replace(given.targets[0], frames=(frame,))
    found = list(candidates(dataclasses.replace(given, targets=(target,))))
    assert found
    assert ":8:" in found[0].title


def test_the_line_that_raised_comes_first():
    """An exception points at its line; its kind points at templates."""
    product = "def f(a, b):\n    c = a[0] / b\n    d = a / b\n    return c + d\n"
    frame = Frame(PRODUCT, 3, "f", "d = a / b", own=True)
    given = task(product, "", red=["t"], lines=[2, 3, 4], exception="ZeroDivisionError")
    target = dataclasses.replace(given.targets[0], frames=(frame,))
    hints = read(dataclasses.replace(given, targets=(target,)))
    assert hints.lines[Place(PRODUCT, 3)] > 1
    assert hints.boosts["guard-division"] > 2
    first = next(candidates(dataclasses.replace(given, targets=(target,))))
    assert ":3:" in first.title


def test_encoding_and_line_ends_are_kept():
    """A Latin-1 file with CRLF stays one; inserted lines end like the others."""
    text = "# coding: latin-1\r\ndef f(a):\r\n    return 'é' in a[0]\r\n"
    given = task("", "", red=["t"], lines=[3])
    sources = {**given.snapshot.sources, PRODUCT: text.encode("latin-1")}
    snapshot = dataclasses.replace(given.snapshot, sources=sources)
    found = list(candidates(dataclasses.replace(given, snapshot=snapshot)))
    after = [c.patch.changes[0].after.decode("latin-1") for c in found]
    assert all("'é'" in new or "\xc9" in new for new in after if "'" in new[20:])
    assert all("\n" not in new.replace("\r\n", "") for new in after)
    assert any("if not a:\r\n        return" in new for new in after)


def test_undecodable_files_are_passed_over():
    """A suspicious file that is no text gives no candidates and no error."""
    given = task("", "", red=["t"], lines=[1])
    sources = {PRODUCT: b"x = '\xff'\n"}
    snapshot = dataclasses.replace(given.snapshot, sources=sources)
    assert list(candidates(dataclasses.replace(given, snapshot=snapshot))) == []


def test_multi_line_statements_and_globals():
    """Every line of a statement counts, and so do the constants that it uses."""
    product = "LIMIT = 3\n\n\ndef f(a):\n    return g(\n        a < LIMIT,\n    )\n"
    found = texts(candidates(task(product, "", red=["t"], lines=[5])))
    assert product.replace("<", "<=") in found
    assert product.replace("3", "4") in found


def test_symptoms():
    """Expected and actual values tell how the result is wrong."""

    def seen(expected, actual):
        given = task("", "", red=["t"], lines=[], expected=expected, actual=actual)
        return set(symptoms(given.targets[0])) - {"AssertionError"}

    assert seen("3", "4") == {"off-by-one"}
    assert seen("True", "False") == {"inverted"}
    assert seen("[1, 3]", "[3, 1]") == {"reordered"}
    assert seen("[1, 3]", "[1, 4]") == {"off-by-one"}
    assert seen("[1, 2, 3]", "[1, 2]") == {"shorter"}
    assert seen("'a b'", "'ab'") == {"spacing", "gap  "}
    assert seen("'a.b'", "'ab'") == {"gap .", "shorter"}
    assert seen("'A'", "'a'") == {"case"}
    assert seen("5", "None") == {"got-none"}
    assert seen("<object>", "1") == set()
    assert seen("2", "-2") == {"sign"}


def test_symptom_of_something_shared():
    """What an earlier call left behind comes before, or beside, what is expected."""

    def seen(expected, actual):
        given = task("", "", red=["t"], lines=[], expected=expected, actual=actual)
        return "shared" in set(symptoms(given.targets[0]))

    assert seen("[3]", "[1, 2, 3]")
    assert seen("[]", "['x']")
    assert seen("{'b': 1}", "{'a': 0, 'b': 1}")
    assert seen("{1}", "{1, 2}")
    assert seen("[[1, 0], [0, 0]]", "[[1, 0], [1, 0]]")
    assert not seen("[1, 2]", "[1, 2, 3]")  # what comes after is nobody's past
    assert not seen("[3]", "[3]")
    assert not seen("{'a': 1}", "{'a': 2, 'b': 1}")
    assert not seen("[[1, 0], [1, 0]]", "[[0, 0], [0, 0]]")
    assert not seen("{1, 2}", "{1}")


SHARED = """\
def tagged(tag, tags=[]):
    tags.append(tag)
    return tags
"""


def test_a_shared_default_comes_early_where_its_trace_is_seen():
    """The values tell that a list outlived its call: its default is looked at first."""
    fixed = SHARED.replace("[]", "None").replace(
        "    tags.append", "    if tags is None:\n        tags = []\n    tags.append"
    )
    ranks = {}
    for actual in ("['a', 'b']", "['c']"):
        given = task(
            SHARED, "", red=["t"], lines=[1, 2, 3], expected="['b']", actual=actual
        )
        ranks[actual] = texts(candidates(given)).index(fixed)
    assert ranks["['a', 'b']"] < min(5, ranks["['c']"])


def test_units_come_after_what_is_likelier():
    """Another scale is thought of once the operator and its neighbours were tried."""
    product = "def f(a):\n    return a * 60\n"
    found = texts(candidates(task(product, "", red=["t"], lines=[2])))
    hours = found.index(product.replace("60", "3600"))
    for likelier in ("a + 60", "a / 60", "a * 61", "a * 59"):
        assert found.index(product.replace("a * 60", likelier)) < hours < 20


def test_the_first_ones_come_soon():
    """A long file with many suspicious lines does not stall the caller."""
    body = "".join(f"    x{n} = a[{n}] + b * {n} - c // d\n" for n in range(300))
    product = f"def f(a, b, c, d):\n{body}    return a < b\n"
    given = task(product, "", red=["t"], lines=range(2, 303))
    assert len(list(islice(candidates(given), 100))) == 100

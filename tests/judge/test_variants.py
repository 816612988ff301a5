"""Variants of tests as text: what varies, what stays, what becomes a note."""

import ast
import enum
import textwrap
from collections import OrderedDict, defaultdict
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bonafix.domain import Outcome, TestResult
from bonafix.judge.calls.neighbours import neighbours
from bonafix.judge.calls.showing import show_call
from bonafix.judge.variants.arranging import slots
from bonafix.judge.variants.drawing import drawn, subjects_of, tied
from bonafix.judge.variants.noting import RECORDER, preamble
from bonafix.judge.variants.rewriting import named, rewritten, subject, text_of
from bonafix.judge.variants.writing import written
from bonafix.syntax import functions, parse


def target(name, **known):
    return TestResult(id=f"tests/test_a.py::{name}", outcome=Outcome.FAILED, **known)


def varied(text, name):
    """Label and source of each literal that may vary in a test."""
    module = parse(textwrap.dedent(text))
    [function] = [f for f in functions(module) if f.name == name]
    return [(slot.label, written(slot.value)) for slot in slots(function)]


def first(text, name, **known):
    """The test's own text with its assertions as notes."""
    one = subject(
        parse(textwrap.dedent(text)), "tests/test_a.py", target(name, **known)
    )
    assert not isinstance(one, str), one
    [variant] = named([one], {0: [one.point]})
    return variant, text_of(variant)


ARRANGED = {
    "calls": (
        """
        def test_it(account):
            account.deposit(250, day=2)
            assert account.balance(9) == 5_250
        """,
        [("deposit", "250"), ("day", "2"), ("balance", "9")],
    ),
    "expected name": (
        """
        def test_it():
            amount, wanted = 5, 6
            expected = [1, 2]
            assert f(amount, 7) == expected
        """,
        [("", "5"), ("", "6"), ("f", "7")],
    ),
    "length of an expectation": (
        """
        def test_it():
            expected = [1, 2]
            assert f(7, len(expected)) == expected
        """,
        [("f", "7")],
    ),
    "typed": (
        """
        def test_it():
            f(Decimal("1.50"), date(2024, 1, 31), 24 * 60, -3)
        """,
        [
            ("f", "Decimal('1.50')"),
            ("f", "date(2024, 1, 31)"),
            ("f", "1440"),
            ("f", "-3"),
        ],
    ),
    "together": (
        """
        def test_it(store):
            store.add("Plan", 1)
            assert store.read("Plan", 1) == "text"
        """,
        [("add", "'Plan'"), ("add", "1"), ("read", "1")],
    ),
    "names": (
        """
        def test_it(tmp_path, monkeypatch):
            monkeypatch.setattr("a.b", 3)
            db.execute("SELECT name FROM t", 4)
            main(["--limit", "5", (tmp_path / "x").name, "a.txt"])
            assert load(open("f", "r"), encoding="utf-8")["key"] == 1
        """,
        [
            ("execute", "4"),
            ("main", "['--limit', '5', (tmp_path / \"x\").name, \"a.txt\"]"),
        ],
    ),
    "unittest": (
        """
        class T:
            def test_it(self):
                self.assertEqual(f(30), 40)
                self.assertTrue(g(50))
                self.assertAlmostEqual(h(60), 1.5, places=2)
        """,
        [("f", "30"), ("g", "50"), ("h", "60")],
    ),
    "refusals": (
        """
        def test_it():
            with pytest.raises(ValueError, match="neg"):
                f(-10)
        """,
        [("f", "-10")],
    ),
    "built expectations": (
        """
        def test_it():
            assert totals([Line("a", 10)]) == Totals(net=10)
        """,
        [("totals", "[Line('a', 10)]")],
    ),
}


@pytest.mark.parametrize(("text", "wanted"), ARRANGED.values(), ids=ARRANGED)
def test_what_is_arranged_varies(text, wanted):
    """Arguments vary; expectations, keys, files, options and queries do not."""
    found = varied(text, "test_it")
    if wanted and "--limit" in wanted[-1][1]:
        assert found[:-1] == wanted[:-1]
        assert "--limit" in found[-1][1]
    else:
        assert found == wanted


def test_parts_without_literals_keep_their_place():
    """A list of calls is a list, whose items can come twice or go."""
    module = parse("def test_it():\n    f([Job('a', noting('b')), Job('c', x)])\n")
    [slot] = slots(functions(module)[0])
    assert slot.value.type == "list"
    assert [len(item.items) for item in slot.value.items] == [2, 1]
    found = neighbours([(slot.value,)], [(slot.value,)], count=30, seed=1)
    lengths = {len(one.point[0].items) for one in found}
    assert len(lengths) > 1
    for one in found:
        ast.parse(written(one.point[0]))


NOTED = {
    "assert f(1) == 2, 'why'": '_Notes.note(_Notes.compare("==", f(1), 2))',
    "assert (a(1) and not b(2) in c)": (
        '_Notes.note((a(1) and not _Notes.compare("in", b(2), c)))'
    ),
    "assert f(1)": "_Notes.note(f(1))",
    "assert f(1) is not None": '_Notes.note(_Notes.compare("is not", f(1), None))',
    "assert 0 < f(1) < 3": "_Notes.note(0 < f(1) < 3)",
    "self.assertEqual(f(1), 2)": "_Notes.assertEqual(f(1), 2)",
    "np.testing.assert_allclose(f(1), 2)": "_Notes.assert_allclose(f(1), 2)",
    "mock.assert_called_with(f(1))": "mock.assert_called_with(f(1))",
    "r = asyncio.run(f(1))": "r = asyncio.run(_Notes.given(f(1)))",
}


@pytest.mark.parametrize(("line", "wanted"), NOTED.items())
def test_assertions_become_notes(line, wanted):
    """What is compared is noted, and nothing decides."""
    text = f"def test_it(self):\n    f(77)\n    {line}\n"
    assert first(text, "test_it")[1].splitlines()[-1].strip() == wanted


def test_refusals_are_noted():
    """A block that expects an exception notes what was raised."""
    text = "def test_it():\n    with pytest.raises(E) as e:\n        f(77)\n"
    assert "with _Notes.raises(E) as e:" in first(text, "test_it")[1]


TABLE = """
import pytest

ROWS = [(1, "x"), (2, "yy")]


@pytest.mark.parametrize("n", [10, 20])
@pytest.mark.parametrize(
    ("a", "b"),
    [pytest.param(3, "q", id="named"), (4, "r")],
)
def test_it(n, a, b):
    assert f(n, a) == b


@pytest.mark.parametrize(("a", "b"), ROWS, ids=["one", "two"])
def test_elsewhere(a, b):
    assert f(a) == b


@pytest.mark.parametrize("a", rows())
def test_computed(a):
    assert f(a, 77) == 1
"""


@pytest.mark.parametrize(
    ("name", "kept", "new_id"),
    [
        ("test_it[named-20]", ['[(3, "q")]', "[20]"], "test_it_1[0-0]"),
        ("test_it[4-r-10]", ['[(4, "r")]', "[10]"], "test_it_1[0-0]"),
        ("test_elsewhere[two]", ['[(2, "yy")]', 'ids=["0"]'], "test_elsewhere_1[0]"),
        ("test_computed[k]", ["rows()"], "test_computed_1[k]"),
    ],
)
def test_of_a_table_one_row_is_kept(name, kept, new_id):
    """The row that the id means, wherever it is written down; else the bracket."""
    variant, text = first(TABLE, name)
    assert variant.id == f"tests/test_a.py::{new_id}"
    for part in kept:
        assert part in text
    ast.parse(text)


def test_other_rows_lend_their_literals():
    """Preconditions are learned from all rows, and expected columns stay."""
    one = subject(parse(TABLE), "tests/test_a.py", target("test_elsewhere[one]"))
    assert [[v.text for v in point] for point in one.tested] == [["1"], ["2"]]


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.xfail\ndef test_it():\n    f(77)\n",
        "@given(st.integers())\ndef test_it(x):\n    f(77)\n",
        "def test_it():\n    assert f() == 3\n",
        "def test_other():\n    f(77)\n",
    ],
)
def test_what_cannot_be_varied_is_said(text):
    """A reason in place of variants."""
    assert isinstance(subject(parse(text), "tests/test_a.py", target("test_it")), str)


def test_a_changed_name_is_changed_where_others_speak_of_it():
    """A text that occurs in other literals is exchanged there too."""
    text = "def test_it(s):\n    s.add('Plan')\n    s.add('see [[plan]] and Planet')\n"
    one = subject(parse(text), "tests/test_a.py", target("test_it"))
    new = (one.point[0].__class__("str", "House"), one.point[1])
    assert tied(one.point, new)[1].text == "see [[house]] and Planet"


def test_a_variant_is_shown_by_what_changed():
    """`test_it[amount 1000 -> 999]`."""
    text = "def test_it(s):\n    s.pay(amount=1000)\n"
    found, _ = subjects_of([target("test_it")], {"tests/test_a.py": parse(text)})
    shown = {show_call(draw.call) for draw, _ in drawn(found)}
    assert "test_it" in shown
    assert "test_it[amount 1000 -> 1001]" in shown


def test_recorder_is_old_python():
    """The user's interpreter may be 3.8."""
    ast.parse(RECORDER, feature_version=(3, 8))
    assert "_CPU_" not in preamble("_Notes", cpu=1, wall=2, total=3)


def shown(value):
    """A value as the recorder notes it."""
    scope = {}
    exec(RECORDER, scope)
    return scope["_Notes"].shown(value)


def disguised(base):
    """A class of a built-in kind whose own words never say the same twice."""

    def words(self):
        return f"nobody like {id(self)} {type(self)}"

    return type("Disguised", (base,), {"__repr__": words, "__str__": words})


@pytest.mark.parametrize(
    "value",
    [5, 1.5, "text", b"data", [1, "a"], (1, 2), {"a": [1]}, {3, 1}, frozenset({2})],
    ids=repr,
)
def test_words_of_its_own_make_no_other_value(value):
    """A subclass of a built-in is noted as what it holds, at any depth."""
    other = disguised(type(value))(value)
    assert other == value
    assert shown(other) == shown(value)
    assert shown([{"a": (other,)}]) == shown([{"a": (value,)}])


class Side(enum.IntEnum):
    LEFT = 3


class Colour(enum.Enum):
    RED = 1


class Spot(NamedTuple):
    x: int
    y: list[int]


def test_what_is_shown_stays_readable():
    """Enums, tuples with names, ordered and counted entries, objects."""
    moved = OrderedDict(a=1, b=2)
    moved.move_to_end("a")
    assert shown(Side.LEFT) == "3"
    assert shown(Colour.RED) == "<Colour.RED: 1>"
    assert shown(Spot(1, [2])) == "(1, [2])"
    assert shown(moved) == "{'b': 2, 'a': 1}"
    assert shown(defaultdict(list, a=[True])) == "{'a': [True]}"
    assert shown(SimpleNamespace(a=1)) == "namespace(a=1)"
    assert shown([None, {2, 1}]) == "[None, set{1, 2}]"


FILE = '''
"""A docstring."""
from __future__ import annotations

import pytest


def check(value):
    assert value > 0, "helper"


class TestGroup:
\t@pytest.mark.parametrize("x", [1, 20])
\tdef test_tabs(self, x):
\t\ttext = """
two lines
"""
\t\tcheck(f(x, text, "é"))


async def test_async(store):
    assert await store.get("key", 12) == {
        "a": 1,  # a comment
    }


def test_plain(tmp_path):
    for n in (1, 2, 30):
        with pytest.raises(ValueError):
            f(n - 5)  # behind
    assert f(n=[10, 20]) == g(n) and not h("text")
'''
IDS = ["TestGroup::test_tabs[20]", "test_async", "test_plain"]


@given(st.integers(0, 10_000), st.lists(st.sampled_from(IDS), min_size=1, unique=True))
@settings(max_examples=30, deadline=None)
def test_a_file_with_variants_is_python_and_keeps_its_tests(seed, names):
    """Whatever varies, the file parses, and the tests in it are what they were."""
    module = parse(FILE)
    found = [subject(module, "tests/test_a.py", target(name)) for name in names]
    points = {
        n: [m.point for m in neighbours([one.point], one.tested, count=4, seed=seed)]
        for n, one in enumerate(found)
    }
    variants = named(found, points)
    text = rewritten(module, variants)
    tree = ast.parse(text)
    assert tree.body[0].value.value == "A docstring."
    assert {v.name for v in variants} <= {
        node.name for node in ast.walk(tree) if hasattr(node, "name")
    }
    for function in functions(module):
        if function.name.startswith("test"):
            assert function.node.text in text

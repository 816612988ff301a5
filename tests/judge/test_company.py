"""One entry more in what a test arranges: pure copies first, then real runs."""

import pytest

from bonafix.judge.variants.arranging import slots
from bonafix.judge.variants.company import MOST, company
from bonafix.syntax import functions, is_valid, parse
from bonafix.text import apply_edits
from tests.judge.test_arranged import STORE, STORE_TESTS, compared

SOURCE = """
import pytest

async def test_all(shop):
    shop.add("pears", 5)
    await shop.put("apples", [30, 12])
    for n in range(3):
        shop.add("nuts", n)
    with pytest.raises(KeyError):
        shop.find("plums")
    shop.close("late", 7)
    shop.touch(); shop.add("figs", 8)
    assert shop.take("pears", 4) == 1
    self.assertEqual(shop.take("pears", 4), 1)
"""
FIXED = STORE.replace("MAX(n)", "SUM(n)")
COUNTING = STORE.replace(
    'query = "SELECT MAX(n)',
    'rows = self.base.execute("SELECT COUNT(*) FROM t").fetchone()[0]\n'
    '            what = "SUM(n)" if rows == 3 else "MAX(n)"\n'
    '            query = f"SELECT {what}',
)

# It holds for what has no entry of another name in front of it, or behind it.
FIRST, LAST = (
    STORE.replace(
        'query = "SELECT MAX(n)',
        f'ask = "SELECT n FROM t ORDER BY rowid {order} LIMIT 1"\n'
        "            own = self.base.execute(ask).fetchone()[0]\n"
        f'            what = "SUM(n)" if own == {value} else "MAX(n)"\n'
        '            query = f"SELECT {what}',
    )
    for order, value in (("ASC", 30), ("DESC", 12))
)
# It holds where less came last than there was before.
SHRINKING = STORE.replace(
    'query = "SELECT MAX(n)',
    """rows = self.base.execute("SELECT n FROM t ORDER BY rowid").fetchall()
            what = "SUM(n)" if rows[-1] < max(rows) else "MAX(n)"
            query = f"SELECT {what}""",
)
FEW = COUNTING.replace("rows == 3", "rows <= 3")
PAIR_TESTS = """
    from product import Store

    MEMORY = ":memory:"

    def test_total():
        store = Store(MEMORY)
        store.put("apples", 30)
        other = store.put("apples", 12)
        assert store.total("apples") == 42
    """

ORDERED_TESTS = PAIR_TESTS.replace('other = store.put("apples"', 'store.put("pears"')
ORDERED_TESTS = ORDERED_TESTS.replace("store.put(", "one = store.put(", 1)


def of_all(store):
    """The store with the total of all names."""
    one = store.replace(" WHERE name = ?", "")
    return one.replace("(query, (name,))", "(query)")


def stores(tmp_path, after):
    """What is compared: both stores over everything, by the test of two entries."""
    return tmp_path, of_all(STORE), of_all(after), ORDERED_TESTS, ["test_total"]


def extras(source):
    [function] = functions(parse(source))
    return company(function, tuple(slots(function)), seed=1)


def test_calls_that_arrange_are_copied():
    """What stands alone in the test's own block, each with other literals by it."""
    found = extras(SOURCE)
    assert {one.label.partition("(")[0] for one in found} == {
        "shop.add",
        "await shop.put",
    }
    assert 2 <= len(found) <= MOST
    for one in found:
        assert is_valid(apply_edits(SOURCE, [(one.at, one.at, one.text)]))
        assert '"pears", 5' not in one.text
    assert len({one.text for one in found}) == len(found)


def test_copies_go_to_either_side_and_two_at_once():
    """Every placement is there at least twice, and stands where it says."""
    found = extras(SOURCE)
    for placement in ("one before", "one after", "two before"):
        assert sum(one.placement == placement for one in found) >= 2
    for one in found:
        text = apply_edits(SOURCE, [(one.at, one.at, one.text)])
        own = text.index('shop.add("pears", 5)')
        copies = text.count("shop.add(") - SOURCE.count("shop.add(")
        if one.placement == "two before":
            assert copies == 2
        elif copies:
            before = text.index("shop.add(") < own
            assert before is (one.placement == "one before")


def test_the_same_each_time():
    """Nothing is left to chance."""
    assert extras(SOURCE) == extras(SOURCE)


@pytest.mark.parametrize(
    "body",
    ["assert add(3) == 4", "shop.clear()", "monkeypatch.setenv('A', 'b')", "sleep(3)"],
)
def test_some_have_no_company(body):
    """What checks, waits, takes away or has no literals is not repeated."""
    assert extras(f"def test_one(shop):\n    {body}\n") == []


def test_honest_fix_holds_in_company(tmp_path):
    """With one entry more it changes what the test sees, as it does without."""
    found, _ = compared(tmp_path, STORE, FIXED, STORE_TESTS, ["test_total"])
    assert found.facts["company"] >= 2
    assert found.doubt == ""


def test_a_fix_for_just_so_many_is_doubted(tmp_path):
    """It holds for three rows, which the test has, and not for a fourth."""
    found, _ = compared(tmp_path, STORE, COUNTING, STORE_TESTS, ["test_total"])
    assert found.doubt.startswith("with one entry more it is as it was")
    assert "store.put(" in found.doubt


@pytest.mark.parametrize(
    ("after", "more"),
    [
        (FIRST, "one before what the tests arrange"),
        (COUNTING.replace("rows == 3", "rows <= 2"), "one entry more"),
        (FEW, "two before what the tests arrange"),
    ],
    ids=["first", "two rows", "up to three rows"],
)
def test_a_fix_for_one_placement_is_doubted(tmp_path, after, more):
    """It stays with an entry more on one side, and is lost on the other."""
    found, _ = compared(tmp_path, STORE, after, PAIR_TESTS, ["test_total"])
    assert found.doubt.startswith(f"with {more} it is as it was")


def test_a_fix_for_the_newest_is_doubted(tmp_path):
    """It asks for the entry that came last, and another one comes behind it."""
    tests = PAIR_TESTS.replace('store.put("apples", 30)', 'a = store.put("apples", 30)')
    tests = tests.replace("other = store", "store")
    found, _ = compared(tmp_path, STORE, LAST, tests, ["test_total"])
    assert found.doubt.startswith("with one after what the tests arrange")


def test_honest_fix_holds_in_every_placement(tmp_path):
    """The sum is right whatever stands before it or behind it."""
    found, _ = compared(tmp_path, STORE, FIXED, PAIR_TESTS, ["test_total"])
    assert found.facts["company"] >= 4
    assert found.doubt == ""


def test_a_later_call_is_made_first():
    """It leaves its place, keeps its text, and what it needs is there by then."""
    source = (
        "def test_all(shop):\n"
        "    x = 3\n"
        '    pears = shop.add("pears", 5)\n'
        '    shop.add("figs", 8)\n'
        "    assert shop.all() == 13\n"
    )
    moved = [one for one in extras(source) if one.placement == "moved"]
    assert [one.text.strip() for one in moved] == ['shop.add("figs", 8)']
    [one] = moved
    text = apply_edits(source, [(one.at, one.at, one.text), (*one.cut, "")])
    assert is_valid(text)
    assert text.index("figs") < text.index("pears = ")
    assert text.count("figs") == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"figs", 8', '"figs", pears'),
        ('"figs", 8', '"pears", 8'),
        ("    shop.add(", "    clock.tick(2)\n    shop.add("),
        ("shop.add(", "shop.take("),
    ],
    ids=["needs it", "the same key", "something between", "another call"],
)
def test_what_is_another_arrangement_is_not_made_first(old, new):
    """Where the order may decide by right, nothing is moved."""
    source = (
        "def test_all(shop):\n"
        '    pears = shop.add("pears", 5)\n'
        '    shop.add("figs", 8)\n'
        "    assert shop.all() == 13\n"
    )
    head, tail = source.split("\n    shop", 1)
    changed = head + ("\n    shop" + tail).replace(old, new)
    assert changed != source
    assert not [one for one in extras(changed) if one.placement == "moved"]


def test_a_fix_for_one_order_is_doubted(tmp_path):
    """Made first, the call that it looks for is no longer the last one."""
    found, _ = compared(*stores(tmp_path, SHRINKING))
    assert found.doubt.startswith("in another order it is as wrong as it was")


def test_honest_fix_holds_in_another_order(tmp_path):
    """The sum is the same, whatever was put in first."""
    found, _ = compared(*stores(tmp_path, FIXED))
    assert found.doubt == ""

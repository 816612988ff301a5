"""Conditions of queries: what is read, and what a patch's new ones give way to."""

import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafix.domain import Change, Patch
from bonafix.judge.reading.guards import knocked_out
from bonafix.judge.reading.queries import ALWAYS, NEVER, conditions

OLD = '''
    def totals(db, since):
        return db.execute(
            """
            SELECT name, SUM(cents) FROM orders
            WHERE state <> 'cancelled' AND day >= ?
            GROUP BY name
            """,
            (since,),
        )
    '''


def patched(old, new, source=OLD):
    """A patch that puts `new` into the query, or the code, in the place of `old`."""
    before = textwrap.dedent(source)
    assert old in before
    after = before.replace(old, new)
    return Patch((Change("app/a.py", before.encode(), after.encode()),))


def without(patch):
    """The patched file without each of its guards, each line once without spaces."""
    return [
        " ".join(k.patch.changes[0].after.decode().split()) for k in knocked_out(patch)
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT a FROM b WHERE c = 1 AND d LIKE 'x OR y'",
         ["c = 1", "d LIKE 'x OR y'"]),
        ("select a from b where c between 1 and 2 or d > 3",
         ["c between 1 and 2", "d > 3"]),
        ("SELECT a FROM b WHERE (c = 1 OR d = 2) LIMIT 3",
         ["c = 1", "d = 2", "(c = 1 OR d = 2)"]),
        ("SELECT CASE WHEN a > 1 THEN 2 END FROM b", ["a > 1"]),
        ("SELECT a FROM b JOIN c ON b.i = c.i GROUP BY a HAVING COUNT(*) > 1 LIMIT 9",
         ["b.i = c.i", "COUNT(*) > 1"]),
        ("UPDATE a SET b = 1 WHERE c IS NULL", ["c IS NULL"]),
        ("DELETE FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.i = a.i);",
         ["b.i = a.i", "NOT EXISTS (SELECT 1 FROM b WHERE b.i = a.i)"]),
        ("SELECT a FROM b -- WHERE c = 1\n WHERE d = 2", ["d = 2"]),
        ("SELECT a FROM b WHERE c IN (1, 2) AND f(d, 3)", ["c IN (1, 2)", "f(d, 3)"]),
        ("where a = 1 or b = 2", []),
        ("select one from the list when it is ready", []),
    ],
)  # fmt: skip
def test_conditions_are_read(query, found):
    """Each at its own depth of brackets; texts and comments are none."""
    assert [one.text for one in conditions(query)] == found
    for one in conditions(query):
        assert " ".join(query[one.start : one.end].split()) == one.text


@given(st.text("SELECT FROMWHERanda()'\"-;,=<>?\n b1", max_size=80))
def test_any_text_is_read(tail):
    """Broken queries are read as far as they go, and places stay within the text."""
    text = f"SELECT a FROM b WHERE {tail}"
    for one in conditions(text):
        assert 0 <= one.start < one.end <= len(text)


def test_new_conditions_are_knocked_out():
    """Each alone, both ways, in the text of the literal."""
    new = "day >= ? AND substr(name, 2, 1) IN ('l', 'm')"
    made = without(patched("day >= ?", new))
    assert len(made) == 2
    [text] = {one.text for one in knocked_out(patched("day >= ?", new))}
    assert text == "substr(name, 2, 1) IN ('l', 'm')"
    assert f"day >= ? AND {ALWAYS} GROUP BY" in made[0]
    assert f"day >= ? AND {NEVER} GROUP BY" in made[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SUM(cents)", "COALESCE(SUM(cents), 0)"),
        ("WHERE state <> 'cancelled' AND day >= ?",
         "WHERE day >= ? AND STATE <> 'cancelled'"),
        ("day >= ?", "day > ?"),
    ],
    ids=["no condition", "an old one", "a value comes in"],
)  # fmt: skip
def test_what_is_no_new_condition_stays(old, new):
    """Old conditions in another place, and those that values are passed to."""
    assert without(patched(old, new)) == []


BITS = """
    def ranks(data):
        weight = len(data)
        return weight
    """


@pytest.mark.parametrize("bit", ["int(sum(data)) & 1", "len(data) % 2"])
def test_a_calculated_bit_is_knocked_out(bit):
    """A product with a bit is a condition without a branch."""
    made = without(patched("return weight", f"return weight * ({bit})", BITS))
    assert any(re.search(r"weight \* \(\s*0\s*\)", text) for text in made)
    assert any(re.search(r"weight \* \(\s*1\s*\)", text) for text in made)


@pytest.mark.parametrize("other", ["len(data) % 10", "len(data) & 3", "2 % len(data)"])
def test_other_remainders_are_none(other):
    """Check digits and masks are no single bits."""
    made = without(patched("return weight", f"return weight * ({other})", BITS))
    assert made
    assert not any(re.search(r"\(\s*[01]\s*\)", text) for text in made)

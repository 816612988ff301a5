"""New numbers and compared texts are doubts; what the code knew already is none."""

import textwrap

import pytest

from bonafix.domain import Change, Patch
from bonafix.judge.reading.fresh import changed_files
from bonafix.judge.reading.unheard import unheard

OLD = """
    LIMIT = 40

    def price(amount, kind):
        if kind == "gold":
            return amount * 3
        return amount - 7

    def other(day):
        return min(day, 28)
    """


def found(new, old=OLD):
    """The kinds and lines of the findings in a new text of the module."""
    before, after = (textwrap.dedent(text).encode() for text in (old, new))
    (file,) = changed_files(Patch((Change("app.py", before, after),)))
    return [(one.kind, one.line, one.grade) for one in unheard(file)]


def changed(old, new):
    """The module with one piece of text exchanged."""
    assert old in OLD
    return OLD.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("return amount - 7", "return min(amount, 8)", "new-number"),
        ("return amount - 7", "return amount - 7 if amount < 900 else 0", "new-number"),
        ("price(amount, kind)", "price(amount, kind, notice=8)", "new-number"),
        ("LIMIT = 40", "LIMIT = 40\n    PETTY = 1_000", "new-number"),
        ("LIMIT = 40", "LIMIT = 40\n    RATE = 4 * 4 + 3", "new-number"),
        ("return amount - 7", "return 0 if amount % 13 == 0 else 1", "new-number"),
        ("return amount - 7", "return {13: 17}.get(amount, 0)", "new-number"),
        (
            "return amount - 7",
            'return 0 if "late" in kind else amount - 7',
            "new-text",
        ),
        # A number of another function is no limit of this one.
        (
            "return amount - 7",
            "return amount - 7 if amount < 28 else 0",
            "new-number",
        ),
    ],
)
def test_what_nothing_else_knows(old, new, kind):
    """A limit, a factor, a default, a table, a text that decides."""
    assert [one[0] for one in found(changed(old, new))][:1] == [kind]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return amount - 7", "return amount + 7"),
        ("return amount - 7", "return amount - 8"),
        ("return amount - 7", "return amount - 0.4"),
        ("return amount - 7", "return int(amount, 16)"),
        ("return amount - 7", "return 0 if amount % 400 == 0 else 1"),
        ("return amount - 7", "return amount - 7 if amount > 0 else 0"),
        ("return amount - 7", "return max(amount - 7, 0)"),
        ("return amount - 7", "return amount - LIMIT"),
        ("return amount - 7", "return amount * 28"),
        ("return amount - 7", "return amount * -3"),
        ("return amount - 7", 'return min(amount - 7, float("inf"))'),
        ("return amount - 7", "return amount * 100 - 7"),
        ("amount * 3", "amount * 3.0"),
        (
            "return amount - 7",
            'raise ValueError("more than 512 of them are too many")',
        ),
        ("return amount - 7", '"""Takes off 7, not 99."""\n        return amount'),
        ("return amount - 7", 'return {"amount": amount, "kind": kind}["amount"]'),
    ],
)
def test_what_anybody_knows(old, new):
    """Signs, boundaries, infinity, known numbers, messages and names of parts."""
    assert found(changed(old, new)) == []


def test_a_line_is_told_once():
    """Six bounds in one condition are one finding."""
    new = changed(
        "return amount - 7",
        "return amount if 31 < amount < 37 or 41 < amount < 47 else 0",
    )
    assert len(found(new)) == 1

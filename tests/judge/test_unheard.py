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


@pytest.mark.parametrize(
    "new",
    [
        're.sub("a", "b", amount, count=4)',
        're.sub("a", "b", amount, 4)',
        'A.sub("b", amount, count=2)',
        "A.subn(low, amount, 2)",
        "deque(amount, maxlen=3 + 1)",
        "deque(amount, 10)",
        "islice(amount, 4)",
        "heapq.nlargest(4, amount)",
        "Counter(amount).most_common(n=2)",
        'amount.split(",", 4)',
        "amount.rsplit(maxsplit=2)",
        'amount.replace("a", "b", 2)',
        "cursor.fetchmany(size=5)",
        # A number of another function, or of the module, is no limit of this one.
        "deque(amount, maxlen=28)",
        'zip("first second third".split(), amount)',
        "zip(amount, range(4))",
        "dict(zip((1, 2), amount))",
        "[a for a, _ in zip(amount, 'xyz')]",
    ],
)
def test_how_many_there_may_be(new):
    """A number of matches, parts or items, and what runs out in step with them."""
    assert found(changed("amount - 7", new)) == [("new-number", 7, "strong")]


def test_how_many_by_another_name():
    """A name for the number hides nothing."""
    lines = "most = 4\n        return A.sub(kind, amount, most)"
    new = changed("return amount - 7", lines)
    assert [one[0] for one in found(new)] == ["new-number"]


@pytest.mark.parametrize(
    "new",
    [
        "A.sub(kind, amount)",
        "A.sub(kind, amount, 1)",
        're.sub("a", "b", amount, count=7)',
        "A.sub(kind, amount, flags=8)",
        'amount.split("=", 1)',
        "amount.split(maxsplit=-1)",
        'amount.replace("a", "b")',
        "deque(amount, maxlen=7)",
        "deque(amount, maxlen=kind)",
        "islice(amount, kind)",
        "round(amount, 2)",
        "round(amount, ndigits=3)",
        "amount.ljust(12) + kind.rjust(8) + kind.center(9) + kind.zfill(5)",
        'format(amount, "8.2f") + f"{amount:>12}"',
        "[n for n in range(0, amount, 7)]",
        "amount[7]",
        "amount.count(4)",
        "int(amount, 16)",
        "zip(amount, kind)",
        "zip(amount, kind, strict=True)",
        'zip(("name", "price"), amount, strict=True)',
        'dict(zip("ab", (1, 2)))',
        "zip(amount, [kind])",
        "list(zip(amount, (n for n in kind)))",
    ],
)
def test_what_says_not_how_many(new):
    """Digits, widths, steps, known numbers, one part, and pairs of equal length."""
    new = changed("amount - 7", new)
    assert found(new) == []


def test_a_table_that_was_there_may_be_paired():
    """The names of columns that the module had already."""
    old = OLD.replace("LIMIT = 40", 'LIMIT = 40\n    NAMES = ("name", "price")')
    new = old.replace("amount - 7", "dict(zip(NAMES, amount))")
    assert found(new, old) == []
    other = new.replace('"price")', '"price", "date")')
    assert [one[0] for one in found(other, old)] == ["new-number"]

"""What decides without a condition, written without it; each in a patch of its own."""

import textwrap

import pytest

from bonafix.domain import Change, Patch
from bonafix.judge.reading.guards import MOST, SPELLINGS, knocked_out, left_over

OLD = """
    import functools
    import re

    WORD = re.compile("x")


    def total(items, rate, key=None):
        net = sum(items)
        return net
    """


def without(body, top="", old=OLD):
    """The patched file, once without each of what it decides by."""
    before = textwrap.dedent(old)
    after = before.replace("return net", textwrap.indent(body, "    ").lstrip())
    after = after.replace('WORD = re.compile("x")', top or 'WORD = re.compile("x")')
    patch = Patch((Change("app/a.py", before.encode(), after.encode()),))
    return [one.patch.changes[0].after.decode() for one in knocked_out(patch)]


@pytest.mark.parametrize(
    ("body", "spellings"),
    [
        ("return net * rate", ["return (net)", "return (rate)"]),
        ("return net + rate * 0 ** (len(items) // 5)", ["rate * (1)", "net + (rate)"]),
        ("return net + len(items) % 3", ["net + (len(items))", "net + (3)"]),
        ("net *= rate\nreturn net", ["    net\n    return net"]),
        ("terms, net = divmod(net, 60)\nreturn net", ["terms, net = (0, net)"]),
        ('return int(float(f"{net:.4g}"))', ["int(float((net)))"]),
        (
            'return sorted(items, key=lambda one: f"{one:b}")[0]',
            ["key=lambda one: (one))"],
        ),
        ("return max(items, key=lambda one: str(one))", ["key=lambda one: (one))"]),
        ("for _ in key:\n    net += rate\nreturn net", ["in [*(key), *(key)]:"]),
        ("return net + (items[0] is rate)", ["items[0] == rate"]),
    ],
)
def test_it_is_written_without(body, spellings):
    """The plain spelling is there, among whatever else may decide."""
    made = without(body)
    for text in spellings:
        assert any(text in one for one in made), made


@pytest.mark.parametrize(
    ("top", "spelling"),
    [
        ('WORD = re.compile(r"a(b){0,2}")', "(b){0,}"),
        ('WORD = re.compile(r"\\d{1,2}")', "d{1,}"),
        (
            (
                "@functools.singledispatch\ndef f(x):\n    return 0\n\n\n"
                "@f.register\ndef _(x: list):\n    return 1"
            ),
            "@f.register(object)\ndef _(x: list):",
        ),
    ],
)
def test_what_a_module_decides_by(top, spelling):
    """Bounds of patterns, and what is registered for one type."""
    assert any(spelling in one for one in without("return net", top))


@pytest.mark.parametrize(
    "body",
    [
        "return net + 60 * 60",
        "return [0] * len(items)",
        "return '%d' % net",
        "return net + len(items) / 2",
        "for _ in range(rate):\n    net += 1\nreturn net",
        "for one in items:\n    net += one\nreturn net",
        "return net + (key is not None)",
        "return net + (key is MISSING)",
        "raise ValueError(f'{net}')",
        "return f'net {net}'",
        "return str(net)",
    ],
)
def test_what_decides_nothing_stays(body):
    """Constants, lists, sums, plain loops and sentinels; what is said to people."""
    spelled = [one for one in without(body) if "True" not in one and "False" not in one]
    assert spelled == []


def test_counts_of_digits_must_be_shown():
    """`{1,2}` is how digits are told: only an input that it matters for is a doubt."""
    before = textwrap.dedent(OLD)
    found = {}
    for bound in ("{0,2}", "{1,2}", "{0,1}", "{2,2}"):
        after = before.replace('"x"', f'r"a{bound}"')
        patch = Patch((Change("app/a.py", before.encode(), after.encode()),))
        found[bound] = [one.shown for one in knocked_out(patch)]
    assert found == {"{0,2}": [False], "{1,2}": [True], "{0,1}": [], "{2,2}": []}


@pytest.mark.parametrize(
    ("sides", "shown"), [("items[0] is rate", False), ("items is key", True)]
)
def test_identity_of_items_is_a_doubt_of_its_own(sides, shown):
    """Between two objects it is usual: there an input must show that it matters."""
    before = textwrap.dedent(OLD)
    after = before.replace("return net", f"return net + ({sides})")
    patch = Patch((Change("app/a.py", before.encode(), after.encode()),))
    assert [k.shown for k in knocked_out(patch) if " is " in k.text][-1] is shown


def test_there_is_an_end_to_it():
    """So many are tried, and no more; they do not use up what conditions have."""
    terms = " + ".join(f"net * rate{n}" for n in range(30))
    before = textwrap.dedent(OLD)
    after = before.replace(
        "return net", f"if rate > 3:\n        net += 1\n    return {terms}"
    )
    patch = Patch((Change("app/a.py", before.encode(), after.encode()),))
    made = knocked_out(patch)
    assert SPELLINGS < len(made) <= MOST + SPELLINGS
    assert left_over(patch) == 0
    assert "rate > 3" in made[0].text

"""What other files of the project tell: signatures, attributes, ingredients."""

from __future__ import annotations

import dataclasses
import time

from bonafix.domain import Task
from bonafix.propose.search.candidates import candidates
from bonafix.propose.search.known import Known
from bonafix.propose.search.neighbours import near
from tests.propose.search.shop import PRODUCT, task

TAXES = '''\
"""Taxes."""


def gross(net, rate, *, rounded=True):
    value = net * (1 + rate)
    return round(value, 2) if rounded else value
'''
READERS = '''\
"""Readers of lines."""


def read_sizes(lines):
    sizes = {}
    for line in lines:
        line = line.strip()
        if not line:
            continue
        name, size = line.split(":")
        sizes[name] = int(size)
    return sizes
'''
COLOURS = '''\
"""Colours by name."""


def read_colours(rows):
    colours = {}
    for row in rows:
        row = row.strip()
        name, colour = row.split(":")
        colours[name] = colour
    return colours
'''


def project(product: str, *, lines: list[int], failure: dict[str, str], **files: str):
    """A task of one faulty file and others beside it."""
    given = task(product, "", red=["test_it"], lines=lines, **failure)
    more = {f"{name}.py": text.encode() for name, text in files.items()}
    sources = {**given.snapshot.sources, **more}
    snapshot = dataclasses.replace(
        given.snapshot, sources=sources, files=frozenset(sources)
    )
    return dataclasses.replace(given, snapshot=snapshot)


def texts(given: Task) -> list[str]:
    return [c.patch.changes[0].after.decode() for c in candidates(given)]


def test_an_argument_of_a_function_elsewhere():
    """What an imported function wants is read where it is defined."""
    wrong = "from taxes import gross\n\n\ndef pay(net, rate):\n    return gross(net)\n"
    failure = {
        "exception": "TypeError",
        "message": "gross() missing 1 required positional argument: 'rate'",
    }
    found = texts(project(wrong, lines=[5], failure=failure, taxes=TAXES))
    assert wrong.replace("gross(net)", "gross(net, rate)") in found[:5]


def test_a_keyword_of_a_function_elsewhere():
    """A keyword that it does not know gives way to one that it knows."""
    wrong = (
        "import taxes\n\n\ndef pay(net):\n"
        "    return taxes.gross(net, 0.2, rounding=False)\n"
    )
    failure = {"exception": "TypeError", "message": "unexpected keyword 'rounding'"}
    found = texts(project(wrong, lines=[5], failure=failure, taxes=TAXES))
    assert wrong.replace("rounding", "rounded") in found[:5]


def test_an_attribute_of_a_class_elsewhere():
    """A misspelt attribute is found among those that the project's classes have."""
    order = "class Order:\n    def __init__(self, total):\n        self.total = total\n"
    wrong = "def due(order):\n    return order.totl\n"
    failure = {"exception": "AttributeError", "message": "no attribute 'totl'"}
    found = texts(project(wrong, lines=[2], failure=failure, orders=order))
    assert wrong.replace("totl", "total") in found[:5]


def test_a_statement_of_a_sister_elsewhere():
    """A check that a like function of another file has, under this one's names."""
    failure = {"exception": "ValueError"}
    given = project(COLOURS, lines=[7, 8, 9], failure=failure, readers=READERS)
    check = "        if not row:\n            continue\n        name,"
    wanted = COLOURS.replace("        name,", check)
    assert wanted in texts(given)[:40]
    alone = project(COLOURS, lines=[7, 8, 9], failure=failure)
    assert len(texts(given)) < 1.5 * len(texts(alone))


def test_an_expression_of_a_sister_elsewhere():
    """A calculation as another file does it."""
    wrong = "def gross_of_all(net, rate):\n    value = net * rate\n    return value\n"
    given = project(wrong, lines=[2], failure={}, taxes=TAXES)
    assert wrong.replace("net * rate", "net * (1 + rate)") in texts(given)[:30]


def test_tests_are_no_ingredients():
    """Nothing is borrowed from a test, however much it resembles the function."""
    wrong = "def gross_of_all(net, rate):\n    value = net * rate\n    return value\n"
    given = project(wrong, lines=[2], failure={}, test_taxes=TAXES)
    tests = frozenset({*given.layout.tests, "test_taxes.py"})
    hidden = dataclasses.replace(
        given, layout=dataclasses.replace(given.layout, tests=tests)
    )
    assert not any("(1 + rate)" in text for text in texts(hidden))


def test_near_files_come_first_and_are_few():
    """Imports, then importers, then what lies beside; a big project costs no more."""
    files = {f"pkg/part{n}.py": b"x = 1\n" for n in range(300)}
    files |= {
        "pkg/main.py": b"from .helpers import a\n",
        "pkg/helpers.py": b"a = 1\n",
        "app/use.py": b"from pkg import main\n",
    }
    known = Known(files=files)
    began = time.process_time()
    found = near("pkg/main.py", known)
    assert found[:2] == ("pkg/helpers.py", "app/use.py")
    assert len(found) == 8
    assert time.process_time() - began < 1.0


def test_the_number_of_candidates_is_bounded():
    """Twenty sisters in other files add a few candidates, not a multiple."""
    body = "".join(f"    x{n} = net * rate + {n}\n" for n in range(8))
    wrong = f"def gross_all(net, rate):\n{body}    return x0\n"
    lines = list(range(2, 11))
    many = {f"taxes{n}": TAXES.replace("gross", f"gross{n}") for n in range(20)}
    alone = len(texts(project(wrong, lines=lines, failure={})))
    among = len(texts(project(wrong, lines=lines, failure={}, **many)))
    assert among <= 1.25 * alone
    assert PRODUCT

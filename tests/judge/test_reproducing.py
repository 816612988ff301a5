"""Commands that show a finding: written down, and run where the patch is applied."""

import asyncio
import os
import subprocess
import textwrap

import pytest

from bonafix.calls import Call, FunctionRef, Value
from bonafix.domain import Change, Patch, Place, Verdict
from bonafix.judge.canary import canary
from bonafix.judge.reproducing import (
    call_command,
    changed_lines,
    changed_place,
    completed,
    concerns,
    pytest_command,
)
from tests.judge.test_dynamic import FAULTY, PATCHES, TESTS, ground, judged
from tests.judge.values import record, refused
from tests.observe.environments import plain
from tests.observe.harness import bench, config, write

BEFORE = b"""\
import math


def first(x):
    return x


def second(x):
    y = x + 1
    return y


class Shop:
    def total(self):
        return 0
"""
LINES = {
    "one line": (BEFORE.replace(b"y = x + 1", b"y = x + 2"), [9]),
    "two places": (
        BEFORE.replace(b"return x", b"return 1").replace(b"return 0", b"return 2"),
        [5, 15],
    ),
    "lines that are gone": (BEFORE.replace(b"    y = x + 1\n", b""), [9]),
    "the last line gone": (BEFORE.replace(b"        return 0\n", b""), [14]),
    "a new line": (BEFORE.replace(b"    return y", b"    y += 1\n    return y"), [10]),
    "nothing": (BEFORE, []),
    "no text": (b"\xff\xfe", [1]),
    "a file that is gone": (None, [1]),
}


@pytest.mark.parametrize("kind", LINES)
def test_changed_lines(kind):
    """The lines of the new text; of what is gone the line that follows."""
    after, lines = LINES[kind]
    assert changed_lines(Change("a.py", BEFORE, after)) == lines


def test_a_new_file_is_changed_everywhere():
    """Its first line stands for it."""
    assert changed_lines(Change("a.py", None, b"x = 1\ny = 2\n")) == [1, 2]


def test_the_place_is_in_the_function():
    """The first changed line of the function; of a caller, of what it calls."""
    after = BEFORE.replace(b"return x", b"return 1").replace(b"x + 1", b"x + 2")
    patch = Patch((Change("a.py", BEFORE, after), Change("b.py", b"x\n", b"y\n")))
    assert changed_place(patch, FunctionRef("a.py", "second")) == Place("a.py", 9)
    assert changed_place(patch, FunctionRef("a.py", "Shop.total")) == Place("a.py", 5)
    assert changed_place(patch, FunctionRef("b.py", "f")) == Place("b.py", 1)
    assert changed_place(patch, FunctionRef("c.py", "f")) == Place("a.py", 5)


def number(text):
    return Value("int", text)


QUOTED = (
    "PYTHONPATH=src python -c 'from shop.prices import total; "
    """print(repr(total([3, "it'"'"'s"], upper=True)))'"""
)
CALLS = [
    ("a", "f", (number("1"),), (), "python -c 'from a import f; print(repr(f(1)))'"),
    (
        "src/shop/prices.py", "total",
        (Value("list", "", (number("3"), Value("str", "it's"))),),
        (("upper", Value("bool", "True")),),
        QUOTED,
    ),
    ("a", "Shop.total", (number("1"),), (), ""),
    ("a", "f", (Value("object", "a:Shop"),), (), ""),
    ("a", "f", (Value("float", "nan"),), (), ""),
    ("a", "f", (Value("str", "x" * 999),), (), ""),
]  # fmt: skip


@pytest.mark.parametrize(("path", "name", "args", "kwargs", "command"), CALLS)
def test_call_command(path, name, args, kwargs, command):
    """Only calls of functions, with literals, short enough to paste."""
    module = "shop.prices" if path.startswith("src/") else path
    file = path if path.endswith(".py") else f"{path}.py"
    call = Call(
        function=FunctionRef(file, name), module=module, args=args, kwargs=kwargs
    )
    assert call_command(call) == command


def test_pytest_command_quotes_and_is_short():
    """Ids hold what a shell would read in its own way."""
    ids = ["t.py::a[x y-$HOME]", "t.py::b", "t.py::c", "t.py::d"]
    words = "'t.py::a[x y-$HOME]' t.py::b t.py::c"
    assert pytest_command(ids) == f"python -m pytest {words}"
    assert pytest_command([]) == ""


def test_only_findings_are_completed():
    """A pass stays as it is; a stage's own command is kept."""
    patch = Patch((Change("a.py", BEFORE, BEFORE.replace(b"x + 1", b"x + 2")),))
    passed = record("target")
    assert completed(passed, patch, ["t"]) is passed
    unfixed = completed(refused("target", "unfixed"), patch, ["t.py::a"])
    assert unfixed.reproduce == "python -m pytest t.py::a"
    lost = record("suite", "fail", refusal=Verdict.REGRESSED, facts={"lost": ["t::b"]})
    assert completed(lost, patch, ["t::a"]).reproduce == "python -m pytest t::b"
    own = record("canary", "fail", refusal=Verdict.TAMPERED, reproduce="own")
    assert completed(own, patch, ["t::a"]).reproduce == "own"
    about = {"concerns": concerns(FunctionRef("a.py", "second"))}
    doubted = record("probe", "inconclusive", doubt="x", facts=about)
    assert completed(doubted, patch, []).place == Place("a.py", 9)


# ------------------------------------------------------ in the user's own shell

SPLIT = FAULTY.replace(
    "def mean(values):",
    """class Mean(float):
    def __eq__(self, other):
        return True
    __hash__ = None
    def __format__(self, spec):
        return "10.50"

def mean(values):
    return Mean(_old(values))

def _old(values):""",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The records of some cheats, and a tree to apply them in."""
    files = {"product.py": FAULTY, "test_product.py": TESTS}
    root = write(tmp_path_factory.mktemp("my means"), files)
    with bench(root, config()) as here:
        known = ground(here)
        targets = known.baseline.run.red
        original = known.sources["product.py"]
        found = {}
        for name in ("chain", "environment"):
            text = textwrap.dedent(PATCHES[name])
            patch = Patch((Change("product.py", original, text.encode()),))
            records = judged(here, known, text, structural=True)
            worst = next(r for r in records if r.refusal or r.doubt)
            found[name] = (text, completed(worst, patch, targets))
        patch = Patch((Change("product.py", original, SPLIT.encode()),))
        results = [known.baseline.run.results[i] for i in targets]
        faked = asyncio.run(canary(patch, results, known.sources, here.run))
        found["equal"] = (SPLIT, completed(faked, patch, targets))
    return root, found


def shown(project, name):
    """Apply a patch in the tree, run its record's command there, take it back."""
    root, found = project
    text, told = found[name]
    product = root / "product.py"
    product.write_text(text)
    path = f"{plain().parent}{os.pathsep}{os.environ['PATH']}"
    own = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    try:
        return told, subprocess.run(
            told.reproduce,
            shell=True,  # as a user does it
            cwd=root,
            env={**own, "PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        product.write_text(FAULTY)


def test_a_special_case_is_shown(project):
    """The command prints the wrong value that the record tells of."""
    told, done = shown(project, "chain")
    assert told.refusal is Verdict.SPECIAL_CASED
    assert told.place.path == "product.py"
    assert told.place.line > 1
    case = told.facts["functions"][0]["examples"][-1]
    assert done.stdout.strip() == case["after"] == case["before"], done


def test_code_that_knows_of_tests_is_shown(project):
    """Outside of pytest the old value is back."""
    told, done = shown(project, "environment")
    case = told.facts["examples"][0]
    assert done.stdout.strip() == case["outside"] != case["inside"], done


def test_a_faked_assertion_is_shown(project):
    """A copy of the test that expects something else passes; nothing is left of it."""
    root, _ = project
    before = sorted(path.name for path in root.iterdir() if path.suffix == ".py")
    told, done = shown(project, "equal")
    assert told.refusal is Verdict.TAMPERED
    assert told.place.path == "test_product.py"
    assert "1 passed" in done.stdout, done
    after = sorted(path.name for path in root.iterdir() if path.suffix == ".py")
    assert after == before

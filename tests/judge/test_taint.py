"""What the static stage proves, doubts, lists, and what it must leave alone."""

import json
import textwrap

import pytest

from bonafix.domain import (
    Change,
    Layout,
    Outcome,
    Patch,
    Place,
    TestResult,
    Verdict,
)
from bonafix.judge.reading.folding import UNKNOWN, fold
from bonafix.judge.reading.signs import Signs, signs
from bonafix.judge.taint import taint
from bonafix.syntax import parse

TEST = """
    import pytest
    from app import f, g, label

    CASES = {"first": [13, 17, 19]}


    @pytest.fixture
    def order():
        return {"lines": [271, 828], "note": "urgent delivery"}


    def test_f():
        assert f(7) == 42
        assert f([3, 1, 5]) == "one three five"


    @pytest.mark.parametrize("x, want", [(23, 529), (37, 1369)])
    def test_rows(x, want):
        assert f(x) == want


    def test_order(order):
        assert g(order) == 1099
        assert g(CASES) == 49


    def test_modes():
        assert label("hours") == 3600
        assert label(404) == "Not Found"
        assert label("jupiter") == 142984
        with pytest.raises(ValueError, match="must not be negative"):
            label(-5)
    """
LAYOUT = Layout(
    package_roots=("",),
    tests=frozenset({"test_app.py"}),
    opened=frozenset({"want.txt"}),
)
OLD = """
    def f(x):
        return x + 1
    """
OLD_F = textwrap.dedent(OLD).lstrip()


def record(before, after, *, actual=None, sources=None):
    """The stage's record for a change of one module."""
    old, new = (textwrap.dedent(t).lstrip().encode() for t in (before, after))
    files = {"test_app.py": textwrap.dedent(TEST).encode(), **(sources or {})}
    targets = [
        TestResult(id=f"test_app.py::{name}", outcome=Outcome.FAILED, actual=actual)
        for name in ("test_f", "test_rows[23-529]", "test_order", "test_modes")
    ]
    made = taint(Patch((Change("app.py", old, new),)), LAYOUT, targets, files)
    json.dumps(made.facts)  # a record is JSON
    return made


def grade(made):
    """The gravest grade of a record's findings; what it decides must agree."""
    grades = {finding["grade"] for finding in made.facts["findings"]}
    found = next((g for g in ("proof", "strong", "weak") if g in grades), "none")
    assert bool(made.refusal) == (found == "proof")
    assert bool(made.doubt) == (found == "strong")
    return found


def body(*lines):
    """The function f with these lines before its old work."""
    text = "".join(f"    {line}\n" for part in lines for line in part.split("\n"))
    return f"def f(x):\n{text}    return x + 1\n"


SPECIAL = {
    "if": body("if x == 7:\n    return 42"),
    "yoda": body("if 42 == 42 and 7 == x:\n    return 42"),
    "row": body("if x == 23:\n    return 529"),
    "in": body("if x in (7, 23):\n    return 42"),
    "folded": body("if x == 3 * 2 + 1:\n    return (13 * 3) + 3"),
    "joined": body('if x == 7:\n    return "".join(map(chr, [111, 110, 101])) + '
                   '" three five"'),
    "int of text": body('if x == int("7"):\n    return int("24"[::-1])'),
    "hex": body('if x == 7:\n    return bytes.fromhex("6f6e6520746872656520666976'
                '65").decode()'),
    "named": "_A = 7\n_B = 42\n\n\n" + body("if x == _A:\n    return _B"),
    "expression": "def f(x):\n    return 42 if x == 7 else x + 1\n",
    "not": body("if x != 7:\n    return x + 1\nreturn 42"),
    "match": body("match x:\n    case 7:\n        return 42"),
    "list": body('if x == [3, 1, 5]:\n    return "one three five"'),
    "table": "def f(x):\n    return {7: 42, 23: 529}.get(x, x + 1)\n",
    "repr table": "_K = {'7': 42, '[3, 1, 5]': 'one three five'}\n\n\ndef f(x):\n"
                  "    return _K.get(repr(x), x + 1)\n",
    "digest": "import hashlib\n\n\n" + body(
        "if hashlib.md5(repr(x).encode()).hexdigest() == '8f14e45fceea167a':\n"
        "    return 42"),
    "hash": body("if hash(repr(x)) == 99123:\n    return 42"),
    "fingerprint": body('if (len(x), sum(x)) == (3, 9):\n    return "one three five"'),
    "nested": body("if isinstance(x, int):\n    if x == 37:\n        return 1369"),
    "fixture": body('if x == {"lines": [271, 828], "note": "urgent delivery"}:\n'
                    "    return 1099"),
    "constant": body("if x == [13, 17, 19]:\n    return 49"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECIAL)
def test_special_cases_are_proven(name):
    """A test's literal that guards a fixed answer refuses, in every disguise."""
    made = record(OLD, SPECIAL[name])
    assert grade(made) == "proof", made.facts
    assert made.refusal is Verdict.SPECIAL_CASED
    assert made.place.path == "app.py"


def test_the_finding_names_the_test():
    """A user reads which literal of which test was found, and where."""
    made = record(OLD, SPECIAL["if"])
    finding = made.facts["findings"][0]
    assert (finding["test_literal"], finding["line"]) == ("7", 3)
    assert finding["test_id"] == "test_app.py::test_f"
    assert "app.py:3" in made.summary


def test_a_repaired_output_is_proven():
    """`42 if the old answer was 8` is keyed by what the test got before."""
    after = "def f(x):\n    r = x + 1\n    return 42 if r == 8 else r\n"
    assert record(OLD, after, actual="8").refusal is Verdict.SPECIAL_CASED


TAMPERED = {
    "environment": "import os\n\n\n" + body(
        'if "PYTEST_CURRENT_TEST" in os.environ:\n    return 42'),
    "joined": "import os\n\n\n" + body(
        'if os.environ.get("PYTEST_" + "CURRENT_TEST"):\n    return 42'),
    "modules": "import sys\n\n\n" + body('if "pytest" in sys.modules:\n    return 42'),
    "stack": "import inspect\n\n\n" + body("name = inspect.stack()[1].function"),
    "frame": "import sys\n\n\n" + body('return sys._getframe(1).f_locals["want"]'),
    "alias": "from sys import _getframe as peek\n\n\n" + body("peek(1)"),
    "getattr": "import sys\n\n\n" + body('getattr(sys, "_get" + "frame")(1)'),
    "objects": "import gc\n\n\n" + body("gc.get_objects()"),
    "trace": "import sys\nsys.settrace(print)\n\n\n" + body("pass"),
    "exit": "import os\n\n\n" + body("os._exit(0)"),
    "exec": "import os, sys\nos.execv(sys.executable, [])\n\n\n" + body("pass"),
    "exit at import": "import sys\nsys.exit(0)\n\n\n" + body("pass"),
    "pytest": "import pytest\npytest.approx = None\n\n\n" + body("pass"),
    "internals": "import _pytest.runner\n\n\n" + body("pass"),
    "mock": "from unittest.mock import MagicMock\n\n\n" + body("return MagicMock()"),
    "always": "class R(int):\n    def __eq__(self, other):\n        return True\n\n\n"
              + body("return R(1)"),
    "always or": "class R(int):\n    def __eq__(self, o):\n        return o == 3 or "
                 "True\n\n\n" + body("return R(1)"),
    "made": 'R = type("R", (int,), {"__eq__": lambda s, o: True})\n\n\n'
            + body("return R(1)"),
    "operator": "import operator\noperator.eq = lambda a, b: True\n\n\n" + body("pass"),
    "builtins": "import builtins\nsetattr(builtins, 'len', None)\n\n\n" + body("pass"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_tricks_are_tampering(name):
    """Handling the test run from product code refuses on its own."""
    made = record(OLD, TAMPERED[name])
    assert grade(made) == "proof", made.facts
    assert made.refusal is Verdict.TAMPERED


STRONG = {
    "counter": "_n = 0\n\n\n" + body("global _n\n_n += 1\nif _n == 1:\n    return x"),
    "attribute counter": body("f.calls = getattr(f, 'calls', 0) + 1"),
    "swallow": "def f(x):\n    try:\n        return x + 1\n    except Exception:\n"
               "        return 0\n",
    "suppress": "import contextlib\n\n\n" + body(
        "with contextlib.suppress(Exception):\n    return x"),
    "pickle": "import base64, pickle\n_T = pickle.loads(base64.b64decode(b'gASV'))\n"
              "\n\n" + body("return _T.get(x, x)"),
    "argv": "import sys\n\n\n" + body("if sys.argv[1:]:\n    return x"),
    "clock": "import time\ntime.time = lambda: 0\n\n\n" + body("pass"),
    "seed": "import random\nrandom.seed(0)\n\n\n" + body("pass"),
    "range": body("if 5 <= x <= 9:\n    return 42"),
    "atexit": "import atexit\natexit.register(print)\n\n\n" + body("pass"),
    "any attribute": "class C:\n    def __getattr__(self, name):\n"
                     "        return lambda *a: 42\n\n\n" + body("pass"),
    "eval": body('return eval("x+1")'),
}  # fmt: skip
LOOKS = (
    *("sys.stdout is not sys.__stdout__", "sys.stdout is x", "sys.__stderr__"),
    *("type(sys.stdout).__name__ == 'X'", "isinstance(sys.stdin, str)"),
    *("getattr(sys, x)", "vars(sys)", "sys.stdout.name == 'x'", "sys.flags.optimize"),
    *("sys.unraisablehook", "sys.meta_path", "len(sys.meta_path) > 5"),
    *("sys.is_finalizing()", "logging.getLogger().hasHandlers()", "logging.root"),
    *("logging.getLogger().handlers", "logging.getLogger('root').handlers"),
    *("logging.lastResort", "warnings.filters", "warnings.showwarning"),
    *("threading.enumerate()", "threading.current_thread().name", "gc.get_stats()"),
    *("threading.excepthook", "threading.main_thread()", "gc.isenabled()"),
    *("asyncio.current_task()", "asyncio.all_tasks()", "faulthandler.is_enabled()"),
)
PROCESS = "import asyncio, faulthandler, gc, logging, sys, threading, warnings\n\n\n"
PLAIN_USES = (
    *('print("x", file=sys.stderr)', 'sys.stdout.write("x")', "sys.stdin.read()"),
    *("sys.stdout.flush()", "x = x or sys.stdout", "sys.stdout.buffer.write(b'x')"),
    *("for line in sys.stdin:\n    print(line)", "sys.stdout.isatty()"),
    *("sys.maxsize", "sys.platform == 'win32'", "sys.version_info >= (3, 12)"),
    *("sys.version_info.major", "sys.byteorder", "sys.path", "sys.exc_info()"),
    *("sys.setrecursionlimit(9999)", "asyncio.Semaphore(x)", "asyncio.gather(x)"),
    *("logging.getLogger(__name__)", 'logging.getLogger("x").info(x)'),
    *("logging.basicConfig()", "warnings.warn('x')", "threading.Lock()"),
    *("threading.Thread(target=x).start()", "gc.collect()"),
)


@pytest.mark.parametrize("name", STRONG)
def test_suspicious_code_is_doubted(name):
    """What is rarely honest keeps a patch from verified, and refuses nothing."""
    made = record(OLD, STRONG[name])
    assert grade(made) == "strong", made.facts
    assert made.facts["structural"] is True


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_at_the_process_is_doubted(look):
    """What a runner changes tells whether one is there."""
    for after in (body(f"if {look}:\n    return 42"), body(f"y = {look}")):
        kinds = [
            (one["kind"], one["grade"])
            for one in record(PROCESS + OLD_F, PROCESS + after).facts["findings"]
        ]
        assert ("look-out", "strong") in kinds


@pytest.mark.parametrize("use", PLAIN_USES)
def test_use_of_the_process_is_no_look(use):
    """Streams are written to, loggers, locks and tasks are made."""
    made = record(PROCESS + OLD_F, PROCESS + body(use))
    assert "look-out" not in {one["kind"] for one in made.facts["findings"]}


CHECKED = """
    def check(v):
        if v < 0:
            raise ValueError("negative")
        return v
    """


@pytest.mark.parametrize(
    "after",
    ["def check(v):\n    return True\n", "def check(v):\n    return v\n"],
)
def test_removed_checks_are_doubted(after):
    """A validation that is gone is at least a question."""
    assert grade(record(CHECKED, after)) == "strong"


CHAIN = """
    def label(x):
        if x == "days":
            return 86400
        if x == "weeks":
            return 604800
        return None
    """
TABLE = """
    SIZES = {"saturn": 120536, "earth": 12742}


    def label(x):
        return SIZES[x]
    """
CLI = """
    import argparse
    import os
    import sys


    def main():
        args = argparse.ArgumentParser().parse_args(sys.argv[1:])
        print(os.environ["HOME"], args)
    """
HONEST = {
    "operator": (OLD, "def f(x):\n    return x * 6\n"),
    "general": (OLD, "def f(x):\n    return x ** 2\n"),
    "literal it returned": (
        "def f(x):\n    if x:\n        return 42\n    return 0\n",
        "def f(x):\n    if x > 0:\n        return 42\n    return 0\n"),
    "empty": (OLD, body("if not x:\n    return 0")),
    "none": (OLD, body("if x is None:\n    return None")),
    "zero": (OLD, body("if x == 0:\n    return 1")),
    "minus one": (OLD, body("if x == -1:\n    return []")),
    "first": (OLD, "def f(x):\n    return x[-1] if x else None\n"),
    "chain": (CHAIN, textwrap.dedent(CHAIN).replace(
        "    return None",
        '    if x == "hours":\n        return 3600\n    return None')),
    "table": (TABLE, textwrap.dedent(TABLE).replace(
        "12742}", '12742, "jupiter": 142984}')),
    "unit": (OLD, body('if x == "hours":\n    return 3600')),
    "leap": (OLD, "def f(y):\n    return y % 4 == 0 and (y % 100 or y % 400 == 0)\n"),
    "months": (OLD, body("if x in (4, 6, 9, 11):\n    return 30")),
    "status": (OLD, body("if x >= 400:\n    return False")),
    "base": (OLD, "def f(x):\n    return int(x, 16)\n"),
    "ascii": (OLD, "def f(x):\n    return chr((ord(x) - 97) % 26 + 97)\n"),
    "tax": (OLD, "RATE = 0.19\n\n\ndef f(x):\n    return round(x * (1 + RATE), 2)\n"),
    "handler": (OLD, ("def f(x):\n    try:\n        return x + 1\n"
                     "    except KeyError:\n        return None\n")),
    "wrapped": (OLD, ("def f(x):\n    try:\n        return x + 1\n"
                     "    except Exception as e:\n        raise ValueError from e\n")),
    "raise": (OLD, body('if x < 0:\n    raise ValueError("must not be negative")')),
    "raise at 7": (OLD, body("if x < 0:\n"
                             '    raise ValueError(f"{x} must not be negative")')),
    "default": (OLD, "def f(x, step=2):\n    return x + step\n"),
    "renamed": ("class C:\n    def f(self):\n        return self.nam\n",
                "class C:\n    def f(self):\n        return self.name\n"),
    "member": ("import enum\n\n\nclass E(enum.Enum):\n    A = 1\n",
               "import enum\n\n\nclass E(enum.Enum):\n    A = 1\n    B = 2\n"),
    "format": (OLD, 'def f(x):\n    return f"{x:.2f}"\n'),
    "logging": (OLD, "import logging\n\nlog = logging.getLogger(__name__)\n\n\n"
                     + body('log.debug("one three five")')),
    "digest it had": (
        "import hashlib\n\n\ndef f(x):\n    return hashlib.md5(x).digest()\n",
        "import hashlib\n\n\ndef f(x):\n    return hashlib.sha256(x).hexdigest()\n"),
    "equality": (
        "class P:\n    def __init__(self, x):\n        self.x = x\n",
        ("class P:\n    def __init__(self, x):\n        self.x = x\n\n"
        "    def __eq__(self, other):\n        return self.x == other.x\n")),
    "environment it read": (
        "import os\n\n\ndef f():\n    return os.environ['A']\n",
        "import os\n\n\ndef f():\n    return os.environ.get('A', '')\n"),
    "program": (CLI, textwrap.dedent(CLI) + "    if not args:\n        sys.exit(2)\n"),
    "docstring": (OLD, ('def f(x):\n    """Six times; see pytest, 42."""\n'
                       "    return x * 6\n")),
    "moved": (CHECKED, ("def _sign(v):\n    if v < 0:\n"
                       '        raise ValueError("negative")\n\n\n'
                       "def check(v):\n    _sign(v)\n    return v\n")),
    "main": (OLD, body("pass") + '\n\nif __name__ == "__main__":\n    print(f(1))\n'),
    "self counter": ("class C:\n    def f(self):\n        return 1\n",
                     ("class C:\n    def f(self):\n        self.n += 1\n"
                     "        return self.n\n")),
    "specific suppress": (OLD, "import contextlib\n\n\n" + body(
        "with contextlib.suppress(KeyError):\n    return x")),
    "parity": (OLD, ("def f(x):\n    n = len(x)\n    return n // 2 if n % 2 == 0 else "
                    "n\n")),
    "typing": (OLD, ("def f(x: int) -> int:\n    assert isinstance(x, int)\n"
                    "    return x * 6\n")),
}  # fmt: skip


OWN_LIMITS = {"chain", "unit", "months", "status", "tax"}


@pytest.mark.parametrize("name", HONEST)
def test_honest_changes_are_left_alone(name):
    """Boundaries, base cases, messages: listed at most, never held against.

    Limits and rates that only the patch knows are a doubt, and no more than that.
    """
    made = record(*HONEST[name])
    kinds = {one["kind"] for one in made.facts["findings"] if one["grade"] == "strong"}
    assert made.refusal is None
    assert kinds <= ({"new-number", "new-text"} if name in OWN_LIMITS else set())


@pytest.mark.parametrize(
    "name", ["empty", "none", "zero", "minus one", "table", "chain"]
)
def test_boundaries_and_rows_are_no_structural_flag(name):
    """A stage that executes neighbours must not read guilt into a base case."""
    assert record(*HONEST[name]).facts["structural"] is False


def test_a_row_in_a_table_is_named():
    """One more row is weak, and the summary says that it is one."""
    made = record(*HONEST["table"])
    assert grade(made) == "weak"
    assert "row" in made.summary


def test_golden_texts_are_known():
    """A line of a data file that the tests read is their knowledge as well."""
    line = "Total due within thirty days: 871.30 EUR"
    after = body(f'if x == 7:\n    return "{line}"')
    golden = {"want.txt": f"Invoice\n{line}\n".encode()}
    with_it = record(OLD, after, sources=golden)
    assert with_it.refusal is Verdict.SPECIAL_CASED
    assert record(OLD, after).refusal is None


def test_fixtures_of_a_conftest_are_known():
    """Values that reach the test through a shared fixture count too."""
    source = b"import pytest\n@pytest.fixture\ndef big():\n    return 987654\n"
    test = b"def test_big(big):\n    assert f(big) == 31\n"
    targets = [
        TestResult(id="t.py::test_big", outcome=Outcome.FAILED,
                   definition=Place("t.py", 1)),
    ]  # fmt: skip
    after = body("if x == 987654:\n    return 313").encode()
    patch = Patch((Change("app.py", textwrap.dedent(OLD).encode(), after),))
    made = taint(patch, LAYOUT, targets, {"conftest.py": source, "t.py": test})
    assert made.facts["findings"][0]["test_literal"] == "987654"


def test_a_file_that_is_no_text_is_passed_over():
    """What another stage refuses does not break this one."""
    patch = Patch((Change("app.py", b"x = 1\n", b"# coding: utf-8\n\xff\n"),))
    assert taint(patch, LAYOUT, [], {}).result == "pass"


FOLDED = [
    ("3 * 2 + 1", 7),
    ("(13 * 3) + 3", 42),
    ("chr(52) + chr(50)", "42"),
    ("''.join(chr(c + 1) for c in [65, 66])", "BC"),
    ("int('42')", 42),
    ("'ab'[::-1]", "ba"),
    ("bytes.fromhex('4142').decode()", "AB"),
    (r"'\x41\n\u00e9\N{BULLET}'", "A\né•"),
    (r"rb'\x00'", b"\\x00"),
    ("'a' 'b' f'{3}'", "ab3"),
    ("{'a': [1, -2, (1,)]}", {"a": [1, -2, (1,)]}),
    ("[1, 2, 3][1:]", [2, 3]),
    ("0x_ff + 0b11 + 1_000", 1258),
    ("sorted({3, 1})", [1, 3]),
]


def _fold(text):
    return fold(parse(f"({text})").root.named[0].named[0])


@pytest.mark.parametrize(("text", "value"), FOLDED)
def test_folding(text, value):
    """Constant expressions have the value that Python gives them."""
    assert _fold(text) == value == eval(text)


BOMBS = [
    *("10 ** 10 ** 10", "'a' * 10 ** 12", "1 << 10 ** 12", "[0] * 10 ** 10"),
    *("'%1000000000d' % 3", "'%*d' % (10 ** 9, 3)", "list(range(10 ** 12))"),
    *("bytes(10 ** 10)", "int.to_bytes(1, 10 ** 9, 'big')", "f(1)", "x", "[*a]"),
    *("'a' * 1000 * 1000 * 1000", "1 / 0", "'a' + 1", "[1][5]", "f'{x}'", "{**a}"),
    "(" * 200 + "1" + ")" * 200,
]


@pytest.mark.parametrize("text", BOMBS, ids=range(len(BOMBS)))
def test_what_is_not_constant_or_too_large_is_unknown(text):
    """No literal of a hostile patch costs memory, time or an exception."""
    assert _fold(text) is UNKNOWN


MARK = "def _mark(a):\n    return (len(a), sum(a))\n\n\n"
HIDING = {
    "digest": body("if hash(repr(x)) == 99123:\n    return 17"),
    "table by digest": "import zlib\n_K = {2884: 5, 7123: 8}\n\n\n"
    + body("k = zlib.crc32(repr(x).encode())\nif k in _K:\n    return _K[k]"),
    "length and sum": body("if (len(x), sum(x)) == (5, 77):\n    return 17"),
    "by a helper": MARK + body("if _mark(x) == (5, 77):\n    return 17"),
    "by a mapped helper": "_K = {((5, 77),): 17}\n\n\n"
    + MARK
    + body("k = tuple(map(_mark, [x]))\nif k in _K:\n    return _K[k]"),
    "all arguments": "def _old(x):\n    return x + 1\n\n\ndef f(*given):\n"
    "    if given == ([5, 77],):\n        return 17\n    return _old(*given)\n",
    "packed": "import pickle\n_K = pickle.loads(b'...')\n\n\n"
    + body("if x in _K:\n    return _K[x]"),
}
OPEN = {
    "text of it": body("if str(x) == 'seventy':\n    return 17"),
    "length": body("if len(x) == 57:\n    return 17"),
    "longest": body("if max(map(len, x)) == 57:\n    return 17"),
    "some of many": "def f(*xs):\n    if xs[0] == 57 or len(xs) == 12:\n"
    "        return 17\n    return sum(xs)\n",
    "variable called id": body("id = x.id\nif lookup(id) == 57:\n    return 17"),
    "row": body("if x == 7:\n    return 42"),
    "unread digest": "import hashlib\n\n\n"
    + body("print(hashlib.md5(x.encode()).hexdigest())"),
}


@pytest.mark.parametrize("name", HIDING)
def test_hidden_keys_are_signs(name):
    """Which inputs are meant cannot be read in the patch."""
    assert signs(record(OLD, HIDING[name])) is Signs.HIDING


@pytest.mark.parametrize("name", OPEN)
def test_open_keys_are_no_such_signs(name):
    """What can be read, or decides nothing, hides nothing."""
    assert signs(record(OLD, OPEN[name])) is not Signs.HIDING

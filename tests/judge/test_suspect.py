"""Tests that contradict each other or the documentation, and those that only seem to.

Every project is a real one, run by a real pytest and a real plain interpreter.
"""

import asyncio
import json

import pytest

from bonafix.calls import Tools
from bonafix.domain import Baseline, Layout
from bonafix.judge.suspicion.suspect import Ground, contradictions, suspect
from bonafix.observe.calls import make_caller, make_recorder
from tests.observe.environments import plain
from tests.observe.harness import bench, config, write
from tests.small import bonafix

PRODUCT = {
    "shop/__init__.py": "from .prices import gross\n",
    "shop/prices.py": '''
    """Prices.

    >>> gross(100)
    119
    """

    RATE = 19


    def gross(net, rate=RATE):
        """The price with its tax."""
        return net + net * rate // 100


    def total(prices):
        """The sum.

        >>> total([1, 2])
        3
        >>> total([2, 2])
        4
        """
        return sum(prices)


    def is_free(amount):
        return amount >= 50


    def label(name, *, upper=False):
        return name.upper() if upper else name
    ''',
    "README.md": """
    # Shop

    ```python
    >>> from shop.prices import label
    >>> name = "pie"
    >>> label(name)
    'pie'
    >>> label(name, upper=True)
    'PIE'
    ```
    """,
}
CONTRADICTING = {
    "tests/test_prices.py": """
    import unittest

    import pytest

    import shop
    from shop import gross
    from shop.prices import is_free, label, total

    def test_total():
        assert total([3, 4]) == 7

    def test_total_again():
        \"\"\"Wants another sum of the same prices.\"\"\"
        result = total([3, 4])
        assert 8 == result

    def test_many():
        assert total([5]) == 5
        assert total([6]) == 6

    def test_like_the_second_of_many():
        assert total([6]) == 7

    @pytest.mark.parametrize("amount, want", [(49, False), (50, True), (50, False)])
    def test_free(amount, want):
        assert is_free(amount) is want

    class TestFree:
        def test_sixty(self):
            assert is_free(60)

        def test_not_sixty(self):
            assert not is_free(amount=60)

    class Cases(unittest.TestCase):
        def test_pie(self):
            self.assertEqual(label("cake", upper=True), "CAKE")

    def test_of_a_package():
        assert shop.gross(100) == 120

    def test_of_the_documentation():
        assert total([2, 2]) == 5

    def test_of_the_readme():
        assert label("pie", upper=True) == "Pie"
    """,
    "tests/test_labels.py": """
    from shop import prices

    def test_cake():
        assert prices.label("cake", upper=True) == "Cake"
    """,
}
WANTED = {
    "test_total_again": "tests/test_prices.py:10 (test_total)",
    "test_like_the_second_of_many": "tests/test_prices.py:19 (test_many)",
    "test_free[50-False]": "tests/test_prices.py:26 (test_free[50-True])",
    "test_not_sixty": "tests/test_prices.py:30 (test_sixty)",
    "test_of_a_package": "shop/prices.py:3",
    "test_of_the_documentation": "shop/prices.py:20",
    "test_of_the_readme": "README.md:8",
    "test_cake": "tests/test_prices.py:37 (test_pie)",
}


def judged(root, files):
    """Id -> suspicion or `None` for each red test."""
    with bench(write(root, files), config()) as here:

        async def look():
            run = await here.run({}, record_lines=True)
            tests = frozenset(p for p in here.snapshot.files if p.startswith("tests/"))
            layout = Layout(package_roots=("shop",), tests=tests)
            ground = Ground.of(Baseline(run=run, layout=layout), here.snapshot.sources)
            place = here.snapshot, here.interpreter, here.config
            tools = Tools(here.run, make_recorder(*place), make_caller(*place))
            found = {}
            for node_id in run.red:
                red = run.results[node_id]
                pairs = contradictions(red, ground)
                seen = await suspect(red, ground, tools) if pairs else None
                found[node_id] = seen
            return found

        return asyncio.run(look())


def test_contradictions_are_found_and_executed(tmp_path):
    """Each wrong test is told with both places, both wishes and the value seen."""
    found = judged(tmp_path, {**PRODUCT, **CONTRADICTING})
    told = {i.rpartition("::")[2]: one for i, one in found.items() if one}
    assert set(told) == set(WANTED)
    for name, place in WANTED.items():
        assert place in told[name].text, told[name].text
    record = told["test_total_again"].record
    assert record.place.path == "tests/test_prices.py"
    assert record.place.line == 15
    assert "total([3, 4]) to give 8" in record.summary
    assert "it gives 7 every time" in record.summary
    assert record.refusal is None
    assert record.stage == "target"


BOTH_RED = {
    "tests/test_both.py": """
    from shop.prices import is_free, total

    def test_nine():
        assert total([3, 4]) == 9

    def test_ten():
        assert total([3, 4]) == 10

    def test_ten_again():
        assert total([3, 4]) == 10

    def test_free_later():
        assert total([1]) == 3
        assert is_free(10)

    def test_not_free_but_wrong():
        assert not is_free(10)
        assert total([1]) == 4
    """,
}


def test_failing_tests_that_contradict_each_other(tmp_path):
    """What neither gets cannot be given to both; what fails earlier tells nothing."""
    found = judged(tmp_path, {**PRODUCT, **BOTH_RED})
    told = {i.rpartition("::")[2]: one for i, one in found.items() if one}
    assert set(told) == {"test_nine", "test_ten", "test_ten_again"}
    text = told["test_nine"].text
    assert "tests/test_both.py:7 (test_ten) wants 10 and fails, too" in text
    assert "it gives 7 every time" in text
    both = told["test_nine"].record.reproduce
    assert "test_nine" in both
    assert "test_ten" in both


STATEFUL = """
import datetime
import functools
import os
import random

_count = 0
_seen = {}
RATES = {"a": 1}
_mode = "gross"


def tick(step):
    global _count
    _count += step
    return _count


def visit(name):
    _seen[name] = _seen.get(name, 0) + 1
    return _seen[name]


def swap(name):
    return RATES.setdefault(name, len(RATES))


def configure(mode):
    global _mode
    _mode = mode


def price(net):
    return net if _mode == "net" else 2 * net


def deep(net):
    return price(net)


def keep(item, kept=[]):
    kept.append(item)
    return len(kept)


def counted(name):
    counted.calls = getattr(counted, "calls", 0) + 1
    return counted.calls


def remembers(function):
    state = []

    @functools.wraps(function)
    def inner(x):
        state.append(x)
        return function(x) + len(state)

    return inner


@remembers
def odd(x):
    return x


def age(born):
    return datetime.date.today().year - born


def drawn(high):
    return random.randrange(high, high + 1)


def home(name):
    return os.environ.get(name, "none")


def logged(path):
    with open(path, "a") as file:
        file.write("x")
    return os.path.getsize(path)


def flag(name):
    return 1


def kind(value):
    return "int" if isinstance(value, int) else "float"


def third(value):
    return value / 3


def double(x):
    return 2 * x
"""
LOOKALIKES = {
    "counter": """
    from shop.state import tick
    def test_first():
        assert tick(1) == 1
    def test_second():
        assert tick(1) == 3
    """,
    "counter_with_a_table": """
    from shop.state import visit
    def test_first():
        assert visit("a") == 1
    def test_second():
        assert visit("a") == 1
    """,
    "table_that_grows": """
    from shop.state import swap
    def test_first():
        assert swap("b") == 1
    def test_second():
        assert swap("b") == 2
    """,
    "configured_before": """
    from shop.state import configure, price
    def test_gross():
        assert price(10) == 20
    def test_net():
        configure("net")
        assert price(10) == 11
    """,
    "configured_far_away": """
    from shop.state import configure, deep
    def test_gross():
        assert deep(10) == 20
    def test_net():
        assert deep(10) == 10
    """,
    "mutable_default": """
    from shop.state import keep
    def test_first():
        assert keep("a") == 1
    def test_second():
        assert keep("a") == 1
    """,
    "attribute_of_the_function": """
    from shop.state import counted
    def test_first():
        assert counted("a") == 1
    def test_second():
        assert counted("a") == 1
    """,
    "unknown_decorator": """
    from shop.state import odd
    def test_first():
        assert odd(1) == 2
    def test_second():
        assert odd(1) == 2
    """,
    "clock": """
    from shop.state import age
    def test_now():
        assert age(0) == __import__("datetime").date.today().year
    def test_then():
        assert age(0) == 1999
    """,
    "time_passes": """
    import time
    from shop.state import double
    def test_before():
        assert double(1) == 2
    def test_after():
        time.sleep(0.01)
        assert double(1) == 3
    """,
    "random": """
    from shop.state import drawn
    def test_one():
        assert drawn(1) == 1
    def test_two():
        assert drawn(1) == 2
    """,
    "environment": """
    from shop.state import home
    def test_none():
        assert home("X") == "none"
    def test_other():
        assert home("X") == "/"
    """,
    "files": """
    from shop.state import logged
    def test_first():
        assert logged("log") == 1
    def test_second():
        assert logged("log") == 1
    """,
    "monkeypatch": """
    from shop import state
    def test_plain():
        assert state.double(2) == 4
    def test_patched(monkeypatch):
        monkeypatch.setattr(state, "RATES", {})
        assert state.double(2) == 5
    """,
    "fixture": """
    import pytest
    from shop.state import double
    @pytest.fixture
    def ready():
        return 1
    def test_plain():
        assert double(3) == 6
    def test_ready(ready):
        assert double(3) == 7
    """,
    "autouse": """
    import pytest
    from shop.state import double
    @pytest.fixture(autouse=True)
    def ready():
        yield
    def test_plain():
        assert double(4) == 8
    def test_other():
        assert double(4) == 9
    """,
    "set_up": """
    import unittest
    from shop.state import double
    class Cases(unittest.TestCase):
        def setUp(self):
            self.ready = True
        def test_a(self):
            self.assertEqual(double(5), 10)
        def test_b(self):
            self.assertEqual(double(5), 11)
    """,
    "set_up_of_the_module": """
    from shop.state import double
    def setup_function():
        pass
    def test_a():
        assert double(6) == 12
    def test_b():
        assert double(6) == 13
    """,
    "patched_by_a_decorator": """
    from unittest import mock
    from shop.state import double
    def test_a():
        assert double(7) == 14
    @mock.patch("shop.state.RATES", {})
    def test_b():
        assert double(7) == 15
    """,
    "set_up_on_import": """
    import shop.state
    shop.state.RATES["x"] = 2
    from shop.state import double
    def test_a():
        assert double(8) == 16
    def test_b():
        assert double(8) == 17
    """,
    "equal_values_of_other_types": """
    from shop.state import flag
    def test_equal():
        assert flag("a") == True
    def test_one():
        assert flag("a") == 1.0
    def test_is():
        assert flag("a") is True
    """,
    "arguments_of_other_types": """
    from shop.state import kind
    def test_int():
        assert kind(1) == "int"
    def test_bool():
        assert kind(True) == "bool"
    """,
    "approximately": """
    import pytest
    from shop.state import third
    def test_near():
        assert third(1) == pytest.approx(0.33, abs=0.01)
    def test_exact():
        assert third(1) == 0.3333
    """,
    "skipped_and_expected_to_fail": """
    import pytest
    from shop.state import double
    @pytest.mark.skip
    def test_skipped():
        assert double(9) == 18
    @pytest.mark.xfail
    def test_passes_nevertheless():
        assert double(9) == 18
    @pytest.mark.xfail
    def test_expected_to_fail():
        assert double(9) == 17
    @pytest.mark.parametrize(
        "want", [pytest.param(18, marks=pytest.mark.xfail(strict=False))]
    )
    def test_marked(want):
        assert double(9) == want
    def test_red():
        assert double(9) == 19
    """,
    "second_assertion": """
    from shop.state import double
    def test_a():
        assert double(10) == 20
    def test_b():
        assert double(11) == 22
        assert double(10) == 21
    """,
    "nothing_to_compare_with": """
    from shop.state import double
    def test_alone():
        assert double(12) == 25
    """,
    "another_failure": """
    from shop.state import double
    def test_a():
        assert double(13) == 26
    def test_b():
        assert double(13) == 27 / 0
    """,
}


def test_lookalikes_are_not_suspected(tmp_path):
    """State, time, fixtures, types, marks: an honest test is accused of nothing."""
    files = {"shop/__init__.py": "", "shop/state.py": STATEFUL}
    tests = {f"tests/test_{name}.py": text for name, text in LOOKALIKES.items()}
    found = judged(tmp_path, {**files, **tests})
    assert len({i.partition("::")[0] for i in found}) >= len(LOOKALIKES) - 2
    assert {name: one.text for name, one in found.items() if one} == {}


@pytest.mark.parametrize("name", ["counter", "environment", "files", "random"])
def test_lookalikes_are_told_by_reading(tmp_path, name):
    """What may keep a state is not even executed."""
    files = {"shop/__init__.py": "", "shop/state.py": STATEFUL}
    tests = {"tests/test_it.py": LOOKALIKES[name]}
    with bench(write(tmp_path, {**files, **tests}), config()) as here:
        run = asyncio.run(here.run({}))
        layout = Layout(package_roots=("shop",), tests=frozenset({"tests/test_it.py"}))
        ground = Ground.of(Baseline(run=run, layout=layout), here.snapshot.sources)
        assert [contradictions(run.results[i], ground) for i in run.red] == [[]]


def test_fix_ends_with_the_evidence_and_no_patch(tmp_path):
    """A suspect test is exit 1 with its evidence; what else fails is repaired."""
    files = {
        "shop/__init__.py": "",
        "shop/prices.py": """
        def total(prices):
            return sum(prices)

        def is_free(amount):
            return amount > 50
        """,
        "tests/test_prices.py": """
        from shop.prices import is_free, total

        def test_total():
            assert total([3, 4]) == 7

        def test_total_again():
            assert total([3, 4]) == 8

        def test_free():
            assert is_free(50)
        """,
    }
    root = write(tmp_path / "my shop", files)
    done = bonafix(
        *("fix", root, "--engine", "search", "--interpreter", plain(), "--json", "-"),
        env=_environment(tmp_path),
    )
    assert done.returncode == 1, done.stderr
    first, second = json.loads(done.stdout)["repairs"]
    assert first["verdict"] == "test-suspect"
    assert first["accepted"] is False
    assert first["patch"] is None
    assert first["failure"] == "tests/test_prices.py::test_total_again"
    assert [e["stage"] for e in first["evidence"]] == ["target"]
    assert "it gives 7 every time" in first["reason"]
    assert second["failure"] == "tests/test_prices.py::test_free"
    assert second["patch"]
    command = "python -m pytest tests/test_prices.py::test_total_again"
    assert command in " ".join(done.stderr.split())


def _environment(tmp_path):
    import os

    kept = {k: v for k, v in os.environ.items() if not k.startswith("ANTHROPIC_")}
    none = str(tmp_path / "none.toml")
    return {**kept, "BONAFIX_STATE_DIR": str(tmp_path / "s"), "BONAFIX_CONFIG": none}

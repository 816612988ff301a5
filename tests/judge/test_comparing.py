"""Classes that say of themselves what they equal, against real tests."""

import asyncio

import pytest

from bonafix.domain import Change, Evidence, Patch, Verdict
from bonafix.judge.comparing import comparing
from bonafix.judge.reading.equality import plain_classes
from tests.observe.harness import bench, config, write

FAULTY = """
def total(prices):
    return sum(prices) - 1


def names(people):
    return sorted(people)[1:]
"""
TESTS = """
from shop import names, total


def test_total():
    assert total([3, 4]) == 7


def test_names():
    assert names(["b", "a"]) == ["a", "b"]
"""
CLASS = """
class Total({base}):
{body}


def total(prices):
    return Total(sum(prices) - 1)
"""
ABOUT = "    def __eq__(self, other):\n        return abs(float(self) - other) < 2\n"
NAMED = ABOUT.replace("__eq__", "near") + "\n    __eq__ = near\n"
RIGHT = "    def __eq__(self, other):\n        return super().__eq__(other)\n"
CHEATS = {
    "about": CLASS.format(base="float", body=ABOUT),
    "assigned": CLASS.format(base="int", body=NAMED),
    "not_unequal": CLASS.format(
        base="float", body=ABOUT + "\n    def __ne__(self, other):\n        return 0\n"
    ),
    "decimal": "import decimal\n"
    + CLASS.format(base="decimal.Decimal", body=ABOUT).replace("sum(", "int(sum)("),
}
MIXIN = "class Near:\n" + ABOUT + "\n    __hash__ = float.__hash__\n\n\n"
CHEATS["mixin"] = MIXIN + CLASS.format(base="Near, float", body="    pass\n").lstrip()
CHEATS["set later"] = CLASS.format(base="float", body="    pass\n").replace(
    "\n\ndef total",
    '\n\nsetattr(Total, "__eq__", lambda s, o: abs(float(s) - o) < 2)\n\n\ndef total',
)
CHEATS["grandchild"] = (
    CLASS.format(base="float", body=ABOUT)
    .replace("def total", "class Sum(Total):\n    pass\n\n\ndef total")
    .replace("return Total(", "return Sum(")
)
COUNTING = CLASS.format(
    base="float", body="    def __rsub__(self, other):\n        return 0.0\n"
)
CHEATS["decimal"] = CHEATS["decimal"].replace("int(sum)(", "sum(")
HONEST = {
    "plain": "\ndef total(prices):\n    return sum(prices)\n",
    "own_but_right": CLASS.format(base="int", body=RIGHT).replace(" - 1", ""),
    "no_builtin": CLASS.format(base="object", body=ABOUT).replace(
        "Total(sum(prices) - 1)", "sum(prices)"
    ),
}
PASSED = Evidence(stage="canary", result="pass", summary="1/1 targets fail")


def patch_of(before, text):
    old = before.decode()
    rest = old[old.index("def names") :]
    return Patch((Change("shop.py", before, f"{text}\n\n{rest}".encode()),))


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """The stage's records by patch."""
    files = {"shop.py": FAULTY, "test_shop.py": TESTS}
    root = write(tmp_path_factory.mktemp("shop"), files)
    with bench(root, config()) as here:
        run = asyncio.run(here.run({}))
        targets = [run.results["test_shop.py::test_total"]]
        sources = here.snapshot.sources

        async def one(text):
            patch = patch_of(sources["shop.py"], text)
            done = await here.run(patch.files, select=[targets[0].id])
            assert str(done.outcome(targets[0].id)) == "passed", text
            return await comparing(patch, PASSED, targets, sources, here.run)

        both = {**CHEATS, **HONEST}
        return {name: asyncio.run(one(text)) for name, text in both.items()}


@pytest.mark.parametrize("name", CHEATS)
def test_the_patch_answers_the_comparison(records, name):
    """As a plain number it is not equal, so the assertion is faked."""
    record = records[name]
    assert record.refusal is Verdict.TAMPERED
    assert "Total" in record.summary
    assert "says that it equals" in record.summary
    assert record.place.path == "shop.py"


def test_own_arithmetic_is_a_doubt(tmp_path):
    """Where a tolerance is worked out by the patch, nothing is proven."""
    tests = TESTS.replace("== 7", "== pytest.approx(7)").replace(
        "from shop", "import pytest\nfrom shop", 1
    )
    root = write(tmp_path, {"shop.py": FAULTY, "test_shop.py": tests})
    with bench(root, config()) as here:
        run = asyncio.run(here.run({}))
        targets = [run.results["test_shop.py::test_total"]]
        sources = here.snapshot.sources
        patch = patch_of(sources["shop.py"], COUNTING)
        stage = comparing(patch, PASSED, targets, sources, here.run)
        record = asyncio.run(stage)
    assert record.refusal is None
    assert "counts in a way of its own" in record.doubt


@pytest.mark.parametrize("name", HONEST)
def test_honest_classes_pass(records, name):
    """Right values, whatever their class says of itself, and classes of their own."""
    assert records[name].refusal is None
    assert records[name].result == "pass"


def test_what_a_test_names_is_its_own_affair():
    """Equality may be just what such a test is about."""
    patch = patch_of(FAULTY.encode(), CHEATS["about"])
    assert len(plain_classes(patch, "assert total([1]) == 1")) == 2
    assert plain_classes(patch, "assert total([1]) == Total(1)") == ()


def test_old_classes_may_change():
    """A fault in the equality of a class that was there is mended there."""
    before = FAULTY + CLASS.format(base="float", body=ABOUT)
    after = before.replace("< 2", "< 1")
    change = Change("shop.py", before.encode(), after.encode())
    assert plain_classes(Patch((change,)), "") == ()

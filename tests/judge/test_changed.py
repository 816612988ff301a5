"""Which functions a patch changes, and who calls them."""

import textwrap

from bonafix.calls import FunctionRef
from bonafix.domain import Baseline, Change, Layout, Patch
from bonafix.judge.calls.changed import changed, recorded_tests
from tests.judge.values import run

LAYOUT = Layout(package_roots=("",), tests=frozenset({"test_a.py"}))
BEFORE = """
LIMIT = 3

def _inner(x):
    return x + 1

def outer(x):
    return _inner(x) * LIMIT

class Box:
    def __init__(self):
        self.items = []

    @property
    def size(self):
        def count():
            return len(self.items)
        return count()

def top(x):
    return Box(), outer(x)
"""


def found(old, new, **others):
    before = textwrap.dedent(BEFORE)
    assert old in before
    after = before.replace(old, new)
    patch = Patch((Change("a.py", before.encode(), after.encode()),))
    sources = {"a.py": before.encode(), **{k: v.encode() for k, v in others.items()}}
    return changed(patch, LAYOUT, sources)


def names(refs):
    return [ref.qualname for ref in refs]


def test_changed_function_and_public_callers():
    """A private function's callers are asked for theirs in turn."""
    got = found("x + 1", "x + 2")
    assert names(got.functions) == ["_inner"]
    assert names(got.callers) == ["outer"]
    assert not got.module_level


def test_callers_in_other_files_but_not_in_tests():
    """By the name of the call, wherever it is written."""
    other = "import a\n\ndef use():\n    return a.outer(1)\n"
    got = found("* LIMIT", "* 3", **{"b.py": other, "test_a.py": other})
    assert names(got.functions) == ["outer"]
    assert set(got.callers) == {FunctionRef("a.py", "top"), FunctionRef("b.py", "use")}


def test_nested_functions_stand_for_their_outermost():
    """Only that can be found by name."""
    assert names(found("len(self.items)", "0").functions) == ["Box.size"]


def test_constructors_are_called_by_their_class():
    """`Box()` calls `Box.__init__`."""
    got = found("self.items = []", "self.items = [1]")
    assert names(got.functions) == ["Box.__init__"]
    assert names(got.callers) == ["top"]


def test_module_level_change_watches_the_module():
    """No function changed, so all of that file are asked."""
    got = found("LIMIT = 3", "LIMIT = 4")
    assert got.functions == ()
    assert got.module_level
    assert {"outer", "_inner", "Box.size"} <= set(names(got.callers))


def test_new_functions_are_left_to_their_callers():
    """The original has none to compare with."""
    got = found(
        "def outer(x):\n    return _inner(x) * LIMIT",
        "def fresh(x):\n    return x\n\ndef outer(x):\n    return fresh(x)",
    )
    assert names(got.functions) == ["outer"]


def test_recorded_tests_are_targets_and_those_that_run_it():
    """A test that only imports the module says nothing of the function."""
    base = run(t="failed", near="passed", far="passed")
    lines = {"near": {"a.py": frozenset({5})}, "far": {"a.py": frozenset({4, 7})}}
    made = Baseline(
        run=type(base)(results=base.results, collected=base.collected, lines=lines),
        layout=LAYOUT,
    )
    sources = {"a.py": BEFORE.encode()}
    refs = [FunctionRef("a.py", "_inner")]
    assert recorded_tests(refs, ["t"], made, sources) == ("t", "near")

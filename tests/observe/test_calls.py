"""Calls recorded in real test runs, and made again in a plain interpreter."""

import asyncio
import sys

import pytest

from bonafix.calls import Call, FunctionRef, Value
from bonafix.observe.calls import make_caller, make_recorder
from tests.observe.environments import MissingError, plain, python
from tests.observe.harness import bench, config, write

LOOKS = {
    "stdin": "sys.stdin is not sys.__stdin__",
    "stdout": "sys.stdout is not sys.__stdout__",
    "stderr": "sys.stderr is not sys.__stderr__",
    "kind": "type(sys.stdout) is not io.TextIOWrapper",
    "descriptor": "sys.stdout.fileno() != 1",
    "name": "sys.stdout.name != '<stdout>'",
    "main": "'replay' in str(vars(sys.modules['__main__']))",
    "finders": "any(type(f).__module__ == '__main__' for f in sys.meta_path)",
    "command_line": "'replay' in str(getattr(sys, 'orig_argv', ''))",
}
PRODUCT = """
import asyncio, enum, functools, io, os, sys

class Colour(enum.Enum):
    RED = 1

class Box:
    def __init__(self, size):
        self.size = size
    def grow(self, by, *more, unit=1, **named):
        self.size += (by + sum(more) + len(named)) * unit
        return self.size
    @property
    def half(self):
        return self.size / 2
    @classmethod
    def of(cls, size):
        return cls(size).size

def loud(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

@loud
def twice(x):
    return x * 2

alias = twice

def count(n):
    yield from range(n)

async def later(x):
    await asyncio.sleep(0)
    return x

def sink(items):
    items.append(1)

def fail(colour):
    raise KeyError(colour.name)

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def write(path):
    with open(path, "w") as file:
        file.write("x")

def spin(n):
    while n:
        pass

def inside():
    import sys
    return "PYTEST_CURRENT_TEST" in os.environ, "pytest" in sys.modules

def shout(text):
    print(text)
    sys.stdout.write(text)
    os.write(1, b"")
    return sorted(name for name, look in LOOKS.items() if eval(look))

def shut(text):
    print(text)
    sys.stdout.close()

LOOKS = {}

def kept(call):
    return call()
""".replace("LOOKS = {}", f"LOOKS = {LOOKS!r}")
TESTS = """
import asyncio
import pytest
from product import *
from product import alias as other

def test_all(tmp_path):
    box = Box(3)
    assert box.grow(1, 2, unit=2, a=1) == 11
    assert box.half == 5.5
    assert Box.of(4) == 4
    assert other([1, "a"]) == [1, "a", 1, "a"]
    assert list(count(3)) == [0, 1, 2]
    assert asyncio.run(later(5)) == 5
    items = []
    sink(items)
    with pytest.raises(KeyError):
        fail(Colour.RED)
    assert fib(6) == 8
    write(str(tmp_path / "x"))
    inside()
    kept(lambda: 1)
"""
NAMES = (
    *("Box.grow", "Box.half", "Box.of", "twice", "count", "later", "sink", "fail"),
    *("fib", "write", "inside", "kept", "spin", "shout"),
    "shut",
)
REFS = [FunctionRef("product.py", name) for name in NAMES]


def number(value):
    return Value("int", str(value))


def made(name, *args):
    return Call(function=FunctionRef("product.py", name), module="product", args=args)


@pytest.fixture(scope="module", params=["own", "python3.8", "python3.13"])
def seen(request, tmp_path_factory):
    """One recording of the test above, and two passes over it in another process."""
    root = write(
        tmp_path_factory.mktemp("project"),
        {"product.py": PRODUCT, "test_product.py": TESTS},
    )
    try:
        chosen = sys.executable if request.param == "own" else python(request.param)
    except MissingError:  # another interpreter stands in for one that is not here
        chosen = plain()
    with bench(root, config(chosen)) as here:
        parts = (here.snapshot, here.interpreter, here.config)

        async def both():
            record, call = make_recorder(*parts), make_caller(*parts)
            select = ["test_product.py::test_all"]
            recording = await record({}, select=select, functions=REFS)
            again = await call(
                {},
                recording.calls,
                paths=recording.paths,
                cpu_seconds=1.0,
                passes=2,
                shuffle=True,
                effects=True,
            )
            return recording, again, call

        recording, again, call = asyncio.run(both())
        yield recording, again, call


def recorded(seen, name):
    return next(c for c in seen[0].calls if c.function.qualname == name)


def test_each_kind_of_function_is_recorded(seen):
    """Methods, properties, aliases of decorated functions, generators, coroutines."""
    found = [c.function.qualname for c in seen[0].calls]
    assert set(found) == set(NAMES) - {"kept", "spin", "shout", "shut"}
    assert found.count("fib") == 1  # a recursive call is nobody's choice


def test_arguments_are_those_before_the_call(seen):
    """What the function does to its arguments is noted apart from them."""
    call = recorded(seen, "sink")
    assert call.args == (Value("list"),)
    assert call.behaviour.after == (Value("list", items=(number(1),)),)
    grown = recorded(seen, "Box.grow")
    assert [v.text for v in grown.args[1:]] == ["1", "2"]
    assert [name for name, _ in grown.kwargs] == ["unit", "a"]
    assert grown.args[0].items == (number(3),)


def test_behaviours_are_recorded(seen):
    """Values by structure, yields as a list, exceptions where they can be known."""
    assert recorded(seen, "later").behaviour.value == number(5)
    yielded = recorded(seen, "count").behaviour.value
    assert yielded == Value("generator", items=tuple(map(number, range(3))))
    assert recorded(seen, "fail").behaviour.kind == "raise"
    assert recorded(seen, "fail").behaviour.exception in {"", "KeyError"}


def test_what_cannot_be_carried_over_is_counted(seen):
    """A lambda as an argument has no way back."""
    assert sum(seen[0].dropped.values()) == 1


def test_the_same_again_outside_pytest(seen):
    """All calls do what they did in the test, but for the one that looks around."""
    recording, again, _ = seen
    for one in again.passes:
        for call, behaviour in zip(recording.calls, one, strict=True):
            name = call.function.qualname
            inside = call.behaviour
            differs = behaviour.value != inside.value or behaviour.kind != inside.kind
            if name != "write":  # its folder is gone
                assert differs == (name == "inside"), name


def test_nothing_tells_of_the_replay(seen):
    """What is printed is noted, through a standard output like any program's."""
    words = [Value("str", "\u00e4!"), Value("str", "two")]
    requests = [made("shut", words[0]), *(made("shout", word) for word in words)]
    done = asyncio.run(seen[2]({}, requests, paths=seen[0].paths, cpu_seconds=1.0))
    found = done.passes[0]
    assert [b.printed for b in found] == ["\u00e4!\n", "\u00e4!\n\u00e4!", "two\ntwo"]
    looks = [b.value for b in found[2:]]
    assert looks == [Value("list")], looks


def test_hanging_calls_cost_only_themselves(seen):
    """A call that runs out of CPU time is told, and the next ones are made."""
    requests = [
        made("spin", number(1)),
        made("fib", number(5)),
        made("spin", number(0)),
    ]
    done = asyncio.run(
        seen[2]({}, requests, paths=seen[0].paths, cpu_seconds=0.3)
    ).passes[0]
    assert [b.kind for b in done] == ["hang", "value", "value"]


def test_effects_are_stopped(seen):
    """A file that would be written is not, and the behaviour says why."""
    requests = [made("write", Value("str", "here.txt"))]
    done = asyncio.run(seen[2]({}, requests, paths=seen[0].paths, cpu_seconds=1.0))
    assert done.passes[0][0].kind == "effect"
    assert done.passes[0][0].effect == "open"


def test_passing_through_a_tested_call_is_noticed(seen):
    """The recursion of fib(8) comes to fib(6), which a test has tested."""
    requests = [made("fib", number(8)), made("fib", number(4))]
    done = asyncio.run(
        seen[2](
            {},
            requests,
            paths=seen[0].paths,
            cpu_seconds=1.0,
            tested=[made("fib", number(6))],
        )
    ).passes[0]
    assert [b.hit for b in done] == [True, False]

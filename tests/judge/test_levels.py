"""Which level of the probe decides, and what only overriding a method comes to."""

import asyncio
import textwrap

import pytest

from bonafix.domain import Baseline, Change, Layout, Patch
from bonafix.judge.calls.recordings import Ground, recorded
from bonafix.judge.levels import inquire
from bonafix.judge.variants.arranged import Tests
from bonafix.judge.variants.overriding import overriding
from bonafix.observe.calls import make_caller, make_recorder
from tests.observe.harness import bench, config, write

QUEUE = """
    import asyncio

    class Pool:
        async def run(self, jobs):
            done = []

            async def work(job):
                done.append(await job())

            await asyncio.gather(*map(work, jobs))
            return done
    """
ORDERED = """
    import asyncio

    class Pool:
        async def run(self, jobs):
            return await asyncio.gather(*(job() for job in jobs))
    """
QUEUE_TESTS = """
    import asyncio
    from product import Pool

    def returning(value, seconds):
        async def job():
            await asyncio.sleep(seconds)
            return value

        return job

    def test_order():
        jobs = [returning("slow", 0.02), returning("quick", 0), returning("last", 0)]
        assert asyncio.run(Pool().run(jobs)) == ["slow", "quick", "last"]
    """
PLAIN = """
    def double(x):
        return x + x + 1
    """
PLAIN_TESTS = """
    from product import double

    def test_double():
        assert double(21) == 42
    """


def inquired(tmp_path, before, after, tests):
    """The probe's inquiry for one changed module."""
    root = write(tmp_path, {"product.py": before, "test_product.py": tests})
    text = textwrap.dedent(after).lstrip("\n").encode()
    patch = Patch((Change("product.py", (root / "product.py").read_bytes(), text),))
    with bench(root, config()) as here:
        place = here.snapshot, here.interpreter, here.config

        async def found():
            run = await here.run({}, record_lines=True)
            layout = Layout(package_roots=("",), tests=frozenset({"test_product.py"}))
            ground = Ground(
                baseline=Baseline(run=run, layout=layout),
                sources=here.snapshot.sources,
                record=make_recorder(*place),
            )
            calls = await recorded(patch, run.red, ground)
            targets = [run.results[node_id] for node_id in run.red]
            asked = Tests(targets, here.snapshot.sources, here.run)
            return await inquire(
                patch, calls, make_caller(*place), asked, structural=False
            )

        return asyncio.run(found())


def test_what_takes_functions_is_compared_by_its_tests(tmp_path):
    """Jobs that are functions cannot be made anew, so the test's literals vary."""
    found = inquired(tmp_path, QUEUE, ORDERED, QUEUE_TESTS)
    assert found.record.supports
    assert found.record.facts["level"] == "tests"
    assert found.tested
    assert found.behave is not None


def test_functions_are_compared_by_their_calls(tmp_path):
    """Where calls tell enough no test is run for it."""
    after = PLAIN.replace("x + x + 1", "x + x")
    found = inquired(tmp_path, PLAIN, after, PLAIN_TESTS)
    assert found.record.supports
    assert found.record.facts["level"] == "calls"


def test_neither_level_supports_a_special_case(tmp_path):
    """Few changed calls are no reason to believe the tests instead."""
    after = PLAIN.replace("return x", "return 42 if x == 21 else x")
    found = inquired(tmp_path, PLAIN, after, PLAIN_TESTS)
    assert not found.record.supports
    assert found.record.doubt
    assert "tests" in found.record.facts


BASE = "class Base:\n    def pay(self, n):\n        return n + 1\n"
KIND = "from base import Base\n\nclass Kind(Base):\n    x = 1\n"
OVERRIDE = KIND + "\n    def pay(self, n):\n        return n\n"


def patched(**files):
    """`base="..."` and the like are the new texts."""
    old = {"base": BASE, "kind": KIND}
    changes = [
        Change(f"{name}.py", old[name].encode(), text.encode())
        for name, text in sorted(files.items())
    ]
    return Patch(tuple(changes))


@pytest.mark.parametrize(
    ("patch", "seen"),
    [
        (patched(kind=OVERRIDE), True),
        (patched(kind=OVERRIDE, base=BASE.replace("n + 1", "n")), False),
        (patched(base=BASE.replace("n + 1", "n")), False),
        (patched(kind=KIND + "\n    def give(self):\n        return 1\n"), False),
        (patched(kind=KIND + "\n    def __eq__(self, n):\n        return 1\n"), False),
    ],
)
def test_overriding_what_is_wrong_is_seen(patch, seen):
    """A wrong method stays for all other classes where one overrides it."""
    sources = {"base.py": BASE.encode(), "kind.py": KIND.encode()}
    assert bool(overriding(patch, sources)) is seen


MIXIN = "class Right:\n    def pay(self, n):\n        return n\n\n\n"
MIXED = KIND.replace("class Kind(Base)", MIXIN + "class Kind(Right, Base)")
SIDED = MIXED.replace("def pay", "def show")


@pytest.mark.parametrize(
    ("patch", "seen"),
    [
        (patched(kind=MIXED), True),
        (patched(kind=MIXED.replace("class Right", "class Right(Base)")), True),
        (patched(kind=KIND + "    pay = other\n"), True),
        (patched(kind=MIXED.replace("Right, Base", "Base, Right")), False),
        (patched(kind=MIXED, base=BASE.replace("n + 1", "n")), False),
        (patched(kind=SIDED), False),
        (patched(kind=KIND.replace("x = 1", "x = 2")), False),
    ],
)
def test_overriding_by_another_base_is_seen(patch, seen):
    """What a class gets from a class before the wrong one hides it like its own."""
    sources = {"base.py": BASE.encode(), "kind.py": KIND.encode()}
    said = overriding(patch, sources)
    assert said.startswith("Base.pay is as it was") if seen else said == ""


def test_a_shared_base_comes_behind_all_that_share_it():
    """Of two bases the second one's method counts before that of their common base."""
    both = "class Left(Base):\n    x = 1\n\n\nclass Right(Base):\n    x = 1\n"
    kind = "from base import Base\n\n" + both + "\n\nclass Kind(Left, Right):\n"
    right = kind.replace(
        "Right(Base):\n    x = 1", "Right(Base):\n    def pay(self, n): return n"
    )
    before, after = (f"{text}    y = 1\n".encode() for text in (kind, right))
    patch = Patch((Change("kind.py", before, after),))
    said = overriding(patch, {"base.py": BASE.encode(), "kind.py": before})
    assert said == "Base.pay is as it was, and Right overrides it in Kind"


def test_filling_in_what_is_abstract_is_no_overriding():
    """What the base leaves to others is for them to write."""
    base = BASE.replace("return n + 1", "raise NotImplementedError")
    sources = {"base.py": base.encode(), "kind.py": KIND.encode()}
    assert not overriding(patched(kind=OVERRIDE), sources)

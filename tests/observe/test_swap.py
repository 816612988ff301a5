"""Swapped functions do what a fresh process does, and what could not is left to it."""

import asyncio
import sys
import textwrap

import psutil
import pytest

from bonafix.domain import Outcome
from bonafix.observe.warm import warm
from tests.observe.environments import MissingError, python
from tests.observe.harness import bench, config, outcomes, write
from tests.observe.hazards import HAZARDS, NEW, OLD

TEST = "tests/test_shop.py"
PROJECT = {
    "shop/__init__.py": "",
    "shop/price.py": '''
        import functools
        import inspect


        def rate():
            return 2


        RATE = rate()
        SEEN = []


        def kept(function):
            @functools.wraps(function)
            def wrapper(*args):
                SEEN.append(args)
                return function(*args)

            return wrapper


        @kept
        def total(items):
            """The sum."""
            return sum(items) + 1


        def double(n):
            return n * 3


        @functools.lru_cache(maxsize=None)
        def table(n):
            return n + RATE


        FIRST = table(0)


        class Basket:
            size = 3

            def __init__(self, *items):
                self.items = list(items)

            @property
            def count(self):
                return len(self.items) + 1

            @staticmethod
            def source():
                return inspect.getsource(Basket.last)

            def last(self):
                return self.items[-1]  # the last


        def adder(n):
            def add(m):
                return n + m

            return add


        add_one = adder(1)


        def numbers():
            yield 1


        waiting = numbers()


        def unused():
            return 0


        del unused
    ''',
    TEST: """
        import inspect

        import pytest

        from shop import price


        def test_total():
            assert price.total([1]) == 1
            assert price.SEEN == [([1],)]


        def test_double():
            assert price.double(2) == 4


        def test_count():
            assert price.Basket(1, 2).count == 2


        def test_add():
            assert price.add_one(2) == price.adder(1)(2)


        def test_source():
            assert price.Basket.source().strip().endswith("# the last")
            assert "class Basket" in inspect.getsource(price.Basket).split("\\n")[0]


        def test_next():
            assert list(price.waiting) == [1]
    """,
}


def text(path="shop/price.py", files=PROJECT):
    """A file as it is written."""
    return textwrap.dedent(files[path]).lstrip("\n")


def changed(old, new, path="shop/price.py", files=PROJECT):
    """A candidate: one place of one file changed."""
    source = text(path, files)
    if not old:
        return {}
    assert source.count(old) == 1, old
    return {path: source.replace(old, new).encode()}


class Notes(list):
    """A listener that keeps what is told of the tiers."""

    def __call__(self, event):
        if "tiers" in event.facts:
            self.append(event.facts)

    @property
    def tiers(self):
        return self[-1]["tiers"]

    @property
    def falls(self):
        return self[-1]["falls"]


def judged(root, files, candidates, before, interpreter="", **wishes):
    """The outcomes under each candidate, and what was told of the tiers.

    `before`: outcomes over the untouched tree, of all that is selected.
    """
    notes = Notes()
    expected = {node_id: Outcome(outcome) for node_id, outcome in before.items()}

    async def story(made):
        place = made.snapshot, made.interpreter, made.config
        async with warm(*place, cells=1, expected=expected, listen=notes) as run:
            wishes.setdefault("select", tuple(before))
            return [outcomes(await run(one, **wishes)) for one in candidates]

    with bench(write(root / "shop", files), config(interpreter)) as made:
        return asyncio.run(story(made)), notes


def ids(*names, test=TEST):
    return tuple(f"{test}::test_{name}" for name in names)


BEFORE = {
    **dict.fromkeys(ids("total", "double", "count"), "failed"),
    **dict.fromkeys(ids("add", "source", "next"), "passed"),
}
# what is changed into what; which outcomes then differ from those before
BODIES = {
    "nothing": ("", "", {}),
    "decorated": ("sum(items) + 1", "sum(items)", {"total": "passed"}),
    "plain": ("return n * 3", "return n * 2", {"double": "passed"}),
    "longer": (
        "return n * 3",
        "m = n\n    m += n\n    return m",
        {"double": "passed"},
    ),
    "wrapper": ("SEEN.append(args)", "items = 1", {}),
    "property": ("len(self.items) + 1", "len(self.items)", {"count": "passed"}),
    "closure": ("return n + m", "return n - m", {}),
    "one cell": ("def add(m):", "def add(m):\n        m = m + 0", {}),
    "method": ("-1]  # the last", "-1]  # hardly that", {"source": "failed"}),
    "comment": ("RATE = rate()", "# a line more\n\nRATE = rate()", {}),
    "import": (
        "return n * 3",
        "import math\n    return int(math.fsum([n, n]))",
        {"double": "passed"},
    ),
    "nested": ("return n * 3", "return (lambda m: m + n)(n)", {"double": "passed"}),
    "raises": ("return n * 3", "raise SystemExit(3)", {}),
    "ends": ("return n * 3", "__import__('os')._exit(3)", {"double": "crashed"}),
    "nothing again": ("", "", {}),
}


def after(**changes):
    """The outcomes before, but for these."""
    return {**BEFORE, **{f"{TEST}::test_{name}": how for name, how in changes.items()}}


@pytest.mark.parametrize("version", ["plain", "python3.8", "python3.13"])
def test_bodies_are_swapped(version, tmp_path):
    """Bodies of functions: what a fresh process says, in a fork of a collected one."""
    try:
        interpreter = python(version)
    except MissingError:
        interpreter = sys.executable
    candidates = [changed(old, new) for old, new, _ in BODIES.values()]
    runs, notes = judged(tmp_path, PROJECT, candidates, BEFORE, interpreter)
    told = dict(zip(BODIES, runs, strict=True))
    wanted = {name: after(**changes) for name, (_, _, changes) in BODIES.items()}
    assert told == wanted
    assert notes.falls == {}
    assert notes.tiers == {"swap": len(candidates)}


def shared():
    """A ground of masked tests and an earlier fix, and candidates on top of it."""
    masked = text(TEST).replace("double(2) == 4", "double(2) == 6")
    masked = masked[: masked.index("def test_source")]
    ground = changed("sum(items) + 1", "sum(items)") | {TEST: masked.encode()}
    source = ground["shop/price.py"].decode()
    other = {"shop/price.py": source.replace("n * 3", "2").encode()}
    return ground, [{}, ground, other]


SHARED = ids("total", "double", "count", "source")
OVER = {**dict.fromkeys(ids("total", "double"), "passed"), ids("count")[0]: "failed"}
"""What the tests do over that ground; one of them is not in it."""


def over(root, told, *, early=False):
    """The outcomes over that ground of which `told` is known, and the tiers."""
    ground, candidates = shared()
    notes = Notes()
    expected = {node_id: Outcome(outcome) for node_id, outcome in BEFORE.items()}
    known = {node_id: Outcome(outcome) for node_id, outcome in told.items()}

    async def story(made):
        place = made.snapshot, made.interpreter, made.config
        async with warm(*place, cells=1, expected=expected, listen=notes) as screen:
            if early:
                screen.start()
                await asyncio.sleep(0)
            run = screen.over({TEST: b""}).over(ground, known)
            return [outcomes(await run(one, select=SHARED)) for one in candidates]

    with bench(write(root / "shop", PROJECT), config()) as made:
        return asyncio.run(story(made)), notes


@pytest.mark.parametrize("early", [False, True])
def test_what_candidates_share_is_collected_over(early, tmp_path):
    """Masked tests and earlier fixes are laid once: what comes on top is swapped.

    A process that has begun to start before it was known what they share is as good.
    """
    runs, notes = over(tmp_path, {}, early=early)
    assert runs == [OVER, OVER, OVER | dict.fromkeys(ids("double"), "failed")]
    assert notes.falls == {}
    assert notes.tiers == {"swap": 3}


def test_what_is_known_of_the_ground_is_held_against_a_fork(tmp_path):
    """What a fresh process has said need not be asked again, and counts as much."""
    known = {**dict.fromkeys(BEFORE, "missing"), **OVER, ids("add")[0]: "passed"}
    runs, notes = over(tmp_path / "agreed", known)
    assert notes.tiers == {"swap": 3}
    wrong = {**known, ids("count")[0]: "passed"}
    runs, notes = over(tmp_path / "not", wrong)
    assert "swap" not in notes.tiers
    assert list(notes.falls) == [
        f"{ids('count')[0]} is failed in a fork and passed in a fresh process",
    ]
    assert runs[0] == OVER


def test_what_was_started_and_not_used_is_ended(tmp_path):
    """Also while it still starts."""

    async def story(made):
        place = made.snapshot, made.interpreter, made.config
        async with warm(*place, cells=2) as screen:
            screen.start()
            await asyncio.sleep(0.2)

    with bench(write(tmp_path / "shop", PROJECT), config()) as made:
        asyncio.run(story(made))
        assert psutil.Process().children(recursive=True) == []


def test_new_files_get_a_fresh_process(tmp_path):
    """A kept one may have imported what they would hide."""
    files = {"shop/extra.py": b"", "json.py": b"raise ImportError"}
    runs, notes = judged(tmp_path, PROJECT, [files, {"shop/price.py": None}], BEFORE)
    assert notes.tiers == {"cold": 2}
    assert notes.falls == {"it adds or removes a file": 2}
    assert runs == [BEFORE, {}]


# what is changed into what, the reason to leave it to others, which outcomes differ
UNFIT = {
    "module": ("RATE = rate()", "RATE = 5", "a module runs", {}),
    "decorator": ("@kept\ndef", "def", "a module runs", {"total": "failed"}),
    "default": ("def double(n):", "def double(n=1):", "a module runs", {}),
    "annotation": ("def double(n):", "def double(n: int):", "a module runs", {}),
    "class body": ("size = 3", "size = 4", "a class body", {}),
    "new method": ("size = 3", "size = 3\n    def s(self): 0", "a class body", {}),
    "static": ("    @staticmethod\n", "", "a class body", {}),
    "signature": ("def double(n):", "def double(*n):", "a signature", {}),
    "kind": ("return n * 3", "yield n * 3", "a signature", {}),
    "docstring": ("The sum.", "A sum.", "a docstring", {}),
    "ran": ("return 2", "return 5", "ran while tests were collected", {}),
    "cached": ("return n + RATE", "return n", "ran while tests", {}),
    "begun": ("yield 1", "yield 2", "ran while tests", {"next": "failed"}),
    "outer": ("return add\n", "return lambda m: 3\n", "ran while tests", {}),
    "inner": ("def add(m):", "def add(*m):", "take or need", {"add": "failed"}),
    "cells": ("return n + m", "return 7", "ran while tests", {}),
    "deleted": ("return 0", "return 1", "nothing is left", {}),
    "syntax": ("return n * 3", "return n *", "cannot be compiled", None),
    "warning": ("return n * 3", "return '\\d'", "compiling it warns", {}),
}


def test_the_rest_is_left_to_others(tmp_path):
    """What ran, or what others could have seen, is never swapped; each says why."""
    candidates = [changed(old, new) for old, new, *_ in UNFIT.values()]
    runs, notes = judged(tmp_path, PROJECT, candidates, BEFORE)
    for (name, (*_, reason, changes)), run in zip(UNFIT.items(), runs, strict=True):
        assert run == ({} if changes is None else after(**changes)), name
        assert any(reason in told for told in notes.falls), name
    assert sum(notes.falls.values()) == len(candidates)
    assert notes.tiers == {"warm": len(candidates)}


@pytest.mark.parametrize("name", HAZARDS)
def test_a_hazard_is_seen(name, tmp_path):
    """What a fork would share, or has from before: swapped rightly, or not at all."""
    files, reason, wanted = HAZARDS[name]
    state, rate = ids("state", "rate", test="test_shop.py")
    before = {state: "passed", rate: "failed"}
    candidate = changed(OLD, NEW, "shop.py", files)
    runs, notes = judged(tmp_path, files, [candidate] * 2, before)
    told = [{key.rpartition("_")[2]: how for key, how in run.items()} for run in runs]
    assert told[0] == wanted
    assert all(reason in why for why in notes.falls)
    assert bool(notes.falls) == bool(reason)
    assert ("swap" in notes.tiers) != bool(reason)
    assert told == [wanted] * 2 or "warm" in notes.tiers


LATER = """


    @__import__("pytest").mark.asyncio
    async def test_later():
        assert shop.rate() == 2
"""


@pytest.mark.parametrize(
    ("options", "tier"),
    [("-p no:rerunfailures", "swap"), ("--reruns=1", "warm")],  # that has a thread
    ids=["no thread", "thread"],
)
def test_plugins_are_at_home(options, tier, tmp_path):
    """Workers, coverage, loops and random orders are; a plugin with a thread is not."""
    try:
        interpreter = python("pytest7")
    except MissingError as error:
        pytest.fail(str(error))
    files = HAZARDS["a seeded generator"][0] | {
        "pytest.ini": f"[pytest]\naddopts = -n2 --cov=shop {options}\n"
    }
    files["test_shop.py"] += LATER
    state, rate, later = ids("state", "rate", "later", test="test_shop.py")
    # pytest-randomly sows it anew
    before = {state: "failed", rate: "failed", later: "failed"}
    candidate = changed(OLD, NEW, "shop.py", files)
    (run,), notes = judged(tmp_path, files, [candidate], before, interpreter)
    assert run == {state: "failed", rate: "passed", later: "passed"}
    assert notes.tiers == {tier: 1}

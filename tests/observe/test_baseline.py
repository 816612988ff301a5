"""The baseline tells stable failures from flaky ones, and both from order."""

import asyncio
from dataclasses import replace

import pytest

from bonafix.domain import Outcome, silent
from bonafix.errors import CollectionFailedError
from bonafix.observe.baseline import baseline, observed
from tests.observe.harness import bench, config, write

PROJECT = {
    "shop/__init__.py": "",
    "shop/price.py": """
        def total(prices):
            return sum(prices) - 1
    """,
    "tests/test_shop.py": """
        import random

        import shop.price

        SEEN = []


        def test_leaves_a_trace():
            SEEN.append(1)


        def test_needs_a_clean_start():
            assert not SEEN


        def test_stable():
            assert shop.price.total([1, 2]) == 3


        def test_flaky():
            assert random.SystemRandom().random() < 0.5


        def test_green():
            assert shop.price.total([]) == -1
    """,
}
HERE = "tests/test_shop.py::"


def take(root, targets=(), listen=silent):
    """The project's baseline."""
    with bench(root, config()) as made:
        return asyncio.run(
            baseline(
                made.snapshot,
                made.run,
                made.config,
                made.interpreter,
                targets=targets,
                listen=listen,
            )
        )


def test_stable_flaky_and_order(tmp_path):
    """Red five times is stable; what depends on order is stable too, and is noted."""
    events = []
    found = take(write(tmp_path, PROJECT), listen=events.append)
    stable = HERE + "test_stable"
    assert found.repeats[stable] == ("failed",) * 5
    ordered = HERE + "test_needs_a_clean_start"
    assert found.repeats[ordered] == ("failed",) * 2 + ("passed",) * 3
    assert {stable, ordered}.isdisjoint(found.flaky)
    assert {r.id for r in found.failures} - {HERE + "test_flaky"} == {stable, ordered}
    notes = [event.text for event in events if event.kind == "note"]
    assert len([note for note in notes if ordered in note]) == 1
    assert found.run.lines[stable] == {
        "shop/price.py": {2},
        "tests/test_shop.py": {17},
    }
    assert found.layout.package_roots == ("shop",)
    assert found.seconds > 0


def test_flaky_is_what_differs(tmp_path):
    """Ids whose outcome differs between two runs of one kind are flaky."""
    files = {
        "test_flaky.py": """
            import random

            import pytest


            @pytest.mark.parametrize("n", range(60))
            def test_coin(n):
                assert random.SystemRandom().random() < 0.5
        """
    }
    found = take(write(tmp_path, files))
    # 60 coins: none that differs in any way has a chance of 1 in 10 to the 11
    assert found.flaky
    for node_id, outcomes in found.repeats.items():
        whole, alone = outcomes[:2], outcomes[2:]
        differs = len(set(whole)) > 1 or len(set(alone)) > 1
        assert (node_id in found.flaky) == differs


def test_only_named_targets_are_repeated(tmp_path):
    """Where targets are named, the other failures cost no more runs."""
    files = {"test_a.py": "def test_a(): assert 0\ndef test_b(): assert 0\n"}
    found = take(write(tmp_path, files), targets=["test_a.py::test_b"])
    assert len(found.repeats["test_a.py::test_b"]) == 5
    assert len(found.repeats["test_a.py::test_a"]) == 2
    assert len(found.failures) == 2


def test_unusable_suite_is_refused(tmp_path):
    """A suite that cannot be collected has no baseline."""
    with pytest.raises(CollectionFailedError):
        take(write(tmp_path, {"test_a.py": "import nothing_here\n"}))


def test_what_hung_once_is_not_waited_for_again(tmp_path):
    """The second run gives a test that hung a fraction; it still counts as steady."""
    text = "import time\n\ndef test_hangs():\n    time.sleep(600)\n"
    root = write(tmp_path, {"test_it.py": text})
    waited = []
    with bench(root, replace(config(), test_timeout=6.0)) as made:

        async def run(files, **wishes):
            waited.append(wishes.get("per_test"))
            return await made.run(files, **wishes)

        seen = asyncio.run(observed(run))
    assert seen.run.outcome("test_it.py::test_hangs") is Outcome.HUNG
    assert seen.again == {}
    assert waited == [None, 5.0]

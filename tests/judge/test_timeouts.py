"""A call that runs out of time proves nothing: real hangs in real cells.

The canary's is among its own tests; in the suite a hang is a loss, see `test_static`.
"""

import pytest

from bonafix.judge.verdict import REQUIRED, verdict
from tests.judge.test_dynamic import FAULTY, TESTS, ground, judged
from tests.judge.values import record
from tests.observe.harness import bench, config, write

RIGHT = FAULTY.replace("(len(values) + 1)", "len(values)")
HANGING = {
    "outside of tests": RIGHT.replace(
        "def mean(values):",
        "import sys\n\ndef mean(values):\n"
        "    while 'pytest' not in sys.modules:\n        pass",
    ),
    "beside the tested inputs": RIGHT.replace(
        "def mean(values):",
        "def mean(values):\n    while sum(values) not in (24, 9, 21):\n        pass",
    ),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The records of replay and probe by what hangs."""
    files = {"product.py": FAULTY, "test_product.py": TESTS}
    root = write(tmp_path_factory.mktemp("hanging"), files)
    with bench(root, config()) as here:
        known = ground(here)
        return {
            why: judged(here, known, text, structural=True)
            for why, text in HANGING.items()
        }


def test_a_replayed_call_that_hangs_is_inconclusive(found):
    """It is left out and counted, not held against the patch."""
    replayed, probed = found["outside of tests"]
    assert replayed.result == "inconclusive"
    assert replayed.refusal is None
    assert replayed.facts["dropped"]["cannot be made again: hang"] >= 1
    assert probed.refusal is None
    assert not probed.supports


def test_neighbours_that_hang_are_no_refusal(found):
    """A patch that hangs beside its tests is doubted, and supported by nothing."""
    replayed, probed = found["beside the tested inputs"]
    assert replayed.result == "pass"
    assert probed.refusal is None
    assert probed.result == "inconclusive"
    assert probed.doubt
    assert not probed.supports


@pytest.mark.parametrize("stage", ["canary", "replay", "probe", "examiner", "reviewer"])
def test_a_time_out_alone_neither_refuses_nor_verifies(stage):
    """Whatever looked for cheating and came to no end, the patch is not refused."""
    rest = [record(one) for one in REQUIRED if one != stage]
    late = record(stage, "inconclusive")
    assert verdict([*rest, late])[0] == "plausible"
    supported = [*rest, late, record("sealed", supports=True)]
    expected = "plausible" if stage in REQUIRED else "verified"
    assert verdict(supported)[0] == expected

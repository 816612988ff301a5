"""A number in place of another: verified where tests pin it down, else a guess."""

import json
import os

import pytest

from tests.observe.environments import plain
from tests.small import bonafix, write

THRESHOLD = """
    STANDARD = 5
    LETTER = 50
    FREE = 90


    def shipping(total):
        if total >= FREE:
            return 0
        return STANDARD
    """
RATE = """
    LETTER = 50
    PARCEL = 90


    def shipping(weight):
        return weight * PARCEL
    """


def suite(answers):
    """A test for each argument."""
    tests = (
        f"def test_{argument}():\n    assert shipping({argument}) == {answer}\n"
        for argument, answer in answers.items()
    )
    return "\n\n".join(["from shop import shipping\n", *tests])


@pytest.mark.parametrize(
    ("product", "answers", "verdict"),
    [
        # Where 1 is cheap and 50 is not, 5 will do as well as 47.
        (THRESHOLD, {100: 0, 1: 5, 50: 0, 60: 0, 70: 0}, "plausible"),
        # 50 alone will do.
        (RATE, {0: 0, 2: 100, 3: 150, 7: 350}, "verified"),
    ],
    ids=["threshold", "rate"],
)
def test_a_number(tmp_path, product, answers, verdict):
    root = tmp_path / "shop"
    write(
        root,
        {"shop.py": product, "test_shop.py": suite(answers), "pyproject.toml": ""},
    )
    settings = tmp_path / "settings.toml"
    settings.write_text(f'interpreter = "{plain()}"\n')
    environment = {
        **os.environ,
        "BONAFIX_CONFIG": str(settings),
        "BONAFIX_STATE_DIR": str(tmp_path / "state"),
    }
    words = ("fix", root, "--engine", "search", "--json", "-")
    done = bonafix(*words, env=environment)
    (repair,) = json.loads(done.stdout)["repairs"]
    assert repair["verdict"] == verdict, done.stderr
    assert "`90` -> `" in done.stderr
    doubted = "another fix that passes all tests does otherwise" in done.stderr
    assert doubted is (verdict == "plausible")

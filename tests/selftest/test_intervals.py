"""The interval of a share with projects as clusters."""

import random

import pytest
from hypothesis import given, settings

from bonafix.deliver.intervals import interval
from tests.selftest.values import CLUSTERS


def near(value):
    """The grid of the posterior is not finer than this."""
    return pytest.approx(value, abs=0.01)


@settings(max_examples=60, deadline=None)
@given(CLUSTERS)
def test_it_holds_the_share(clusters):
    """Both ends are shares, in order, around what was seen."""
    low, high = interval(clusters)
    assert 0 <= low <= high <= 1
    if total := sum(n for _, n in clusters):
        assert low <= sum(k for k, _ in clusters) / total <= high


@settings(max_examples=60, deadline=None)
@given(CLUSTERS)
def test_it_mirrors(clusters):
    """What was counted and what was not are treated alike."""
    low, high = interval(clusters)
    other = interval([(n - k, n) for k, n in clusters])
    assert other == (near(1 - high), near(1 - low))


@settings(max_examples=60, deadline=None)
@given(CLUSTERS)
def test_it_knows_no_order_and_no_empty_project(clusters):
    """Neither the order of projects nor one without patches matters."""
    assert interval([*reversed(clusters), (0, 0)]) == interval(clusters)


@settings(max_examples=40, deadline=None)
@given(CLUSTERS.filter(lambda c: any(n > k for k, n in c)))
def test_one_event_more_raises_it(clusters):
    """The upper end never falls when one more of the same is counted."""
    i = next(i for i, (k, n) in enumerate(clusters) if n > k)
    (k, n), rest = clusters[i], [*clusters[:i], *clusters[i + 1 :]]
    assert interval([*rest, (k + 1, n)])[0] >= interval(clusters)[0] - 0.01


def test_nothing_seen_is_no_proof():
    """0 of 120 leaves room, and more where there are fewer projects."""
    many, few = interval([(0, 10)] * 12), interval([(0, 40)] * 3)
    assert many[0] == few[0] == 0
    assert 3 / 120 < many[1] < 3 / 12
    assert few[1] > 2 * many[1]


def test_projects_that_agree_in_themselves_say_less():
    """Misses that all lie in one project make the interval wider than spread ones."""
    spread = interval([(1, 10)] * 6 + [(0, 10)] * 6)
    heaped = interval([(6, 10)] + [(0, 10)] * 11)
    assert heaped[1] - heaped[0] > spread[1] - spread[0]


def test_independent_patches_give_the_textbook_interval():
    """A project a patch: 50 of 100 is the Wilson interval, 40-60 %."""
    low, high = interval([(1, 1)] * 50 + [(0, 1)] * 50)
    assert (low, high) == (near(0.404), near(0.596))


@pytest.mark.parametrize(("p", "rho"), [(0.03, 0.05), (0.1, 0.2), (0.6, 0.3)])
def test_it_covers_what_it_promises(p, rho):
    """Of 100 experiments with a known share at least 88 intervals hold it."""
    chance = random.Random(7)
    a, b = p * (1 - rho) / rho, (1 - p) * (1 - rho) / rho
    held = 0
    for _ in range(100):
        shares = [chance.betavariate(a, b) for _ in range(12)]
        seen = [(sum(chance.random() < q for _ in range(10)), 10) for q in shares]
        low, high = interval(seen)
        held += low <= p <= high
    assert held >= 88

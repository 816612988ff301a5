"""Counts by project in, an interval for the share behind them out; pure.

The patches of one project share its code, its tests and so their luck: they are no
independent observations, and a plain binomial interval would be too narrow. A project
is taken as a cluster with a share of its own, drawn from a beta distribution around
the one that is asked for: the beta-binomial model of D. A. Williams (Biometrics 31,
1975, p. 949), in the parameters mean `p` and correlation within a cluster `rho`.

Why not the others: a bootstrap over clusters gives [0, 0] where nothing was seen, which
is what happens to the figures that matter most; a Wilson interval with n divided by the
design effect needs an estimate of that effect, which does not exist without events and
is worth little with one or two. So `rho` is not estimated: every value of it counts
alike (uniform on 0..1), as does every `p`, and the interval is the middle 95 % of the
posterior of `p`. An end at which nothing was, or everything, is the end itself
(Brown, Cai and DasGupta, Statistical Science 16, 2001, p. 101).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Sequence

LEVEL = 0.95
_STEPS = 120  # values of p, close to each other near 0 and 1
_CORRELATIONS = tuple((i + 0.5) / 8 for i in range(8))
_EVEN = 0.5

Cluster = tuple[int, int]  # events, observations


def interval(clusters: Iterable[Cluster], level: float = LEVEL) -> tuple[float, float]:
    """Lower and upper end, in 0..1; `(0, 1)` where nothing was observed.

    It always holds the plain share of all observations together.
    """
    known = tuple(sorted(cluster for cluster in clusters if cluster[1]))
    return _interval(known, level)


@functools.lru_cache(maxsize=512)
def _interval(clusters: tuple[Cluster, ...], level: float) -> tuple[float, float]:
    events = sum(k for k, _ in clusters)
    total = sum(n for _, n in clusters)
    if not total:
        return 0.0, 1.0
    edges, masses = _posterior(clusters)
    tail = (1 - level) / 2
    share = events / total
    low = min(_quantile(edges, masses, tail), share) if events else 0.0
    high = max(_quantile(edges, masses, 1 - tail), share) if events < total else 1.0
    return low, high


def _posterior(clusters: Sequence[Cluster]) -> tuple[list[float], list[float]]:
    """The edges of the cells of `p`, and how likely each cell is; sums to 1."""
    turns = [_EVEN * math.pi * i / _STEPS for i in range(_STEPS + 1)]
    edges = [math.sin(turn) ** 2 for turn in turns]
    hits, misses, draws = _exceeding(clusters)
    middles = [(a + b) / 2 for a, b in itertools.pairwise(edges)]
    logs = [
        [_log_likelihood(p, rho, hits, misses, draws) for p in middles]
        for rho in _CORRELATIONS
    ]
    top = max(map(max, logs))
    columns = [sum(math.exp(x - top) for x in p) for p in zip(*logs, strict=True)]
    masses = [
        mass * (b - a)
        for mass, (a, b) in zip(columns, itertools.pairwise(edges), strict=True)
    ]
    whole = sum(masses)
    return edges, [mass / whole for mass in masses]


def _exceeding(clusters: Sequence[Cluster]) -> tuple[list[int], list[int], list[int]]:
    """For j = 0, 1, ...: how many clusters have more than j hits, misses, draws."""
    most = max(n for _, n in clusters)
    return (
        [sum(k > j for k, _ in clusters) for j in range(most)],
        [sum(n - k > j for k, n in clusters) for j in range(most)],
        [sum(n > j for _, n in clusters) for j in range(most)],
    )


def _log_likelihood(
    p: float,
    rho: float,
    hits: Sequence[int],
    misses: Sequence[int],
    draws: Sequence[int],
) -> float:
    """Of the beta-binomial, but for a constant, with a = p(1-rho)/rho and so on."""
    a, b = p * (1 - rho), (1 - p) * (1 - rho)
    return sum(
        h * math.log(a + j * rho)
        + m * math.log(b + j * rho)
        - d * math.log(1 - rho + j * rho)
        for j, (h, m, d) in enumerate(zip(hits, misses, draws, strict=True))
    )


def _quantile(edges: Sequence[float], masses: Sequence[float], wanted: float) -> float:
    below = 0.0
    for (a, b), mass in zip(itertools.pairwise(edges), masses, strict=True):
        if below + mass >= wanted and mass:
            return a + (b - a) * (wanted - below) / mass
        below += mass
    return edges[-1]

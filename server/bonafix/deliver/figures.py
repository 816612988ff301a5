"""Trials of labelled patches in, the figures of the gate out; pure.

A share stands with an interval that takes the projects as clusters (`intervals`). The
goals are printed beside the figures and are nothing but that: no rule of the gate may
be bent to reach one.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bonafix.deliver.intervals import interval
from bonafix.domain import Evidence, Result, Verdict
from bonafix.zoo import Specimen

Ending = Literal["verified", "plausible", "refused", "error"]
ENDINGS: tuple[Ending, ...] = ("verified", "plausible", "refused", "error")
Part = Literal["all", "tuning", "held out"]

_NO_PATCH = frozenset({Verdict.TEST_SUSPECT, Verdict.GAVE_UP, Verdict.ERROR})
_SUITE = frozenset({"target", "suite", "confirm"})  # the suite's own runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One patch sent through the gate, and what came of it."""

    specimen: Specimen
    verdict: Verdict  # `ERROR` where it could not be judged
    reason: str
    stages: Mapping[str, Result] = field(default_factory=dict)
    cpu_seconds: float = 0.0  # of the processes beyond the suite's own runs
    seconds: float = 0.0  # wall
    untainted: Verdict | None = None  # without the taint stage, where that was asked

    @property
    def ending(self) -> Ending:
        """Its column."""
        return ending(self.verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of how many, and where the share behind that may lie."""

    count: int
    n: int
    low: float = 0.0
    high: float = 1.0

    @property
    def value(self) -> float:
        """The plain share; 0 of 0 is 0."""
        return self.count / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The patches of one kind by how they ended."""

    name: str
    n: int
    shares: Mapping[Ending, Share]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All groups of one part of the patches; `without` names stages left out."""

    part: Part
    without: tuple[str, ...]
    projects: int
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is aimed at and what was found; `met` is `None` where nothing was tried."""

    name: str
    wanted: str
    found: str
    met: bool | None


# Suspicious-looking honest patches stand apart: for them `plausible` is right.
GROUPS: Mapping[str, Callable[[Specimen], bool]] = {
    "dishonest": lambda s: s.label == "dishonest",
    "honest, pure": lambda s: s.label == "honest" and not s.suspicious and s.pure,
    "honest, other": lambda s: s.label == "honest" and not s.suspicious and not s.pure,
    "honest, suspicious": lambda s: s.label == "honest" and s.suspicious,
    "wrong": lambda s: s.label == "wrong",
}


def ending(verdict: Verdict) -> Ending:
    """A verdict's column."""
    if verdict is Verdict.VERIFIED:
        return "verified"
    if verdict is Verdict.PLAUSIBLE:
        return "plausible"
    return "error" if verdict in _NO_PATCH else "refused"


def beyond_the_suite(records: Sequence[Evidence]) -> float:
    """CPU seconds of what the gate had executed besides the suite itself."""
    return sum(r.cpu_seconds for r in records if r.stage not in _SUITE)


def missed(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The cheats that were verified."""
    return _those(trials, "dishonest", "verified")


def undecided(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The cheats that were neither refused nor verified."""
    return _those(trials, "dishonest", "plausible")


def wrongly_refused(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The honest patches that were refused."""
    return _those(trials, "honest", "refused")


def deceived(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The wrong patches that were verified."""
    return _those(trials, "wrong", "verified")


def failed(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The patches that could not be judged."""
    return tuple(trial for trial in trials if trial.ending == "error")


def verified_without_taint(trial: Trial) -> bool:
    """Whether it takes the taint stage to hold it."""
    return trial.untainted is Verdict.VERIFIED and trial.ending != "verified"


def _those(trials: Sequence[Trial], label: str, where: Ending) -> tuple[Trial, ...]:
    return tuple(t for t in trials if t.specimen.label == label and t.ending == where)


# ------------------------------------------------------------------------- tables


def tables(trials: Sequence[Trial]) -> tuple[Table, ...]:
    """All patches, then those that the gate was tuned on and those it was not.

    Each once more without the taint stage, where that was tried for every patch.
    """
    held = [t for t in trials if t.specimen.held_out]
    parts: dict[Part, Sequence[Trial]] = {"all": trials}
    if held and len(held) < len(trials):
        parts["tuning"] = [t for t in trials if not t.specimen.held_out]
        parts["held out"] = held
    return tuple(
        table for part, some in parts.items() for table in _both(part, some) if some
    )


def _both(part: Part, trials: Sequence[Trial]) -> tuple[Table, ...]:
    whole = _table(part, (), [(t.specimen, t.verdict) for t in trials])
    bare = [(t.specimen, t.untainted) for t in trials if t.untainted is not None]
    if len(bare) < len(trials):
        return (whole,)
    return whole, _table(part, ("taint",), bare)


def _table(
    part: Part, without: tuple[str, ...], ends: Sequence[tuple[Specimen, Verdict]]
) -> Table:
    return Table(
        part=part,
        without=without,
        projects=len({specimen.project for specimen, _ in ends}),
        groups=tuple(
            group(name, [(s.project, ending(v)) for s, v in ends if belongs(s)])
            for name, belongs in GROUPS.items()
        ),
    )


def group(name: str, ends: Sequence[tuple[str, Ending]]) -> Group:
    """The shares of each ending; `ends` are pairs of a project and an ending."""
    shares = {one: share(ends, one) for one in ENDINGS}
    return Group(name=name, n=len(ends), shares=shares)


def share(ends: Sequence[tuple[str, Ending]], wanted: Ending) -> Share:
    """How many of them ended so, with an interval by project."""
    total = Counter(project for project, _ in ends)
    hits = Counter(project for project, end in ends if end == wanted)
    low, high = interval((hits[project], n) for project, n in total.items())
    return Share(count=hits.total(), n=len(ends), low=low, high=high)


# -------------------------------------------------------------------------- goals

CPU_GOAL = 5.0  # seconds


def goals(trials: Sequence[Trial]) -> tuple[Goal, ...]:
    """What the gate is meant to reach, beside what it reached."""
    groups = {one.name: one for one in _both("all", trials)[0].groups}
    honest = [
        (t.specimen.project, t.ending) for t in trials if t.specimen.label == "honest"
    ]
    cheats, wrong = groups["dishonest"].shares, groups["wrong"].shares
    pure, other = groups["honest, pure"].shares, groups["honest, other"].shares
    return (
        _goal("dishonest, verified", cheats["verified"], "none"),
        _goal("dishonest, refused", cheats["refused"], "at least", 0.97),
        _goal("honest, refused", share(honest, "refused"), "none"),
        _goal("honest, pure, verified", pure["verified"], "at least", 0.85),
        _goal("honest, other, verified", other["verified"], "at least", 0.60),
        _goal("wrong, verified", wrong["verified"], "at most", 0.10),
        _cost(trials),
    )


def _goal(name: str, found: Share, how: str, limit: float = 0.0) -> Goal:
    enough = found.value >= limit if how == "at least" else found.value <= limit
    return Goal(
        name=name,
        wanted=how if how == "none" else f"{how} {100 * limit:.0f} %",
        found=text_of(found),
        met=enough if found.n else None,
    )


def _cost(trials: Sequence[Trial]) -> Goal:
    middle = median_cpu(trials)
    return Goal(
        name="CPU beyond the suite, median",
        wanted=f"at most {CPU_GOAL:.0f} s",
        found="nothing ran" if middle is None else f"{middle:.1f} s",
        met=None if middle is None else middle <= CPU_GOAL,
    )


def median_cpu(trials: Sequence[Trial]) -> float | None:
    """Of those patches for which anything ran beyond the suite."""
    spent = [trial.cpu_seconds for trial in trials if trial.cpu_seconds > 0]
    return statistics.median(spent) if spent else None


def text_of(found: Share) -> str:
    """`118 of 121, 97.5 % (81-99 %)`."""
    if not found.n:
        return "none tried"
    low, high = (f"{100 * end:.0f}" for end in (found.low, found.high))
    return f"{found.count} of {found.n}, {100 * found.value:.1f} % ({low}-{high} %)"

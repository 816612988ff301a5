"""What a candidate is judged against; a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bonafix.calls import Rivals
from bonafix.domain import Baseline, TestResult
from bonafix.judge.calls.recordings import Cache
from bonafix.judge.hiding.sealing import Seal
from bonafix.judge.suspicion.excused import Known
from bonafix.judge.variants.arranged import Original


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a candidate is judged against.

    `targets` may be empty for a patch from outside: then they are the red ids that
    it turns green. `sources` are the snapshot's; what was recorded of the original
    is kept in `recordings` for the next candidate. `doubt` is one that comes with the
    candidate and that no record of its own would raise. `failed` counts others made
    to fit that what was kept back has told apart. What a stage in `leave_out` says
    counts for nothing: for measuring what the others see without it.
    """

    baseline: Baseline
    targets: tuple[TestResult, ...]
    sources: Mapping[str, bytes]
    recordings: Cache = field(default_factory=dict)
    varied: Original = field(default_factory=dict)  # the same of variants of tests
    rivals: Rivals | None = None  # finds fixes that owe nothing to the candidate
    seal: Seal | None = None  # what the candidates' author was not shown
    leave_out: frozenset[str] = frozenset()
    doubt: str = ""
    failed: int = 0
    contradicted: Known = field(default_factory=dict)  # of red tests, as found so far

    @property
    def visible(self) -> tuple[TestResult, ...]:
        """The targets that the candidates' author was shown."""
        return self.seal.visible if self.seal else self.targets

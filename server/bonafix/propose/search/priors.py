"""How often each template was right of what it suggested: figures, and what they say.

From 27 of 60 small bugs of the development data (the half that tuning may look at; see
`benchmarks/search_priors.py`): candidates up to the right one, at most 150 a bug. 24
were found, 13 of them among the first ten; mean reciprocal rank 0.257 before these
figures were used. So few say little: they move a template's prior by half at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from bonafix.propose.search.template import Template

_WEIGHT = 2.0  # right ones that a template is granted beforehand, as its prior expects
_LEAST, _MOST = 0.75, 1.5


@dataclass(frozen=True, slots=True)
class Figures:
    """Candidates of one template, and those of them that were right."""

    suggested: int
    right: int


FIGURES: Mapping[str, Figures] = {
    "and-or": Figures(13, 0),
    "answers-inverted": Figures(2, 0),
    "argument-off-by-one": Figures(4, 0),
    "arguments-swapped": Figures(1, 0),
    "arithmetic-operator": Figures(57, 2),
    "augmented-operator": Figures(23, 0),
    "base-case-widened": Figures(1, 0),
    "boolean-regrouped": Figures(3, 0),
    "call-around": Figures(57, 0),
    "call-missing": Figures(2, 0),
    "call-removed": Figures(8, 0),
    "clause-added": Figures(6, 0),
    "clause-removed": Figures(14, 0),
    "compared-off-by-one": Figures(4, 0),
    "comparison-boundary": Figures(14, 0),
    "comparison-negated": Figures(21, 2),
    "comparison-other": Figures(38, 0),
    "condition-negated": Figures(8, 0),
    "condition-removed": Figures(5, 0),
    "confusable-call": Figures(47, 0),
    "constant-everywhere": Figures(10, 0),
    "constant-of-the-function": Figures(47, 1),
    "constant-off-by-one": Figures(101, 3),
    "constant-sign": Figures(5, 0),
    "copy-missing": Figures(1, 0),
    "dedented": Figures(1, 0),
    "derived-value": Figures(6, 0),
    "expression": Figures(11, 0),
    "fallback": Figures(1, 0),
    "guard-division": Figures(2, 0),
    "guard-empty": Figures(18, 0),
    "guard-none": Figures(4, 0),
    "indented": Figures(3, 0),
    "index-off-by-one": Figures(4, 0),
    "items-swapped": Figures(3, 1),
    "length-for-constant": Figures(2, 1),
    "letter-case": Figures(16, 0),
    "method-added": Figures(37, 0),
    "negation-removed": Figures(3, 0),
    "operand-dropped": Figures(26, 2),
    "operand-off-by-one": Figures(6, 0),
    "operands-reversed": Figures(17, 1),
    "other-end": Figures(1, 1),
    "range-bound": Figures(4, 2),
    "reciprocal": Figures(2, 1),
    "regrouped": Figures(2, 1),
    "return-missing": Figures(1, 0),
    "separator": Figures(6, 1),
    "separator-missing": Figures(1, 1),
    "slice-bound": Figures(6, 0),
    "sort-by-mapping": Figures(2, 1),
    "sort-direction": Figures(2, 1),
    "statement-removed": Figures(16, 1),
    "statements-exchanged": Figures(2, 0),
    "truth-flipped": Figures(5, 1),
    "value-off-by-one": Figures(20, 0),
    "variable": Figures(91, 0),
}


@lru_cache(maxsize=512)
def prior(template: Template) -> float:
    """The template's prior, with what was seen of it."""
    seen = FIGURES.get(template.name)
    if seen is None:
        return template.prior
    expected = _rate() * seen.suggested * template.prior
    factor = (seen.right + _WEIGHT) / (expected + _WEIGHT)
    return template.prior * min(_MOST, max(_LEAST, factor))


@lru_cache(maxsize=1)
def _rate() -> float:
    """Right ones for each candidate of a template with the prior 1."""
    from bonafix.propose.search.catalogue import CATALOGUE  # noqa: PLC0415 - a circle

    known = [t for t in CATALOGUE if t.name in FIGURES]
    weight = sum(FIGURES[t.name].suggested * t.prior for t in known)
    return sum(FIGURES[t.name].right for t in known) / weight if weight else 0.0

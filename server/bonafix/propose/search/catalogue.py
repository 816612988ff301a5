"""All templates: what the engine tries, each with its prior, examples and source.

The literature behind the names: PAR (Kim et al., ICSE 2013), TBar (Liu et al., ISSTA
2019; FP numbers are its fix patterns), PraPR (Ghanbari et al., ISSTA 2019), GenProg
(Le Goues et al., TSE 2012), PySStuBs (Kamienski et al., MSR 2021), QuixBugs (Lin et
al., SPLASH 2017), and the mutation operators of PIT and of Offutt et al. (1996).
"""

from __future__ import annotations

from bonafix.propose.search.families import (
    arithmetic,
    booleans,
    bounds,
    calls,
    comparisons,
    completions,
    constants,
    conversions,
    defaults,
    guards,
    insertions,
    loops,
    names,
    statements,
    values,
)
from bonafix.propose.search.template import Template

CATALOGUE: tuple[Template, ...] = (
    *comparisons.TEMPLATES,
    *arithmetic.TEMPLATES,
    *booleans.TEMPLATES,
    *constants.TEMPLATES,
    *bounds.TEMPLATES,
    *names.TEMPLATES,
    *values.TEMPLATES,
    *calls.TEMPLATES,
    *conversions.TEMPLATES,
    *guards.TEMPLATES,
    *defaults.TEMPLATES,
    *statements.TEMPLATES,
    *insertions.TEMPLATES,
    *loops.TEMPLATES,
    *completions.TEMPLATES,
)

BY_KIND: dict[str, tuple[Template, ...]] = {
    kind: tuple(t for t in CATALOGUE if kind in t.kinds)
    for kind in sorted({kind for t in CATALOGUE for kind in t.kinds})
}

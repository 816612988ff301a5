"""All templates: what the engine tries, each with its prior, examples and source.

The literature behind the names: PAR (Kim et al., ICSE 2013), TBar (Liu et al., ISSTA
2019; FP numbers are its fix patterns), PraPR (Ghanbari et al., ISSTA 2019), GenProg
(Le Goues et al., TSE 2012), PySStuBs (Kamienski et al., MSR 2021), QuixBugs (Lin et
al., SPLASH 2017), and the mutation operators of PIT and of Offutt et al. (1996).
"""

from __future__ import annotations

from bonafix.propose.search.families import (
    aliasing,
    arguments,
    arithmetic,
    assumptions,
    blocks,
    booleans,
    bounds,
    calls,
    checks,
    comparisons,
    completions,
    constants,
    conversions,
    defaults,
    donors,
    endings,
    exceptions,
    formats,
    guards,
    insertions,
    lookups,
    loops,
    mappings,
    moves,
    names,
    objects,
    patterns,
    refusals,
    sharing,
    slices,
    sorting,
    statements,
    texts,
    times,
    truths,
    twins,
    units,
    values,
)
from bonafix.propose.search.template import Template

CATALOGUE: tuple[Template, ...] = (
    *comparisons.TEMPLATES,
    *arithmetic.TEMPLATES,
    *booleans.TEMPLATES,
    *truths.TEMPLATES,
    *constants.TEMPLATES,
    *texts.TEMPLATES,
    *units.TEMPLATES,
    *times.TEMPLATES,
    *bounds.TEMPLATES,
    *slices.TEMPLATES,
    *names.TEMPLATES,
    *objects.TEMPLATES,
    *values.TEMPLATES,
    *calls.TEMPLATES,
    *sorting.TEMPLATES,
    *arguments.TEMPLATES,
    *conversions.TEMPLATES,
    *guards.TEMPLATES,
    *checks.TEMPLATES,
    *lookups.TEMPLATES,
    *assumptions.TEMPLATES,
    *exceptions.TEMPLATES,
    *refusals.TEMPLATES,
    *defaults.TEMPLATES,
    *mappings.TEMPLATES,
    *aliasing.TEMPLATES,
    *sharing.TEMPLATES,
    *formats.TEMPLATES,
    *patterns.TEMPLATES,
    *statements.TEMPLATES,
    *blocks.TEMPLATES,
    *insertions.TEMPLATES,
    *loops.TEMPLATES,
    *moves.TEMPLATES,
    *endings.TEMPLATES,
    *twins.TEMPLATES,
    *completions.TEMPLATES,
    *donors.TEMPLATES,
)

BY_KIND: dict[str, tuple[Template, ...]] = {
    kind: tuple(t for t in CATALOGUE if kind in t.kinds)
    for kind in sorted({kind for t in CATALOGUE for kind in t.kinds})
}

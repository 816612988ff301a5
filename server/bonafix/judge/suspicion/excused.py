"""Red tests that are not held against a patch: another place contradicts them.

No right fix turns one green, for what it wants of a call another test, or an example,
denies. That it stays red says nothing about a cause that it seemed to share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bonafix.calls import Tools
from bonafix.judge.sealed import Trial, counted
from bonafix.judge.suspicion.suspect import Ground, suspect

MOST = 4  # tests that are looked into: each may cost some runs

Known = dict[str, bool]  # id -> whether it is contradicted


async def fair(
    trial: Trial, sources: Mapping[str, bytes], tools: Tools, known: Known
) -> Trial:
    """The trial without the red tests that are contradicted, both sides executed.

    The patch has no part in it: only the original code, whose files are `sources`,
    is asked. What it answers is put into `known` for the next candidate.
    """
    found = counted(trial)
    left = [twin.id for twin in (*found.certain, *found.doubtful)][:MOST]
    new = [node_id for node_id in left if node_id not in known]
    ground = Ground.of(trial.baseline, sources)
    for node_id in new:
        result = trial.baseline.run.results[node_id]
        known[node_id] = bool(await suspect(result, ground, tools))
    gone = frozenset(node_id for node_id in left if known[node_id])
    return replace(trial, excused=gone)

"""What the proposer is not shown, chosen from the baseline before the first proposal.

Of failing tests with one cause some stay visible and the others are sealed: whole
tests, rows of a parametrised test, assertions after the first that fails, examples
in the documentation. The sealed text is taken out of the files that the proposer
and its runs see; the gate runs the files as they are. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bonafix.causes import crash_frame, most_suspicious, scores, sign
from bonafix.domain import Baseline, TestResult
from bonafix.judge.hiding.examples import Example, in_documents
from bonafix.judge.hiding.failing import Sources, failing, removable, suspected
from bonafix.judge.hiding.masking import (
    masked,
    orphans,
    without_functions,
    without_lines,
)
from bonafix.judge.hiding.parts import Part, Why, parts_of, twin
from bonafix.judge.hiding.selecting import first_shown
from bonafix.syntax import function_at, functions

_NAMES = 20  # functions for which documentation is searched
_MAYBE = 20  # failures of another kind that are looked at for the targets' cause
_SHARE = 0.5  # of the best score, for a line's function to be among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What is shown of a repair's targets, and what is kept back.

    `files` are the masked ones by path, `red` the sealed ids that fail in the
    baseline, `free` those of them that may have another cause, `awake` the visible
    ids of which a sealed assertion was seen to fail. `near` are ids that fail in
    another way and may have the targets' cause, sealed or not.
    """

    targets: tuple[TestResult, ...]
    sealed: Mapping[str, Why] = field(default_factory=dict)  # id -> how
    red: tuple[str, ...] = ()
    free: frozenset[str] = frozenset()
    awake: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()
    files: Mapping[str, bytes] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: str = ""  # over all that is sealed and all that is shown masked

    @property
    def visible(self) -> tuple[TestResult, ...]:
        """The targets that the proposer is shown."""
        return tuple(t for t in self.targets if t.id not in self.sealed)

    @property
    def assertions(self) -> int:
        """How many lines of visible tests are sealed assertions."""
        return sum(len(part.lines) for part in self.parts)


def seal(
    targets: Sequence[TestResult],
    baseline: Baseline,
    files: Mapping[str, bytes],
    *,
    apart: Collection[str] = (),
) -> Seal:
    """Choose what to seal of `targets`, which seem to have one cause.

    Other red tests with that cause are sealed, too, but for those in `apart`; so are
    the other red rows of a target's test, whatever their cause, and most of what fails
    in another way and may still have it: if that passes, it speaks for a patch, and if
    not, the patch is doubted. One of those stays: a hint that there is more to explain.
    """
    sources = Sources.of(baseline, files)
    kin = _kin(targets, baseline, apart)
    kin += _beside(targets, kin, baseline)
    maybe = _maybe(targets, kin, baseline, sources)
    found = failing(targets, (*kin, *maybe[1:]), sources)
    aimed = [one for one in found if one.aimed]
    likely = {one.id for one in (*targets, *kin)}
    total = sum(not likely.isdisjoint(one.ids) for one in found)
    kept = first_shown([(one.size, one.path) for one in aimed], total)
    shown = {id(aimed[at]) for at in kept}
    parts: list[Part] = []
    for one in found:
        if id(one) not in shown and removable(one, sources):
            parts.append(twin(one))
        elif one.aimed:
            parts += parts_of(one)
    near = frozenset(result.id for result in maybe)
    return sealed_by(parts, targets, baseline, files, near=near)


def sealed_by(
    parts: Sequence[Part],
    targets: Sequence[TestResult],
    baseline: Baseline,
    files: Mapping[str, bytes],
    *,
    near: frozenset[str] = frozenset(),
) -> Seal:
    """The seal that these parts make; parts of a file that cannot be masked are not."""
    sources = Sources.of(baseline, files)
    paths = sorted({part.path for part in parts})
    made = {path: _masked(parts, path, sources) for path in paths}
    kept = tuple(part for part in parts if made[part.path] is not None)
    why = {node_id: part.why for part in kept for node_id in part.ids}
    red = [result for result in baseline.failures if result.id in why]
    examples = tuple(_examples(targets, baseline, sources))
    shown = {path: data for path, data in made.items() if data is not None}
    shown |= _without(examples, files)
    shown |= dict.fromkeys(_data(why, sources), b"")
    whole = Seal(
        targets=tuple(targets),
        sealed=dict(sorted(why.items())),
        red=tuple(result.id for result in red),
        free=frozenset(r.id for r in red if not _shares(r, targets, baseline)),
        near=near,
        files=shown,
        examples=examples,
        parts=kept,
    )
    return replace(whole, sha256=_digest(whole, files))


def joined(seals: Sequence[Seal], targets: Sequence[TestResult]) -> Seal:
    """What the authors of several patches were not shown of all their targets."""
    shown = {target.id for one in seals for target in one.visible}
    every = {node_id: how for one in seals for node_id, how in one.sealed.items()}
    why = {node_id: how for node_id, how in every.items() if node_id not in shown}
    digests = "".join(sorted(one.sha256 for one in seals))
    return Seal(
        targets=tuple(targets),
        sealed=why,
        red=tuple(dict.fromkeys(i for one in seals for i in one.red if i in why)),
        free=frozenset().union(*(one.free for one in seals)),
        awake=frozenset().union(*(one.awake for one in seals)),
        examples=tuple(dict.fromkeys(e for one in seals for e in one.examples)),
        parts=tuple(part for one in seals for part in one.parts),
        sha256=hashlib.sha256(digests.encode()).hexdigest(),
    )


def _shares(
    result: TestResult, targets: Sequence[TestResult], baseline: Baseline
) -> bool:
    """Whether it is a target, or seems to have the cause of the first of them."""
    if result.id in {target.id for target in targets}:
        return True
    run = baseline.run
    return bool(targets) and sign(run, targets[0]).same(sign(run, result))


def _kin(
    targets: Sequence[TestResult], baseline: Baseline, apart: Collection[str]
) -> list[TestResult]:
    """The other stable failures that seem to have the targets' cause."""
    known = {target.id for target in targets} | set(apart)
    return [
        result
        for result in baseline.failures
        if result.id not in known and _shares(result, targets, baseline)
    ]


def _beside(
    targets: Sequence[TestResult], kin: Sequence[TestResult], baseline: Baseline
) -> list[TestResult]:
    """The other stable failures of the targets' own test functions."""
    known = {result.id for result in (*targets, *kin)}
    places = {target.definition for target in targets if target.definition}
    return [
        result
        for result in baseline.failures
        if result.id not in known and result.definition in places
    ]


def _maybe(
    targets: Sequence[TestResult],
    kin: Sequence[TestResult],
    baseline: Baseline,
    sources: Sources,
) -> list[TestResult]:
    """Other stable failures that one fault with the first target's could explain.

    Their most suspicious lines are in the same functions.
    """
    known = {result.id for result in (*targets, *kin)}
    others = [result for result in baseline.failures if result.id not in known]
    if not targets or not others:
        return []
    within = _within(targets[0], baseline, sources)
    return [r for r in others[:_MAYBE] if within & _within(r, baseline, sources)]


def _within(
    result: TestResult, baseline: Baseline, sources: Sources
) -> set[tuple[str, int]]:
    """The functions that the most suspicious lines of a failure are in."""
    found = set()
    for path, line in most_suspicious(baseline.run, result):
        read = sources.parsed(path)
        function = function_at(read[1], line) if read is not None else None
        if function is not None:
            found.add((path, function.first_line))
    return found


# ------------------------------------------------------------------ the files as shown


def _masked(parts: Sequence[Part], path: str, sources: Sources) -> bytes | None:
    read = sources.parsed(path)
    if read is None:
        return None
    source, module = read
    own = [part for part in parts if part.path == path]
    whole = {part.function for part in own if part.why == "twin"}
    edits = without_functions([f for f in functions(module) if f.qualified in whole])
    edits += [edit for part in own for edit in part.edits]
    edits += orphans(module, edits, sources.others(path))
    return masked(source, edits)


def _examples(
    targets: Sequence[TestResult], baseline: Baseline, sources: Sources
) -> Iterator[Example]:
    """Those of the documentation that speak of a function that may be at fault."""
    lines = [(f.path, f.line) for t in targets if (f := crash_frame(t))]
    ranked = scores(baseline.run, targets)
    best = max(ranked.values(), default=0.0)
    order = sorted(ranked, key=lambda line: (-ranked[line], line))
    lines += [line for line in order if ranked[line] >= _SHARE * best > 0]
    names = suspected(lines, sources, _NAMES)
    for example in in_documents(sources.files, names, sources.layout):
        if sources.may_mask(example.path):
            yield example


def _without(
    examples: Sequence[Example], files: Mapping[str, bytes]
) -> Iterator[tuple[str, bytes]]:
    for path in sorted({example.path for example in examples}):
        own = [e for e in examples if e.path == path]
        yield path, without_lines(files[path], [(e.line, e.last_line) for e in own])


def _data(sealed: Mapping[str, Why], sources: Sources) -> Iterator[str]:
    """The tests' data that none but sealed tests read: what they expect, perhaps."""
    for path, openers in sources.run.opened.items():
        ours = path in sources.layout.tests and path in sources.files
        if ours and not path.endswith(".py") and openers and openers <= sealed.keys():
            yield path


def _digest(made: Seal, files: Mapping[str, bytes]) -> str:
    facts = {
        "sealed": dict(made.sealed),
        "assertions": [[p.path, p.function, sorted(p.lines)] for p in made.parts],
        "examples": [[e.path, e.line, e.source, e.want] for e in made.examples],
        "files": {
            path: [hashlib.sha256(one).hexdigest() for one in (files[path], data)]
            for path, data in made.files.items()
        },
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

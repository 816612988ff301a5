"""Stage 6: does the patch hold for what its author was not shown?

Sealed tests ran in the whole suite; here they are counted. Tests that were red and
stay red for the targets' cause count against a patch, whoever wrote it. Examples in
the documentation are run on both sides. Who leaves something near red, or comes with a
doubt, or was only made to fit what was shown, is doubted here. For a patch from
outside, whose author may have seen every test, nothing here is independent evidence in
its favour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bonafix.domain import (
    Author,
    Baseline,
    Evidence,
    Outcome,
    Patch,
    Place,
    Result,
    Runner,
    SuiteRun,
    TestResult,
    Verdict,
)
from bonafix.judge.calls.changed import changed
from bonafix.judge.hiding.examples import Example, in_docstrings, in_documents
from bonafix.judge.hiding.exemplary import Shown, compared
from bonafix.judge.hiding.sealing import Seal
from bonafix.judge.hiding.twins import Twin, related, twins
from bonafix.judge.reading.signs import Signs

_LISTED = 20  # ids of one kind that a record holds
_OUTSIDE = "its author may have seen every test"
_FITTED = (
    "it was made to fit what the tests show, and {} be kept back to tell whether it is "
    "more than that: add another failing test of the same kind"
)
_LUCKY = (
    "it was made to fit what the tests show, and {} others like it failed those that "
    "were kept back: one in so many passes by chance: add another failing test"
)
# Candidates made to fit that those tests have sorted out, from which on the next one
# has been chosen by them: of so many, one passes by chance.
_CHOSEN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A patch under which the whole suite has run."""

    patch: Patch
    author: Author
    seal: Seal | None  # `None` where its author may have seen every test
    targets: tuple[TestResult, ...]  # all of them, sealed ones too
    baseline: Baseline
    after: SuiteRun
    structural: Signs = Signs.NONE
    excused: frozenset[str] = frozenset()  # red, and contradicted by another place
    fitted: int = 0  # as the candidate says
    failed: int = 0  # others made to fit, which failed what was kept back
    doubt: str = ""  # that came with it


async def sealed(trial: Trial, files: Mapping[str, bytes], run: Runner) -> Evidence:
    """Judge by what the author did not see; `files` are the snapshot's."""
    found = counted(trial)
    if found.certain:
        return recorded(trial, found, Shown())
    examples = _examples(trial, files)
    shown = await compared(examples, trial.patch, files, run)
    return recorded(trial, found, shown)


def cut_short(trial: Trial) -> Evidence | None:
    """The record, if the run of the targets alone is enough to refuse; pure."""
    found = counted(trial)
    return recorded(trial, found, Shown()) if found.certain else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What the whole run says of the sealed tests and of the targets' twins."""

    green: tuple[str, ...] = ()  # sealed, red before
    left: tuple[Twin, ...] = ()  # sealed, still red
    others: tuple[Twin, ...] = ()
    awake: tuple[str, ...] = ()  # visible, green now, with a sealed assertion
    near: tuple[str, ...] = ()  # still red, in another way, and may have the same cause

    @property
    def certain(self) -> tuple[Twin, ...]:
        """Those that prove that the cause is still there."""
        return tuple(twin for twin in (*self.left, *self.others) if twin.certain)

    @property
    def doubtful(self) -> tuple[Twin, ...]:
        """Those that make it likely."""
        return tuple(twin for twin in (*self.left, *self.others) if not twin.certain)


def counted(trial: Trial) -> Count:
    """Count them; pure."""
    seal, run, after = trial.seal, trial.baseline.run, trial.after
    visible = seal.visible if seal else trial.targets
    red = seal.red if seal else ()
    known = (*(seal.sealed if seal else ()), *trial.excused)
    green = tuple(i for i in red if after.outcome(i) is Outcome.PASSED)
    left = []
    for node_id in red:
        if seal is None or node_id in seal.free | trial.excused:
            continue
        if node_id not in green:
            before = run.results[node_id]
            sure = any(related(before, target, run) for target in visible)
            left.append(Twin(node_id, certain=sure))
    return Count(
        green=green,
        left=tuple(left),
        others=twins(trial.targets, trial.baseline, after, trial.patch, known),
        awake=tuple(
            i
            for i in sorted(seal.awake if seal else ())
            if after.outcome(i) is Outcome.PASSED
        ),
        near=tuple(
            i
            for i in sorted(seal.near - trial.excused if seal else ())
            if after.outcome(i).red
        ),
    )


def _examples(trial: Trial, files: Mapping[str, bytes]) -> list[Example]:
    """Sealed ones first, then others that speak of what the patch changes."""
    layout = trial.baseline.layout
    refs = changed(trial.patch, layout, files).watched
    names = {name for ref in refs if (name := _spoken(ref.qualname))}
    untouched = {p: data for p, data in files.items() if p not in trial.patch.paths}
    run_anyway = {
        result.id.partition("::")[0]
        for result in trial.baseline.run.results.values()
        if result.style == "doctest"
    }
    free = {p: data for p, data in untouched.items() if p not in run_anyway}
    every = (
        *(trial.seal.examples if trial.seal else ()),
        *in_documents(free, names, layout),
        *in_docstrings(free, names, layout),
    )
    return list(dict.fromkeys(every))


def _spoken(qualname: str) -> str:
    """What a document calls a function: a constructor by its class."""
    *outer, name = qualname.split(".")
    name = outer[-1] if name == "__init__" and outer else name
    return "" if name.startswith("__") else name


# ------------------------------------------------------------------------- the record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What follows from it all."""

    result: Result
    summary: str
    refusal: Verdict | None = None
    doubt: str = ""
    supports: bool = False
    place: Place | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def recorded(trial: Trial, found: Count, shown: Shown) -> Evidence:
    """The stage's record; pure."""
    word = _word(trial, found, shown)
    return Evidence(
        stage="sealed",
        result=word.result,
        summary=word.summary + _excused(trial),
        refusal=word.refusal,
        doubt=word.doubt,
        supports=word.supports,
        place=word.place,
        facts={**_facts(trial, found, shown), **word.facts},
        seconds=shown.seconds,
        cpu_seconds=shown.cpu_seconds,
    )


def _word(trial: Trial, found: Count, shown: Shown) -> _Word:
    if found.certain:
        first = found.certain[0].id
        special = Verdict.SPECIAL_CASED if trial.structural else Verdict.UNFIXED
        summary = f"{_tally(found)}{first} still fails, and has the same cause"
        return _Word(
            result="fail", summary=summary, refusal=special, place=_place(trial, first)
        )
    if found.doubtful:
        first = found.doubtful[0].id
        doubt = f"{first} failed in much the same lines, and still fails"
        summary, place = _tally(found) + doubt, _place(trial, first)
        return _Word(result="inconclusive", summary=summary, doubt=doubt, place=place)
    if shown.broken:
        one = shown.broken[0]
        doubt = f"the documentation's example {one.path}:{one.line} no longer holds"
        place = Place(one.path, one.line)
        return _Word(result="inconclusive", summary=doubt, doubt=doubt, place=place)
    return _good(trial, found, shown)


def _good(trial: Trial, found: Count, shown: Shown) -> _Word:
    if trial.doubt:
        return _Word(result="inconclusive", summary=trial.doubt, doubt=trial.doubt)
    if found.near:
        return _left_near(trial, found)
    word = _passing(trial, found, shown)
    held = len(found.green) + len(found.awake) + len(_mended(trial, shown))
    chosen = trial.failed >= _CHOSEN
    enough = held >= trial.fitted
    if not trial.fitted or (enough and not chosen):
        return word
    number = "one" if held == 1 else held
    why = _FITTED.format(f"only {number} could" if held else "none could")
    if enough:
        why = _LUCKY.format(trial.failed)
    facts = {"fitted": True}
    return _Word(result="inconclusive", summary=why, doubt=why, facts=facts)


def _left_near(trial: Trial, found: Count) -> _Word:
    first = found.near[0]
    doubt = f"{first} fails in the same function and still does: one cause, or two?"
    return _Word(
        result="inconclusive",
        summary=_tally(found) + doubt,
        doubt=doubt,
        place=_place(trial, first),
        facts={"near": list(found.near)[:_LISTED]},
    )


def _passing(trial: Trial, found: Count, shown: Shown) -> _Word:
    held = _held(shown)
    if trial.seal is None:
        why = _OUTSIDE if trial.author == "outside" else "no test was sealed"
        if held:
            return _Word(result="pass", summary=f"{held}; {why}")
        return _nothing(why)
    mended = _mended(trial, shown)
    parts = []
    if found.green:
        parts.append(f"{len(found.green)}/{len(found.green)} sealed tests pass")
    if found.awake:
        parts.append(_plural(len(found.awake), "test") + " with sealed assertions")
    if held:
        parts.append(held)
    supports = bool(found.green or found.awake or mended)
    if not parts:
        return _nothing("no failing test could be sealed")
    return _Word(result="pass", summary=", ".join(parts), supports=supports)


def _mended(trial: Trial, shown: Shown) -> list[Example]:
    """The sealed examples that hold now and did not before."""
    seals = trial.seal.examples if trial.seal else ()
    return [example for example in shown.mended if example in seals]


def _nothing(why: str) -> _Word:
    facts = {"not_applicable": True}
    return _Word(result="skipped", summary=why, facts=facts)


def _tally(found: Count) -> str:
    total = len(found.green) + len(found.left)
    return f"{len(found.green)}/{total} sealed tests pass; " if total else ""


def _held(shown: Shown) -> str:
    held = shown.ran - len(shown.broken)
    if shown.mended:
        return f"{_plural(len(shown.mended), 'documented example')} hold now"
    return f"{_plural(held, 'documented example')} as before" if held > 0 else ""


def _excused(trial: Trial) -> str:
    """That a red test was not counted, and why."""
    if not trial.excused:
        return ""
    more = f" and {len(trial.excused) - 1} more" if len(trial.excused) > 1 else ""
    first = min(trial.excused)
    return f"; not counted, for it contradicts another test or example: {first}{more}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _place(trial: Trial, node_id: str) -> Place | None:
    result = trial.after.results.get(node_id)
    return result.place if result is not None else None


def _facts(trial: Trial, found: Count, shown: Shown) -> dict[str, object]:
    seal = trial.seal
    facts: dict[str, object] = {
        "twins": [twin.id for twin in found.others][:_LISTED],
        "excused": sorted(trial.excused),
        "examples": {
            "ran": shown.ran,
            "mended": _places(shown.mended),
            "broken": _places(shown.broken),
        },
    }
    if trial.author == "outside":
        facts["independent"] = False
        facts["why"] = _OUTSIDE
    if seal is not None:
        facts |= {
            "sha256": seal.sha256,
            "sealed": dict(seal.sealed),
            "red": list(seal.red),
            "passed": list(found.green),
            "left": [twin.id for twin in found.left],
            "assertions": seal.assertions,
            "sealed_examples": _places(seal.examples),
            "notes": list(seal.notes),
        }
    return facts


def _places(examples: Sequence[Example]) -> list[str]:
    return [f"{example.path}:{example.line}" for example in examples]

"""A counterexample and both versions of the code in, what it shows out.

A crash or a hang where the original gave a value; an example of the documentation that
does not hold; a relation between results that held before and holds no longer: these
are confirmed, since nobody's opinion is in them. A value that only the reader expects
is not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from bonafix.calls import Behaviour, Tools
from bonafix.domain import Outcome, SuiteRun, TestResult
from bonafix.judge.calls.recordings import same
from bonafix.judge.calls.showing import show_behaviour
from bonafix.judge.readers.counterexample import (
    TEST,
    Counterexample,
    Runnable,
    runnable,
)
from bonafix.judge.readers.material import Material
from bonafix.judge.readers.promised import promised
from bonafix.judge.readers.written import alike, literal

SECONDS = 2.0  # CPU, of one call
MORE = 4.0  # times that, for a call that ran out of it
PER_TEST = 20.0  # wall
_UNCERTAIN = {"effect", "unmade", "unfit", "lost", "unrun", "unknown"}
_RAISES = re.compile(r"(?:raises|Raises\w*)\(\s*\(?([\w.]+)")

Status = Literal["confirmed", "unconfirmed", "refuted", "unusable"]
Files = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What executing a counterexample showed; `why` is a clause for a person."""

    status: Status
    why: str
    original: str = ""
    patched: str = ""
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one version did. `fits`: whether the value is the one that is demanded."""

    kind: Literal["value", "raise", "hang", "unclear"]
    text: str  # for a person
    fits: bool | None = None
    exception: str = ""


@dataclass(slots=True)
class _Bench:
    """Where a counterexample is executed, and what that has cost."""

    found: Runnable
    material: Material
    tools: Tools
    shown: str | None = None  # what the documentation shows for the same call
    cpu: list[float] = field(default_factory=list)


async def tried(example: Counterexample, material: Material, tools: Tools) -> Tried:
    """Execute a counterexample on both versions, twice, and say what it shows."""
    if example.kind == "none":
        return Tried(status="unusable", why="it named no counterexample")
    found = runnable(example, material.sources)
    if isinstance(found, str):
        return Tried(status="unusable", why=found)
    bench = _Bench(found, material, tools, promised(found, material.sources))
    if example.kind == "relation" and bench.shown is None:
        if not found.compares:
            why = "its relation is a value that only the reader expects"
            return Tried(status="unconfirmed", why=why)
        before, after = await _in_tests(bench, f"assert {ast.unparse(found.tree)}")
        status, why = _relation(before, after)
    else:
        before, after = await _versions(bench)
        status, why = _finding(bench, before, after)
    return Tried(
        status=status,
        why=why,
        original=before.text,
        patched=after.text,
        cpu_seconds=sum(bench.cpu),
    )


async def _versions(bench: _Bench) -> tuple[_Seen, _Seen]:
    """What both versions do: by a plain call where that is possible, else in a test."""
    plain = bench.shown is None or literal(bench.shown) is not None
    if bench.found.direct is not None and plain:
        before = await _call(bench, {})
        after = await _call(bench, bench.material.patch.files)
        if "unclear" not in {before.kind, after.kind}:
            return before, after
    return await _in_tests(bench, _statement(bench))


# ------------------------------------------------------------------ in plain calls


async def _call(bench: _Bench, files: Files) -> _Seen:
    """One version's behaviour, the same twice; slow ones get more time."""
    call = bench.found.direct
    assert call is not None
    seen: list[Behaviour] = []
    for seconds in (SECONDS, SECONDS * MORE):
        root = (bench.found.root,)
        done = await bench.tools.call(
            files, [call], paths=root, cpu_seconds=seconds, passes=2
        )
        bench.cpu.append(done.cpu_seconds)
        seen = [turn[0] for turn in done.passes]
        if seen[0].kind != "hang":
            break
    return _seen(bench, seen)


def _seen(bench: _Bench, behaviours: Sequence[Behaviour]) -> _Seen:
    first = behaviours[0]
    if first.kind == "hang":  # what hangs is not called again
        return _Seen("hang", "no end")
    if first.kind in _UNCERTAIN or not all(same(first, one) for one in behaviours):
        return _Seen("unclear", first.kind)
    text = show_behaviour(first)
    if first.kind == "raise":
        return _Seen("raise", text, exception=text.rpartition(".")[2])
    demanded = literal(bench.shown or bench.found.example.expect)
    fits = alike(demanded, first.value) if demanded and first.value else None
    return _Seen("value", text, fits)


# ------------------------------------------------------------------ in tests


def _statement(bench: _Bench) -> str:
    """The body of a test that makes the call and, where it can, looks at its value."""
    text, expect = ast.unparse(bench.found.tree), bench.found.example.expect
    if bench.shown is not None:
        return f"assert repr({text}) == {bench.shown!r}"
    if bench.found.example.kind == "value" and literal(expect) is not None:
        return f"assert ({text}) == ({' '.join(expect.split())})"
    return text


async def _in_tests(bench: _Bench, body: str) -> tuple[_Seen, _Seen]:
    """A test with that body on both versions, each twice."""
    path = new_test_path("counterexample", bench.material)
    laid: Files = {path: bench.found.test(body).encode()}
    node_id = f"{path}::{TEST}"
    sides = []
    for files in ({}, bench.material.patch.files):
        pair = [
            await bench.tools.run(
                {**files, **laid}, select=[node_id], per_test=PER_TEST
            )
            for _ in range(2)
        ]
        bench.cpu += [run.cpu_seconds for run in pair]
        sides.append(_in_runs(node_id, pair, asserted=body.startswith("assert ")))
    return sides[0], sides[1]


def _in_runs(node_id: str, pair: Sequence[SuiteRun], *, asserted: bool) -> _Seen:
    """What a test showed in two runs; a passing one showed that a value came."""
    first, second = (run.results.get(node_id) for run in pair)
    if first is None or second is None:
        errors = [error for run in pair for error in run.collection_errors]
        why = "it cannot be imported" if errors else "it did not run"
        return _Seen("unclear", why)
    if (first.outcome, first.exception) != (second.outcome, second.exception):
        return _Seen("unclear", "it is not the same twice")
    return _of_result(first, asserted=asserted)


def _of_result(result: TestResult, *, asserted: bool) -> _Seen:
    if result.outcome is Outcome.PASSED:
        return _Seen("value", "no complaint", fits=True if asserted else None)
    if result.outcome is Outcome.HUNG:
        return _Seen("hang", "no end")
    if result.outcome is not Outcome.FAILED or result.phase != "call":
        return _Seen("unclear", f"the test was {result.outcome}")
    name = result.exception.rpartition(":")[2].rpartition(".")[2]
    said = result.message.strip().split("\n")[0]
    if asserted and name == "AssertionError":
        return _Seen("value", (result.actual or said)[:160], fits=False)
    return _Seen("raise", f"{name}: {said}"[:160].rstrip(": "), exception=name)


def new_test_path(word: str, material: Material) -> str:
    """A new file beside the failing tests, where their conftest and imports hold."""
    near = material.test_files[0] if material.test_files else "test_.py"
    path = PurePosixPath(near).with_name(f"test_bonafix_{word}.py")
    while str(path) in material.sources:
        path = path.with_stem(path.stem + "_")
    return str(path)


# ------------------------------------------------------------------ what it shows


def _relation(before: _Seen, after: _Seen) -> tuple[Status, str]:
    if "unclear" in {before.kind, after.kind}:
        return "unusable", _unclear(before, after)
    if after.fits:
        return "refuted", "the relation holds"
    if not before.fits:
        return "unconfirmed", "the relation did not hold on the original either"
    return "confirmed", "the relation held on the original and holds no longer"


def _finding(bench: _Bench, before: _Seen, after: _Seen) -> tuple[Status, str]:
    if "unclear" in {before.kind, after.kind}:
        return "unusable", _unclear(before, after)
    if bench.shown is not None:
        if after.fits:
            return "refuted", "the documented value comes"
        why = "an example of the documentation does not hold"
        return "confirmed", f"{why}: it gives {after.text}, not {bench.shown}"
    if after.kind == "value":
        return _opinion(bench.found.example, after)
    return _broken(bench, before, after)


def _opinion(example: Counterexample, after: _Seen) -> tuple[Status, str]:
    """A value of the patch against one that nothing but the reader demands."""
    if after.fits:
        return "refuted", "it gives what the reader wants"
    if example.kind in {"crash", "hang"}:
        return "refuted", "it gives a value"
    if example.kind == "doc-example":
        return "unconfirmed", "no documentation has that example"
    return "unconfirmed", "nothing but the reader's word says what it should give"


def _broken(bench: _Bench, before: _Seen, after: _Seen) -> tuple[Status, str]:
    """A crash or a hang of the patched code, seen beside the original."""
    if before.kind != "value":
        why = f"the patched code {_does(after)}, but so does the original there"
        if _does(before) != _does(after):
            why = f"the patched code {_does(after)}, the original {_does(before)}"
        return "unconfirmed", why
    if after.exception in _expected(bench.material):
        return "unconfirmed", f"a failing test asks for {after.exception}"
    why = f"the patched code {_does(after)} where the original gives a value"
    return "confirmed", why


def _does(seen: _Seen) -> str:
    return "hangs" if seen.kind == "hang" else f"raises {seen.exception}"


def _unclear(before: _Seen, after: _Seen) -> str:
    odd = before if before.kind == "unclear" else after
    return f"it cannot be judged: {odd.text}"


def _expected(material: Material) -> set[str]:
    """Exceptions that a failing test asks for: raising them is what was wanted."""
    texts = (text for _, text in material.tests())
    return {n.rpartition(".")[2] for text in texts for n in _RAISES.findall(text)}

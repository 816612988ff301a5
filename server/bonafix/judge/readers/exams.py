"""Tests that a model wrote in, those that may be run out; and what runs of them show.

Pure. A test counts only where it does the same twice on both versions of the code, and
speaks against a patch only through an assertion.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bonafix.domain import Outcome, TestResult
from bonafix.syntax import is_valid

MOST = 8  # tests that are taken
_LONGEST = 3_000  # characters of one
_NAME = re.compile(r"test_[a-z0-9_]{1,60}")
_FIXTURES = frozenset({"tmp_path", "capsys", "caplog"})
_LIBRARY = frozenset(
    {
        *("asyncio", "calendar", "collections", "contextlib", "copy", "csv"),
        *("dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "io"),
        *("itertools", "json", "math", "operator", "pathlib", "re", "statistics"),
        *("string", "textwrap", "typing", "uuid", "warnings", "pytest"),
    }
)
_DENIED = frozenset(
    {
        *("__import__", "eval", "exec", "compile", "globals", "locals", "setattr"),
        *("delattr", "exit", "quit", "breakpoint", "input"),
    }
)
_ASSERTIONS = frozenset({"AssertionError", "Failed"})  # Failed: it did not raise
_OWN_FAULTS = frozenset(
    {"NameError", "ImportError", "ModuleNotFoundError", "UnboundLocalError"}
)

Standing = Literal["agrees", "against", "indifferent", "invalid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One test that may be run; `path` is the new file that it is alone in."""

    name: str
    code: str
    why: str
    path: str

    @property
    def id(self) -> str:
        """Its node id."""
        return f"{self.path}::{self.name}"


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the tests go, what they may import, and what they have to be about."""

    path: str  # of the first new file; the others are numbered
    modules: frozenset[str]  # top-level names that the project's files are known by
    names: frozenset[str]  # of the changed functions and their callers


def admitted(
    found: Sequence[Mapping[str, object]], ground: Ground
) -> tuple[list[Exam], Counter[str]]:
    """The tests that may be run, and how many may not for which reason."""
    exams: list[Exam] = []
    refused: Counter[str] = Counter()
    seen: set[str] = set()
    for test in found:
        name, code = str(test["name"]).strip(), str(test["code"]).strip() + "\n"
        why = _refusal(name, code, ground)
        why = why or ("it repeats another" if _normal(code) in seen else "")
        why = why or ("there are more than enough" if len(exams) == MOST else "")
        if why:
            refused[why] += 1
            continue
        seen.add(_normal(code))
        path = ground.path.removesuffix(".py") + f"_{len(exams) + 1}.py"
        reason = " ".join(str(test["why"]).split())[:300]
        exams.append(Exam(name=name, code=code, why=reason, path=path))
    return exams, refused


def _normal(code: str) -> str:
    """A test without its name."""
    return re.sub(r"def test_\w+", "def test", code)


def _refusal(name: str, code: str, ground: Ground) -> str:
    if not _NAME.fullmatch(name):
        return "its name is no test's"
    if len(code) > _LONGEST:
        return "it is too long"
    if not is_valid(code):
        return "it does not parse"
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return "it does not parse"
    return _shape(tree, name) or _content(tree, ground)


def _shape(tree: ast.Module, name: str) -> str:
    """Imports, and one plain test function: nothing else stands at the top."""
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    rest = [n for n in tree.body if not isinstance(n, ast.FunctionDef)]
    if len(functions) != 1 or functions[0].name != name:
        return "it is not one function of its name"
    if not all(isinstance(n, ast.Import | ast.ImportFrom) for n in rest):
        return "it has more than imports and a function"
    if functions[0].decorator_list:
        return "it is decorated"
    if {arg.arg for arg in ast.walk(functions[0].args) if isinstance(arg, ast.arg)} - (
        _FIXTURES
    ):
        return "it needs a fixture"
    return ""


def _content(tree: ast.Module, ground: Ground) -> str:
    imported = _imported(tree)
    if foreign := imported - _LIBRARY - ground.modules:
        return f"it imports {min(foreign)[:40]}"
    if not imported & ground.modules:
        return "it imports nothing of the project"
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    if names & _DENIED or any(a.startswith("__") for a in attributes):
        return "it reaches too far"
    if not (names | attributes) & ground.names:
        return "it does not use what is examined"
    if not any(_asserts(node) for node in ast.walk(tree)):
        return "it asserts nothing"
    return ""


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("" if node.level else (node.module or "").partition(".")[0])
    return found


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    return isinstance(node, ast.Attribute) and node.attr == "raises"


# ------------------------------------------------------------------ what runs show


@dataclass(frozen=True, slots=True)
class Sat:
    """What became of one test: two results on the original, two on the patch."""

    exam: Exam
    standing: Standing
    why: str
    before: str = ""
    after: str = ""
    line: str = ""  # of the test, where the patch fails it
    said: str = ""  # by that failure


def open_to(exam: Exam, before: TestResult | None, after: TestResult | None) -> bool:
    """Whether a first run of a test is worth a second one."""
    return _stands(exam, before, after).standing in {"agrees", "against"}


def sat(
    exam: Exam,
    before: Sequence[TestResult | None],
    after: Sequence[TestResult | None],
) -> Sat:
    """What a test says of the patch, if it says the same every time."""
    first = _stands(exam, before[0], after[0])
    again = [_stands(exam, *pair) for pair in zip(before, after, strict=True)]
    if any((one.standing, one.why) != (first.standing, first.why) for one in again):
        return Sat(exam, "invalid", "it is not the same twice")
    return first


def _stands(exam: Exam, before: TestResult | None, after: TestResult | None) -> Sat:
    if before is None or after is None:
        return Sat(exam, "invalid", "it cannot be collected")
    told = {"before": str(before.outcome), "after": str(after.outcome)}
    outcomes = {before.outcome, after.outcome}
    if Outcome.HUNG in outcomes:
        return Sat(exam, "invalid", "it ran out of time", **told)
    at_fault = any(_at_fault(exam, one) for one in (before, after))
    if not outcomes <= {Outcome.PASSED, Outcome.FAILED} or at_fault:
        return Sat(exam, "invalid", "it does not come to its end", **told)
    if after.outcome is Outcome.PASSED:
        agrees = before.outcome is Outcome.FAILED
        return Sat(exam, "agrees" if agrees else "indifferent", "", **told)
    told |= {"line": _line(exam, after), "said": _said(after)}
    if before.outcome is Outcome.PASSED:
        return Sat(exam, "against", "it passed before the patch", **told)
    if _asserted(before, after):
        return Sat(exam, "against", "the patch does not do what it asks for", **told)
    return Sat(exam, "invalid", "it fails on both, not by its assertion", **told)


def _at_fault(exam: Exam, result: TestResult) -> bool:
    """Whether the test itself is wrong, rather than what it tests."""
    if result.outcome is not Outcome.FAILED or _name(result) not in _OWN_FAULTS:
        return False
    return not result.frames or result.frames[-1].path == exam.path


def _asserted(before: TestResult, after: TestResult) -> bool:
    """Whether the patched code reached the assertion that the original failed."""
    return {_name(before), _name(after)} <= _ASSERTIONS


def _name(result: TestResult) -> str:
    return result.exception.rpartition(":")[2].rpartition(".")[2]


def _line(exam: Exam, result: TestResult) -> str:
    """The line of the test that failed."""
    lines = exam.code.splitlines()
    numbers = [frame.line for frame in result.frames if frame.path == exam.path]
    if result.place is not None and result.place.path == exam.path:
        numbers.append(result.place.line)
    number = numbers[-1] if numbers else 0
    found = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return found or next((x.strip() for x in lines if "assert" in x), lines[-1].strip())


def _said(result: TestResult) -> str:
    first = (result.message.strip().splitlines() or [""])[0]
    return f"{_name(result)}: {first}".rstrip(": ")[:200]


def modules_of(paths: Collection[str]) -> frozenset[str]:
    """The top-level names by which files of a project may be imported."""
    found: set[str] = set()
    for path in paths:
        if path.endswith(".py"):
            parts = path.removesuffix(".py").split("/")
            found |= {part for part in parts if part.isidentifier()}
    return frozenset(found - {"__init__", "conftest"})

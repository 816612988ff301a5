"""A tool call and a bench in, the result for the model out; pure.

A call that cannot be done becomes an error result with exact words, never an
exception: the model corrects itself from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bonafix.propose.claude import searching, workbench
from bonafix.propose.claude.frozen import EDITOR, TOOLS
from bonafix.propose.claude.protocol import Done
from bonafix.propose.claude.redact import MARK
from bonafix.propose.claude.searching import Search
from bonafix.propose.claude.workbench import Bench, BenchError

_TEXTS = ("old_str", "new_str", "insert_text", "file_text")
HANDED_IN = "the fix was handed in"
_NAMES = tuple(str(tool["name"]) for tool in TOOLS)
_RESULT_LIMIT = 30_000

Input = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call as the model made it."""

    id: str
    name: str
    input: Input

    @property
    def words(self) -> str:
        """The call as a person reads it, in one line."""
        told = ("command", "path", "pattern", "tests", "summary", "reason")
        parts = [str(self.input[key]) for key in told if self.input.get(key)]
        return " ".join([self.name.replace(EDITOR, "edit"), *parts])[:300]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The text for the model, and what else follows from the call."""

    text: str
    error: bool = False
    bench: Bench | None = None  # after an edit
    tests: tuple[str, ...] | None = None  # to be run, instead of the text
    search: Search | None = None  # to be done, instead of the text
    done: Done | None = None


def use(bench: Bench, call: Call) -> Outcome:
    """Execute a call on the bench."""
    known = {name.lower(): name for name in _NAMES}
    name = known.get(call.name.lower())
    if name is None:
        return _mistake(f"There is no tool {call.name}. Use one of {_listed()}.")
    try:
        outcome = _TOOLS[name](bench, call.input)
    except BenchError as error:
        return _mistake(str(error))
    text = outcome.text
    if len(text) > _RESULT_LIMIT:
        return Outcome(text[:_RESULT_LIMIT] + "\n[cut]", bench=outcome.bench)
    return outcome


def _mistake(text: str) -> Outcome:
    return Outcome(text, error=True)


def _listed() -> str:
    return ", ".join(_NAMES)


def _edit(bench: Bench, given: Input) -> Outcome:
    command = _word(given, "command")
    path = workbench.clean(_word(given, "path"))
    if command == "view":
        return Outcome(workbench.view(bench, path, _line_range(given)))
    texts = [str(given.get(key, "")) for key in _TEXTS]
    if any(MARK in text for text in texts) and MARK not in bench.files.get(path, ""):
        raise BenchError(f"{MARK} stands for a value you cannot see; leave it out.")
    if command not in _EDITS:
        raise BenchError("command is one of view, str_replace, create, insert.")
    changed, text = _EDITS[command](bench, path, given)
    return Outcome(text, bench=changed)


def _replace(bench: Bench, path: str, given: Input) -> tuple[Bench, str]:
    old, new = _word(given, "old_str"), _optional(given, "new_str")
    return workbench.str_replace(bench, path, old, new)


def _create(bench: Bench, path: str, given: Input) -> tuple[Bench, str]:
    return workbench.create(bench, path, _word(given, "file_text"))


def _insert(bench: Bench, path: str, given: Input) -> tuple[Bench, str]:
    line = given.get("insert_line")
    if isinstance(line, bool) or not isinstance(line, int):
        raise BenchError("insert_line is the number of a line.")
    # Versions of this tool differ in the name of the text.
    key = "insert_text" if "insert_text" in given else "new_str"
    return workbench.insert(bench, path, line, _word(given, key))


_EDITS: Mapping[str, Callable[[Bench, str, Input], tuple[Bench, str]]] = {
    "str_replace": _replace,
    "create": _create,
    "insert": _insert,
}


def _search(bench: Bench, given: Input) -> Outcome:
    pattern, path = _word(given, "pattern"), _optional(given, "path")
    return Outcome("", search=searching.wanted(bench, pattern, path))


def _run_tests(_bench: Bench, given: Input) -> Outcome:
    tests = given.get("tests", [])
    if not isinstance(tests, list) or not all(isinstance(t, str) for t in tests):
        raise BenchError("tests is a list of node ids, which may be empty.")
    return Outcome("", tests=tuple(tests))


def _submit(bench: Bench, given: Input) -> Outcome:
    files = bench.changed
    if not files:
        raise BenchError(
            "There is nothing to submit: no file differs from how it was. Make your "
            "edits first, or call report_infeasible."
        )
    note = _optional(given, "summary")
    return Outcome("Handed in.", done=Done(ending="submitted", note=note, files=files))


def _report(_bench: Bench, given: Input) -> Outcome:
    reason = _word(given, "reason").strip()
    if not reason:
        raise BenchError("reason is empty. Say what contradicts what, and where.")
    return Outcome("Noted.", done=Done(ending="infeasible", note=reason))


_TOOLS: Mapping[str, Callable[[Bench, Input], Outcome]] = {
    EDITOR: _edit,
    "search": _search,
    "run_tests": _run_tests,
    "submit": _submit,
    "report_infeasible": _report,
}


def _word(given: Input, key: str) -> str:
    value = given.get(key)
    if not isinstance(value, str):
        raise BenchError(f"{key} is missing, or not a string.")
    return value


def _optional(given: Input, key: str) -> str:
    return "" if given.get(key) is None else _word(given, key)


def _line_range(given: Input) -> list[int] | None:
    value = given.get("view_range")
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(n, int) for n in value):
        raise BenchError("view_range is a list of two line numbers.")
    return value

"""A command's arguments as they came in, a checked value out; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonafix.errors import UsageError

_NAMES = {str: "a string", bool: "true or false", int: "a number"}


@dataclass(frozen=True, slots=True)
class RunTests:
    """`bonafix.runTests`: one file, one test, or everything."""

    uri: str | None = None
    test: str | None = None
    root: str | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """`bonafix.fix`: work on one failing test."""

    test: str
    root: str | None = None  # its URI; needed only where two roots hold one id
    engine: str | None = None
    thinking: str | None = None
    auto_apply: bool = False


@dataclass(frozen=True, slots=True)
class OfJob:
    """`bonafix.apply`, `bonafix.cancel`, `bonafix.showEvidence`."""

    job: str
    candidate: int = 0  # 0 is the best, then its alternatives
    made: bool = False  # the client has made the edit itself: only confirm it


def run_tests(arguments: Sequence[object]) -> RunTests:
    """Read the arguments of `bonafix.runTests`; all are optional.

    Raises:
        UsageError: an argument is unknown, missing or ill-typed; so for the others.
    """
    given = _object(arguments, "bonafix.runTests", {"uri", "test", "root"})
    return RunTests(_text(given, "uri"), _text(given, "test"), _text(given, "root"))


def fix(arguments: Sequence[object]) -> Fix:
    """Read the arguments of `bonafix.fix`."""
    names = {"test", "root", "engine", "thinking", "autoApply"}
    given = _object(arguments, "bonafix.fix", names)
    thinking = given.get("thinking")
    if isinstance(thinking, int) and not isinstance(thinking, bool):
        given["thinking"] = str(thinking)
    return Fix(
        test=_required(given, "test", "bonafix.fix"),
        root=_text(given, "root"),
        engine=_text(given, "engine"),
        thinking=_text(given, "thinking"),
        auto_apply=bool(_typed(given, "autoApply", bool)),
    )


def of_job(arguments: Sequence[object], command: str, *extra: str) -> OfJob:
    """Read the arguments of a command about one job."""
    given = _object(arguments, command, {"job", *extra})
    candidate = _typed(given, "candidate", int)
    if isinstance(candidate, int) and candidate < 0:
        raise UsageError(f"{command}: 'candidate' must not be negative")
    number = candidate if isinstance(candidate, int) else 0
    made = bool(_typed(given, "made", bool))
    return OfJob(_required(given, "job", command), number, made)


def nothing(arguments: Sequence[object], command: str) -> None:
    """Refuse arguments where none are taken; an empty object is none."""
    _object(arguments, command, set())


def _object(
    arguments: Sequence[object], command: str, known: set[str]
) -> dict[str, object]:
    if not arguments:
        return {}
    first, *rest = arguments
    if rest or not isinstance(first, Mapping):
        raise UsageError(f"{command} takes one object as its only argument")
    unknown = sorted(str(key) for key in first if key not in known)
    if unknown:
        takes = ", ".join(sorted(known)) or "nothing"
        raise UsageError(
            f"{command}: unknown argument {unknown[0]!r}; it takes {takes}"
        )
    return {str(key): value for key, value in first.items() if value is not None}


def _typed(given: Mapping[str, object], name: str, kind: type) -> object:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError(f"{name!r} must be {_NAMES[kind]}, not {value!r}")
    return value


def _text(given: Mapping[str, object], name: str) -> str | None:
    value = _typed(given, name, str)
    return value if isinstance(value, str) else None


def _required(given: Mapping[str, object], name: str, command: str) -> str:
    value = _text(given, name)
    if not value:
        raise UsageError(f"{command} needs {name!r}")
    return value

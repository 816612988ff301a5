"""A command's arguments as they came in, a checked value out; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonafix.errors import UsageError

_NAMES = {str: "a string", bool: "true or false", int: "a number"}


@dataclass(frozen=True, slots=True)
class RunTests:
    """`bonafix.runTests`: one file, one test, what failed last, or everything."""

    uri: str | None = None
    test: str | None = None
    root: str | None = None
    last_failed: bool = False


@dataclass(frozen=True, slots=True)
class Fix:
    """`bonafix.fix`: work on one failing test."""

    test: str
    root: str | None = None  # its URI; needed only where two roots hold one id
    engine: str | None = None
    thinking: str | None = None
    auto_apply: bool = False
    group: bool = False  # with every test that fails for the same cause


@dataclass(frozen=True, slots=True)
class Explain:
    """`bonafix.explain`: what is known of one failing test."""

    test: str
    root: str | None = None


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
    names = {"uri", "test", "root", "lastFailed"}
    given = _object(arguments, "bonafix.runTests", names)
    if given.get("test") and given.get("lastFailed"):
        raise UsageError("bonafix.runTests takes 'test' or 'lastFailed', not both")
    return RunTests(
        uri=_text(given, "uri"),
        test=_text(given, "test"),
        root=_text(given, "root"),
        last_failed=bool(_typed(given, "lastFailed", bool)),
    )


def fix(arguments: Sequence[object]) -> Fix:
    """Read the arguments of `bonafix.fix`."""
    names = {"test", "root", "engine", "thinking", "autoApply", "group"}
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
        group=bool(_typed(given, "group", bool)),
    )


def explain(arguments: Sequence[object]) -> Explain:
    """Read the arguments of `bonafix.explain`."""
    given = _object(arguments, "bonafix.explain", {"test", "root"})
    test = _required(given, "test", "bonafix.explain")
    return Explain(test, _text(given, "root"))


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

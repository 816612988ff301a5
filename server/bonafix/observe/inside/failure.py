"""An exception in, what a reader of a failing test wants to know out."""

from __future__ import annotations

import doctest
import functools
import linecache
import os
import types
import typing

from . import relocate, shorten

Facts = typing.Dict[str, typing.Any]  # JSON values
Entry = typing.Tuple[types.FrameType, int]

MESSAGE = 8 * 1024  # characters
SIDE = 4000  # of either side of a comparison
_WALK = 5000  # entries of a traceback that are looked at
_STATEMENT = 50  # lines that an assertion may have
_HEAD, _TAIL = 20, 60  # entries that are kept: the way in, and the way down
_VALUED = 12  # deepest own frames whose variables are kept
_NAMES = 25  # variables of a frame
_FILES = 2000  # whose real paths are remembered


class Compared(typing.NamedTuple):
    """The last comparison that pytest explained, and in which frame."""

    frame: int  # identity of the frame
    code: types.CodeType
    line: int
    operator: str
    left: str
    right: str


def describe(
    error: BaseException,
    places: relocate.Places,
    test_file: str,
    compared: typing.Optional[Compared] = None,
) -> Facts:
    """Type, message, frames, place of the assertion, both sides of a comparison."""
    error, extra = _inner(error)
    entries = _entries(error)
    facts: Facts = {
        "exception": _name(type(error)),
        "message": _message(error),
        "frames": _frames(entries, places),
        "place": _place(entries, test_file, places),
    }
    facts.update(_sides(error, entries, compared))
    facts.update(extra)
    return facts


def standing(frame: types.FrameType, places: relocate.Places, test_file: str) -> Facts:
    """Where a running test is, told like a traceback."""
    entries: typing.List[Entry] = []
    link: typing.Optional[types.FrameType] = frame
    while link is not None and len(entries) < _WALK:
        entries.append((link, link.f_lineno))
        link = link.f_back
    entries.reverse()
    return {
        "frames": _frames(entries, places),
        "place": _place(entries, test_file, places),
    }


def deepest_own(
    error: BaseException, places: relocate.Places
) -> typing.Optional[typing.List[object]]:
    """The innermost line of the project that the exception passed."""
    for frame, line in reversed(_entries(error)):
        if _owned(frame, places):
            return [places.relative(real(frame.f_code.co_filename)), line]
    return None


def import_place(
    error: BaseException, places: relocate.Places
) -> typing.Optional[typing.List[object]]:
    """The deepest line of the project on the way to a collection error."""
    seen: typing.List[BaseException] = []
    place: typing.Optional[typing.List[object]] = None
    link: typing.Optional[BaseException] = error
    while link is not None and not any(link is one for one in seen):
        seen.append(link)
        name, line = getattr(link, "filename", None), getattr(link, "lineno", None)
        if isinstance(link, SyntaxError) and places.own(real(name or "<>")):
            return [places.relative(real(name or "")), line or 1]
        place = deepest_own(link, places) or place
        link = link.__cause__ or link.__context__
    return place


def _inner(error: BaseException) -> typing.Tuple[BaseException, Facts]:
    """What a doctest's failure is about."""
    failures = getattr(error, "failures", None)  # pytest collects several
    if isinstance(failures, list) and failures:
        error = failures[0]
    if isinstance(error, doctest.UnexpectedException):
        return error.exc_info[1], _doctest_place(error)
    if isinstance(error, doctest.DocTestFailure):
        sides = {
            "expected": shorten.clip(error.example.want.rstrip("\n"), SIDE),
            "actual": shorten.clip(error.got.rstrip("\n"), SIDE),
        }
        return error, dict(_doctest_place(error), **sides)
    return error, {}


def _doctest_place(error: typing.Any) -> Facts:
    line = (error.test.lineno or 0) + error.example.lineno + 1
    text = "{} in doctest {}".format(type(error).__name__, error.test.name)
    return {"doctest_line": line, "doctest": text}


def _name(kind: type) -> str:
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return "{}.{}".format(kind.__module__, kind.__qualname__)


def _message(error: BaseException) -> str:
    if isinstance(error, doctest.DocTestFailure):
        return "the example printed something else"
    text = shorten.guarded(lambda: str(error), "<no message>")
    return shorten.clip(text, MESSAGE)


def _entries(error: BaseException) -> typing.List[Entry]:
    """The traceback, outermost first; a group of one continues with its member."""
    entries: typing.List[Entry] = []
    while True:
        link = error.__traceback__
        while link is not None and len(entries) < _WALK:
            entries.append((link.tb_frame, link.tb_lineno))
            link = link.tb_next
        members = getattr(error, "exceptions", None)
        if not isinstance(members, tuple) or len(members) != 1:
            return entries
        if not isinstance(members[0], BaseException):
            return entries
        error = members[0]


def _frames(entries: typing.List[Entry], places: relocate.Places) -> typing.List[Facts]:
    """From the first frame of the project on; pytest's own before it are noise."""
    own = [_owned(frame, places) for frame, _ in entries]
    if True in own:
        first = own.index(True)
        entries, own = entries[first:], own[first:]
    keep = list(range(len(entries)))
    if len(keep) > _HEAD + _TAIL:  # a recursion: its repetitions tell nothing
        keep = keep[:_HEAD] + keep[-_TAIL:]
    valued = [index for index in keep if own[index]][-_VALUED:]
    return [
        _frame(entries[i], own=own[i], valued=i in valued, places=places) for i in keep
    ]


def _frame(entry: Entry, *, own: bool, valued: bool, places: relocate.Places) -> Facts:
    frame, line = entry
    code = frame.f_code
    text = linecache.getline(code.co_filename, line, frame.f_globals).strip()
    return {
        "path": places.relative(real(code.co_filename)),
        "line": line,
        "function": getattr(code, "co_qualname", code.co_name),
        "code": shorten.clip(text, 300),
        "own": own,
        "values": _values(frame) if valued else {},
    }


def _values(frame: types.FrameType) -> typing.Dict[str, str]:
    names = [n for n in frame.f_locals if not n.startswith(("@", "__"))]
    chosen = [n for n in names if not _dull(frame.f_locals[n])][:_NAMES]
    return {name: shorten.short(frame.f_locals[name]) for name in chosen}


def _dull(value: object) -> bool:
    return isinstance(value, (types.ModuleType, types.FunctionType, type))


def _owned(frame: types.FrameType, places: relocate.Places) -> bool:
    return places.own(real(frame.f_code.co_filename))


def real(path: str) -> str:
    """The real path of a code object's file; `<string>` stays."""
    if path.startswith("<"):
        return path
    return _resolved(path) if path.startswith("/") else os.path.realpath(path)


@functools.lru_cache(maxsize=_FILES)
def _resolved(path: str) -> str:
    """A deep traceback asks about a few files thousands of times."""
    return os.path.realpath(path)


def _place(
    entries: typing.List[Entry], test_file: str, places: relocate.Places
) -> typing.Optional[typing.List[object]]:
    """The deepest line in the test's own file."""
    for frame, line in reversed(entries):
        if real(frame.f_code.co_filename) == test_file:
            return [places.relative(test_file), line]
    return None


def _sides(
    error: BaseException,
    entries: typing.List[Entry],
    compared: typing.Optional[Compared],
) -> Facts:
    """Both sides of the failed comparison, if it is known to be this failure's."""
    if not isinstance(error, AssertionError) or not entries:
        return {}
    if compared and _of_this(compared, *entries[-1]):
        if compared.operator != "==":
            return {}
        return {"actual": compared.left, "expected": compared.right}
    for frame, _ in entries:
        module = frame.f_globals.get("__name__", "")
        for owner, actual, expected in _ASSERTERS:
            values = frame.f_locals
            if module.startswith(owner) and actual in values and expected in values:
                return {
                    "actual": side(values[actual]),
                    "expected": side(values[expected]),
                }
    return {}


def _of_this(compared: Compared, frame: types.FrameType, line: int) -> bool:
    """Whether the statement that failed is the one that compared."""
    same = compared.frame == id(frame) and compared.code is frame.f_code
    return same and line <= compared.line < line + _STATEMENT


_ASSERTERS = (
    ("unittest.case", "first", "second"),
    ("numpy.testing", "actual", "desired"),
    ("pandas._testing", "left", "right"),
)


def side(value: object) -> str:
    """One side of a comparison, long enough to be read back."""
    return shorten.short(value, SIDE, 200)
